"""Workbooks as inputs: .xlsx and .ods, one sheet of which is read; the extra `excel`.

The values of the sheet are kept in a temporary file, and the workbook is let go of: every pass
reads that file, so memory is bounded from then on, and the fingerprint is that of the values.
"""

from __future__ import annotations

import datetime as dt
import os
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, islice, repeat
from typing import TYPE_CHECKING, Any, BinaryIO

import msgspec

from .contents import Contents, SourceError
from .places import named
from .sheet_scan import NotAWorkbook, Sheet, letters, sheets_of

if TYPE_CHECKING:
    from python_calamine import CalamineWorkbook

INSTALL = 'pip install "homebox-async[excel]"'
_MOST_BYTES = 512 << 20  # unpacked
_MOST_CELLS = 10_000_000  # about 100 bytes each while the sheet is read
_MOST_PARTS = 10_000
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_encode = msgspec.json.Encoder().encode

Kept = tuple[int, list[str], str]
"""A row as it is kept: its number in the sheet, its cells, and a letter for each: what it holds.

`t`ext, `n`umber, `d`ate or time, `b`oolean, `e`rror, `f`ormula without a result, `.` nothing.
"""


def number_text(value: float) -> str:
    """Return a number as a spreadsheet shows it: 1234.0 is 1234, and 15 digits are all it has."""
    return format(value, ".15g").upper() if value == value else ""


def old_workbook(file: BinaryIO, name: str) -> SourceError:
    """Return why a file in the container of old Office documents cannot be read."""
    file.seek(0)
    head = file.read(8 << 20)
    if _ENCRYPTED in head:
        return SourceError(
            f"{name}: is protected with a password; open it, remove the password (File > Info >"
            " Protect Workbook > Encrypt with Password: leave it empty), and save it"
        )
    return SourceError(
        f"{name}: is a workbook in the format of Excel before 2007; open it, and save it as .xlsx"
    )


def read_workbook(file: BinaryIO, name: str, wanted: str | None) -> Contents:
    """Return the rows of one sheet as contents of lines of JSON; `wanted`: its name.

    Raises SourceError for what cannot be read, in words.
    """
    try:
        from python_calamine import CalamineWorkbook
    except ImportError:
        raise SourceError(
            f"{name}: is a workbook, for which the extra excel is needed; run: {INSTALL}"
        ) from None
    before = os.fstat(file.fileno())
    try:
        sheet = _chosen(_looked_through(file, name), name, wanted)
        file.seek(0)
        with CalamineWorkbook.from_filelike(file) as workbook:
            made = _kept(workbook, sheet, name)
    except SourceError:
        raise
    except BaseException as error:
        # A panic of its library is no Exception.
        if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
            raise
        raise _damaged(name, error) from error
    after = os.fstat(file.fileno())
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        made.close()
        raise SourceError(
            f"{name}: changed while it was being read; start again when it is complete"
        )
    return made


def _damaged(name: str, error: BaseException) -> SourceError:
    if isinstance(error, NotAWorkbook):
        return SourceError(
            f"{name}: is a zip archive, but no workbook that can be read (.xlsx or .ods); save it"
            " as .xlsx, or the sheet as CSV (UTF-8)"
        )
    return SourceError(
        f"{name}: is a damaged workbook ({type(error).__name__}); open it in Excel or LibreOffice,"
        " let it be repaired, and save it again"
    )


def _looked_through(file: BinaryIO, name: str) -> list[Sheet]:
    """Return what the sheets hold, once the archive is known to be one that can be unpacked."""
    file.seek(0)
    try:
        with zipfile.ZipFile(file) as archive:
            parts = archive.infolist()
            total = sum(part.file_size for part in parts)
            if total > _MOST_BYTES or len(parts) > _MOST_PARTS:
                raise SourceError(
                    f"{name}: unpacks to {total >> 20:,} MB in {len(parts):,} parts, and at most"
                    f" {_MOST_BYTES >> 20} MB are read; save only the sheet with the rows, as"
                    " a workbook of its own or as CSV (UTF-8)"
                )
            if len({part.filename for part in parts}) < len(parts):
                raise zipfile.BadZipFile("a part is there twice")
            if any(part.flag_bits & 1 for part in parts) or _is_encrypted(archive):
                raise SourceError(
                    f"{name}: is protected with a password; open it, and save it without one"
                )
            for part in parts:
                # To the end: then its size and its sum are those that it states.
                with archive.open(part) as stream:
                    while stream.read(1 << 20):
                        pass
            return sheets_of(archive)
    except zipfile.BadZipFile as error:
        raise _damaged(name, error) from error


def _is_encrypted(archive: zipfile.ZipFile) -> bool:
    manifest = "META-INF/manifest.xml"
    return manifest in archive.namelist() and b"encryption-data" in archive.read(manifest)


