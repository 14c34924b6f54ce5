"""Did it happen? Looks up rows whose request was left without an answer.

A row is found by its reference, or by its address where the property carries no reference at
all. Several hits are never guessed between.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Iterable, Mapping

import attrs

from ..client import AsyncHomebox
from ..resources.addresses import AddressId
from ..resources.properties import Property
from ..retry import Retry
from .columns import PropertyRow, address_key_of

# From so many rows on, one sweep over the whole list is cheaper than a query for each postcode.
_SWEEP_FROM = 50
# A look-up changes nothing, so patience costs nothing.
_PATIENT = Retry(attempts=8)


@attrs.define
class _Hits:
    by_reference: set[int] = attrs.field(factory=set)
    by_address: set[int] = attrs.field(factory=set)

    def found(self) -> tuple[int, ...]:
        return tuple(sorted(self.by_reference or self.by_address))


async def look_up(
    client: AsyncHomebox, rows: Collection[PropertyRow]
) -> Mapping[int, tuple[int, ...]]:
    """Return the ids of the properties that a row stands for, by row number.

    Raises RequestError if the list cannot be read.
    """
    hits = {row.number: _Hits() for row in rows}
    references = {row.property_reference: row for row in rows}
    addresses: dict[str, list[PropertyRow]] = {}
    for row in rows:
        addresses.setdefault(row.key, []).append(row)
    async for found in _candidates(client.with_options(retry=_PATIENT), rows):
        if found.id is None:
            continue
        for reference in found.references:
            if reference in references:
                hits[references[reference].number].by_reference.add(found.id)
        if not found.references:
            for key in _keys(found):
                for row in addresses.get(key, ()):
                    hits[row.number].by_address.add(found.id)
    return {number: hit.found() for number, hit in hits.items()}


def _keys(found: Property) -> Iterable[str]:
    yield address_key_of(
        found.address_line1, found.address_line2, found.address_city, found.address_postcode
    )
    if found.external_id:
        yield f"id:{found.external_id}"


async def _candidates(
    client: AsyncHomebox, rows: Collection[PropertyRow]
) -> AsyncIterator[Property]:
    postcodes = {_postcode(row) for row in rows}
    if "" in postcodes or len(postcodes) > _SWEEP_FROM:
        postcodes = {""}
    for postcode in sorted(postcodes):
        # Without `q`, the list is that of all properties.
        pages = client.properties.list(q=postcode) if postcode else client.properties.list()
        async for found in pages:
            yield found


def _postcode(row: PropertyRow) -> str:
    if isinstance(row.address, AddressId):
        return row.address.postcode or ""
    return row.address.postcode
