"""The journal: planning, states, duplicates, group commit, and every way in which it can fail."""

import asyncio
import gc
import os
import re
import sqlite3
import stat
import threading
import time
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import pytest

from homebox_async.errors import Problem
from homebox_async.importer import store
from homebox_async.importer.journal import Entry, Journal, JournalError, Planned, Reader, State

FACTS = {"kind": "properties", "fingerprint": "f1", "target": "https://example.test a1"}


def planned(journal: Journal, count: int, start: int = 1) -> Iterator[Planned]:
    """Make rows with a reference and an address of their own."""
    for number in range(start, start + count):
        digest = journal.digest({"ref": f"R{number}"})
        yield Planned(number, digest, f"R{number}", f"{number}|x")


@pytest.fixture
async def journal(tmp_path: Path) -> AsyncIterator[Journal]:
    """Return a journal of ten rows."""
    async with await Journal.open(tmp_path / "j", **FACTS) as journal:
        await journal.plan(planned(journal, 10))
        yield journal


async def states(journal: Journal) -> dict[int, State]:
    """Return the state of every row."""
    return {entry.number: entry.state async for entry in journal.rows(list(State), chunk=3)}


def counted(**counts: int) -> dict[State, int]:
    """Return counts with zeros for the states that are not named."""
    return dict.fromkeys(State, 0) | {State[name]: count for name, count in counts.items()}


# --- rows


async def test_new_journal(tmp_path: Path) -> None:
    """A new journal is not planned, empty, and readable by its owner only."""
    async with await Journal.open(tmp_path / "j", **FACTS) as journal:
        assert not journal.planned
        assert counted() == await journal.counts()
        assert [] == await journal.next_batch(10, after=0)
    assert 0o600 == stat.S_IMODE((tmp_path / "j").stat().st_mode)


async def test_life_of_rows(journal: Journal) -> None:
    """Rows are claimed in order, recorded, and counted in their states."""
    batch = await journal.next_batch(4, after=2)
    assert [3, 4, 5, 6] == [entry.number for entry in batch]
    before = time.time()
    claimed_at = await journal.claim([3, 4, 5, 6])
    assert before <= claimed_at <= time.time()
    assert counted(PENDING=6, INFLIGHT=4) == await journal.counts()
    journal.record(3, State.CREATED, property_id=33)
    journal.record(4, State.ADOPTED, property_id=44)
    journal.record(5, State.REJECTED, field="address.city", error="is wrong", fix="mend it")
    journal.record(6, State.UNKNOWN, error="lost")
    await journal.flush()
    assert counted(PENDING=6, CREATED=1, ADOPTED=1, REJECTED=1, UNKNOWN=1) == await journal.counts()
    assert [1, 2, 6, 7] == [e.number for e in await journal.next_batch(4, after=0)]
    digest = journal.digest({"ref": "R5"})
    assert [
        Entry(5, State.REJECTED, digest, "R5", None, claimed_at, "address.city", "is wrong",
              "mend it")
    ] == await journal.find("R5")  # fmt: skip
    assert [(3, 33), (4, 44)] == [
        (e.number, e.property_id) async for e in journal.rows([State.CREATED, State.ADOPTED])
    ]
    assert [7] == [e.number for e in await journal.find_address("7|x")]
    assert [] == await journal.find("R99")


async def test_unknown_rows_may_be_claimed_again(journal: Journal) -> None:
    """A row that is unknown, or was given back, can be sent again."""
    await journal.claim([1, 2])
    journal.record(1, State.UNKNOWN)
    journal.record(2, State.PENDING)
    assert await journal.claim([1, 2]) > 0


@pytest.mark.parametrize(
    "state", [State.INFLIGHT, State.CREATED, State.ADOPTED, State.REJECTED], ids=lambda s: s.name
)
async def test_no_second_claim(journal: Journal, state: State) -> None:
    """A row that is being sent or is done cannot be claimed, nor those claimed with it."""
    await journal.claim([2])
    journal.record(2, state, property_id=1)
    with pytest.raises(JournalError, match=f"row 2 is {state.name.lower()} and must not be sent"):
        await journal.claim([1, 2, 3])
    assert State.PENDING is (await states(journal))[1]
    assert 9 == (await journal.counts())[State.PENDING]


