"""The meter readings that are at Homebox, as far as rows are compared with them."""

from __future__ import annotations

import asyncio
import datetime as dt
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Literal

import attrs

from ..client import AsyncHomebox
from ..errors import NotFound
from ..evidence import Completeness
from ..resources.readings import Reading
from .finding import identity_of
from .meters import Point
from .whole_lists import read_whole

METER_TYPES: Mapping[str, str] = {"electricity": "electric", "elec": "electric"}
"""Other words for the API's types."""

Home = tuple[Literal["order", "property"], int]

_NUMBER = re.compile(r"\s*(\d{1,18})(?:\.\d*)?\s*", re.ASCII)


@attrs.frozen
class Recorded:
    """The readings of a home that are at Homebox, by type; "" where the server does not say it.

    `absence`: whether the list shows that there are no others.
    """

    points: Mapping[str, Sequence[Point]]
    absence: Completeness

    def of(self, type: str) -> Sequence[Point]:
        """Return the readings of a type."""
        return self.points.get(type, ())

    def same(self, type: str, day: dt.date, values: tuple[int, int | None]) -> list[int]:
        """Return the ids of the readings that are just this one; without a type, they may be."""
        known = (*self.of(type), *self.of(""))
        return [one.key for one in known if (one.day, one.values) == (day, values)]


async def recorded(client: AsyncHomebox, homes: Sequence[Home]) -> Mapping[Home, Recorded | None]:
    """Return the readings of each home, None for a home that is not there."""
    reads = [_of_home(client, home) for home in homes]
    found = await asyncio.gather(*reads, return_exceptions=True)
    there: dict[Home, Recorded | None] = {}
    for home, one in zip(homes, found, strict=True):
        if isinstance(one, BaseException):
            raise one
        there[home] = one
    return there


def worst(whole: Completeness, homes: Iterable[Recorded | None]) -> Completeness:
    """Return the first that is not complete, of one and those of the homes."""
    several = [whole, *(home.absence for home in homes if home is not None)]
    return next((one for one in several if not one.complete), whole)


async def _of_home(client: AsyncHomebox, home: Home) -> Recorded | None:
    kind, number = home
    listing = (
        client.readings.list_for_order if kind == "order" else client.readings.list_for_property
    )
    points: dict[tuple[str, int], Point] = {}

    async def add(page: Sequence[Reading]) -> None:
        for one in page:
            value = _register(one.reading)
            if one.date_of_reading is not None and value is not None:
                type = (one.type or "").casefold()
                number = identity_of(one)
                # Without ids, all that come count, whichever pass brings them.
                key = METER_TYPES.get(type, type), number or -len(points) - 1
                values = value, _register(one.reading2)
                points[key] = Point(number, one.date_of_reading, values)

    try:
        absence = await read_whole(partial(listing, number), add)
    except NotFound:
        return None
    by_type: defaultdict[str, list[Point]] = defaultdict(list)
    for (type, _), point in points.items():
        by_type[type].append(point)
    return Recorded(by_type, absence)


def _register(text: str | None) -> int | None:
    """Return what a register shows: ``103.00`` is 103."""
    found = _NUMBER.fullmatch(text or "")
    return None if found is None else int(found[1])
