"""Seed data: what is in Homebox before a test begins, with values that are surely nobody's.

Phone numbers are of the range that Ofcom keeps free for drama, email addresses of example.com,
and postcodes of the area Z, which does not exist.
"""

import datetime as dt
import itertools
from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

import attrs

from ..emulator import Address as StoredAddress
from ..emulator import Emulator, packages
from ..emulator.package_records import Billing, Branch, Order, Payer, Payment, Tenancy
from ..emulator.packages import Outcome
from ..emulator.records import PARTNER, Lead, NewLead, Property, Reading
from ..emulator.records import NewTenant as StoredTenant
from ..resources.addresses import Address
from ..resources.leads import NewTenant
from ..resources.readings import ReadingType

R = TypeVar("R")

_FIRST_NAMES = ("Ada", "Ben", "Cleo", "Dev", "Esme", "Finn", "Gita", "Hugo")
_YEAR = dt.timedelta(days=365)


class Run(Protocol):
    """Does some work on the emulator between two requests."""

    def __call__(self, work: Callable[[Emulator], R], /) -> R:
        """Return what `work` returns."""
        ...


@attrs.frozen
class SeededOrder:
    """An order of a tenant package with all that belongs to it, each with its own `id`."""

    id: int
    order: Order
    property: Property
    tenancy: Tenancy
    payers: tuple[Payer, ...]
    payments: tuple[Payment, ...]


