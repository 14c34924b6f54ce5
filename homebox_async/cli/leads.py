"""`homebox leads`."""

from __future__ import annotations

import click

from .options import api_command, limit_option
from .output import Columns, Output
from .properties import postal
from .session import Connection
from .text import examples

COLUMNS: Columns = {
    "id": lambda lead: lead.id,
    "reference": lambda lead: lead.property_reference,
    "address": lambda lead: lead.property and postal(lead.property),
    "start": lambda lead: lead.tenancy_start and lead.tenancy_start.date(),
    "end": lambda lead: lead.tenancy_end and lead.tenancy_end.date(),
    "tenants": lambda lead: len(lead.tenants),
    "completed": lambda lead: lead.completed_at and lead.completed_at.date(),
}


@click.group(epilog=examples("homebox leads list"))
def group() -> None:
    """Leads: invitations of tenants to a bills package."""


@group.command(
    "list",
    epilog=examples("homebox leads list --limit 20", "homebox leads list --json > leads.jsonl"),
)
@limit_option
@api_command
def list_(connection: Connection, output: Output, limit: int | None) -> None:
    """List the leads that you have created."""
    connection.run(lambda client: output.items(client.leads.list(), COLUMNS, limit))
