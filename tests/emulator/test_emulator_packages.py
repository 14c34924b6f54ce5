"""The headings "Bills Packages", "Tenant Packages" and "Partner Packages"."""

from datetime import UTC, datetime
from typing import Any

import aiohttp
import pytest

from homebox_async.emulator import Address, Assumed, Emulator

API = "/api/partner"
NOW = datetime(2024, 5, 20, 9, tzinfo=UTC).timestamp()
STAMP = "2024-05-20T09:00:00.000000Z"
LINES = {"line1": "123 Test Lane", "city": "London", "postcode": "EC1V2NX"}
ORDER = {
    "package_id": 2,
    "add_ons": [35],
    "address": LINES,
    "reference": "HOMEBOX1",
    "total_occupants": 5,
    "bill_payers": 2,
    "household_type": "professional-tenant",
    "tenancy_move_in": "02/10/24",
    "tenancy_start": "01/10/24",
    "tenancy_end": "01/10/25",
}
BANK = {"account_name": "Jane Smith", "account_number": "12345678", "sort_code": "000000"}
PAYER = BANK | {
    "billing_address": LINES,
    "birthday": "01/01/2000",
    "email": "jane@example.com",
    "first_name": "Jane",
    "last_name": "Smith",
    "nationality": "GB",
    "phone_number": "+441234567890",
}
INVITE = {"first_name": "Jane", "last_name": "Smith", "phone_number": "+441234567890"}
PARTNER_ORDER = BANK | {
    "bills": [{"id": "1", "account_number": "77"}, {"id": 27}],
    "tenancy_start": "01/01/21",
    "tenancy_end": "01/12/21",
    "housemates": 3,
    "is_student": False,
    "address": LINES,
    "billing_address": LINES,
    "tenants": [
        {
            "first_name": "John",
            "last_name": "Johnson",
            "phone_number": "+441234567890",
            "email_address": "john@example.com",
        }
    ],
}


