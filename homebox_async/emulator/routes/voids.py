"""The heading "Void Periods"."""

from ..addresses import Address
from ..finders import partner_of
from ..inputs import read_fields
from ..package_records import Contact, Void
from ..package_shapes import tenancy_shape
from ..packages import NewVoid, add_void
from ..records import PARTNER, Property
from ..routing import Answer, Call, Route, json_answer
from ..shapes import home_of, property_shape, read_address, read_lines, read_period
from ..validation import Validator


def create(call: Call) -> Answer:
    """Add a void period to a property; a premium one switches the energy supplier."""
    partner_id = partner_of(call)
    fields = Validator(read_fields(call), call.assumed.max_text)
    needed = call.assumed.required_void_fields
    start, end = read_period(call, fields, end_required=False)
    empty = fields.value("property_empty", required="property_empty" in needed)
    void = Void(
        fields.boolean("is_premium", default=False),
        None if empty is None else fields.boolean("property_empty", default=False),
        fields.boolean("notifications", default=False),
        _contact(fields, required="responsible_tenant" in needed),
        read_lines(call, fields, "responsible_address", required="responsible_address" in needed),
    )
    _check_forwarding(fields)
    reference = fields.text("property_reference")
    home = _home(call, fields, partner_id)
    fields.finish()
    assert home is not None  # what was missing has been refused
    new = NewVoid(
        home=home,
        start=start,
        end=end,
        void=void,
        property_reference=reference,
        partner_id=partner_id,
    )
    row = add_void(call.store, call.assumed, new)
    shape = tenancy_shape(call, row, property_shape(home_of(call, row)))
    return json_answer(call.assumed.create_status, {"data": shape})


def _home(call: Call, fields: Validator, partner_id: int) -> Property | Address | None:
    property_id = fields.integer("property_id", low=1, high=2**53, required=False)
    if property_id is None:
        return read_address(call, fields, required=fields.value("property_id") is None)
    row = call.store.properties.get(property_id)
    sees = partner_id == PARTNER and call.assumed.parent_sees_branches
    if row is None or not (sees or row.partner_id == partner_id):
        fields.refuse("property_id", "The selected {} is invalid.")
        return None
    return row


def _contact(fields: Validator, *, required: bool) -> Contact | None:
    path = "responsible_tenant"
    if not fields.mapping(path, required=required):
        return None
    return Contact(
        fields.required_text(f"{path}.first_name"),
        fields.required_text(f"{path}.last_name"),
        fields.email(f"{path}.email_address"),
        fields.phone(f"{path}.phone_number"),
    )


def _check_forwarding(fields: Validator) -> None:
    path = "forwarding_details"
    if fields.mapping(path, required=False):
        for part in ("name", "line1", "line2", "city", "county", "postcode"):
            fields.text(f"{path}.{part}")
        fields.phone(f"{path}.phone_number", required=False)
        # Spelled so in the table of "Create Void Period".
        fields.email(f"{path}.email_adress", required=False)


ROUTES = (
    # Create Void Period
    Route("POST", "/api/partner/void", create),
)
