"""Properties: what a row of an import asks for; `property_lookup` finds it at Homebox."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import ClassVar

import attrs

from ..client import AsyncHomebox
from ..errors import Problem
from ..evidence import Completeness
from ..resources.addresses import Address, AddressId
from ..rules import text
from ..wire import Request
from . import addressing, property_lookup
from .address_matching import ADDRESS_RULE, Place
from .addressing import (
    address_key,
    address_of,
    address_problems,
    check_address,
    generated_reference,
    generated_start,
    one_line,
    place_of_address,
)
from .columns import Columns, MappingError, listed
from .finding import LookUp
from .journal import Journal
from .kinds import Kind, Pending, Tell
from .options import ImportOptions
from .sources import Row, Source

_NO_REFERENCE = Problem(
    "property_reference", "is empty", "give a reference, or import with --generate-references"
)


@attrs.frozen
class PropertyRow:
    """What a row asks for: a property to create.

    `generated`: the reference by each rule, where it is made of the address.
    """

    number: int
    address: Address | AddressId
    reference: str
    rule: int = ADDRESS_RULE
    generated: frozenset[str] = frozenset()

    @property
    def key(self) -> str:
        """The `address_key` of the address."""
        return address_key(self.address, self.rule)

    @property
    def names_an_id(self) -> bool:
        """Whether the address is named by its id."""
        return isinstance(self.address, AddressId)

    @property
    def references(self) -> frozenset[str]:
        """The references by which the property may be there."""
        return self.generated | {self.reference}

    @property
    def place(self) -> Place:
        """The address taken apart; without lines where it is named by its id."""
        return place_of_address(self.address)

    @property
    def text(self) -> str:
        """The address on one line."""
        return one_line(self.address)


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

    @property
    def generated_start(self) -> str:
        """How references begin that are made here, "" where none are."""
        if not self.generates:
            return ""
        return self.reference_prefix + generated_start(self.address_rule)

    def read(self, row: Row) -> PropertyRow | list[Problem]:
        """Make the request of a row, or tell all that is wrong with it."""
        if row.fault is not None:
            return [row.fault]
        got = self.got(row)
        address = address_of(got)
        problems = address_problems(address, got, self.uses)
        reference = got.get("property_reference", "")
        if reference:
            fault = text(self.reference_prefix + reference)
            if fault is not None:
                problems.append(Problem("property_reference", *fault))
        elif not self.generates:
            problems.append(_NO_REFERENCE)
        if problems:
            return problems
        return self._made(row, address, reference)

    def read_again(self, row: Row) -> PropertyRow:
        """Make the request of a row that `read` has found to be good."""
        got = self.got(row)
        return self._made(row, address_of(got), got.get("property_reference", ""))

    def _made(self, row: Row, address: Address | AddressId, reference: str) -> PropertyRow:
        prefix, rule = self.reference_prefix, self.address_rule
        if reference:
            return PropertyRow(row.number, address, prefix + reference, rule)
        reference = prefix + generated_reference(address, rule)
        # An import by the other rule may have made the property.
        both = frozenset(prefix + generated_reference(address, each) for each in (1, 2))
        return PropertyRow(row.number, address, reference, rule, both)


@attrs.frozen
class Properties(Kind[PropertyRow]):
    """The kind of `import_properties`.

    `create_them`: rows are created although a property without a reference has their address,
    so that such a property is no more than a doubt after a lost answer.
    """

    create_them: bool = False

    name = "properties"
    column_names = PropertyColumns.names
    tells_repeated_addresses = True

    def request(self, client: AsyncHomebox, row: PropertyRow) -> Request:
        """Return the request that creates the property."""
        return client.properties._creation(row.address, row.reference)

    async def look_up(
        self,
        client: AsyncHomebox,
        rows: Collection[PropertyRow],
        *,
        witnesses: Collection[int] = (),
        quick: bool = False,
    ) -> LookUp:
        """Return what was found for each row, and whether all else is absent."""
        return await property_lookup.look_up(
            client, rows, witnesses=witnesses, quick=quick, create_them=self.create_them
        )

    def recognise(self, columns: Sequence[str], options: ImportOptions) -> PropertyColumns:
        """Find the fields among the columns of a source."""
        return PropertyColumns.recognise(
            columns,
            mapping=options.mapping,
            preset=options.preset,
            generate_references=options.generate_references,
            reference_prefix=options.reference_prefix,
            as_is=options.as_is,
        )

    async def check_rows(
        self,
        source: Source,
        columns: Columns[PropertyRow],
        journal: Journal,
        pending: Pending[PropertyRow],
    ) -> None:
        """Reject references that several rows have; of generated ones, reject the repeats."""
        start = columns.generated_start if isinstance(columns, PropertyColumns) else ""
        await journal.reject_duplicates(but=start)
        if start:
            await journal.reject_repeats(start)

    async def compare(
        self, client: AsyncHomebox, journal: Journal, pending: Pending[PropertyRow], tell: Tell
    ) -> Completeness:
        """Note which rows a property is there for, or may be."""
        return await property_lookup.compare_all(
            client, journal, pending, tell, create_them=self.create_them
        )
