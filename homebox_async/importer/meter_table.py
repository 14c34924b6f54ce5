"""The readings of an import by meter, in a temporary table of the journal's connection.

Files are not sorted by meter, and memory must not grow with them.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from itertools import groupby

import attrs

from .journal import Reader, State
from .meters import Point

_TABLE = """CREATE TEMP TABLE readings (
    number INTEGER PRIMARY KEY, home TEXT NOT NULL, type TEXT NOT NULL, day INTEGER NOT NULL,
    value INTEGER NOT NULL, value2 INTEGER, changed INTEGER)"""
_ROWS = (
    "SELECT home, type, number, day, value, value2, changed FROM readings"
    " JOIN rows USING (number) WHERE rows.state = :pending"
)


@attrs.frozen
class FileMeter:
    """A meter of the file: its readings that are not sent yet, and when it was changed."""

    home: str
    type: str
    points: Sequence[Point]
    changed: frozenset[dt.date]


@attrs.frozen
class Entered:
    """A row to be entered. `changed`: the day on which it says that its meter was changed."""

    number: int
    home: str
    type: str
    day: dt.date
    values: tuple[int, int | None]
    changed: dt.date | None


def create(reader: Reader) -> None:
    """Make the table, empty."""
    reader.connection.execute("DROP TABLE IF EXISTS temp.readings")
    reader.connection.execute(_TABLE)
    reader.connection.execute("CREATE INDEX temp.by_meter ON readings (home, type)")


def enter(reader: Reader, rows: Sequence[Entered]) -> None:
    """Add rows."""
    reader.connection.executemany(
        "INSERT INTO temp.readings VALUES (?, ?, ?, ?, ?, ?, ?)",
        [
            (
                row.number,
                row.home,
                row.type,
                row.day.toordinal(),
                *row.values,
                None if row.changed is None else row.changed.toordinal(),
            )
            for row in rows
        ],
    )


def meters(reader: Reader) -> Iterator[FileMeter]:
    """Give every meter with rows that are not sent yet."""
    yield from _meters(reader, "", {})


def meters_of_homes(reader: Reader, after: str, size: int) -> list[FileMeter]:
    """Return the meters of the next homes behind one, in order."""
    homes = reader.connection.execute(
        "SELECT DISTINCT home FROM readings JOIN rows USING (number)"
        " WHERE rows.state = :pending AND home > :after ORDER BY home LIMIT :size",
        {"pending": State.PENDING, "after": after, "size": size},
    ).fetchall()
    if not homes:
        return []
    bounds = {"first": homes[0][0], "last": homes[-1][0]}
    return list(_meters(reader, " AND home BETWEEN :first AND :last", bounds))


def _meters(reader: Reader, where: str, values: dict[str, str]) -> Iterator[FileMeter]:
    found = reader.connection.execute(
        f"{_ROWS}{where} ORDER BY home, type", {"pending": State.PENDING, **values}
    )
    for (home, kind), rows in groupby(found, key=lambda row: row[:2]):
        points, changes = [], set()
        for _, _, number, day, value, value2, changed in rows:
            if changed is not None:
                changes.add(dt.date.fromordinal(changed))
            points.append(
                Point(number, dt.date.fromordinal(day), (value, value2), opens=changed == day)
            )
        yield FileMeter(home, kind, points, frozenset(changes))
