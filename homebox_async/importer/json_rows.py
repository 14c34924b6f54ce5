"""JSON lines as sources, and mappings of Python that are kept as such."""

from __future__ import annotations

import contextlib
import datetime as dt
import decimal
import json
import tempfile
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

from .contents import Contents, SourceError
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
