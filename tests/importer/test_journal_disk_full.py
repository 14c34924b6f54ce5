"""The journal when SQLite fails: full disks, failures at the end."""

import asyncio
import re
from pathlib import Path

import pytest

from homebox_async.importer.journal import Journal, JournalError, Reader, State

from .journals import FACTS, counted, planned


def _fill(reader: Reader) -> None:
    ((pages,),) = reader.connection.execute("PRAGMA page_count")
    reader.connection.execute(f"PRAGMA max_page_count={pages}")


async def test_disk_full(tmp_path: Path) -> None:
    """A full disk fails every waiter and every later write; what was durable can be read."""
    journal = await Journal.open(tmp_path / "j", **FACTS)
    await journal.plan(planned(journal, 100))
    await journal.claim([1, 2])
    await journal.take(_fill)
    for number in range(1, 101):
        journal.record(number, State.REJECTED, error="x" * 5000)
    results = await asyncio.gather(journal.flush(), journal.claim([50]), return_exceptions=True)
    full = r"j: the journal cannot be read or written \(database or disk is full\); make room"
    for result in results:
        assert isinstance(result, JournalError)
    with pytest.raises(JournalError, match=full):
        await journal.flush()
    assert counted(PENDING=98, INFLIGHT=2) == await journal.counts()
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
