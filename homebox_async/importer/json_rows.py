"""JSON as sources, one object a line or one array, and mappings of Python, kept as JSON lines."""

from __future__ import annotations

import contextlib
import datetime as dt
import decimal
import json
import re
import tempfile
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO, TextIO

import attrs

from .contents import LONGEST_LINE, Contents, SourceError
from .frames import meant
from .rows import MOST_COLUMNS, Row, Source, Sparse


class JsonSource(Source):
    """JSON lines, from a file or from the mappings that a `Spooler` has kept."""

    def __init__(self, contents: Contents, path: Path | None) -> None:
        super().__init__(contents, path)
        self.fingerprint = f"{contents.fingerprint}:jsonl:{contents.encoding}"
        # All rows are looked at: a key that only later rows have must be a column as well, or
        # its values would be lost without a word.
        columns: dict[str, None] = {}
        bad = rows = given = 0
        for cells, text, line in self._objects():
            rows += 1
            given += len(text)
            if isinstance(cells, str):
                bad = bad or line
            elif not cells.keys() <= columns.keys():
                columns.update(dict.fromkeys(cells))
                if len(columns) > MOST_COLUMNS:
                    raise self._too_many_columns()
        if not columns:
            place = f"line {bad} is not one; " if bad else ""
            raise SourceError(
                f"{self.name}: holds no JSON objects; {place}write one a line, such as"
                ' {"line1": "1 High St", "city": "Leeds", "postcode": "LS1 1AA"}'
            )
        self.columns = tuple(columns)
        Sparse(self.name).add(rows * len(columns), given)

    def _read(self) -> Iterator[Row]:
        empty = dict.fromkeys(self.columns, "")
        for number, (cells, text, line) in enumerate(self._objects(), 1):
            if isinstance(cells, str):
                yield self._faulty(number, text, line, cells, "write one flat JSON object a line")
            else:
                yield Row(number, empty | cells, None, line)

    def _objects(self) -> Iterator[tuple[dict[str, str] | str, str, int]]:
        """Give the cells (or what is wrong), the text and the line number of every object."""
        taken: list[str] = []
        for number, line in enumerate(self._contents.lines(taken), 1):
            taken.clear()
            if line.isspace():
                continue
            cells: dict[str, str] = {}
            try:
                _flatten(_decoder.decode(line), "", cells)
            except json.JSONDecodeError as exc:
                yield f"is not valid JSON ({exc.msg} at character {exc.pos + 1})", line, number
            except RecursionError:
                yield "is nested too deeply", line, number
            except ValueError as exc:
                yield str(exc), line, number
            else:
                yield cells, line, number


class ArraySource(JsonSource):
    """One JSON array of objects; they are read one by one, so that memory stays flat."""

    def __init__(self, contents: Contents, path: Path | None) -> None:
        super().__init__(contents, path)
        self.fingerprint = f"{contents.fingerprint}:json:{contents.encoding}"

    def _objects(self) -> Iterator[tuple[dict[str, str] | str, str, int]]:
        """Give the cells (or what is wrong), the text and the first line of every element."""
        self._contents.check_unchanged()
        with self._contents.text() as text:
            for value, given, line in _Array(text, self.name).elements():
                cells: dict[str, str] = {}
                try:
                    _flatten(value, "", cells)
                except ValueError as exc:
                    yield str(exc), given, line
                else:
                    yield cells, given, line
        self._contents.check_unchanged()


class _Array:
    """Reads an array element by element; no more than one and a piece are held at once."""

    def __init__(self, text: TextIO, name: str) -> None:
        self._text = text
        self._name = name
        self._buffer = ""
        self._at = 0
        self._line = 1

    def elements(self) -> Iterator[tuple[Any, str, int]]:
        """Give the values, their text, and the lines on which they begin."""
        self._take("[")
        separator = "," if self._peek() != "]" else self._take("]")
        while separator == ",":
            self._peek()
            line = self._line
            value, end = self._value()
            text, self._at = self._buffer[self._at : end], end
            self._line += text.count("\n")
            yield value, text, line
            separator = self._take(",]")
        if self._peek():
            raise self._bad("there is text behind the array")

    def _peek(self) -> str:
        """Return the next character that is no space, "" at the end."""
        while True:
            start = self._at
            found = _SPACE.match(self._buffer, start)
            self._at = found.end() if found else start
            self._line += self._buffer.count("\n", start, self._at)
            if self._at < len(self._buffer):
                return self._buffer[self._at]
            if not self._more():
                return ""

    def _take(self, wanted: str) -> str:
        found = self._peek()
        if not found or found not in wanted:
            raise self._bad(f"{' or '.join(wanted)} is missing")
        self._at += 1
        return found

    def _value(self) -> tuple[Any, int]:
        while True:
            try:
                value, end = _decoder.raw_decode(self._buffer, self._at)
            except json.JSONDecodeError as exc:
                if len(self._buffer) - self._at > LONGEST_LINE or not self._more():
                    self._line += self._buffer.count("\n", self._at, exc.pos)
                    raise self._bad(exc.msg) from None
            except RecursionError:
                raise self._bad("it is nested too deeply") from None
            else:
                # A number may have more digits in the next piece.
                if end < len(self._buffer) or not self._more():
                    return value, end

    def _more(self) -> bool:
        piece = self._text.read(max(_CHUNK, len(self._buffer) - self._at))
        self._buffer, self._at = self._buffer[self._at :] + piece, 0
        return bool(piece)

    def _bad(self, problem: str) -> SourceError:
        return SourceError(
            f"{self._name}: line {self._line} is not valid JSON ({problem}); correct it there, or"
            " write one object a line"
        )


@attrs.frozen
class _Fault:
    """What is in the place of a value that is not as JSON has to be."""

    problem: str


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any] | _Fault:
    found = dict(pairs)
    return found if len(found) == len(pairs) else _Fault("names a key twice")


def _constant(name: str) -> _Fault:
    return _Fault(f"holds {name}, which is not JSON")


# Numbers keep their text: 12.50 stays 12.50, and no reference is rounded.
_decoder = json.JSONDecoder(
    object_pairs_hook=_object, parse_float=str, parse_int=str, parse_constant=_constant
)
_SPACE = re.compile(r"[ \t\r\n]*")
_CHUNK = 1 << 16


def _flatten(value: Any, prefix: str, cells: dict[str, str]) -> None:
    if isinstance(value, _Fault):
        raise ValueError(value.problem)
    if not isinstance(value, dict):
        raise ValueError("is not a JSON object")
    for key, item in value.items():
        name = prefix + key
        if isinstance(item, (dict, _Fault)):
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


class Spooler:
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
            line = self._encode(meant(mapping))
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
        return JsonSource(Contents(self._file, self._name), None)

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
