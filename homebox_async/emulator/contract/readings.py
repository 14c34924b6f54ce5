"""The contract of "Meter Readings" and "Postal Bills"."""

from .schema import (
    DATE,
    FILE,
    FORM,
    ID,
    LIMITED,
    TEXT,
    TIMESTAMP,
    Heading,
    Operation,
    array,
    body,
    data,
    null,
    obj,
    one_of,
    ref,
)

_ORDER, _PROPERTY = "/api/partner/order/{order_id}", "/api/partner/property/{property_id}"
_READING = {
    "id": ID,
    "source": null(TEXT),
    "state": TEXT,
    "reading": TEXT,
    "reading2": null(TEXT),
    "date_of_reading": TIMESTAMP,
    "created_at": TIMESTAMP,
    "type": one_of("Electric", "Gas", "Water"),
    "updated_at": TIMESTAMP,
}
_NEW = body(
    {"date_of_reading": DATE, "reading": ID, "type": one_of("electric", "gas", "water")},
    reading2=ID,
    image=FILE,
)
_POSTAL_BILL = obj(
    id=ID,
    name=TEXT,
    source=TEXT,
    notes=null(TEXT),
    feedback=null(TEXT),
    state=TEXT,
    type=TEXT,
    created_at=DATE,
)

HEADING = Heading(
    "Meter Readings",
    {
        # The two creations answer without an envelope.
        f"POST {_ORDER}/readings": Operation(
            "Create Meter Reading for an Order",
            obj(_READING, property=ref("Property")),
            body=_NEW,
            media=FORM,
            created=True,
        ),
        f"GET {_ORDER}/readings": Operation(
            "List Meter Readings for an Order", data(array(ref("Reading"))), query=LIMITED
        ),
        f"POST {_PROPERTY}/readings": Operation(
            "Create Meter Reading for a Property",
            ref("Reading"),
            body=_NEW,
            media=FORM,
            created=True,
        ),
        f"GET {_PROPERTY}/readings": Operation(
            "List Meter Readings for a Property", data(array(ref("Reading"))), query=LIMITED
        ),
    },
    {"Reading": obj(_READING, bill_provider=null(TEXT), property=ref("BriefProperty"))},
)

POSTAL_BILLS = Heading(
    "Postal Bills",
    {
        f"POST {_ORDER}/postal-bills": Operation(
            "Create Postal Bill",
            data(array(_POSTAL_BILL, minItems=1, maxItems=1)),
            body=body({"file": FILE}, tenant_notes=TEXT),
            media=("multipart/form-data",),
            created=True,
        ),
        f"GET {_ORDER}/postal-bills": Operation(
            "List Postal Bills", data(array(_POSTAL_BILL)), query=LIMITED
        ),
    },
)
