"""The first lines of a CSV file: its delimiter, where its column names are, and if it has any."""

from __future__ import annotations

import contextlib
import csv
import io
import re
from collections import Counter
from collections.abc import Collection, Sequence

from ..rules import uk_postcode
from .contents import SourceError

_NOT_ALNUM = re.compile(r"[\W_]+")
_DELIMITERS = ",;\t|"
_SAMPLE_ROWS = 20
_UUID = re.compile(r"\{?[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\}?", re.IGNORECASE)
_NUMBER = re.compile(r"[£$€]?(\d{5,}|\d[\d,]*\.\d+)")
_TOTAL = re.compile(r"(grand |sub[ -]?)?totals?( [a-z]+)?:?", re.IGNORECASE)
_AMOUNT = re.compile(r"[£$€]?-?[\d,]+(\.\d+)?")
_DATE = re.compile(r"\d{4}-\d\d-\d\d([ T].*)?|\d{1,2}[/.-]\d{1,2}[/.-]\d{2,4}")


def plain(name: str) -> str:
    """Return a name without case, spaces and punctuation."""
    return _NOT_ALNUM.sub("", name.casefold())


def sample_records(sample: str, delimiter: str) -> list[tuple[int, list[str]]]:
    """Return the first records of a sample with their lines, read without objections."""
    # Up to a cell of more than a megabyte, which the rows are refused for.
    records: list[tuple[int, list[str]]] = []
    reader = csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter)
    with contextlib.suppress(csv.Error):
        for line, cells in enumerate(reader, 1):
            if any(cells):
                records.append((line, cells))
            if len(records) > _SAMPLE_ROWS:
                break
    return records


def find_header(records: Sequence[tuple[int, Sequence[str]]], names: Collection[str]) -> int:
    """Return which of the records has the column names: the first one, or one below titles.

    `names`: those that are recognised, as `plain` leaves them.
    """
    known = [sum(plain(cell) in names for cell in cells) for _, cells in records]
    if known and known[0] < 2:
        by_name = next((i for i, count in enumerate(known) if count >= 2), 0)
        if by_name:
            return by_name
    filled = [sum(map(bool, cells)) for _, cells in records]
    # Cells beside the title show that it stands above a table, and is not the one column's name.
    if filled and filled[0] == 1 and len(records[0][1]) > 1:
        return next((i for i, count in enumerate(filled) if count > 1), 0)
    return 0


def is_total(cells: Sequence[str]) -> bool:
    """Return True for a row of totals: the word, and numbers only."""
    filled = [cell.strip() for cell in cells if cell and not cell.isspace()]
    return (
        len(filled) < len(cells)
        and _TOTAL.fullmatch(filled[0]) is not None
        and all(map(_AMOUNT.fullmatch, filled[1:]))
    )


def find_delimiter(sample: str) -> str:
    """Return the delimiter with which most records have the same number of cells, above one."""
    best, found = (0.0, 0), ","
    for delimiter in _DELIMITERS:
        widths = [len(cells) for _, cells in sample_records(sample, delimiter)]
        if widths and widths[0] > 1:
            width, count = Counter(widths).most_common(1)[0]
            score = (count / len(widths), width)
            if width > 1 and score > best:
                best, found = score, delimiter
    return found


def _data_kind(cell: str) -> str:
    """Return what a cell holds that is never the name of a column, or ""."""
    cell = cell.strip()
    if uk_postcode(cell) is None:
        return "a full postcode"
    return "a UUID" if _UUID.fullmatch(cell) else ""


def refuse_data_as_header(name: str, records: Sequence[Sequence[str]], *, line: int) -> None:
    """Raise if the first record holds a row: there is no header, or the row was joined to it.

    `line`: where it stands.

    Numbers and dates alone prove nothing, as columns may be named by years: they count where
    the line begins with one, or where the line is as long as two rows joined.
    """
    if not records:
        return
    header, rows = records[0], records[1:]
    width = Counter(map(len, rows)).most_common(1)[0][0] if rows else 0
    joined = width > 1 and len(header) > width
    place, kind = next(
        ((i, kind) for i, cell in enumerate(header, 1) if (kind := _data_kind(cell))), (0, "")
    )
    plain = [bool(_NUMBER.fullmatch(c.strip()) or _DATE.fullmatch(c.strip())) for c in header]
    if not kind and plain[0] and sum(plain) * 2 >= len(header):
        place, kind = 1, "a number or a date"
    if not kind and len(rows) > 1 and {len(row) for row in rows} == {width}:
        tail = header[width - 1 :]
        if len(header) == 2 * width - 1 and any(
            not cell or any(map(str.isdigit, cell)) for cell in tail
        ):
            place, kind = width, "the last name and the first cell of a row"
    if not kind:
        return
    if joined:
        raise SourceError(
            f"{name}: line {line} holds the column names and the first row together (cell {place}"
            f" is {kind}); put a line break after the last column name"
        )
    raise SourceError(
        f"{name}: line {line} is a row, not the column names (cell {place} is {kind}); add a first"
        " line such as line1,line2,city,county,postcode,property_reference"
    )
