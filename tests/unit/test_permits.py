"""The queue for permits: in order, never over the limit, never idle, and at a linear cost."""

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homebox_async import Request, Response
from homebox_async.middleware import Throttle, chain
from homebox_async.permits import Permits
from homebox_async.wire import Safety


async def turns(count: int = 4) -> None:
    """Let the loop run what is due."""
    for _ in range(count):
        await asyncio.sleep(0)


async def test_the_longest_waiting_is_next() -> None:
    """Permits go out in the order in which they were asked for."""
    permits, order = Permits(1), list[int]()

    async def work(number: int) -> None:
        await permits.take()
        order.append(number)
        await asyncio.sleep(0)
        permits.give()

    await asyncio.gather(*(work(number) for number in range(9)))
    assert (list(range(9)), 0) == (order, permits.in_flight)


async def test_no_one_overtakes_the_queue() -> None:
    """A permit that has just been given back belongs to one who waits."""
    permits = Permits(1)
    await permits.take()
    waiting = asyncio.create_task(permits.take())
    await turns()
    permits.give()
    assert not permits.is_free
    await waiting
    assert 1 == permits.in_flight


async def test_cancelled_as_it_is_woken() -> None:
    """A permit goes on to the next one where the woken one is cancelled at that moment."""
    permits = Permits(1)
    await permits.take()
    first, second = (asyncio.create_task(permits.take()) for _ in range(2))
    await turns()
    permits.give()
    first.cancel()
    await second
    assert (True, 1) == (first.cancelled(), permits.in_flight)


STEPS = st.lists(
    st.one_of(
        st.just(("take", 0)),
        st.tuples(st.sampled_from(["give", "cancel"]), st.integers(0, 9)),
        st.tuples(st.just("allow"), st.integers(0, 5)),
        st.just(("turn", 0)),
    ),
    max_size=60,
)


@given(STEPS)
def test_invariants(steps: list[tuple[str, int]]) -> None:
    """After any history: no more are out than allowed when they went, and no one waits idly."""

    async def run() -> None:
        permits = Permits(2)
        tasks: list[asyncio.Task[None]] = []

        async def take() -> None:
            await permits.take()
            assert permits.in_flight <= max(1, permits.limit)

        for what, number in steps:
            out = [task for task in tasks if task.done() and not task.cancelled()]
            if what == "take":
                tasks.append(asyncio.create_task(take()))
            elif what == "give" and out:
                tasks.remove(out[number % len(out)])
                permits.give()
            elif what == "cancel" and (open_ := [task for task in tasks if not task.done()]):
                open_[number % len(open_)].cancel()
            elif what == "allow":
                permits.allow(number)
            else:
                await turns()
        await turns(8)
        open_ = [task for task in tasks if not task.done()]
        out = [task for task in tasks if task.done() and not task.cancelled()]
        assert len(out) == permits.in_flight
        assert not open_ or permits.in_flight >= max(1, permits.limit)
        for task in open_:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    asyncio.run(run())


def request() -> Request:
    """Return a request."""
    return Request("GET", "x", safety=Safety.READ)


def left(number: str) -> Response:
    """Return an answer that tells what is left."""
    return Response(200, {"X-RateLimit-Remaining": number}, b"")


async def test_each_answer_wakes_who_can_go() -> None:
    """The steps of many calls in a queue grow with their number, not with its square."""

    async def steps(count: int) -> int:
        throttle, woken = Throttle(), 0
        await throttle(request(), lambda _: asyncio.sleep(0, left("1")))
        loop = asyncio.get_running_loop()
        create = loop.create_future

        def counted() -> Any:
            nonlocal woken
            woken += 1
            return create()

        loop.create_future = counted  # type: ignore[method-assign]

        async def answer(_: Request) -> Response:
            await asyncio.sleep(0)
            return left("3")

        await asyncio.gather(*(throttle(request(), answer) for _ in range(count)))
        del loop.create_future  # type: ignore[method-assign]
        return woken

    few, many = await steps(50), await steps(500)
    assert few <= 100
    assert many <= 11 * few


@pytest.mark.parametrize("number", ["0", "1"])
@pytest.mark.parametrize("how", ["directly", "in a task", "in a task in a task"])
async def test_a_call_within_a_call(number: str, how: str) -> None:
    """What runs below a permit needs no second one, so it does not wait for itself."""
    throttle = Throttle()
    await throttle(request(), lambda _: asyncio.sleep(0, left(number)))

    async def inner(_: Request) -> Response:
        assert 1 == throttle.permits.in_flight
        return left(number)

    async def outer(_: Request) -> Response:
        async def in_task(depth: int) -> Response:
            if depth:
                return await asyncio.create_task(in_task(depth - 1))
            return await throttle(request(), inner)

        return await in_task(how.count("task"))

    async with asyncio.timeout(5):
        await chain([throttle, throttle.hold], outer)(request())
    assert 0 == throttle.permits.in_flight


async def test_a_task_that_outlives_its_call_counts() -> None:
    """Once the permit is given back, what was begun below it needs one of its own."""
    throttle, go = Throttle(), asyncio.Event()
    await throttle(request(), lambda _: asyncio.sleep(0, left("1")))
    seen: list[int] = []

    async def inner(_: Request) -> Response:
        seen.append(throttle.permits.in_flight)
        return left("1")

    async def later() -> None:
        await go.wait()
        await throttle(request(), inner)

    tasks: list[asyncio.Task[None]] = []

    async def outer(_: Request) -> Response:
        tasks.append(asyncio.create_task(later()))
        return left("1")

    await chain([throttle, throttle.hold], outer)(request())
    go.set()
    await tasks[0]
    assert ([1], 0) == (seen, throttle.permits.in_flight)