async def test_done_stays_done(journal: Journal) -> None:
    """A row that was created cannot become anything else; the attempt is raised."""
    await journal.claim([1])
    journal.record(1, State.CREATED, property_id=5)
    journal.record(1, State.CREATED, error="noted")
    await journal.flush()
    ((entry),) = await journal.find("R1")
    assert (5, "noted") == (entry.property_id, entry.error)
    journal.record(1, State.REJECTED)
    with pytest.raises(JournalError, match="row 1 is created and cannot become rejected"):
        await journal.flush()
    with pytest.raises(JournalError, match="row 1 is created"):
        await journal.close()


async def test_unknown_row_number(journal: Journal) -> None:
    """A row that was never planned cannot be claimed."""
    with pytest.raises(JournalError, match="row 11 is not in the journal"):
        await journal.claim([11])


async def test_take(journal: Journal) -> None:
    """A function runs in the journal's thread; what it raises undoes what it did, alone."""

    def claim_two(reader: Reader) -> tuple[str, list[Entry]]:
        entries = reader.next_batch(2, after=0)
        reader.claim([entry.number for entry in entries])
        return threading.current_thread().name, entries

    def fail(reader: Reader) -> None:
        reader.claim([5])
        raise LookupError("mine")

    def stop(reader: Reader) -> None:
        raise StopIteration

    results = await asyncio.gather(
        journal.take(claim_two),
        journal.take(fail),
        journal.take(stop),
        journal.claim([7]),
        return_exceptions=True,
    )
    assert isinstance(results[0], tuple)
    assert "homebox-journal" == results[0][0]
    assert [1, 2] == [entry.number for entry in results[0][1]]
    assert "LookupError('mine')" == repr(results[1])
    assert isinstance(results[2], RuntimeError)
    assert [1, 2, 7] == [n for n, s in (await states(journal)).items() if s is State.INFLIGHT]
    assert counted(PENDING=7, INFLIGHT=3) == await journal.counts()


async def test_group_commit(journal: Journal) -> None:
    """What queues up while the thread is busy is committed at once."""
    statements: list[str] = []
    go = threading.Event()
    await journal.take(lambda reader: reader.connection.set_trace_callback(statements.append))
    busy = asyncio.create_task(journal.take(lambda reader: go.wait(10)))
    await asyncio.sleep(0.05)
    statements.clear()
    rest = [asyncio.create_task(journal.claim([number])) for number in range(1, 11)]
    await asyncio.sleep(0)
    journal.record(1, State.CREATED, property_id=1)
    go.set()
    await asyncio.gather(busy, *rest)
    assert 2 == statements.count("COMMIT")
    assert 9 == (await journal.counts())[State.INFLIGHT]


async def test_cancelled_waiter(journal: Journal) -> None:
    """A cancelled call does not disturb the others, and the row is not thought unsent."""
    task = asyncio.create_task(journal.claim([1]))
    await asyncio.sleep(0)
    task.cancel()
    await journal.flush()
    assert State.INFLIGHT is (await states(journal))[1]


async def test_digests_are_salted(tmp_path: Path) -> None:
    """The same cells have another digest in every journal, and other cells in the same one."""
    async with (
        await Journal.open(tmp_path / "a", **FACTS) as one,
        await Journal.open(tmp_path / "b", **FACTS) as other,
    ):
        assert one.digest({"a": "x"}) == one.digest({"b": "x"})
        digests = {
            one.digest({"a": "x"}),
            other.digest({"a": "x"}),
            one.digest({"a": "x", "b": ""}),
            one.digest({"a": "x', '"}),
            one.digest({"a": "\ud800"}),
        }
        assert 5 == len(digests)


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


# --- reopening and closing


async def test_reopened(tmp_path: Path) -> None:
    """What was recorded is there again; what was being sent is unknown."""
    async with await Journal.open(tmp_path / "j", **FACTS) as journal:
        await journal.plan(planned(journal, 3))
        await journal.claim([1, 2])
        journal.record(1, State.CREATED, property_id=9)
        digest = journal.digest({"a": "b"})
    async with await Journal.open(str(tmp_path / "j"), **FACTS) as journal:
        assert journal.planned
        assert digest == journal.digest({"a": "b"})
        assert {1: State.CREATED, 2: State.UNKNOWN, 3: State.PENDING} == await states(journal)
        (entry,) = await journal.find("R2")
        assert "the import stopped before the answer came" == entry.error
        assert entry.claimed_at is not None
    assert ["j"] == [path.name for path in tmp_path.iterdir()]


async def test_closed(journal: Journal) -> None:
    """A closed journal can be closed again, and says so to everything else."""
    await journal.close()
    await journal.close()
    with pytest.raises(JournalError, match="the journal is closed; open it again"):
        await journal.counts()
    with pytest.raises(JournalError, match="the journal is closed"):
        journal.record(1, State.CREATED)


