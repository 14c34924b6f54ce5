"""The headings "Meter Readings" and "Account"."""

import re
from typing import Any

import aiohttp
import pytest

from homebox_async.emulator import Address, Assumed, Emulator

ORDER = "/api/partner/order/1/readings"
PROPERTY = "/api/partner/property/1/readings"
NOW = 1_655_812_800.0
GIVEN = {"date_of_reading": "2021-06-20", "reading": "299", "type": "gas"}


def form(fields: dict[str, str], image: bytes | None = None) -> aiohttp.FormData:
    """Return a multipart form."""
    data = aiohttp.FormData(quote_fields=False, default_to_multipart=True)
    for name, value in fields.items():
        data.add_field(name, value)
    if image is not None:
        data.add_field("image", image, filename="dir/meter é.jpg", content_type="image/jpeg")
    return data


def fill(emulator: Emulator) -> None:
    """Put a property with a bills package into the emulator and stop its clock."""
    emulator.store.clock = lambda: NOW
    emulator.store.add_property(Address("Oxford Road", None, "Oxford", "Oxfordshire", "OX84 1DD"))
    emulator.seed_order(1)


@pytest.fixture(autouse=True)
def filled(emulator: Emulator) -> Emulator:
    """Fill the default emulator."""
    fill(emulator)
    return emulator


BRIEF = {
    "id": 1,
    "address_line1": "Oxford Road",
    "address_line2": None,
    "address_city": "Oxford",
    "address_county": "Oxfordshire",
    "address_postcode": "OX84 1DD",
    "status_id": 2,
    "status": "Bills Package",
    "created_at": "2022-06-21T12:00:00.000000Z",
    "updated_at": "2022-06-21T12:00:00.000000Z",
    "external_id": None,
    "uprn": None,
}
FULL = BRIEF | {
    "address_line3": None,
    "address_line4": None,
    "retrieved_at": None,
    "mpan": None,
    "mprn": None,
}
READING = {
    "id": 1,
    "source": None,
    "state": "complete",
    "reading": "299",
    "reading2": None,
    "date_of_reading": "2021-06-20T00:00:00.000000Z",
    "created_at": "2022-06-21T12:00:00.000000Z",
    "type": "Gas",
    "updated_at": "2022-06-21T12:00:00.000000Z",
}


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (ORDER, READING | {"property": FULL}),
        (PROPERTY, READING | {"bill_provider": None, "property": BRIEF}),
    ],
    ids=["order", "property"],
)
async def test_create_answers_as_printed(
    session: aiohttp.ClientSession, path: str, expected: dict[str, Any]
) -> None:
    """Create answers the reading without an envelope, and the list shows it again."""
    async with session.post(path, data=form(GIVEN)) as response:
        assert (201, expected) == (response.status, await response.json())
    async with session.get(path) as response:
        listed = READING | {"bill_provider": None, "property": BRIEF}
        assert {"data": [listed]} == await response.json()


async def test_image(emulator: Emulator, session: aiohttp.ClientSession) -> None:
    """An image of any bytes is taken, and its name is in the source."""
    image = bytes(range(256)) * 40
    async with session.post(PROPERTY, data=form(GIVEN, image)) as response:
        assert "readings/meter é.jpg" == (await response.json())["source"]
    assert image in emulator.received[-1].body


@pytest.mark.parametrize(
    ("status_id", "expected"),
    [(1, "New Tenancy"), (2, "Bills Package"), (6, "Partner Package"), (99, "Unknown")],
)
async def test_status_text(
    emulator: Emulator, session: aiohttp.ClientSession, status_id: int, expected: str
) -> None:
    """Under this heading status 2 has another text than everywhere else."""
    emulator.store.set_status(1, status_id)
    async with session.post(PROPERTY, data=form(GIVEN)) as response:
        assert expected == (await response.json())["property"]["status"]


@pytest.mark.parametrize(
    "sent",
    [{"json": GIVEN | {"reading": 299}}, {"data": GIVEN}],
    ids=["json", "urlencoded"],
)
async def test_other_bodies(session: aiohttp.ClientSession, sent: dict[str, Any]) -> None:
    """Like PHP, the emulator reads JSON and urlencoded fields as well."""
    async with session.post(PROPERTY, **sent) as response:
        assert (201, "299") == (response.status, (await response.json())["reading"])


async def test_second_reading(session: aiohttp.ClientSession) -> None:
    """An electric reading may have a second one."""
    fields = GIVEN | {"type": "electric", "reading2": "7"}
    async with session.post(PROPERTY, data=form(fields)) as response:
        answer = await response.json()
    assert ("Electric", "7") == (answer["type"], answer["reading2"])


