"""Void periods: each row a time in which nobody rents a home.

The API has no list of them: what became of a row without an answer cannot be looked up.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import attrs

from ..client import AsyncHomebox
from ..errors import Problem, RequestError
from ..evidence import Completeness
from ..resources.addresses import Address, AddressId
from ..resources.leads import NewTenant
from ..resources.properties import PropertyStatus
from ..resources.voids import ForwardingDetails
from ..rules import UNSET, Unset, end_after_start, tenancy_date
from ..wire import Request
from . import addressing
from .address_matching import ADDRESS_RULE
from .addressing import address_key, check_address, explained
from .cells import PERSON, Cells
from .columns import Columns, MappingError, listed, plain
from .finding import Hits, LookUp
from .journal import Journal
from .kinds import Kind, Pending, Tell
from .leads import other_dates
from .options import ImportOptions
from .preview import Preview
from .sources import Row, Source

_LINES = ("line1", "line2", "city", "county", "postcode")
_FORWARDING = ("name", "phone_number", "email_address", *_LINES)
_NEEDED = (
    *("tenancy_start", "property_empty"),
    *(f"responsible_{part}" for part in (*PERSON, "line1", "city", "postcode")),
)


@attrs.frozen(kw_only=True)
class VoidRow:
    """What a row asks for: a void period to create."""

    number: int
    reference: str
    property_id: int | Unset
    address: Address | AddressId | Unset = attrs.field(repr=False)
    tenancy_start: dt.date
    tenancy_end: dt.date | Unset
    is_premium: bool | Unset
    property_empty: bool
    notifications: bool | Unset
    responsible_tenant: NewTenant = attrs.field(repr=False)
    responsible_address: Address = attrs.field(repr=False)
    forwarding_details: ForwardingDetails | Unset = attrs.field(repr=False)
    rule: int = ADDRESS_RULE

    @property
    def key(self) -> str:
        """The home and the first day: there is one void of both."""
        home = f"property:{self.property_id}"
        if self.property_id is UNSET and self.address is not UNSET:
            home = address_key(self.address, self.rule)
        return f"{home}|{self.tenancy_start}"

    @property
    def names_an_id(self) -> bool:
        """Whether the home is named by an id."""
        return self.property_id is not UNSET or isinstance(self.address, AddressId)


def _names() -> Iterator[tuple[str, str]]:
    yield from addressing.NAMES.items()
    for field in (*VoidColumns.fields, "tenancy_start", "tenancy_end"):
        if field not in addressing.FIELDS:
            yield plain(field), field
    yield from {
        "startdate": "tenancy_start",
        "voidstart": "tenancy_start",
        "voidstartdate": "tenancy_start",
        "enddate": "tenancy_end",
        "voidend": "tenancy_end",
        "voidenddate": "tenancy_end",
        "premium": "is_premium",
        "empty": "property_empty",
    }.items()


class VoidColumns(Columns[VoidRow]):
    """How to make a void period of a row."""

    fields = (
        *("property_id", *addressing.FIELDS, "property_reference"),
        *("tenancy_start", "tenancy_end", "is_premium", "property_empty", "notifications"),
        *(f"responsible_{part}" for part in (*PERSON, *_LINES)),
        *(f"forwarding_{part}" for part in _FORWARDING),
    )
    weak = addressing.WEAK
    exact = ("address_id", "property_reference")

    @classmethod
    def check_complete(
        cls, uses: Mapping[str, str], columns: Sequence[str], **options: object
    ) -> None:
        """Raise MappingError without a home, a start, or who is responsible."""
        if missing := [field for field in _NEEDED if field not in uses]:
            raise MappingError(
                f"there is no {' and no '.join(missing)} among the columns {listed(columns)}; say"
                f" which it is (--map {missing[0]}=COLUMN)"
            )
        if "property_id" not in uses or any(field in uses for field in addressing.FIELDS):
            check_address(uses, columns)

    def read(self, row: Row) -> VoidRow | list[Problem]:
        """Make the request of a row, or tell all that is wrong with it."""
        if row.fault is not None:
            return [row.fault]
        made, problems = self._read(row)
        return problems or made

    def read_again(self, row: Row) -> VoidRow:
        """Make the request of a row that `read` has found to be good."""
        return self._read(row)[0]

    def _read(self, row: Row) -> tuple[VoidRow, list[Problem]]:
        got = self.got(row)
        cells = Cells(got, self.uses)
        property_id = cells.whole("property_id")
        responsible = _lines(got, "responsible_")
        cells.problems += explained(responsible, "responsible_", self.uses, "responsible_")
        made = VoidRow(
            number=row.number,
            reference=cells.reference(self.reference_prefix),
            property_id=property_id,
            # The API prefers the id; the address of such a row is for people.
            address=UNSET if cells.has("property_id") else cells.address(),
            tenancy_start=cells.needed_date("tenancy_start", tenancy_date),
            tenancy_end=cells.date("tenancy_end", tenancy_date),
            is_premium=cells.flag("is_premium"),
            property_empty=cells.needed_flag("property_empty"),
            notifications=cells.flag("notifications"),
            responsible_tenant=cells.person("responsible_"),
            responsible_address=responsible,
            forwarding_details=_forwarding(got, cells, self.uses),
            rule=self.address_rule,
        )
        if made.property_id is UNSET and made.address is UNSET and not cells.has("property_id"):
            cells.refuse("property_id", "is empty", "give it, or the address")
        return made, [*cells.problems, *end_after_start(made.tenancy_start, made.tenancy_end)]


VoidColumns.names = dict(_names())


class Voids(Kind[VoidRow]):
    """The kind of `import_voids`."""

    name = "voids"
    column_names = VoidColumns.names
    is_listed = False
    must_confirm = True

    def recognise(self, columns: Sequence[str], options: ImportOptions) -> VoidColumns:
        """Find the fields among the columns of a source."""
        return VoidColumns.recognise(
            columns,
            mapping=options.mapping,
            dates=options.dates,
            reference_prefix=options.reference_prefix,
            as_is=options.as_is,
        )

    async def check_rows(
        self,
        source: Source,
        columns: Columns[VoidRow],
        journal: Journal,
        pending: Pending[VoidRow],
    ) -> None:
        """Reject rows with the home and the start of an earlier one."""
        await journal.reject_same("void", "leave one of them out")

    async def compare(
        self, client: AsyncHomebox, journal: Journal, pending: Pending[VoidRow], tell: Tell
    ) -> Completeness:
        """Compare with nothing: there is no list of voids."""
        return Completeness(True, "Homebox does not list voids")

    def request(self, client: AsyncHomebox, row: VoidRow) -> Request:
        """Return the request that creates the void period."""
        fields = {each.name: getattr(row, each.name) for each in attrs.fields(VoidRow)}
        del fields["number"], fields["rule"]
        fields["property_reference"] = fields.pop("reference") or UNSET
        return client.voids._creation(**fields)

    async def evidence(self, client: AsyncHomebox, row: VoidRow) -> str:
        """Say which status the home has, which proves nothing of this very void."""
        if not isinstance(row.property_id, int):
            return ""
        try:
            home = await client.properties.get(row.property_id)
        except RequestError:
            return ""
        speaks = "for" if home.status_id == PropertyStatus.VOID_PERIOD else "against"
        status = f"{home.status or 'without a name'} ({home.status_id})"
        return f"property {row.property_id} has the status {status}, which speaks {speaks} it"

    def echoed(self, made: Any, row: VoidRow) -> str:
        """Say if the server took other dates than were sent."""
        return other_dates(made, tenancy_start=row.tenancy_start, tenancy_end=row.tenancy_end)

    def tenancy_of(self, made: Any) -> int | None:
        """Return the id of the tenancy inside of a void."""
        return None if made.tenancy is None else made.tenancy.id

    async def look_up(
        self,
        client: AsyncHomebox,
        rows: Collection[VoidRow],
        *,
        witnesses: Collection[int] = (),
        quick: bool = False,
    ) -> LookUp:
        """Find nothing: there is no list of voids."""
        return LookUp(
            {row.number: Hits() for row in rows}, Completeness(False, "Homebox does not list voids")
        )

    def tally(self, columns: Columns[VoidRow]) -> _Tally:
        """Return what adds up switches and notices."""
        return _Tally()


class _Tally:
    """Adds up what voids set off ("Create Void Period")."""

    def __init__(self) -> None:
        self._rows = self._switches = self._suppliers = 0

    def add(self, row: VoidRow) -> None:
        """Count a void that would be sent."""
        self._rows += 1
        self._switches += row.is_premium is True
        # Of a premium void, Homebox tells all suppliers in any case.
        self._suppliers += row.is_premium is True or row.notifications is True

    def preview(self) -> Preview:
        """Return the sum."""
        return Preview(
            kind="voids", rows=self._rows, suppliers=self._suppliers, switches=self._switches
        )


def _lines(got: Mapping[str, str], prefix: str) -> Address:
    def part(name: str) -> str:
        return got.get(prefix + name, "")

    return Address(
        line1=part("line1"),
        line2=part("line2") or UNSET,
        city=part("city"),
        county=part("county") or UNSET,
        postcode=part("postcode"),
    )


def _forwarding(
    got: Mapping[str, str], cells: Cells, uses: Mapping[str, str]
) -> ForwardingDetails | Unset:
    if not cells.has(*(f"forwarding_{part}" for part in _FORWARDING)):
        return UNSET
    lines = _lines(got, "forwarding_")
    details = ForwardingDetails(
        name=got.get("forwarding_name", ""),
        phone_number=got.get("forwarding_phone_number") or UNSET,
        email_address=got.get("forwarding_email_address") or UNSET,
        line1=lines.line1,
        line2=lines.line2,
        city=lines.city,
        county=lines.county,
        postcode=lines.postcode,
    )
    cells.problems += explained(details, "forwarding_", uses, "forwarding_")
    return details
