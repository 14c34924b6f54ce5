"""The limiter: its bounds, its turns, and what it learns from how attempts go."""

import asyncio
import contextlib
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homebox_async.errors import (
    ConnectionFailed,
    Outcome,
    RateLimited,
    RequestError,
    ServerError,
)
from homebox_async.importer.limiter import Limiter
from homebox_async.wire import Request, Response

REQUEST = Request("POST", "property")


class Time:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now


def limited(retry_after: float | None = None) -> RateLimited:
    """Return a 429."""
    return RateLimited("no", outcome=Outcome.REJECTED, status=429, retry_after=retry_after)


def failed(status: int) -> ServerError:
    """Return a 5xx."""
    return ServerError("no", outcome=Outcome.UNKNOWN, status=status)


def attempt(limiter: Limiter, clock: Time, seconds: float, error: RequestError | None) -> None:
    """Let one attempt take so long and end so."""

    async def handler(_: Request) -> Response:
        clock.now += seconds
        if error is not None:
            raise error
        return Response(201, {}, b"")

    async def run() -> None:
        limiter._permits.in_flight += 1
        try:
            await limiter(REQUEST, handler)
        finally:
            limiter._permits.in_flight -= 1

    coroutine = run()
    with pytest.raises((StopIteration, RequestError)):
        coroutine.send(None)


@pytest.mark.parametrize(
    ("most", "adaptive", "expected"),
    [(64, True, 4), (2, True, 2), (1, True, 1), (64, False, 64), (1, False, 1)],
)
def test_first_limit(most: int, adaptive: bool, expected: int) -> None:
    """An adaptive limit starts at four, or at what there may be at the most."""
    assert expected == Limiter(most, adaptive=adaptive).limit


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (limited(), 2.8),
        (limited(3.0), 4),
        (failed(503), 2.8),
        (failed(500), 4),
        (ConnectionFailed("no", outcome=Outcome.UNKNOWN), 4),
    ],
    ids=["429", "429-with-time", "503", "500", "connection"],
)
def test_overload(error: RequestError, expected: float) -> None:
    """Only what says that the server is overloaded makes the limit smaller."""
    clock = Time()
    limiter = Limiter(64, now=clock)
    attempt(limiter, clock, 0.1, error)
    assert pytest.approx(expected) == limiter.limit


def test_one_cut_for_one_overload() -> None:
    """What was in flight together tells of one overload."""
    clock = Time()
    limiter = Limiter(64, now=clock)

    async def together() -> None:
        gate = asyncio.Event()

        async def handler(_: Request) -> Response:
            await gate.wait()
            raise limited()

        tasks = [asyncio.ensure_future(limiter(REQUEST, handler)) for _ in range(4)]
        await asyncio.sleep(0)
        clock.now += 1
        gate.set()
        await asyncio.gather(*tasks, return_exceptions=True)

    asyncio.run(together())
    assert pytest.approx(2.8) == limiter.limit


def test_fixed_number_stays() -> None:
    """A number that the user named is not touched."""
    clock = Time()
    limiter = Limiter(8, adaptive=False, now=clock)
    for error in (None, limited(), failed(503), None):
        attempt(limiter, clock, 1.0, error)
    assert 8 == limiter.limit


def test_grows_in_use_only() -> None:
    """The limit grows by one for as many successes, and only while it is in use."""
    clock = Time()
    limiter = Limiter(64, now=clock)
    for _ in range(10):
        attempt(limiter, clock, 0.1, None)
    assert 4 == limiter.limit
    limiter._permits.in_flight = 3
    for _ in range(5):
        attempt(limiter, clock, 0.1, None)
    assert 5 == int(limiter.limit)


def test_slower_answers() -> None:
    """Answers that take far longer than they can make the limit smaller, but not below four."""
    clock = Time()
    limiter = Limiter(64, now=clock)
    limiter.limit = 20.0
    limiter._permits.in_flight = 19
    attempt(limiter, clock, 0.1, None)
    for _ in range(300):
        attempt(limiter, clock, 0.5, None)
        clock.now += 0.01
    assert 3 < limiter.limit < 6


Step = tuple[str, float]
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["ok", "429", "429-with-time", "503", "500", "enter", "leave", "cancel"]),
        st.floats(0.001, 30.0),
    ),
    max_size=80,
)


@given(most=st.integers(1, 12), adaptive=st.booleans(), steps=STEPS)
def test_invariants(most: int, adaptive: bool, steps: list[Step]) -> None:
    """The limit stays in its bounds, nobody enters above it, and nobody is forgotten."""
    asyncio.run(_check(most, adaptive, steps))


async def _check(most: int, adaptive: bool, steps: list[Step]) -> None:
    clock = Time()
    limiter = Limiter(most, adaptive=adaptive, now=clock)
    errors: dict[str, Callable[[], RequestError]] = {
        "429": limited,
        "429-with-time": lambda: limited(1.0),
        "503": lambda: failed(503),
        "500": lambda: failed(500),
    }
    inside: list[asyncio.Event] = []
    tasks: list[asyncio.Task[None]] = []
    entered_above = 0

    async def visit() -> None:
        nonlocal entered_above
        async with limiter:
            entered_above += limiter.in_flight > int(limiter.limit)
            leave = asyncio.Event()
            inside.append(leave)
            await leave.wait()

    async def calm() -> None:
        for _ in range(5):
            await asyncio.sleep(0)

    for kind, seconds in steps:
        if kind == "enter":
            tasks.append(asyncio.ensure_future(visit()))
        elif kind == "leave" and inside:
            inside.pop(0).set()
        elif kind == "cancel" and tasks:
            # One that waits, or has just been woken: both must hand on their place.
            if inside:
                inside.pop(0).set()
            tasks[int(seconds * 100) % len(tasks)].cancel()
        else:
            error = errors[kind]() if kind in errors else None

            async def handler(_: Request, error: RequestError | None = error) -> Response:
                clock.now += seconds  # noqa: B023  # called at once
                if error is not None:
                    raise error
                return Response(201, {}, b"")

            with contextlib.suppress(RequestError):
                await limiter(REQUEST, handler)
        assert 1 <= limiter.limit <= most
        assert adaptive or limiter.limit == most
        await calm()
    # Whoever is inside leaves, one after the other: in the end all must have been inside.
    for _ in range(len(tasks) + 1):
        for leave in inside:
            leave.set()
        await calm()
    _, waiting = await asyncio.wait(tasks, timeout=1) if tasks else (set(), set())
    assert set() == waiting
    assert 0 == entered_above
    assert 0 == limiter.in_flight
    assert not limiter._permits._waiting


def test_slow_client_is_no_slow_server() -> None:
    """Time that this process itself was busy is not held against the server."""
    clock = Time()
    limiter = Limiter(64, now=clock, busy=lambda: clock.now * 0.9)
    limiter._permits.in_flight = 63
    attempt(limiter, clock, 0.1, None)
    for _ in range(400):
        attempt(limiter, clock, 0.5, None)
        clock.now += 0.01
    assert 20 < limiter.limit
