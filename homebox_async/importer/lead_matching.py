"""Which leads of Homebox are those of rows: plain values, no I/O.

The same lead has the same home, the same first day, and a tenant whose phone or email agrees. A
lead that looks like a row's and may be another one leaves a doubt: it is better to notify a
tenant late than twice.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING

import attrs

from ..resources.addresses import Address, AddressId
from ..resources.leads import Lead
from .address_matching import Likeness, Place, compare, place_of, postcode_of
from .addressing import place_of_address
from .finding import Hits, identity_of
from .references import is_altered

if TYPE_CHECKING:
    from .leads import LeadRow

_CONTACT = "it is for one of the tenants from the same day"
_OTHERS = "it has this home and first day, and other tenants"
_UNKNOWN_TENANTS = "it has this home and first day, and its tenants are not shown"


@attrs.frozen
class _There:
    """A lead of Homebox, as far as rows are compared with it."""

    id: int
    reference: str
    start: dt.date
    end: dt.date
    contacts: frozenset[str] = attrs.field(repr=False)
    address: tuple[str | None, ...] = attrs.field(repr=False)
    external_id: str

    @property
    def place(self) -> Place:
        """The address taken apart."""
        *lines, city, county, postcode = self.address
        return place_of(lines, city, county, postcode)


class Leads:
    """The leads of Homebox."""

    def __init__(self) -> None:
        self._at: defaultdict[tuple[str, str, dt.date], dict[int, _There]] = defaultdict(dict)
        self._of: defaultdict[str, dict[int, _There]] = defaultdict(dict)

    def add(self, lead: Lead) -> None:
        """Take a lead in."""
        if lead.tenancy_start is None:
            return
        there = _taken_in(lead, lead.tenancy_start)
        for contact in there.contacts:
            self._at["contact", contact, there.start][there.id] = there
        if there.reference:
            self._at["reference", there.reference, there.start][there.id] = there
            self._of[there.reference][there.id] = there
        if there.external_id:
            self._at["id", there.external_id, there.start][there.id] = there
        if postcode := there.address[-1]:
            self._at["postcode", postcode_of(postcode), there.start][there.id] = there

    def hits(
        self, row: LeadRow, *, separate: bool, others: Collection[Collection[int]] = ()
    ) -> Hits:
        """Return what is certainly a row's lead, and what may be it.

        `separate`: other tenants are another lead. `others`: ids that are known to be other
        rows', in several collections.
        """
        hits = Hits()
        contacts = frozenset(row.contacts)
        place = _place(row)
        for there in self._near(row, contacts, place):
            same_home = _same_home(row, place, there)
            same_tenant = not contacts.isdisjoint(there.contacts)
            exact = bool(row.reference) and row.reference == there.reference
            if same_home and same_tenant:
                (hits.by_reference if exact else hits.by_address).add(there.id)
            elif exact and same_tenant:
                # Even if it is known as another row's: the server may have mixed up their ids.
                hits.perhaps[there.id] = _CONTACT
            elif any(there.id in each for each in others):
                continue
            elif same_tenant:
                hits.perhaps[there.id] = _CONTACT
            elif same_home is not False and not there.contacts:
                hits.perhaps[there.id] = _UNKNOWN_TENANTS
            elif same_home is not False and not separate:
                hits.perhaps[there.id] = _OTHERS
        return hits

    def overlapping(self, row: LeadRow) -> list[int]:
        """Return the leads of the same home whose tenancy overlaps the row's."""
        place = _place(row)
        return sorted(
            there.id
            for there in self._of.get(row.reference, {}).values()
            if there.start < row.tenancy_end
            and row.tenancy_start < there.end
            and _same_home(row, place, there) is not False
        )

    def _near(
        self, row: LeadRow, contacts: Collection[str], place: Place | None
    ) -> Collection[_There]:
        keys = [("contact", contact) for contact in contacts]
        if row.reference:
            keys.append(("reference", row.reference))
        if isinstance(row.address, AddressId):
            keys.append(("id", row.address.address_id))
        if place is not None:
            keys.append(("postcode", place.postcode))
        near: dict[int, _There] = {}
        for kind, key in keys:
            near.update(self._at.get((kind, key, row.tenancy_start), {}))
        return near.values()


def _same_home(row: LeadRow, place: Place | None, there: _There) -> bool | None:
    """Return whether a lead is for the row's home, None if it may be."""
    likeness = None
    if place is not None and any(there.address[:4]):
        likeness = compare(place, there.place)
    if likeness is Likeness.CONTRADICTS:
        return False
    same_id = isinstance(row.address, AddressId) and row.address.address_id == there.external_id
    if row.reference and there.reference:
        if row.reference == there.reference:
            return None if likeness is Likeness.UNSURE else True
        altered = is_altered(row.reference, there.reference, has_address=likeness is not None)
        return None if altered else False
    if likeness is Likeness.SAME or same_id:
        return True
    return None if likeness in (Likeness.NEAR, Likeness.UNSURE) else False


def _place(row: LeadRow) -> Place | None:
    return place_of_address(row.address) if isinstance(row.address, Address) else None


def _taken_in(lead: Lead, start: dt.date) -> _There:
    home = lead.property
    address: tuple[str | None, ...] = (None,) * 7
    if home is not None:
        address = (
            *(home.address_line1, home.address_line2, home.address_line3, home.address_line4),
            *(home.address_city, home.address_county, home.address_postcode),
        )
    return _There(
        identity_of(lead),
        lead.property_reference or "",
        start,
        lead.tenancy_end or dt.date.max,
        frozenset(
            contact
            for tenant in lead.tenants
            for contact in contacts_of(tenant.phone_number, tenant.email_address)
        ),
        address,
        (home and home.external_id) or "",
    )


def contacts_of(phone: str | None, email: str | None) -> Iterator[str]:
    """Give what two spellings of a phone number, and of an email address, have in common."""
    if phone and (digits := phone_digits(phone)):
        yield digits
    if email:
        yield email.strip().casefold()


def phone_digits(phone: str) -> str:
    """Return the digits of a phone number, of a British one as it is dialled at home."""
    digits = "".join(filter(str.isdecimal, phone)).removeprefix("00")
    if digits.startswith("44"):
        return "0" + digits[2:].lstrip("0")
    # A spreadsheet takes the zero away.
    return f"0{digits}" if len(digits) == 10 and digits.startswith("7") else digits
