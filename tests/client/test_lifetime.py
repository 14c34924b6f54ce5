"""Clients that are closed, forgotten, or used from elsewhere."""

import asyncio
import gc
from typing import Any

import pytest

from homebox_async import AsyncHomebox, ConfigurationError, HomeboxError, Retry


async def test_closed(connect: Any) -> None:
    """A closed client refuses to work, used before or not."""
    for used in (False, True):
        client = connect()
        if used:
            await client.request("GET", "x")
        await client.aclose()
        with pytest.raises(ConfigurationError, match="this client is closed"):
            await client.request("GET", "x")


def test_another_loop(served_url: str) -> None:
    """A client in use on one loop says so on another, and can be closed there."""
    client = AsyncHomebox("t", base_url=served_url, retry=Retry(attempts=1))

    async def use() -> None:
        with pytest.raises(HomeboxError):
            await client.request("GET", "x")

    async def use_again() -> None:
        with pytest.raises(ConfigurationError, match="in use on another event loop"):
            await client.request("GET", "x")
        await client.aclose()

    asyncio.run(use())
    asyncio.run(use_again())


@pytest.fixture
def served_url() -> str:
    """Return an origin where nobody listens."""
    return "http://127.0.0.1:9"


async def test_closed_from_another_loop(server: Any) -> None:
    """Closing from another loop is done on the loop that the connections live on."""
    client = AsyncHomebox("t", base_url=server.url)
    await client.request("GET", "x")
    await asyncio.to_thread(lambda: asyncio.run(client.aclose()))
    with pytest.raises(ConfigurationError):
        await client.request("GET", "x")


async def test_a_view_does_not_close_the_rest(server: Any) -> None:
    """A view that goes out of scope closes nothing and says nothing."""
    async with AsyncHomebox("t", base_url=server.url) as client:
        for _ in range(3):
            await client.with_options(deadline=5).request("GET", "x")
            gc.collect()
        await client.request("GET", "x")
    assert 1 == server.connections


async def test_a_view_keeps_the_connections(server: Any) -> None:
    """A view is a client of its own: what it came from may go."""
    view = AsyncHomebox("t", base_url=server.url).with_options(retry=Retry(attempts=1))
    gc.collect()
    await view.request("GET", "x")
    await view.aclose()


async def test_forgotten(server: Any) -> None:
    """An async client that is dropped unclosed warns once and lets its connections go."""
    client = AsyncHomebox("t", base_url=server.url)
    await client.request("GET", "x")
    dropped = [client]
    del client
    with pytest.warns(ResourceWarning) as caught:
        dropped.clear() or gc.collect()
    assert [f"a client of {server.url} was not closed; use `async with` or await aclose()"] == [
        str(warning.message) for warning in caught
    ]
