"""`homebox postal-bills`."""

from __future__ import annotations

import click

from .operate import Operation, operation
from .text import examples


@click.group(epilog=examples("homebox postal-bills list 12"))
def group() -> None:
    """Bills that came by post."""


operation(
    group,
    "create",
    Operation(path="postal_bills.create", act="store a bill that came by post"),
    "Store a bill that came by post (an image or a PDF) with an order.",
    'homebox postal-bills create 12 --file bill.pdf --tenant-notes "from the old supplier"',
)
operation(
    group,
    "list",
    Operation(path="postal_bills.list"),
    "List the postal bills of an order.",
    "homebox postal-bills list 12 --limit 5",
)