class Api:
    """The Partner API as short calls: status and content."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    async def send(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """Send a request."""
        async with self._session.request(method, f"{API}/{path}", json=body) as response:
            return response.status, await response.json()

    async def get(self, path: str) -> Any:
        """Return the content of a GET that succeeds."""
        status, content = await self.send("GET", path)
        assert 200 == status, content
        return content

    async def post(self, path: str, body: Any) -> Any:
        """Return the content of a POST that creates."""
        status, content = await self.send("POST", path, body)
        assert 201 == status, content
        return content


Start = Any


@pytest.fixture
def start(serve: Any) -> Start:
    """Start an emulator with these assumptions and a stopped clock."""

    async def begin(**assumed: Any) -> tuple[Emulator, Api]:
        emulator, session = await serve(assumed=Assumed(**assumed))
        emulator.store.clock = lambda: NOW
        return emulator, Api(session)

    return begin


async def test_tenant_package(start: Start) -> None:
    """An order makes property and tenancy, and all its views agree."""
    emulator, api = await start()
    answer = await api.post("order", ORDER | {"property_reference": "A1"})
    url = f"{emulator.url}{API}/order"
    assert {"links": {"index": f"{url}/", "show": f"{url}/1"}} == answer["meta"]
    created = answer["data"]
    inner, home = created.pop("tenancy"), created.pop("property")
    assert {
        "order_id": 1,
        "property_id": 1,
        "tenancy_start": "2024-10-01T00:00:00.000000Z",
        "tenancy_end": "2025-10-01T00:00:00.000000Z",
        "tenancy_type": "Tenant Bills Package",
        "created_at": STAMP,
        "updated_at": STAMP,
    } == created
    assert (2, "Tenant Package") == (home["status_id"], home["status"])
    order = {
        "id": 1,
        "partner_id": 1,
        "package_id": 2,
        "package": "Silver",
        "add_ons": [35],
        "negotiator": "Un-assigned",
        "reference": "HOMEBOX1",
        "origin": "API",
        "created_at": STAMP,
    }
    assert {
        "id": 1,
        "bill_payers": 2,
        "housemates": 5,
        "status": "Awaiting Approval",
        "status_id": 1,
        "responsibility": "Tenant Package",
        "move_in_date": "2024-10-02T00:00:00.000000Z",
        "order": order,
    } == inner
    listed = (await api.get("order"))["data"][0]
    assert listed == (await api.get("order/1"))["data"]
    household = listed.pop("household")
    assert order | {"from_lead_id": None} == listed
    assert {
        "address_line1": "123 Test Lane",
        "address_line2": None,
        "address_city": "London",
        "address_county": None,
        "address_postcode": "EC1V2NX",
    } == household.pop("address")
    del inner["order"]
    period = {name: created[name] for name in ("tenancy_start", "tenancy_end")}
    assert inner | period == household
    shown = (await api.get("property"))["data"][0]["partner_properties"][0]
    assert "A1" == shown["property_reference"]
    details = (await api.get("order/1/property"))["data"]
    assert {"id": 1, "name": "approval", "text": "Awaiting Approval"} == details["status"]
    assert "123 Test Lane" == details["address"]["line_one"]


@pytest.mark.parametrize(("reuses", "expected"), [(True, 1), (False, 2)], ids=["same", "new"])
async def test_property_of_order(start: Start, reuses: bool, expected: int) -> None:
    """An order at a known address belongs to the property there, and to its lead, as assumed."""
    emulator, api = await start(package_reuses_property=reuses)
    tenants = PARTNER_ORDER["tenants"]
    lead = {"tenancy_start": "01/10/24", "tenancy_end": "01/10/25", "tenants": tenants}
    await api.post("lead", lead | {"address": LINES, "property_reference": "A1"})
    created = (await api.post("order", ORDER))["data"]
    order = (await api.get("order/1"))["data"]
    assert (expected, 1 if reuses else None) == (created["property_id"], order["from_lead_id"])
    assert "A1" == emulator.store.properties[1].reference


@pytest.mark.parametrize(
    ("kind", "path", "at_once", "expected"),
    [
        ("tenant", "order", "of its type", 2),
        ("partner", "partner-order", "of its type", 6),
        ("tenant", "order", "unknown", 5),
    ],
)
async def test_status_of_property(
    start: Start, kind: str, path: str, at_once: str, expected: int
) -> None:
    """A package gives its property a status."""
    emulator, api = await start(new_tenancy_status=at_once, inner_tenancy_id_offset=70)
    created = (await api.post(path, ORDER if kind == "tenant" else PARTNER_ORDER))["data"]
    assert expected == created["property"]["status_id"]
    assert expected == emulator.store.properties[1].status_id
    assert 71 == created["tenancy"]["id"]


@pytest.mark.parametrize(
    ("change", "errors"),
    [
        ({"package_id": None}, {"package_id": "The package id field is required."}),
        ({"package_id": 9}, {"package_id": "The selected package id is invalid."}),
        ({"package_id": 1.5}, {"package_id": "The package id field must be an integer."}),
        ({"add_ons": "x"}, {"add_ons": "The add ons field must be an array."}),
        ({"add_ons": [1]}, {"add_ons.0": "The selected add ons.0 is invalid."}),
        ({"add_ons": [27, 27]}, {"add_ons.1": "The selected add ons.1 is invalid."}),
        ({"add_ons": [None]}, {"add_ons.0": "The add ons.0 field is required."}),
        ({"household_type": "student"}, {"add_ons.0": "The selected add ons.0 is invalid."}),
        ({"household_type": "x"}, {"household_type": "The selected household type is invalid."}),
        (
            {"total_occupants": 11},
            {"total_occupants": "The total occupants field must be between 1 and 10."},
        ),
        (
            {"bill_payers": 6},
            {"bill_payers": "The bill payers field must be less than or equal to total occupants."},
        ),
        (
            {"tenancy_end": "01/10/24"},
            {"tenancy_end": "The tenancy end field must be a date after tenancy start."},
        ),
        ({"tenancy_move_in": None}, {"tenancy_move_in": "The tenancy move in field is required."}),
        ({"coupon": "x"}, {"coupon": "The selected coupon is invalid."}),
        ({"address": None}, {"address": "The address field is required."}),
        (
            {"address": {"address_id": "x"}},
            {"address.address_id": "The selected address.address id is invalid."},
        ),
    ],
    ids=lambda each: next(iter(each)) + str(len(str(each))),
)
async def test_invalid_order(start: Start, change: Any, errors: Any) -> None:
    """Each rule of "Create Tenant Bills Package" has Laravel's message, and nothing is made."""
    emulator, api = await start()
    status, answer = await api.send("POST", "order", ORDER | change)
    assert (422, {name: [text] for name, text in errors.items()}) == (status, answer["errors"])
    assert (0, 0, 0) == (
        len(emulator.store.orders),
        len(emulator.store.tenancies),
        len(emulator.store.properties),
    )