class Seed:
    """Makes rows of the emulator; `homebox_emulator.seed` is one.

    Each method returns what it made, with its ids. What is not given is made up, the same in each
    test. Seeding is silent: as if it had happened long ago, it leaves the outbox alone.
    `address` and `tenant` only make values, for what a test sends itself.
    """

    def __init__(self, run: Run) -> None:
        self._run = run
        self._numbers = itertools.count(1)

    def address(self) -> Address:
        """Return an address that is nobody's, another one each time."""
        number = next(self._numbers)
        return Address(
            line1=f"{number} Example Street",
            city="Exampleton",
            county="Exampleshire",
            postcode=f"Z{number % 99 + 1} {number % 10}ZZ",
        )

    def tenant(
        self,
        *,
        first_name: str | None = None,
        last_name: str = "Example",
        phone_number: str | None = None,
        email_address: str | None = None,
    ) -> NewTenant:
        """Return a tenant who is nobody, another one each time."""
        number = next(self._numbers)
        first_name = first_name or _FIRST_NAMES[number % len(_FIRST_NAMES)]
        return NewTenant(
            first_name=first_name,
            last_name=last_name,
            # Ofcom, "Telephone numbers for use in TV and radio drama programmes".
            phone_number=phone_number or f"+447700900{number % 1000:03}",
            email_address=email_address or f"{first_name.lower()}.{number}@example.com",
        )

    def property(
        self,
        address: Address | None = None,
        *,
        reference: str | None = None,
        status_id: int | None = None,
        branch_id: int | None = None,
    ) -> Property:
        """Make a property, "Pending" if no other status of "List Properties" is given."""
        given = address or self.address()

        def make(emulator: Emulator) -> Property:
            partner_id = _partner(emulator, branch_id)
            home = emulator.store.add_property(_stored(given), reference, partner_id)
            return home if status_id is None else emulator.store.set_status(home.id, status_id)

        return self._silently(make)

    def lead(
        self,
        property_id: int | None = None,
        *,
        tenants: Sequence[NewTenant] | None = None,
        tenancy_start: dt.date | None = None,
        tenancy_end: dt.date | None = None,
        existing_tenancy: bool = False,
        notifications: bool = True,
        reference: str | None = None,
        branch_id: int | None = None,
    ) -> Lead:
        """Make a lead, of a new property and with one tenant if none are given.

        Its tenancy starts today and lasts a year. Raises KeyError when there is no such property.
        """
        home_id = self._home(property_id, branch_id)
        start = tenancy_start or dt.datetime.now(dt.UTC).date()
        people = tenants if tenants is not None else [self.tenant()]

        def make(emulator: Emulator) -> Lead:
            home = emulator.store.properties[home_id]
            return emulator.store.add_lead(
                NewLead(
                    address=StoredAddress(
                        home.line1, home.line2, home.city, home.county, home.postcode
                    ),
                    tenancy_start=start.isoformat(),
                    tenancy_end=(tenancy_end or start + _YEAR).isoformat(),
                    existing_tenancy=existing_tenancy,
                    notifications=notifications,
                    reference=reference,
                    tenants=tuple(
                        StoredTenant(
                            each.first_name, each.last_name, each.phone_number, each.email_address
                        )
                        for each in people
                    ),
                    partner_id=home.partner_id,
                )
            )

        return self._silently(make)

    def order(
        self,
        property_id: int | None = None,
        *,
        payers: int = 1,
        payments: Sequence[Outcome] = (),
        package_id: int = 1,
        active: bool = True,
        mandate: str = "active",
        reference: str | None = None,
        branch_id: int | None = None,
    ) -> SeededOrder:
        """Make an order of a tenant package, of a new property if none is given.

        `payers` share it, each with a mandate of this status. `payments` are the months taken so
        far: ["success", "failed"] takes from each payer twice. One that is not `active` waits
        for approval. Raises KeyError when there is no such property or package.
        """
        home_id = self._home(property_id, branch_id)
        people = [self.tenant() for _ in range(payers)]

        def make(emulator: Emulator) -> SeededOrder:
            store = emulator.store
            order = emulator.seed_order(
                home_id,
                package_id=package_id,
                housemates=max(1, payers),
                bill_payers=max(1, payers),
                reference=reference,
                active=active,
            )
            made = tuple(
                packages.add_payer(
                    store, _payer(store.payers.next_id, order.id, each, mandate, store.clock())
                )
                for each in people
            )
            taken = [emulator.take_payments(order.id, outcome) for outcome in payments]
            return SeededOrder(
                order.id,
                order,
                store.properties[home_id],
                store.tenancies[order.tenancy_id],
                made,
                tuple(payment for month in taken for payment in month),
            )

        return self._silently(make)

    def reading(
        self,
        property_id: int | None = None,
        *,
        order_id: int | None = None,
        type: ReadingType = "electric",  # the API's word
        reading: int = 1000,
        reading2: int | None = None,
        date_of_reading: dt.date | None = None,
    ) -> Reading:
        """Make a meter reading, taken today, of a property (a new one by default) or of an order.

        Raises KeyError when there is no such property or order.
        """
        if property_id is not None and order_id is not None:
            raise ValueError("order_id is given beside property_id; give one of them")
        home_id = self._home(property_id) if order_id is None else 0
        day = date_of_reading or dt.datetime.now(dt.UTC).date()

        def make(emulator: Emulator) -> Reading:
            store = emulator.store
            home = store.properties[home_id or store.orders[order_id or 0].property_id]
            return store.add_reading(
                property_id=home.id,
                order_id=order_id,
                kind=type.capitalize(),
                reading=str(reading),
                reading2=None if reading2 is None else str(reading2),
                date_of_reading=day.isoformat(),
                source=None,
            )

        return self._silently(make)

    def branch(self, name: str | None = None, *, email: str | None = None) -> Branch:
        """Make a branch account; its `id` is the `branch_id` of the other methods."""
        number = next(self._numbers)

        def make(emulator: Emulator) -> Branch:
            store = emulator.store
            # Branches count from 2: the partner account is partner 1.
            row = Branch(
                len(store.branches) + 2,
                name or f"Example Lettings {number}",
                email or f"branch.{number}@example.com",
                f"B-{number}",
                None,
                None,
                store.clock(),
            )
            store.commit(row)
            return row

        return self._silently(make)

    def billing(
        self, property_uuid: str, start: dt.date = dt.date(2025, 1, 1), end: dt.date | None = None
    ) -> Billing:
        """Make a billing period of a building in the Billing API, a year if no end is given."""
        last = end or start + _YEAR - dt.timedelta(days=1)
        return self._run(lambda emulator: emulator.seed_billing(property_uuid, start, last))

    def _home(self, property_id: int | None, branch_id: int | None = None) -> int:
        if property_id is None:
            return self.property(branch_id=branch_id).id
        if branch_id is not None:
            raise ValueError("branch_id is given beside property_id, whose branch counts")
        return property_id

    def _silently(self, make: Callable[[Emulator], R]) -> R:
        def work(emulator: Emulator) -> R:
            before = len(emulator.outbox)
            made = make(emulator)
            del emulator.outbox[before:]
            return made

        return self._run(work)


def _partner(emulator: Emulator, branch_id: int | None) -> int:
    return PARTNER if branch_id is None else emulator.store.branches[branch_id].id


def _stored(address: Address) -> StoredAddress:
    return StoredAddress(
        address.line1,
        address.line2 or None,
        address.city,
        address.county or None,
        address.postcode,
    )


def _payer(row_id: int, order_id: int, person: NewTenant, mandate: str, now: float) -> Payer:
    return Payer(
        row_id,
        order_id,
        person.first_name,
        person.last_name,
        person.email_address,
        person.phone_number,
        "01/01/1990",
        "GB",
        f"{person.first_name} {person.last_name}",
        mandate,
        now,
    )
