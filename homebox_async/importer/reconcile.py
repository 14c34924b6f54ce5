"""Did it happen? Looks up rows whose request was left without an answer.

A row is found by its reference, or by its address where the property carries no reference at
all. Several hits are never guessed between.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Iterable, Mapping

import attrs

from ..client import AsyncHomebox
from ..pages import Seen
from ..resources.properties import Property
from ..rules import UNSET
from .columns import PropertyRow, address_key_of

# From so many postcodes on, a sweep over the whole list is cheaper than two queries for each.
_SWEEP_FROM = 25
# So many equal pages one after the other come from a server that does not count pages.
_SAME_PAGES = 5
# After so many pages in a row that bring nothing new, a list goes round in circles.
_STALE_PAGES = 100

NO_ID = 0
"""Stands for the id of a property that the list shows without one."""


@attrs.define
class Hits:
    """The ids of the properties that carry a row's reference, or have its address and none."""

    by_reference: set[int] = attrs.field(factory=set)
    by_address: set[int] = attrs.field(factory=set)

    @property
    def ids(self) -> list[int]:
        """What was found, by reference if possible."""
        return sorted(self.by_reference or self.by_address)


async def look_up(
    client: AsyncHomebox, rows: Collection[PropertyRow], *, everywhere: bool = False
) -> Mapping[int, Hits]:
    """Return what was found for each row, by row number.

    `everywhere`: also among properties at other postcodes.
    Raises RequestError if the list cannot be read.
    """
    hits = {row.number: Hits() for row in rows}
    references = {row.property_reference: hits[row.number] for row in rows}
    addresses: dict[str, list[Hits]] = {}
    for row in rows:
        addresses.setdefault(row.key, []).append(hits[row.number])
    for query in [""] if everywhere else _queries(rows):
        async for page in sweep(client, query):
            for found in page:
                identity = identity_of(found)
                for reference in found.references:
                    if reference in references:
                        references[reference].by_reference.add(identity)
                if not found.references:
                    for key in _keys(found):
                        for hit in addresses.get(key, ()):
                            hit.by_address.add(identity)
    return hits


def identity_of(found: Property) -> int:
    """Return a property's id, NO_ID where it has none that could be one.

    To be found without an id is to be found: it must not be sent again.
    """
    return found.id if found.id is not None and is_id(found.id) else NO_ID


def is_id(number: int) -> bool:
    """Tell whether a number can be an id: databases hold no larger ones, nor does the journal."""
    return 0 < number < 1 << 63


async def sweep(client: AsyncHomebox, query: str = "") -> AsyncIterator[tuple[Property, ...]]:
    """Give the pages of the list of properties, up to the first empty one.

    `Pages` ends at a page that brings nothing new. Where others add properties at the start of
    the list meanwhile, that may be far from its end; and what is missed here is sent twice.
    """
    number, last, same, stale, seen = 1, None, 0, 0, Seen()
    while same < _SAME_PAGES and stale < _STALE_PAGES:
        # The page as it came: a pass over the list would leave out what bears an id once more.
        page = await client.properties.list(q=query or UNSET)._fetch(number)
        if not page.items:
            return
        ids = [found.id for found in page.items]
        same = same + 1 if ids == last else 1
        number, last = number + 1, ids
        stale = 0 if sum(map(seen.add, page.items)) else stale + 1
        yield page.items


def _keys(found: Property) -> Iterable[str]:
    yield address_key_of(
        found.address_line1, found.address_line2, found.address_city, found.address_postcode
    )
    if found.external_id:
        yield f"id:{found.external_id}"


def _queries(rows: Collection[PropertyRow]) -> list[str]:
    postcodes = {_postcode(row) for row in rows}
    if "" in postcodes or len(postcodes) > _SWEEP_FROM:
        return [""]
    # Nobody says how the server spells what it searches in.
    return sorted({*postcodes, *(f"{code[:-3]} {code[-3:]}" for code in postcodes)})


def _postcode(row: PropertyRow) -> str:
    postcode = row.address.postcode or ""
    return postcode.replace(" ", "").upper()
