"""The contract of "Tenant Packages"."""

from .orders import PERIOD, STAMPS
from .schema import (
    BOOL,
    EMAIL,
    ID,
    LONG_DATE,
    MONEY,
    PHONE,
    POSTCODE,
    SHORT_DATE,
    TEXT,
    TIMESTAMP,
    Heading,
    Operation,
    Schema,
    array,
    body,
    data,
    null,
    obj,
    one_of,
    ref,
)

_ORDER = "/api/partner/order/{order_id}"
_TENANT = _ORDER + "/tenant/{tenant_id}"
_HOUSEMATES = {"type": "integer", "minimum": 1, "maximum": 10}

LINKS = obj(links=obj(index=TEXT, show=TEXT))

# What "Invite Bill Payer", "Create Tenant Bills Package" and their counterparts for branches take.
NEW_INVITE = body({"first_name": TEXT, "last_name": TEXT, "phone_number": PHONE})
NEW_ORDER = body(
    {
        "package_id": {"type": "integer", "minimum": 1, "maximum": 4},
        "address": ref("NewAddress"),
        "total_occupants": _HOUSEMATES,
        "household_type": one_of("student", "professional-tenant"),
        "tenancy_start": SHORT_DATE,
        "tenancy_end": SHORT_DATE,
        "tenancy_move_in": SHORT_DATE,
    },
    add_ons=array(ID),
    bill_payers=_HOUSEMATES,
    reference=null(TEXT),
    property_reference=null(TEXT),
    coupon=null(TEXT),
)
# "The payment details": the rules of "Update Tenant Mandate".
BANK_ACCOUNT: dict[str, Schema] = {
    "account_name": {"type": "string", "minLength": 2, "maxLength": 18},
    "account_number": {"type": "string", "pattern": "^[0-9]{8}$"},
    "sort_code": {"type": "string", "pattern": "^[0-9]{6}$"},
}
_PERSON = {
    "first_name": TEXT,
    "last_name": TEXT,
    "email": EMAIL,
    "phone_number": PHONE,
    "birthday": LONG_DATE,
    "nationality": {"type": "string", "pattern": "^[A-Z]{2}$"},
}
_MANDATE = obj(
    name=TEXT,
    status=one_of(
        "nomandate", "submitted", "active", "cancelled", "rejected", "pending", "suspended"
    ),
)
ADDED = data(array(TEXT, minItems=1, maxItems=1))
_DELETED = obj(message=TEXT)

HEADING = Heading(
    "Tenant Packages",
    {
        "GET /api/partner/packages": Operation(
            "Get Tenant Package Quote",
            obj(packages=array(ref("Package"))),
            query={
                "postcode": POSTCODE,
                "is_student": {**BOOL, "default": False},
                "coupon": TEXT,
            },
            needed=("postcode",),
        ),
        "POST /api/partner/order": Operation(
            "Create Tenant Bills Package",
            data(
                obj(
                    {**PERIOD, **STAMPS},
                    order_id=ID,
                    property_id=ID,
                    tenancy_type=TEXT,
                    tenancy=ref("PackageTenancy"),
                    property=ref("Property"),
                ),
                meta=LINKS,
            ),
            body=NEW_ORDER,
            created=True,
        ),
        f"POST {_ORDER}/invite": Operation(
            "Invite Bill Payer", ADDED, body=NEW_INVITE, created=True
        ),
        f"GET {_ORDER}/invite": Operation(
            "List Invites",
            data(
                array(
                    obj(id=ID, first_name=TEXT, last_name=TEXT, phone_number=TEXT, total_sent=TEXT)
                )
            ),
        ),
        f"DELETE {_ORDER}/invite/{{invite_id}}": Operation("Delete Invite", _DELETED),
        f"POST {_ORDER}/tenant": Operation(
            "Add Bill Payer",
            ADDED,
            body=body({**_PERSON, **BANK_ACCOUNT, "billing_address": ref("Lines")}),
            created=True,
        ),
        f"GET {_ORDER}/tenant": Operation("List Bill Payers", data(array(ref("BillPayer")))),
        f"PATCH {_TENANT}": Operation(
            "Update Bill Payer", data(ref("BillPayer")), body=body({}, **_PERSON)
        ),
        f"DELETE {_TENANT}": Operation("Delete Bill Payer", _DELETED),
        f"GET {_TENANT}/mandate": Operation("Get Tenant Mandate", data(_MANDATE)),
        f"PATCH {_TENANT}/mandate": Operation(
            "Update Tenant Mandate", data(_MANDATE), body=body(BANK_ACCOUNT)
        ),
    },
    {
        "BillPayer": obj(
            id=ID,
            first_name=TEXT,
            last_name=TEXT,
            email=TEXT,
            phone_number=TEXT,
            birthday=LONG_DATE,
            nationality=TEXT,
        ),
        "Price": obj(
            id=ID,
            bill_id=ID,
            housemates=ID,
            price_per_housemate=MONEY,
            price_total=MONEY,
            created_at=TIMESTAMP,
            updated_at=TIMESTAMP,
        ),
        "PackageBill": obj(
            id=ID,
            group_id=ID,
            name=TEXT,
            provider=TEXT,
            title=TEXT,
            description=TEXT,
            description_html=null(TEXT),
            logo_path=null(TEXT),
            prices=array(ref("Price")),
        ),
        "Package": obj(
            id=ID,
            name=TEXT,
            title=TEXT,
            description=TEXT,
            bills=array(ref("PackageBill")),
            addons=array(ref("PackageBill")),
        ),
    },
)
