"""The contract of "Partner Packages"."""

from .leads import NEW_TENANTS
from .orders import METHOD, PERIOD, STAMPS
from .schema import (
    BOOL,
    ID,
    INT,
    MONEY,
    SHORT_DATE,
    TEXT,
    Heading,
    Operation,
    array,
    body,
    data,
    null,
    obj,
    ref,
)
from .tenant_packages import BANK_ACCOUNT

_HOUSEMATES = {"type": "integer", "minimum": 1, "maximum": 10}
_NUMBER = {"anyOf": [ID, {"type": "string", "pattern": "^[0-9]{1,9}$"}]}

_PROVIDER = obj(STAMPS, id=ID, name=TEXT, email=null(TEXT), logo_path=null(TEXT))
_BILL = obj(
    id=ID,
    name=TEXT,
    description=null(TEXT),
    description_html=null(TEXT),
    is_required=BOOL,
    additional=null(TEXT),
    provider=_PROVIDER,
    prices=array(ref("Price"), minItems=1),
)

HEADING = Heading(
    "Partner Packages",
    {
        "GET /api/partner/quote": Operation(
            "Get Partner Package Quote",
            data(
                array(ref("Utility")),
                service_charge=MONEY,
                service_charge_per_housemate=MONEY,
            ),
            query={
                "housemates": _HOUSEMATES,
                "address_id": TEXT,
                "line1": TEXT,
                "line2": TEXT,
                "city": TEXT,
                "county": TEXT,
                "postcode": TEXT,
                "is_student": {**BOOL, "default": False},
            },
            needed=("housemates",),
        ),
        "POST /api/partner/partner-order": Operation(
            "Create Partner Package",
            data(ref("PartnerPackage")),
            body=body(
                {
                    "bills": array(body({"id": _NUMBER}, account_number=null(TEXT)), minItems=1),
                    "tenancy_start": SHORT_DATE,
                    "tenancy_end": SHORT_DATE,
                    "housemates": _HOUSEMATES,
                    "is_student": BOOL,
                    "address": ref("NewAddress"),
                    **BANK_ACCOUNT,
                    "billing_address": ref("Lines"),
                    "tenants": NEW_TENANTS,
                },
                payment_method={**METHOD, "default": "direct-debit"},
                property_reference=null(TEXT),
            ),
            created=True,
        ),
    },
    {
        "Utility": obj(
            STAMPS,
            id=ID,
            name=TEXT,
            description=TEXT,
            is_hidden=BOOL,
            is_essential=BOOL,
            priority=INT,
            logo_path=null(TEXT),
            bills=array(_BILL),
        ),
        "PartnerPackage": obj(
            {**PERIOD, **STAMPS},
            id=ID,
            property_id=ID,
            tenancy_type=TEXT,
            tenancy=ref("PackageTenancy"),
            property=ref("MeteredProperty"),
        ),
    },
)
