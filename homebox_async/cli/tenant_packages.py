"""`homebox tenant-packages`."""

from __future__ import annotations

import click

from .operate import Operation, operation
from .text import examples


@click.group(epilog=examples('homebox tenant-packages quote --postcode "BN1 1AB"'))
def group() -> None:
    """Bills packages that the residents of a home pay together."""


operation(
    group,
    "quote",
    Operation(path="tenant_packages.quote"),
    "List the packages on offer for a postcode; --json has their bills and prices.",
    'homebox tenant-packages quote --postcode "BN1 1AB" --is-student',
    'homebox tenant-packages quote --postcode "BN1 1AB" --json',
)
operation(
    group,
    "create",
    Operation(
        path="tenant_packages.create",
        branch="branch.orders.create",
        act="order a tenant package",
        effects=lambda values: [
            "a bills package is ordered; nothing is taken before bill payers are added"
        ],
    ),
    """Order a tenant package and show it; its order_id is what to add bill payers to.

    A second call makes a second order.
    """,
    "homebox tenant-packages create --package-id 2 --address-id 1234567890 \\",
    "    --total-occupants 2 --household-type student --tenancy-move-in 2026-12-01 \\",
    "    --tenancy-start 2026-12-01 --tenancy-end 2027-11-30",
    "homebox tenant-packages create --from order.json --branch 7",
)
