"""The contract of the Billing API."""

from ..routes.billing import LOGIN, PREFIX
from .schema import (
    BOOL,
    COUNT,
    DATE,
    ID,
    LOCAL_TIMESTAMP,
    TEXT,
    Heading,
    Operation,
    array,
    body,
    obj,
    ref,
)

_HEADER = {
    "id": ID,
    "propertyUUId": TEXT,
    "startDate": LOCAL_TIMESTAMP,
    "endDate": LOCAL_TIMESTAMP,
    "updateTimeStamp": LOCAL_TIMESTAMP,
}

HEADING = Heading(
    "Billing",
    {
        f"POST {LOGIN}": Operation(
            "Authenticate", TEXT, body=body({"username": TEXT, "password": TEXT})
        ),
        f"GET {PREFIX}/BillingHeaders/{{propertyUUId}}": Operation(
            "BillingHeaders",
            obj(count=COUNT, billingHeaders=array(ref("BillingHeader"))),
            query={"StartDate": DATE, "EndDate": DATE, "LastUpdate": DATE},
        ),
        f"GET {PREFIX}/Billing/{{billing_id}}": Operation(
            "Billing",
            # No answer is printed.
            obj(_HEADER),
            query={"includeDeviceConsumptions": {**BOOL, "default": False}},
        ),
        f"GET {PREFIX}/BillingDoculment/{{document_id}}": Operation("BillingDocument", None),
        f"GET {PREFIX}/BillingDocument/{{document_id}}": Operation(
            "BillingDocument, spelled correctly", None
        ),
    },
    {"BillingHeader": obj(_HEADER)},
)
