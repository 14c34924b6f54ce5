"""Cells of CSV files that any file can hold and no spreadsheet runs, and the way back.

The importer's result files, exports and `--csv` of the command line are written with them; the
importer reads them back.
"""

from __future__ import annotations

import re

# What a spreadsheet would run as a formula, at the start of a cell, of a line in it, or after what
# some of them take for the next cell's; `escape` puts one apostrophe before it.
_STARTS = "=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20"  # the last four are wide ones
_CELL_START = r"(?:^|(?<=[;\t\r\n]))"
_FORMULA = re.compile(f"{_CELL_START}(?='*[{_STARTS}])")
_ESCAPED = re.compile(f"{_CELL_START}'(?='*[{_STARTS}])")
# NUL and halves of surrogate pairs, which JSON can hold, have no place in a CSV file. They are
# written as private characters, so that they come back as they were and are refused again.
_PRIVATE = 0x100000
_HIDDEN = {0: _PRIVATE} | {code: _PRIVATE + code for code in range(0xD800, 0xE000)}
_SHOWN = {private: code for code, private in _HIDDEN.items()}
_UNFIT = re.compile("[\0\ud800-\udfff]")
_FITTED = re.compile("[\U00100000\U0010d800-\U0010dfff]")


def fitted(cell: str) -> str:
    """Return a cell that any file can hold."""
    return cell.translate(_HIDDEN) if _UNFIT.search(cell) else cell


def escape(cell: str) -> str:
    """Return a cell that any file can hold and no spreadsheet runs; `unescape` undoes it."""
    return _FORMULA.sub("'", fitted(cell))


def unescape(cell: str) -> str:
    """Undo what `escape` does to a cell."""
    if "'" in cell:
        cell = _ESCAPED.sub("", cell)
    return cell.translate(_SHOWN) if _FITTED.search(cell) else cell
