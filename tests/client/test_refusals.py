"""What is refused before anything is sent, all of it at once."""

import base64
import datetime as dt
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from homebox_async import (
    UNSET,
    Address,
    AddressId,
    AsyncHomebox,
    NewTenant,
    PropertyStatus,
    ValidationError,
)

from .examples import DATES, TENANT, problems

Call = Callable[[AsyncHomebox], Awaitable[Any]]


# --- refused before anything is sent


async def test_every_problem_at_once(server: Any, client: AsyncHomebox) -> None:
    """All problems of a lead are reported together, by path, without a personal value."""
    bad = NewTenant(first_name="Ma\x00ry", last_name="", phone_number="01234", email_address="m@x")
    home = Address(line1="", city=5, postcode="Nowhere", county="x" * 256)  # type: ignore[arg-type]
    call = client.leads.create(
        tenancy_start=dt.date(2023, 7, 1),
        tenancy_end=dt.date(2022, 7, 1),
        address=home,
        tenants=[TENANT, bad, {"first_name": "Sue"}],  # type: ignore[list-item]
        notifications="no",  # type: ignore[arg-type]
        property_reference="",
    )
    found = await problems(server, call)
    assert [
        "address.city is int, not text",
        "address.county has 256 characters",
        "address.line1 is empty",
        "address.postcode is not a full UK postcode",
        "notifications is str, not true or false",
        "property_reference is empty",
        "tenancy_end is not after tenancy_start",
        "tenants.1.email_address is not an email address",
        "tenants.1.first_name holds a control character",
        "tenants.1.last_name is empty",
        "tenants.1.phone_number is not a number with country code",
        "tenants.2 is dict, not a tenant",
    ] == sorted(found)
    assert not any(value in " ".join(found) for value in ("Ma", "01234", "m@x", "Nowhere", "Sue"))


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (
            lambda c: c.leads.create(tenancy_start=None, tenancy_end=UNSET, tenants=None),
            [
                "tenancy_start is missing",
                "tenancy_end is missing",
                "tenants is empty",
                "address is missing",
            ],
        ),
        (
            lambda c: c.leads.create(**DATES, tenants=[TENANT], address=None),
            ["address is None, which the API has no use for here"],
        ),
        (
            lambda c: c.leads.create(
                tenancy_start=dt.date(1999, 12, 31),
                tenancy_end=dt.date(2069, 1, 1),
                tenants=[TENANT],
                notifications=False,
            ),
            ["tenancy_start is outside 2000 to 2068", "tenancy_end is outside 2000 to 2068"],
        ),
        (
            lambda c: c.leads.create(
                tenancy_start="01/02/21",
                tenancy_end=dt.datetime(2021, 2, 1),
                tenants=[TENANT],
                notifications=False,
            ),
            ["tenancy_start is str, not a date", "tenancy_end is datetime, not a date"],
        ),
        (lambda c: c.properties.create(None), ["address is missing"]),
        (
            lambda c: c.properties.create({"line1": "1"}),
            ["address is dict, not an address"],
        ),
        (
            lambda c: c.properties.create(Address(line1=None, city=UNSET, postcode="EC1V 2NX")),
            ["address.line1 is missing", "address.city is missing"],
        ),
        (
            lambda c: c.readings.create_for_order(
                0, type="oil", reading=0, reading2=True, date_of_reading="2021-06-20"
            ),
            [
                "order_id is not above 0",
                "date_of_reading is str, not a date",
                "reading is not above 0",
                "reading2 is bool, not an integer",
                "type is not one the API knows",
                "reading2 is given for a meter that is not electric",
            ],
        ),
        (
            lambda c: c.readings.create_for_property(
                1, type=None, reading=None, date_of_reading=None
            ),
            ["type is missing", "reading is missing", "date_of_reading is missing"],
        ),
        (lambda c: c.properties.get(-1), ["property_id is not above 0"]),
        (lambda c: c.properties.get(True), ["property_id is bool, not an integer"]),
        (lambda c: c.properties.get(None), ["property_id is NoneType, not an integer"]),
        (
            lambda c: c.request("POST", "a", json={"ok": 1, "x": {1, object()}}),
            ["x cannot be written as JSON"],
        ),
        (
            lambda c: c.request("POST", "a", json={"x": {"y": UNSET}, "z": "\ud800"}),
            ["x cannot be written as JSON", "z cannot be written as JSON"],
        ),
        (lambda c: c.request("GET ", "a"), ["method is not an HTTP method"]),
        (lambda c: c.request("POST", "a", json={}, form={}), ["form is given beside json"]),
        (lambda c: c.request("GET", "a/{b}"), ["path has braces that `params` does not fill"]),
        (
            lambda c: c.request("GET", "a/{}", params={"b": 1}),
            ["path has braces that `params` does not fill"],
        ),
    ],
)
async def test_refused(server: Any, client: AsyncHomebox, call: Call, expected: list[str]) -> None:
    """Input that the API would refuse is refused here, all of it at once."""
    assert sorted(expected) == sorted(await problems(server, call(client)))


@pytest.mark.parametrize(
    "make",
    [
        lambda c: c.leads.list(start_page=0),
        lambda c: c.leads.list(start_page="1"),
        lambda c: c.leads.list(prefetch=-1),
        lambda c: c.leads.list(prefetch=True),
        lambda c: c.readings.list_for_order(1, page_size=0),
        lambda c: c.readings.list_for_property(-1),
        lambda c: c.properties.list(q=5),
        lambda c: c.properties.list(filter={"a": object()}),
        lambda c: c.properties.list(filter={"a": float("nan")}),
        lambda c: c.properties.list(filter=5),
    ],
)
def test_bad_lists_are_refused_at_once(make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A list with bad input fails where it is made, not where it is iterated."""
    client = AsyncHomebox("t", base_url="http://127.0.0.1:9")
    with pytest.raises(ValidationError):
        make(client)


def test_filters() -> None:
    """A filter is standard Base64 of JSON, with the escapes that a query needs."""
    from homebox_async.resources.base import encode_filter

    text = encode_filter({"status": [PropertyStatus.TENANT_PACKAGE], "x": "ÿþ?>"})
    assert {"status": [2], "x": "ÿþ?>"} == json.loads(base64.b64decode(str(text)))
    assert UNSET is encode_filter(UNSET)


@pytest.mark.parametrize(
    ("postcode", "fine"),
    [
        ("EC1V 2NX", True),
        ("ec1v2nx", True),
        (" BN1 1AB ", True),
        ("GIR 0AA", True),
        ("W1A 0AX", True),
        ("M1 1AE", True),
        ("EC1V", False),
        ("12345", False),
        ("QQ1 1AA", False),
        ("EC1V  2NX", True),
    ],
)
def test_postcodes(postcode: str, fine: bool) -> None:
    """A postcode is a full UK one, with or without its space."""
    assert fine is (AddressId("x", postcode).problems() == [])


@pytest.mark.parametrize(
    ("phone", "fine"),
    [("+441234567890", True), ("+44 1234 567890", True), ("01234567890", False), ("+0123", False)],
)
def test_phone_numbers(phone: str, fine: bool) -> None:
    """A phone number has its country code."""
    tenant = NewTenant(first_name="a", last_name="b", phone_number=phone, email_address="a@b.uk")
    assert fine is (tenant.problems() == [])
