"""Runs that are drained or cancelled, at any moment."""

import asyncio
import contextlib
import random
import time
from typing import Any

import pytest

from homebox_async.emulator import Fault
from homebox_async.importer import SourceError, State, run
from homebox_async.importer.sources import open_source

from .running import finish, journal_counts, until

LIST = ("GET", "/api/partner/property")


# --- drains and cancels


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("how", ["drain", "cancel", "cancel-waiter"])
async def test_interrupted_anywhere(bench: Any, how: str, seed: int) -> None:
    """Wherever an import is interrupted, going on ends with each row there once."""
    rng = random.Random(f"{how}{seed}")
    bench.write(250)
    bench.script(*[None, None, Fault.named("drop-after"), None, Fault.named("503")] * 8)
    for _ in range(4):
        run = bench.start(concurrency=rng.choice([1, 8, 40, "auto"]))
        if how == "cancel-waiter":
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(rng.uniform(0, 0.1)):
                    await run
            continue
        task = asyncio.ensure_future(run.wait())
        await asyncio.sleep(rng.uniform(0, 0.1))
        if how == "drain":
            run.drain()
            report = await task
            assert (
                250
                == report.rows
                == report.created + report.adopted + report.unknown + (report.pending)
            )
        else:
            await run.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
    await finish(bench, 250)


async def test_drain_before_it_starts(bench: Any) -> None:
    """An import that is drained at once checks the rows and sends nothing."""
    bench.write(5)
    run = bench.start()
    run.drain()
    report = await run
    assert (5, 5, 0, "interrupted") == (report.rows, report.pending, bench.posts, report.stopped)


async def test_drain_does_not_wait_for_a_pause(bench: Any) -> None:
    """What waits because the server asked for it is given back: nobody waits an hour to leave."""
    bench.write(40)
    bench.script(*[None] * 4, *[Fault.named("429:3600")] * 8)
    run = bench.start(concurrency=8)
    task = asyncio.ensure_future(run.wait())
    await until(lambda: bench.emulator.counts.faults["429"])
    await asyncio.sleep(0.05)
    run.drain()
    run.drain()
    report = await asyncio.wait_for(task, 2)
    assert (0, "interrupted") == (report.unknown, report.stopped)
    assert 40 == report.pending + report.created
    await finish(bench, 40)


async def test_drain_before_a_pause(bench: Any, server: Any) -> None:
    """A request that is refused after a drain is not made again, now or in an hour."""
    bench.write(9)

    async def act(wire: Any, seen: Any) -> None:
        if seen.method == "GET":
            await wire.write(b'HTTP/1.1 200 X\r\nContent-Length: 19\r\n\r\n{"data": {"id": 1}}')
            return
        await asyncio.sleep(0.1)
        await wire.write(b"HTTP/1.1 429 X\r\nRetry-After: 3600\r\nContent-Length: 0\r\n\r\n")

    server.default = act
    started = bench.start(client=bench.client(base_url=server.url), adopt_existing=False)
    task = asyncio.ensure_future(started.wait())
    await until(lambda: [seen for seen in server.seen if seen.method == "POST"])
    started.drain()
    report = await asyncio.wait_for(task, 3)
    assert (9, 1) == (report.pending, report.sent)


async def test_drain_waits_for_answers(bench: Any) -> None:
    """What is in flight at a drain is waited for, so that nothing is left open."""
    bench.write(40)
    bench.script(None, *[Fault.named("slow:0.2")] * 8)
    run = bench.start(concurrency=8)
    task = asyncio.ensure_future(run.wait())
    await until(lambda: bench.posts == 9)
    run.drain()
    report = await task
    assert (9, 31, 0) == (report.created, report.pending, report.unknown)


@pytest.mark.parametrize("phase", ["settling", "reconciling"])
async def test_drain_while_looking(bench: Any, phase: str) -> None:
    """A look-up, and the wait for one, is broken off; its rows stay open."""
    bench.write(4)
    bench.script(None, Fault.named("drop-after"), Fault.named("drop-before"))
    if phase == "reconciling":
        # The first row is read back by two reads of the list; one more opens the gate.
        bench.script(None, None, None, None, Fault.named("hang"), on=LIST)
    run = bench.start(settle=60.0, adopt_existing=False, concurrency=1)
    task = asyncio.ensure_future(run.wait())
    await until(lambda: run.phase == phase)
    await asyncio.sleep(0.01)
    run.drain()
    report = await asyncio.wait_for(task, 2)
    assert 4 == report.created + report.adopted + report.unknown
    assert report.unknown == (1 if phase == "settling" else 2)
    assert report.unknown == run.counts[State.UNKNOWN]
    await finish(bench, 4)


