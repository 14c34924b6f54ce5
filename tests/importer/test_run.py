"""A whole run: its results as they come, drains and cancels at any moment, kills, and memory."""

import asyncio
import contextlib
import csv
import os
import random
import signal
import sqlite3
import subprocess
import sys
import textwrap
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from homebox_async.emulator import Fault
from homebox_async.errors import ConfigurationError
from homebox_async.importer import (
    JournalError,
    ResultsError,
    RowResult,
    SourceError,
    State,
    claims,
    run,
)
from homebox_async.importer.journal import Journal, Reader
from homebox_async.importer.sources import open_source
from homebox_async.importer.window import Window

LIST = ("GET", "/api/partner/property")
ROW = RowResult(1, State.CREATED)


async def until(condition: Any) -> None:
    """Wait until a condition holds."""
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.002)


async def finish(bench: Any, rows: int, **options: Any) -> Any:
    """Run an import to its end and check that each row is there once."""
    report = await bench.report(**options)
    assert (rows, True) == (report.created + report.adopted, report.done)
    assert bench.expected(rows) == bench.references
    return report


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
    read = 1 + len(await window.take())
    await asyncio.gather(*putting)
    assert 300 == read + len(await window.take())
    waiting = asyncio.ensure_future(window.next())
    await asyncio.sleep(0)
    window.end()
    assert None is await waiting
    window.leave()
    await window.put(ROW)
    assert [] == await window.take()


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
        if "account" in seen.target:
            await wire.write(b'HTTP/1.1 200 X\r\nContent-Length: 12\r\n\r\n{"data": {}}')
            return
        await asyncio.sleep(0.1)
        await wire.write(b"HTTP/1.1 429 X\r\nRetry-After: 3600\r\nContent-Length: 0\r\n\r\n")

    server.default = act
    started = bench.start(client=bench.client(base_url=server.url), adopt_existing=False)
    task = asyncio.ensure_future(started.wait())
    await until(lambda: len(server.seen) == 5)
    started.drain()
    report = await asyncio.wait_for(task, 3)
    assert (9, 4) == (report.pending, report.sent)


async def test_drain_waits_for_answers(bench: Any) -> None:
    """What is in flight at a drain is waited for, so that nothing is left open."""
    bench.write(40)
    bench.script(*[Fault.named("slow:0.2")] * 8)
    run = bench.start(concurrency=8)
    task = asyncio.ensure_future(run.wait())
    await until(lambda: bench.posts == 8)
    run.drain()
    report = await task
    assert (8, 32, 0) == (report.created, report.pending, report.unknown)


@pytest.mark.parametrize("phase", ["settling", "reconciling"])
async def test_drain_while_looking(bench: Any, phase: str) -> None:
    """A look-up, and the wait for one, is broken off; its rows stay open."""
    bench.write(4)
    bench.script(None, Fault.named("drop-after"), Fault.named("drop-before"))
    if phase == "reconciling":
        bench.script(Fault.named("hang"), on=LIST)
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
    counts = await _counts(bench)
    assert (1, 8, 291) == (counts[State.CREATED], counts[State.UNKNOWN], counts[State.PENDING])
    await finish(bench, 300)


async def _counts(bench: Any) -> dict[State, int]:
    path = bench.folder / "portfolio.journal"
    connection = sqlite3.connect(path)
    meta = dict(connection.execute("SELECT name, value FROM meta"))
    connection.close()
    facts = {name: meta[name] for name in ("kind", "fingerprint", "target")}
    async with await Journal.open(path, **facts) as journal:
        return await journal.counts()


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
    await until(lambda: closed if there else ended)
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


# --- the journal, the source and the disk


async def test_two_imports_on_one_journal(bench: Any) -> None:
    """A second import with the same journal is refused, and does not disturb the first."""
    bench.write(200)
    bench.script(Fault.named("slow:1"))
    first = bench.start(concurrency=2)
    task = asyncio.ensure_future(first.wait())
    await until(lambda: bench.posts)
    with pytest.raises(JournalError, match="another import is using this journal"):
        await bench.report()
    assert 200 == (await task).created
    assert bench.expected(200) == bench.references


async def test_disk_full(bench: Any) -> None:
    """When the journal cannot be written, the import fails; nothing is lost or sent twice."""
    bench.write(800)
    started = bench.start(concurrency=8)
    task = asyncio.ensure_future(started.wait())
    await until(lambda: bench.posts > 100)

    def fill(reader: Reader) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    assert started._engine is not None
    with pytest.raises(JournalError):
        await started._engine._journal.take(fill)
    with pytest.raises(JournalError, match="make room on its disk"):
        await task
    assert bench.posts < 800
    await finish(bench, 800)


