"""Journals whose log or name is not what it was."""

from pathlib import Path

import pytest

from homebox_async.importer.journal import Journal, JournalError

from .journals import FACTS, counted, planned


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
