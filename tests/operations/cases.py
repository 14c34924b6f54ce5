"""How each of the 63 operations is called, and what of it has to be on the wire.

The bodies are the documents' own examples where one is printed.
"""

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any

import attrs

from homebox_async import Address, AddressId, ChosenBill, ForwardingDetails, NewTenant
from homebox_async.resources import (
    account,
    base,
    billing,
    branches,
    leads,
    metrics,
    orders,
    packages,
    payers,
    postal_bills,
    properties,
    readings,
    tenancies,
)

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 32
PDF = b"%PDF-1.7\n" + b"\0" * 32
BUILDING = "2eff1042c50c1eda889e61573e3c194c"
FOUND_ID = "VglSD9KF3EKcNz_RRXPVV"

HOME = {
    "line1": "123 Test Lane",
    "line2": "",
    "city": "London",
    "county": "Greater London",
    "postcode": "EC1V 2NX",
}
FLAT = {
    "line1": "Flat 1",
    "line2": "New Road",
    "city": "London",
    "county": "Greater London",
    "postcode": "NR3 2AG",
}
VOID_HOME = {
    "line1": "123 Test",
    "line2": "Example Road",
    "city": "London",
    "county": "Greater London",
    "postcode": "BN10 8UE",
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
INVITED = {"first_name": "John", "last_name": "Appleseed", "phone_number": "+441234567890"}
LEAD = {
    "tenancy_start": "01/07/22",
    "tenancy_end": "01/07/23",
    "existing_tenancy": False,
    "notifications": True,
    "managing_party_name": "Tom's Letting Agent",
    "address": HOME,
    "tenants": [BILL],
}
ORDER = {
    "package_id": 2,
    "add_ons": [27],
    "address": {"address_id": FOUND_ID},
    "reference": "HOMEBOX1",
    "total_occupants": 5,
    "bill_payers": 2,
    "household_type": "student",
    "tenancy_move_in": "01/10/19",
    "tenancy_start": "01/10/19",
    "tenancy_end": "01/10/20",
}
PARTNER = {
    "bills": [{"id": "1", "account_number": "..."}],
    "tenancy_start": "01/01/21",
    "tenancy_end": "12/01/21",
    "housemates": 2,
    "is_student": False,
    "address": {"address_id": FOUND_ID},
    "account_name": "John Johnson",
    "account_number": "12345678",
    "sort_code": "123456",
    "billing_address": FLAT,
    "tenants": [JOHN],
}
PAYER = {
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
CHANGES = {"email": "jane@example.com", "birthday": "02/01/2000"}
MANDATE = {"account_name": "Jane Smith", "account_number": "12345678", "sort_code": "123456"}
VOID = {
    "property_id": 1,
    "tenancy_start": "01/07/22",
    "tenancy_end": "15/07/22",
    "is_premium": True,
    "property_empty": True,
    "notifications": True,
    "responsible_tenant": JOHN,
    "responsible_address": VOID_HOME,
    "forwarding_details": {
        "name": "Ann Lee",
        "email_adress": "ann@example.com",
        "line1": "2 High Street",
        "city": "Leeds",
        "postcode": "LS1 1AA",
    },
}
ACCOUNT = {"name": "Partner Account Renamed", "theme_color_primary": "#000000"}
CHILD = {"name": "Child Partner Renamed", "reference_number": "123456789"}

_CLASSES: Mapping[str, Callable[[Any], Any]] = {
    "address": lambda v: AddressId(**v) if "address_id" in v else Address(**v),
    "billing_address": lambda v: Address(**v),
    "responsible_address": lambda v: Address(**v),
    "responsible_tenant": lambda v: NewTenant(**v),
    "forwarding_details": lambda v: ForwardingDetails(
        **{name.replace("adress", "address"): part for name, part in v.items()}
    ),
    "tenants": lambda v: [NewTenant(**each) for each in v],
    "bills": lambda v: [ChosenBill(**each) for each in v],
    "birthday": lambda v: dt.datetime.strptime(v, "%d/%m/%Y").date(),
    **dict.fromkeys(
        ("tenancy_start", "tenancy_end", "tenancy_move_in"),
        lambda v: dt.datetime.strptime(v, "%d/%m/%y").date(),
    ),
}


def arguments(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return a body as the arguments of a call: dates as dates, objects as objects."""
    return {name: _CLASSES.get(name, lambda v: v)(value) for name, value in body.items()}


@attrs.frozen
class Case:
    """One operation: how to call it, the request's method and target, its body, its result.

    `body` is JSON. `parts` are those of a multipart form: text, or the type and content of a file.
    """

    call: Callable[[Any], Any]
    method: str
    path: str
    result: type
    body: Any = None
    parts: Mapping[str, Any] | None = None


def _get(call: Callable[[Any], Any], path: str, result: type) -> Case:
    return Case(call, "GET", f"/api/partner/{path}", result)


def _post(call: Callable[[Any], Any], path: str, result: type, body: Any) -> Case:
    return Case(call, "POST", f"/api/partner/{path}", result, body)


def _patch(call: Callable[[Any], Any], path: str, result: type, body: Any) -> Case:
    return Case(call, "PATCH", f"/api/partner/{path}", result, body)


def _metric(name: str, path: str, *, has_range: bool = True) -> Case:
    days = {"from_": dt.date(2019, 1, 1), "to": dt.date(2020, 1, 1)} if has_range else {}
    query = "?from=2019-01-01&to=2020-01-01" if has_range else ""
    return _get(
        lambda c: getattr(c.metrics, name)(**days), f"metrics/{path}{query}", metrics.Metric
    )


def _reading(kind: str) -> Case:
    def call(client: Any) -> Any:
        return getattr(client.readings, f"create_for_{kind}")(
            1,
            type="electric",
            reading=12345,
            reading2=67,
            date_of_reading=dt.date(2021, 6, 20),
            image=PNG,
        )

    parts = {
        "type": "electric",
        "reading": "12345",
        "reading2": "67",
        "date_of_reading": "2021-06-20",
        "image": ("image/png", PNG),
    }
    path = f"/api/partner/{kind}/1/readings"
    return Case(call, "POST", path, readings.Reading, parts=parts)


# The branch of the prepared emulator has the id 2, and so have its order and its lead.
CASES: Mapping[str, Case] = {
    "addresses.find": _get(
        lambda c: c.addresses.find("BN1 1AB/C"), "address/find/BN1%201AB%2FC", tuple
    ),
    "properties.create": _post(
        lambda c: c.properties.create(Address(**HOME), property_reference="A1"),
        "property",
        properties.Property,
        {"address": HOME, "property_reference": "A1"},
    ),
    "properties.list": _get(
        lambda c: c.properties.list(filter={"status": [2]}, q="London").first(),
        "property?q=London&filter=eyJzdGF0dXMiOiBbMl19&page=1",
        properties.Property,
    ),
    "properties.get": _get(lambda c: c.properties.get(1), "property/1", properties.Property),
    "orders.list": _get(lambda c: c.orders.list().first(), "order?page=1", orders.Order),
    "orders.get": _get(lambda c: c.orders.get(1), "order/1", orders.Order),
    "orders.bills": _get(lambda c: c.orders.bills(1), "order/1/bill", orders.OrderBills),
    "orders.payments": _get(lambda c: c.orders.payments(1), "order/1/payments", tuple),
    "orders.replace_payment": _post(
        lambda c: c.orders.replace_payment(1, 1, payment_method="bank-transfer"),
        "order/1/payments/1/replace",
        orders.Payment,
        {"payment_method": "bank-transfer"},
    ),
    "orders.payouts": _get(lambda c: c.orders.payouts(1), "order/1/supplier", tuple),
    "orders.property_details": _get(
        lambda c: c.orders.property_details(1), "order/1/property", orders.PropertyDetails
    ),
    "tenant_packages.quote": _get(
        lambda c: c.tenant_packages.quote(postcode="SW155PU", is_student=True),
        "packages?is_student=true&postcode=SW15%205PU",
        packages.TenantQuote,
    ),
    "tenant_packages.create": _post(
        lambda c: c.tenant_packages.create(**arguments(ORDER)), "order", tenancies.Tenancy, ORDER
    ),
    "partner_packages.quote": _get(
        lambda c: c.partner_packages.quote(housemates=3, address=AddressId(FOUND_ID)),
        f"quote?housemates=3&address_id={FOUND_ID}",
        packages.PartnerQuote,
    ),
    "partner_packages.create": _post(
        lambda c: c.partner_packages.create(**arguments(PARTNER)),
        "partner-order",
        tenancies.Tenancy,
        PARTNER,
    ),
    "invites.create": _post(
        lambda c: c.invites.create(1, **INVITED), "order/1/invite", base.Confirmation, INVITED
    ),
    "invites.list": _get(lambda c: c.invites.list(1), "order/1/invite", tuple),
    "invites.delete": Case(
        lambda c: c.invites.delete(1, 1),
        "DELETE",
        "/api/partner/order/1/invite/1",
        base.Confirmation,
    ),
    "bill_payers.add": _post(
        lambda c: c.bill_payers.add(1, **arguments(PAYER)),
        "order/1/tenant",
        base.Confirmation,
        PAYER,
    ),
    "bill_payers.list": _get(lambda c: c.bill_payers.list(1), "order/1/tenant", tuple),
    "bill_payers.update": _patch(
        lambda c: c.bill_payers.update(1, 1, **arguments(CHANGES)),
        "order/1/tenant/1",
        payers.BillPayer,
        CHANGES,
    ),
    "bill_payers.delete": Case(
        lambda c: c.bill_payers.delete(1, 1),
        "DELETE",
        "/api/partner/order/1/tenant/1",
        base.Confirmation,
    ),
    "mandates.get": _get(
        lambda c: c.mandates.get(1, 1), "order/1/tenant/1/mandate", payers.Mandate
    ),
    "mandates.update": _patch(
        lambda c: c.mandates.update(1, 1, **MANDATE),
        "order/1/tenant/1/mandate",
        payers.Mandate,
        MANDATE,
    ),
    "tenancies.get": _get(
        lambda c: c.tenancies.get(1, 1), "property/1/tenancy/1", tenancies.Tenancy
    ),
    "tenancies.update_dates": _patch(
        lambda c: c.tenancies.update_dates(
            1, 1, tenancy_start=dt.date(2021, 7, 23), tenancy_end=dt.date(2021, 7, 24)
        ),
        "property/1/tenancy/1",
        tenancies.Tenancy,
        {"tenancy_start": "23/07/21", "tenancy_end": "24/07/21"},
    ),
    "leads.create": _post(lambda c: c.leads.create(**arguments(LEAD)), "lead", leads.Lead, LEAD),
    "leads.list": _get(lambda c: c.leads.list().first(), "lead?page=1", leads.Lead),
    "leads.get": _get(lambda c: c.leads.get(1), "lead/1", leads.Lead),
    "readings.create_for_order": _reading("order"),
    "readings.list_for_order": _get(
        lambda c: c.readings.list_for_order(1, page_size=5).first(),
        "order/1/readings?limit=5&page=1",
        readings.Reading,
    ),
    "readings.create_for_property": _reading("property"),
    "readings.list_for_property": _get(
        lambda c: c.readings.list_for_property(1).first(),
        "property/1/readings?page=1",
        readings.Reading,
    ),
    "postal_bills.create": Case(
        lambda c: c.postal_bills.create(1, file=PDF, tenant_notes="For\nyou"),
        "POST",
        "/api/partner/order/1/postal-bills",
        postal_bills.PostalBill,
        parts={"tenant_notes": "For\nyou", "file": ("application/pdf", PDF)},
    ),
    "postal_bills.list": _get(
        lambda c: c.postal_bills.list(1, page_size=5).first(),
        "order/1/postal-bills?limit=5&page=1",
        postal_bills.PostalBill,
    ),
    "voids.create": _post(
        lambda c: c.voids.create(**arguments(VOID)), "void", tenancies.Tenancy, VOID
    ),
    "account.get": _get(lambda c: c.account.get(), "account", account.Account),
    "account.update": _post(
        lambda c: c.account.update(**ACCOUNT), "account", account.Account, ACCOUNT
    ),
    "branches.create": Case(
        lambda c: c.branches.create(name="Leeds", email="leeds@example.com", image_path=PNG),
        "POST",
        "/api/partner/child/store",
        branches.CreatedBranch,
        parts={
            "name": "Leeds",
            "email": "leeds@example.com",
            "image_path": ("image/png", PNG),
        },
    ),
    "branches.update": _post(
        lambda c: c.branches.update(2, **CHILD), "child/2", branches.Branch, CHILD
    ),
    "branches.list": _get(lambda c: c.branches.list().first(), "child?page=1", branches.Branch),
    "branches.get": _get(lambda c: c.branches.get(2), "child/2", branches.Branch),
    "branch.properties.create": _post(
        lambda c: c.branch(2).properties.create(Address(**HOME)),
        "child/2/property",
        properties.Property,
        {"address": HOME},
    ),
    "branch.orders.create": _post(
        lambda c: c.branch(2).orders.create(**arguments(ORDER)),
        "child/2/order",
        tenancies.Tenancy,
        ORDER,
    ),
    "branch.orders.list": _get(
        lambda c: c.branch(2).orders.list().first(), "child/2/orders?page=1", orders.Order
    ),
    "branch.orders.get": _get(lambda c: c.branch(2).orders.get(2), "child/2/order/2", orders.Order),
    "branch.invites.create": _post(
        lambda c: c.branch(2).invites.create(2, **INVITED),
        "child/2/order/2/invite",
        base.Confirmation,
        INVITED,
    ),
    "branch.leads.create": _post(
        lambda c: c.branch(2).leads.create(**arguments(LEAD)), "child/2/lead", leads.Lead, LEAD
    ),
    "branch.leads.list": _get(
        lambda c: c.branch(2).leads.list().first(), "child/2/lead?page=1", leads.Lead
    ),
    "branch.leads.get": _get(lambda c: c.branch(2).leads.get(2), "child/2/lead/2", leads.Lead),
    "branch.voids.create": _post(
        lambda c: c.branch(2).voids.create(**arguments(VOID | {"property_id": 3})),
        "child/2/void",
        tenancies.Tenancy,
        VOID | {"property_id": 3},
    ),
    "metrics.new_orders": _metric("new_orders", "orders/new"),
    "metrics.approval_orders": _metric("approval_orders", "orders/approval", has_range=False),
    "metrics.active_orders": _metric("active_orders", "orders/active", has_range=False),
    "metrics.failed_payments": _metric("failed_payments", "payments/failed"),
    "metrics.pending_payments": _metric("pending_payments", "payments/pending"),
    "metrics.successful_payments": _metric("successful_payments", "payments/successful"),
    "metrics.new_leads": _metric("new_leads", "leads/new"),
    "metrics.orders_from_leads": _metric("orders_from_leads", "leads/orders"),
    "metrics.notifications_completed": _metric(
        "notifications_completed", "notifications/completed"
    ),
    "billing.headers": Case(
        lambda b: b.headers(BUILDING, start_date=dt.date(2019, 1, 1)),
        "GET",
        f"/billing/BillingHeaders/{BUILDING}?StartDate=2019-01-01",
        billing.BillingHeaders,
    ),
    "billing.get": Case(
        lambda b: b.get(385619, include_device_consumptions=True),
        "GET",
        "/billing/Billing/385619?includeDeviceConsumptions=true",
        billing.BillingResult,
    ),
    "billing.document": Case(
        lambda b: b.document("BE03856190").save("."),
        "GET",
        "/billing/BillingDoculment/BE03856190",
        object,
    ),
}
