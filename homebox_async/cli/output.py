"""Data on stdout: a table for people, tab-separated lines or CSV for programs, or JSON."""

from __future__ import annotations

import csv
import difflib
import re
import sys
import typing
from collections.abc import AsyncIterable, Callable, Iterable, Mapping, Sequence
from operator import attrgetter
from typing import Any, Protocol

import attrs
import click
import msgspec

from ..cells import escape
from ..models import Model, wire_names
from ..pages import Pages
from ..resources.base import Confirmation
from .terminal import show
from .text import one_line, say, shown

Columns = Mapping[str, Callable[[Any], object]]
"""The columns of a table: title -> how to get the cell from an object."""

# A number stays the number that the server sent, to its last digit.
_encode = msgspec.json.Encoder(decimal_format="number").encode


_UNFIT = re.compile(r"[\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]")


def _escaped(found: re.Match[str]) -> str:
    return f"\\u{ord(found[0]):04x}"


class _Writer(Protocol):
    def add(self, item: Model) -> None:
        """Take the next object."""

    def close(self) -> None:
        """Write what is left."""


@attrs.frozen
class Output:
    """How the results of a command are shown.

    `fields`: the fields or columns to show instead of all, further ones by a dot ("property.id").
    `pager`: whether a table that is longer than the terminal goes into one.
    """

    json: bool
    verbose: bool
    csv: bool = False
    fields: tuple[str, ...] = ()
    pager: bool = True

    def check(self, model: type[Model], columns: Columns) -> None:
        """Refuse fields that there are not, before anything is sent."""
        known = sorted({*columns, *wire_names(model).values()})
        for field in self.fields:
            if field.partition(".")[0] not in known:
                close = difflib.get_close_matches(field, known, 1)
                hint = f"did you mean {close[0]}?" if close else f"known are {', '.join(known)}"
                raise click.UsageError(f"--fields: {field} is unknown; {hint}")

    async def result(self, result: Any, columns: Columns, limit: int | None = None) -> None:
        """Await the result of an operation and show it."""
        if isinstance(result, Pages):
            await self.items(result, columns, limit)
            return
        result = await result
        shown: Any = result  # what pyright makes of it after the branches is no model
        if isinstance(result, tuple):
            await self.items(_iterated(result), columns, limit)
        elif isinstance(result, Confirmation) and not self.json:
            click.echo(one_line(result.message or "done"))
        elif isinstance(result, Iterable) and not self.json:
            # A list with totals beside it.
            await self.items(_iterated(result), columns, limit)
            for key, value in getattr(result, "raw", {}).items():
                if not isinstance(value, (dict, list)):
                    say(f"{key}: {_cell(value)}", err=True)
        else:
            self.one(shown)

    async def items(
        self,
        items: AsyncIterable[Model],
        columns: Columns,
        limit: int | None = None,
    ) -> None:
        """Show a list; other programs get each object as soon as it has come."""
        writer = self._writer(columns)
        count = 0
        async for item in items:
            writer.add(item)
            count += 1
            if count == limit:
                break
        writer.close()

    def one(self, item: Model) -> None:
        """Show a single object with all that the server tells of it."""
        self.tree(item.raw)

    def tree(self, raw: Any) -> None:
        """Show the JSON of a single object."""
        if not isinstance(raw, dict):
            raw = {"value": raw}
        if self.fields:
            raw = {field: _looked_up(raw, field) for field in self.fields}
        if self.json:
            self.plain(raw)
            return
        if self.csv:
            _write_csv(raw)
            _write_csv(raw.values())
            return
        full = ((key, value) for key, value in raw.items() if value not in (None, []))
        cells = [(one_line(key), _cell(value)) for key, value in full]
        if sys.stdout.isatty():
            print_table([], cells, pager=self.pager)
        else:
            for pair in cells:
                click.echo("\t".join(pair))

    def plain(self, value: object) -> None:
        """Write a value as a line of JSON."""
        line = _encode(value)
        if sys.stdout.isatty():
            # JSON may hold what drives a terminal or turns a line round; escaped it is the same.
            line = _UNFIT.sub(_escaped, line.decode()).encode()
        click.echo(line + b"\n", nl=False)

    def _writer(self, columns: Columns) -> _Writer:
        if self.json:
            return _JsonLines(self)
        if self.fields:
            columns = {field: columns.get(field) or _field(field) for field in self.fields}
        if self.csv:
            return _Csv(columns)
        return _Table(columns, self.pager) if sys.stdout.isatty() else _Lines(columns)


async def _iterated(items: Iterable[Model]) -> AsyncIterable[Model]:
    for item in items:
        yield item


def plain_columns(model: type[Model]) -> Columns:
    """Return the columns of the fields that hold one value each."""
    return {
        wire: attrgetter(name)
        for name, wire in wire_names(model).items()
        if not any(map(_is_inside, typing.get_args(typing.get_type_hints(model)[name])))
    }


def _is_inside(kind: Any) -> bool:
    # The arguments of a tuple, or the class of an object.
    return kind is Ellipsis or (isinstance(kind, type) and issubclass(kind, Model))


def _field(name: str) -> Callable[[Model], object]:
    return lambda item: _looked_up(item.raw, name)


def _looked_up(tree: Any, name: str) -> Any:
    for key in name.split("."):
        tree = tree.get(key) if isinstance(tree, dict) else None
    return tree


@attrs.frozen
class _JsonLines:
    output: Output

    def add(self, item: Model) -> None:
        raw, fields = item.raw, self.output.fields
        self.output.plain({name: _looked_up(raw, name) for name in fields} if fields else raw)

    def close(self) -> None:
        pass


class _Csv:
    def __init__(self, columns: Columns) -> None:
        self._columns = columns
        _write_csv(list(columns))

    def add(self, item: Model) -> None:
        _write_csv(get(item) for get in self._columns.values())

    def close(self) -> None:
        pass


def _write_csv(cells: Iterable[object]) -> None:
    csv.writer(sys.stdout, lineterminator="\n").writerow(
        # A negative number is no formula.
        escape(_cell(cell)) if isinstance(cell, (str, dict, list)) else _cell(cell)
        for cell in cells
    )


class _Lines:
    def __init__(self, columns: Columns) -> None:
        self._columns = columns
        click.echo("\t".join(columns))

    def add(self, item: Model) -> None:
        click.echo("\t".join(_cell(get(item)) for get in self._columns.values()))

    def close(self) -> None:
        pass


class _Table:
    def __init__(self, columns: Columns, pager: bool) -> None:
        self._columns = columns
        self._pager = pager
        self._rows: list[tuple[str, ...]] = []

    def add(self, item: Model) -> None:
        self._rows.append(tuple(_cell(get(item)) for get in self._columns.values()))

    def close(self) -> None:
        if self._rows:
            print_table(list(self._columns), self._rows, pager=self._pager)
        else:
            click.echo("there are none", err=True)


def print_table(titles: list[str], rows: Sequence[tuple[str, ...]], *, pager: bool) -> None:
    """Show a table on the terminal."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Column, Table
    from rich.text import Text

    # As Text: what stands in square brackets is no markup.
    heads = [Column(Text(shown(title))) for title in titles]
    table = Table(*heads, box=SIMPLE_HEAD if titles else None, show_header=bool(titles))
    for row in rows:
        table.add_row(*(Text(shown(cell)) for cell in row))
    show(table, paged=pager)


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, (dict, list)):
        value = _encode(value).decode()
    return one_line(str(value))
