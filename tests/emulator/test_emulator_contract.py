"""The contract: the 63 documented operations, their OpenAPI document, and a walk through all."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
import jsonschema_rs

from homebox_async.emulator import Assumed, Emulator
from homebox_async.emulator.contract import document
from homebox_async.emulator.contract.build import text
from homebox_async.emulator.routes import ROUTES
from homebox_async.emulator.routing import Router

OPENAPI = Path(__file__).parents[2] / "docs" / "openapi.json"

# As the documents list them: method, path and heading.
DOCUMENTED = """
GET /api/partner/address/find/{query} Find an Address
POST /api/partner/property Create a Property
GET /api/partner/property List Properties
GET /api/partner/property/{property_id} List Property
GET /api/partner/order List Bills Packages
GET /api/partner/order/{order_id} Get Bills Package
GET /api/partner/order/{order_id}/bill List Bills
GET /api/partner/order/{order_id}/payments List Payments
POST /api/partner/order/{order_id}/payments/{payment_id}/replace Replace Payment
GET /api/partner/order/{order_id}/supplier List Payouts
GET /api/partner/order/{order_id}/property Get Property Details
GET /api/partner/packages Get Tenant Package Quote
POST /api/partner/order Create Tenant Bills Package
POST /api/partner/order/{order_id}/invite Invite Bill Payer
GET /api/partner/order/{order_id}/invite List Invites
DELETE /api/partner/order/{order_id}/invite/{invite_id} Delete Invite
POST /api/partner/order/{order_id}/tenant Add Bill Payer
GET /api/partner/order/{order_id}/tenant List Bill Payers
PATCH /api/partner/order/{order_id}/tenant/{tenant_id} Update Bill Payer
DELETE /api/partner/order/{order_id}/tenant/{tenant_id} Delete Bill Payer
GET /api/partner/order/{order_id}/tenant/{tenant_id}/mandate Get Tenant Mandate
PATCH /api/partner/order/{order_id}/tenant/{tenant_id}/mandate Update Tenant Mandate
GET /api/partner/quote Get Partner Package Quote
POST /api/partner/partner-order Create Partner Package
GET /api/partner/property/{property_id}/tenancy/{tenancy_id} List Tenancies
PATCH /api/partner/property/{property_id}/tenancy/{tenancy_id} Update tenancy dates
POST /api/partner/lead Create Lead
GET /api/partner/lead List Leads
GET /api/partner/lead/{lead_id} Get Lead
POST /api/partner/order/{order_id}/readings Create Meter Reading for an Order
GET /api/partner/order/{order_id}/readings List Meter Readings for an Order
POST /api/partner/property/{property_id}/readings Create Meter Reading for a Property
GET /api/partner/property/{property_id}/readings List Meter Readings for a Property
POST /api/partner/order/{order_id}/postal-bills Create Postal Bill
GET /api/partner/order/{order_id}/postal-bills List Postal Bills
POST /api/partner/void Create Void Period
GET /api/partner/account Get Account Details
POST /api/partner/account Update Account Details
POST /api/partner/child/store Create Branch Accounts
POST /api/partner/child/{child_id} Update a Branch Account
GET /api/partner/child List Branch Accounts
GET /api/partner/child/{child_id} Get Branch Account
POST /api/partner/child/{child_id}/property Create Property for a Branch Account
POST /api/partner/child/{child_id}/order Create Tenant Package for Branch Account
POST /api/partner/child/{child_id}/order/{order_id}/invite \
Invite Bill Payers to Branch Tenant Package
GET /api/partner/child/{child_id}/orders List Branch Bills Packages
GET /api/partner/child/{child_id}/order/{order_id} Get Branch Bills Package
POST /api/partner/child/{child_id}/lead Create Lead for a Branch Account
GET /api/partner/child/{child_id}/lead List Leads for a Branch Account
GET /api/partner/child/{child_id}/lead/{lead_id} Get Lead of a Branch Account
POST /api/partner/child/{child_id}/void Create Void for a Branch Account
GET /api/partner/metrics/orders/new New Orders
GET /api/partner/metrics/orders/approval Approval Orders
GET /api/partner/metrics/orders/active Active Orders
GET /api/partner/metrics/payments/failed Failed Payments
GET /api/partner/metrics/payments/pending Pending Payments
GET /api/partner/metrics/payments/successful Successful Payments
GET /api/partner/metrics/leads/new New Leads
GET /api/partner/metrics/leads/orders Orders from Leads
GET /api/partner/metrics/notifications/completed Notifications Completed
GET /billing/BillingHeaders/{propertyUUId} BillingHeaders
GET /billing/Billing/{billing_id} Billing
GET /billing/BillingDoculment/{document_id} BillingDocument
""".strip().splitlines()

TENANT = {
    "first_name": "Bill",
    "last_name": "Appleseed",
    "phone_number": "+441234567890",
    "email_address": "bill.appleseed@example.com",
}
PERIOD = {"tenancy_start": "01/07/22", "tenancy_end": "01/07/23"}
LINES = {"line1": "Flat 1", "line2": "New Road", "city": "London", "postcode": "NR3 2AG"}
BANK = {"account_name": "Jane Smith", "account_number": "12345678", "sort_code": "000000"}
PERSON = {
    "first_name": "Jane",
    "last_name": "Smith",
    "email": "jane.smith917@example.com",
    "phone_number": "+441234567890",
    "birthday": "01/01/2000",
    "nationality": "GB",
}
ORDER = PERIOD | {
    "package_id": 2,
    "add_ons": [35],
    "address": LINES,
    "total_occupants": 5,
    "bill_payers": 2,
    "household_type": "professional-tenant",
    "tenancy_move_in": "01/07/22",
}
PARTNER_ORDER = (
    PERIOD
    | BANK
    | {
        "bills": [{"id": "1", "account_number": "77"}, {"id": 27}],
        "housemates": 3,
        "is_student": False,
        "address": LINES,
        "billing_address": LINES,
        "tenants": [TENANT],
    }
)
LEAD = PERIOD | {"address": LINES, "tenants": [TENANT]}
VOID = {
    "tenancy_start": "01/07/22",
    "property_empty": True,
    "responsible_tenant": TENANT,
    "responsible_address": LINES,
}
INVITE = {"first_name": "John", "last_name": "Appleseed", "phone_number": "+441234567891"}
READING = {"date_of_reading": "2021-06-20", "reading": "299", "type": "gas"}
PARTNER, BRANCH, BILLING = "/api/partner", "/api/partner/child/2", "/billing"
UUID = "2eff1042c50c1eda889e61573e3c194c"

# Each operation once, in an order in which each finds what it needs.
WALK: list[tuple[str, str, Any]] = [
    ("GET", f"{PARTNER}/address/find/BN11AB", None),
    ("POST", f"{PARTNER}/property", {"address": LINES}),
    ("GET", f"{PARTNER}/property?q=London", None),
    ("GET", f"{PARTNER}/property/1", None),
    ("GET", f"{PARTNER}/packages?postcode=SW155PU&is_student=true", None),
    ("POST", f"{PARTNER}/order", ORDER),
    ("POST", f"{PARTNER}/order/1/tenant", PERSON | BANK | {"billing_address": LINES}),
    ("GET", f"{PARTNER}/order?page=1", None),
    ("GET", f"{PARTNER}/order/1", None),
    ("GET", f"{PARTNER}/order/1/bill", None),
    ("GET", f"{PARTNER}/order/1/payments", None),
    ("POST", f"{PARTNER}/order/1/payments/2/replace", {"payment_method": "bank-transfer"}),
    ("GET", f"{PARTNER}/order/1/supplier", None),
    ("GET", f"{PARTNER}/order/1/property", None),
    ("POST", f"{PARTNER}/order/1/invite", INVITE),
    ("GET", f"{PARTNER}/order/1/invite", None),
    ("DELETE", f"{PARTNER}/order/1/invite/1", None),
    ("GET", f"{PARTNER}/order/1/tenant", None),
    ("PATCH", f"{PARTNER}/order/1/tenant/1", {"birthday": "15/01/1996"}),
    ("GET", f"{PARTNER}/order/1/tenant/1/mandate", None),
    ("PATCH", f"{PARTNER}/order/1/tenant/1/mandate", BANK),
    ("DELETE", f"{PARTNER}/order/1/tenant/1", None),
    ("GET", f"{PARTNER}/quote?housemates=3&line1=1+Mill+Lane&city=Hove&postcode=BN31AB", None),
    ("POST", f"{PARTNER}/partner-order", PARTNER_ORDER),
    ("GET", f"{PARTNER}/property/1/tenancy/1", None),
    ("PATCH", f"{PARTNER}/property/1/tenancy/1", {"tenancy_end": "24/07/23"}),
    ("POST", f"{PARTNER}/lead", LEAD),
    ("GET", f"{PARTNER}/lead", None),
    ("GET", f"{PARTNER}/lead/1", None),
    ("POST", f"{PARTNER}/order/1/readings", READING),
    ("GET", f"{PARTNER}/order/1/readings", None),
    ("POST", f"{PARTNER}/property/1/readings", READING),
    ("GET", f"{PARTNER}/property/1/readings", None),
    ("POST", f"{PARTNER}/order/1/postal-bills", {"file": b"png", "tenant_notes": "Tenant note"}),
    ("GET", f"{PARTNER}/order/1/postal-bills", None),
    ("POST", f"{PARTNER}/void", VOID | {"property_id": 1}),
    ("GET", f"{PARTNER}/account", None),
    ("POST", f"{PARTNER}/account", {"name": "Renamed", "theme_color_primary": "#000000"}),
    ("POST", f"{PARTNER}/child/store", {"name": "Child", "email": "a@b.cd", "image_path": b"x"}),
    ("POST", BRANCH, {"reference_number": "123456789"}),
    ("GET", f"{PARTNER}/child", None),
    ("GET", BRANCH, None),
    ("POST", f"{BRANCH}/property", {"address": LINES}),
    ("POST", f"{BRANCH}/order", ORDER),
    ("POST", f"{BRANCH}/order/3/invite", INVITE),
    ("GET", f"{BRANCH}/orders", None),
    ("GET", f"{BRANCH}/order/3", None),
    ("POST", f"{BRANCH}/lead", LEAD),
    ("GET", f"{BRANCH}/lead", None),
    ("GET", f"{BRANCH}/lead/2", None),
    ("POST", f"{BRANCH}/void", VOID | {"address": LINES, "is_premium": True}),
    *[("GET", line.split()[1], None) for line in DOCUMENTED if "/metrics/" in line],
    ("GET", f"{BILLING}/BillingHeaders/{UUID}", None),
    ("GET", f"{BILLING}/Billing/385619?includeDeviceConsumptions=true", None),
    ("GET", f"{BILLING}/BillingDoculment/BE03856190", None),
]


def test_routes() -> None:
    """There are exactly the documented operations, each under its heading's name."""
    paths = document()["paths"]
    actual = [
        f"{route.label} {paths[route.template][route.method.lower()]['summary']}"
        for route in ROUTES
    ]
    assert sorted(DOCUMENTED) == sorted(actual)
    assert 63 == len(actual)


