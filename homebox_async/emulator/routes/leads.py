"""The heading "Leads"."""

from collections.abc import Sequence
from typing import Any

from ..finders import lead_of, partner_of
from ..inputs import read_fields
from ..laravel import midnight, paginated, plain_timestamp, timestamp
from ..lists import others_act, page_of, remaining, reported
from ..outbox import SUPPLIER_DELAY
from ..records import PARTNER, Lead, NewLead, NewTenant
from ..rewriting import shown_address, shown_reference
from ..routing import Answer, Call, Route, json_answer
from ..shapes import raw_property_shape, read_address, read_period, visible
from ..validation import Validator

_PATH = "/api/partner/lead"
# "List Leads": where `meta` reports the total and the last page.
_REPORTED = ("total", "last_page")


def create(call: Call) -> Answer:
    """Add a lead; messages to its tenants and to suppliers go to the outbox."""
    partner_id = partner_of(call)
    fields = Validator(read_fields(call), call.assumed.max_text)
    start, end = read_period(call, fields)
    notifications = fields.boolean("notifications", default=True)
    new = NewLead(
        # "An address is only required when notifications is true", and true is the default.
        address=read_address(call, fields, required=notifications),
        tenancy_start=start,
        tenancy_end=end or "",
        existing_tenancy=fields.boolean("existing_tenancy", default=False),
        notifications=notifications,
        managing_party_name=fields.text("managing_party_name"),
        reference=fields.text("property_reference"),
        tenants=tuple(read_tenant(fields, n) for n in range(fields.count("tenants"))),
        partner_id=partner_id,
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
    shown = visible(call, call.store.leads)
    ids: Sequence[int] = range(1, shown + 1)
    if not call.assumed.parent_sees_branches:
        ids = [row_id for row_id in call.store.leads_of(PARTNER) if row_id <= shown]
    return json_answer(200, _page(call, ids, call.origin + _PATH))


def list_of_branch(call: Call) -> Answer:
    """Answer one page of a branch's leads; the printed ones have no `tenancy_type`."""
    branch_id = partner_of(call)
    shown = visible(call, call.store.leads)
    ids = [row_id for row_id in call.store.leads_of(branch_id) if row_id <= shown]
    page = _page(call, ids, f"{call.origin}/api/partner/child/{branch_id}/lead")
    for item in page["data"]:
        del item["tenancy_type"]
    return json_answer(200, page)


def get(call: Call) -> Answer:
    """Answer one lead."""
    return json_answer(200, {"data": _shape(call, lead_of(call))})


def completed_at(call: Call, row: Lead) -> float | None:
    """Return when the suppliers were told of a lead, or None when they were not (yet)."""
    due = row.created_at + SUPPLIER_DELAY
    done = row.notifications and call.assumed.leads_complete and due <= call.store.clock()
    return due if done else None


def _page(call: Call, ids: Sequence[int], url: str) -> dict[str, Any]:
    ids, size = remaining(call, "leads", ids), call.assumed.lead_page_size
    items = [_shape(call, call.store.leads[row_id]) for row_id in page_of(call, ids, size)]
    answer = paginated(items, url=url, page=call.page, total=len(ids), per_page=size)
    meta = {name: answer["meta"][name] for name in answer["meta"] if name not in _REPORTED}
    answer["meta"] = meta | reported(call, len(ids), size, names=_REPORTED)
    if call.assumed.list_meta != "as printed":
        del answer["links"]
    others_act(call, "leads")
    return answer


def read_tenant(fields: Validator, number: int) -> NewTenant:
    """Take one of the `tenants` of a request."""
    path = f"tenants.{number}"
    return NewTenant(
        fields.required_text(f"{path}.first_name"),
        fields.required_text(f"{path}.last_name"),
        fields.phone(f"{path}.phone_number"),
        fields.email(f"{path}.email_address"),
    )


def _shape(call: Call, row: Lead) -> dict[str, object]:
    created = plain_timestamp(row.created_at)
    completed = completed_at(call, row)
    home = None if row.property_id is None else call.store.properties[row.property_id]
    return {
        "id": row.id,
        "partner_id": row.partner_id,
        "tenancy_start": midnight(row.tenancy_start),
        "tenancy_end": midnight(row.tenancy_end),
        "tenancy_type": "Existing Tenancy" if row.existing_tenancy else "New Tenancy",
        "completed_at": None if completed is None else timestamp(completed),
        "managing_party_name": row.managing_party_name,
        "property": None
        if home is None
        else {**raw_property_shape(home, plain_timestamp), **shown_address(call, home)},
        "property_reference": shown_reference(call, row.reference),
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


ROUTES = (
    # Create Lead
    Route("POST", _PATH, create),
    # List Leads
    Route("GET", _PATH, list_all),
    # List Leads: "You can also retrieve a specific lead by specifying the ID"
    Route("GET", _PATH + "/{lead_id}", get),
)
