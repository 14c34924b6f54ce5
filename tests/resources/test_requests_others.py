"""What goes over the wire for everything else, branches included, as the document has it."""

import datetime as dt
from typing import Any

import pytest

from homebox_async import Address, AddressId, EchoMismatch, NewTenant

HOME = {
    "line1": "123 Test Lane",
    "line2": "",
    "city": "London",
    "county": "Greater London",
    "postcode": "EC1V 2NX",
}
BILL = {
    "first_name": "Bill",
    "last_name": "Appleseed",
    "phone_number": "+441234567890",
    "email_address": "bill.appleseed@example.com",
}
JOHN = {
    "first_name": "John",
    "last_name": "Doe",
    "phone_number": "+441234567891",
    "email_address": "john.doe@example.test",
}
VOID_HOME = {
    "line1": "123 Test",
    "line2": "Example Road",
    "city": "London",
    "county": "Greater London",
    "postcode": "BN10 8UE",
}
LEAD_BODY = {
    "tenancy_start": "01/07/22",
    "tenancy_end": "01/07/23",
    "notifications": True,
    "existing_tenancy": True,
    "managing_party_name": "Example Agent",
    "address": HOME,
    "tenants": [BILL],
}
VOID_BODY = {
    "property_id": 1,
    "tenancy_start": "01/07/22",
    "tenancy_end": "15/07/22",
    "is_premium": True,
    "property_empty": True,
    "notifications": True,
    "responsible_tenant": JOHN,
    "responsible_address": VOID_HOME,
}
ORDER_BODY = {
    "package_id": 2,
    "add_ons": [27],
    "address": {"address_id": "xQGCuZ3irsRyb-zZkJ6OD"},
    "reference": "HOMEBOX1",
    "total_occupants": 2,
    "bill_payers": 1,
    "household_type": "student",
    "tenancy_move_in": "01/10/19",
    "tenancy_start": "01/10/19",
    "tenancy_end": "01/10/20",
}
ACCOUNT_BODY = {
    "name": "Partner Account Renamed",
    "reference_number": "PARTNER1",
    "image_path": "...",
    "theme_color_primary": "#000000",
}
CHILD_BODY = {
    "name": "Child Partner Renamed",
    "theme_color_primary": "#000000",
    "reference_number": "123456789",
}
INVITE_BODY = {"first_name": "John", "last_name": "Appleseed", "phone_number": "+441234567890"}


def _create_lead(client: Any) -> Any:
    return client.leads.create(
        tenancy_start=dt.date(2022, 7, 1),
        tenancy_end=dt.date(2023, 7, 1),
        notifications=True,
        existing_tenancy=True,
        managing_party_name="Example Agent",
        address=Address(**HOME),
        tenants=[NewTenant(**BILL)],
    )


def _create_void(client: Any) -> Any:
    return client.voids.create(
        property_id=1,
        tenancy_start=dt.date(2022, 7, 1),
        tenancy_end=dt.date(2022, 7, 15),
        is_premium=True,
        property_empty=True,
        notifications=True,
        responsible_tenant=NewTenant(**JOHN),
        responsible_address=Address(**VOID_HOME),
    )


def _create_branch_order(client: Any) -> Any:
    return client.branch(1).orders.create(
        package_id=2,
        add_ons=[27],
        address=AddressId("xQGCuZ3irsRyb-zZkJ6OD"),
        reference="HOMEBOX1",
        total_occupants=2,
        bill_payers=1,
        household_type="student",
        tenancy_move_in=dt.date(2019, 10, 1),
        tenancy_start=dt.date(2019, 10, 1),
        tenancy_end=dt.date(2020, 10, 1),
    )


def _create_home(client: Any) -> Any:
    return client.properties.create(Address(**HOME))


