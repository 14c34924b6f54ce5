"""`homebox tenancies`."""

from __future__ import annotations

import click

from .operate import Operation, operation
from .text import examples


@click.group(epilog=examples("homebox tenancies get 12 34"))
def group() -> None:
    """The tenancies of a property."""


operation(
    group,
    "get",
    Operation(path="tenancies.get"),
    "Show the tenancy TENANCY_ID of a property.",
    "homebox tenancies get 12 34",
)
operation(
    group,
    "update-dates",
    Operation(path="tenancies.update_dates", act="change the dates of a tenancy"),
    "Change the dates of a tenancy and show it.",
    "homebox tenancies update-dates 12 34 --tenancy-start 2026-12-01 --tenancy-end 2027-11-30",
)