async def test_defaults_of_order(start: Start) -> None:
    """What may be left out gets a default."""
    _, api = await start(required_order_fields=(), tenant_orders_need_approval=False)
    left_out = ("add_ons", "reference", "bill_payers", "tenancy_move_in", "tenancy_end")
    body = {name: value for name, value in ORDER.items() if name not in left_out}
    await api.post("order", body)
    row = (await api.get("order/1"))["data"]
    household = row["household"]
    assert ([], 6, 5, None, household["tenancy_start"], 10) == (
        row["add_ons"],
        len(row["reference"]),
        household["bill_payers"],
        household["tenancy_end"],
        household["move_in_date"],
        household["status_id"],
    )


@pytest.mark.parametrize(
    ("count_of", "expected"), [("all", 3), ("page", 1)], ids=["of all", "of the page"]
)
async def test_order_pages(start: Start, count_of: str, expected: int) -> None:
    """Orders come by pages with a count that means what is assumed."""
    _, api = await start(order_page_size=2, order_count_of=count_of)
    for _ in range(3):
        await api.post("order", ORDER)
    answer = await api.get("order?page=2")
    assert ([3], {"order_count": expected}) == (
        [row["id"] for row in answer["data"]],
        answer["meta"],
    )


async def test_bills_as_printed(start: Start) -> None:
    """The prices of "List Bills" come out as printed, and the next payment has a date."""
    emulator, api = await start()
    change = {"package_id": 4, "add_ons": [1, 27], "total_occupants": 1, "bill_payers": 1}
    await api.post("order", ORDER | change | {"tenancy_start": "31/01/24"})
    assert None is (await api.get("order/1/bill"))["next_payment_date"]
    emulator.activate(1)
    emulator.store.clock = datetime(2024, 2, 29, 23, tzinfo=UTC).timestamp
    answer = await api.get("order/1/bill")
    bills = answer.pop("data")
    assert [(1, "Renewable Energy", "80.00"), (27, "TV Licence", "15.00")] == [
        (bill["id"], bill["title"], bill["price_per_housemate"]) for bill in bills
    ]
    assert {
        "service_charge": "6.50",
        "service_charge_per_housemate": "6.50",
        "total_price": "101.5",
        "total_per_bill_payer": "101.5",
        "next_payment_date": "2024-02-29",
    } == answer
    emulator.store.clock = datetime(2024, 12, 31, tzinfo=UTC).timestamp
    assert "2024-12-31" == (await api.get("order/1/bill"))["next_payment_date"]


async def test_next_payment_in_next_year(start: Start) -> None:
    """After the day of the month, the next payment is a month later."""
    emulator, api = await start()
    await api.post("order", ORDER)
    emulator.activate(1)
    emulator.store.clock = datetime(2024, 12, 2, tzinfo=UTC).timestamp
    assert "2025-01-01" == (await api.get("order/1/bill"))["next_payment_date"]


async def test_tenant_quote(start: Start) -> None:
    """A quote has the packages with bills, add-ons and prices for one to ten housemates."""
    _, api = await start(custom_package=False)
    packages = (await api.get("packages?postcode=BN1 1AB&is_student=true"))["packages"]
    assert ["Bronze", "Silver", "Gold"] == [package["name"] for package in packages]
    bills = {bill["name"]: bill for bill in packages[0]["bills"]}
    assert ["Renewable Energy", "Water", "Service Charge"] == list(bills)
    assert "Southern Water" == bills["Water"]["provider"]
    assert list(range(1, 11)) == [price["housemates"] for price in bills["Water"]["prices"]]
    assert [20, 25, 27] == [bill["id"] for bill in packages[0]["addons"]]
    third = bills["Service Charge"]["prices"][2]
    assert ("7.33", "22.00") == (third["price_per_housemate"], third["price_total"])


async def test_quote_with_coupon(start: Start) -> None:
    """A known coupon halves the service charge; without students there is council tax."""
    _, api = await start()
    packages = (await api.get("packages?postcode=BN11AB&coupon=HOMEBOX"))["packages"]
    custom = packages[3]
    assert ("Custom", ["Service Charge"]) == (
        custom["name"],
        [bill["name"] for bill in custom["bills"]],
    )
    assert "3.25" == custom["bills"][0]["prices"][0]["price_total"]
    assert "Council Tax" in [bill["name"] for bill in custom["addons"]]


