"""Where the rows of an import come from: CSV, JSON, workbooks, or any iterable of mappings.

What is wrong with a file as a whole is reported when it is opened; what is wrong with a row comes
with the row.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
from collections.abc import AsyncIterable, Collection, Iterable, Mapping
from pathlib import Path
from typing import Any, BinaryIO, cast

from .contents import Contents, SourceError, open_binary
from .csv_rows import CsvSource
from .frames import Frame, rows_of
from .json_rows import ArraySource, JsonSource, Spooler
from .rows import Row, Source
from .sheet_rows import SheetSource
from .streams import copied, unpacked
from .workbook import old_workbook, read_workbook

__all__ = ["Row", "Source", "SourceError", "open_source", "spool"]

_JSON_SUFFIXES = {".jsonl", ".ndjson", ".json"}
_SAMPLE = 1 << 16
_YIELD_EVERY = 500
_GZIP, _ZIP, _OLD_OFFICE = b"\x1f\x8b", b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
STDIN = "stdin"
"""What the rows of a stream are called, and their journal and results."""


def open_source(
    source: str | os.PathLike[str] | BinaryIO | Frame | Iterable[Mapping[str, Any]],
    *,
    delimiter: str | None = None,
    encoding: str | None = None,
    sheet: str | None = None,
    names: Collection[str] = (),
) -> Source:
    """Open a file (CSV, JSON, a workbook, any of them with gzip), or take mappings.

    A binary stream is copied to a temporary file first, under the name "stdin".

    A file is looked through once, which takes about a second for 300 MB: call it outside of the
    event loop. `delimiter` and `encoding` are found out where they are not given. `sheet`: which
    one of a workbook, where several have rows.
    `names`: of columns, as `plain` leaves them, by which the line of names is found below titles.
    """
    if isinstance(source, (str, os.PathLike)):
        # Path would drop a trailing slash.
        name, path = os.path.basename(source), Path(source)  # noqa: PTH119
        return _recognise(open_binary(source), name, path, delimiter, encoding, sheet, names)
    if hasattr(source, "read"):
        file = copied(cast(BinaryIO, source), STDIN)
        return _recognise(file, STDIN, None, delimiter, encoding, sheet, names)
    rows = rows_of(source)
    spooler = Spooler("rows")
    with spooler.guard():
        for mapping in rows:
            spooler.add(mapping)
        return spooler.finish()


async def spool(
    source: Frame | AsyncIterable[Mapping[str, Any]] | Iterable[Mapping[str, Any]],
    name: str = "rows",
) -> Source:
    """Write the mappings to a private temporary file, which has no name, as a source.

    The iterable is consumed in the running loop; other tasks run meanwhile.
    """
    spooler = Spooler(name)
    with spooler.guard():
        rows = rows_of(source)
        if isinstance(rows, AsyncIterable):
            async for mapping in rows:
                spooler.add(mapping)
        else:
            for number, mapping in enumerate(rows):
                spooler.add(mapping)
                if number % _YIELD_EVERY == 0:
                    await asyncio.sleep(0)
        return await asyncio.to_thread(spooler.finish)


def _recognise(
    file: BinaryIO,
    name: str,
    path: Path | None,
    delimiter: str | None,
    encoding: str | None,
    sheet: str | None,
    names: Collection[str],
) -> Source:
    """Return the source that the bytes of a file are; it is closed with it, or at an error."""
    inner = name
    with contextlib.ExitStack() as stack:
        stack.callback(lambda: file.close())
        if _head(file).startswith(_GZIP):
            packed, file = file, unpacked(file, name)
            packed.close()
            inner = name[:-3] if name.lower().endswith(".gz") else name
        head = _head(file)
        if head.startswith(_OLD_OFFICE):
            raise old_workbook(file, name)
        if head.startswith(_ZIP):
            contents = read_workbook(file, name, sheet)
            file.close()
            file = contents.file
            found: Source = SheetSource(contents, path, names)
        elif sheet is not None:
            raise SourceError(f"{name}: is no workbook, so it has no sheets; leave --sheet out")
        else:
            contents = Contents(file, name, encoding)
            found = _text(contents, path, Path(inner).suffix.lower(), delimiter, names)
        stack.pop_all()
    return found


def _head(file: BinaryIO) -> bytes:
    file.seek(0)
    return file.read(4)


def _text(
    contents: Contents,
    path: Path | None,
    suffix: str,
    delimiter: str | None,
    names: Collection[str],
) -> Source:
    with contents.text() as text:
        start = text.read(_SAMPLE)
        whole = not text.read(1)
    first = start.lstrip()
    if not first and whole:
        raise SourceError(f"{contents.name}: is empty; it needs a line of column names and rows")
    is_json = suffix in _JSON_SUFFIXES
    if first.startswith("[") and (is_json or re.match(r"\[\s*[{\]]", first)):
        return ArraySource(contents, path)
    if is_json or first.startswith("{"):
        return JsonSource(contents, path)
    # A line that the sample cuts off says nothing, unless it is the only one.
    sample = start if whole else start.rpartition("\n")[0] or start
    return CsvSource(contents, path, sample, delimiter, names)
