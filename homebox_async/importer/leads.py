"""Leads: each row a tenancy and all of its tenants, whom Homebox texts and emails.

What the rows of a file have to do with one another is in `joint`, which leads of Homebox are
theirs in `lead_matching`.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, ClassVar

import attrs

from ..client import AsyncHomebox
from ..errors import Problem
from ..evidence import Completeness
from ..resources.addresses import Address, AddressId
from ..resources.leads import Lead, NewTenant
from ..rules import UNSET, Unset, end_after_start, tenancy_date, text
from ..wire import Request
from . import addressing, lead_matching
from .address_matching import ADDRESS_RULE
from .addressing import address_key, check_address
from .cells import PERSON, Cells
from .columns import Columns, MappingError, listed, plain
from .finding import LookUp, may_be_it, named
from .journal import Journal, State
from .kinds import BY_ADDRESS, OVERLAP, Kind, Pending, Tell
from .lead_matching import contacts_of, phone_digits
from .options import ImportOptions, Tenancies
from .preview import Preview
from .sources import Row, Source
from .tenants import check_tenancies
from .whole_lists import read_whole

_MOST_TENANTS = 20
_TENANTS = [f"tenant{n}_" for n in range(1, _MOST_TENANTS + 1)]
_NUMBERED = re.compile(r"tenant(\d{1,6})[a-z]")
# "Create Lead": "if the tenancy_start date is within two weeks".
_AT_ONCE = dt.timedelta(days=14)

_PERSON_NAMES = {
    "first_name": ("firstname", "forename", "givenname"),
    "last_name": ("lastname", "surname", "familyname"),
    "phone_number": ("phonenumber", "phone", "mobile", "mobilenumber", "telephone"),
    "email_address": ("emailaddress", "email"),
}


@attrs.frozen(kw_only=True)
class LeadRow:
    """What a row asks for: a lead to create."""

    number: int
    reference: str
    tenancy_start: dt.date
    tenancy_end: dt.date
    tenants: tuple[NewTenant, ...] = attrs.field(repr=False)
    address: Address | AddressId | Unset = attrs.field(repr=False)
    notifications: bool | Unset
    existing_tenancy: bool | Unset
    managing_party_name: str = attrs.field(repr=False)
    rule: int = ADDRESS_RULE

    @property
    def key(self) -> str:
        """The home and the first day, which rows of one tenancy have in common."""
        return f"{self.home}|{self.tenancy_start}"

    @property
    def home(self) -> str:
        """The reference, or the address where there is none."""
        if self.reference or self.address is UNSET:
            return f"ref:{self.reference}"
        return address_key(self.address, self.rule)

    @property
    def names_an_id(self) -> bool:
        """Whether the address is named by its id."""
        return isinstance(self.address, AddressId)

    @property
    def contacts(self) -> Iterator[str]:
        """How the tenants are reached."""
        for tenant in self.tenants:
            yield from contacts_of(tenant.phone_number, tenant.email_address)


def _names() -> Iterator[tuple[str, str]]:
    yield from addressing.NAMES.items()
    for field, names in {
        "tenancy_start": (
            *("tenancystart", "startdate", "tenancystartdate", "movein", "moveindate"),
            *("leasestart", "leasestartdate", "tenancycommencement", "tenancycommencementdate"),
            *("commencementdate", "contractstart", "contractstartdate", "agreementstartdate"),
        ),
        "tenancy_end": (
            *("tenancyend", "enddate", "tenancyenddate", "leaseend", "leaseenddate"),
            *("tenancyexpiry", "tenancyexpirydate", "contractend", "contractenddate"),
            *("agreementenddate", "expirydate"),
        ),
        "notifications": ("notifications", "notifysuppliers"),
        "existing_tenancy": ("existingtenancy",),
        "managing_party_name": ("managingpartyname", "managingparty"),
    }.items():
        yield from ((name, field) for name in names)
    for part, names in _PERSON_NAMES.items():
        for name in names:
            # A sheet with one tenant a row need not count them.
            yield name, f"tenant1_{part}"
            yield f"tenant{name}", f"tenant1_{part}"
            for prefix in _TENANTS:
                yield plain(prefix) + name, prefix + part


class LeadColumns(Columns[LeadRow]):
    """How to make a lead of a row."""

    fields = (
        *("tenancy_start", "tenancy_end", *addressing.FIELDS, "property_reference"),
        *("notifications", "existing_tenancy", "managing_party_name"),
        *(prefix + part for prefix in _TENANTS for part in PERSON),
    )
    shown_fields = ", ".join((*fields[:12], *fields[12:16], f"... {fields[-1]}"))
    names: ClassVar[Mapping[str, str]] = dict(_names())
    weak: ClassVar[Mapping[str, str]] = {
        **addressing.WEAK,
        **dict.fromkeys(
            ("tel", "telno", "telephoneno", "telephonenumber", "contactno", "contactnumber"),
            "tenant1_phone_number",
        ),
        **dict.fromkeys(("mobileno", "mobilephone", "phoneno"), "tenant1_phone_number"),
        **dict.fromkeys(("emailid", "contactemail"), "tenant1_email_address"),
    }
    exact = ("address_id", "property_reference")
    # Of a row, the tenants of the rows that are sent with it.
    joint: Mapping[int, tuple[NewTenant, ...]] = {}

    @classmethod
    def check_complete(
        cls, uses: Mapping[str, str], columns: Sequence[str], **options: object
    ) -> None:
        """Raise MappingError without dates, tenants, or what a lead can be found by."""
        missing = [field for field in ("tenancy_start", "tenancy_end") if field not in uses]
        known = [prefix for prefix in _TENANTS if any(prefix + part in uses for part in PERSON)]
        missing += [
            p + part for p in known or _TENANTS[:1] for part in PERSON if p + part not in uses
        ]
        if missing:
            raise MappingError(
                f"there is no {' and no '.join(missing)} among the columns {listed(columns)}; say"
                f" which it is (--map {missing[0]}=COLUMN)"
            )
        for column in columns:
            found = _NUMBERED.match(plain(column))
            if found and int(found[1]) > _MOST_TENANTS:
                raise MappingError(
                    f"the column {column!r} is of a tenant beyond the {_MOST_TENANTS} that a row"
                    " can have; make two rows of it, with a reference each"
                )
        if any(field in uses for field in addressing.FIELDS) or "notifications" not in uses:
            check_address(uses, columns)
        elif "property_reference" not in uses:
            raise MappingError(
                "there is neither an address nor a property_reference among the columns"
                f" {listed(columns)}; say which it is (--map property_reference=COLUMN)"
            )

    def read(self, row: Row) -> LeadRow | list[Problem]:
        """Make the request of a row, or tell all that is wrong with it."""
        if row.fault is not None:
            return [row.fault]
        made, problems = self._read(row)
        return problems or made

    def read_again(self, row: Row) -> LeadRow:
        """Make the request of a row that `read` has found to be good, with its joint tenants."""
        made = self._read(row)[0]
        joint = self.joint.get(made.number)
        return made if joint is None else attrs.evolve(made, tenants=made.tenants + joint)

    def _read(self, row: Row) -> tuple[LeadRow, list[Problem]]:
        cells = Cells(self.got(row), self.uses)
        made = LeadRow(
            number=row.number,
            reference=cells.reference(self.reference_prefix),
            tenancy_start=cells.needed_date("tenancy_start", tenancy_date),
            tenancy_end=cells.needed_date("tenancy_end", tenancy_date),
            tenants=tuple(
                cells.person(prefix)
                for prefix in _TENANTS
                if cells.has(*(prefix + part for part in PERSON))
            ),
            address=cells.address(),
            notifications=cells.flag("notifications"),
            existing_tenancy=cells.flag("existing_tenancy"),
            managing_party_name=cells.text("managing_party_name", text),
            rule=self.address_rule,
        )
        if not made.tenants:
            cells.refuse("tenant1_first_name", "is empty", "give at least one tenant")
        if made.address is UNSET and made.notifications is not False:
            cells.refuse("address", "is empty", "give it, or set notifications to false")
        elif made.address is UNSET and not made.reference:
            fix = "give a reference or an address, so that the lead can be found again"
            cells.refuse("property_reference", "is empty", fix)
        return made, [*cells.problems, *end_after_start(made.tenancy_start, made.tenancy_end)]


@attrs.frozen
class Leads(Kind[LeadRow]):
    """The kind of `import_leads`.

    `tenants`: what several rows with one home and first day and different tenants are.
    """

    tenants: Tenancies | None = None

    name = "leads"
    column_names = LeadColumns.names
    must_confirm = True

    def recognise(self, columns: Sequence[str], options: ImportOptions) -> LeadColumns:
        """Find the fields among the columns of a source."""
        return LeadColumns.recognise(
            columns,
            mapping=options.mapping,
            dates=options.dates,
            reference_prefix=options.reference_prefix,
            as_is=options.as_is,
            tenants=options.tenants,
        )

    async def check_rows(
        self,
        source: Source,
        columns: Columns[LeadRow],
        journal: Journal,
        pending: Pending[LeadRow],
    ) -> None:
        """Reject rows of the same lead as an earlier one, and join those of joint tenants."""
        assert isinstance(columns, LeadColumns)
        columns.joint = await check_tenancies(source, columns, journal, self.tenants)

    async def compare(
        self, client: AsyncHomebox, journal: Journal, pending: Pending[LeadRow], tell: Tell
    ) -> Completeness:
        """Note which rows have a lead already, or one that leaves a doubt."""
        there, complete = await _there(client)
        async for rows in pending():
            for row in rows:
                hits = there.hits(row, separate=self._separate)
                if len(hits.ids) == 1:
                    how = "" if hits.by_reference else BY_ADDRESS
                    journal.record(row.number, State.PENDING, id=hits.ids[0], field=how)
                elif hits.ids:
                    error = f"{named('lead', hits.ids)} may be it"
                    journal.record(row.number, State.UNKNOWN, error=error)
                elif hits.perhaps:
                    error = may_be_it("lead", hits.perhaps)
                    journal.record(row.number, State.UNKNOWN, error=error)
                elif there.overlapping(row):
                    journal.record(row.number, State.PENDING, field=OVERLAP)
            await journal.flush()
        return complete

    @property
    def _separate(self) -> bool:
        return self.tenants == "separate"

    def request(self, client: AsyncHomebox, row: LeadRow) -> Request:
        """Return the request that creates the lead."""
        return client.leads._creation(
            tenancy_start=row.tenancy_start,
            tenancy_end=row.tenancy_end,
            existing_tenancy=row.existing_tenancy,
            notifications=row.notifications,
            managing_party_name=row.managing_party_name or UNSET,
            property_reference=row.reference or UNSET,
            address=row.address,
            tenants=row.tenants,
        )

    def echoed(self, made: Any, row: LeadRow) -> str:
        """Say if the server took other dates than were sent."""
        return other_dates(made, tenancy_start=row.tenancy_start, tenancy_end=row.tenancy_end)

    async def peek(self, client: AsyncHomebox) -> None:
        """Read the first page of leads."""
        await client.leads.list().first()

    async def look_up(
        self,
        client: AsyncHomebox,
        rows: Collection[LeadRow],
        *,
        witnesses: Collection[int] = (),
        quick: bool = False,
    ) -> LookUp:
        """Return what was found for each row among all leads; there is no quicker way."""
        there, absence = await _there(client, witnesses)
        found_here: set[int] = set()
        hits = {}
        # What is certainly a row's lead is no other row's, so those rows come first.
        for _ in range(2):
            for row in rows:
                found = there.hits(row, separate=self._separate, others=(witnesses, found_here))
                hits[row.number] = found
                if len(found.ids) == 1:
                    found_here.update(found.ids)
        return LookUp(hits, absence)

    def tally(self, columns: Columns[LeadRow]) -> _Tally:
        """Return what adds up messages and notices."""
        return _Tally(dt.date.today())


def other_dates(made: Any, **sent: dt.date | Unset) -> str:
    """Say which dates an answer shows otherwise than they were sent, "" if none."""
    for name, date in sent.items():
        shown = getattr(made, name)
        if shown is not None and date is not UNSET and shown != date:
            return (
                f"the server's answer shows {name} {shown} where {date} was sent; look at"
                " the record before anything more is sent"
            )
    return ""


async def _there(
    client: AsyncHomebox, witnesses: Collection[int] = ()
) -> tuple[lead_matching.Leads, Completeness]:
    """Return all leads, and whether they are all."""
    there = lead_matching.Leads()

    async def add(page: Sequence[Lead]) -> None:
        for lead in page:
            there.add(lead)

    complete = await read_whole(client.leads.list, add, witnesses)
    return there, complete


class _Tally:
    """Adds up what leads set off ("Create Lead")."""

    def __init__(self, today: dt.date) -> None:
        self._soon = today + _AT_ONCE
        self._rows = self._tenants = self._suppliers = 0
        self._seen: set[int] = set()
        self._again: set[int] = set()

    def add(self, row: LeadRow) -> None:
        """Count a lead that would be sent."""
        self._rows += 1
        self._suppliers += row.notifications is not False
        if row.tenancy_start > self._soon:
            return
        self._tenants += len(row.tenants)
        for tenant in row.tenants:
            # A number tells them from one another; the tenant's own is not kept.
            number = hash(phone_digits(tenant.phone_number))
            (self._again if number in self._seen else self._seen).add(number)

    def preview(self) -> Preview:
        """Return the sum."""
        return Preview(
            kind="leads",
            rows=self._rows,
            sms=self._tenants,
            emails=self._tenants,
            suppliers=self._suppliers,
            repeated_tenants=len(self._again),
        )