@pytest.mark.parametrize(
    ("query", "field"),
    [("", "postcode"), ("?postcode=x", "postcode"), ("?postcode=BN11AB&coupon=x", "coupon")],
)
async def test_invalid_tenant_quote(start: Start, query: str, field: str) -> None:
    """A quote needs a postcode, and knows its coupons."""
    _, api = await start()
    status, answer = await api.send("GET", f"packages{query}")
    assert (422, [field]) == (status, list(answer["errors"]))


async def test_partner_quote(start: Start) -> None:
    """A quote for three has the printed prices, and no council tax for students."""
    _, api = await start()
    found = (await api.get("address/find/BN11AB"))["data"][0]["address_id"]
    answer = await api.get(f"quote?housemates=3&is_student=true&address_id={found}")
    energy, water, *_ = utilities = answer.pop("data")
    assert {"service_charge": "22.00", "service_charge_per_housemate": "7.33"} == answer
    price = energy["bills"][0]["prices"][0]
    assert (3, "35.00", "105.00") == (
        price["housemates"],
        price["price_per_housemate"],
        price["price_total"],
    )
    assert "Southern Water" == water["bills"][0]["provider"]["name"]
    assert "Council Tax" not in [each["name"] for each in utilities]


async def test_invalid_partner_quote(start: Start) -> None:
    """Without an address_id, the parts of the address are required."""
    _, api = await start()
    status, answer = await api.send("GET", "quote?is_student=maybe")
    assert (422, ["housemates", "is_student", "line1", "city", "postcode"]) == (
        status,
        list(answer["errors"]),
    )


async def test_partner_package(start: Start) -> None:
    """A partner package answers its tenancy, and the partner alone pays."""
    emulator, api = await start()
    data = (await api.post("partner-order", PARTNER_ORDER | {"property_reference": "B1"}))["data"]
    inner = data["tenancy"]
    assert (1, "Bills Included Package", "Bills Being Setup", 10, "Partner Package", 1) == (
        data["id"],
        data["tenancy_type"],
        inner["status"],
        inner["status_id"],
        inner["responsibility"],
        inner["order"]["id"],
    )
    assert "mpan_top_line" in data["property"]
    emulator.activate(1)
    (payment,) = (await api.get("order/1/payments"))["data"]
    # (35.00 + 5.00 + 7.33) for each of three
    assert ("141.99", {"email": None, "first_name": "Jane", "last_name": "Smith"}) == (
        payment["amount"],
        payment["user"],
    )
    assert data == (await api.get("property/1/tenancy/1"))["data"] | {
        "property": data["property"],
        "tenancy": inner,
    }


@pytest.mark.parametrize(
    ("change", "fields"),
    [
        ({"bills": []}, ["bills"]),
        ({"bills": [{"id": 3}]}, ["bills.0.id"]),
        ({"bills": [{"id": 1}, {"id": "1"}]}, ["bills.1.id"]),
        ({"bills": [{}]}, ["bills.0.id"]),
        ({"bills": [{"id": 35}], "is_student": True}, ["bills.0.id"]),
        ({"is_student": None}, ["is_student"]),
        ({"payment_method": "cash"}, ["payment_method"]),
        ({"account_name": "x"}, ["account_name"]),
        ({"account_number": "1234567"}, ["account_number"]),
        ({"sort_code": "00000é"}, ["sort_code"]),
        ({"billing_address": {"line1": "x"}}, ["billing_address.city", "billing_address.postcode"]),
        ({"billing_address": None}, ["billing_address"]),
        ({"tenants": []}, ["tenants"]),
        ({"tenancy_end": None}, ["tenancy_end"]),
        ({"address": "x"}, ["address"]),
    ],
    ids=lambda each: "-".join(each),
)
async def test_invalid_partner_package(start: Start, change: Any, fields: list[str]) -> None:
    """Each field of "Create Partner Package" is checked."""
    _, api = await start()
    status, answer = await api.send("POST", "partner-order", PARTNER_ORDER | change)
    assert (422, fields) == (status, list(answer["errors"]))


