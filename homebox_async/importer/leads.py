"""Leads: each row a tenancy and all of its tenants, whom Homebox texts and emails.

A row is found again by its reference and start, or by its address and dates where neither it nor
the lead carries a reference. A lead that looks like the row's, and may be another, is a doubt:
to be texted twice is worse than to wait for somebody who looks.
"""

from __future__ import annotations

import datetime as dt
import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, ClassVar

import attrs

from ..client import AsyncHomebox
from ..errors import AnswerUnusable, Outcome, Problem
from ..resources.addresses import Address, AddressId
from ..resources.leads import Lead, NewTenant
from ..rules import UNSET, Unset, end_after_start, tenancy_date, text
from ..wire import Request
from . import addressing
from .addressing import address_key, address_key_of, check_address
from .cells import PERSON, Cells
from .columns import Columns, MappingError, listed, plain
from .finding import Hits, identity_of
from .journal import Journal, State
from .kinds import Kind, Pending, Tell
from .options import ImportOptions
from .preview import Preview
from .report import RowResult
from .sources import Row, Source

_MOST_TENANTS = 20
_TENANTS = [f"tenant{n}_" for n in range(1, _MOST_TENANTS + 1)]
_NUMBERED = re.compile(r"tenant(\d{1,6})[a-z]")
# "Create Lead": "if the tenancy_start date is within two weeks".
_AT_ONCE = dt.timedelta(days=14)
# Passes over a list that changes while it is read.
_SWEEPS = 5

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

    @property
    def key(self) -> str:
        """The home and the first day: there is one lead of both."""
        return f"{self.home}|{self.tenancy_start}"

    @property
    def home(self) -> str:
        """The reference, or the address where there is none."""
        if self.reference or self.address is UNSET:
            return f"ref:{self.reference}"
        return address_key(self.address)

    @property
    def names_an_id(self) -> bool:
        """Whether the address is named by its id."""
        return isinstance(self.address, AddressId)

    @property
    def contacts(self) -> Iterator[str]:
        """How the tenants are reached."""
        for tenant in self.tenants:
            yield from _contacts(tenant.phone_number, tenant.email_address)


