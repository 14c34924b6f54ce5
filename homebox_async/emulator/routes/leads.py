"""The heading "Leads"."""

from ..inputs import read_fields
from ..laravel import PER_PAGE, midnight, no_such_row, paginated, plain_timestamp, timestamp
from ..records import Lead, NewLead, NewTenant, Property
from ..routing import Answer, Call, Route, json_answer
from ..shapes import STATUS_TEXTS, read_address
from ..validation import Validator

_PATH = "/api/partner/lead"


def create(call: Call) -> Answer:
    """Add a lead; messages to its tenants and to suppliers go to the outbox."""
    fields = Validator(read_fields(call), call.assumed.max_text)
    start = fields.short_date("tenancy_start")
    end = fields.short_date("tenancy_end")
    if start and end and end <= start and call.assumed.tenancy_end_after_start:
        fields.refuse("tenancy_end", "The {} field must be a date after tenancy start.")
    notifications = fields.boolean("notifications", default=True)
    new = NewLead(
        # "An address is only required when notifications is true", and true is the default.
        address=read_address(call, fields, required=notifications),
        tenancy_start=start,
        tenancy_end=end,
        existing_tenancy=fields.boolean("existing_tenancy", default=False),
        notifications=notifications,
        managing_party_name=fields.text("managing_party_name"),
        reference=fields.text("property_reference"),
        tenants=tuple(_tenant(fields, number) for number in range(fields.count("tenants"))),
    )
    fields.finish()
    row = call.store.add_lead(new)
    url = call.origin + _PATH
    return json_answer(
        call.assumed.create_status,
        {
            "data": _shape(call, row),
            "meta": {"links": {"index": f"{url}/", "show": f"{url}/{row.id}"}},
        },
    )


def list_all(call: Call) -> Answer:
    """Answer one page of the leads with Laravel's links and meta."""
    total = len(call.store.leads)
    ids = range(1, total + 1)
    if call.assumed.list_order == "newest-first":
        ids = ids[::-1]
    start = (call.page - 1) * PER_PAGE
    items = [_shape(call, call.store.leads[row_id]) for row_id in ids[start : start + PER_PAGE]]
    return json_answer(200, paginated(items, url=call.origin + _PATH, page=call.page, total=total))


def get(call: Call) -> Answer:
    """Answer one lead."""
    text = call.params["lead_id"]
    row = call.store.leads.get(int(text)) if text.isascii() and text.isdigit() else None
    if row is None:
        raise no_such_row("Lead", text)
    return json_answer(200, {"data": _shape(call, row)})


def _tenant(fields: Validator, number: int) -> NewTenant:
    path = f"tenants.{number}"
    return NewTenant(
        fields.required_text(f"{path}.first_name"),
        fields.required_text(f"{path}.last_name"),
        fields.phone(f"{path}.phone_number"),
        fields.email(f"{path}.email_address"),
    )


def _shape(call: Call, row: Lead) -> dict[str, object]:
    created = plain_timestamp(row.created_at)
    home = None if row.property_id is None else call.store.properties[row.property_id]
    return {
        "id": row.id,
        "partner_id": 1,
        "tenancy_start": midnight(row.tenancy_start),
        "tenancy_end": midnight(row.tenancy_end),
        "tenancy_type": "Existing Tenancy" if row.existing_tenancy else "New Tenancy",
        "completed_at": None,
        "managing_party_name": row.managing_party_name,
        "property": None if home is None else _property_shape(home),
        "property_reference": row.reference,
        "tenants": [
            {
                "id": tenant.id,
                "first_name": tenant.first_name,
                "last_name": tenant.last_name,
                "phone_number": tenant.phone_number,
                "email_address": tenant.email_address,
                "unsubscribed": False,
                "created_at": created,
                "updated_at": created,
            }
            for tenant in row.tenants
        ],
        "created_at": timestamp(row.created_at),
    }


def _property_shape(row: Property) -> dict[str, object]:
    # A lead prints the property's raw model: other dates, more fields, no `retrieved_at`.
    return {
        "id": row.id,
        "address_line1": row.line1,
        "address_line2": row.line2,
        "address_line3": None,
        "address_line4": None,
        "address_city": row.city,
        "address_county": row.county,
        "address_postcode": row.postcode,
        "status_id": row.status_id,
        "status": STATUS_TEXTS.get(row.status_id, "Unknown"),
        "created_at": plain_timestamp(row.created_at),
        "updated_at": plain_timestamp(row.updated_at),
        "external_id": row.external_id,
        "mpan": None,
        "mpan_top_line": None,
        "mpan_economy7": None,
        "mpan_profile_class": None,
        "mpan_energisation_status": None,
        "mprn": None,
        "uprn": None,
        "gspid": None,
        "meter_type_electric": None,
        "serial_number_electric": None,
        "serial_number_gas": None,
    }


ROUTES = (
    # Create Lead
    Route("POST", _PATH, create),
    # List Leads
    Route("GET", _PATH, list_all),
    # List Leads: "You can also retrieve a specific lead by specifying the ID"
    Route("GET", _PATH + "/{lead_id}", get),
)
