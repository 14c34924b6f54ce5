"""A whole run: its results as they come."""

import asyncio
from typing import Any

import pytest

from homebox_async.emulator import Fault
from homebox_async.errors import ConfigurationError
from homebox_async.importer import RowResult, State
from homebox_async.importer.window import Window

from .running import finish, until

ROW = RowResult(1, State.CREATED)


# --- row results


@pytest.mark.parametrize("count", [1, 700])
async def test_each_row_is_told(bench: Any, count: int) -> None:
    """Each row is told once, whether it was sent, found, or rejected here or there."""
    bench.write(count, [f"{n} High St,,LS1 1AA,X{n}" for n in range(300)])
    bench.script(Fault.named("drop-after"))
    async with bench.start() as run:
        told = [row async for row in run]
        assert [] == await run.take()
        report = run.report
    assert list(range(1, count + 301)) == sorted(row.number for row in told)
    states = {state: [row.state for row in told].count(state) for state in State}
    assert (count - 1, 1, 300, 0) == (report.created, report.adopted, report.rejected, 0)
    assert (count - 1, 1, 300) == (
        states[State.CREATED],
        states[State.ADOPTED],
        states[State.REJECTED],
    )
    assert {s: n for s, n in states.items() if n} == {s: n for s, n in run.counts.items() if n}
    assert all(row.property_id for row in told if row.state is not State.REJECTED)


async def test_resumed_run_tells_what_it_does(bench: Any) -> None:
    """Rows that an earlier run has done are counted, but not told again."""
    bench.write(20, ["1 High St,,LS1 1AA,X1"])
    bench.script(*[None] * 5, Fault.named("401"))
    await bench.report(concurrency=1)
    async with bench.start() as run:
        told = [row.number async for row in run]
    assert list(range(6, 21)) == sorted(told)
    assert (20, 1) == (run.counts[State.CREATED], run.counts[State.REJECTED])


async def test_results_in_pieces(bench: Any) -> None:
    """A reader who stops and goes on misses nothing; `take` gives what is there."""
    bench.write(50)
    told: list[int] = []
    async with bench.start() as run:
        async for row in run:
            told.append(row.number)
            break
        told += [row.number for row in await run.take()]
        async for row in run:
            told.append(row.number)
    assert list(range(1, 51)) == sorted(told)


async def test_slow_reader_holds_the_import_up(bench: Any) -> None:
    """No more results are kept for a reader than a window of them."""
    bench.write(600)
    async with bench.start() as run:
        await until(lambda: bench.posts > 256)
        await asyncio.sleep(0.1)
        assert bench.posts <= 256 + 64
        assert 600 == len([row async for row in run])


@pytest.mark.parametrize("read", [0, 1, 40])
async def test_early_leave(bench: Any, read: int) -> None:
    """Who leaves early drains: a report tells the rest, and the next run does it."""
    bench.write(900)
    async with bench.start() as run:
        for _ in range(read):
            await anext(aiter(run))
        await until(lambda: bench.posts > read)
    assert (900, "interrupted") == (run.report.rows, run.report.stopped)
    assert run.report.pending > 0
    assert 0 == run.report.unknown
    assert run.report.created == sum(bench.references.values())
    await finish(bench, 900)


async def test_early_leave_among_rejected_rows(bench: Any) -> None:
    """Who leaves while rejected rows are told does not hold the import up."""
    bench.write(1, [f"{n} High St,,LS1 1AA,X{n}" for n in range(2000)])
    async with bench.start() as run:
        assert 2 == (await anext(aiter(run))).number
        await asyncio.sleep(0.05)
    assert 2000 == run.report.rejected


async def test_error_in_the_block(bench: Any) -> None:
    """An error of the reader's own drains, and goes on."""
    bench.write(600)
    runs = []

    async def block() -> None:
        async with bench.start() as run:
            runs.append(run)
            async for _ in run:
                raise LookupError("mine")

    with pytest.raises(LookupError, match="mine"):
        await block()
    assert runs[0].report.stopped
    await finish(bench, 600)


async def test_results_outside_of_a_block(bench: Any) -> None:
    """Row results need a block: otherwise nobody could tell when the reader has left."""
    bench.write(1)
    run = bench.start()
    with pytest.raises(ConfigurationError, match="inside `async with"):
        await run.take()
    assert (await run) is (await run)
    with pytest.raises(ConfigurationError, match="inside `async with"):
        await anext(aiter(run))


async def test_live_figures(bench: Any) -> None:
    """Phase, rows, counts and requests can be read at any time."""
    bench.write(10)
    run = bench.start()
    assert ("opening", 0, 0, {}, None) == (run.phase, run.rows, run.sent, run.counts, run.report)
    report = await run
    assert ("writing results", 10, 10) == (run.phase, run.rows, run.sent)
    assert 10 == run.counts[State.CREATED]
    assert run.report is report
    assert report.rate > 0
    figures = report.as_dict()
    assert (10, None, True, str(report.journal)) == (
        figures["created"],
        figures["error"],
        figures["done"],
        figures["journal"],
    )


async def test_window() -> None:
    """The window keeps the order, its size, and lets everybody go in the end."""
    window = Window()
    putting = [asyncio.ensure_future(window.put(ROW)) for _ in range(300)]
    await asyncio.sleep(0)
    assert 256 == sum(task.done() for task in putting)
    assert ROW == await window.next()
    read = 1 + len(await window.take(1))
    await asyncio.gather(*putting)
    assert 300 == read + len(await window.take(1))
    waiting = asyncio.ensure_future(window.next())
    await asyncio.sleep(0)
    window.end()
    assert None is await waiting
    window.leave()
    await window.put(ROW)
    assert [] == await window.take(1)


@pytest.mark.parametrize("way", ["wait", "await", "after a break", "after a task", "in the loop"])
async def test_waited_for_inside_the_block(bench: Any, way: str) -> None:
    """An import that nobody reads ends, however many rows it has."""
    bench.write(700)

    async def read_one() -> None:
        async for _ in run:
            return

    async with asyncio.timeout(20), bench.start() as run:
        if way == "after a break":
            async for _ in run:
                break
        elif way == "after a task":
            await asyncio.create_task(read_one())
        elif way == "in the loop":
            async for _ in run:
                await run.wait()
        report = await run if way == "await" else await run.wait()
    assert (700, True) == (report.created, report.done)
    assert bench.expected(700) == bench.references


async def test_waited_for_and_read(bench: Any) -> None:
    """Results that another task reads are all there, though one waits for the report."""
    bench.write(700)
    async with bench.start() as run:

        async def read() -> list[int]:
            return [row.number async for row in run]

        numbers, report = await asyncio.gather(read(), run.wait())
    assert report.done
    assert list(range(1, 701)) == sorted(numbers)
