"""`homebox properties`."""

from __future__ import annotations

import click

from ..resources.properties import Property, PropertyStatus
from ..rules import UNSET
from .operate import Operation, operation, serving
from .options import api_command, limit_option
from .output import Columns, Output
from .session import Connection
from .text import examples

_STATUSES = {status.name.lower().replace("_", "-"): status for status in PropertyStatus}


def postal(home: Property) -> str:
    """Return the address of a property in one line."""
    parts = (
        *(home.address_line1, home.address_line2, home.address_line3, home.address_line4),
        *(home.address_city, home.address_postcode),
    )
    return ", ".join(filter(None, parts))


def _status(home: Property) -> object:
    # By the number: the texts that the server sends contradict its own table.
    named = [name for name, status in _STATUSES.items() if status == home.status_id]
    return named[0] if named else home.status_id


COLUMNS: Columns = {
    "id": lambda home: home.id,
    "reference": lambda home: ", ".join(home.references),
    "address": postal,
    "status": _status,
}


def _named_statuses(
    ctx: click.Context, param: click.Parameter, values: tuple[str, ...]
) -> list[PropertyStatus]:
    known = _STATUSES | {str(status.value): status for status in PropertyStatus}
    statuses = []
    for value in values:
        status = known.get(value.strip().lower().replace("_", "-").replace(" ", "-"))
        if status is None:
            raise click.BadParameter(f"{value!r} is not a status; give one of {', '.join(known)}")
        statuses.append(status)
    return statuses


@click.group(epilog=examples("homebox properties list", "homebox properties get 12345"))
def group() -> None:
    """The properties of your portfolio."""


@group.command(
    "list",
    epilog=examples(
        "homebox properties list --q BN1 --limit 20",
        "homebox properties list --status pending --status void-period",
        "homebox properties list --json | jq -r .address_postcode",
    ),
)
@click.option("--q", metavar="TEXT", help="Words of the address, such as a town or a postcode.")
@click.option(
    "--status",
    "statuses",
    callback=_named_statuses,
    multiple=True,
    metavar="NAME_OR_ID",
    help=f"Only these: {', '.join(_STATUSES)}, or their numbers, 1 to 6 (repeatable).",
)
@limit_option
@api_command
def list_(
    connection: Connection,
    output: Output,
    q: str | None,
    statuses: list[PropertyStatus],
    limit: int | None,
) -> None:
    """List your properties."""
    output.check(Property, COLUMNS)
    connection.run(
        lambda client: output.items(
            client.properties.list(
                q=UNSET if q is None else q,
                filter={"status": statuses} if statuses else UNSET,
            ),
            COLUMNS,
            limit,
        )
    )


serving(list_, {"properties.list": ""})
operation(
    group,
    "get",
    Operation(path="properties.get"),
    "Show the property PROPERTY_ID.",
    "homebox properties get 12345",
    "homebox properties get 12345 --json",
)
operation(
    group,
    "create",
    Operation(
        path="properties.create",
        branch="branch.properties.create",
        act="create a property",
        also={"property_reference": ["--reference"]},
    ),
    """Add a property to your portfolio and show it.

    A second call makes a second property: see `homebox import` for what is safe to repeat.
    """,
    "homebox properties create --address-id 1234567890 --reference A1",
    'homebox properties create --line1 "1 High Street" --city Brighton --postcode "BN1 1AB"'
    " --reference A1",
)
