"""The journal while rows are planned: problems, duplicates, matches."""

import asyncio
import threading
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

from homebox_async.errors import Problem
from homebox_async.importer import store
from homebox_async.importer.journal import Journal, JournalError, Planned, State

from .journals import FACTS, counted, planned

# --- planning


async def test_plan_problems(tmp_path: Path) -> None:
    """Rows with problems are rejected with all of them, texts that SQLite cannot hold included."""
    problems = [Problem("row", "is \ud800", "mend"), Problem("address.city", "is empty", "fill")]
    async with await Journal.open(tmp_path / "j", **FACTS) as journal:
        await journal.plan(iter([Planned(1, b"d", "", "", problems), Planned(2, b"d", "R", "a|")]))
        assert counted(PENDING=1, REJECTED=1) == await journal.counts()
        (entry,) = [entry async for entry in journal.rows([State.REJECTED])]
    assert ("row, address.city", "row is \\ud800; address.city is empty", "mend; fill") == (
        entry.field,
        entry.error,
        entry.fix,
    )


async def test_plan_progress(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Progress is told in the event loop, over several commits."""
    monkeypatch.setattr(store, "_PLAN_CHUNK", 10)
    monkeypatch.setattr(store, "_PLAN_COMMIT", 2)
    told: list[tuple[int, str]] = []
    async with await Journal.open(tmp_path / "j", **FACTS) as journal:
        await journal.plan(
            planned(journal, 35), lambda n: told.append((n, threading.current_thread().name))
        )
        await journal.flush()
    main = threading.current_thread().name
    assert [(10, main), (20, main), (30, main), (35, main)] == told


async def test_plan_starts_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Planning that failed is not planned, tells its own error, and starts again from zero."""
    monkeypatch.setattr(store, "_PLAN_CHUNK", 2)
    monkeypatch.setattr(store, "_PLAN_COMMIT", 1)

    def failing(journal: Journal) -> Iterator[Planned]:
        yield from planned(journal, 7)
        raise LookupError("mine")

    async with await Journal.open(tmp_path / "j", **FACTS) as journal:
        with pytest.raises(LookupError, match="mine"):
            await journal.plan(failing(journal))
        assert not journal.planned
    async with await Journal.open(tmp_path / "j", **FACTS) as journal:
        assert not journal.planned
        await journal.plan(planned(journal, 3))
    async with await Journal.open(tmp_path / "j", **FACTS) as journal:
        assert journal.planned
        assert counted(PENDING=3) == await journal.counts()


async def test_plan_cancelled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cancelled planning ends soon, and not before its thread has let go of the rows."""
    monkeypatch.setattr(store, "_PLAN_CHUNK", 10)
    ended = threading.Event()
    begun = asyncio.Event()

    def endless() -> Generator[Planned, None, None]:
        number = 0
        try:
            while True:
                number += 1
                yield Planned(number, b"d", f"R{number}", "a|")
        finally:
            ended.set()

    async with await Journal.open(tmp_path / "j", **FACTS) as journal:
        rows = endless()
        task = asyncio.create_task(journal.plan(rows, lambda _: begun.set()))
        await begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        rows.close()  # raises ValueError if the thread were still in it
        assert ended.is_set()
        assert not journal.planned


async def test_plan_number_twice(tmp_path: Path) -> None:
    """A row number that comes twice is refused by the table itself."""
    async with await Journal.open(tmp_path / "j", **FACTS) as journal:
        rows = [Planned(1, b"d", "A", "a|"), Planned(1, b"d", "B", "b|")]
        with pytest.raises(JournalError, match="cannot be read or written"):
            await journal.plan(iter(rows))
        with pytest.raises(JournalError, match="cannot be read or written"):
            await journal.plan(iter(rows))
        with pytest.raises(JournalError, match="cannot be read or written"):
            await journal.close()


async def test_duplicates(tmp_path: Path) -> None:
    """References and addresses that stand more than once are found; rejected rows do not count."""
    rows = [
        Planned(1, b"d", "A", "1|"),
        Planned(2, b"d", "B", "2|"),
        Planned(3, b"d", "A", "1|"),
        Planned(4, b"d", "B", "1|"),
        Planned(5, b"d", "", "", [Problem("row", "is bad", "mend")]),
        Planned(6, b"d", "", "", [Problem("row", "is bad", "mend")]),
        Planned(7, b"d", "C", "2|"),
        Planned(8, b"d", "D", "8|"),
    ]
    async with await Journal.open(tmp_path / "j", **FACTS) as journal:
        await journal.plan(iter(rows))
        assert [("A", [1, 3]), ("B", [2, 4])] == await journal.duplicate_references()
        assert [("A", [1])] == await journal.duplicate_references(limit=1)
        assert (3, [[1, 3, 4], [2, 7]]) == await journal.duplicate_addresses()
        assert (3, [[1]]) == await journal.duplicate_addresses(limit=1)


async def test_no_duplicates(journal: Journal) -> None:
    """Without duplicates there is nothing to tell."""
    assert [] == await journal.duplicate_references()
    assert (0, []) == await journal.duplicate_addresses()


# --- journals that cannot be used


async def test_match(journal: Journal) -> None:
    """What is at the server is noted on pending rows; several properties make a row unknown."""
    await journal.claim([3])
    await journal.match([("R1", 11), ("R2", 22), ("R3", 33), ("R99", 99)])
    await journal.match([("R1", 11), ("R2", 23), ("R2", 24), ("R4", 0)])
    first, second = await journal.matched(after=0, size=1), await journal.matched(after=1, size=9)
    assert [(1, 11), (4, 0)] == [(e.number, e.id) for e in first + second]
    assert counted(PENDING=8, INFLIGHT=1, UNKNOWN=1) == await journal.counts()


async def test_reject_repeats(tmp_path: Path) -> None:
    """Rows whose generated reference an earlier row has are rejected; other ones stay."""
    rows = [Planned(n, b"d", ref, "a|") for n, ref in enumerate(["x-1", "A", "x-1", "A", "x-1"], 1)]
    async with await Journal.open(tmp_path / "j", **FACTS) as journal:
        await journal.plan(iter(rows))
        assert [("A", [2, 4])] == await journal.duplicate_references(but="x-")
        for _ in range(2):
            await journal.reject_repeats("x-")
            assert counted(PENDING=3, REJECTED=2) == await journal.counts()
        rejected = [entry async for entry in journal.rows([State.REJECTED])]
        assert [(3, "is the same home as row 1"), (5, "is the same home as row 1")] == [
            (entry.number, entry.error) for entry in rejected
        ]
