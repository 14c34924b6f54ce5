"""The journal's rows: what `journal` runs, in its own thread, on one SQLite connection.

A row is known by its number, its reference and by digests, which a salt that every journal draws
for itself makes useless elsewhere. Of persons nothing is kept; the address of a home only in the
error of a row whose reference Homebox has at another address.
"""

from __future__ import annotations

import contextlib
import enum
import hashlib
import itertools
import json
import sqlite3
import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import attrs

from ..errors import HomeboxError, Problem
from .places import SHOWN, Places, name_rows
from .words import WORDS

_UNIT = "\x1f"  # ASCII's unit separator
_PLAN_CHUNK = 5_000
_PLAN_COMMIT = 10  # chunks
_ENTRY = (
    "SELECT number, state, digest, reference, property_id, claimed_at, sends, field, error, fix"
    " FROM rows "
)

# An id that two rows matched may well be one home; what was created for a row is no other row's.
_SHARED = (
    "SELECT property_id, count(*) FROM rows WHERE state <> 4 AND property_id IN (?*)"  # REJECTED
    " GROUP BY property_id HAVING count(*) > 1 AND sum(state = 2)"  # CREATED
)


class JournalError(HomeboxError):
    """The journal cannot be used; one line that names the file and says what to do."""


class PlanningStopped(JournalError):
    """Planning was cancelled; it starts again from zero."""


class State(enum.IntEnum):
    """What is known of a row."""

    PENDING = 0
    """Not sent."""
    INFLIGHT = 1
    """Perhaps being sent right now."""
    CREATED = 2
    """Sent, and the server said so."""
    ADOPTED = 3
    """Not sent: it was there already."""
    REJECTED = 4
    """Refused, here or by the server."""
    UNKNOWN = 5
    """Perhaps sent: to be looked up before anything else."""


_STATES = tuple(State)  # by number: an index takes a tenth of what `State(number)` does
_FINAL = (State.CREATED, State.ADOPTED)
_OPEN = (State.PENDING, State.UNKNOWN)


JOINED = "joined:"
"""The start of the `field` of rows that are sent with another one, whose number follows."""


class Entry(NamedTuple):
    """What the journal holds of a row; `sends` counts the requests that may have been made."""

    number: int
    state: State
    digest: bytes
    reference: str
    id: int | None
    claimed_at: float | None
    sends: int
    field: str
    error: str
    fix: str


Record = tuple[int, State, int | None, str, str, str, bool]
"""What became of a row: number, state, id at Homebox, field, error, fix, and `unsent`.

`unsent`: it was claimed, and certainly not sent, so the claim does not count.
"""
_RECORD = ("number", "state", "id", "field", "error", "fix", "unsent")


@attrs.frozen
class Planned:
    """A row to be entered: `digest` is of its cells (`Journal.digest`)."""

    number: int
    digest: bytes
    reference: str
    address_key: str
    problems: Sequence[Problem] = ()


