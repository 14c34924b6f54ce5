"""What goes on the wire for each operation, and what is refused before anything does."""

import base64
import datetime as dt
import io
import json
import os
from collections.abc import Awaitable, Callable
from email.parser import BytesParser
from pathlib import Path
from typing import Any

import pytest

from homebox_async import (
    UNSET,
    Address,
    AddressId,
    AsyncHomebox,
    ConfigurationError,
    Lead,
    NewTenant,
    OutcomeUnknown,
    PropertyStatus,
    Upload,
    ValidationError,
)

Call = Callable[[AsyncHomebox], Awaitable[Any]]

TENANT = NewTenant(
    first_name="Bill",
    last_name="Appleseed",
    phone_number="+441234567890",
    email_address="bill.appleseed@example.com",
)
HOME = Address(
    line1="123 Test Lane", line2="", city="London", county="Greater London", postcode="EC1V2NX"
)
HOME_JSON = {
    "line1": "123 Test Lane",
    "line2": "",
    "city": "London",
    "county": "Greater London",
    "postcode": "EC1V2NX",
}
TENANT_JSON = {
    "first_name": "Bill",
    "last_name": "Appleseed",
    "phone_number": "+441234567890",
    "email_address": "bill.appleseed@example.com",
}
DATES = {"tenancy_start": dt.date(2022, 7, 1), "tenancy_end": dt.date(2023, 7, 1)}
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
                **DATES, address=AddressId("VglSD9KF3EKcNz_RRXPVV", "BN108AP"), tenants=[TENANT]
            ),
            "POST",
            "lead",
            {
                **DATES_JSON,
                "address": {"address_id": "VglSD9KF3EKcNz_RRXPVV", "postcode": "BN108AP"},
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
    server.default = server.say(200, b'{"data": {}}' if "find" not in target else b'{"data": []}')
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


def parts(seen: Any) -> dict[str, tuple[str | None, str, bytes]]:
    """Return the parts of a multipart body: name -> filename, type, content."""
    head = f"Content-Type: {seen.headers['content-type']}\r\n\r\n".encode()
    message = BytesParser().parsebytes(head + seen.body)
    found = {}
    for part in message.get_payload():
        assert not isinstance(part, str)
        name = part.get_param("name", header="content-disposition")
        found[str(name)] = (
            part.get_filename(),
            part.get_content_type(),
            part.get_payload(decode=True),
        )
    return found


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
    await client.readings.create_for_order(
        1,
        type="gas",
        reading=2,
        date_of_reading=dt.date(2021, 6, 20),
        reading2=None,  # type: ignore[arg-type]
    )
    assert b"None" not in server.seen[0].body


CONTENT = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 400


def as_bytes(_: Path) -> Any:
    """Give the content."""
    return CONTENT


def as_path(folder: Path) -> Any:
    """Give a file's path."""
    path = folder / "meter.png"
    path.write_bytes(CONTENT)
    return path


def as_file(folder: Path) -> Any:
    """Give an open file that stands after a header."""
    path = folder / "meter.bin"
    path.write_bytes(b"skip" + CONTENT)
    file = path.open("rb")
    file.seek(4)
    return file


def as_memory(_: Path) -> Any:
    """Give a file in memory."""
    return io.BytesIO(CONTENT)


def as_upload(folder: Path) -> Any:
    """Give an upload with its own name and type."""
    return Upload(as_path(folder), 'my "meter".png', "image/x-own")


@pytest.mark.parametrize("make", [as_bytes, as_path, as_file, as_memory, as_upload])
async def test_uploads_are_sent_again_whole(
    server: Any, client: AsyncHomebox, tmp_path: Path, make: Callable[[Path], Any]
) -> None:
    """A file is sent whole with each attempt and stays open."""
    image = make(tmp_path)
    busy = server.say(503, b"", [("Retry-After", "0")])
    server.acts = [busy, busy, server.say(201, b'{"id": 1}')]
    await client.readings.create_for_order(
        1, type="gas", reading=2, date_of_reading=dt.date(2021, 6, 20), image=image
    )
    assert [CONTENT] * 3 == [parts(seen)["image"][2] for seen in server.seen]
    kind = "image/x-own" if make is as_upload else "image/png"
    assert kind == parts(server.seen[0])["image"][1]
    if hasattr(image, "close"):
        assert not image.closed
        image.close()


async def test_a_file_that_vanishes(server: Any, connect: Any, tmp_path: Path) -> None:
    """A file that is gone when it is to be sent is the caller's problem and was not sent."""
    path = as_path(tmp_path)

    async def remove(request: Any, handler: Any) -> Any:
        path.unlink(missing_ok=True)
        return await handler(request)

    client = connect(middlewares=[remove])
    with pytest.raises(ValidationError, match="cannot be read any more"):
        await client.readings.create_for_order(
            1, type="gas", reading=2, date_of_reading=dt.date(2021, 6, 20), image=path
        )
    assert [] == server.seen


async def test_a_file_that_breaks(server: Any, client: AsyncHomebox) -> None:
    """A file that fails while it is sent leaves the outcome open."""

    class Broken(io.BytesIO):
        looked_at = False  # to tell its type, before anything is sent

        def read(self, size: int | None = -1) -> bytes:
            if self.looked_at:
                raise OSError("disk")
            self.looked_at = True
            return super().read(size)

    with pytest.raises(OutcomeUnknown):
        await client.readings.create_for_order(
            1, type="gas", reading=2, date_of_reading=dt.date(2021, 6, 20), image=Broken(CONTENT)
        )


def pipe() -> Any:
    """Return the reading end of a pipe."""
    read, write = os.pipe()
    os.close(write)
    return os.fdopen(read, "rb")


@pytest.mark.parametrize(
    ("make", "problem"),
    [
        (lambda _: "meter.png", "is str"),
        (lambda _: None, "is NoneType"),
        (lambda folder: folder / "none.png", "is not a file"),
        (lambda folder: Upload(folder / "none.png"), "is not a file"),
        (lambda _: io.StringIO("x"), "is open as text"),
        (lambda _: pipe(), "cannot be read more than once"),
        (lambda _: b"text", "is not an image"),
        (lambda _: Upload(b"", "a\r\nb"), "has a control character in its filename or type"),
        (lambda _: Upload(b"", "a", "b\n"), "has a control character in its filename or type"),
    ],
    ids=[
        "text",
        "None",
        "no file",
        "upload of no file",
        "text file",
        "pipe",
        "no image",
        "filename",
        "type",
    ],
)
async def test_unusable_uploads(
    client: AsyncHomebox, tmp_path: Path, make: Callable[[Path], Any], problem: str
) -> None:
    """What cannot be sent, or not twice, is refused at once."""
    image = make(tmp_path)
    with pytest.raises(ValidationError) as caught:
        await client.readings.create_for_order(
            1, type="gas", reading=2, date_of_reading=dt.date(2021, 6, 20), image=image
        )
    assert [("image", problem)] == [(p.field, p.problem) for p in caught.value.problems]
    if hasattr(image, "close"):
        image.close()


# --- refused before anything is sent


async def problems(server: Any, call: Awaitable[Any]) -> list[str]:
    """Return what is wrong with a call, as `field problem`."""
    with pytest.raises(ValidationError) as caught:
        await call
    assert [] == server.seen
    assert str(caught.value).endswith("(nothing was sent)")
    return [f"{p.field} {p.problem}" for p in caught.value.problems]


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
            ["address is missing"],
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
        (lambda c: c.properties.get(-1), ["property_id is below 0"]),
        (lambda c: c.properties.get(True), ["property_id is bool"]),
        (lambda c: c.properties.get(None), ["property_id is NoneType"]),
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
    "value", ["", " ", ".", "..", " .. ", "a\nb", "a\x00", "\x7f", "\ud800"], ids=ascii
)
async def test_path_segments(server: Any, client: AsyncHomebox, value: str) -> None:
    """A value that could leave its segment is refused."""
    assert 1 == len(await problems(server, client.addresses.find(value)))


@pytest.mark.parametrize(
    "value",
    ["/", "a/b", "../..", "...", "%2e%2e", "a;b", "☃", "a b", "?x#y", "\\", "&="],
    ids=ascii,
)
async def test_one_segment(server: Any, client: AsyncHomebox, value: str) -> None:
    """Any other value stays one segment, exactly as it was given."""
    server.default = server.say(200, b'{"data": []}')
    await client.addresses.find(value)
    target = server.seen[0].target
    assert 6 == target.count("/") + (0 if target.isascii() else 99) + 1
    from urllib.parse import unquote

    assert value == unquote(target.rpartition("/")[2])


@pytest.mark.parametrize(
    "path",
    [
        "",
        "../x",
        "a//b",
        "//example.com/x",
        "https://example.com/x",
        "a?b=1",
        "a#b",
        "a\\b",
        "a b",
        "a\r\nHost: x",
        "é",
        "%2e%2e/x",
        "@example.com",
    ],
    ids=ascii,
)
async def test_paths_that_leave_the_api(server: Any, client: AsyncHomebox, path: str) -> None:
    """The escape hatch stays below the API's root."""
    assert ["path leaves the API"] == await problems(server, client.request("GET", path))


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
        ("EC1V  2NX", False),
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
