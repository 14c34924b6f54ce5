"""What the writes of bills packages set off: rows that belong together, in one change each."""

import base64
import hashlib
from decimal import Decimal
from typing import Literal

import attrs

from .addresses import Address
from .assumed import Assumed
from .catalogue import BILLS, SERVICE
from .package_records import Invite, Kind, Order, Payer, Payment, Payout, Tenancy, Void
from .records import PARTNER, Property, Record
from .store import Store

# The documents print 4 ("Active") and 10 ("Bills Being Setup").
APPROVAL, ACTIVE, SETUP = 1, 4, 10

# "List Properties", the table of statuses.
_UNKNOWN = 5
_STATUS_OF: dict[Kind, int] = {"tenant": 2, "void": 4, "partner": 6}

Outcome = Literal["success", "pending", "failed"]


@attrs.frozen(kw_only=True)
class NewPackage:
    """A bills package as it is sent; dates are ISO dates."""

    kind: Kind
    home: Address | Property
    start: str
    end: str | None
    move_in: str
    package_id: int
    bills: tuple[int, ...]
    housemates: int
    bill_payers: int
    add_ons: tuple[int, ...] = ()
    reference: str | None = None
    property_reference: str | None = None
    payment_method: str = "direct-debit"
    discounted: bool = False
    account_name: str | None = attrs.field(default=None, repr=False)
    partner_id: int = PARTNER


@attrs.frozen(kw_only=True)
class NewVoid:
    """A void period as it is sent; dates are ISO dates."""

    home: Address | Property
    start: str
    end: str | None
    void: Void
    property_reference: str | None = None
    partner_id: int = PARTNER


def add_package(store: Store, assumed: Assumed, new: NewPackage) -> Order:
    """Add an order with its tenancy, at the property that is there or at a new one."""
    now = store.clock()
    home = _home(store, assumed, new.home, new.property_reference, new.partner_id, new.kind)
    lead_id = store.lead_of_property(home.id) if assumed.order_links_lead else None
    order_id, tenancy_id = store.orders.next_id, store.tenancies.next_id
    waits = new.kind == "tenant" and assumed.tenant_orders_need_approval
    tenancy = Tenancy(
        tenancy_id,
        home.id,
        new.partner_id,
        new.kind,
        new.start,
        new.end,
        new.move_in,
        now,
        now,
        order_id,
    )
    order = Order(
        order_id,
        home.id,
        tenancy_id,
        new.partner_id,
        new.package_id,
        new.add_ons,
        new.bills,
        new.housemates,
        new.bill_payers,
        new.reference or _code(f"order/{order_id}"),
        new.payment_method,
        new.discounted,
        APPROVAL if waits else SETUP,
        lead_id,
        new.account_name,
        now,
        now,
    )
    store.commit(home, tenancy, order)
    return order


def add_void(store: Store, assumed: Assumed, new: NewVoid) -> Tenancy:
    """Add a void period, at the property that is there or at a new one."""
    now = store.clock()
    home = _home(store, assumed, new.home, new.property_reference, new.partner_id, "void")
    tenancy = Tenancy(
        store.tenancies.next_id,
        home.id,
        new.partner_id,
        "void",
        new.start,
        new.end,
        new.start,
        now,
        now,
        None,
        new.void,
    )
    store.commit(home, tenancy)
    return tenancy


def monthly(order: Order) -> Decimal:
    """Return what an order costs each month, as "Calculating Prices" tells."""
    each = sum(
        BILLS[bill].each(order.housemates, discounted=order.discounted)
        for bill in (*order.bills, SERVICE)
    )
    return Decimal(each * order.housemates)


def activate(store: Store, assumed: Assumed, order_id: int) -> Order:
    """Make an order active and take its first payments where that is assumed."""
    row = attrs.evolve(store.orders[order_id], status_id=ACTIVE, updated_at=store.clock())
    store.commit(row)
    if assumed.payments_at_activation:
        take_payments(store, order_id, "success")
    return row


