"""What goes on the wire for each operation, and what comes of it."""

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
    ConfigurationError,
    Lead,
    OutcomeUnknown,
)

from .examples import DATES, TENANT, parts

Call = Callable[[AsyncHomebox], Awaitable[Any]]
HOME = Address(
    line1="123 Test Lane", line2="", city="London", county="Greater London", postcode="EC1V 2NX"
)
HOME_JSON = {
    "line1": "123 Test Lane",
    "line2": "",
    "city": "London",
    "county": "Greater London",
    "postcode": "EC1V 2NX",
}
TENANT_JSON = {
    "first_name": "Bill",
    "last_name": "Appleseed",
    "phone_number": "+441234567890",
    "email_address": "bill.appleseed@example.com",
}
DATES_JSON = {"tenancy_start": "01/07/22", "tenancy_end": "01/07/23"}


@pytest.mark.parametrize(
    ("call", "method", "target", "body"),
    [
        (lambda c: c.addresses.find("BN11AB"), "GET", "address/find/BN11AB", None),
        (lambda c: c.addresses.find("BN1 1AB"), "GET", "address/find/BN1%201AB", None),
        (
            lambda c: c.addresses.find("1/2 é?#%"),
            "GET",
            "address/find/1%2F2%20%C3%A9%3F%23%25",
            None,
        ),
        (
            lambda c: c.properties.create(AddressId("VglSD9KF3EKcNz_RRXPVV")),
            "POST",
            "property",
            {"address": {"address_id": "VglSD9KF3EKcNz_RRXPVV"}},
        ),
        (
            lambda c: c.properties.create(HOME, property_reference=None),
            "POST",
            "property",
            {"address": HOME_JSON, "property_reference": None},
        ),
        (
            lambda c: c.properties.create(
                Address(line1="1", city="L", postcode="EC1V 2NX"), property_reference="A/1"
            ),
            "POST",
            "property",
            {
                "address": {"line1": "1", "city": "L", "postcode": "EC1V 2NX"},
                "property_reference": "A/1",
            },
        ),
        (lambda c: c.properties.list().first(), "GET", "property?page=1", None),
        (
            lambda c: c.properties.list(q="London", filter={"status": [2]}, start_page=3).first(),
            "GET",
            "property?q=London&filter=eyJzdGF0dXMiOiBbMl19&page=3",
            None,
        ),
        (
            lambda c: c.properties.list(q="a+b=c/d é").first(),
            "GET",
            "property?q=a%2Bb%3Dc%2Fd%20%C3%A9&page=1",
            None,
        ),
        (lambda c: c.properties.get(7), "GET", "property/7", None),
        (
            lambda c: c.leads.create(
                **DATES,
                existing_tenancy=False,
                notifications=True,
                managing_party_name="Tom's Letting Agent",
                address=HOME,
                tenants=[TENANT],
            ),
            "POST",
            "lead",
            {
                **DATES_JSON,
                "existing_tenancy": False,
                "notifications": True,
                "managing_party_name": "Tom's Letting Agent",
                "address": HOME_JSON,
                "tenants": [TENANT_JSON],
            },
        ),
        (
            lambda c: c.leads.create(
                **DATES, address=AddressId("VglSD9KF3EKcNz_RRXPVV", "BN10 8AP"), tenants=[TENANT]
            ),
            "POST",
            "lead",
            {
                **DATES_JSON,
                "address": {"address_id": "VglSD9KF3EKcNz_RRXPVV", "postcode": "BN10 8AP"},
                "tenants": [TENANT_JSON],
            },
        ),
        (
            lambda c: c.leads.create(
                **DATES, notifications=False, tenants=(TENANT,), property_reference=None
            ),
            "POST",
            "lead",
            {
                **DATES_JSON,
                "notifications": False,
                "property_reference": None,
                "tenants": [TENANT_JSON],
            },
        ),
        (lambda c: c.leads.list(start_page=2).first(), "GET", "lead?page=2", None),
        (lambda c: c.leads.get(1), "GET", "lead/1", None),
        (
            lambda c: c.readings.list_for_order(5, page_size=20).first(),
            "GET",
            "order/5/readings?limit=20&page=1",
            None,
        ),
        (
            lambda c: c.readings.list_for_property(5).first(),
            "GET",
            "property/5/readings?page=1",
            None,
        ),
        (lambda c: c.account.get(), "GET", "account", None),
        (
            lambda c: c.request(
                "patch", "/a/{b}", params={"b": ".x y"}, json={"n": None, "u": UNSET}
            ),
            "PATCH",
            "a/.x%20y",
            {"n": None},
        ),
        (
            lambda c: c.request(
                "POST",
                "a",
                query={"yes": True, "day": dt.date(2021, 6, 20), "none": None, "unset": UNSET},
                json={"birthday": dt.date(1980, 2, 1), "at": dt.datetime(2021, 6, 20, 14, 5)},
            ),
            "POST",
            "a?yes=true&day=2021-06-20",
            {"birthday": "01/02/1980", "at": "2021-06-20T14:05:00"},
        ),
    ],
)
async def test_exact_requests(
    server: Any, client: AsyncHomebox, call: Call, method: str, target: str, body: Any
) -> None:
    """Each operation sends what the document's example shows, byte for byte in the target."""
    server.default = server.say(
        200, b'{"data": {"id": 1}}' if "find" not in target else b'{"data": []}'
    )
    await call(client)
    (seen,) = server.seen
    assert (method, f"/api/partner/{target}") == (seen.method, seen.target)
    assert "Bearer test-token-1" == seen.headers["authorization"]
    assert "application/json" == seen.headers["accept"]
    assert seen.headers["user-agent"].startswith("homebox-async/")
    if body is None:
        assert b"" == seen.body
    else:
        assert "application/json" == seen.headers["content-type"]
        assert body == json.loads(seen.body)


