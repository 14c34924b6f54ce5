"""The alarm: one timer for many blocks, with the manners of asyncio.timeout."""

import asyncio

import pytest

from homebox_async.alarm import Alarm


async def test_each_block_ends_at_its_own_time() -> None:
    """Blocks with any order of ends all end, the earliest first, and one in time is let be."""
    alarm = Alarm(asyncio.get_running_loop())
    ended: list[float] = []

    async def block(seconds: float) -> None:
        with pytest.raises(TimeoutError), alarm.limit(seconds):
            await asyncio.sleep(30)
        ended.append(seconds)

    async def quick() -> str:
        with alarm.limit(30):
            await asyncio.sleep(0)
        return "done"

    done = await asyncio.gather(quick(), *map(block, [0.05, 0.01, 0.03, 0.01, 0.02]))
    assert ("done", [0.01, 0.01, 0.02, 0.03, 0.05]) == (done[0], ended)
    alarm.stop()


async def test_a_block_that_is_late_already() -> None:
    """A block whose time is up ends at its first wait, not before."""
    alarm = Alarm(asyncio.get_running_loop())
    steps = []

    async def block() -> None:
        with alarm.limit(0):
            steps.append("begun")
            await asyncio.sleep(30)

    with pytest.raises(TimeoutError):
        await block()
    assert ["begun"] == steps


async def test_another_cancellation_stays_one() -> None:
    """A task that is cancelled by somebody else as well does not see a TimeoutError."""
    alarm = Alarm(asyncio.get_running_loop())

    async def block() -> None:
        task = asyncio.current_task()
        assert task is not None
        with alarm.limit(0):
            asyncio.get_running_loop().call_soon(task.cancel)
            await asyncio.sleep(30)

    task = asyncio.create_task(block())
    with pytest.raises(asyncio.CancelledError):
        await task
    assert task.cancelled()


async def test_a_block_inside_a_timeout_of_asyncio() -> None:
    """The inner limit ends the inner block only; the outer one goes on."""
    alarm = Alarm(asyncio.get_running_loop())
    async with asyncio.timeout(30) as outer:
        with pytest.raises(TimeoutError), alarm.limit(0.01):
            await asyncio.sleep(30)
        await asyncio.sleep(0)
    assert not outer.expired()


async def test_an_error_that_came_with_the_end() -> None:
    """What the block itself raises is not hidden by its time being up."""
    alarm = Alarm(asyncio.get_running_loop())

    async def block() -> None:
        with alarm.limit(0.01):
            try:
                await asyncio.sleep(30)
            except asyncio.CancelledError:
                raise KeyError from None

    with pytest.raises(KeyError):
        await block()
    task = asyncio.current_task()
    assert task is not None
    assert 0 == task.cancelling()


async def test_stop_leaves_no_timer() -> None:
    """After `stop` nothing of the alarm is left on the loop, but blocks under way keep theirs."""
    alarm = Alarm(asyncio.get_running_loop())
    with alarm.limit(30):
        alarm.stop()
        timer = alarm._timer
        assert timer is not None
        assert not timer.cancelled()
    alarm.stop()
    assert (True, None) == (timer.cancelled(), alarm._timer)
