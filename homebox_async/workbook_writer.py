"""Workbooks of one sheet, all of whose cells are text, row by row; the extra `excel`.

Text stays as it is when the workbook is opened and saved again: no reference loses its zeros, no
house number becomes a date, and nothing is run as a formula.
"""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterable, Sequence
from typing import Any, BinaryIO

from .cells import fitted

INSTALL = 'pip install "homebox-async[excel]"'
MOST_ROWS = (1 << 20) - 1
"""Rows of a sheet below its line of names."""
LONGEST_CELL = 32_767
_WIDTH = 18  # characters


class DoesNotFit(ValueError):
    """A sheet cannot hold it; the text says why."""


def has_library() -> bool:
    """Return True if workbooks can be written here."""
    try:
        import xlsxwriter  # noqa: F401
    except ImportError:
        return False
    return True


class WorkbookWriter:
    """Writes rows to a binary file; memory stays flat. `close` writes the file itself."""

    def __init__(self, file: BinaryIO, columns: Sequence[str]) -> None:
        import xlsxwriter

        # Of this process alone, as what it keeps on the way is as personal as the rows.
        self._folder = tempfile.TemporaryDirectory(prefix="homebox-", ignore_cleanup_errors=True)
        options = {"constant_memory": True, "tmpdir": self._folder.name}
        self._book: Any = xlsxwriter.Workbook(file, options)
        text = self._book.add_format({"num_format": "@"})
        self._text = text
        self._sheet: Any = self._book.add_worksheet()
        self._columns = columns
        self._sheet.set_column(0, max(0, len(columns) - 1), _WIDTH, text)
        self._sheet.freeze_panes(1, 0)
        self._row = 0
        try:
            self._write(columns, self._book.add_format({"num_format": "@", "bold": True}))
        except BaseException:
            self.discard()
            raise

    def add(self, rows: Iterable[Sequence[str]]) -> None:
        """Add rows; DoesNotFit is raised for what no sheet can hold."""
        for cells in rows:
            if self._row > MOST_ROWS:
                raise DoesNotFit(f"a sheet holds {MOST_ROWS:,} rows at the most")
            self._write(cells, self._text)

    def _write(self, cells: Sequence[str], format: Any) -> None:
        write = self._sheet.write_string
        for column, cell in enumerate(cells):
            if len(cell) > LONGEST_CELL:
                raise DoesNotFit(
                    f"{self._columns[column]} of row {self._row} has {len(cell):,} characters, and"
                    f" a cell of a workbook holds {LONGEST_CELL:,} at the most"
                )
            if cell:
                write(self._row, column, fitted(cell), format)
        self._row += 1

    def close(self) -> None:
        """Write the workbook to its file."""
        from xlsxwriter.exceptions import FileCreateError

        try:
            self._book.close()
        except FileCreateError as error:
            [reason] = error.args
            raise reason if isinstance(reason, OSError) else OSError(str(reason)) from error
        finally:
            self.discard()

    def discard(self) -> None:
        """Drop what was kept on the way, once or more often."""
        self._book.fileclosed = True
        # Closing writes what is buffered, which fails where the disk is full.
        with contextlib.suppress(OSError):
            self._sheet.row_data_fh.close()
        self._folder.cleanup()
