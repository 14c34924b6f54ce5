"""`homebox partner-packages`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import click

from .operate import Operation, operation
from .text import counted, examples


def _effects(values: Mapping[str, Any]) -> Iterator[str]:
    yield f"{counted(len(values['bills']), 'bill')} are ordered from their suppliers"
    if values.get("payment_method") != "bank-transfer":
        yield "a direct debit is set up on the account that is given"


@click.group(epilog=examples("homebox partner-packages quote --housemates 3 --address-id 123"))
def group() -> None:
    """Bills packages that a business pays for."""


operation(
    group,
    "quote",
    Operation(path="partner_packages.quote"),
    "List the utilities on offer for an address; --json has their bills and prices.",
    "homebox partner-packages quote --housemates 3 --address-id 1234567890",
    "homebox partner-packages quote --housemates 3 --address-id 1234567890 --json",
)
operation(
    group,
    "create",
    Operation(
        path="partner_packages.create",
        act="order a partner package",
        effects=_effects,
    ),
    """Order a partner package and show it; tenancy.order.id is its order.

    Unless --payment-method is bank-transfer, a direct debit is set up. A second call makes a
    second order. The account is better given in a file than as options, which others on this
    machine may see.
    """,
    "homebox partner-packages create --from order.json",
    "homebox partner-packages create --from order.json --bill 1,GB-4711 --bill 2",
)
