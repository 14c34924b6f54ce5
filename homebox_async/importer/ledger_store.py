"""The ledger's SQLite file: what was sent to one account, whichever import sent it.

Several processes write to it, so each function is one short transaction. It holds no names,
addresses, phones or emails, only keyed hashes of them.
"""

from __future__ import annotations

import contextlib
import hmac
import json
import secrets
import sqlite3
import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from .ledger_values import Claim, Known, LedgerError, Outcome, Standing, Ticket
from .opening import identity
from .said import Said

KEPT = 730 * 86_400.0
"""Seconds after which an entry ends: 24 months."""

LEARNED = 30 * 86_400.0
"""Seconds for which what was learned of the server is not asked for again."""

APPLICATION = 0x48424C31  # "HBL1", in the header of the file
_VERSION = 1
_BUSY = 30.0  # seconds; transactions take milliseconds
_JUMP = 200 * 86_400.0  # seconds between two imports that may be a wrong clock
_AT_ONCE = 400  # hashes in one query
_DIGEST = 16  # bytes of a hash: enough for no two to meet
_TABLES = (
    "CREATE TABLE meta (name TEXT PRIMARY KEY, value) WITHOUT ROWID",
    """CREATE TABLE items (
        id INTEGER PRIMARY KEY, kind TEXT NOT NULL, state INTEGER NOT NULL,
        claim INTEGER NOT NULL, sends INTEGER NOT NULL, home BLOB NOT NULL, content BLOB NOT NULL,
        tenancy BLOB, starts TEXT, ends TEXT, homebox_id INTEGER, tenancy_id INTEGER,
        journal TEXT NOT NULL, mark BLOB NOT NULL, row INTEGER NOT NULL,
        first_seen REAL NOT NULL, changed REAL NOT NULL)""",
    # Which rows stand for items that other journals have claimed. A journal is known by its mark
    # wherever it is moved to.
    """CREATE TABLE rows (
        mark BLOB, row INTEGER, item INTEGER, PRIMARY KEY (mark, row, item)) WITHOUT ROWID""",
    "CREATE TABLE keys (key BLOB PRIMARY KEY, item INTEGER NOT NULL) WITHOUT ROWID",
    "CREATE TABLE tenants (tenant BLOB, item INTEGER, PRIMARY KEY (tenant, item)) WITHOUT ROWID",
    "CREATE INDEX items_by_id ON items (homebox_id) WHERE homebox_id IS NOT NULL",
)
_OF_ITEMS = ("keys", "tenants", "rows")
_ENTER = """INSERT INTO items (id, kind, state, claim, sends, home, content, tenancy, starts, ends,
        journal, mark, row, first_seen, changed)
    VALUES (:item, :kind, 1, :claim, 1, :home, :content, :tenancy, :starts, :ends, :journal, :mark,
        :row, :now, :now)
    ON CONFLICT (id) DO UPDATE SET state = 1, claim = :claim, sends = sends + 1, home = :home,
        content = :content, tenancy = :tenancy, starts = :starts, ends = :ends,
        journal = :journal, mark = :mark, row = :row, changed = :now"""
# That something is there is true whoever holds the claim by now. One that was sent before, and not
# this time, is as unknown as it was.
_RECORD = """UPDATE items SET homebox_id = coalesce(:id, homebox_id), changed = :now,
        tenancy_id = coalesce(:tenancy_id, tenancy_id), sends = sends - (:state = 0),
        state = CASE WHEN :state = 0 AND sends > 1 THEN 5 ELSE :state END
    WHERE id = :item AND state NOT IN (2, 3) AND (claim = :claim OR :state IN (2, 3))"""
_KNOWN = (
    "SELECT id, kind, state, claim, content, homebox_id, tenancy_id, journal, row, first_seen,"
    " changed, mark FROM items "
)


