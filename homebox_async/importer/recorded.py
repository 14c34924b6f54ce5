"""The meter readings that are at Homebox, as far as rows are compared with them."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

import attrs

from ..client import AsyncHomebox
from ..errors import NotFound
from ..resources.readings import Reading
from .finding import identity_of
from .meters import Point

METER_TYPES: Mapping[str, str] = {"electricity": "electric", "elec": "electric"}
"""Other words for the API's types."""

Home = tuple[Literal["order", "property"], int]

_NUMBER = re.compile(r"\s*(\d{1,18})(?:\.\d*)?\s*", re.ASCII)


@attrs.frozen
class Recorded:
    """A reading that is at Homebox. `type` is "" where the server does not say it."""

    type: str
    point: Point


async def recorded(
    client: AsyncHomebox, homes: Sequence[Home]
) -> Mapping[Home, Sequence[Recorded] | None]:
    """Return the readings of each home, None for a home that is not there."""
    found = await asyncio.gather(
        *(_of_home(client, home) for home in homes), return_exceptions=True
    )
    for there in found:
        if isinstance(there, BaseException):
            raise there
    return dict(zip(homes, found, strict=True))  # type: ignore[arg-type]  # raised above


async def _of_home(client: AsyncHomebox, home: Home) -> list[Recorded] | None:
    kind, number = home
    readings = client.readings
    pages = (
        readings.list_for_order(number) if kind == "order" else readings.list_for_property(number)
    )
    try:
        return [one async for page in pages.pages() for one in _read(page.items)]
    except NotFound:
        return None


def _read(readings: Sequence[Reading]) -> Iterator[Recorded]:
    for one in readings:
        value = _register(one.reading)
        if one.date_of_reading is None or value is None:
            continue  # nothing to compare with
        kind = (one.type or "").casefold()
        point = Point(identity_of(one), one.date_of_reading, (value, _register(one.reading2)))
        yield Recorded(METER_TYPES.get(kind, kind), point)


def _register(text: str | None) -> int | None:
    """Return what a register shows: ``103.00`` is 103."""
    found = _NUMBER.fullmatch(text or "")
    return None if found is None else int(found[1])
