"""Data on stdout: a table for people, tab-separated lines for other programs, or JSON."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterable, Callable, Mapping
from typing import Any, Protocol

import attrs
import click
import msgspec

from ..models import Model
from .text import one_line

Columns = Mapping[str, Callable[[Any], object]]
"""The columns of a table: title -> how to get the cell from an object."""

# A number stays the number that the server sent, to its last digit.
_encode = msgspec.json.Encoder(decimal_format="number").encode


class _Writer(Protocol):
    def add(self, item: Model) -> None:
        """Take the next object."""

    def close(self) -> None:
        """Write what is left."""


@attrs.frozen
class Output:
    """How the results of a command are shown."""

    json: bool
    verbose: bool

    async def items(
        self, items: AsyncIterable[Model], columns: Columns, limit: int | None = None
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
        if self.json:
            self.plain(item.raw)
            return
        cells = {key: _cell(value) for key, value in item.raw.items() if value not in (None, [])}
        if sys.stdout.isatty():
            _print_table([], list(cells.items()))
        else:
            for pair in cells.items():
                click.echo("\t".join(pair))

    def plain(self, value: object) -> None:
        """Write a value as a line of JSON."""
        click.echo(_encode(value) + b"\n", nl=False)

    def _writer(self, columns: Columns) -> _Writer:
        if self.json:
            return _JsonLines(self)
        return _Table(columns) if sys.stdout.isatty() else _Lines(columns)


@attrs.frozen
class _JsonLines:
    output: Output

    def add(self, item: Model) -> None:
        self.output.plain(item.raw)

    def close(self) -> None:
        pass


class _Lines:
    def __init__(self, columns: Columns) -> None:
        self._columns = columns
        click.echo("\t".join(columns))

    def add(self, item: Model) -> None:
        click.echo("\t".join(_cell(get(item)) for get in self._columns.values()))

    def close(self) -> None:
        pass


class _Table:
    def __init__(self, columns: Columns) -> None:
        self._columns = columns
        self._rows: list[tuple[str, ...]] = []

    def add(self, item: Model) -> None:
        self._rows.append(tuple(_cell(get(item)) for get in self._columns.values()))

    def close(self) -> None:
        if self._rows:
            _print_table(list(self._columns), self._rows)
        else:
            click.echo("there are none", err=True)


def _print_table(titles: list[str], rows: list[tuple[str, ...]]) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(*titles, box=SIMPLE_HEAD if titles else None, show_header=bool(titles))
    for row in rows:
        # As Text: what stands in square brackets is no markup.
        table.add_row(*map(Text, row))
    Console().print(table)


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, (dict, list)):
        value = _encode(value).decode()
    return one_line(str(value))
