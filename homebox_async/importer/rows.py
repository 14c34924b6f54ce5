"""Rows of a source, which can be read again from the start, any number of times and at once.

Planning, sending and writing the results each make a pass of their own, and memory stays flat.
"""

from __future__ import annotations

import abc
import bisect
import threading
from array import array
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from ..errors import Problem
from .contents import Contents, SourceError
from .places import name_rows, named
from .sheet_scan import letters

MOST_COLUMNS = 1_000
"""An import uses a tenth of it; every row of the results has all of them."""


class Stored(NamedTuple):
    """What the cells of a row hold in their sheet, in letters: see `workbook.Kept`."""

    kinds: str
    line: int
    places: Mapping[str, int]

    def kind(self, column: str) -> str:
        """Return the letter of a cell, "" where there is none."""
        place = self.places.get(column, len(self.kinds))
        return self.kinds[place : place + 1]

    def cell(self, column: str) -> str:
        """Return the name of a cell, such as C5."""
        return f"{letters(self.places[column])}{self.line}"


class Row(NamedTuple):
    """One row: `number` counts from 1; `cells` has every column of the source.

    `fault` is set when the row itself is malformed: its whole text then stands in the first
    column, so that no value ends up under a wrong name. `line`: where a spreadsheet shows it.
    `stored`: what its cells hold, where it is of a sheet.
    """

    number: int
    cells: Mapping[str, str]
    fault: Problem | None = None
    line: int = 0
    stored: Stored | None = None


class Source(abc.ABC):
    """Rows that can be read again from the start.

    `name` is for messages and default file names, `path` is None for rows that came from memory,
    `columns` are in the order of the source.
    `fingerprint` tells the content, and how it is read, from any other.
    `writes_workbooks`: whether its results are workbooks as it is one.
    """

    columns: tuple[str, ...]
    fingerprint: str
    writes_workbooks: bool = False

    def __init__(self, contents: Contents, path: Path | None = None) -> None:
        self.name = contents.name
        self.path = path
        self._contents = contents
        # From which row on the line is so far from the row's number: blank lines have no number.
        self._starts, self._shifts = array("q"), array("q")
        self._lock = threading.Lock()
        self._passed = False

    @abc.abstractmethod
    def _read(self) -> Iterator[Row]:
        """Make a fresh pass from the first row on."""

    def rows(self) -> Iterator[Row]:
        """Make a fresh pass from the first row on; passes do not disturb each other."""
        shift = -1
        for row in self._read():
            if row.line - row.number != shift:
                shift = row.line - row.number
                self._note_shift(row.number, shift)
            yield row
        self._passed = True

    @property
    def notes(self) -> tuple[str, ...]:
        """What was left out, or decided, while the file was read; complete after a pass."""
        return self._contents.notes

    def places(self, numbers: Sequence[int], total: int = 0) -> str:
        """Return where rows are, for a message: ``line 3``, ``lines 3 and 4``; see `name_rows`."""
        if self.path is None:
            return name_rows(numbers, total)
        if not self._passed:
            for _ in self.rows():
                pass
        return named("line", list(map(self._line, numbers)), total)

    def _line(self, number: int) -> int:
        return number + self._shifts[bisect.bisect(self._starts, number) - 1]

    def _note_shift(self, number: int, shift: int) -> None:
        with self._lock:
            if not self._starts or self._starts[-1] < number:
                self._starts.append(number)
                self._shifts.append(shift)

    def close(self) -> None:
        """Close the file behind the source."""
        self._contents.close()

    def __enter__(self) -> Source:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _too_many_columns(self) -> SourceError:
        return SourceError(
            f"{self.name}: has more than {MOST_COLUMNS:,} columns; export only those that count"
        )

    def _faulty(self, number: int, text: str, line: int, problem: str, fix: str) -> Row:
        cells = dict.fromkeys(self.columns, "")
        cells[self.columns[0]] = text.strip("\r\n")
        return Row(number, cells, Problem("row", f"{problem} (line {line})", fix), line)


class Sparse:
    """Refuses a source whose rows leave nearly all of their columns out.

    The results name every column in every row: a small file would become a huge one.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._left_out = self._given = 0

    def add(self, left_out: int, given: int) -> None:
        """Count the cells that a row leaves out, and what it gives."""
        self._left_out += left_out
        self._given += given
        if self._left_out > 1_000_000 + 16 * self._given:
            raise SourceError(
                f"{self._name}: its rows leave nearly all of the columns out; export the columns"
                " that count only, the same ones in every row"
            )