def test_shipped() -> None:
    """docs/openapi.json is what the contract says: `python -m homebox_async.emulator.contract`."""
    assert OPENAPI.read_text() == text()


async def test_served(emulator: Emulator) -> None:
    """The contract is served to everybody."""
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{emulator.url}/openapi.json") as response,
    ):
        actual = response.status, await response.json()
    assert (200, json.loads(text())) == actual


def test_valid() -> None:
    """Every reference leads somewhere, ids of operations are unique, and schemas are schemas."""
    shape = document()
    operations = [each for item in shape["paths"].values() for each in item.values()]
    identifiers = [each["operationId"] for each in operations]
    assert len(identifiers) == len(set(identifiers))
    for reference in references(shape):
        target: Any = shape
        for part in reference.removeprefix("#/").split("/"):
            target = target[part]
    for schema in shape["components"]["schemas"].values():
        jsonschema_rs.meta.validate(schema)


async def test_walk(serve: Any) -> None:
    """Every operation succeeds once, and each success is as the contract says."""
    emulator, session = await serve(assumed=Assumed(new_mandate_status="rejected"))
    login = dict(zip(("username", "password"), emulator.billing_login, strict=True))
    async with session.post(f"{BILLING}/users/authenticate", json=login) as response:
        token = await response.json()
    billing = {"Authorization": f"Bearer {token}", "istaAdministratorIds": "1;2;3"}
    router, shape = Router(ROUTES), document()
    answered = set()
    for method, path, body in WALK:
        headers = billing if path.startswith(BILLING) else {}
        async with session.request(method, path, headers=headers, **sent(body)) as response:
            content = await response.read()
        route = router.match(path).route(method)
        assert route is not None
        answered.add(route.label)
        assert response.status < 300, (route.label, content)
        if route.label == f"POST {PARTNER}/order/{{order_id}}/tenant":
            emulator.activate(1)
            emulator.take_payments(1, "failed")
        responses = shape["paths"][route.template][method.lower()]["responses"]
        schema = responses[str(response.status)]["content"][response.content_type]["schema"]
        if response.content_type == "application/json":
            whole = schema | {"components": shape["components"]}
            jsonschema_rs.validator_for(whole).validate(json.loads(content))
        else:
            assert content.startswith(b"%PDF-1.4\n")
    assert {route.label for route in ROUTES} == answered


def sent(body: Any) -> dict[str, Any]:
    """Return the options of a request that sends this body, as a form if it has a file."""
    if body is None or not any(isinstance(value, bytes) for value in body.values()):
        return {"json": body}
    form = aiohttp.FormData()
    for name, value in body.items():
        filename = f"dir/{name}.png" if isinstance(value, bytes) else None
        form.add_field(name, value, filename=filename)
    return {"data": form}


def references(shape: Any) -> Iterator[str]:
    """Yield all references within a document."""
    if isinstance(shape, dict):
        if isinstance(shape.get("$ref"), str):
            yield shape["$ref"]
        for each in shape.values():
            yield from references(each)
    elif isinstance(shape, list):
        for each in shape:
            yield from references(each)
