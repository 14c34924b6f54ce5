"""`homebox metrics`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import click

from ..client import AsyncHomebox
from ..resources.metrics import AsyncMetrics, Metric
from .fields import fields_of, values_of
from .operate import serving
from .options import api_command
from .output import Columns, Output
from .session import Connection
from .text import examples

# name: the method, and whether it has a range.
_METRICS = {
    name.replace("_", "-"): (name, bool(fields_of(getattr(AsyncMetrics, name))))
    for name in vars(AsyncMetrics)
    if not name.startswith("_")
}
COLUMNS: Columns = {
    "name": lambda metric: metric.name,
    "value": lambda metric: metric.formatted or metric.value,
    "description": lambda metric: metric.description,
}


@click.group(epilog=examples("homebox metrics show --all"))
def group() -> None:
    """Numbers of orders, payments, leads and notifications."""


@group.command(
    epilog=examples(
        "homebox metrics show new-orders --from 2026-10-01 --to 2026-10-31",
        "homebox metrics show --all --csv",
    ),
)
@click.argument("name", required=False, type=click.Choice(list(_METRICS)))
@click.option("--all", "every", is_flag=True, help="All of them, one after the other.")
@click.option(
    "--from", "first", metavar="YYYY-MM-DD", help="The first day; the month to date by default."
)
@click.option("--to", "last", metavar="YYYY-MM-DD", help="The last day; today by default.")
@api_command
def show(
    connection: Connection,
    output: Output,
    name: str | None,
    every: bool,
    first: str | None,
    last: str | None,
) -> None:
    """Show the metric NAME, or with --all all of them.

    approval-orders and active-orders tell how it is now and have no range.
    """
    if every == (name is not None):
        raise click.UsageError("give either the name of a metric or --all")
    given = {key: day for key, day in (("from", first), ("to", last)) if day is not None}
    days = values_of(fields_of(AsyncMetrics.new_orders), given)
    if name is not None and days and not _METRICS[name][1]:
        raise click.UsageError(f"{name} tells how it is now and has no range")
    output.check(Metric, COLUMNS)

    def asked(client: AsyncHomebox, wanted: str) -> Any:
        method, has_range = _METRICS[wanted]
        return getattr(client.metrics, method)(**(days if has_range else {}))

    async def metrics(client: AsyncHomebox) -> AsyncIterator[Metric]:
        for wanted in _METRICS:
            yield await asked(client, wanted)

    if name is not None:
        connection.run(lambda client: output.result(asked(client, name), COLUMNS))
    else:
        connection.run(lambda client: output.items(metrics(client), COLUMNS))


serving(show, {f"metrics.{method}": name for name, (method, _) in _METRICS.items()})
