"""Runs whose journal, source or disk fails them."""

import asyncio
import csv
import os
import sqlite3
from typing import Any

import pytest

from homebox_async.emulator import Fault
from homebox_async.errors import ConfigurationError
from homebox_async.importer import JournalError, ResultsError, SourceError, State, engine
from homebox_async.importer.journal import Reader

from .running import finish, journal_counts, until


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
    monkeypatch.setattr(engine, "AT_ONCE", 64)
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
    counts = await journal_counts(bench)
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
