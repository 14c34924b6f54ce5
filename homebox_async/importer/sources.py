"""Where the rows of an import come from: CSV, JSON lines, or any iterable of mappings.

A source can be read again from the start, any number of times and at once: planning, sending
and writing the results each make their own pass, and memory stays flat.
What is wrong with a file as a whole is told when it is opened; what is wrong with a row comes
with the row.
"""

from __future__ import annotations

import abc
import asyncio
import contextlib
import csv
import datetime as dt
import decimal
import json
import os
import re
import tempfile
import uuid
from collections import Counter
from collections.abc import AsyncIterable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from ..cells import unescape
from ..errors import Problem
from .contents import Contents, SourceError
from .header import find_delimiter, refuse_data_as_header, sample_records

__all__ = ["Row", "Source", "SourceError", "open_source", "spool"]

_DELIMITER_NAMES = {"tab": "\t", "\\t": "\t"}
_JSON_SUFFIXES = {".jsonl", ".ndjson", ".json"}
_LONGEST_CELL = 1 << 20
_SAMPLE = 1 << 16
_YIELD_EVERY = 500

_MOST_COLUMNS = 10_000
_BAD_QUOTE = ("has a quote in the wrong place", 'write a quote inside a quoted cell as ""')
_TOO_LONG = (f"has a cell of more than {_LONGEST_CELL:,} characters", "shorten it")


class Row(NamedTuple):
    """One row: `number` counts from 1; `cells` has every column of the source.

    `fault` is set when the row itself is malformed: its whole text then stands in the first
    column, so that no value ends up under a wrong name.
    """

    number: int
    cells: Mapping[str, str]
    fault: Problem | None = None


class Source(abc.ABC):
    """Rows that can be read again from the start.

    `name` is for messages and default file names, `path` is None for rows that came from memory,
    `columns` are in the order of the source.
    `fingerprint` tells the content, and how it is read, from any other.
    """

    columns: tuple[str, ...]
    fingerprint: str

    def __init__(self, contents: Contents, path: Path | None = None) -> None:
        self.name = contents.name
        self.path = path
        self._contents = contents

    @abc.abstractmethod
    def rows(self) -> Iterator[Row]:
        """Make a fresh pass from the first row on; passes do not disturb each other."""

    def close(self) -> None:
        """Close the file behind the source."""
        self._contents.close()

    def __enter__(self) -> Source:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _too_many_columns(self) -> SourceError:
        return SourceError(
            f"{self.name}: has more than {_MOST_COLUMNS:,} columns; export only those that count"
        )

    def _faulty(self, number: int, text: str, line: int, problem: str, fix: str) -> Row:
        cells = dict.fromkeys(self.columns, "")
        cells[self.columns[0]] = text.strip("\r\n")
        return Row(number, cells, Problem("row", f"{problem} (line {line})", fix))


def open_source(
    source: str | os.PathLike[str] | Iterable[Mapping[str, Any]],
    *,
    delimiter: str | None = None,
    encoding: str | None = None,
) -> Source:
    """Open a CSV or JSON lines file, or take any iterable of mappings.

    A file is looked through once, which takes about a second for 300 MB: call it outside of the
    event loop. `delimiter` and `encoding` are found out where they are not given.
    """
    if not isinstance(source, (str, os.PathLike)):
        spooler = _Spooler("rows")
        with spooler.guard():
            for mapping in source:
                spooler.add(mapping)
            return spooler.finish()
    contents = Contents.open(source, encoding)
    try:
        return _recognise(contents, Path(source), delimiter)
    except BaseException:
        contents.close()
        raise


async def spool(
    source: AsyncIterable[Mapping[str, Any]] | Iterable[Mapping[str, Any]], name: str = "rows"
) -> Source:
    """Write the mappings to a private temporary file, which has no name, as a source.

    The iterable is consumed in the running loop; other tasks run meanwhile.
    """
    spooler = _Spooler(name)
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


def _recognise(contents: Contents, path: Path, delimiter: str | None) -> Source:
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
        return _JsonSource(contents, path)
    # A line that the sample cuts off says nothing, unless it is the only one.
    sample = start if whole else start.rpartition("\n")[0] or start
    return _CsvSource(contents, path, sample, delimiter)