class LedgerStore:
    """The ledger's file; use it in one thread, but for `holds`."""

    def __init__(self, path: Path, key: bytes) -> None:
        self.path = path
        self._connection = _connected(path)
        # For the question before each request: it must not wait for a commit.
        self._asked = _connected(path)
        self._key = key
        self._file: tuple[int, int] | None = None

    @classmethod
    def open(cls, path: Path, key: bytes, account: str, *, shared: bool) -> LedgerStore:
        """Open the ledger of an account, made if it is missing.

        `shared`: the folder may be one of the network, where a write-ahead log would not hold.
        """
        store = cls(path, key)
        try:
            run = store._connection.execute
            # In this order: another process may be making both right now.
            ((tables,),) = run("SELECT count(*) FROM sqlite_master")
            ((application,),) = run("PRAGMA application_id")
            if application != APPLICATION and (application or tables):
                raise LedgerError(f"{path}: is not a ledger of homebox_async; move it away")
            run(f"PRAGMA journal_mode={'TRUNCATE' if shared else 'WAL'}")
            run("PRAGMA synchronous=FULL")
            with store._transaction():
                store._prepare(account)
            store._file = identity(path)
        except BaseException:
            store.close()
            raise
        return store

    def _prepare(self, account: str) -> None:
        run = self._connection.execute
        check = self._hashed("check", account)
        ((tables,),) = run("SELECT count(*) FROM sqlite_master")
        if not tables:
            for table in _TABLES:
                run(table)
            meta = {"account": account, "check": check, "made": time.time(), "swept": 0.0}
            self._connection.executemany("INSERT INTO meta VALUES (?, ?)", meta.items())
            run(f"PRAGMA application_id={APPLICATION}")
            run(f"PRAGMA user_version={_VERSION}")
        ((version,),) = run("PRAGMA user_version")
        if version > _VERSION:
            raise LedgerError(
                f"{self.path}: was written by a newer homebox_async; upgrade"
                " (pip install -U homebox-async)"
            )
        if self._meta("check") != check:
            raise LedgerError(
                f"{self.path}: was written with another key than the one beside it; restore the"
                " key file, or move the ledger away (what it knows is then asked of Homebox)"
            )
        now = time.time()
        since = now - self._meta("swept")
        if not 0 <= since < 86_400:
            # A clock that has jumped by years must not delete everything: the next day shows.
            if since < _JUMP:
                run("DELETE FROM items WHERE changed < ?", (now - KEPT,))
                self._sweep()
            self._set_meta("swept", now)

    def _sweep(self) -> None:
        """Delete what belonged to items that are gone."""
        for table in _OF_ITEMS:
            self._connection.execute(
                f"DELETE FROM {table} WHERE item NOT IN (SELECT id FROM items)"  # noqa: S608
            )

    def close(self) -> None:
        """Close the file."""
        self._asked.close()
        self._connection.close()

    # --- the account

    @property
    def waited(self) -> bool:
        """Whether an import on this ledger has given earlier ones the time to show."""
        return self._meta("waited") is not None

    def set_waited(self) -> None:
        """Note that from now on the ledger knows all that was sent from here."""
        with self._transaction():
            self._set_meta("waited", time.time())

    def learned(self, kind: str) -> dict[str, Any] | None:
        """Return what was learned of the server in the last 30 days, with rows of a kind."""
        found = self._meta(f"learned {kind}")
        if found is None:
            return None
        when, facts = json.loads(found)
        return facts if 0 <= time.time() - when < LEARNED else None

    def learn(self, kind: str, facts: Mapping[str, Any] | None) -> None:
        """Note what was learned of the server with rows of a kind; None: nothing holds any more."""
        with self._transaction():
            when = 0.0 if facts is None else time.time()
            self._set_meta(f"learned {kind}", json.dumps([when, dict(facts or {})]))

    def _meta(self, name: str) -> Any:
        found = self._connection.execute("SELECT value FROM meta WHERE name = ?", (name,))
        return next((value for (value,) in found), None)

    def _set_meta(self, name: str, value: object) -> None:
        self._connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (name, value))

    # --- items

    def knows(self, kind: str) -> bool:
        """Return whether there is anything of a kind."""
        found = self._connection.execute("SELECT 1 FROM items WHERE kind = ? LIMIT 1", (kind,))
        return found.fetchone() is not None

    def look(self, kind: str, rows: Sequence[Said]) -> list[Known | None]:
        """Return what is known of each row; what weighs most where several items fit."""
        hashes = [self._keys(kind, said) for said in rows]
        holders = self._holders([key for keys in hashes for key in keys])
        items = self._items(set(holders.values()))
        found: list[Known | None] = []
        for said, keys in zip(rows, hashes, strict=True):
            fitting = {holders[key] for key in keys if key in holders}
            found.append(self._weightiest(said, [items[item] for item in fitting]))
        return found

    def claim(
        self, kind: str, journal: str, rows: Sequence[Claim], mark: bytes = b""
    ) -> list[Ticket | Known]:
        """Claim rows to be sent; durable when this returns.

        `mark`: by which the journal is known wherever it is. Return for each row a Ticket, or
        what stands against sending it.
        """
        self._check_file()
        now = time.time()
        granted: list[Ticket | Known] = []
        entries: list[dict[str, object]] = []
        keys: list[tuple[bytes, int]] = []
        tenants: list[tuple[bytes, int]] = []
        with self._transaction():
            [(last,)] = self._connection.execute("SELECT coalesce(max(id), 0) FROM items")
            for row, known in zip(rows, self.look(kind, [row.said for row in rows]), strict=True):
                if (
                    known is not None
                    and not known.state.is_free
                    and (known.state.is_done or known.claim != row.seen)
                ):
                    self._link(mark, [(row.row, known.item)])
                    granted.append(known)
                    continue
                if known is None:
                    last += 1
                item, said = last if known is None else known.item, row.said
                ticket = Ticket(item, 1 + secrets.randbits(62))
                granted.append(ticket)
                entries.append(
                    {
                        **self._of_said(said),
                        "kind": kind,
                        "journal": journal,
                        "mark": mark,
                        "row": row.row,
                        "now": now,
                        "item": item,
                        "claim": ticket.claim,
                    }
                )
                keys += [(key, item) for key in self._keys(kind, said)]
                tenants += [(self._hashed("tenant", tenant), item) for tenant in said.tenants]
            many = self._connection.executemany
            many(_ENTER, entries)
            # A key that a free item holds passes to the one that is sent now.
            many("INSERT OR REPLACE INTO keys VALUES (?, ?)", keys)
            many("INSERT OR IGNORE INTO tenants VALUES (?, ?)", tenants)
        return granted

    def link(self, mark: bytes, rows: Iterable[tuple[int, int]]) -> None:
        """Note that rows of a journal stand for items which it has not claimed: pairs of both."""
        with self._transaction():
            self._link(mark, rows)

    def _link(self, mark: bytes, rows: Iterable[tuple[int, int]]) -> None:
        self._connection.executemany(
            "INSERT OR IGNORE INTO rows VALUES (?, ?, ?)",
            ((mark, row, item) for row, item in rows),
        )

    def _of_said(self, said: Said) -> dict[str, object]:
        home = self._hashed("says", said.home)
        return {
            "home": home,
            "content": home if said.content == said.home else self._hashed("says", said.content),
            "tenancy": self._hashed("tenancy", said.tenancy) if said.tenancy else None,
            "starts": said.starts and said.starts.isoformat(),
            "ends": said.ends and said.ends.isoformat(),
        }

    def holds(self, ticket: Ticket) -> bool:
        """Return whether a claim still stands: nobody else has taken the item over."""
        self._check_file()
        found = self._asked.execute("SELECT claim FROM items WHERE id = ?", (ticket.item,))
        return any(claim == ticket.claim for (claim,) in found)

    def _check_file(self) -> None:
        # SQLite would write on into a file that no other import can see.
        if identity(self.path) != self._file:
            raise LedgerError(
                f"{self.path}: the ledger was deleted or replaced while an import was running;"
                " nothing more is sent: run the same command again, which looks first what"
                " Homebox has"
            )

    def record(self, outcomes: Iterable[Outcome]) -> None:
        """Enter what became of claimed items, in order."""
        now = time.time()
        values = [
            {
                "id": one.id,
                "tenancy_id": one.tenancy_id,
                "state": one.state,
                "now": now,
                "item": one.ticket.item,
                "claim": one.ticket.claim,
            }
            for one in outcomes
        ]
        with self._transaction():
            self._connection.executemany(_RECORD, values)
            self._doubt(values, Standing.CREATED, "kind, homebox_id")
            # What another import has created may be matched by one with other words for it.
            for state in (Standing.MATCHED, Standing.UNKNOWN):
                self._doubt(values, state, "kind, homebox_id, mark")

    def _doubt(self, values: Iterable[dict[str, Any]], state: Standing, shared: str) -> None:
        """Make items UNKNOWN that share the id of one that was created."""
        ids = [one["id"] for one in values if one["id"] and one["state"] is state]
        if ids:
            self._connection.execute(
                f"UPDATE items SET state = 5 WHERE ({shared}) IN (SELECT {shared} FROM items"  # noqa: S608
                f" WHERE homebox_id IN ({_marks(ids)}) GROUP BY {shared}"
                " HAVING count(*) > 1 AND sum(state = 2))",
                ids,
            )

    # --- what people ask for

    def journals(self) -> list[dict[str, Any]]:
        """Return what each journal has sent, the oldest first."""
        found: dict[tuple[str, str], dict[str, Any]] = {}
        for kind, journal, state, number, first, last in self._connection.execute(
            "SELECT kind, journal, state, count(*), min(first_seen), max(changed) FROM items"
            " GROUP BY kind, journal, state ORDER BY min(first_seen)"
        ):
            line = {"kind": kind, "journal": journal, "first": first, "last": last, "counts": {}}
            line = found.setdefault((kind, journal), line)
            line["counts"][Standing(state)] = number
            line["last"] = max(last, line["last"])
        return list(found.values())

    def done(self, kind: str) -> list[Known]:
        """Return the items of a kind that are at Homebox."""
        return self._select("WHERE kind = ? AND state IN (2, 3) ORDER BY id", (kind,))

    def unlisted(self, listed: Collection[str], missing: Sequence[Known]) -> list[Known]:
        """Return the items of kinds that have no list, if all that is listed is missing."""
        marks = _marks(list(listed))
        [(done,)] = self._connection.execute(
            f"SELECT count(*) FROM items WHERE kind IN ({marks}) AND state IN (2, 3)",  # noqa: S608
            list(listed),
        )
        if done > len(missing):
            return []
        return self._select(f"WHERE kind NOT IN ({marks}) AND state IN (2, 3)", list(listed))

    def decide(self, mark: bytes, row: int, state: Standing, id: int | None = None) -> None:
        """Enter what a person has found out of a row; what was known before does not count."""
        with self._transaction():
            self._connection.execute(
                "UPDATE items SET state = ?, homebox_id = ?, claim = ?, sends = 0, changed = ?"
                " WHERE (mark = ? AND row = ?)"
                " OR id IN (SELECT item FROM rows WHERE mark = ? AND row = ?)",
                (state, id, 1 + secrets.randbits(62), time.time(), mark, row, mark, row),
            )

    def forget(self, items: Iterable[int] | None = None) -> int:
        """Delete items, all for None; return how many."""
        with self._transaction():
            if items is None:
                self._connection.execute("DELETE FROM meta WHERE name = 'waited'")
                gone = self._connection.execute("DELETE FROM items").rowcount
            else:
                many = self._connection.executemany
                gone = many("DELETE FROM items WHERE id = ?", ((item,) for item in items)).rowcount
            self._sweep()
            return gone

    # --- how

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        # At once with the lock of a writer: two that both read first could not both write.
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._connection.execute("COMMIT")
        except BaseException:
            with contextlib.suppress(sqlite3.Error):
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
            raise

    def _hashed(self, what: str, text: str) -> bytes:
        content = f"{what}\0{text}".encode("utf-8", "surrogatepass")
        return hmac.digest(self._key, content, "sha256")[:_DIGEST]

    def _keys(self, kind: str, said: Said) -> list[bytes]:
        return [self._hashed(kind, key) for key in said.keys]

    def _holders(self, keys: Sequence[bytes]) -> dict[bytes, int]:
        holders: dict[bytes, int] = {}
        for start in range(0, len(keys), _AT_ONCE):
            some = keys[start : start + _AT_ONCE]
            holders.update(
                self._connection.execute(
                    f"SELECT key, item FROM keys WHERE key IN ({_marks(some)})",  # noqa: S608
                    some,
                )
            )
        return holders

    def _items(self, ids: Iterable[int]) -> dict[int, tuple[Known, bytes]]:
        found: dict[int, tuple[Known, bytes]] = {}
        all_ids = list(ids)
        for start in range(0, len(all_ids), _AT_ONCE):
            some = all_ids[start : start + _AT_ONCE]
            for known, content in self._read(f"WHERE id IN ({_marks(some)})", some):
                found[known.item] = known, content
        return found

    def _weightiest(self, said: Said, items: Sequence[tuple[Known, bytes]]) -> Known | None:
        if not items:
            return None
        content = self._hashed("says", said.content)
        fitting = [known._replace(same=its == content) for known, its in items]
        return max(
            fitting,
            key=lambda known: (
                *(known.state.is_done, not known.state.is_free, known.same, known.item),
            ),
        )

    def _select(self, where: str, values: Sequence[object]) -> list[Known]:
        return [known for known, _ in self._read(where, values)]

    def _read(self, where: str, values: Sequence[object]) -> Iterator[tuple[Known, bytes]]:
        for item, kind, state, claim, content, *rest in self._connection.execute(
            _KNOWN + where, values
        ):
            yield Known(item, kind, Standing(state), claim, True, *rest), content


def _connected(path: Path) -> sqlite3.Connection:
    # Absolute: SQLite has a meaning of its own for ":memory:" and "file:".
    return sqlite3.connect(
        path.absolute(), timeout=_BUSY, isolation_level=None, check_same_thread=False
    )


def _marks(values: Sequence[object]) -> str:
    return ", ".join("?" * len(values))
