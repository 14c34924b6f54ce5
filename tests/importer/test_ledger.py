"""The ledger by itself: who may send what, and what is kept of it."""

import asyncio
import datetime as dt
import os
import sqlite3
import stat
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from homebox_async.importer import ledger_place, ledger_store
from homebox_async.importer.ledger import (
    Claim,
    Known,
    Ledger,
    LedgerError,
    Outcome,
    Said,
    Standing,
    Ticket,
)

ACCOUNT = "https://sandbox.example account P-1"
HOME = Said(keys=("ref H-1",), home="at ls11aa 1 high st", content="at ls11aa 1 high st")


@pytest.fixture
async def ledger(tmp_path: Path) -> AsyncIterator[Ledger]:
    """Return an empty ledger."""
    made = await Ledger.open(ACCOUNT, folder=tmp_path)
    yield made
    await made.close()


async def claimed(ledger: Ledger, said: Said = HOME, *, seen: int = 0, row: int = 1) -> Ticket:
    """Claim a row and return the ticket."""
    [ticket] = await ledger.claim("properties", "a.journal", [Claim(row, said, seen)])
    assert isinstance(ticket, Ticket)
    return ticket


async def known(ledger: Ledger, said: Said = HOME) -> Known:
    """Return what is known of a row."""
    [found] = await ledger.look("properties", [said])
    assert found is not None
    return found


async def test_claim_held(ledger: Ledger, tmp_path: Path) -> None:
    """What one import has claimed, another one cannot claim, and sees where it was claimed."""
    await claimed(ledger)
    other = await Ledger.open(ACCOUNT, folder=tmp_path)
    [held] = await other.claim("properties", "b.journal", [Claim(9, HOME)])
    await other.close()
    assert isinstance(held, Known)
    assert (Standing.CLAIMED, "a.journal", 1, True) == (
        *(held.state, held.journal, held.row, held.same),
    )


@pytest.mark.parametrize(
    ("state", "free"),
    [
        (Standing.CREATED, False),
        (Standing.MATCHED, False),
        (Standing.UNKNOWN, False),
        (Standing.REJECTED, True),
        (Standing.NOT_SENT, True),
    ],
    ids=lambda value: getattr(value, "name", str(value)).lower(),
)
async def test_claim_after_outcome(ledger: Ledger, state: Standing, free: bool) -> None:
    """A row may be claimed again only where it is certain that nothing is there of it."""
    ledger.record(Outcome(await claimed(ledger), state, 7 if state.is_done else None))
    [again] = await ledger.claim("properties", "b.journal", [Claim(1, HOME)])
    assert isinstance(again, Ticket) is free
    if not free:
        assert isinstance(again, Known)
        assert (state, 7 if state.is_done else None) == (again.state, again.id)


async def test_claim_after_a_look_up(ledger: Ledger) -> None:
    """Whoever has looked a claim up may take it over; of two who have, only one."""
    first = await claimed(ledger)
    second = await claimed(ledger, seen=first.claim)
    [late] = await ledger.claim("properties", "c.journal", [Claim(1, HOME, first.claim)])
    assert isinstance(late, Known)
    assert (ledger.holds(first), ledger.holds(second)) == (False, True)


async def test_not_sent_after_all(ledger: Ledger) -> None:
    """A row that was sent before and not sent this time is as unknown as it was."""
    first = await claimed(ledger)
    second = await claimed(ledger, seen=first.claim)
    ledger.record(Outcome(second, Standing.NOT_SENT))
    await ledger.run(lambda store: None)
    assert Standing.UNKNOWN is (await known(ledger)).state


async def test_outcome_of_one_who_was_fenced(ledger: Ledger) -> None:
    """That something was created is kept, whoever holds the claim; doubts of others are not."""
    first = await claimed(ledger)
    await claimed(ledger, seen=first.claim)
    ledger.record(Outcome(first, Standing.NOT_SENT))
    assert Standing.CLAIMED is (await known(ledger)).state
    ledger.record(Outcome(first, Standing.CREATED, 5))
    assert (Standing.CREATED, 5) == (await known(ledger))[2:7:3]


async def test_done_stays_done(ledger: Ledger) -> None:
    """What is known to be there does not become unknown."""
    ticket = await claimed(ledger)
    ledger.record(Outcome(ticket, Standing.CREATED, 5, 6))
    ledger.record(Outcome(ticket, Standing.UNKNOWN))
    found = await known(ledger)
    assert (Standing.CREATED, 5, 6) == (found.state, found.id, found.tenancy_id)