def _names() -> Iterator[tuple[str, str]]:
    yield from addressing.NAMES.items()
    for field, names in {
        "tenancy_start": ("tenancystart", "startdate", "tenancystartdate", "movein", "moveindate"),
        "tenancy_end": ("tenancyend", "enddate", "tenancyenddate"),
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
    weak = addressing.WEAK
    exact = ("address_id", "property_reference")

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
        """Make the request of a row that `read` has found to be good."""
        return self._read(row)[0]

    def _read(self, row: Row) -> tuple[LeadRow, list[Problem]]:
        cells = Cells(self.got(row), self.uses, day_first=self._options.get("dates") == "dmy")
        made = LeadRow(
            number=row.number,
            reference=cells.text("property_reference", text),
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
        )
        if not made.tenants:
            cells.refuse("tenant1_first_name", "is empty", "give at least one tenant")
        if made.address is UNSET and made.notifications is not False:
            cells.refuse("address", "is empty", "give it, or set notifications to false")
        elif made.address is UNSET and not made.reference:
            fix = "give a reference or an address, so that the lead can be found again"
            cells.refuse("property_reference", "is empty", fix)
        return made, [*cells.problems, *end_after_start(made.tenancy_start, made.tenancy_end)]


class Leads(Kind[LeadRow]):
    """The kind of `import_leads`."""

    name = "leads"
    column_names = LeadColumns.names
    must_confirm = True

    def recognise(self, columns: Sequence[str], options: ImportOptions) -> LeadColumns:
        """Find the fields among the columns of a source."""
        return LeadColumns.recognise(columns, mapping=options.mapping, dates=options.dates)

    async def check_rows(
        self,
        source: Source,
        columns: Columns[LeadRow],
        journal: Journal,
        pending: Pending[LeadRow],
    ) -> None:
        """Reject rows with the home and the start of an earlier one."""
        await journal.reject_same(
            "lead",
            "put all tenants of a tenancy into one row (tenant2_first_name, ...), or give each row"
            " a reference of its own",
        )

    async def compare(
        self, client: AsyncHomebox, journal: Journal, pending: Pending[LeadRow], tell: Tell
    ) -> None:
        """Note which rows have a lead already, or one that leaves a doubt."""
        there = await _there(client)
        async for rows in pending():
            for row in rows:
                hits = there.hits(row)
                doubts = sorted(hits.perhaps | there.alike(row))
                if len(hits.ids) == 1:
                    journal.record(row.number, State.PENDING, id=hits.ids[0])
                elif hits.ids or doubts:
                    ids = hits.ids or doubts
                    journal.record(row.number, State.UNKNOWN, error=f"{_leads(ids)} may be it")
                elif overlapping := there.overlapping(row):
                    await tell(
                        RowResult(
                            row.number,
                            State.REJECTED,
                            row.reference,
                            field="tenancy_start",
                            error=f"overlaps {_leads(overlapping)} of the same reference",
                            fix="correct the dates, or leave the row out",
                        )
                    )
            await journal.flush()

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

    async def look_up(
        self, client: AsyncHomebox, rows: Collection[LeadRow], *, everywhere: bool = False
    ) -> Mapping[int, Hits]:
        """Return what was found for each row among all leads."""
        there = await _there(client)
        return {row.number: there.hits(row) for row in rows}

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


class _There:
    """The leads that are at Homebox, as far as rows are compared with them."""

    def __init__(self) -> None:
        self.ids: set[int] = set()
        self._by_reference: defaultdict[tuple[str, dt.date], set[int]] = defaultdict(set)
        self._spans: defaultdict[str, list[tuple[dt.date, dt.date, int]]] = defaultdict(list)
        # Of the address and both dates: the leads, and who is reached by them.
        self._by_address: defaultdict[tuple[str, dt.date, dt.date], dict[int, set[str]]]
        self._by_address = defaultdict(dict)
        self._by_contact: defaultdict[tuple[str, dt.date], set[int]] = defaultdict(set)
        self._referred: set[int] = set()

    def add(self, lead: Lead) -> None:
        """Take a lead in."""
        identity = identity_of(lead)
        self.ids.add(identity)
        if lead.tenancy_start is None:
            return
        start = lead.tenancy_start
        end = dt.date.max if lead.tenancy_end is None else lead.tenancy_end
        if lead.property_reference:
            self._referred.add(identity)
            self._by_reference[lead.property_reference, start].add(identity)
            self._spans[lead.property_reference].append((start, end, identity))
        contacts: set[str] = set()
        for tenant in lead.tenants:
            contacts.update(_contacts(tenant.phone_number, tenant.email_address))
        for contact in contacts:
            self._by_contact[contact, start].add(identity)
        home = lead.property
        if home is not None:
            keys = [
                address_key_of(
                    home.address_line1,
                    home.address_line2,
                    home.address_city,
                    home.address_postcode,
                )
            ]
            if home.external_id:
                keys.append(f"id:{home.external_id}")
            for key in keys:
                self._by_address[key, start, end][identity] = contacts

    def hits(self, row: LeadRow) -> Hits:
        """Return what is certainly the row's lead, and what may be it."""
        hits = Hits()
        if row.reference:
            hits.by_reference = set(self._by_reference.get((row.reference, row.tenancy_start), ()))
        contacts = set(row.contacts)
        if row.address is not UNSET:
            where = (address_key(row.address), row.tenancy_start, row.tenancy_end)
            for identity, theirs in self._by_address.get(where, {}).items():
                if identity in self._referred:
                    continue
                same = not row.reference and not theirs.isdisjoint(contacts)
                (hits.by_address if same else hits.perhaps).add(identity)
        for contact in contacts:
            # A lead that carries another reference is another row's.
            hits.perhaps |= self._with(contact, row) - (self._referred if row.reference else set())
        hits.perhaps.difference_update(hits.ids)
        return hits

    def alike(self, row: LeadRow) -> set[int]:
        """Return leads that have reached a tenant of the row for the same day already."""
        return {identity for contact in row.contacts for identity in self._with(contact, row)}

    def overlapping(self, row: LeadRow) -> list[int]:
        """Return leads of the same reference whose tenancy overlaps the row's."""
        return sorted(
            identity
            for start, end, identity in self._spans.get(row.reference, ())
            if start < row.tenancy_end and row.tenancy_start < end
        )

    def _with(self, contact: str, row: LeadRow) -> set[int]:
        return self._by_contact.get((contact, row.tenancy_start), set())


async def _there(client: AsyncHomebox) -> _There:
    """Read all leads; what is missed here is sent twice, so the server's count has to agree."""
    for _ in range(_SWEEPS):
        there, cursor = _There(), client.leads.list().pages()
        async for page in cursor:
            for lead in page.items:
                there.add(lead)
        if not cursor.evidence.disturbance:
            return there
    raise AnswerUnusable(
        "the list of leads is shorter than the server says, or changes while it is read",
        outcome=Outcome.REJECTED,
        method="GET",
        path="lead",
        attempts=_SWEEPS,
    )


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
            number = hash(_digits(tenant.phone_number))
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


def _contacts(phone: str | None, email: str | None) -> Iterator[str]:
    if phone:
        yield _digits(phone)
    if email:
        yield email.strip().casefold()


def _digits(phone: str) -> str:
    return "".join(filter(str.isdigit, phone))


def _leads(ids: Sequence[int]) -> str:
    return f"lead{'s' * (len(ids) > 1)} {', '.join(map(str, ids))}"