@pytest.mark.parametrize(
    ("fields", "errors"),
    [
        (
            {},
            {
                "date_of_reading": "The date of reading field is required.",
                "reading": "The reading field is required.",
                "type": "The type field is required.",
            },
        ),
        (
            GIVEN | {"date_of_reading": "2021/06/20"},
            {"date_of_reading": "The date of reading field must match the format Y-m-d."},
        ),
        (
            GIVEN | {"date_of_reading": "2021-02-30"},
            {"date_of_reading": "The date of reading field must match the format Y-m-d."},
        ),
        (GIVEN | {"reading": "0"}, {"reading": "The reading field must be at least 1."}),
        (GIVEN | {"reading": "-5"}, {"reading": "The reading field must be at least 1."}),
        (GIVEN | {"reading": "1.5"}, {"reading": "The reading field must be an integer."}),
        (GIVEN | {"type": "Gas"}, {"type": "The selected type is invalid."}),
        (
            GIVEN | {"reading2": "7"},
            {"reading2": "The reading2 field is prohibited unless type is in electric."},
        ),
        (GIVEN | {"image": "x"}, {"image": "The image field must be a file."}),
    ],
    ids=["nothing", "slashes", "no day", "zero", "negative", "float", "type", "reading2", "image"],
)
async def test_invalid(
    emulator: Emulator,
    session: aiohttp.ClientSession,
    fields: dict[str, str],
    errors: dict[str, str],
) -> None:
    """Each rule of the heading has Laravel's message, and nothing is stored."""
    async with session.post(ORDER, data=form(fields)) as response:
        status, answer = response.status, await response.json()
    assert (422, {key: [text] for key, text in errors.items()}) == (status, answer["errors"])
    assert 0 == len(emulator.store.readings)


@pytest.mark.parametrize(
    "content_type", ["multipart/form-data", "text/plain"], ids=["no boundary", "other type"]
)
async def test_unreadable_form(session: aiohttp.ClientSession, content_type: str) -> None:
    """A body that PHP cannot read has no fields."""
    headers = {"Content-Type": content_type}
    async with session.post(PROPERTY, data=b"reading=1", headers=headers) as response:
        assert (422, 3) == (response.status, len((await response.json())["errors"]))


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(
    ("path", "model"),
    [
        ("/api/partner/order/9/readings", "Order] 9"),
        ("/api/partner/order/x/readings", "Order] x"),
        ("/api/partner/property/9/readings", "Property] 9"),
    ],
)
async def test_unknown(session: aiohttp.ClientSession, method: str, path: str, model: str) -> None:
    """An unknown order or property is Laravel's 404."""
    async with session.request(method, path) as response:
        actual = response.status, await response.json()
    assert (404, {"message": f"No query results for model [App\\Models\\{model}"}) == actual


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, [1, 2, 3]),
        ({"limit": "2"}, [1, 2]),
        ({"limit": "2", "page": "2"}, [3, 4]),
        ({"limit": "2", "page": "4"}, []),
        ({"limit": "99"}, [1, 2, 3, 4]),
        ({"limit": "x"}, [1, 2, 3]),
    ],
    ids=str,
)
async def test_pages(serve: Any, query: dict[str, str], expected: list[int]) -> None:
    """Limit and page of the query choose the readings; the limit is bounded."""
    emulator, session = await serve(assumed=Assumed(reading_page_size=3, max_reading_page_size=4))
    fill(emulator)
    for _ in range(5):
        async with session.post(ORDER, data=form(GIVEN)) as response:
            assert 201 == response.status
    async with session.get(PROPERTY, params=query) as response:
        assert expected == [each["id"] for each in (await response.json())["data"]]


async def test_newest_first(serve: Any) -> None:
    """Readings follow the assumed order; an order has only its own ones."""
    emulator, session = await serve(assumed=Assumed(list_order="newest-first"))
    fill(emulator)
    for path in (ORDER, PROPERTY, ORDER):
        async with session.post(path, data=form(GIVEN)) as response:
            assert 201 == response.status
    ids = []
    for path in (ORDER, PROPERTY):
        async with session.get(path) as response:
            ids.append([each["id"] for each in (await response.json())["data"]])
    assert [[3, 1], [3, 2, 1]] == ids


def test_order_needs_a_property(emulator: Emulator) -> None:
    """A bills package for an unknown property is an error."""
    with pytest.raises(KeyError, match="9"):
        emulator.seed_order(9)


async def test_account(session: aiohttp.ClientSession) -> None:
    """The account has the printed fields and a reference of its own."""
    async with session.get("/api/partner/account") as response:
        data = (await response.json())["data"]
    assert re.fullmatch(r"EMU-[0-9A-F]{8}", data.pop("reference_number"))
    assert {
        "name": "Partner Account",
        "management_fee": "10",
        "image_path": "...",
        "theme_color_primary": "#000000",
    } == data