async def test_same_key_other_content(ledger: Ledger) -> None:
    """A row with the key of another home is not that home."""
    await claimed(ledger)
    other = Said(keys=HOME.keys, home="x", content="at ls11aa 2 high st")
    assert (False, True) == ((await known(ledger, other)).same, (await known(ledger)).same)


async def test_one_of_several_keys(ledger: Ledger) -> None:
    """A lead that shares one tenant is the same lead; the kinds do not meet."""
    lead = Said(keys=("h d 1", "h d 2"), home="h", tenants=("1", "2"))
    other = Said(keys=("h d 2", "h d 3"), home="h", tenants=("2", "3"))
    await ledger.claim("leads", "a.journal", [Claim(1, lead)])
    assert [None] == await ledger.look("voids", [other])
    [held] = await ledger.claim("leads", "b.journal", [Claim(1, other)])
    assert isinstance(held, Known)


async def test_many_rows_at_once(ledger: Ledger) -> None:
    """Rows beyond what one query takes are found all the same."""
    rows = [Said(keys=(f"ref {n}", f"other {n}"), home=f"{n}") for n in range(500)]
    await ledger.claim("properties", "a.journal", [Claim(n, said) for n, said in enumerate(rows)])
    assert list(range(500)) == [one and one.row for one in await ledger.look("properties", rows)]


async def test_nothing_in_clear(ledger: Ledger, tmp_path: Path) -> None:
    """Neither the ledger nor its log holds what a row says, but for its dates."""
    said = Said(
        keys=("zebra street",),
        home="zebra street",
        content="zebra street",
        tenancy="zebra street 2026-01-02",
        tenants=("+447911zebra",),
        starts=dt.date(2026, 1, 2),
        ends=dt.date(2026, 7, 2),
    )
    await claimed(ledger, said)
    kept = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert b"zebra" not in kept
    assert b"2026-01-02" in kept
    assert b"2026-07-02" in kept


@pytest.mark.skipif(os.name == "nt", reason="Windows has no modes")
async def test_private(ledger: Ledger, tmp_path: Path) -> None:
    """The ledger and its key are for their owner only."""
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    assert {0o600} == set(modes.values()), modes


async def test_other_key(ledger: Ledger, tmp_path: Path) -> None:
    """With another key nothing would be recognised: that is said, not passed over."""
    (tmp_path / "ledger.key").write_bytes(b"k" * 32)
    with pytest.raises(LedgerError, match=r"another key .* restore the key file"):
        await Ledger.open(ACCOUNT, folder=tmp_path)


@pytest.mark.parametrize("content", [b"", b"short"], ids=["empty", "short"])
async def test_damaged_key(tmp_path: Path, content: bytes) -> None:
    """A key that is no key is refused by name."""
    (tmp_path / "ledger.key").write_bytes(content)
    with pytest.raises(LedgerError, match=r"ledger\.key: is damaged"):
        await Ledger.open(ACCOUNT, folder=tmp_path)


@pytest.mark.parametrize("content", [b"hello " * 200, b"SQLite format 3\0" + b"x" * 500])
async def test_no_ledger(tmp_path: Path, content: bytes) -> None:
    """A file that is no ledger is refused and left as it is."""
    path = ledger_place.ledger_path(tmp_path, ACCOUNT, "")
    path.write_bytes(content)
    with pytest.raises(LedgerError, match=r"the ledger is damaged; restore"):
        await Ledger.open(ACCOUNT, folder=tmp_path)
    assert content == path.read_bytes()


async def test_other_database(tmp_path: Path) -> None:
    """A database of another program is refused and left as it is."""
    path = ledger_place.ledger_path(tmp_path, ACCOUNT, "")
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE theirs (x)")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(LedgerError, match="is not a ledger"):
        await Ledger.open(ACCOUNT, folder=tmp_path)
    assert before == path.read_bytes()


async def test_newer_ledger(ledger: Ledger, tmp_path: Path) -> None:
    """A ledger of a later version is not guessed at."""
    await ledger.run(lambda store: store._connection.execute("PRAGMA user_version=99"))
    with pytest.raises(LedgerError, match="newer homebox_async"):
        await Ledger.open(ACCOUNT, folder=tmp_path)


