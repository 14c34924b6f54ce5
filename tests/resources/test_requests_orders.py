"""What goes over the wire for orders, packages, payers and tenancies, as the document has it."""

import datetime as dt
from typing import Any

import pytest

from homebox_async import Address, AddressId, ChosenBill, NewTenant

AN_ID = AddressId("VglSD9KF3EKcNz_RRXPVV")
START, END = dt.date(2019, 10, 1), dt.date(2020, 10, 1)
ORDER_BODY = {
    "package_id": 2,
    "add_ons": [35],
    "address": {"address_id": "VglSD9KF3EKcNz_RRXPVV"},
    "reference": "HOMEBOX1",
    "total_occupants": 5,
    "bill_payers": 2,
    "household_type": "student",
    "tenancy_move_in": "01/10/19",
    "tenancy_start": "01/10/19",
    "tenancy_end": "01/10/20",
}
FLAT = {
    "line1": "Flat 1",
    "line2": "New Road",
    "city": "London",
    "county": "Greater London",
    "postcode": "NR3 2AG",
}
PAYER_BODY = {
    "account_name": "Jane Smith",
    "account_number": "12345678",
    "billing_address": FLAT,
    "birthday": "01/01/2000",
    "email": "jane.smith917@example.com",
    "first_name": "Jane",
    "last_name": "Smith",
    "nationality": "GB",
    "phone_number": "+441234567890",
    "sort_code": "000000",
}
CHANGES = ("birthday", "email", "first_name", "last_name", "nationality", "phone_number")
INVITE_BODY = {
    "first_name": "John",
    "last_name": "Appleseed",
    "phone_number": "+441234567890",
}
PARTNER_BODY = {
    "bills": [{"id": "1", "account_number": "..."}],
    "tenancy_start": "01/01/21",
    "tenancy_end": "12/01/21",
    "housemates": 2,
    "is_student": False,
    "address": {"address_id": "VglSD9KF3EKcNz_RRXPVV"},
    "account_name": "John Johnson",
    "account_number": "12345678",
    "sort_code": "123456",
    "billing_address": FLAT,
    "tenants": [
        {
            "first_name": "John",
            "last_name": "Johnson",
            "phone_number": "+441234567890",
            "email_address": "john@example.com",
        }
    ],
}


def _create_tenant_package(client: Any) -> Any:
    return client.tenant_packages.create(
        package_id=2,
        add_ons=[35],
        address=AN_ID,
        reference="HOMEBOX1",
        total_occupants=5,
        bill_payers=2,
        household_type="student",
        tenancy_move_in=START,
        tenancy_start=START,
        tenancy_end=END,
    )


def _create_partner_package(client: Any) -> Any:
    return client.partner_packages.create(
        bills=[ChosenBill(id=1, account_number="...")],
        tenancy_start=dt.date(2021, 1, 1),
        tenancy_end=dt.date(2021, 1, 12),
        housemates=2,
        is_student=False,
        address=AN_ID,
        account_name="John Johnson",
        account_number="12345678",
        sort_code="123456",
        billing_address=Address(**FLAT),
        tenants=[
            NewTenant(
                first_name="John",
                last_name="Johnson",
                phone_number="+441234567890",
                email_address="john@example.com",
            )
        ],
    )


def _changes(body: dict[str, Any]) -> dict[str, Any]:
    return {name: body[name] for name in CHANGES} | {"birthday": dt.date(2000, 1, 1)}


