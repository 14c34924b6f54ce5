"""`homebox voids`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import click

from .operate import Operation, operation
from .text import examples


def _effects(values: Mapping[str, Any]) -> Iterator[str]:
    if values.get("is_premium"):
        yield "the energy is switched to the void supplier"
        yield "Homebox writes to every supplier of the home"
    if values.get("notifications"):
        yield "suppliers are notified of the void"


@click.group(epilog=examples("homebox voids create --from void.json"))
def group() -> None:
    """Void periods: times in which a home is not let."""


operation(
    group,
    "create",
    Operation(
        path="voids.create",
        branch="branch.voids.create",
        act="add a void period",
        effects=_effects,
    ),
    """Add a void period to a property and show it.

    --is-premium switches the home's energy to another supplier; --notifications notifies the
    suppliers. A second call makes a second void.
    """,
    "homebox voids create --property-id 12 --tenancy-start 2026-12-01 --property-empty \\",
    "    --from responsible.json",
    "homebox voids create --from void.json --branch 7",
)
