"""`homebox bill-payers`."""

from __future__ import annotations

import click

from .operate import Operation, operation
from .text import examples


@click.group(epilog=examples("homebox bill-payers list 12"))
def group() -> None:
    """The tenants who pay for a tenant package."""


operation(
    group,
    "add",
    Operation(
        path="bill_payers.add",
        act="add a bill payer",
        effects=lambda values: [
            "a direct debit is set up on the account that is given",
            "1 email tells the tenant so now",
        ],
    ),
    """Add a bill payer to the order ORDER_ID.

    It sets up a direct debit on the account and emails the tenant. The account is better given
    in a file than as options, which others on this machine may see.
    """,
    "homebox bill-payers add 12 --from payer.json",
    "jq -c .payer all.json | homebox bill-payers add 12 --from - --yes",
)
operation(
    group,
    "list",
    Operation(path="bill_payers.list"),
    "List the bill payers of an order.",
    "homebox bill-payers list 12",
    'homebox bill-payers list 12 --csv --fields "id,last_name"',
)
operation(
    group,
    "update",
    Operation(path="bill_payers.update", act="change a bill payer"),
    "Change what is given of the bill payer TENANT_ID.",
    "homebox bill-payers update 12 34 --email ann@example.com",
)
operation(
    group,
    "delete",
    Operation(
        path="bill_payers.delete",
        act="remove a bill payer",
        effects=lambda values: ["the tenant no longer pays for the package"],
    ),
    "Remove the bill payer TENANT_ID from the order.",
    "homebox bill-payers delete 12 34",
)