class Reader:
    """The journal's rows, for the functions given to `Journal.take`: use it only there."""

    def __init__(self, connection: sqlite3.Connection, meta: Mapping[str, Any]) -> None:
        self.connection = connection
        self.planned = bool(meta["planned"])
        self.compared = bool(meta["compared"])
        self.address_rule = int(meta["address_rule"])
        self._keyed = hashlib.blake2b(digest_size=16, key=meta["salt"])
        self._counts: dict[State, int] | None = None
        self.places: Places = name_rows
        self._words = WORDS[meta["kind"]]
        self._shared: set[int] = set()

    def digest(self, cells: Mapping[str, str]) -> bytes:
        """Return the salted digest of a row's cells; any thread may call this."""
        values = cells.values()
        content = _UNIT.join(values)
        if content.count(_UNIT) != len(values) - 1:
            # Other cells would read the same; ascii() is injective in every version of Python,
            # and no row of as many cells begins so.
            content = _UNIT * len(values) + ascii(tuple(values))
        return self._hashed(content)

    def _hashed(self, content: str) -> bytes:
        hashed = self._keyed.copy()
        hashed.update(content.encode("utf-8", "surrogatepass"))
        return hashed.digest()

    def counts(self) -> dict[State, int]:
        """Return how many rows are in each state."""
        if self._counts is None:
            found = self.connection.execute("SELECT state, count(*) FROM rows GROUP BY state")
            self._counts = dict.fromkeys(State, 0) | {State(s): count for s, count in found}
        return dict(self._counts)

    def forget_counts(self) -> None:
        """Count again next time: a change was rolled back."""
        self._counts = None

    def page(self, states: Collection[State], *, after: int, size: int) -> list[Entry]:
        """Return the next rows in some states, in row order, but for those sent with others."""
        return self._entries(
            f"WHERE number > ? AND state IN ({_marks(states)})"
            f" AND NOT (state = {State.PENDING} AND field LIKE '{JOINED}%')"
            " ORDER BY number LIMIT ?",
            (after, *states, size),
        )

    def next_batch(self, size: int, *, after: int) -> list[Entry]:
        """Return the next rows that are to be sent or looked up, in row order."""
        return self.page(_OPEN, after=after, size=size)

    def claim(self, numbers: Sequence[int]) -> float:
        """Mark open rows as being sent, and count it; a row that is not open is an error."""
        now = time.time()
        for first, last in _runs(numbers):
            claimed = self.connection.execute(
                "UPDATE rows SET state = ?, claimed_at = ?, sends = sends + 1"
                " WHERE number BETWEEN ? AND ? AND state IN (?, ?)",
                (State.INFLIGHT, now, first, last, *_OPEN),
            ).rowcount
            if claimed != last - first + 1:
                raise self._not_open(range(first, last + 1), now)
        self.forget_counts()
        return now

    def _not_open(self, numbers: Sequence[int], now: float) -> JournalError:
        """Return the error of the first row that this claim has not changed."""
        number = numbers[0]
        for number in numbers:
            state = self._state(number)
            found = self.connection.execute(
                "SELECT 1 FROM rows WHERE number = ? AND claimed_at = ?", (number, now)
            )
            if state is not State.INFLIGHT or found.fetchone() is None:
                break
        return JournalError(
            f"row {number} is {self._state(number).name.lower()} and must not be sent again;"
            " please report this as a bug of homebox_async"
        )

    def record(self, records: Sequence[Record]) -> None:
        """Enter what became of rows, in order; a row that is done stays done."""
        self.forget_counts()
        entered = self.connection.executemany(
            "UPDATE rows SET state = :state, property_id = coalesce(:id, property_id),"
            " sends = sends - :unsent, field = :field, error = :error, fix = :fix"
            " WHERE number = :number"
            " AND (state = :state OR state NOT IN (2, 3))",  # _FINAL
            (dict(zip(_RECORD, record, strict=True)) for record in records),
        ).rowcount
        if entered != len(records):
            self._refuse(records)
        self._doubt_shared({one[2] for one in records if one[2] and one[1] is not State.PENDING})

    def _doubt_shared(self, ids: Collection[int | None]) -> None:
        """Make all rows UNKNOWN that have an id which the server gave to one that it created."""
        if not ids:
            return
        shared = self.connection.execute(_SHARED.replace("?*", _marks(ids)), tuple(ids)).fetchall()
        for identity, total in shared:
            first = self.numbers("property_id = ?", identity, SHOWN)
            error = f"the server gave the id {identity} to {self.places(first, total)}"
            done = self.numbers("state IN (2, 3) AND property_id = ?", identity, -1)  # _FINAL
            # The id stays noted, so that a third row with it is noticed.
            what = State.UNKNOWN, self._words.id_name, error, self._words.again
            self.connection.executemany(
                "UPDATE rows SET state = ?, field = ?, error = ?, fix = ? WHERE number = ?",
                [(*what, number) for number in done],
            )
            self._shared.update(done)

    def take_shared(self) -> list[Entry]:
        """Return the rows that were found to share their id since the last call."""
        numbers, self._shared = self._shared, set()
        return [
            entry for one in sorted(numbers) for entry in self._entries("WHERE number = ?", [one])
        ]

    def _refuse(self, records: Sequence[Record]) -> None:
        """Raise for the first row that was done, or is none."""
        for number, after, *_ in records:
            before = self._state(number)
            if before in _FINAL and after is not before:
                raise JournalError(
                    f"row {number} is {before.name.lower()} and cannot become"
                    f" {after.name.lower()}; please report this as a bug of homebox_async"
                )

    def entry(self, number: int) -> Entry:
        """Return what the journal holds of a row."""
        for entry in self._entries("WHERE number = ?", (number,)):
            return entry
        raise self._missing(number)

    def find(self, reference: str) -> list[Entry]:
        """Return the rows with a reference."""
        return self._entries("WHERE reference = ? ORDER BY number", (storable(reference),))

    def find_address(self, address_key: str) -> list[Entry]:
        """Return the rows with an address, except those that planning rejected."""
        return self._entries("WHERE address = ? ORDER BY number", (self._hashed(address_key),))

    def reject(self, rows: Iterable[tuple[int, str, str, str]]) -> None:
        """Reject pending rows: number, field, error and fix of each."""
        self.connection.executemany(
            "UPDATE rows SET state = :rejected, field = :field, error = :error, fix = :fix"
            " WHERE number = :number AND state = :pending",
            (
                {
                    "rejected": State.REJECTED,
                    "pending": State.PENDING,
                    "number": number,
                    "field": field,
                    "error": error,
                    "fix": fix,
                }
                for number, field, error, fix in rows
            ),
        )
        self.forget_counts()

    @property
    def confirmed(self) -> int | None:
        """The number of the preview that was confirmed, None if none was."""
        found = self.connection.execute("SELECT value FROM meta WHERE name = 'confirmed'")
        return next((number for (number,) in found), None)

    def confirm(self, number: int) -> None:
        """Note that a preview was confirmed."""
        self.connection.execute("INSERT OR REPLACE INTO meta VALUES ('confirmed', ?)", (number,))

    def with_id(self, identity: int) -> list[int]:
        """Return the rows that have an id and are not rejected."""
        found = self.connection.execute(
            "SELECT number FROM rows WHERE property_id = ? AND state <> ?",
            (identity, State.REJECTED),
        )
        return [number for (number,) in found]

    def decide(self, number: int, state: State, identity: int | None) -> None:
        """Enter what a person has found out of a row, whatever was known of it."""
        # With the time, as if it had been sent: rows are not compared again after that, which
        # would undo the decision.
        self.connection.execute(
            "UPDATE rows SET state = ?, property_id = ?, sends = 0, claimed_at = ?,"
            " field = '', error = '', fix = '' WHERE number = ?",
            (state, identity, time.time(), number),
        )
        self.forget_counts()

    def kept(self, name: str) -> Any:
        """Return what was kept under a name, None if nothing was."""
        found = self.connection.execute("SELECT value FROM meta WHERE name = ?", (name,))
        return next((json.loads(value) for (value,) in found), None)

    def keep(self, name: str, value: Any) -> None:
        """Keep something that JSON can hold."""
        entry = name, json.dumps(value)
        self.connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", entry)

    def match(self, found: Iterable[tuple[str, int]]) -> None:
        """Note on pending rows which property has their reference: pairs of reference and id.

        A row whose reference several properties have is UNKNOWN from then on.
        """
        for reference, identity in found:
            for entry in self.find(reference):
                if entry.state is not State.PENDING:
                    continue
                if entry.id in (None, identity):
                    self.record([(entry.number, State.PENDING, identity, "", "", "", False)])
                else:
                    several = "several properties have its reference"
                    self.record([(entry.number, State.UNKNOWN, None, "", several, "", False)])

    def matched(self, *, after: int, size: int) -> list[Entry]:
        """Return the next pending rows on which an id was noted, in row order."""
        return self._entries(
            "WHERE number > ? AND state = ? AND property_id IS NOT NULL ORDER BY number LIMIT ?",
            (after, State.PENDING, size),
        )

    def ids(self, *, after: int, size: int) -> list[tuple[int, int]]:
        """Return the next rows that are done and have an id: pairs of number and id."""
        return self.connection.execute(
            "SELECT number, property_id FROM rows WHERE number > ? AND state IN (?, ?)"
            " AND property_id > 0 ORDER BY number LIMIT ?",
            (after, *_FINAL, size),
        ).fetchall()

    def set_compared(self) -> None:
        """Note that all that is at the server has been compared with the rows."""
        self.connection.execute("UPDATE meta SET value = 1 WHERE name = 'compared'")
        self.compared = True

    def touched(self) -> bool:
        """Tell whether any row was ever sent, or taken over from the server."""
        return touched(self.connection)

    def plan(
        self,
        rows: Iterator[Planned],
        stop: threading.Event,
        progress: Callable[[int], None],
    ) -> None:
        """Enter all rows, from zero; commits now and then, so that the log stays small."""
        run = self.connection.execute
        done = 0
        with self._transaction():
            run("DROP INDEX IF EXISTS by_reference")
            run("DROP INDEX IF EXISTS by_address")
            run("DROP INDEX IF EXISTS by_recased")
            run("DELETE FROM rows")
            for chunk in itertools.count(1):
                if stop.is_set():
                    raise PlanningStopped("planning was stopped; it starts again from zero")
                entered = self.connection.executemany(
                    "INSERT INTO rows (number, state, digest, reference, address,"
                    " field, error, fix) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                    map(self._as_planned, itertools.islice(rows, _PLAN_CHUNK)),
                ).rowcount
                if entered < 1:
                    break
                done += entered
                progress(done)
                if chunk % _PLAN_COMMIT == 0:
                    run("COMMIT")
                    run("BEGIN")
            # Sorting once is cheaper than keeping an index in order for every row.
            run("CREATE INDEX by_reference ON rows (reference)")
            run("CREATE INDEX by_address ON rows (address) WHERE address IS NOT NULL")
            run("UPDATE meta SET value = 1 WHERE name = 'planned'")
            run("UPDATE meta SET value = 0 WHERE name = 'compared'")
        self.planned, self.compared = True, False

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        self.forget_counts()
        self.connection.execute("BEGIN")
        try:
            yield
            self.connection.execute("COMMIT")
        except BaseException:
            rollback(self.connection)
            raise

    def _as_planned(self, row: Planned) -> tuple[object, ...]:
        reference = storable(row.reference)
        if not row.problems:
            address = self._hashed(row.address_key)
            return row.number, State.PENDING, row.digest, reference, address, "", "", ""
        fields = ", ".join(dict.fromkeys(problem.field for problem in row.problems))
        errors = "; ".join(f"{problem.field} {problem.problem}" for problem in row.problems)
        fixes = "; ".join(problem.fix for problem in row.problems)
        texts = map(storable, (fields, errors, fixes))
        return row.number, State.REJECTED, row.digest, reference, None, *texts

    def _state(self, number: int) -> State:
        found = self.connection.execute("SELECT state FROM rows WHERE number = ?", (number,))
        for (state,) in found:
            return State(state)
        raise self._missing(number)

    def _missing(self, number: int) -> JournalError:
        return JournalError(
            f"row {number} is not in the journal; please report this as a bug of homebox_async"
        )

    def _entries(self, where: str, values: Iterable[object]) -> list[Entry]:
        found = self.connection.execute(_ENTRY + where, tuple(values))
        return [Entry(number, _STATES[state], *rest) for number, state, *rest in found]

    def numbers(self, where: str, value: object, limit: int) -> list[int]:
        """Return the first rows for which a condition holds, -1 for all."""
        found = self.connection.execute(
            f"SELECT number FROM rows WHERE {where} ORDER BY number LIMIT ?",  # noqa: S608
            (value, limit),
        )
        return [number for (number,) in found]


def rollback(connection: sqlite3.Connection) -> None:
    """Undo the open transaction, if SQLite has not done so itself."""
    with contextlib.suppress(sqlite3.Error):
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def touched(connection: sqlite3.Connection) -> bool:
    """Tell whether any row was ever sent, or taken over from the server."""
    ((touched,),) = connection.execute(
        "SELECT EXISTS (SELECT 1 FROM rows WHERE claimed_at IS NOT NULL OR state = ?)",
        (State.ADOPTED,),
    )
    return bool(touched)


def _runs(numbers: Iterable[int]) -> Iterator[tuple[int, int]]:
    """Give the first and the last of consecutive numbers: of a batch, mostly one pair."""
    run: tuple[int, int] | None = None
    for number in numbers:
        if run is not None and number == run[1] + 1:
            run = run[0], number
            continue
        if run is not None:
            yield run
        run = number, number
    if run is not None:
        yield run


def _marks(values: Collection[object]) -> str:
    return ", ".join("?" * len(values))


def storable(text: str) -> str:
    """Return a text as SQLite can hold it."""
    # SQLite takes no lone surrogates, which JSON can hold.
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()