async def test_payments_and_payouts(start: Start) -> None:
    """Payers pay when the order becomes active and on demand; suppliers are paid then."""
    emulator, api = await start()
    await api.post("order", ORDER)
    assert [] == emulator.take_payments(1)
    await api.post("order/1/tenant", PAYER)
    await api.post("order/1/tenant", PAYER | {"email": "john@example.com"})
    emulator.activate(1)
    payments = (await api.get("order/1/payments"))["data"]
    assert {
        "id": 1,
        # (26.00 + 10.80 + 5.60 + 50.80 + 7.50) x 5 / 2
        "amount": "251.75",
        "status": "success",
        "status_id": 2,
        "payment_method": "direct-debit",
        "attempt": 1,
        "previous_attempt_id": None,
        "next_attempt_id": None,
        "user": {"email": "jane@example.com", "first_name": "Jane", "last_name": "Smith"},
        "paid_at": "2024-05-20 09:00:00",
        "created_at": "2024-05-20 09:00:00",
    } == payments[0]
    payouts = (await api.get("order/1/supplier"))["data"]
    assert 4 == len(payouts)
    assert {
        "id": 1,
        "status": "Pending",
        "bill": "Standard Plan",
        "provider": "Rebel Energy",
        "group": "Renewable Energy",
        "created_at": STAMP,
        "paid_at": None,
    } == payouts[0]
    emulator.pay_suppliers(1)
    emulator.pay_suppliers(1)
    payouts = (await api.get("order/1/supplier"))["data"]
    assert ("Success", STAMP) == (payouts[3]["status"], payouts[3]["paid_at"])
    emulator.take_payments(1, "pending")
    assert 4 == len((await api.get("order/1/payments"))["data"])
    assert 4 == len((await api.get("order/1/supplier"))["data"])
    assert 4 == [each.subject for each in emulator.outbox].count("Monthly payment")


async def test_replace_payment(start: Start) -> None:
    """Replacing cancels a payment, makes a new one, and links the two; it works once."""
    emulator, api = await start(payments_at_activation=False)
    await api.post("order", ORDER)
    await api.post("order/1/tenant", PAYER)
    emulator.activate(1)
    emulator.take_payments(1, "failed")
    before = len(emulator.outbox)
    path, body = "order/1/payments/1/replace", {"payment_method": "bank-transfer"}
    new = (await api.post(path, body))["data"]
    assert (2, "pending", 1, "bank-transfer", 1, 1, None, None) == (
        new["id"],
        new["status"],
        new["status_id"],
        new["payment_method"],
        new["attempt"],
        new["previous_attempt_id"],
        new["next_attempt_id"],
        new["paid_at"],
    )
    old, listed = (await api.get("order/1/payments"))["data"]
    assert (new, "cancelled", 4, 2) == (
        listed,
        old["status"],
        old["status_id"],
        old["next_attempt_id"],
    )
    assert before == len(emulator.outbox)
    status, answer = await api.send("POST", path, body)
    assert (422, ["payment"]) == (status, list(answer["errors"]))
    status, answer = await api.send("POST", path, {"payment_method": "cash"})
    assert (422, ["payment_method", "payment"]) == (status, list(answer["errors"]))


async def test_invites(start: Start) -> None:
    """An invite is sent by SMS, counts up, and goes when deleted."""
    emulator, api = await start()
    await api.post("order", ORDER)
    expected = {"data": ["Tenant was successfully added to order 1"]}
    assert expected == await api.post("order/1/invite", INVITE)
    await api.post("order/1/invite", INVITE)
    listed = (await api.get("order/1/invite"))["data"]
    assert [{"id": 1, **INVITE, "total_sent": "2"}] == listed
    assert [("sms", "+441234567890", "invite/1")] * 2 == [
        (each.kind, each.to, each.about) for each in emulator.outbox
    ]
    path = "order/1/invite/1"
    assert (200, {"message": "Invite has been deleted"}) == await api.send("DELETE", path)
    assert [] == (await api.get("order/1/invite"))["data"]
    assert 404 == (await api.send("DELETE", path))[0]


