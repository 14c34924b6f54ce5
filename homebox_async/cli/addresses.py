"""`homebox addresses`."""

from __future__ import annotations

import click

from .operate import Operation, operation
from .output import Columns
from .text import examples

COLUMNS: Columns = {"address_id": lambda a: a.address_id, "address": lambda a: a.address}


@click.group(epilog=examples('homebox addresses find "BN1 1AB"'))
def group() -> None:
    """Addresses that Homebox knows."""


operation(
    group,
    "find",
    Operation(path="addresses.find", columns=COLUMNS),
    """Find addresses by QUERY, as a rule a postcode.

    The address_id of one that was found goes into `homebox properties create`.
    """,
    "homebox addresses find BN11AB",
    'homebox addresses find "BN1 1AB" --json',
)
