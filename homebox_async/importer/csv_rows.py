"""CSV files as sources: dialects, faulty rows, and what spreadsheets put around a table."""

from __future__ import annotations

import csv
import re
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from ..cells import unescape
from .contents import Contents, SourceError
from .header import find_delimiter, is_total, sample_records
from .rows import Row, Sparse
from .tables import TableSource

_DELIMITER_NAMES = {"tab": "\t", "\\t": "\t"}
# The limit that `csv` begins with. It is one for the whole process and others may raise it, so
# cells are measured here as well.
_LONGEST_CELL = 1 << 17
_BAD_QUOTE = ("has a quote in the wrong place", 'write a quote inside a quoted cell as ""')
_TOO_LONG = (f"has a cell of more than {_LONGEST_CELL:,} characters", "shorten it")
_SEPARATOR_LINE = re.compile(r"\ufeff?\"?sep=(.)\"?\r?\n?", re.IGNORECASE)


class CsvSource(TableSource):
    """A CSV file.

    `names`: the names by which columns are recognised, which find the header below titles.
    """

    def __init__(
        self,
        contents: Contents,
        path: Path | None,
        sample: str,
        delimiter: str | None,
        names: Collection[str] = (),
    ) -> None:
        super().__init__(contents, path)
        # Excel writes its separator into a line that it does not show.
        hidden = _SEPARATOR_LINE.match(sample)
        self._skipped = 1 if hidden else 0
        if hidden:
            sample = sample[hidden.end() :]
        if delimiter is not None:
            self._delimiter = self._checked(delimiter)
        else:
            self._delimiter = hidden[1] if hidden else find_delimiter(sample)
        self.fingerprint = f"{contents.fingerprint}:csv:{contents.encoding}:{self._delimiter}"
        at = self._find_names(sample_records(sample, self._delimiter), names)
        self.columns = self._header()
        self._refuse_no_rows(at)

    def _read(self) -> Iterator[Row]:
        columns, width = self.columns, len(self.columns)
        taken: list[str] = []
        sparse = Sparse(self.name)
        widths = {width}
        number = 0
        for cells, line in self._records(taken):
            if line <= self._header_line:
                continue
            text = taken[0] if len(taken) == 1 else "".join(taken)
            if cells is None or len(cells) > width or len(text) > _LONGEST_CELL or len(taken) > 1:
                wrong = self._fault(cells, taken, text, line, widths)
                if cells is None or wrong is not None:
                    number += 1
                    yield self._faulty(number, text, line, *(wrong or _BAD_QUOTE))
                    continue
            if len(cells) < width:
                # Spreadsheets leave out the cells that are empty at the end of a row.
                widths.add(len(cells))
                sparse.add(width - len(cells), len(text))
                cells += [""] * (width - len(cells))
            if "'" in text or not text.isascii():
                cells = list(map(unescape, cells))
            if ("otal" in text or "OTAL" in text) and is_total(cells):
                self._note_total(line)
                continue
            number += 1
            yield Row(number, dict(zip(columns, cells, strict=False)), None, line)

    def _fault(
        self,
        cells: Sequence[str] | None,
        taken: Sequence[str],
        text: str,
        line: int,
        widths: Collection[int],
    ) -> tuple[str, str] | None:
        """Return what is wrong with a record as a whole, and the fix."""
        if len(text) > _LONGEST_CELL and (
            max(map(len, cells)) > _LONGEST_CELL if cells else len(taken) == 1
        ):
            return _TOO_LONG
        if len(taken) > 1 and (cells is None or self._swallowed(cells, taken, widths)):
            last = line + len(taken) - 1
            problem = (
                f"holds a quote that opens on line {line} and closes on line {last}, so that"
                f" {len(taken)} lines became one row"
            )
            return problem, f"close the quote on line {line}; import these lines as a file"
        width = len(self.columns)
        if cells is not None and len(cells) > width and any(cells[width:]):
            return (
                f"has {len(cells)} cells, but there are {width} columns",
                f"put quotes around a cell that holds {self._delimiter!r}",
            )
        return None

    def _swallowed(
        self, cells: Sequence[str], taken: Sequence[str], widths: Collection[int]
    ) -> bool:
        """Return True if every line of a record looks like a row of its own.

        A delimiter before a space is punctuation, as in an address of several lines.
        """
        tight = re.compile(re.escape(self._delimiter) + r"(?! )")
        return any("\n" in cell or "\r" in cell for cell in cells if tight.search(cell)) and all(
            len(tight.findall(line)) + 1 in widths for line in taken
        )

    def _records(self, taken: list[str]) -> Iterator[tuple[list[str] | None, int]]:
        """Give the cells (None: bad quotes) of every record and the line that shows it.

        The record's lines are in `taken` then. Records without any text are skipped:
        spreadsheets write them after the last row.
        """
        lines = self._contents.lines(taken)
        for _ in range(self._skipped):
            next(lines, None)
        reader = csv.reader(lines, delimiter=self._delimiter, strict=True)
        # A spreadsheet shows a cell of several lines in one row.
        line = 0
        while True:
            taken.clear()
            line += 1
            cells: list[str] | None
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error:
                cells = None
                if len(taken) > 1 and not self._closes(taken):
                    raise SourceError(
                        f"{self.name}: a quote that opens on line {line} is not closed by line"
                        f' {line + len(taken) - 1}; close it, or write a quote inside a cell as ""'
                    ) from None
            if cells is None or any(cells):
                yield cells, line

    def _closes(self, taken: Sequence[str]) -> bool:
        """Return True if the quote of a bad record ends in its last line, with text behind it."""
        return '"' in taken[-1] and len("".join(taken)) <= _LONGEST_CELL

    def _header(self) -> tuple[str, ...]:
        taken: list[str] = []
        line = self._header_line
        records = self._records(taken)
        cells, _ = next((each for each in records if each[1] >= line), ([], 0))
        if cells is None and max(map(len, taken)) > _LONGEST_CELL:
            raise SourceError(
                f"{self.name}: the column names on line {line} are longer than"
                f" {_LONGEST_CELL:,} characters; check what file this is"
            )
        if cells is None:
            raise SourceError(
                f"{self.name}: the column names on line {line} have a quote in the"
                ' wrong place; write a quote inside a quoted name as ""'
            )
        if len(taken) > 1 and self._swallowed(cells, taken, {len(cells)}):
            raise SourceError(
                f"{self.name}: a quote that opens in the column names on line {line} closes on"
                f" line {line + len(taken) - 1}; close it on line {line}"
            )
        return self._named([unescape(cell).strip() for cell in cells])

    def _checked(self, delimiter: str) -> str:
        delimiter = _DELIMITER_NAMES.get(delimiter, delimiter)
        if len(delimiter) != 1 or delimiter in '"\r\n':
            raise SourceError(
                f"{self.name}: the delimiter {delimiter!r} cannot be used;"
                " give one character, such as , or ; or tab"
            )
        return delimiter
