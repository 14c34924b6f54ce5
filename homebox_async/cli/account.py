"""`homebox account`."""

from __future__ import annotations

import click

from .operate import Operation, operation
from .text import examples


@click.group(epilog=examples("homebox account show"))
def group() -> None:
    """Your partner account."""


operation(
    group,
    "show",
    Operation(path="account.get"),
    "Show the account that the token belongs to.",
    "homebox account show",
    "homebox account show --environment sandbox --json",
)
operation(
    group,
    "update",
    Operation(
        path="account.update",
        act="change the partner account",
        effects=lambda values: ["what your tenants and branches see of you changes"],
    ),
    "Change what is given of your account and show it.",
    'homebox account update --theme-color-primary "#40BF67"',
    "homebox account update --from account.json",
)
