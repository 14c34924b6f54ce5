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
    with pytest.raises(JournalError, match="make room on its disk") as caught:
        await task
    assert bench.posts < 800
    report = started.report
    assert (800, report.stopped) == (
        report.created + report.unknown + report.pending,
        str(caught.value),
    )
    assert report.created <= bench.posts <= report.created + report.unknown
    assert caught.value.__notes__[-1].startswith(f"{bench.posts} requests were sent before;")
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
    with pytest.raises(SourceError, match="line 5 changed while it was imported"):
        await asyncio.wait_for(started.wait(), 5)
    assert 0 == bench.posts
    assert path.exists()


async def test_results_cannot_be_written(bench: Any) -> None:
    """When the result files cannot be written, that is told, and so is what was done."""
    bench.write(3)
    places = {"results": bench.folder / "away", "journal": bench.folder / "j"}
    started = bench.start(**places)
    with pytest.raises(ResultsError, match=r"portfolio.created.csv: cannot be written"):
        await started
    assert (3, {}) == (started.report.created, started.report.files)
    places["results"].mkdir()
    report = await bench.report(**places)
    assert (3, 0, ["created"]) == (report.created, report.sent, list(report.files))


async def test_results_are_made_anew(bench: Any) -> None:
    """Result files that were lost or changed are there after another run, beside the changed."""
    bench.write(30, ["1 High St,,LS1 1AA,X1"])
    files = (await bench.report()).files
    before = {kind: path.read_bytes() for kind, path in files.items()}
    files["created"].unlink()
    files["rejects"].write_text("what?")
    report = await bench.report()
    assert before == {kind: path.read_bytes() for kind, path in report.files.items()}
    assert "what?" == files["rejects"].read_text()
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


async def test_two_inputs_of_one_name(bench: Any) -> None:
    """The ids of one input are not overwritten by another one with its name."""
    bench.write(3)
    first = await bench.report()
    other = bench.folder / "b" / "portfolio.csv"
    other.parent.mkdir()
    other.write_text(bench.path.read_text().replace("R", "S"))
    second = await bench.report(other, journal=bench.folder / "other.journal")
    tabs = bench.folder / "portfolio.tsv"
    tabs.write_text("line1\tcity\tpostcode\tref\n9 Low Road\tLeeds\tLS1 1AA\tT1\n")
    third = await bench.report(tabs, journal=bench.folder / "third.journal")
    names = ["portfolio.created.csv", "portfolio.created.2.csv", "portfolio.created.3.csv"]
    reports = [first, second, third]
    assert names == [report.files["created"].name for report in reports]
    texts = [report.files["created"].read_text() for report in reports]
    again = await bench.report(other, journal=bench.folder / "other.journal")
    assert second.files == again.files
    assert texts == [report.files["created"].read_text() for report in reports]
    for text, reference in zip(texts, ("R1", "S1", "T1"), strict=True):
        assert f",{reference}," in text


async def test_rejects_of_two_inputs_of_one_name(bench: Any) -> None:
    """A journal that plans another input leaves the rejects of the first."""
    bench.write(lines=["1 High St,,LS1 1AA,X1"])
    first = await bench.report()
    other = bench.folder / "b" / "portfolio.csv"
    other.parent.mkdir()
    other.write_text(bench.path.read_text().replace("X1", "Y1"))
    second = await bench.report(other)
    assert first.files["rejects"] != second.files["rejects"]
    assert [",X1,", ",Y1,"] == [
        reference
        for report, reference in ((first, ",X1,"), (second, ",Y1,"))
        if reference in report.files["rejects"].read_text()
    ]


async def test_corrected_input(bench: Any) -> None:
    """An input that is corrected in its place replaces its own rejects."""
    bench.write(lines=["1 High St,,LS1 1AA,X1", "2 High St,,LS1 1AA,X2"])
    first = await bench.report()
    bench.write(lines=["1 High St,,LS1 1AA,X1", "2 High St,Leeds,LS1 1AA,X2"])
    second = await bench.report()
    assert (1, 1) == (second.created, second.rejected)
    assert first.files["rejects"] == second.files["rejects"]
