"""Quotes of tenant and partner packages."""

import pytest

from .packages import Start


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
