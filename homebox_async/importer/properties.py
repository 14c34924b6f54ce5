"""Properties: what a row of an import asks for, and how it is found again.

A row is found by its reference, or by its address where the property carries no reference at
all.
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from typing import ClassVar

import attrs

from ..client import AsyncHomebox
from ..errors import Problem
from ..resources.addresses import Address, AddressId
from ..resources.properties import Property
from ..rules import UNSET, text
from ..wire import Request
from . import addressing
from .addressing import address_key, address_key_of, address_of, address_problems, check_address
from .columns import Columns, MappingError, listed
from .finding import Hits, identity_of
from .journal import Journal
from .kinds import Kind, Pending, Tell
from .options import ImportOptions
from .sources import Row, Source

GENERATED = "hbx-"
"""How the references begin that are made of an address."""

# From so many postcodes on, a sweep over the whole list is cheaper than two queries for each.
_SWEEP_FROM = 25
_NO_REFERENCE = Problem(
    "property_reference", "is empty", "give a reference, or import with --generate-references"
)


@attrs.frozen
class PropertyRow:
    """What a row asks for: a property to create."""

    number: int
    address: Address | AddressId
    reference: str

    @property
    def key(self) -> str:
        """The `address_key` of the address."""
        return address_key(self.address)

    @property
    def names_an_id(self) -> bool:
        """Whether the address is named by its id."""
        return isinstance(self.address, AddressId)


class PropertyColumns(Columns[PropertyRow]):
    """How to make a property of a row."""

    fields = (*addressing.FIELDS, "property_reference")
    names = addressing.NAMES
    weak = addressing.WEAK
    exact = ("address_id", "property_reference")
    # HM Land Registry's Price Paid Data.
    presets: ClassVar[Mapping[str, Mapping[str, str]]] = {
        "land-registry": {
            "line1": "{saon} {paon} {street}",
            "line2": "{locality}",
            "city": "town",
            "county": "county",
            "postcode": "postcode",
            "property_reference": "unique_id",
        },
    }

    @classmethod
    def check_complete(
        cls, uses: Mapping[str, str], columns: Sequence[str], **options: object
    ) -> None:
        """Raise MappingError without an address, or without references."""
        check_address(uses, columns)
        if "property_reference" not in uses and not options.get("generate_references"):
            raise MappingError(
                f"there is no property_reference among the columns {listed(columns)}; say which it"
                " is (--map property_reference=COLUMN), or import with --generate-references"
            )

    @property
    def generates(self) -> bool:
        """Whether rows without a reference get one of their address."""
        return bool(self._options.get("generate_references"))

    def read(self, row: Row) -> PropertyRow | list[Problem]:
        """Make the request of a row, or tell all that is wrong with it."""
        if row.fault is not None:
            return [row.fault]
        got = self.got(row)
        address = address_of(got)
        problems = address_problems(address, got, self.uses)
        reference = got.get("property_reference", "")
        if reference:
            fault = text(reference)
            if fault is not None:
                problems.append(Problem("property_reference", *fault))
        elif not self.generates:
            problems.append(_NO_REFERENCE)
        if problems:
            return problems
        return PropertyRow(row.number, address, reference or _generated(address))

    def read_again(self, row: Row) -> PropertyRow:
        """Make the request of a row that `read` has found to be good."""
        got = self.got(row)
        address = address_of(got)
        return PropertyRow(
            row.number, address, got.get("property_reference") or _generated(address)
        )


class Properties(Kind[PropertyRow]):
    """The kind of `import_properties`."""

    name = "properties"
    column_names = PropertyColumns.names
    tells_repeated_addresses = True

    def request(self, client: AsyncHomebox, row: PropertyRow) -> Request:
        """Return the request that creates the property."""
        return client.properties._creation(row.address, row.reference)

    async def look_up(
        self, client: AsyncHomebox, rows: Collection[PropertyRow], *, everywhere: bool = False
    ) -> Mapping[int, Hits]:
        """Return what was found for each row; `everywhere`: also at other postcodes."""
        return await look_up(client, rows, everywhere=everywhere)

    def recognise(self, columns: Sequence[str], options: ImportOptions) -> PropertyColumns:
        """Find the fields among the columns of a source."""
        return PropertyColumns.recognise(
            columns,
            mapping=options.mapping,
            preset=options.preset,
            generate_references=options.generate_references,
        )

    async def check_rows(
        self,
        source: Source,
        columns: Columns[PropertyRow],
        journal: Journal,
        pending: Pending[PropertyRow],
    ) -> None:
        """Reject references that several rows have; of generated ones, reject the repeats."""
        generates = isinstance(columns, PropertyColumns) and columns.generates
        await journal.reject_duplicates(but=GENERATED if generates else "")
        if generates:
            await journal.reject_repeats(GENERATED)

    async def compare(
        self, client: AsyncHomebox, journal: Journal, pending: Pending[PropertyRow], tell: Tell
    ) -> None:
        """Note which rows have a reference that a property carries already."""
        async for page in properties(client):
            await journal.match(
                [(one, identity_of(found)) for found in page for one in found.references]
            )


async def look_up(
    client: AsyncHomebox, rows: Collection[PropertyRow], *, everywhere: bool = False
) -> Mapping[int, Hits]:
    """Return what was found for each row, by row number.

    `everywhere`: also among properties at other postcodes.
    Raises RequestError if the list cannot be read.
    """
    hits = {row.number: Hits() for row in rows}
    references = {row.reference: hits[row.number] for row in rows}
    addresses: dict[str, list[Hits]] = {}
    for row in rows:
        addresses.setdefault(row.key, []).append(hits[row.number])
    for query in [""] if everywhere else _queries(rows):
        async for page in properties(client, query):
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


async def properties(client: AsyncHomebox, query: str = "") -> AsyncIterator[tuple[Property, ...]]:
    """Give the pages of the list of properties, up to the first empty one."""
    async for page in client.properties.list(q=query or UNSET).pages():
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


def _generated(address: Address | AddressId) -> str:
    key = address_key(address).encode("utf-8", "surrogatepass")
    return GENERATED + hashlib.blake2b(key, digest_size=10).hexdigest()
