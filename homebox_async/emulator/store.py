"""The store: tables of records, every change of which is logged before it is made."""

import secrets
import time
from array import array
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import attrs

from .addresses import Address, compact, same
from .assumed import Assumed
from .outbox import (
    Message,
    messages_of_branch,
    messages_of_invite,
    messages_of_lead,
    messages_of_payer,
    messages_of_payment,
    messages_of_void,
)
from .package_records import (
    Billing,
    Branch,
    Invite,
    Order,
    Payer,
    Payment,
    Payout,
    PostalBill,
    Tenancy,
)
from .records import (
    PARTNER,
    Account,
    Instance,
    KnownAddress,
    Lead,
    NewLead,
    Property,
    Reading,
    Record,
    Tenant,
    shared,
)
from .statelog import StateError, StateLog
from .table import Table

# "List Properties", the table of statuses.
PENDING = 1

# The printed example of the Billing API: it is there from the start.
_BILLED = "2eff1042c50c1eda889e61573e3c194c"
_PUBLISHED = "2023-07-03T22:00:26.16"
_BILLINGS = (
    Billing(385619, _BILLED, "2018-10-01", "2019-09-30", _PUBLISHED),
    Billing(388568, _BILLED, "2019-10-01", "2020-09-30", _PUBLISHED),
    Billing(158567, _BILLED, "2020-10-01", "2021-09-30", _PUBLISHED),
)

_Index = defaultdict[int, list[int]]