async def test_sign_up(start: Start) -> None:
    """Who signs up becomes a bill payer, and the invite disappears."""
    emulator, api = await start(repeated_invite_counts_up=False)
    await api.post("order", ORDER)
    for phone in ("+441234567890", "+441234567890", "+449999999999"):
        await api.post("order/1/invite", INVITE | {"phone_number": phone})
    emulator.sign_up(2)
    assert [3] == [each["id"] for each in (await api.get("order/1/invite"))["data"]]
    (payer,) = (await api.get("order/1/tenant"))["data"]
    assert INVITE == {name: payer[name] for name in INVITE}
    with pytest.raises(KeyError):
        emulator.sign_up(2)
    await api.post("order/1/tenant", PAYER | {"phone_number": "+44 9999 999999"})
    assert [] == (await api.get("order/1/invite"))["data"]


async def test_payers(start: Start) -> None:
    """A bill payer is confirmed by email, can be changed and removed."""
    emulator, api = await start(extra_payers=False)
    await api.post("order", ORDER | {"bill_payers": 1})
    await api.post("order/1/tenant", PAYER)
    assert [("debit", "Jane Smith"), ("email", "jane@example.com")] == [
        (each.kind, each.to) for each in emulator.outbox
    ]
    names = ("first_name", "last_name", "email", "phone_number", "birthday", "nationality")
    row = {"id": 1, **{name: PAYER[name] for name in names}}
    assert [row] == (await api.get("order/1/tenant"))["data"]
    status, answer = await api.send("POST", "order/1/tenant", PAYER)
    assert (422, ["order"]) == (status, list(answer["errors"]))
    change = {"last_name": "Doe", "birthday": "15/01/1996"}
    expected = (200, {"data": row | change})
    assert expected == await api.send("PATCH", "order/1/tenant/1", change)
    status, answer = await api.send(
        "PATCH", "order/1/tenant/1", {"birthday": "31/02/1996", "nationality": "gb"}
    )
    assert (422, ["birthday", "nationality"]) == (status, list(answer["errors"]))
    removed = (200, {"message": "Tenant has been removed"})
    assert removed == await api.send("DELETE", "order/1/tenant/1")
    assert [] == (await api.get("order/1/tenant"))["data"]
    assert 404 == (await api.send("GET", "order/1/tenant/1/mandate"))[0]


async def test_lenient_bank_details(start: Start) -> None:
    """Other bank details are taken where that is assumed, but not for a mandate."""
    emulator, api = await start(strict_bank_details=False)
    await api.post("order", ORDER)
    await api.post("order/1/tenant", PAYER | {"account_number": "GB00", "sort_code": "-"})
    emulator.set_mandate(1, "cancelled")
    status, answer = await api.send(
        "PATCH", "order/1/tenant/1/mandate", BANK | {"account_number": "GB00"}
    )
    assert (422, ["account_number"]) == (status, list(answer["errors"]))


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("nomandate", 200),
        ("rejected", 200),
        ("cancelled", 200),
        ("active", 422),
        ("submitted", 422),
        ("pending", 422),
        ("suspended", 422),
    ],
)
async def test_mandate(start: Start, status: str, expected: int) -> None:
    """Only a mandate that is not or no longer there can be set up."""
    emulator, api = await start()
    await api.post("order", ORDER)
    await api.post("order/1/tenant", PAYER)
    path = "order/1/tenant/1/mandate"
    assert {"data": {"name": "Jane Smith", "status": "submitted"}} == await api.get(path)
    emulator.set_mandate(1, status)
    new = BANK | {"account_name": "J Smith"}
    actual, _ = await api.send("PATCH", path, new)
    assert expected == actual
    shown = {"name": "J Smith", "status": "pending"}
    kept = {"name": "Jane Smith", "status": status}
    assert (shown if expected == 200 else kept) == (await api.get(path))["data"]


@pytest.mark.parametrize(
    "path",
    [
        "order/2",
        "order/x",
        f"order/{'9' * 5000}",
        "order/2/bill",
        "order/1/tenant/2/mandate",
        "order/2/tenant/1/mandate",
        "property/1/tenancy/2",
        "property/2/tenancy/1",
        "child/1",
        "child/2/orders",
        "lead/1",
    ],
    ids=lambda path: path[:30],
)
async def test_unknown(start: Start, path: str) -> None:
    """An unknown id is Laravel's 404, also below a known one."""
    emulator, api = await start()
    emulator.store.add_property(Address("1 Mill Lane", None, None, None, "BN3 1AB"))
    emulator.seed_order(1)
    await api.post("order/1/tenant", PAYER)
    status, answer = await api.send("GET", path)
    assert (404, "No query results for model") == (status, answer["message"][:26])
