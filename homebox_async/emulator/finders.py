"""Finding the rows that a path names; a branch's path finds only what belongs to the branch."""

from typing import TypeVar

from .laravel import Refusal, no_such_row
from .package_records import Branch, Invite, Order, Payer, Payment, Tenancy
from .records import PARTNER, Lead, Property
from .routing import Call

_Owned = TypeVar("_Owned", Property, Lead, Order, Tenancy)
_OfOrder = TypeVar("_OfOrder", Invite, Payer, Payment)


def partner_of(call: Call) -> int:
    """Return the id of the branch that the path names, or that of the partner account."""
    return branch_of(call).id if "child_id" in call.params else PARTNER


def branch_of(call: Call) -> Branch:
    """Return the branch that the path names."""
    row = call.store.branches.get(call.number("child_id"))
    if row is None:
        raise no_such_row("Partner", call.params["child_id"])
    return row


def property_of(call: Call) -> Property:
    """Return the property that the path names."""
    row = call.store.properties.get(call.number("property_id"))
    if row is not None and row.id in call.store.deleted["properties"]:
        row = None
    return _owned(call, row, "Property", "property_id")


def lead_of(call: Call) -> Lead:
    """Return the lead that the path names."""
    row = call.store.leads.get(call.number("lead_id"))
    if row is not None and row.id in call.store.deleted["leads"]:
        row = None
    return _owned(call, row, "Lead", "lead_id")


def order_of(call: Call) -> Order:
    """Return the order that the path names."""
    return _owned(call, call.store.orders.get(call.number("order_id")), "Order", "order_id")


def tenancy_of(call: Call) -> Tenancy:
    """Return the tenancy that the path names, if it is one of the property."""
    home = property_of(call)
    row = call.store.tenancies.get(call.number("tenancy_id"))
    if row is None or row.property_id != home.id:
        raise _missing(call, "Tenancy", "tenancy_id")
    return row


def invite_of(call: Call) -> Invite:
    """Return the open invite that the path names."""
    row = _of_order(call, call.store.invites.get(call.number("invite_id")), "Invite", "invite_id")
    if row.gone:
        raise _missing(call, "Invite", "invite_id")
    return row


def payer_of(call: Call) -> Payer:
    """Return the bill payer that the path names."""
    row = _of_order(call, call.store.payers.get(call.number("tenant_id")), "User", "tenant_id")
    if row.gone:
        raise _missing(call, "User", "tenant_id")
    return row


def payment_of(call: Call) -> Payment:
    """Return the payment that the path names."""
    row = call.store.payments.get(call.number("payment_id"))
    return _of_order(call, row, "Payment", "payment_id")


def _owned(call: Call, row: _Owned | None, model: str, name: str) -> _Owned:
    owner = partner_of(call)
    open_to_parent = owner == PARTNER and call.assumed.parent_sees_branches
    if row is None or not (open_to_parent or row.partner_id == owner):
        raise _missing(call, model, name)
    return row


def _of_order(call: Call, row: _OfOrder | None, model: str, name: str) -> _OfOrder:
    order = order_of(call)
    if row is None or row.order_id != order.id:
        raise _missing(call, model, name)
    return row


def _missing(call: Call, model: str, name: str) -> Refusal:
    return no_such_row(model, call.params[name])
