"""Where the rows of an import come from: CSV, JSON lines, or any iterable of mappings.

What is wrong with a file as a whole is reported when it is opened; what is wrong with a row comes
with the row.
"""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import AsyncIterable, Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

from .contents import Contents, SourceError
from .csv_rows import CsvSource
from .json_rows import JsonSource, Spooler
from .rows import Row, Source

__all__ = ["Row", "Source", "SourceError", "open_source", "spool"]

_JSON_SUFFIXES = {".jsonl", ".ndjson", ".json"}
_SAMPLE = 1 << 16
_YIELD_EVERY = 500


def open_source(
    source: str | os.PathLike[str] | Iterable[Mapping[str, Any]],
    *,
    delimiter: str | None = None,
    encoding: str | None = None,
    names: Collection[str] = (),
) -> Source:
    """Open a CSV or JSON lines file, or take any iterable of mappings.

    A file is looked through once, which takes about a second for 300 MB: call it outside of the
    event loop. `delimiter` and `encoding` are found out where they are not given.
    `names`: of columns, as `plain` leaves them, by which the line of names is found below titles.
    """
    if not isinstance(source, (str, os.PathLike)):
        spooler = Spooler("rows")
        with spooler.guard():
            for mapping in source:
                spooler.add(mapping)
            return spooler.finish()
    contents = Contents.open(source, encoding)
    try:
        return _recognise(contents, Path(source), delimiter, names)
    except BaseException:
        contents.close()
        raise


async def spool(
    source: AsyncIterable[Mapping[str, Any]] | Iterable[Mapping[str, Any]], name: str = "rows"
) -> Source:
    """Write the mappings to a private temporary file, which has no name, as a source.

    The iterable is consumed in the running loop; other tasks run meanwhile.
    """
    spooler = Spooler(name)
    with spooler.guard():
        if isinstance(source, AsyncIterable):
            async for mapping in source:
                spooler.add(mapping)
        else:
            for number, mapping in enumerate(source):
                spooler.add(mapping)
                if number % _YIELD_EVERY == 0:
                    await asyncio.sleep(0)
        return await asyncio.to_thread(spooler.finish)


def _recognise(
    contents: Contents, path: Path, delimiter: str | None, names: Collection[str]
) -> Source:
    with contents.text() as text:
        start = text.read(_SAMPLE)
        whole = not text.read(1)
    first = start.lstrip()
    if not first and whole:
        raise SourceError(f"{contents.name}: is empty; it needs a line of column names and rows")
    json_suffix = path.suffix.lower() in _JSON_SUFFIXES
    if first.startswith("[") and (json_suffix or re.match(r"\[\s*[{\]]", first)):
        raise SourceError(
            f"{contents.name}: is one JSON array; write one object a line (jq -c '.[]' does it)"
        )
    if json_suffix or first.startswith("{"):
        return JsonSource(contents, path)
    # A line that the sample cuts off says nothing, unless it is the only one.
    sample = start if whole else start.rpartition("\n")[0] or start
    return CsvSource(contents, path, sample, delimiter, names)