class _CsvSource(Source):
    def __init__(self, contents: Contents, path: Path, sample: str, delimiter: str | None) -> None:
        super().__init__(contents, path)
        csv.field_size_limit(max(csv.field_size_limit(), _LONGEST_CELL))
        self._delimiter = find_delimiter(sample) if delimiter is None else self._checked(delimiter)
        self.fingerprint = f"{contents.fingerprint}:csv:{contents.encoding}:{self._delimiter}"
        refuse_data_as_header(self.name, sample_records(sample, self._delimiter))
        self.columns = self._header()
        if next(self.rows(), None) is None:
            raise SourceError(
                f"{self.name}: has column names but no rows; add the rows below the first line"
            )

    def rows(self) -> Iterator[Row]:
        columns, width = self.columns, len(self.columns)
        taken: list[str] = []
        records = self._records(taken)
        next(records, None)  # the header
        for number, (cells, end) in enumerate(records, 1):
            text = taken[0] if len(taken) == 1 else "".join(taken)
            if cells is None:
                wrong, fix = _TOO_LONG if len(text) > _LONGEST_CELL else _BAD_QUOTE
                yield self._faulty(number, text, end - len(taken) + 1, wrong, fix)
                continue
            if len(text) > _LONGEST_CELL and any(len(cell) > _LONGEST_CELL for cell in cells):
                # The limit of the csv module is the process's: others may have raised it.
                yield self._faulty(number, text, end - len(taken) + 1, *_TOO_LONG)
                continue
            if len(cells) != width and (len(cells) < width or any(cells[width:])):
                yield self._faulty(
                    number,
                    text,
                    end - len(taken) + 1,
                    f"has {len(cells)} cells, but there are {width} columns",
                    f"put quotes around a cell that holds {self._delimiter!r}",
                )
                continue
            if "'" in text or not text.isascii():
                cells = list(map(unescape, cells))
            yield Row(number, dict(zip(columns, cells, strict=False)))

    def _records(self, taken: list[str]) -> Iterator[tuple[list[str] | None, int]]:
        """Give the cells (None: bad quotes) and the last line's number of every record.

        The record's lines are in `taken` then. Records without any text are skipped:
        spreadsheets write them after the last row.
        """
        reader = csv.reader(self._contents.lines(taken), delimiter=self._delimiter, strict=True)
        while True:
            taken.clear()
            cells: list[str] | None
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error:
                # Within one line, the damage ends with the line. Over several, rows that nobody
                # could count have been taken for one cell.
                if len(taken) > 1:
                    raise SourceError(
                        f"{self.name}: a quoted cell that starts on line"
                        f" {reader.line_num - len(taken) + 1} is not closed by line"
                        f' {reader.line_num}; close it, or write a quote inside it as ""'
                    ) from None
                cells = None
            if cells is None or any(cells):
                yield cells, reader.line_num

    def _header(self) -> tuple[str, ...]:
        taken: list[str] = []
        cells, end = next(self._records(taken), ([], 0))
        if cells is None:
            raise SourceError(
                f"{self.name}: the column names on line {end - len(taken) + 1} have a quote in the"
                ' wrong place; write a quote inside a quoted name as ""'
            )
        names = [unescape(cell).strip() for cell in cells]
        while names and not names[-1]:
            names.pop()
        if not names:
            raise SourceError(f"{self.name}: has no column names; add them as its first line")
        if len(names) > _MOST_COLUMNS:
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

    def _checked(self, delimiter: str) -> str:
        delimiter = _DELIMITER_NAMES.get(delimiter, delimiter)
        if len(delimiter) != 1 or delimiter in '"\r\n':
            raise SourceError(
                f"{self.name}: the delimiter {delimiter!r} cannot be used;"
                " give one character, such as , or ; or tab"
            )
        return delimiter


