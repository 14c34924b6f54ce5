"""`homebox readings`."""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, Literal

import attrs
import click

from ..client import AsyncHomebox
from ..pages import Pages
from ..resources.readings import Reading, ReadingType
from ..rules import UNSET
from .confirm import check_can_ask, confirm
from .options import api_command, limit_option, yes_option
from .output import Columns, Output
from .session import Connection
from .text import examples

COLUMNS: Columns = {
    "id": lambda reading: reading.id,
    "type": lambda reading: reading.type,
    "reading": lambda reading: reading.reading,
    "reading2": lambda reading: reading.reading2,
    "date": lambda reading: reading.date_of_reading and reading.date_of_reading.date(),
    "state": lambda reading: reading.state,
}


@attrs.frozen
class Meter:
    """Whose meters are meant."""

    of: Literal["order", "property"]
    id: int


@click.group(epilog=examples("homebox readings list --property 12345"))
def group() -> None:
    """Meter readings of orders and properties."""


def metered(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add --order and --property, one of which is given: the argument `meter` of a command."""

    @click.option("--order", type=click.IntRange(min=1), metavar="ID", help="An order's meters.")
    @click.option("--property", type=click.IntRange(min=1), metavar="ID", help="Or a property's.")
    @functools.wraps(function)
    def command(order: int | None, property: int | None, **values: Any) -> Any:
        if order is not None and property is None:
            return function(meter=Meter("order", order), **values)
        if property is not None and order is None:
            return function(meter=Meter("property", property), **values)
        raise click.UsageError("give either --order ID or --property ID")

    return command


@group.command(
    "list",
    epilog=examples(
        "homebox readings list --property 12345",
        "homebox readings list --order 678 --limit 5 --json",
    ),
)
@metered
@limit_option
@api_command
def list_(
    connection: Connection,
    output: Output,
    meter: Meter,
    limit: int | None,
) -> None:
    """List the meter readings of an order or a property."""

    def readings(client: AsyncHomebox) -> Pages[Reading]:
        if meter.of == "order":
            return client.readings.list_for_order(meter.id)
        return client.readings.list_for_property(meter.id)

    connection.run(lambda client: output.items(readings(client), COLUMNS, limit))


@group.command(
    epilog=examples(
        "homebox readings add --property 12345 --type gas --reading 4711 --date 2026-11-20",
        "homebox readings add --order 678 --type electric --reading 4711 --reading2 815 \\",
        "    --date 2026-11-20 --image meter.jpg",
    ),
)
@metered
@click.option("--type", "type_", type=click.Choice(["electric", "gas", "water"]), required=True)
@click.option("--reading", type=click.IntRange(min=1), required=True, metavar="N")
@click.option(
    "--reading2",
    type=click.IntRange(min=1),
    metavar="N",
    help="The second register of an Economy 7 electricity meter.",
)
@click.option("--date", type=click.DateTime(["%Y-%m-%d"]), required=True, metavar="YYYY-MM-DD")
@click.option(
    "--image",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A photo of the meter.",
)
@yes_option
@api_command
def add(
    connection: Connection,
    output: Output,
    meter: Meter,
    type_: ReadingType,
    reading: int,
    reading2: int | None,
    date: dt.datetime,
    image: Path | None,
    yes: bool,
) -> None:
    """Record a meter reading for an order or a property and show it."""
    check_can_ask(connection, yes)
    confirm(connection, "record a meter reading", yes)
    values: dict[str, Any] = {
        "type": type_,
        "reading": reading,
        "date_of_reading": date.date(),
        "reading2": UNSET if reading2 is None else reading2,
        "image": UNSET if image is None else image,
    }

    def reading_of(client: AsyncHomebox) -> Coroutine[Any, Any, Reading]:
        if meter.of == "order":
            return client.readings.create_for_order(meter.id, **values)
        return client.readings.create_for_property(meter.id, **values)

    output.one(connection.run(reading_of))