async def test_drain_before_sending_again(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A row that was to be sent again stays open: it will be looked up once more."""
    bench.write(1)
    bench.script(Fault.named("drop-before"), Fault.named("429:3600"))
    run = bench.start(settle=0.02)
    task = asyncio.ensure_future(run.wait())
    await until(lambda: bench.emulator.counts.faults["429"])
    run.drain()
    report = await asyncio.wait_for(task, 2)
    assert (0, 1) == (report.pending, report.unknown)
    await finish(bench, 1)


async def test_cancel_breaks_off(bench: Any) -> None:
    """A cancelled import leaves open what was in flight, and nothing else."""
    bench.write(300)
    bench.script(None, *[Fault.named("hang")] * 8)
    run = bench.start(concurrency=8)
    task = asyncio.ensure_future(run.wait())
    await until(lambda: bench.emulator.counts.faults["hang"] == 8)
    await run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    bench.emulator._scripts.clear()
    counts = await journal_counts(bench)
    assert (1, 8, 291) == (counts[State.CREATED], counts[State.UNKNOWN], counts[State.PENDING])
    await finish(bench, 300)


async def test_cancel_in_the_block(bench: Any) -> None:
    """Cancelling a run with unread results does not hang, nor cancel its block."""
    bench.write(900)
    async with bench.start() as run:
        await until(lambda: bench.posts > 256)
        await asyncio.sleep(0.05)
        await asyncio.wait_for(run.cancel(), 5)
        read = len([row async for row in run])
        assert 256 == read
    assert run.report is None
    with pytest.raises(asyncio.CancelledError):
        await run
    await finish(bench, 900)


async def test_cancel_at_once(bench: Any) -> None:
    """A run that is cancelled before its first step ends, and tells no rows."""
    bench.write(3)
    async with bench.start() as run:
        await run.cancel()
        assert [] == await asyncio.wait_for(run.take(), 5)
    assert 0 == bench.emulator.received.total


async def test_cancelled_block_drains(bench: Any) -> None:
    """A cancelled block drains; cancelled once more, it breaks the import off."""
    bench.write(300)
    bench.script(None, *[Fault.named("hang")] * 8)
    runs = []

    async def block() -> None:
        async with bench.start(concurrency=8) as run:
            runs.append(run)
            async for _ in run:
                pass

    task = asyncio.ensure_future(block())
    await until(lambda: bench.emulator.counts.faults["hang"] == 8)
    task.cancel()
    done, _ = await asyncio.wait([task], timeout=0.1)
    assert set() == done
    task.cancel()
    await asyncio.wait([task], timeout=5)
    assert task.cancelled()
    assert runs[0]._task.cancelled()
    bench.emulator._scripts.clear()
    await finish(bench, 300)


@pytest.mark.parametrize("there", [True, False])
async def test_cancelled_while_opening(
    bench: Any, monkeypatch: pytest.MonkeyPatch, there: bool
) -> None:
    """A file that is being opened in a thread is closed when the import is cancelled."""
    if there:
        bench.write(3)
    ended: list[bool] = []
    opened: list[Any] = []
    closed: list[bool] = []
    real = open_source

    def slow(*args: Any, **kwargs: Any) -> Any:
        time.sleep(0.1)
        ended.append(True)
        source: Any = real(*args, **kwargs)
        opened.append(source)
        close = source.close

        def noted() -> None:
            closed.append(True)
            close()

        source.close = noted
        return source

    monkeypatch.setattr(run, "open_source", slow)
    started = bench.start()
    task = asyncio.ensure_future(started.wait())
    await asyncio.sleep(0.02)
    await started.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert closed if there else ended
    await asyncio.sleep(0.01)
    assert there == len(opened)
    assert 0 == bench.emulator.received.total


async def test_cancel_keeps_the_error(bench: Any) -> None:
    """An import that fails while it is cancelled tells so to who asks for its report."""
    bench.write(lines=["1,2"], header="a,b")
    started = bench.start()
    task = asyncio.ensure_future(started.wait())
    await asyncio.wait([task])
    await started.cancel()
    with pytest.raises(SourceError):
        await task
