"""The journal: rows, states, group commit, opening and closing."""

import asyncio
import gc
import stat
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from homebox_async.importer.journal import Entry, Journal, JournalError, Reader, State

from .journals import FACTS, counted, planned


async def states(journal: Journal) -> dict[int, State]:
    """Return the state of every row."""
    return {entry.number: entry.state async for entry in journal.rows(list(State), chunk=3)}


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
    journal.record(3, State.CREATED, id=33)
    journal.record(4, State.ADOPTED, id=44)
    journal.record(5, State.REJECTED, field="address.city", error="is wrong", fix="mend it")
    journal.record(6, State.UNKNOWN, error="lost")
    await journal.flush()
    assert counted(PENDING=6, CREATED=1, ADOPTED=1, REJECTED=1, UNKNOWN=1) == await journal.counts()
    assert [1, 2, 6, 7] == [e.number for e in await journal.next_batch(4, after=0)]
    digest = journal.digest({"ref": "R5"})
    assert [
        Entry(5, State.REJECTED, digest, "R5", None, claimed_at, 1, "address.city", "is wrong",
              "mend it")
    ] == await journal.find("R5")  # fmt: skip
    assert [(3, 33), (4, 44)] == [
        (e.number, e.id) async for e in journal.rows([State.CREATED, State.ADOPTED])
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
    journal.record(2, state, id=1)
    with pytest.raises(JournalError, match=f"row 2 is {state.name.lower()} and must not be sent"):
        await journal.claim([1, 2, 3])
    assert State.PENDING is (await states(journal))[1]
    assert 9 == (await journal.counts())[State.PENDING]


async def test_done_stays_done(journal: Journal) -> None:
    """A row that was created cannot become anything else; the attempt is raised."""
    await journal.claim([1])
    journal.record(1, State.CREATED, id=5)
    journal.record(1, State.CREATED, error="noted")
    await journal.flush()
    ((entry),) = await journal.find("R1")
    assert (5, "noted") == (entry.id, entry.error)
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
    journal.record(1, State.CREATED, id=1)
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


# --- reopening and closing


async def test_reopened(tmp_path: Path) -> None:
    """What was recorded is there again; what was being sent is unknown."""
    async with await Journal.open(tmp_path / "j", **FACTS) as journal:
        await journal.plan(planned(journal, 3))
        await journal.claim([1, 2])
        journal.record(1, State.CREATED, id=9)
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