def _chosen(sheets: Sequence[Sheet], name: str, wanted: str | None) -> Sheet:
    """Return the sheet that is meant; SourceError, with the names, where that is a question."""
    if wanted is not None:
        alike = [sheet for sheet in sheets if sheet.name.strip().casefold() == wanted.casefold()]
        exact = [sheet for sheet in sheets if sheet.name == wanted] or alike
        if len(exact) != 1:
            listed = ", ".join(repr(sheet.name) for sheet in sheets)
            raise SourceError(f"{name}: has no sheet {wanted!r}; its sheets are {listed}")
        return _checked(exact[0], name)
    shown = [sheet for sheet in sheets if sheet.is_visible and sheet.filled]
    tables = [sheet for sheet in shown if sheet.filled > 1] or shown
    if len(tables) > 1:
        listed = ", ".join(f"{sheet.name!r} ({sheet.filled:,} rows)" for sheet in tables)
        raise SourceError(
            f"{name}: has {len(tables)} sheets with rows: {listed}; say which one, such as"
            f' --sheet "{tables[0].name}"'
        )
    if not tables:
        hidden = any(sheet.filled for sheet in sheets)
        more = "; name a hidden sheet with --sheet, if that is meant" if hidden else ""
        raise SourceError(
            f"{name}: is empty; it needs a sheet with a line of column names and rows{more}"
        )
    return _checked(tables[0], name)


def _checked(sheet: Sheet, name: str) -> Sheet:
    if sheet.height * sheet.width > _MOST_CELLS:
        corner = f"{letters(sheet.width - 1)}{sheet.height}"
        raise SourceError(
            f"{name}: the sheet {sheet.name!r} reaches to {corner}, which is more than"
            f" {_MOST_CELLS:,} cells; delete what is far from the table, or save the table alone"
        )
    return sheet


# --- the values of a sheet


def _kept(workbook: CalamineWorkbook, sheet: Sheet, name: str) -> Contents:
    values = workbook.get_sheet_by_name(sheet.name)
    first = values.start[1] if values.start else 0
    file: BinaryIO = tempfile.TemporaryFile(prefix="homebox-")  # noqa: SIM115
    try:
        for row in _rows(values.iter_rows(), first, sheet):
            file.write(_encode(row) + b"\n")
        file.flush()
        kept = Contents(file, name, "utf-8")
    except BaseException:
        file.close()
        raise
    kept.notes = tuple(_notes(sheet))
    return kept


def _rows(values: Iterable[Sequence[Any]], first: int, sheet: Sheet) -> Iterator[Kept]:
    """Give the rows that hold anything and are shown, with the values of merged cells."""
    special: dict[int, dict[int, tuple[str, str]]] = {}
    for (row, column), held in sheet.special.items():
        special.setdefault(row, {})[column] = held
    starts: dict[int, list[tuple[int, int, int, int]]] = {}
    for merged in sheet.merged:
        starts.setdefault(merged[0], []).append(merged)
    spans: dict[int, tuple[int, str, str]] = {}
    empty = [""] * first
    # To the last cell that is known: what has no value is no row of its own there.
    for number, found in enumerate(islice(chain(values, repeat(())), sheet.height)):
        cells = [*empty, *found]
        kinds = []
        for column, value in enumerate(cells):
            if value == "":
                kinds.append(".")
                continue
            kind, write = _KINDS[type(value)]
            cells[column] = text = write(value)
            kinds.append(kind)
            if kind == "n" and (digits := sheet.zeros.get((number, column))):
                cells[column] = text.zfill(digits)
                kinds[column] = "t"
        for column, (kind, text) in special.get(number, {}).items():
            cells += [""] * (column + 1 - len(cells))
            kinds += "." * (column + 1 - len(kinds))
            cells[column], kinds[column] = text, kind
        for _, column, last, _ in starts.get(number, ()):
            if last > number and column < len(cells):
                spans[column] = (last, cells[column], kinds[column])
        if number in sheet.hidden_rows or not any(kind != "." for kind in kinds):
            continue
        for column, (last, text, kind) in spans.items():
            if number <= last and kinds[column] == ".":
                cells[column], kinds[column] = text, kind
        yield number + 1, cells, "".join(kinds)


def _time(value: dt.date | dt.time) -> str:
    return value.isoformat()


_KINDS: dict[type, tuple[str, Callable[[Any], str]]] = {
    str: ("t", str),
    float: ("n", number_text),
    int: ("n", str),
    bool: ("b", lambda value: str(value).lower()),
    dt.date: ("d", _time),
    dt.datetime: ("d", _time),
    dt.time: ("d", _time),
    dt.timedelta: ("d", str),
}


def _notes(sheet: Sheet) -> Iterator[str]:
    yield f"the sheet {sheet.name!r} is read"
    hidden = sorted(row + 1 for row in sheet.hidden_rows if row < sheet.height)
    if hidden:
        yield f"{named('line', hidden)} left out: hidden in the sheet (unhide to import them)"
    columns = sorted(column for column in sheet.hidden_columns if column < sheet.width)
    if columns:
        listed = ", ".join(map(letters, columns[:5])) + (" ..." if len(columns) > 5 else "")
        yield f"hidden columns are read as well: {listed}"
    down = [
        f"{letters(column)}{row + 1}:{letters(end)}{last + 1}"
        for row, column, last, end in sheet.merged
        if last > row
    ]
    if down:
        more = f" and {len(down) - 3} more" if len(down) > 3 else ""
        yield f"merged cells count for each of their rows: {', '.join(down[:3])}{more}"
