"""The heading "Tenant Packages": invites, bill payers and mandates."""

import attrs

from ..finders import invite_of, order_of, payer_of
from ..inputs import read_fields
from ..package_records import Invite, Payer
from ..packages import add_payer, invites_of, payers_of
from ..routing import Answer, Call, Route, json_answer
from ..shapes import read_bank_account, read_lines
from ..validation import Validator

_ORDER = "/api/partner/order/{order_id}"
_TENANT = _ORDER + "/tenant/{tenant_id}"

# "Update Tenant Mandate": "must have a status of nomandate, rejected, or cancelled".
_UPDATABLE = ("nomandate", "rejected", "cancelled")


def invite(call: Call) -> Answer:
    """Invite a bill payer by SMS; the answer is a sentence in a list."""
    order = order_of(call)
    fields = Validator(read_fields(call), call.assumed.max_text)
    first, last = fields.required_text("first_name"), fields.required_text("last_name")
    phone = fields.phone("phone_number")
    fields.finish()
    store, now = call.store, call.store.clock()
    again = [each for each in invites_of(store, order.id) if each.phone_number == phone]
    if again and call.assumed.repeated_invite_counts_up:
        row = attrs.evolve(again[0], total_sent=again[0].total_sent + 1, sent_at=now)
    else:
        row = Invite(store.invites.next_id, order.id, first, last, phone, 1, now, now)
    store.commit(row)
    return _added(call, order.id)


def list_invites(call: Call) -> Answer:
    """Answer the invites that nobody has taken up yet."""
    data = [
        {
            "id": row.id,
            "first_name": row.first_name,
            "last_name": row.last_name,
            "phone_number": row.phone_number,
            "total_sent": str(row.total_sent),
        }
        for row in invites_of(call.store, order_of(call).id)
    ]
    return json_answer(200, {"data": data})


def delete_invite(call: Call) -> Answer:
    """Delete an invite."""
    call.store.commit(attrs.evolve(invite_of(call), gone=True))
    return json_answer(200, {"message": "Invite has been deleted"})


def add(call: Call) -> Answer:
    """Add a bill payer, whose direct debit is set up and confirmed by email."""
    order = order_of(call)
    fields = Validator(read_fields(call), call.assumed.max_text)
    account_name = read_bank_account(call, fields)
    read_lines(call, fields, "billing_address", required=True)
    row = Payer(
        call.store.payers.next_id,
        order.id,
        fields.required_text("first_name"),
        fields.required_text("last_name"),
        fields.email("email"),
        fields.phone("phone_number"),
        fields.long_date("birthday"),
        fields.country("nationality", required=True),
        account_name,
        call.assumed.new_mandate_status,
        call.store.clock(),
    )
    if not call.assumed.extra_payers and len(payers_of(call.store, order.id)) >= order.bill_payers:
        fields.refuse("order", f"The {{}} has {order.bill_payers} bill payers already.")
    fields.finish()
    add_payer(call.store, row)
    return _added(call, order.id)


def list_all(call: Call) -> Answer:
    """Answer the bill payers of an order."""
    rows = payers_of(call.store, order_of(call).id)
    return json_answer(200, {"data": [_shape(row) for row in rows]})


def update(call: Call) -> Answer:
    """Change what is sent; "all parameters are optional"."""
    row = payer_of(call)
    fields = Validator(read_fields(call), call.assumed.max_text)
    row = attrs.evolve(
        row,
        first_name=fields.text("first_name") or row.first_name,
        last_name=fields.text("last_name") or row.last_name,
        email=fields.email("email", required=False) or row.email,
        phone_number=fields.phone("phone_number", required=False) or row.phone_number,
        birthday=fields.long_date("birthday", required=False) or row.birthday,
        nationality=fields.country("nationality", required=False) or row.nationality,
    )
    fields.finish()
    call.store.commit(row)
    return json_answer(200, {"data": _shape(row)})


def delete(call: Call) -> Answer:
    """Remove a bill payer."""
    call.store.commit(attrs.evolve(payer_of(call), gone=True))
    return json_answer(200, {"message": "Tenant has been removed"})


def get_mandate(call: Call) -> Answer:
    """Answer the mandate of a bill payer."""
    return json_answer(200, {"data": _mandate(payer_of(call))})


def update_mandate(call: Call) -> Answer:
    """Set up the direct debit anew, unless there is one that only the bank can end."""
    row = payer_of(call)
    fields = Validator(read_fields(call), call.assumed.max_text)
    account_name = read_bank_account(call, fields, strict=True)
    if row.mandate not in _UPDATABLE:
        fields.refuse("mandate", f"The {{}} is {row.mandate} and cannot be updated.")
    fields.finish()
    row = attrs.evolve(row, account_name=account_name, mandate="pending")
    call.store.commit(row)
    return json_answer(200, {"data": _mandate(row)})


def _added(call: Call, order_id: int) -> Answer:
    message = f"Tenant was successfully added to order {order_id}"
    return json_answer(call.assumed.create_status, {"data": [message]})


def _shape(row: Payer) -> dict[str, object]:
    return {
        "id": row.id,
        "first_name": row.first_name,
        "last_name": row.last_name,
        "email": row.email,
        "phone_number": row.phone_number,
        "birthday": row.birthday,
        "nationality": row.nationality,
    }


def _mandate(row: Payer) -> dict[str, object]:
    return {"name": row.account_name, "status": row.mandate}


ROUTES = (
    # Invite Bill Payer
    Route("POST", _ORDER + "/invite", invite),
    # List Invites
    Route("GET", _ORDER + "/invite", list_invites),
    # Delete Invite
    Route("DELETE", _ORDER + "/invite/{invite_id}", delete_invite),
    # Add Bill Payer
    Route("POST", _ORDER + "/tenant", add),
    # List Bill Payers
    Route("GET", _ORDER + "/tenant", list_all),
    # Update Bill Payer
    Route("PATCH", _TENANT, update),
    # Delete Bill Payer
    Route("DELETE", _TENANT, delete),
    # Get Tenant Mandate
    Route("GET", _TENANT + "/mandate", get_mandate),
    # Update Tenant Mandate
    Route("PATCH", _TENANT + "/mandate", update_mandate),
)
