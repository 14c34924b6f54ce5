"""Economy 7 meters as spreadsheets have them: a row for Day and a row for Night, sent as one.

Homebox takes both values in one reading. That `reading` is Day and `reading2` is Night is an
assumption: the documents do not say.
"""

from __future__ import annotations

import sqlite3
import threading
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from ..errors import Problem
from .columns import Columns
from .header import plain
from .recorded import METER_TYPES
from .rows import Row, Source

_FIRST = {"1", "01", "r1", "r01", "rate1", "register1"}
_DAY = {"day", "dayrate", "normal", "normalrate", "high", "peak", *_FIRST}
_NIGHT = {"night", "nightrate", "low", "offpeak", "2", "02", "r2", "r02", "rate2", "register2"}
_ONE = {"", "single", "singlerate", "standard", "total", "all"}
_SECOND = "reading2"
_FIX = "write Day or Night, or leave it empty for a meter with one register"
_ALONE = "give both, or leave the register empty for a meter with one register"


class PairedSource(Source):
    """A source in which the rows of both registers are one row, with the number of the first.

    Rows need not be next to each other: which belong together is kept in a temporary database.
    """

    def __init__(self, source: Source, columns: Columns[Any]) -> None:
        super().__init__(source._contents, source.path)
        self._source = source
        self.writes_workbooks = source.writes_workbooks
        self._columns = columns
        self._second = columns.uses.get(_SECOND, _SECOND)
        self.columns = tuple(dict.fromkeys([*source.columns, self._second]))
        self.fingerprint = f"{source.fingerprint}:registers"
        self._paired = 0
        # Without a name: SQLite keeps it in memory while it is small, and deletes it at the end.
        self._store = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        self._store_lock = threading.Lock()
        try:
            self._pair()
        except BaseException:
            self._store.close()
            raise

    @property
    def notes(self) -> tuple[str, ...]:
        """What was decided while the file was read."""
        if not self._paired:
            return self._source.notes
        note = (
            f"Day and Night of {self._paired:,} readings were in rows of their own: sent as"
            " reading (Day) and reading2 (Night)"
        )
        return (*self._source.notes, note)

    def close(self) -> None:
        """Close the file and the database."""
        self._store.close()
        self._source.close()

    def _pair(self) -> None:
        run = self._store.execute
        run("CREATE TABLE parts (meter TEXT, register TEXT, number INTEGER, value TEXT)")
        run("CREATE TABLE told (number INTEGER PRIMARY KEY, other TEXT, error TEXT)")
        run("BEGIN")
        for row in self._source.rows():
            if row.fault is None and (part := self._part(row)) is not None:
                run("INSERT INTO parts VALUES (?, ?, ?, ?)", part)
        run("CREATE INDEX by_meter ON parts (meter)")
        for (meter,) in run("SELECT DISTINCT meter FROM parts").fetchall():
            self._join(meter)
        run("DROP TABLE parts")
        run("COMMIT")

    def _part(self, row: Row) -> tuple[str, str, int, str] | None:
        """Return the meter with the day, the register, the number and the value of a row.

        None for a row with all registers of its meter.
        """
        got = self._columns.got(row)
        register = _register(got)
        if register not in _DAY and register not in _NIGHT:
            return None
        home = [got.get(field) for field in ("property_id", "order_id", "property_reference")]
        key = "\x1f".join(map(str, [*home, got["date_of_reading"]]))
        return key, register, row.number, got["reading"]

    def _join(self, meter: str) -> None:
        """Note what becomes of the rows of one meter and day."""
        parts: defaultdict[bool, list[tuple[int, str]]] = defaultdict(list)
        register = ""
        for register, number, value in self._store.execute(
            "SELECT register, number, value FROM parts WHERE meter = ? ORDER BY number", (meter,)
        ):
            parts[register in _NIGHT].append((number, value))
        days, nights = parts[False], parts[True]
        if register in _FIRST and not nights and len(days) == 1:
            return  # the only register of its meter
        if len(days) == len(nights) == 1:
            (day, day_value), (night, night_value) = days[0], nights[0]
            first, second = sorted((day, night))
            self._note(first, f"{day_value}\x1f{night_value}", None)
            self._note(second, None, None)
            self._paired += 1
            return
        numbers = sorted(number for number, _ in [*days, *nights])
        for number in numbers:
            others = [one for one in numbers if one != number]
            if others:
                error = f"does not make one Day and one Night with {self.places(others)}"
            else:
                error = f"has no {'Night' if days else 'Day'} of the same meter and day"
            self._note(number, None, error)

    def _note(self, number: int, values: str | None, error: str | None) -> None:
        self._store.execute("INSERT INTO told VALUES (?, ?, ?)", (number, values, error))

    def _read(self) -> Iterator[Row]:
        uses: Mapping[str, str] = self._columns.uses
        for row in self._source.rows():
            with self._store_lock:
                found = self._store.execute(
                    "SELECT other, error FROM told WHERE number = ?", (row.number,)
                ).fetchone()
            cells = {**dict.fromkeys(self.columns, ""), **row.cells}
            if found is None:
                if row.fault is None and _register(self._columns.got(row)) not in _ONE | _FIRST:
                    problem = Problem("register", "is neither Day nor Night", _FIX)
                    yield Row(row.number, cells, problem, row.line)
                else:
                    yield row._replace(cells=cells)
                continue
            values, error = found
            if error is not None:
                yield Row(row.number, cells, Problem("register", error, _ALONE), row.line)
            elif values is not None:
                day, night = values.split("\x1f")
                cells[uses["reading"]], cells[self._second] = day, night
                cells[uses["register"]] = ""
                yield row._replace(cells=cells, fault=None)


def _register(got: Mapping[str, str]) -> str:
    """Return the register of a row, "" for meters that have one only."""
    kind = got["type"].casefold()
    return plain(got["register"]) if METER_TYPES.get(kind, kind) == "electric" else ""
