"""How rows are written: CSV, JSON lines, and JSON lines that become another file in the end."""

from __future__ import annotations

import abc
import csv
import datetime as dt
import io
import itertools
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, BinaryIO

import msgspec

from ..arrow import EXTRA, batch_of, library, schema_of
from ..cells import escape
from ..codec import decode_list
from ..errors import ConfigurationError
from ..models import Model
from ..shapes import beyond, parts_of
from ..workbook_writer import INSTALL, WorkbookWriter, has_library
from .lists import Listing

Row = tuple[int | None, Model]
"""The id of what the object hangs on, if it does, and the object."""

Fit = Callable[[str], str]

_BOM = b"\xef\xbb\xbf"
_GROUP = 5_000  # rows of a Parquet file that are held at once
_LONGEST_CELL = 1 << 30
# A number stays the number that the server sent, to its last digit.
_encode = msgspec.json.Encoder(decimal_format="number").encode
_fields = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


class Format(abc.ABC):
    """A way to write rows."""

    @abc.abstractmethod
    def head(self) -> bytes:
        """Return what stands before the rows."""

    @abc.abstractmethod
    def encode(self, rows: Iterable[Row]) -> bytes:
        """Return some rows as they are written."""

    @abc.abstractmethod
    def keys(self, file: BinaryIO) -> Iterator[int]:
        """Give the keys of the rows in a file, from its start; see `Listing.key`."""


class JsonLines(Format):
    """Each object as the server sent it, one a line, after the id of what it hangs on."""

    def __init__(self, listing: Listing) -> None:
        self._listing = listing
        key = msgspec.defstruct(
            "Key", [("key", int | None, None)], rename={"key": listing.key}
        )  # the wire's name
        self._key: Any = msgspec.json.Decoder(key, strict=False)

    def head(self) -> bytes:
        """Return nothing: JSON lines have no header."""
        return b""

    def encode(self, rows: Iterable[Row]) -> bytes:
        """Return some rows as lines."""
        return b"".join(_encode(self._tree(key, item.raw)) + b"\n" for key, item in rows)

    def _tree(self, key: int | None, raw: dict[str, Any]) -> dict[str, Any]:
        parent = self._listing.parent
        if parent is None:
            return raw
        rest = dict(raw)
        if (said := rest.pop(parent, key)) != key:
            # The server has a field of this name that says something else.
            rest[f"{parent}_sent"] = said
        return {parent: key, **rest}

    def keys(self, file: BinaryIO) -> Iterator[int]:
        """Give the keys of the lines."""
        return (key for line in file if (key := self._key_of(line)) is not None)

    def apart(self, line: bytes) -> tuple[int | None, bytes]:
        """Return the id that `encode` has put into a line, and the object as it was sent."""
        parent = self._listing.parent
        if parent is None:
            return None, line
        tree = _fields(line)
        key = self._key_of(line)
        del tree[parent]
        if (said := tree.pop(f"{parent}_sent", None)) is not None:
            tree[parent] = said
        return key, _encode(tree)

    def _key_of(self, line: bytes) -> int | None:
        try:
            key: int | None = self._key.decode(line).key
        except ValueError:  # an id that is no number
            return None
        return key


class Converted(JsonLines, abc.ABC):
    """JSON lines while it is read, and a file of another kind made of them in the end."""

    @abc.abstractmethod
    def convert(self, source: Path, to: BinaryIO, stop: threading.Event) -> None:
        """Write the file, some thousand rows at a time."""

    def _groups(self, source: Path, stop: threading.Event) -> Iterator[list[Row]]:
        with source.open("rb") as lines:
            while (group := list(itertools.islice(lines, _GROUP))) and not stop.is_set():
                pairs = [self.apart(line) for line in group]
                # The same reading as that of a page, so the same types.
                sent = b",".join(line for _, line in pairs)
                items, _, _ = decode_list(b'{"data":[' + sent + b"]}", self._listing.model)
                yield list(zip((key for key, _ in pairs), items, strict=True))


