"""The heading "Partner Packages"."""

from typing import Any

import pytest

from .packages import PARTNER_ORDER, Start


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