async def test_file_changes_meanwhile(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that changes while it is imported stops the import once answers have come."""
    monkeypatch.setattr(claims, "_BATCH", 64)
    bench.write(500)
    bench.script(*[None] * 60, *[Fault.named("slow:0.1")] * 4)
    original = bench.path.read_bytes()
    started = bench.start(concurrency=4)
    task = asyncio.ensure_future(started.wait())
    await until(lambda: bench.posts >= 20)
    stamp = bench.path.stat()
    bench.path.write_bytes(original.replace(b"High Street", b"Low Street!"))
    with pytest.raises(SourceError, match="changed while it was"):
        await task
    counts = await _counts(bench)
    assert (0, len(bench.emulator.store.properties)) == (
        counts[State.UNKNOWN],
        counts[State.CREATED],
    )
    bench.path.write_bytes(original)
    os.utime(bench.path, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    await finish(bench, 500)


@pytest.mark.parametrize("change", ["cells", "shorter", "fault"])
async def test_rows_that_are_not_the_planned_ones(bench: Any, change: str) -> None:
    """Rows are compared with the plan before they are sent, whatever the file's time says."""
    path = bench.write(5)
    started = bench.start()
    real = started._opened

    async def opened() -> Any:
        source = await real()
        rows = source.rows
        passes = 0

        def changed() -> Any:
            nonlocal passes
            passes += 1
            for row in rows():
                if passes > 1 and row.number == 4:
                    if change == "shorter":
                        return
                    cells = {**row.cells, "city": "York" if change == "cells" else ""}
                    row = type(row)(row.number, cells)
                yield row

        source.rows = changed
        return source

    started._opened = opened
    with pytest.raises(SourceError, match="row 4 changed while it was imported"):
        await asyncio.wait_for(started.wait(), 5)
    assert 0 == bench.posts
    assert path.exists()


async def test_results_cannot_be_written(bench: Any) -> None:
    """When the result files cannot be written, that is told, and so is what was done."""
    bench.write(3)
    blocker = bench.folder / "portfolio.created.csv"
    blocker.mkdir()
    started = bench.start()
    with pytest.raises(ResultsError):
        await started
    assert (3, {}) == (started.report.created, started.report.files)
    blocker.rmdir()
    report = await bench.report()
    assert (3, 0, [blocker]) == (report.created, report.sent, list(report.files.values()))


async def test_results_are_made_anew(bench: Any) -> None:
    """Result files that were lost or changed are there again after another run."""
    bench.write(30, ["1 High St,,LS1 1AA,X1"])
    files = (await bench.report()).files
    before = {kind: path.read_bytes() for kind, path in files.items()}
    files["created"].unlink()
    files["rejects"].write_text("what?")
    report = await bench.report()
    assert before == {kind: path.read_bytes() for kind, path in report.files.items()}
    with files["created"].open(newline="") as file:
        assert 30 == len(list(csv.DictReader(file)))


async def test_client_that_is_closed(bench: Any) -> None:
    """A client that somebody closes ends the import with an error; nothing is lost."""
    bench.write(300)
    client = bench.client()
    task = asyncio.ensure_future(bench.start(client=client).wait())
    await until(lambda: bench.posts > 20)
    await client.aclose()
    with pytest.raises(ConfigurationError, match="closed"):
        await task
    await finish(bench, 300)


# --- processes

PROGRAM = textwrap.dedent(
    """
    import asyncio, json, resource, sys
    from homebox_async import AsyncHomebox
    from homebox_async.importer import import_properties

    def rows(count):
        for n in range(1, count + 1):
            yield {"line1": f"{n} High Street", "city": "Leeds",
                   "postcode": f"LS{n % 90 + 1} {n % 9}AA", "ref": f"R{n}"}

    async def main(url, token, source, folder, options):
        source = rows(int(source)) if source.isdigit() else source
        async with AsyncHomebox(token, base_url=url) as client:
            print("go", flush=True)
            report = await import_properties(
                client, source, results=folder, settle=0.1, **json.loads(options))
        print(report.created + report.adopted, report.done,
              resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)

    asyncio.run(main(*sys.argv[1:]))
    """
)


async def spawn(bench: Any, source: object, options: str = "{}") -> asyncio.subprocess.Process:
    """Start an import in a process of its own."""
    emulator = bench.emulator
    arguments = (emulator.url, emulator.token, str(source), str(bench.folder), options)
    return await asyncio.create_subprocess_exec(
        sys.executable, "-c", PROGRAM, *arguments, stdout=subprocess.PIPE
    )


@pytest.mark.parametrize("moment", [0, 1, 60, 200])
async def test_killed(bench: Any, moment: int) -> None:
    """After kill -9 at any moment, the same import ends with each row there once."""
    bench.write(260)
    bench.script(*[None, Fault.named("drop-after"), None, Fault.named("503")] * 20)
    process = await spawn(bench, bench.path)
    assert process.stdout is not None
    assert b"go\n" == await process.stdout.readline()
    await until(lambda: bench.posts >= moment)
    process.send_signal(signal.SIGKILL)
    await process.communicate()
    assert -signal.SIGKILL == process.returncode
    await finish(bench, 260)


@pytest.mark.timeout(180)
async def test_memory_is_flat(bench: Any) -> None:
    """The memory of an import does not grow with the number of rows."""
    peaks = []
    for count in (2_000, 20_000):
        folder = bench.folder / str(count)
        folder.mkdir()
        bench.folder, before = folder, bench.folder
        process = await spawn(bench, count, '{"adopt_existing": false, "concurrency": 32}')
        out, _ = await asyncio.wait_for(process.communicate(), 80)
        bench.folder = before
        done, complete, peak = out.decode().split()[1:]
        assert (str(count), "True") == (done, complete)
        peaks.append(int(peak))
    small, large = peaks
    assert large < small * 1.25 + 8_000


async def test_iterable_is_not_kept(bench: Any, tmp_path: Path) -> None:
    """The rows of an iterable are kept in a file without a name, not beside the results."""

    async def rows() -> AsyncIterator[dict[str, str]]:
        yield {"line1": "1 High St", "city": "Leeds", "postcode": "LS1 1AA", "ref": "R1"}

    await bench.report(rows())
    assert {"rows.journal", "rows.created.csv"} == {path.name for path in tmp_path.iterdir()}