async def test_unclosed_journal_ends_its_thread(tmp_path: Path) -> None:
    """A journal that is dropped lets go of its file."""
    journal = await Journal.open(tmp_path / "j", **FACTS)
    worker = journal._worker
    del journal
    gc.collect()
    await asyncio.to_thread(worker.join, 10)
    assert not worker.is_alive()
    await (await Journal.open(tmp_path / "j", **FACTS)).close()


def test_loop_that_ended(tmp_path: Path) -> None:
    """A thread whose loop is gone ends without a word."""
    errors: list[Any] = []
    before, threading.excepthook = threading.excepthook, errors.append

    async def leave() -> threading.Thread:
        journal = await Journal.open(tmp_path / "j", **FACTS)
        asyncio.get_running_loop().create_task(journal.take(lambda reader: time.sleep(0.2)))
        await asyncio.sleep(0.01)
        return journal._worker

    try:
        worker = asyncio.run(leave())
        gc.collect()
        worker.join(10)
    finally:
        threading.excepthook = before
    assert not worker.is_alive()
    assert [] == errors


# --- journals that cannot be used


def _text(path: Path) -> None:
    path.write_text("row,error\n" * 500)


def _other_database(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE notes (a)")
    connection.close()


def _version(number: int) -> Callable[[Path], None]:
    def change(path: Path) -> None:
        asyncio.run(_made(path))
        with sqlite3.connect(path) as connection:
            connection.execute(f"PRAGMA user_version={number}")
        connection.close()

    return change


def _damaged(path: Path) -> None:
    asyncio.run(_made(path))
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * 12_000)


def _cut(path: Path) -> None:
    asyncio.run(_made(path))
    os.truncate(path, 5000)


async def _made(path: Path) -> None:
    async with await Journal.open(path, **FACTS) as journal:
        await journal.plan(planned(journal, 300))


@pytest.mark.parametrize(
    ("make", "error"),
    [
        (_text, "is not a journal of homebox_async; give another --journal"),
        (_other_database, "is not a journal of homebox_async"),
        (_version(99), "written by a newer homebox_async; upgrade"),
        (_version(0), "written by an older homebox_async; finish"),
        (_damaged, "the journal is damaged; restore it"),
        (_cut, "the journal is damaged; restore it"),
        (Path.mkdir, "is a folder; give the journal a file name"),
    ],
    ids=["text", "other-database", "newer", "older", "damaged", "cut", "folder"],
)
def test_not_usable(tmp_path: Path, make: Callable[[Path], None], error: str) -> None:
    """A file that is no usable journal is refused in one line, and left as it is."""
    path = tmp_path / "j"
    make(path)
    before = path.read_bytes() if path.is_file() else b""
    with pytest.raises(JournalError, match=error) as caught:
        asyncio.run(Journal.open(path, **FACTS))  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith(f"{path}: ")
    assert before == (path.read_bytes() if path.is_file() else b"")


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"kind": "leads"}, "journal of an import of properties, not of leads"),
        ({"target": "elsewhere"}, "into another account or server; use that one's API key"),
        ({"fingerprint": "f2"}, "changed since this journal was written; .* another --journal"),
    ],
    ids=["kind", "target", "fingerprint"],
)
async def test_other_import(
    journal: Journal, change: dict[str, str], error: str, tmp_path: Path
) -> None:
    """A journal of another input, account or kind is refused, each with what to do."""
    await journal.claim([1])
    await journal.close()
    with pytest.raises(JournalError, match=error):
        await Journal.open(tmp_path / "j", **{**FACTS, **change})


@pytest.mark.parametrize("change", [{"kind": "leads"}, {"target": "elsewhere"}], ids=str)
async def test_other_import_before_anything_is_sent(
    journal: Journal, change: dict[str, str], tmp_path: Path
) -> None:
    """Another account or kind is refused even where nothing was sent."""
    await journal.close()
    with pytest.raises(JournalError):
        await Journal.open(tmp_path / "j", **{**FACTS, **change})


async def test_changed_input_before_anything_is_sent(journal: Journal, tmp_path: Path) -> None:
    """As long as nothing was sent, a changed input is planned anew in the same journal."""
    journal.record(2, State.REJECTED, error="no")
    await journal.match([("R1", 5)])
    await journal.set_compared()
    await journal.close()
    changed = {**FACTS, "fingerprint": "f2"}
    async with await Journal.open(tmp_path / "j", **changed) as journal:
        assert (False, False) == (journal.planned, journal.compared)
        await journal.plan(planned(journal, 3))
        assert counted(PENDING=3) == await journal.counts()
    async with await Journal.open(tmp_path / "j", **changed) as journal:
        assert journal.planned
        await journal.claim([1])
    with pytest.raises(JournalError, match="changed since this journal was written"):
        await Journal.open(tmp_path / "j", **FACTS)