@pytest.mark.parametrize("owner", ["order", "property"])
async def test_readings(server: Any, client: AsyncHomebox, owner: str) -> None:
    """A reading is a multipart form with the date as YYYY-MM-DD."""
    create = getattr(client.readings, f"create_for_{owner}")
    server.default = server.say(201, b'{"id": 3, "reading": "299", "type": "Gas"}')
    reading = await create(9, type="gas", reading=299, date_of_reading=dt.date(2021, 6, 20))
    assert (3, "299", "Gas") == (reading.id, reading.reading, reading.type)
    await create(
        9,
        type="electric",
        reading=299,
        reading2=1,
        date_of_reading=dt.date(2021, 6, 20),
        image=b"\x89PNG",
    )
    plain, full = server.seen
    assert ("POST", f"/api/partner/{owner}/9/readings") == (plain.method, plain.target)
    assert plain.headers["content-type"].startswith("multipart/form-data; boundary=")
    assert {"type": b"gas", "reading": b"299", "date_of_reading": b"2021-06-20"} == {
        name: part[2] for name, part in parts(plain).items()
    }
    assert ("image.png", "image/png", b"\x89PNG") == parts(full)["image"]
    assert b"1" == parts(full)["reading2"][2]


async def test_a_form_has_no_null(server: Any, client: AsyncHomebox) -> None:
    """None in a form is left out; it never becomes the text 'None'."""
    await client.request("POST", "x", form={"a": None, "b": "1"}, query={"c": None})
    assert b"None" not in server.seen[0].body
    assert "/api/partner/x" == server.seen[0].target


# --- refused before anything is sent


async def test_answers_without_use(server: Any, client: AsyncHomebox) -> None:
    """A lead that may have been created but cannot be read is an unknown outcome."""
    for body in (b"", b"null", b'{"data": null}', b"[]x"):
        server.default = server.say(201, body)
        with pytest.raises(OutcomeUnknown, match="201"):
            await client.leads.create(**DATES, tenants=[TENANT], notifications=False)


async def test_the_escape_hatch(server: Any, client: AsyncHomebox) -> None:
    """`request` gives plain JSON, or a model from any envelope."""
    server.default = server.say(200, b'{"lead": {"id": 7}, "data": [1.5]}')
    assert 7 == (await client.request("GET", "x", into=Lead, envelope="lead")).id
    answer = await client.request("GET", "x")
    assert "1.5" == str(answer["data"][0])
    server.default = server.say(200, b"")
    assert await client.request("HEAD", "x") is None


async def test_delete_into_a_model(server: Any, client: AsyncHomebox) -> None:
    """A DELETE whose answer is not the model asked for has still succeeded."""
    server.default = server.say(200, b'"gone"')
    assert await client.request("DELETE", "x", into=Lead) is None


def test_no_client_without_sense() -> None:
    """The environment has to be one that exists."""
    with pytest.raises(ConfigurationError, match="'staging' is unknown"):
        AsyncHomebox("t", environment="staging")  # type: ignore[arg-type]