class Parquet(Converted):
    """A typed Parquet file."""

    def convert(self, source: Path, to: BinaryIO, stop: threading.Event) -> None:
        """Write the file, a row group for every few thousand rows."""
        from pyarrow.parquet import ParquetWriter

        first = self._listing.first
        schema = schema_of(self._listing.model, first)
        with ParquetWriter(to, schema) as writer:
            for rows in self._groups(source, stop):
                keys = [dict.fromkeys(first, key) for key, _ in rows]
                writer.write_batch(batch_of((item for _, item in rows), schema, keys))


class Xlsx(Converted):
    """A workbook of one sheet with the columns of `Csv`, all of them text."""

    def convert(self, source: Path, to: BinaryIO, stop: threading.Event) -> None:
        """Write the file; raises DoesNotFit for what no workbook can hold."""
        table = Csv(self._listing)
        writer = WorkbookWriter(to, table.columns)
        try:
            for rows in self._groups(source, stop):
                writer.add(table.cells(*row, str) for row in rows)
            writer.close()
        finally:
            writer.discard()


class Csv(Format):
    """A row each, with the objects inside flattened to columns such as household.address.city.

    The columns are those of the classes, so they are the same for every export. Lists are JSON
    in one cell. `extra` is JSON: what the server sent beyond the columns.
    """

    def __init__(self, listing: Listing, bom: bool = False) -> None:
        self._listing = listing
        self._bom = bom

    @property
    def columns(self) -> list[str]:
        """The names of the columns."""
        return [*self._listing.first, *_names(self._listing.model), EXTRA]

    def head(self) -> bytes:
        """Return the line of names."""
        return (_BOM if self._bom else b"") + _lines([self.columns])

    def encode(self, rows: Iterable[Row]) -> bytes:
        """Return some rows as lines."""
        return _lines(self.cells(*row, escape) for row in rows)

    def keys(self, file: BinaryIO) -> Iterator[int]:
        """Give the keys of the rows."""
        csv.field_size_limit(max(csv.field_size_limit(), _LONGEST_CELL))
        place = self.columns.index(self._listing.key)
        with io.TextIOWrapper(file, encoding="utf-8", newline="") as text:
            records = csv.reader(text)
            next(records, None)
            for record in records:
                if record[place]:
                    yield int(record[place])

    def cells(self, key: int | None, item: Model, fit: Fit) -> Sequence[str]:
        """Return the cells of a row; `fit` makes its texts what the file can hold."""
        extra = beyond(item, inside_lists=False)
        before = () if self._listing.parent is None else (_cell(key, fit),)
        return (*before, *_flat(type(item), item, fit), _cell(extra or None, fit))


def _lines(records: Iterable[Iterable[str]]) -> bytes:
    text = io.StringIO(newline="")
    # With "\\n" as the line's end, Python before 3.13 would not quote a cell that holds "\\r".
    csv.writer(text).writerows(records)
    return text.getvalue().encode()


def _names(model: type[Model], prefix: str = "") -> Iterator[str]:
    for part in parts_of(model):
        if part.is_model and not part.many:
            yield from _names(part.kind, f"{prefix}{part.wire}.")
        else:
            yield prefix + part.wire


def _flat(model: type[Model], item: Model | None, fit: Fit) -> Iterator[str]:
    for part in parts_of(model):
        value = None if item is None else getattr(item, part.name)
        if part.is_model and not part.many:
            yield from _flat(part.kind, value, fit)
        elif part.is_model and value:
            yield _cell([each.raw for each in value], fit)
        else:
            yield _cell(value or None if part.many else value, fit)


def _cell(value: Any, fit: Fit) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return fit(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (dict, list, tuple)):
        return fit(_encode(value).decode())
    if isinstance(value, dt.datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, Decimal):
        return str(value)  # a negative one is no formula
    return str(value)


def format_of(name: str, listing: Listing, bom: bool) -> Format:
    """Return a format by its name; raises ConfigurationError where its library is missing."""
    if name == "csv":
        return Csv(listing, bom)
    if name == "parquet":
        library()  # before anything is sent
        return Parquet(listing)
    if name == "xlsx":
        if not has_library():
            raise ConfigurationError(f"workbooks need xlsxwriter; run: {INSTALL}")
        return Xlsx(listing)
    return JsonLines(listing)
