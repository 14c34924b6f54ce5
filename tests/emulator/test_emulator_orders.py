"""The heading "Tenant Packages": orders, their states, pages and bills."""

from datetime import UTC, datetime
from typing import Any

import pytest

from .packages import API, LINES, ORDER, PARTNER_ORDER, STAMP, Start


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
