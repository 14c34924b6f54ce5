"""`homebox mandates`."""

from __future__ import annotations

import click

from .operate import Operation, operation
from .text import examples


@click.group(epilog=examples("homebox mandates get 12 34"))
def group() -> None:
    """The direct debit mandates of bill payers."""


operation(
    group,
    "get",
    Operation(path="mandates.get"),
    "Show the mandate of the bill payer TENANT_ID.",
    "homebox mandates get 12 34",
)
operation(
    group,
    "update",
    Operation(
        path="mandates.update",
        act="change a mandate",
        effects=lambda values: ["a direct debit is set up on the account that is given"],
    ),
    """Set up the direct debit of a bill payer again and show the mandate.

    Possible while its status is nomandate, rejected or cancelled. The account is better given in
    a file than as options, which others on this machine may see.
    """,
    "homebox mandates update 12 34 --from account.json",
)