async def test_accounts_are_apart(ledger: Ledger, tmp_path: Path) -> None:
    """Each account has a ledger of its own."""
    await claimed(ledger)
    other = await Ledger.open("https://sandbox.example account P-2", folder=tmp_path)
    assert [None] == await other.look("properties", [HOME])
    await other.close()


async def test_entries_end(ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Entries end after 24 months, with all that belongs to them."""
    await claimed(ledger)
    now = time.time()
    for months, left in ((23, 1), (25, 0)):
        monkeypatch.setattr(ledger_store.time, "time", lambda m=months: now + m * 30.5 * 86_400)
        other = await Ledger.open(ACCOUNT, folder=tmp_path)
        for table in ("items", "keys"):
            count = await other.run(
                lambda store, t=table: store._connection.execute(
                    f"SELECT count(*) FROM {t}"
                ).fetchone()
            )
            assert (left,) == count
        await other.close()


async def test_learned(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was learned of the server holds for 30 days, for one kind, or until it is doubted."""

    async def learned(kind: str = "leads") -> object:
        return await ledger.run(lambda store: store.learned(kind))

    assert None is await learned()
    await ledger.run(lambda store: store.learn("leads", {"references": "whole"}))
    assert [{"references": "whole"}, None] == [await learned(), await learned("properties")]
    await ledger.run(lambda store: store.learn("leads", None))
    assert None is await learned()
    await ledger.run(lambda store: store.learn("leads", {"references": "whole"}))
    now = time.time()
    monkeypatch.setattr(ledger_store.time, "time", lambda: now + 31 * 86_400)
    assert None is await learned()


async def test_state_folder_of_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """HOMEBOX_STATE names the folder, and an argument goes before it."""
    monkeypatch.setenv("HOMEBOX_STATE", str(tmp_path / "a"))
    first = await Ledger.open(ACCOUNT)
    second = await Ledger.open(ACCOUNT, folder=tmp_path / "b")
    assert [tmp_path / "a", tmp_path / "b"] == [first.path.parent, second.path.parent]
    await first.close()
    await second.close()


async def test_folder_that_cannot_be(tmp_path: Path) -> None:
    """A folder that cannot be made is named, with what to do."""
    (tmp_path / "file").touch()
    with pytest.raises(LedgerError, match=r"no ledger can be kept there .*--ledger"):
        await Ledger.open(ACCOUNT, folder=tmp_path / "file" / "folder")


async def test_folder_without_locks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A shared folder where locks do not hold is refused."""
    fcntl = pytest.importorskip("fcntl")
    monkeypatch.setattr(ledger_place, "_LOCAL", set())
    monkeypatch.setattr(fcntl, "fcntl", lambda *_: b"")
    with pytest.raises(LedgerError, match="files are not locked there"):
        await Ledger.open(ACCOUNT, folder=tmp_path)
    assert not [path for path in tmp_path.iterdir() if "lock-test" in path.name]


async def test_shared_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a folder of the network there is no write-ahead log, and two see each other."""
    monkeypatch.setattr(ledger_place, "_LOCAL", set())
    one = await Ledger.open(ACCOUNT, folder=tmp_path)
    other = await Ledger.open(ACCOUNT, folder=tmp_path)
    ticket = await claimed(one)
    assert other.holds(ticket)
    assert not list(tmp_path.glob("*-wal"))
    await one.close()
    await other.close()


async def test_two_at_once(tmp_path: Path) -> None:
    """Of many that claim the same rows at once, exactly one gets each."""
    ledgers = [await Ledger.open(ACCOUNT, folder=tmp_path) for _ in range(4)]
    rows = [Said(keys=(f"ref {n}",), home=f"{n}") for n in range(40)]

    async def claim_all(ledger: Ledger, name: str) -> int:
        got = 0
        for n, said in enumerate(rows):
            [one] = await ledger.claim("properties", name, [Claim(n, said)])
            got += isinstance(one, Ticket)
        return got

    got = await asyncio.gather(*(claim_all(each, f"{n}") for n, each in enumerate(ledgers)))
    assert 40 == sum(got)
    for each in ledgers:
        await each.close()


def test_claim_survives_a_kill(tmp_path: Path) -> None:
    """A claim that was returned is there after the process was killed."""
    program = (
        "import asyncio, os, signal\n"
        "from pathlib import Path\n"
        "from homebox_async.importer.ledger import Claim, Ledger, Said\n"
        "async def main():\n"
        f"    ledger = await Ledger.open({ACCOUNT!r}, folder=Path({str(tmp_path)!r}))\n"
        f"    said = Said(keys={HOME.keys!r}, home='h')\n"
        "    await ledger.claim('properties', 'a.journal', [Claim(1, said)])\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
        "asyncio.run(main())\n"
    )
    subprocess.run([sys.executable, "-c", program], check=False, timeout=60)

    async def held() -> bool:
        ledger = await Ledger.open(ACCOUNT, folder=tmp_path)
        [one] = await ledger.claim("properties", "b.journal", [Claim(1, HOME)])
        await ledger.close()
        return isinstance(one, Known)

    assert asyncio.run(held())


async def test_two_draw_one_key(tmp_path: Path) -> None:
    """Two that open a new folder at once have the same key."""
    first, second = await asyncio.gather(
        Ledger.open(ACCOUNT, folder=tmp_path), Ledger.open(ACCOUNT, folder=tmp_path)
    )
    await claimed(first)
    assert Standing.CLAIMED is (await known(second)).state
    await first.close()
    await second.close()


@pytest.mark.parametrize("turns", range(4))
async def test_cancelled_while_it_opens(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, turns: int
) -> None:
    """A cancelled opening leaves no file open, however far it has come."""
    connections: list[sqlite3.Connection] = []
    connect = ledger_store._connected

    def counted(path: Path) -> sqlite3.Connection:
        connections.append(connect(path))
        return connections[-1]

    monkeypatch.setattr(ledger_store, "_connected", counted)
    opening = asyncio.ensure_future(Ledger.open(ACCOUNT, folder=tmp_path))
    for _ in range(turns):
        await asyncio.sleep(0)
    opening.cancel()
    with pytest.raises(asyncio.CancelledError):
        await opening
    assert len(connections) == (2 if turns else 0)
    for each in connections:
        with pytest.raises(sqlite3.ProgrammingError, match="closed"):
            each.execute("SELECT 1")


async def test_failed_write(tmp_path: Path) -> None:
    """An outcome that cannot be written is raised by the next call."""
    ledger = await Ledger.open(ACCOUNT, folder=tmp_path)
    ticket = await claimed(ledger)
    await ledger.run(lambda store: store._connection.execute("DROP TABLE tenants"))
    await ledger.run(lambda store: store._connection.execute("ALTER TABLE items RENAME TO x"))
    ledger.record(Outcome(ticket, Standing.CREATED, 5))
    with pytest.raises(LedgerError, match="cannot be read or written"):
        await ledger.close()


@pytest.mark.parametrize(
    ("name", "days", "left"),
    [("a.memory", 6, True), ("a.memory", 8, False), ("a", 700, True), ("a", 731, False)],
)
async def test_ledgers_of_emulators_end(tmp_path: Path, name: str, days: int, left: bool) -> None:
    """The ledger of an emulator in memory ends after a week, that of a state file with its entries.

    None that is in use is deleted, and none of a real account.
    """
    used = await Ledger.open(ACCOUNT, folder=tmp_path, emulator="0" * 16 + ".memory")
    old = await Ledger.open(ACCOUNT, folder=tmp_path, emulator=name)
    real = await Ledger.open(ACCOUNT, folder=tmp_path)
    for each in (old, real):
        await each.close()
        long_ago = time.time() - days * 86_400
        for path in each.path.parent.glob(f"{each.path.name}*"):
            os.utime(path, (long_ago, long_ago))
    again = await Ledger.open(ACCOUNT, folder=tmp_path, emulator="1" * 16 + ".memory")
    assert (left, True, True) == (old.path.exists(), used.path.exists(), real.path.exists())
    assert left == bool(list(old.path.parent.glob(f"{old.path.name}*")))
    await used.close()
    await again.close()


@pytest.mark.parametrize("jump", [400, 9_000], ids=["a-year", "decades"])
async def test_clock_that_jumped(
    ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, jump: int
) -> None:
    """A clock that is wrong once, by years, deletes nothing: two days that agree do."""
    await claimed(ledger)
    now = time.time()
    for days, left in ((jump, True), (0, True), (jump + 400, True), (jump + 401.5, False)):
        monkeypatch.setattr(ledger_store.time, "time", lambda d=days: now + d * 86_400)
        other = await Ledger.open(ACCOUNT, folder=tmp_path)
        assert left is bool(await other.run(lambda store: store.knows("properties"))), days
        await other.close()
