"""The contract of "Bills Packages"."""

from .schema import (
    COUNT,
    DATE,
    ID,
    MONEY,
    PAGE,
    PLAIN_TIMESTAMP,
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

_ORDER = "/api/partner/order/{order_id}"

METHOD = one_of("direct-debit", "bank-transfer")
PERIOD = {"tenancy_start": TIMESTAMP, "tenancy_end": null(TIMESTAMP)}
STAMPS = {"created_at": TIMESTAMP, "updated_at": TIMESTAMP}

# The package of an order wherever one is printed.
BASICS = {
    "id": ID,
    "partner_id": ID,
    "package_id": ID,
    "package": TEXT,
    "add_ons": array(ID),
    "negotiator": TEXT,
    "reference": TEXT,
    "origin": TEXT,
    "created_at": TIMESTAMP,
}
_RESIDENTS = {
    "id": ID,
    "bill_payers": ID,
    "housemates": ID,
    "status": TEXT,
    "status_id": ID,
    "responsibility": TEXT,
    "move_in_date": TIMESTAMP,
}
_PAYMENT = obj(
    id=ID,
    amount=MONEY,
    status=one_of("pending", "success", "failed", "cancelled"),
    status_id=ID,
    payment_method=METHOD,
    attempt=ID,
    previous_attempt_id=null(ID),
    next_attempt_id=null(ID),
    user=obj(email=null(TEXT), first_name=TEXT, last_name=TEXT),
    paid_at=null(PLAIN_TIMESTAMP),
    created_at=PLAIN_TIMESTAMP,
)
_BILL = obj(
    id=ID,
    name=TEXT,
    title=TEXT,
    provider=TEXT,
    logo_path=null(TEXT),
    date_setup=null(DATE),
    state=TEXT,
    price_per_housemate=MONEY,
    installation_date=null(DATE),
)
_PAYOUT = obj(
    id=ID,
    status=one_of("Pending", "Success"),
    bill=TEXT,
    provider=TEXT,
    group=TEXT,
    created_at=TIMESTAMP,
    paid_at=null(TIMESTAMP),
)

HEADING = Heading(
    "Bills Packages",
    {
        "GET /api/partner/order": Operation(
            "List Bills Packages",
            data(array(ref("Order")), meta=obj(order_count=COUNT)),
            query=PAGE,
        ),
        f"GET {_ORDER}": Operation("Get Bills Package", data(ref("Order"))),
        f"GET {_ORDER}/bill": Operation(
            "List Bills",
            data(
                array(_BILL),
                service_charge=MONEY,
                service_charge_per_housemate=MONEY,
                total_price=MONEY,
                total_per_bill_payer=MONEY,
                next_payment_date=null(DATE),
            ),
        ),
        f"GET {_ORDER}/payments": Operation("List Payments", data(array(ref("Payment")))),
        f"POST {_ORDER}/payments/{{payment_id}}/replace": Operation(
            "Replace Payment",
            data(ref("Payment")),
            body=body({"payment_method": METHOD}),
            created=True,
        ),
        f"GET {_ORDER}/supplier": Operation("List Payouts", data(array(_PAYOUT))),
        f"GET {_ORDER}/property": Operation(
            "Get Property Details",
            data(
                obj(
                    PERIOD,
                    housemates=ID,
                    move_in_date=TIMESTAMP,
                    status=obj(id=ID, name=TEXT, text=TEXT),
                    address=obj(
                        line_one=TEXT,
                        line_two=null(TEXT),
                        city=null(TEXT),
                        county=null(TEXT),
                        postcode=TEXT,
                    ),
                )
            ),
        ),
    },
    {
        "Order": obj(BASICS, from_lead_id=null(ID), household=ref("Household")),
        "Household": obj(
            {**_RESIDENTS, **PERIOD},
            # "List Branch Bills Packages" prints an empty object.
            address={"anyOf": [ref("OrderAddress"), {"type": "object", "maxProperties": 0}]},
        ),
        "OrderAddress": obj(
            address_line1=TEXT,
            address_line2=null(TEXT),
            address_city=null(TEXT),
            address_county=null(TEXT),
            address_postcode=TEXT,
        ),
        "PackageTenancy": obj(_RESIDENTS, order=obj(BASICS)),
        "Payment": _PAYMENT,
    },
)
