"""The rows of a sheet as a source, from where `workbook` has kept its values."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from itertools import islice
from pathlib import Path

import msgspec

from .contents import Contents
from .header import is_total
from .rows import Row, Stored
from .sheet_scan import letters
from .tables import TableSource
from .workbook import Kept

_SAMPLE_ROWS = 20
_decode = msgspec.json.Decoder(Kept).decode


class SheetSource(TableSource):
    """A sheet; its rows are those that hold anything, and their lines those of the sheet.

    `names`: the names by which columns are recognised, which find the header below titles.
    """

    writes_workbooks = True

    def __init__(self, contents: Contents, path: Path | None, names: Collection[str] = ()) -> None:
        super().__init__(contents, path)
        self.fingerprint = f"{contents.fingerprint}:sheet"
        sample = [(line, cells) for line, cells, _ in islice(self._kept(), _SAMPLE_ROWS)]
        at = self._find_names(sample, names)
        found = sample[at][1] if sample else []
        # Without a name and without a value there is no column; with values it is called by its
        # letter, so that nothing is lost.
        filled = {
            column
            for line, cells, _ in self._kept()
            if line > self._header_line
            for column, cell in enumerate(cells)
            if cell
        }
        named = {column: name.strip() for column, name in enumerate(found) if name.strip()}
        self._unnamed = sorted(filled - named.keys())
        named |= {column: f"column {letters(column)}" for column in self._unnamed}
        self._places = sorted(named)
        self.columns = self._named([named[column] for column in self._places])
        self._index = {named[column]: column for column in self._places}
        self._refuse_no_rows(at)

    @property
    def notes(self) -> tuple[str, ...]:
        """What was left out, or decided, while the sheet was read."""
        unnamed = ", ".join(map(letters, self._unnamed))
        told = f"without a name on line {self._header_line}: column {unnamed}"
        return (*super().notes, *([told] if unnamed else []))

    def _kept(self) -> Iterator[Kept]:
        taken: list[str] = []
        for text in self._contents.lines(taken):
            taken.clear()
            yield _decode(text)

    def _read(self) -> Iterator[Row]:
        columns, places = self.columns, self._places
        width = places[-1] + 1
        number = 0
        for line, cells, kinds in self._kept():
            if line <= self._header_line:
                continue
            if len(cells) < width:
                cells += [""] * (width - len(cells))
            values = [cells[place] for place in places]
            if is_total(values):
                self._note_total(line)
                continue
            if not any(values) and not kinds.strip("."):
                continue
            number += 1
            yield Row(
                number,
                dict(zip(columns, values, strict=True)),
                None,
                line,
                Stored(kinds, line, self._index),
            )