BANK = {"account_name": "Jane Smith", "account_number": "12345678", "sort_code": "123456"}
OPERATIONS = [
    # heading of the printed answer, call, method, path below /api/partner, JSON body
    ("List Bills Packages", lambda c: c.orders.list().first(), "GET", "order?page=1", None),
    ("List Bills", lambda c: c.orders.bills(1), "GET", "order/1/bill", None),
    ("List Payments", lambda c: c.orders.payments(1), "GET", "order/1/payments", None),
    (
        "Replace Payment",
        lambda c: c.orders.replace_payment(1, 2, payment_method="bank-transfer"),
        "POST",
        "order/1/payments/2/replace",
        {"payment_method": "bank-transfer"},
    ),
    ("List Payouts", lambda c: c.orders.payouts(1), "GET", "order/1/supplier", None),
    (
        "Get Property Details",
        lambda c: c.orders.property_details(1),
        "GET",
        "order/1/property",
        None,
    ),
    (
        "Get Tenant Package Quote",
        lambda c: c.tenant_packages.quote(postcode="SW155PU", is_student=True),
        "GET",
        "packages?is_student=true&postcode=SW15%205PU",
        None,
    ),
    ("Create Tenant Bills Package", _create_tenant_package, "POST", "order", ORDER_BODY),
    (
        "Get Partner Package Quote",
        lambda c: c.partner_packages.quote(housemates=3, address=AN_ID),
        "GET",
        "quote?housemates=3&address_id=VglSD9KF3EKcNz_RRXPVV",
        None,
    ),
    ("Create Partner Package", _create_partner_package, "POST", "partner-order", PARTNER_BODY),
    (
        "Invite Bill Payer",
        lambda c: c.invites.create(1, **INVITE_BODY),
        "POST",
        "order/1/invite",
        INVITE_BODY,
    ),
    ("List Invites", lambda c: c.invites.list(1), "GET", "order/1/invite", None),
    ("Delete Invite", lambda c: c.invites.delete(1, 2), "DELETE", "order/1/invite/2", None),
    (
        "Add Bill Payer",
        lambda c: c.bill_payers.add(
            1,
            **PAYER_BODY | {"billing_address": Address(**FLAT), "birthday": dt.date(2000, 1, 1)},
        ),
        "POST",
        "order/1/tenant",
        PAYER_BODY,
    ),
    ("List Bill Payers", lambda c: c.bill_payers.list(1), "GET", "order/1/tenant", None),
    (
        "Update Bill Payer",
        lambda c: c.bill_payers.update(1, 2, **_changes(PAYER_BODY)),
        "PATCH",
        "order/1/tenant/2",
        {name: PAYER_BODY[name] for name in CHANGES},
    ),
    ("Delete Bill Payer", lambda c: c.bill_payers.delete(1, 2), "DELETE", "order/1/tenant/2", None),
    ("Get Tenant Mandate", lambda c: c.mandates.get(1, 2), "GET", "order/1/tenant/2/mandate", None),
    (
        "Update Tenant Mandate",
        lambda c: c.mandates.update(1, 2, **BANK),
        "PATCH",
        "order/1/tenant/2/mandate",
        BANK,
    ),
    ("List Tenancies", lambda c: c.tenancies.get(1, 2), "GET", "property/1/tenancy/2", None),
    (
        "List Bills Packages",
        lambda c: c.orders.get(1),
        "GET",
        "order/1",
        None,
    ),
]


@pytest.mark.parametrize("kind", ["async", "sync"])
@pytest.mark.parametrize(
    ("heading", "call", "method", "path", "body"),
    OPERATIONS,
    ids=[f"{method} {path}" for _, _, method, path, _ in OPERATIONS],
)
async def test_operation_as_documented(
    server: Any,
    exchange: Any,
    printed: dict[str, Any],
    kind: str,
    heading: str,
    call: Any,
    method: str,
    path: str,
    body: Any,
) -> None:
    """Each operation sends the documented request, once, and reads the printed answer."""
    server.answer(printed[heading])
    result = await exchange(kind, call)
    (sent,) = server.sent
    assert (method, f"/api/partner/{path}", body) == (sent.method, sent.path, sent.json)
    assert result is not None


@pytest.mark.parametrize("kind", ["async", "sync"])
async def test_update_dates(server: Any, exchange: Any, kind: str) -> None:
    """Changed tenancy dates go as DD/MM/YY, and an empty answer is an empty tenancy."""
    server.answer(b"")
    dates = {"tenancy_start": dt.date(2021, 7, 23), "tenancy_end": dt.date(2021, 7, 24)}
    result = await exchange(kind, lambda c: c.tenancies.update_dates(1, 1, **dates))
    (sent,) = server.sent
    assert ("PATCH", "/api/partner/property/1/tenancy/1") == (sent.method, sent.path)
    assert {"tenancy_start": "23/07/21", "tenancy_end": "24/07/21"} == sent.json
    assert {} == result.raw


async def test_headers(server: Any, client: Any, printed: dict[str, Any]) -> None:
    """A write carries the token and says what it sends and what it takes."""
    server.answer(printed["Invite Bill Payer"])
    await client.invites.create(1, **INVITE_BODY)
    (sent,) = server.sent
    names = ("Authorization", "Accept", "Content-Type")
    expected = ["Bearer token", "application/json", "application/json"]
    assert expected == [sent.headers[name] for name in names]


async def test_partner_quote_by_full_address(
    server: Any, client: Any, printed: dict[str, Any], home: Address
) -> None:
    """A complete address stands in the query field by field."""
    server.answer(printed["Get Partner Package Quote"])
    await client.partner_packages.quote(housemates=3, address=home, is_student=False)
    expected = (
        "/api/partner/quote?housemates=3&line1=123%20Test%20Lane&line2=&city=London"
        "&county=Greater%20London&postcode=EC1V%202NX&is_student=false"
    )
    assert expected == server.sent[0].path
