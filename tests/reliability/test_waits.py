"""Waits that servers ask for and users allow: none is undercut, none is absurd."""

import asyncio
import math
from pathlib import Path
from typing import Any

import pytest

from homebox_async import (
    AsyncHomebox,
    ConfigurationError,
    DeadlineExceeded,
    Outcome,
    RateLimited,
    RequestError,
    Retry,
    ServerError,
)
from homebox_async.emulator import Emulator, Fault
from homebox_async.importer import import_properties

from .recorder import Answer
from .world import World


async def ask(client: AsyncHomebox, method: str) -> Any:
    """Make a call; return its result or its error."""
    json = {"a": 1} if method == "POST" else None
    try:
        return await client.request(method, "thing/{id}", params={"id": 1}, json=json)
    except RequestError as error:
        return error


async def post(client: AsyncHomebox) -> Any:
    """Make a call that writes; return its result or its error."""
    return await ask(client, "POST")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(("attempts", bad) for bad in (0, -1, 2.0, math.nan, True, None, "3")),
        *(("quota", bad) for bad in (-1, 0.5, math.inf, None)),
        *((f, bad) for f in ("backoff", "longest") for bad in (-0.1, math.nan, math.inf, None)),
        *((f, bad) for f in ("backoff", "longest") for bad in (True, "1")),
    ],
    ids=str,
)
def test_values_that_make_no_sense(field: str, value: Any) -> None:
    """A policy that cannot be kept is refused, by its name and with what to give."""
    with pytest.raises(ConfigurationError, match=rf"Retry\.{field} is .*; give a "):
        Retry(**{field: value})


@pytest.mark.parametrize(
    "policy",
    [{}, {"attempts": 1}, {"quota": 0}, {"backoff": 0}, {"backoff": 0.0, "longest": 0}],
    ids=str,
)
def test_values_that_make_sense(policy: dict[str, Any]) -> None:
    """One attempt, no quota and no wait of our own are policies, too."""
    assert (
        policy.items()
        <= {
            name: getattr(Retry(**policy), name)
            for name in ("attempts", "quota", "backoff", "longest")
        }.items()
    )


@pytest.mark.parametrize(
    ("method", "status", "kind"),
    [("POST", 429, RateLimited), ("GET", 429, RateLimited), ("GET", 503, ServerError)],
)
@pytest.mark.parametrize("asked", [3601, 86400, 1_800_000_000, 999_999_999_999])
def test_an_absurd_wait_is_not_begun(
    world: World, method: str, status: int, kind: type[RequestError], asked: int
) -> None:
    """Without a deadline, too, a call does not wait for more than an hour: it fails, saying so."""
    world.server.default = Answer(status, b"", (("Retry-After", str(asked)),))
    start = world.loop.time()

    async def run() -> Any:
        async with world.client(deadline=None) as client:
            return await ask(client, method)

    error = world.run(run())
    assert kind is type(error)
    assert (1, Outcome.REJECTED, asked) == (error.attempts, error.outcome, error.retry_after)
    assert f"asked to wait {asked:.1f} s, beyond the 3600 s that a call waits at most" in str(error)
    assert (1, start) == (len(world.server.received), world.loop.time())


def test_a_client_in_an_absurd_pause(world: World) -> None:
    """While such a pause lasts other calls fail unsent, and when it has passed they go again."""
    world.server.answers.append(Answer(429, b"", (("Retry-After", "7200"),)))

    async def run() -> tuple[Any, Any, Any]:
        async with world.client(deadline=None) as client:
            await post(client)
            second = await post(client)
            await asyncio.sleep(7200 - 3600)
            return second, len(world.server.received), await post(client)

    refused, received, late = world.run(run())
    assert DeadlineExceeded is type(refused)
    assert (0, Outcome.NOT_SENT, 1) == (refused.attempts, refused.outcome, received)
    assert "pause of 7200.0 s more, beyond the 3600 s that a call waits at most" in str(refused)
    assert {"data": {"id": 7}} == late
    first, second = world.server.received
    assert 7200 == pytest.approx(second.at - first.answered_at)


def test_an_hour_is_waited_for(world: World) -> None:
    """The longest pause itself is kept."""
    world.server.answers.append(Answer(429, b"", (("Retry-After", "3600"),)))

    async def run() -> Any:
        async with world.client(deadline=None) as client:
            return await post(client)

    assert {"data": {"id": 7}} == world.run(run())
    first, second = world.server.received
    assert 3600 <= second.at - first.answered_at


@pytest.mark.parametrize("deadline", [None, 20.0], ids=["patient", "deadline"])
def test_who_waits_for_a_connection_keeps_the_pause(world: World, deadline: float | None) -> None:
    """Calls that queue for a connection while a 429 comes in wait as well before they go out."""
    world.server.answers.append(Answer(429, b"", (("Retry-After", "40"),), late=1.0))

    async def run() -> list[Any]:
        async with world.client(
            deadline=deadline, max_connections=1, retry=Retry(attempts=1)
        ) as client:
            results = await asyncio.gather(*(post(client) for _ in range(5)))
            assert 1 == client._transport._slots._value
            return results

    first, *others = world.run(run())
    assert RateLimited is type(first)
    if deadline is None:
        assert [{"data": {"id": 7}}] * 4 == others
        asked, *later = world.server.received
        assert [True] * 4 == [one.at >= asked.answered_at + 40 for one in later]
    else:
        assert [(DeadlineExceeded, Outcome.NOT_SENT)] * 4 == [
            (type(other), other.outcome) for other in others
        ]
        assert 1 == len(world.server.received)


def test_cancelled_in_the_pause(world: World) -> None:
    """A call that is cancelled while it holds a place through a pause gives the place back."""
    world.server.answers.append(Answer(429, b"", (("Retry-After", "40"),), late=1.0))

    async def run() -> list[str]:
        async with world.client(max_connections=1, retry=Retry(attempts=1)) as client:
            first = asyncio.create_task(post(client))
            second = asyncio.create_task(post(client))
            await first
            await asyncio.sleep(5)
            second.cancel()
            with pytest.raises(asyncio.CancelledError) as caught:
                await second
            assert 1 == client._transport._slots._value
            return list(caught.value.__notes__)

    assert ["POST thing/{id}: cancelled [outcome: not sent]"] == world.run(run())
    assert 1 == len(world.server.received)


async def test_an_import_does_not_wait_for_years(tmp_path: Path) -> None:
    """An import stops at once when the server asks for more than an hour, and can go on later."""
    source = tmp_path / "homes.csv"
    source.write_text("line1,city,postcode,ref\n1 High Street,Leeds,LS1 1AA,A1\n")
    async with Emulator() as emulator, AsyncHomebox(emulator.token, base_url=emulator.url) as one:
        emulator.script("POST", "/api/partner/property", [Fault.named("429:999999")])
        stopped = await import_properties(one, source, results=tmp_path)
        assert isinstance(stopped.error, RateLimited)
        assert "beyond the 3600 s that a call waits at most" in stopped.stopped
        assert [] == list(emulator.store.properties)
        async with AsyncHomebox(emulator.token, base_url=emulator.url) as other:
            report = await import_properties(other, source, results=tmp_path)
        assert (1, 1) == (report.created, len(list(emulator.store.properties)))