class Store:
    """The emulator's state: one table for each kind of row, `account` and `outbox`.

    `commits` counts the changes made since it was built; `clock` may be replaced in tests.
    """

    def __init__(self, assumed: Assumed, clock: Callable[[], float] = time.time) -> None:
        self.clock = clock
        self.commits = 0
        # Signs the tokens of the Billing API; they do not outlive the store.
        self.secret = secrets.token_bytes(32)
        self._assumed = assumed
        self._log: StateLog | None = None
        self._appliers: dict[type[Record], Callable[[Any], None]] = {
            Instance: self._put_instance,
            Account: self._put_account,
            KnownAddress: self._put_address,
            Property: self._put_property,
            Lead: self._put_lead,
            Reading: self._put_reading,
            Tenancy: self._put_tenancy,
            Order: self._put_order,
            Invite: self._put_invite,
            Payer: self._put_payer,
            Payment: self._put_payment,
            Payout: self._put_payout,
            PostalBill: self._put_postal_bill,
            Branch: self._put_branch,
            Billing: self._put_billing,
        }
        self._kinds = {kind.table: kind for kind in self._appliers}
        self._clear()

    def _clear(self) -> None:
        self.properties: Table[Property] = Table()
        self.leads: Table[Lead] = Table()
        self.readings: Table[Reading] = Table()
        self.tenancies: Table[Tenancy] = Table()
        self.orders: Table[Order] = Table()
        self.invites: Table[Invite] = Table()
        self.payers: Table[Payer] = Table()
        self.payments: Table[Payment] = Table()
        self.payouts: Table[Payout] = Table()
        self.postal_bills: Table[PostalBill] = Table()
        # Branches are partners: their ids follow that of the partner account.
        self.branches: dict[int, Branch] = {}
        self.billings: dict[int, Billing] = {each.id: each for each in _BILLINGS}
        self.addresses: dict[str, Address] = {}
        self.outbox: list[Message] = []
        # What others have deleted, as the lists show it; not kept in the log.
        self.deleted: defaultdict[str, set[int]] = defaultdict(set)
        self.shuffles = 0
        # Random, so that a client can tell whether it talks to the state it knows.
        self.instance = secrets.token_hex(8)
        self._instance_is_kept = False
        self.account = Account(
            "Partner Account", "10", f"EMU-{secrets.token_hex(4).upper()}", "...", "#000000"
        )
        self._tenants = 0
        # The newest property of each postcode, and for each property the one before it at the
        # same postcode: an index that costs one number for each property.
        self._newest_at: dict[str, int] = {}
        self._previous = array("Q")
        self._readings_of_property: _Index = defaultdict(list)
        self._lead_of_property: dict[int, int] = {}
        self._leads_of_partner: _Index = defaultdict(list)
        self._orders_of_partner: _Index = defaultdict(list)
        self._of_order: defaultdict[type[Record], _Index] = defaultdict(lambda: defaultdict(list))

    def open(self, path: Path) -> None:
        """Load the state file (made when missing) and log every change to it from now on.

        Raises StateError when the file is not a state file, StateInUse when it is in use.
        """
        self._clear()
        log = StateLog(path)
        try:
            fresh = self._load(log, path)
        except BaseException:
            log.close()
            raise
        self._log = log
        if fresh:
            log.append((self.account,))
        if not self._instance_is_kept:  # also of a file that an earlier version made
            log.append((Instance(self.instance, self.clock()),))

    def _load(self, log: StateLog, path: Path) -> bool:
        """Apply every change of a log; tell whether there was none."""
        fresh = True
        for pairs in log.replay():
            fresh = False
            for table, values in pairs:
                try:
                    self._apply(self._kinds[table].checked(values))
                except Exception:  # a damaged file may hold anything
                    raise StateError(
                        f"{path}: cannot read a {table[:40]!r} record; "
                        "give another file, or delete this one to start afresh"
                    ) from None
        return fresh

    @property
    def is_kept(self) -> bool:
        """Whether there is a state file."""
        return self._log is not None

    def close(self) -> None:
        """Stop logging and close the state file."""
        if self._log is not None:
            self._log.close()
            self._log = None

    def add_property(
        self, address: Address, reference: str | None = None, partner_id: int = PARTNER
    ) -> Property:
        """Add a property with status "Pending" and return it."""
        row = self.new_property(address, reference, partner_id)
        self.commit(row)
        return row

    def set_status(self, property_id: int, status_id: int) -> Property:
        """Give the property another status and return it; KeyError when there is none."""
        row = attrs.evolve(
            self.properties[property_id], status_id=status_id, updated_at=self.clock()
        )
        self.commit(row)
        return row

    def add_lead(self, new: NewLead) -> Lead:
        """Add a lead, and a property for its address when it needs one; return the lead."""
        changes: list[Record] = []
        home = None
        if new.address is not None:
            if self._assumed.lead_reuses_property:
                home = self.property_at(new.address, new.partner_id)
            if home is None:
                home = self.new_property(new.address, new.reference, new.partner_id)
                changes.append(home)
        row = Lead(
            self.leads.next_id,
            None if home is None else home.id,
            new.tenancy_start,
            new.tenancy_end,
            new.existing_tenancy,
            new.notifications,
            new.managing_party_name,
            new.reference,
            tuple(
                Tenant(
                    number, each.first_name, each.last_name, each.phone_number, each.email_address
                )
                for number, each in enumerate(new.tenants, self._tenants + 1)
            ),
            self.clock(),
            new.partner_id,
        )
        self.commit(*changes, row)
        return row

    def add_reading(
        self,
        *,
        property_id: int,
        order_id: int | None,
        kind: str,
        reading: str,
        reading2: str | None,
        date_of_reading: str,
        source: str | None,
    ) -> Reading:
        """Add a meter reading (`kind` is "Gas", "Electric" or "Water") and return it."""
        row = Reading(
            self.readings.next_id,
            property_id,
            order_id,
            kind,
            reading,
            reading2,
            date_of_reading,
            source,
            self.clock(),
        )
        self.commit(row)
        return row

    def new_property(self, address: Address, reference: str | None, partner_id: int) -> Property:
        """Return a property with the next id, to be committed with what needs it."""
        now = self.clock()
        return Property(
            self.properties.next_id,
            address.line1,
            address.line2,
            shared(address.city),
            shared(address.county),
            address.postcode,
            PENDING,
            now,
            now,
            address.address_id if self._assumed.address_id_as_external_id else None,
            reference,
            partner_id,
        )

    def commit(self, *records: Record) -> None:
        """Make one change: all of these rows are added or replaced, or none."""
        # Logged first: what was answered is in the file, whatever happens next.
        if self._log is not None:
            self._log.append(records)
        for record in records:
            self._apply(record)
        self.commits += 1

    def remember_address(self, address: Address) -> None:
        """Keep a found address, so that its `address_id` can be used in later calls.

        This is not a change of the portfolio: it does not count in `commits`.
        """
        if address.address_id is not None and address.address_id not in self.addresses:
            record = KnownAddress(
                address.line1,
                address.line2,
                address.city,
                address.county,
                address.postcode,
                address.address_id,
            )
            if self._log is not None:
                self._log.append((record,))
            self._apply(record)

    def property_at(self, address: Address, partner_id: int = PARTNER) -> Property | None:
        """Return a partner's newest property with the same address, or None."""
        homes = (self.properties[home] for home in self.at_postcode(address.postcode))
        return next(
            (home for home in homes if home.partner_id == partner_id and same(home, address)), None
        )

    def at_postcode(self, postcode: str) -> Iterator[int]:
        """Yield the ids of the properties with this postcode, newest first."""
        home = self._newest_at.get(compact(postcode), 0)
        while home:
            yield home
            home = self._previous[home - 1]

    def readings_of_property(self, property_id: int) -> Sequence[int]:
        """Return the ids of a property's readings, oldest first."""
        return self._readings_of_property.get(property_id, [])

    def of_order(self, kind: type[Record], order_id: int) -> Sequence[int]:
        """Return the ids of an order's rows of this kind (readings, payers, ...), oldest first."""
        return self._of_order[kind].get(order_id, [])

    def leads_of(self, partner_id: int) -> Sequence[int]:
        """Return the ids of the leads of the partner account or a branch, oldest first."""
        return self._leads_of_partner.get(partner_id, [])

    def orders_of(self, partner_id: int) -> Sequence[int]:
        """Return the ids of the orders of the partner account or a branch, oldest first."""
        return self._orders_of_partner.get(partner_id, [])

    def lead_of_property(self, property_id: int) -> int | None:
        """Return the id of the newest lead for a property, or None."""
        return self._lead_of_property.get(property_id)

    def _apply(self, record: Record) -> None:
        self._appliers[type(record)](record)

    def _put_instance(self, instance: Instance) -> None:
        self.instance = instance.id
        self._instance_is_kept = True

    def _put_account(self, account: Account) -> None:
        self.account = account

    def _put_address(self, known: KnownAddress) -> None:
        self.addresses[known.address_id] = Address(
            known.line1, known.line2, known.city, known.county, known.postcode, known.address_id
        )

    def _put_property(self, row: Property) -> None:
        if self.properties.put(row):
            key = compact(row.postcode)
            self._previous.append(self._newest_at.get(key, 0))
            self._newest_at[key] = row.id

    def _put_lead(self, row: Lead) -> None:
        self.leads.put(row)
        self._leads_of_partner[row.partner_id].append(row.id)
        if row.property_id is not None:
            self._lead_of_property[row.property_id] = row.id
        self._tenants += len(row.tenants)
        self.outbox += messages_of_lead(
            row,
            _day(row.created_at),
            invite_past_starts=self._assumed.invite_past_starts,
        )

    def _put_reading(self, row: Reading) -> None:
        self.readings.put(row)
        self._readings_of_property[row.property_id].append(row.id)
        if row.order_id is not None:
            self._of_order[Reading][row.order_id].append(row.id)

    def _put_tenancy(self, row: Tenancy) -> None:
        if self.tenancies.put(row):
            self.outbox += messages_of_void(row)

    def _put_order(self, row: Order) -> None:
        if self.orders.put(row):
            self._orders_of_partner[row.partner_id].append(row.id)

    def _put_invite(self, row: Invite) -> None:
        before = self.invites.get(row.id)
        if self.invites.put(row):
            self._of_order[Invite][row.order_id].append(row.id)
        if before is None or row.total_sent > before.total_sent:
            self.outbox += messages_of_invite(row)

    def _put_payer(self, row: Payer) -> None:
        if self.payers.put(row):
            self._of_order[Payer][row.order_id].append(row.id)
            self.outbox += messages_of_payer(row)

    def _put_payment(self, row: Payment) -> None:
        if self.payments.put(row):
            self._of_order[Payment][row.order_id].append(row.id)
            self.outbox += messages_of_payment(row)

    def _put_payout(self, row: Payout) -> None:
        if self.payouts.put(row):
            self._of_order[Payout][row.order_id].append(row.id)

    def _put_postal_bill(self, row: PostalBill) -> None:
        self.postal_bills.put(row)
        self._of_order[PostalBill][row.order_id].append(row.id)

    def _put_branch(self, row: Branch) -> None:
        if row.id not in self.branches:
            self.outbox += messages_of_branch(row)
        self.branches[row.id] = row

    def _put_billing(self, row: Billing) -> None:
        self.billings[row.id] = row


def _day(moment: float) -> date:
    return datetime.fromtimestamp(moment, UTC).date()
