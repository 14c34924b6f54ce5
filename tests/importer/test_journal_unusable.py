"""Journals that cannot be used, or are of another import."""

import asyncio
import os
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from homebox_async.importer.journal import Journal, JournalError, State

from .journals import FACTS, counted, planned


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
    journal.record(4, State.ADOPTED, id=4)
    await journal.close()
    with pytest.raises(JournalError, match="changed since this journal was written"):
        await Journal.open(tmp_path / "j", **{**FACTS, "fingerprint": "f2"})


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


async def test_interrupted_creation(tmp_path: Path) -> None:
    """A file that a run left before it wrote anything is a new journal."""
    connection = sqlite3.connect(tmp_path / "j")
    connection.execute("PRAGMA journal_mode=WAL")
    connection.close()
    async with await Journal.open(tmp_path / "j", **FACTS) as journal:
        assert not journal.planned