RANGE = {"from_": dt.date(2019, 1, 1), "to": dt.date(2020, 1, 1)}
METRICS = {
    "new_orders": "orders/new",
    "failed_payments": "payments/failed",
    "pending_payments": "payments/pending",
    "successful_payments": "payments/successful",
    "new_leads": "leads/new",
    "orders_from_leads": "leads/orders",
    "notifications_completed": "notifications/completed",
}
OPERATIONS: list[tuple[str, Any, str, str, Any]] = [
    # heading of the printed answer, call, method, path below /api/partner, JSON body
    (
        "Find an Address",
        lambda c: c.addresses.find("BN11AB"),
        "GET",
        "address/find/BN11AB",
        None,
    ),
    ("Create a Property", _create_home, "POST", "property", {"address": HOME}),
    (
        "List Properties",
        lambda c: c.properties.list(filter={"status": [2]}, q="London").first(),
        "GET",
        "property?q=London&filter=eyJzdGF0dXMiOiBbMl19&page=1",
        None,
    ),
    ("Create a Property", lambda c: c.properties.get(1), "GET", "property/1", None),
    ("Create Lead", _create_lead, "POST", "lead", LEAD_BODY),
    ("List Leads", lambda c: c.leads.list().first(), "GET", "lead?page=1", None),
    ("Create Lead", lambda c: c.leads.get(1), "GET", "lead/1", None),
    (
        "List Meter Readings for an Order",
        lambda c: c.readings.list_for_order(1, page_size=5).first(),
        "GET",
        "order/1/readings?limit=5&page=1",
        None,
    ),
    (
        "List Meter Readings for a Property",
        lambda c: c.readings.list_for_property(1).first(),
        "GET",
        "property/1/readings?page=1",
        None,
    ),
    (
        "List Postal Bills",
        lambda c: c.postal_bills.list(1, page_size=5).first(),
        "GET",
        "order/1/postal-bills?limit=5&page=1",
        None,
    ),
    ("Create Void Period", _create_void, "POST", "void", VOID_BODY),
    ("Get Account Details", lambda c: c.account.get(), "GET", "account", None),
    (
        "Update Account Details",
        lambda c: c.account.update(**ACCOUNT_BODY),
        "POST",
        "account",
        ACCOUNT_BODY,
    ),
    (
        "Update a Branch Account",
        lambda c: c.branches.update(1, **CHILD_BODY),
        "POST",
        "child/1",
        CHILD_BODY,
    ),
    (
        "List Branch Accounts",
        lambda c: c.branches.list().first(),
        "GET",
        "child?page=1",
        None,
    ),
    ("Update a Branch Account", lambda c: c.branches.get(1), "GET", "child/1", None),
    (
        "Create Property for a Branch Account",
        lambda c: _create_home(c.branch(1)),
        "POST",
        "child/1/property",
        {"address": HOME},
    ),
    (
        "Create Tenant Package for Branch Account",
        _create_branch_order,
        "POST",
        "child/1/order",
        ORDER_BODY,
    ),
    (
        "Invite Bill Payers to Branch Tenant Package",
        lambda c: c.branch(1).invites.create(2, **INVITE_BODY),
        "POST",
        "child/1/order/2/invite",
        INVITE_BODY,
    ),
    (
        "List Branch Bills Packages",
        lambda c: c.branch(1).orders.list().first(),
        "GET",
        "child/1/orders?page=1",
        None,
    ),
    (
        "List Bills Packages",
        lambda c: c.branch(1).orders.get(2),
        "GET",
        "child/1/order/2",
        None,
    ),
    (
        "Create Lead",
        lambda c: _create_lead(c.branch(1)),
        "POST",
        "child/1/lead",
        LEAD_BODY,
    ),
    (
        "List Leads for a Branch Account",
        lambda c: c.branch(1).leads.list().first(),
        "GET",
        "child/1/lead?page=1",
        None,
    ),
    (
        "Create Lead for a Branch Account",
        lambda c: c.branch(1).leads.get(2),
        "GET",
        "child/1/lead/2",
        None,
    ),
    (
        "Create Void for a Branch Account",
        lambda c: _create_void(c.branch(1)),
        "POST",
        "child/1/void",
        VOID_BODY,
    ),
    ("Metrics", lambda c: c.metrics.approval_orders(), "GET", "metrics/orders/approval", None),
    ("Metrics", lambda c: c.metrics.active_orders(), "GET", "metrics/orders/active", None),
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
@pytest.mark.parametrize("name", METRICS)
async def test_metric_with_range(
    server: Any, exchange: Any, printed: dict[str, Any], kind: str, name: str
) -> None:
    """A metric takes its range as `from` and `to` in YYYY-MM-DD."""
    server.answer(printed["Metrics"])
    await exchange(kind, lambda c: getattr(c.metrics, name)(**RANGE))
    expected = f"/api/partner/metrics/{METRICS[name]}?from=2019-01-01&to=2020-01-01"
    assert expected == server.sent[0].path


@pytest.mark.parametrize("name", METRICS)
async def test_metric_without_range(
    server: Any, client: Any, printed: dict[str, Any], name: str
) -> None:
    """A metric without a range has no query."""
    server.answer(printed["Metrics"])
    await getattr(client.metrics, name)()
    assert f"/api/partner/metrics/{METRICS[name]}" == server.sent[0].path


async def test_branch_lead_with_printed_answer(
    server: Any, client: Any, printed: dict[str, Any]
) -> None:
    """The printed answer to a branch's lead ends in October where May was sent: it warns."""
    server.answer(printed["Create Lead for a Branch Account"])
    with pytest.warns(EchoMismatch, match="tenancy_end.*2021-10-01 where 2021-05-01"):
        await client.branch(1).leads.create(
            tenancy_start=dt.date(2020, 5, 1),
            tenancy_end=dt.date(2021, 5, 1),
            managing_party_name="Example Agent",
            address=Address(**HOME),
            tenants=[NewTenant(**BILL)],
        )