class _JsonSource(Source):
    def __init__(self, contents: Contents, path: Path | None) -> None:
        super().__init__(contents, path)
        self.fingerprint = f"{contents.fingerprint}:jsonl:{contents.encoding}"
        # All rows are looked at: a key that only later rows have must be a column as well, or
        # its values would be lost without a word.
        columns: dict[str, None] = {}
        bad = 0
        for cells, _, line in self._objects():
            if isinstance(cells, str):
                bad = bad or line
            elif not cells.keys() <= columns.keys():
                columns.update(dict.fromkeys(cells))
                if len(columns) > _MOST_COLUMNS:
                    raise self._too_many_columns()
        if not columns:
            place = f"line {bad} is not one; " if bad else ""
            raise SourceError(
                f"{self.name}: holds no JSON objects; {place}write one a line, such as"
                ' {"line1": "1 High St", "city": "Leeds", "postcode": "LS1 1AA"}'
            )
        self.columns = tuple(columns)

    def rows(self) -> Iterator[Row]:
        empty = dict.fromkeys(self.columns, "")
        for number, (cells, text, line) in enumerate(self._objects(), 1):
            if isinstance(cells, str):
                yield self._faulty(number, text, line, cells, "write one flat JSON object a line")
            else:
                yield Row(number, empty | cells)

    def _objects(self) -> Iterator[tuple[dict[str, str] | str, str, int]]:
        """Give the cells (or what is wrong), the text and the line number of every object."""
        taken: list[str] = []
        for number, line in enumerate(self._contents.lines(taken), 1):
            taken.clear()
            if line.isspace():
                continue
            cells: dict[str, str] = {}
            try:
                _flatten(_decode(line), "", cells)
            except json.JSONDecodeError as exc:
                yield f"is not valid JSON ({exc.msg} at character {exc.pos + 1})", line, number
            except RecursionError:
                yield "is nested too deeply", line, number
            except ValueError as exc:
                yield str(exc), line, number
            else:
                yield cells, line, number


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("names a key twice")
    return found


def _constant(name: str) -> Any:
    raise ValueError(f"holds {name}, which is not JSON")


# Numbers keep their text: 12.50 stays 12.50, and no reference is rounded.
_decode = json.JSONDecoder(
    object_pairs_hook=_object, parse_float=str, parse_int=str, parse_constant=_constant
).decode


def _flatten(value: Any, prefix: str, cells: dict[str, str]) -> None:
    if not isinstance(value, dict):
        raise ValueError("is not a JSON object")
    for key, item in value.items():
        name = prefix + key
        if isinstance(item, dict):
            _flatten(item, name + ".", cells)
            continue
        if isinstance(item, list):
            raise ValueError(f"has a list under {name!r}")
        if not key.strip():
            raise ValueError("has a key without a name")
        if name in cells:
            raise ValueError(f"names {name!r} twice")
        if isinstance(item, str):
            cells[name] = item
        else:
            cells[name] = "" if item is None else str(item).lower()  # True -> true


class _Spooler:
    """Writes mappings as JSON lines to a temporary file that only this process can reach."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._count = 0
        self._encode = json.JSONEncoder(default=_plain).encode
        try:
            self._file: BinaryIO = tempfile.TemporaryFile(prefix="homebox-")  # noqa: SIM115
        except OSError as exc:
            raise self._unwritable(exc) from exc

    @contextlib.contextmanager
    def guard(self) -> Iterator[None]:
        """Close the file if the block fails."""
        try:
            yield
        except BaseException:
            # After a full disk, what is still buffered cannot be written at closing either.
            with contextlib.suppress(OSError):
                self._file.close()
            raise

    def add(self, mapping: Mapping[str, Any]) -> None:
        """Write one row."""
        self._count += 1
        if not isinstance(mapping, Mapping):
            raise SourceError(
                f"{self._name}: row {self._count} is {type(mapping).__name__}, not a mapping;"
                ' give rows such as {"line1": ..., "city": ..., "postcode": ...}'
            )
        try:
            line = self._encode(mapping if isinstance(mapping, dict) else dict(mapping))
        except (TypeError, ValueError, RecursionError) as exc:
            raise SourceError(
                f"{self._name}: row {self._count} holds a value that is not plain ({exc});"
                " give texts, numbers, dates or None"
            ) from exc
        try:
            self._file.write(line.encode() + b"\n")
        except OSError as exc:
            raise self._unwritable(exc) from exc

    def finish(self) -> Source:
        """Return what was written as a source."""
        if not self._count:
            raise SourceError(f"{self._name}: there are no rows; give at least one")
        try:
            self._file.flush()
        except OSError as exc:
            raise self._unwritable(exc) from exc
        return _JsonSource(Contents(self._file, self._name), None)

    def _unwritable(self, exc: OSError) -> SourceError:
        return SourceError(
            f"{self._name}: the rows cannot be kept in {tempfile.gettempdir()} ({exc.strerror});"
            " make room there, or set TMPDIR to another folder"
        )


def _plain(value: object) -> Any:
    """Return a value that JSON has no form for as one that it has."""
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, (dt.date, dt.time)):
        return value.isoformat()
    if isinstance(value, (decimal.Decimal, uuid.UUID)):
        return str(value)
    raise TypeError(type(value).__name__)
