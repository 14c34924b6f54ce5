"""`homebox leads`."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Any

import click

from .operate import Operation, operation
from .output import Columns
from .properties import postal
from .text import counted, examples

COLUMNS: Columns = {
    "id": lambda lead: lead.id,
    "reference": lambda lead: lead.property_reference,
    "address": lambda lead: lead.property and postal(lead.property),
    "start": lambda lead: lead.tenancy_start,
    "end": lambda lead: lead.tenancy_end,
    "tenants": lambda lead: len(lead.tenants),
    "completed": lambda lead: lead.completed_at and lead.completed_at.date(),
}


def _effects(values: Mapping[str, Any]) -> Iterator[str]:
    tenants = len(values["tenants"])
    messages = f"{tenants} SMS and {counted(tenants, 'email')}"
    if values["tenancy_start"] <= dt.date.today() + dt.timedelta(days=14):
        yield f"{messages} go to tenants now; those who do not sign up in 72 hours get a reminder"
    else:
        yield f"{messages} go to tenants if the tenancy starts within two weeks; it starts later"
    if values.get("notifications") is not False:
        yield (
            "suppliers are notified after 6 days, and tenants of that (not with --no-notifications)"
        )


@click.group(epilog=examples("homebox leads list"))
def group() -> None:
    """Leads: invitations of tenants to a bills package."""


operation(
    group,
    "create",
    Operation(
        path="leads.create", branch="branch.leads.create", act="create a lead", effects=_effects
    ),
    """Create a lead, so that Homebox invites the tenants, and show it.

    It texts and emails the tenants, and notifies suppliers unless --no-notifications says not to.
    A second call makes a second lead.
    """,
    'homebox leads create --line1 "1 High Street" --city Leeds --postcode "LS1 1AA"'
    " --tenancy-start 2026-12-01 --tenancy-end 2027-11-30"
    ' --tenant "Ann,Lee,+447700900000,ann@example.com"',
    "homebox leads create --from lead.json --branch 7",
)
operation(
    group,
    "list",
    Operation(path="leads.list", branch="branch.leads.list", columns=COLUMNS),
    "List the leads that you have created.",
    "homebox leads list --limit 20",
    "homebox leads list --json > leads.jsonl",
)
operation(
    group,
    "get",
    Operation(path="leads.get", branch="branch.leads.get"),
    "Show the lead LEAD_ID.",
    "homebox leads get 12",
    "homebox leads get 12 --branch 7 --json",
)
