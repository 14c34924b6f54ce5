"""What CSV files and sheets have in common: titles, a line of column names, rows and totals."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from pathlib import Path

from .contents import Contents, SourceError
from .header import find_header, refuse_data_as_header
from .places import named
from .rows import MOST_COLUMNS, Source


class TableSource(Source):
    """A table with a line of column names, perhaps below titles."""

    def __init__(self, contents: Contents, path: Path | None) -> None:
        super().__init__(contents, path)
        self._header_line = 1
        self._titles: list[int] = []
        self._totals: list[int] = []

    @property
    def notes(self) -> tuple[str, ...]:
        """What was left out, or decided, while the file was read."""
        notes = list(super().notes)
        if self._titles:
            above = named("line", self._titles)
            notes.append(
                f"the column names are on line {self._header_line}; {above} above them left out"
            )
        if self._totals:
            notes.append(f"{named('line', self._totals)} left out: totals, not a row")
        return tuple(notes)

    def _note_total(self, line: int) -> None:
        if line not in self._totals:
            self._totals.append(line)

    def _find_names(
        self, records: Sequence[tuple[int, Sequence[str]]], names: Collection[str]
    ) -> int:
        """Find the line of column names among the first records; return which of them it is."""
        at = find_header(records, names)
        self._header_line = records[at][0] if records else 1
        refuse_data_as_header(
            self.name, [cells for _, cells in records[at:]], line=self._header_line
        )
        self._titles = [line for line, _ in records[:at]]
        return at

    def _named(self, names: list[str]) -> tuple[str, ...]:
        """Return the column names, of which each has to be there once."""
        while names and not names[-1]:
            names.pop()
        if not names:
            raise SourceError(f"{self.name}: has no column names; add them as its first line")
        if len(names) > MOST_COLUMNS:
            raise self._too_many_columns()
        if not all(names):
            raise SourceError(
                f"{self.name}: column {names.index('') + 1} has no name; name it or delete it"
            )
        if twice := [name for name, count in Counter(names).items() if count > 1]:
            places = " and ".join(str(i) for i, name in enumerate(names, 1) if name == twice[0])
            raise SourceError(
                f"{self.name}: columns {places} are both named {twice[0]!r}; rename one of them"
            )
        return tuple(names)

    def _refuse_no_rows(self, titles: int) -> None:
        """Raise if there are no rows; `titles`: how many records are above the column names."""
        if next(self.rows(), None) is None:
            raise SourceError(
                f"{self.name}: has column names but no rows; add the rows below the"
                f" {'column names' if titles else 'first line'}"
            )