def take_payments(store: Store, order_id: int, outcome: Outcome) -> list[Payment]:
    """Take a payment from each payer (or the partner) and pay out where all were successful."""
    order = store.orders[order_id]
    now = store.clock()
    users: list[tuple[str | None, str, str]]
    if store.tenancies[order.tenancy_id].kind == "partner":
        first, _, last = (order.account_name or store.account.name).partition(" ")
        users = [(None, first, last)]
    else:
        payers = payers_of(store, order_id)
        users = [(payer.email, payer.first_name, payer.last_name) for payer in payers]
    amount = str((monthly(order) / order.bill_payers).quantize(Decimal("0.01")))
    payments = [
        Payment(
            number,
            order_id,
            amount,
            order.payment_method,
            outcome,
            1,
            None,
            None,
            *user,
            now if outcome == "success" else None,
            now,
        )
        for number, user in enumerate(users, store.payments.next_id)
    ]
    changes: list[Record] = [*payments]
    if payments and outcome == "success":
        changes += [
            Payout(number, order_id, bill, now, None)
            for number, bill in enumerate(order.bills, store.payouts.next_id)
        ]
    if changes:
        store.commit(*changes)
    return payments


def replace_payment(store: Store, payment: Payment, method: str) -> Payment:
    """Cancel a payment and make another one with this method in its place."""
    new = attrs.evolve(
        payment,
        id=store.payments.next_id,
        method=method,
        status="pending",
        previous_id=payment.id,
        paid_at=None,
        created_at=store.clock(),
    )
    store.commit(attrs.evolve(payment, status="cancelled", next_id=new.id), new)
    return new


def pay_suppliers(store: Store, order_id: int) -> None:
    """Carry out the pending payouts of an order."""
    now = store.clock()
    rows = (store.payouts[row_id] for row_id in store.of_order(Payout, order_id))
    pending = [attrs.evolve(row, paid_at=now) for row in rows if row.paid_at is None]
    if pending:
        store.commit(*pending)


def invites_of(store: Store, order_id: int) -> list[Invite]:
    """Return the open invites of an order."""
    rows = (store.invites[row_id] for row_id in store.of_order(Invite, order_id))
    return [row for row in rows if not row.gone]


def payers_of(store: Store, order_id: int) -> list[Payer]:
    """Return the bill payers of an order."""
    rows = (store.payers[row_id] for row_id in store.of_order(Payer, order_id))
    return [row for row in rows if not row.gone]


def add_payer(store: Store, payer: Payer) -> Payer:
    """Add a bill payer; an invite of the same phone number disappears with it."""
    phone = payer.phone_number.replace(" ", "")
    done = [
        attrs.evolve(invite, gone=True)
        for invite in invites_of(store, payer.order_id)
        if invite.phone_number.replace(" ", "") == phone
    ]
    store.commit(payer, *done)
    return payer


def sign_up(store: Store, assumed: Assumed, invite_id: int) -> Payer:
    """Let an invited person sign up, with made-up details; KeyError when there is no invite."""
    invite = store.invites[invite_id]
    if invite.gone:
        raise KeyError(invite_id)
    payer = Payer(
        store.payers.next_id,
        invite.order_id,
        invite.first_name,
        invite.last_name,
        f"invite{invite_id}@example.com",
        invite.phone_number,
        "01/01/2000",
        "GB",
        f"{invite.first_name} {invite.last_name}",
        assumed.new_mandate_status,
        store.clock(),
    )
    return add_payer(store, payer)


def _home(
    store: Store,
    assumed: Assumed,
    given: Address | Property,
    reference: str | None,
    partner_id: int,
    kind: Kind,
) -> Property:
    home: Property | None
    if isinstance(given, Property):
        home = given
    else:
        reuse = assumed.package_reuses_property
        home = store.property_at(given, partner_id) if reuse else None
        home = home or store.new_property(given, reference, partner_id)
    at_once = assumed.new_tenancy_status == "of its type"
    return attrs.evolve(
        home,
        status_id=_STATUS_OF[kind] if at_once else _UNKNOWN,
        reference=reference or home.reference,
        updated_at=store.clock(),
    )


def _code(text: str) -> str:
    # Six characters, as the printed "C00Bhy" has.
    digest = hashlib.blake2b(text.encode(), digest_size=6).digest()
    return base64.b32encode(digest).decode()[:6]
