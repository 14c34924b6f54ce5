"""`homebox orders`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import click

from .operate import Operation, operation
from .output import Columns
from .text import examples

COLUMNS: Columns = {
    "id": lambda order: order.id,
    "reference": lambda order: order.reference,
    "package": lambda order: order.package,
    "status": lambda order: order.household and order.household.status,
    "start": lambda order: order.household and order.household.tenancy_start,
    "end": lambda order: order.household and order.household.tenancy_end,
    "created": lambda order: order.created_at and order.created_at.date(),
}


def _effects(values: Mapping[str, Any]) -> Iterator[str]:
    yield "the payment is cancelled and a new one is made"
    if values["payment_method"] == "direct-debit":
        yield "the money is taken from the tenant's account by direct debit"
    else:
        yield "the tenant has to send the money by bank transfer"


@click.group(epilog=examples("homebox orders list"))
def group() -> None:
    """Orders of bills packages: their bills, payments and payouts."""


operation(
    group,
    "list",
    Operation(path="orders.list", branch="branch.orders.list", columns=COLUMNS),
    "List your orders.",
    "homebox orders list --limit 20",
    "homebox orders list --branch 7 --csv",
)
operation(
    group,
    "get",
    Operation(path="orders.get", branch="branch.orders.get"),
    "Show the order ORDER_ID.",
    "homebox orders get 12",
    "homebox orders get 12 --branch 7 --json",
)
operation(
    group,
    "bills",
    Operation(path="orders.bills"),
    "List the bills of an order; the totals go to stderr, and with --json beside them.",
    "homebox orders bills 12",
    "homebox orders bills 12 --json | jq -r .total_price",
)
operation(
    group,
    "payments",
    Operation(path="orders.payments"),
    "List the payments that have been tried for an order.",
    "homebox orders payments 12",
    'homebox orders payments 12 --fields "id,amount,status"',
)
operation(
    group,
    "replace-payment",
    Operation(path="orders.replace_payment", act="replace a payment", effects=_effects),
    """Cancel a payment, make a new one with another method and show the new one.

    Money moves: with direct-debit it is taken from the tenant's account. A second call replaces
    once more.
    """,
    "homebox orders replace-payment 12 34 --payment-method bank-transfer",
)
operation(
    group,
    "payouts",
    Operation(path="orders.payouts"),
    "List the payments to suppliers for an order.",
    "homebox orders payouts 12",
)
operation(
    group,
    "property-details",
    Operation(path="orders.property_details"),
    "Show address, status and dates of an order's home.",
    "homebox orders property-details 12",
)