@pytest.mark.parametrize(
    "state", [State.PENDING, State.UNKNOWN, State.CREATED, State.REJECTED], ids=lambda s: s.name
)
async def test_changed_input_after_a_claim(journal: Journal, tmp_path: Path, state: State) -> None:
    """Once a row was claimed, whatever became of it, a changed input is refused."""
    assert not await journal.touched()
    await journal.claim([4])
    journal.record(4, state)
    assert await journal.touched()
    await journal.close()
    with pytest.raises(JournalError, match="changed since this journal was written"):
        await Journal.open(tmp_path / "j", **{**FACTS, "fingerprint": "f2"})


async def test_changed_input_after_an_adoption(journal: Journal, tmp_path: Path) -> None:
    """Once a row was adopted, a changed input is refused."""
    journal.record(4, State.ADOPTED, property_id=4)
    await journal.close()
    with pytest.raises(JournalError, match="changed since this journal was written"):
        await Journal.open(tmp_path / "j", **{**FACTS, "fingerprint": "f2"})


async def test_match(journal: Journal) -> None:
    """What is at the server is noted on pending rows; several properties make a row unknown."""
    await journal.claim([3])
    await journal.match([("R1", 11), ("R2", 22), ("R3", 33), ("R99", 99)])
    await journal.match([("R1", 11), ("R2", 23), ("R2", 24), ("R4", 0)])
    first, second = await journal.matched(after=0, size=1), await journal.matched(after=1, size=9)
    assert [(1, 11), (4, 0)] == [(e.number, e.property_id) for e in first + second]
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


async def test_cancelled_opening(tmp_path: Path) -> None:
    """A journal whose opening is cancelled is let go of."""
    before = set(threading.enumerate())
    task = asyncio.create_task(Journal.open(tmp_path / "j", **FACTS))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    for thread in set(threading.enumerate()) - before:
        await asyncio.to_thread(thread.join, 10)
    await (await Journal.open(tmp_path / "j", **FACTS)).close()


async def test_missing_folder(tmp_path: Path) -> None:
    """A journal in a folder that is not there names the path."""
    with pytest.raises(JournalError, match=r"no/j: the journal cannot be opened \(No such file"):
        await Journal.open(tmp_path / "no" / "j", **FACTS)


async def test_locked_in_this_process(journal: Journal, tmp_path: Path) -> None:
    """A journal that is open cannot be opened again."""
    with pytest.raises(JournalError, match="another import is using this journal; wait for it"):
        await Journal.open(tmp_path / "j", **FACTS)


async def _abandoned(folder: Path, name: str = "j") -> Path:
    """Leave a journal, with or without its log, as a kill after two claims leaves it."""
    async with await Journal.open(folder / "first", **FACTS) as journal:
        await journal.plan(planned(journal, 10))
        await journal.claim([1, 2])
        (folder / name).write_bytes((folder / "first").read_bytes())
        (folder / f"{name}-wal").write_bytes((folder / "first-wal").read_bytes())
    return folder / name


async def test_lost_log(tmp_path: Path) -> None:
    """A journal that was not closed and has no log any more knows nothing of its rows."""
    path = await _abandoned(tmp_path)
    Path(f"{path}-wal").unlink()
    async with await Journal.open(path, **FACTS) as journal:
        assert counted(UNKNOWN=10) == await journal.counts()
        assert await journal.touched()
        ((entry),) = await journal.find("R7")
        assert "without its log (-wal)" in entry.error


async def test_log_that_is_there(tmp_path: Path) -> None:
    """A journal that was not closed and has its log is not in doubt."""
    path = await _abandoned(tmp_path)
    for _ in range(2):
        async with await Journal.open(path, **FACTS) as journal:
            assert counted(PENDING=8, UNKNOWN=2) == await journal.counts()


async def test_refused_journal_is_not_in_doubt(tmp_path: Path) -> None:
    """A journal that was not closed, and refused since, still knows what it knew."""
    path = await _abandoned(tmp_path)
    with pytest.raises(JournalError, match="changed since this journal was written"):
        await Journal.open(path, **{**FACTS, "fingerprint": "f2"})
    async with await Journal.open(path, **FACTS) as journal:
        assert counted(PENDING=8, UNKNOWN=2) == await journal.counts()


