"""The contract of "Property Tenancies", "Leads" and "Void Periods"."""

from .orders import PERIOD, STAMPS
from .schema import (
    BOOL,
    COUNT,
    EMAIL,
    ID,
    PAGE,
    PHONE,
    PLAIN_TIMESTAMP,
    SHORT_DATE,
    TEXT,
    TIMESTAMP,
    Heading,
    Operation,
    array,
    body,
    data,
    null,
    obj,
    ref,
)

_TENANCY = "/api/partner/property/{property_id}/tenancy/{tenancy_id}"
_CONTACT = {
    "first_name": TEXT,
    "last_name": TEXT,
    "phone_number": PHONE,
    "email_address": EMAIL,
}
_ANY_LINES = {
    "line1": null(TEXT),
    "line2": null(TEXT),
    "city": null(TEXT),
    "county": null(TEXT),
    "postcode": null(TEXT),
}
_SHOWN_CONTACT = {name: null(TEXT) for name in _CONTACT}

NEW_TENANTS = array(body(_CONTACT), minItems=1)

# What "Create Lead" and "Create Void Period" and their counterparts for branches take.
NEW_LEAD = body(
    {"tenancy_start": SHORT_DATE, "tenancy_end": SHORT_DATE, "tenants": NEW_TENANTS},
    address=ref("NewAddress"),
    notifications={**BOOL, "default": True},
    existing_tenancy={**BOOL, "default": False},
    property_reference=null(TEXT),
    managing_party_name=null(TEXT),
)
NEW_VOID = body(
    {
        "tenancy_start": SHORT_DATE,
        "property_empty": BOOL,
        "responsible_tenant": body(_CONTACT),
        "responsible_address": ref("Lines"),
    },
    property_id=ID,
    address=ref("NewAddress"),
    tenancy_end=null(SHORT_DATE),
    is_premium={**BOOL, "default": False},
    notifications={**BOOL, "default": False},
    # `email_adress` is spelled so.
    forwarding_details=body({}, name=TEXT, phone_number=PHONE, email_adress=EMAIL, **_ANY_LINES),
    property_reference=null(TEXT),
)

_BRANCH_LEAD = {
    **PERIOD,
    "id": ID,
    "partner_id": ID,
    "completed_at": null(TIMESTAMP),
    "managing_party_name": null(TEXT),
    "property": null(ref("RawProperty")),
    "property_reference": null(TEXT),
    "tenants": array(
        obj(
            _CONTACT,
            id=ID,
            unsubscribed=BOOL,
            created_at=PLAIN_TIMESTAMP,
            updated_at=PLAIN_TIMESTAMP,
        )
    ),
    "created_at": TIMESTAMP,
}
_VOID = {
    "id": ID,
    "property_empty": null(BOOL),
    "responsible_tenant": null(obj(_SHOWN_CONTACT)),
    "responsible_address": null(obj(_ANY_LINES)),
}
_TENANCY_OF = {**PERIOD, **STAMPS, "id": ID, "property_id": ID, "tenancy_type": TEXT}

PAGED = {
    "links": obj(first=TEXT, last=TEXT, prev=null(TEXT), next=null(TEXT)),
    "meta": obj(
        {"from": null(ID)},
        current_page=ID,
        last_page=ID,
        path=TEXT,
        per_page=ID,
        to=null(ID),
        total=COUNT,
    ),
}
CREATED = data(ref("Lead"), meta=obj(links=obj(index=TEXT, show=TEXT)))

TENANCIES = Heading(
    "Property Tenancies",
    {
        f"GET {_TENANCY}": Operation("List Tenancies", data(ref("Tenancy"))),
        f"PATCH {_TENANCY}": Operation(
            "Update tenancy dates",
            data(ref("Tenancy")),
            body=body({}, tenancy_start=SHORT_DATE, tenancy_end=SHORT_DATE),
        ),
    },
    {
        "Tenancy": obj(
            _TENANCY_OF,
            tenancy={"anyOf": [obj(_VOID, sse=BOOL), ref("PackageTenancy")]},
            property=ref("Property"),
        )
    },
)

HEADING = Heading(
    "Leads",
    {
        "POST /api/partner/lead": Operation("Create Lead", CREATED, body=NEW_LEAD, created=True),
        "GET /api/partner/lead": Operation(
            "List Leads", data(array(ref("Lead")), **PAGED), query=PAGE
        ),
        "GET /api/partner/lead/{lead_id}": Operation("Get Lead", data(ref("Lead"))),
    },
    {
        "Lead": obj(_BRANCH_LEAD, tenancy_type=TEXT),
        "BranchLead": obj(_BRANCH_LEAD),
    },
)

VOIDS = Heading(
    "Void Periods",
    {
        "POST /api/partner/void": Operation(
            "Create Void Period", data(ref("Void")), body=NEW_VOID, created=True
        )
    },
    {"Void": obj(_TENANCY_OF, tenancy=obj(_VOID), property=ref("Property"))},
)
