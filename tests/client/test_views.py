"""What the views of a client share, over a real server."""

import asyncio
from typing import Any

import pytest

from homebox_async import AsyncHomebox, Homebox, Retry, ServerError


@pytest.mark.parametrize("number", ["0", "1"])
@pytest.mark.parametrize("place", ["middlewares", "attempt_middlewares"])
async def test_a_middleware_that_calls_its_own_client(server: Any, number: str, place: str) -> None:
    """With hardly anything left of the server's quota, such a call does not wait for itself."""
    server.default = server.say(200, b"{}", [("X-RateLimit-Remaining", number)])
    client: AsyncHomebox

    async def fresh(request: Any, handler: Any) -> Any:
        if request.path != "token":
            await asyncio.wait_for(client.request("GET", "token"), 5)
        return await handler(request)

    async with AsyncHomebox("t", base_url=server.url, **{place: [fresh]}) as client:
        async with asyncio.timeout(10):
            await asyncio.gather(*(client.request("GET", "x") for _ in range(5)))
    assert 10 == len(server.seen)


async def test_views_share_the_quota_of_retries(server: Any) -> None:
    """A second view does not begin with a full quota of its own."""
    server.default = server.say(500)
    retry = Retry(attempts=3, backoff=0.0, quota=20)  # four retries
    async with AsyncHomebox("t", base_url=server.url, retry=retry) as client:
        for view in (client, client.with_options(), client.with_options(deadline=9)):
            for _ in range(4):
                with pytest.raises(ServerError):
                    await view.request("GET", "x")
        assert 12 + 4 == len(server.seen)
        more = client.with_options(retry=Retry(attempts=3, backoff=0.0, quota=30))
        with pytest.raises(ServerError):
            await more.request("GET", "x")
        assert 16 + 3 == len(server.seen)


def test_sync_views_share_the_quota_of_retries(served: Any) -> None:
    """So do those of the sync client."""
    served.default = served.say(500)
    retry = Retry(attempts=3, backoff=0.0, quota=20)
    with Homebox("t", base_url=served.url, retry=retry) as box:
        for view in (box, box.with_options()):
            for _ in range(4):
                with pytest.raises(ServerError):
                    view.request("GET", "x")
    assert 8 + 4 == len(served.seen)