async def test_lost_log_before_the_plan(tmp_path: Path) -> None:
    """A journal that lost its log before anything was planned begins anew, without a doubt."""
    journal = await Journal.open(tmp_path / "j", **FACTS)
    (tmp_path / "k").write_bytes((tmp_path / "j").read_bytes())
    await journal.close()
    async with await Journal.open(tmp_path / "k", **FACTS) as journal:
        assert not journal.planned
        assert counted() == await journal.counts()


async def test_hard_link(journal: Journal, tmp_path: Path) -> None:
    """A journal with two names is refused by each of them."""
    await journal.close()
    (tmp_path / "other").hardlink_to(tmp_path / "j")
    for name in ("j", "other"):
        with pytest.raises(JournalError, match=f"{name}: has a second name"):
            await Journal.open(tmp_path / name, **FACTS)
    (tmp_path / "other").unlink()
    await (await Journal.open(tmp_path / "j", **FACTS)).close()


async def test_deleted_meanwhile(journal: Journal, tmp_path: Path) -> None:
    """No row is claimed in a journal that is not where it was."""
    (tmp_path / "j").unlink()
    with pytest.raises(JournalError, match="was deleted or replaced while its import was running"):
        await journal.claim([1])


async def test_interrupted_creation(tmp_path: Path) -> None:
    """A file that a run left before it wrote anything is a new journal."""
    connection = sqlite3.connect(tmp_path / "j")
    connection.execute("PRAGMA journal_mode=WAL")
    connection.close()
    async with await Journal.open(tmp_path / "j", **FACTS) as journal:
        assert not journal.planned


# --- disk full


def _fill(reader: Reader) -> None:
    ((pages,),) = reader.connection.execute("PRAGMA page_count")
    reader.connection.execute(f"PRAGMA max_page_count={pages}")


async def test_disk_full(tmp_path: Path) -> None:
    """A full disk fails every waiter and every later call, and what was durable stays."""
    journal = await Journal.open(tmp_path / "j", **FACTS)
    await journal.plan(planned(journal, 100))
    await journal.claim([1, 2])
    await journal.take(_fill)
    for number in range(1, 101):
        journal.record(number, State.REJECTED, error="x" * 5000)
    results = await asyncio.gather(
        journal.flush(), journal.claim([50]), journal.counts(), return_exceptions=True
    )
    full = r"j: the journal cannot be read or written \(database or disk is full\); make room"
    for result in results:
        assert isinstance(result, JournalError)
    with pytest.raises(JournalError, match=full):
        await journal.counts()
    with pytest.raises(JournalError, match=full):
        await journal.plan(iter([]))
    with pytest.raises(JournalError, match=full):
        await journal.close()
    async with await Journal.open(tmp_path / "j", **FACTS) as journal:
        assert counted(PENDING=98, UNKNOWN=2) == await journal.counts()


async def test_disk_full_in_a_job(journal: Journal) -> None:
    """A job on which SQLite fails takes the journal with it."""
    with pytest.raises(JournalError, match="cannot be read or written"):
        await journal.take(lambda reader: reader.connection.execute("SELECT * FROM nowhere"))
    with pytest.raises(JournalError, match="cannot be read or written"):
        await journal.close()


async def test_disk_full_while_planning(tmp_path: Path) -> None:
    """A full disk while planning is told, and the journal is not planned."""
    journal = await Journal.open(tmp_path / "j", **FACTS)
    await journal.take(_fill)
    with pytest.raises(JournalError, match="make room"):
        await journal.plan(planned(journal, 10_000))
    with pytest.raises(JournalError, match="make room"):
        await journal.close()
    async with await Journal.open(tmp_path / "j", **FACTS) as journal:
        assert not journal.planned


@pytest.mark.parametrize(
    ("own", "expected"),
    [
        (None, "JournalError('row 1 is not in the journal; .*')"),
        (LookupError("mine"), "LookupError('mine')"),
    ],
    ids=["block-ends", "block-fails"],
)
async def test_failure_at_close(tmp_path: Path, own: Exception | None, expected: str) -> None:
    """A write that nobody waited for is raised when the block ends, unless it fails itself."""

    async def block() -> None:
        async with await Journal.open(tmp_path / "j", **FACTS) as journal:
            journal.record(1, State.CREATED)
            if own is not None:
                raise own

    with pytest.raises((JournalError, LookupError)) as caught:
        await block()
    assert re.fullmatch(expected.replace("(", r"\(").replace(")", r"\)"), repr(caught.value))
