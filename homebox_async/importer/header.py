"""The first lines of a CSV file: which delimiter it has, and whether it has a header at all."""

from __future__ import annotations

import csv
import io
import itertools
import re
from collections import Counter
from collections.abc import Sequence

from ..rules import uk_postcode
from .contents import SourceError

_DELIMITERS = ",;\t|"
_SAMPLE_ROWS = 20
_UUID = re.compile(r"\{?[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\}?", re.IGNORECASE)
_NUMBER = re.compile(r"[£$€]?(\d{5,}|\d[\d,]*\.\d+)")
_DATE = re.compile(r"\d{4}-\d\d-\d\d([ T].*)?|\d{1,2}[/.-]\d{1,2}[/.-]\d{2,4}")


def sample_records(sample: str, delimiter: str) -> list[list[str]]:
    """Return the first records of a sample, read without objections."""
    reader = csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter)
    return list(itertools.islice(filter(any, reader), _SAMPLE_ROWS + 1))


def find_delimiter(sample: str) -> str:
    """Return the delimiter with which most records have the same number of cells, above one."""
    best, found = (0.0, 0), ","
    for delimiter in _DELIMITERS:
        widths = [len(record) for record in sample_records(sample, delimiter)]
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


def refuse_data_as_header(name: str, records: Sequence[Sequence[str]]) -> None:
    """Raise if the first line holds a row: there is no header, or the row was joined to it.

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
            f"{name}: line 1 holds the column names and the first row together (cell {place} is"
            f" {kind}); put a line break after the last column name"
        )
    raise SourceError(
        f"{name}: line 1 is a row, not the column names (cell {place} is {kind}); add a first line"
        " such as line1,line2,city,county,postcode,property_reference"
    )
