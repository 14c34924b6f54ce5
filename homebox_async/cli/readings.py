"""`homebox readings`."""

from __future__ import annotations

import click

from .operate import Operation, operation
from .output import Columns
from .text import examples

COLUMNS: Columns = {
    "id": lambda reading: reading.id,
    "type": lambda reading: reading.type,
    "reading": lambda reading: reading.reading,
    "reading2": lambda reading: reading.reading2,
    "date": lambda reading: reading.date_of_reading,
    "state": lambda reading: reading.state,
}


@click.group(epilog=examples("homebox readings list --property 12345"))
def group() -> None:
    """Meter readings of orders and properties."""


operation(
    group,
    "list",
    Operation(
        either={
            "order": "readings.list_for_order",
            "property": "readings.list_for_property",
        },
        columns=COLUMNS,
    ),
    "List the meter readings of an order or a property.",
    "homebox readings list --property 12345",
    "homebox readings list --order 678 --limit 5 --json",
)
operation(
    group,
    "add",
    Operation(
        either={
            "order": "readings.create_for_order",
            "property": "readings.create_for_property",
        },
        act="record a meter reading",
    ),
    "Record a meter reading for an order or a property and show it.",
    "homebox readings add --property 12345 --type gas --reading 4711 --date 2026-11-20",
    "homebox readings add --order 678 --type electric --reading 4711 --reading2 815 \\",
    "    --date 2026-11-20 --image meter.jpg",
)
