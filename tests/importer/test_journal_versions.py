"""Journals of version 2, and how often each row was sent."""

import sqlite3
from pathlib import Path
from typing import Any

import pytest

from homebox_async.emulator import Fault
from homebox_async.importer.journal import Journal, State

from .journals import FACTS, planned

_VERSION_2 = """
    CREATE TABLE old (
        number INTEGER PRIMARY KEY, state INTEGER NOT NULL, digest BLOB NOT NULL,
        reference TEXT NOT NULL, address BLOB, property_id INTEGER, claimed_at REAL,
        field TEXT NOT NULL DEFAULT '', error TEXT NOT NULL DEFAULT '',
        fix TEXT NOT NULL DEFAULT '');
    INSERT INTO old SELECT number, state, digest, reference, address, property_id, claimed_at,
        field, error, fix FROM rows;
    DROP TABLE rows;
    ALTER TABLE old RENAME TO rows;
    CREATE INDEX by_reference ON rows (reference);
    CREATE INDEX by_address ON rows (address) WHERE address IS NOT NULL;
    DELETE FROM meta WHERE name NOT IN ('kind', 'fingerprint', 'target', 'salt', 'planned',
        'compared', 'running', 'confirmed');
    PRAGMA user_version=2;
"""


def as_version_2(path: Path) -> None:
    """Make a journal what version 2 of it was."""
    connection = sqlite3.connect(path)
    connection.executescript(_VERSION_2)
    connection.close()


def version(path: Path) -> int:
    """Return the version of a journal."""
    connection = sqlite3.connect(path)
    ((number,),) = connection.execute("PRAGMA user_version")
    connection.close()
    return int(number)


async def sends(journal: Journal) -> dict[int, int]:
    """Return how often each row was sent, without those that were not."""
    return {entry.number: entry.sends async for entry in journal.rows(list(State)) if entry.sends}


async def test_sends_are_counted(journal: Journal) -> None:
    """Each claim counts, unless the row was certainly not sent."""
    await journal.claim([1, 2, 3])
    journal.record(1, State.UNKNOWN)
    journal.record(2, State.PENDING, unsent=True)
    await journal.claim([1, 2])
    assert {1: 2, 2: 1, 3: 1} == await sends(journal)


async def test_sends_are_kept(journal: Journal, tmp_path: Path) -> None:
    """What was claimed counts in the next run, too."""
    await journal.claim([1])
    await journal.close()
    async with await Journal.open(tmp_path / "j", **FACTS) as journal:
        assert {1: 1} == await sends(journal)
        assert 2 == journal.address_rule


async def test_version_2(journal: Journal, tmp_path: Path) -> None:
    """A journal of version 2 is taken over: its rows, and the address rule that made them."""
    await journal.claim([1, 2])
    journal.record(1, State.CREATED, id=11)
    await journal.close()
    as_version_2(tmp_path / "j")
    for _ in range(2):
        async with await Journal.open(tmp_path / "j", **FACTS) as journal:
            assert 1 == journal.address_rule
            assert {1: 1, 2: 1} == await sends(journal)
            (entry,) = await journal.find("R1")
            assert (State.CREATED, 11) == (entry.state, entry.id)
    assert 3 == version(tmp_path / "j")


async def test_version_2_planned_again(journal: Journal, tmp_path: Path) -> None:
    """A journal of version 2 that nothing was sent from takes a changed input by today's rule."""
    await journal.close()
    as_version_2(tmp_path / "j")
    changed = {**FACTS, "fingerprint": "f2"}
    async with await Journal.open(tmp_path / "j", **changed) as journal:
        assert (False, 2) == (journal.planned, journal.address_rule)
        await journal.plan(planned(journal, 3))


async def test_version_2_is_finished(bench: Any) -> None:
    """An import that was begun with version 2 is finished: each row is there once."""
    bench.write(6)
    bench.script(None, Fault("500-after"), Fault("status", 401))
    first = await bench.report(concurrency=1)
    assert first.pending
    as_version_2(first.journal)
    assert (await bench.report()).done
    assert bench.expected(6) == bench.references


@pytest.mark.parametrize("runs", [1, 3], ids=["one-run", "three-runs"])
async def test_limit_over_all_runs(bench: Any, runs: int) -> None:
    """A row that never gets an answer is sent five times in all, however often it is run."""
    bench.write(1)
    bench.script(*[Fault("html500")] * 20)
    for _ in range(runs):
        report = await bench.report()
        assert 1 == report.unknown
    assert 5 == bench.posts
