"""The heading "Properties"."""

import base64
import json
import re
from typing import Any

import aiohttp
import pytest

from homebox_async.emulator import Address, Assumed, Emulator

PROPERTY = "/api/partner/property"
STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000000Z")


def address(number: int, postcode: str = "BN1 1AB", city: str = "Brighton") -> Address:
    """Return an address that differs by its number."""
    return Address(f"{number} Ship Street", None, city, "East Sussex", postcode)


async def listed(session: aiohttp.ClientSession, **query: str) -> list[int]:
    """Return the ids on a page of the list."""
    async with session.get(PROPERTY, params=query) as response:
        return [each["id"] for each in (await response.json())["data"]]


async def test_create_answers_as_printed(
    session: aiohttp.ClientSession, home: dict[str, Any]
) -> None:
    """Create answers every printed field and does not echo the reference."""
    async with session.post(PROPERTY, json=home) as response:
        status, data = response.status, (await response.json())["data"]
    created, updated = data.pop("created_at"), data.pop("updated_at")
    expected = {
        "id": 1,
        "address_line1": "123 Test Lane",
        "address_line2": None,
        "address_line3": None,
        "address_line4": None,
        "address_city": "London",
        "address_county": "Greater London",
        "address_postcode": "EC1V2NX",
        "status_id": 1,
        "status": "New Tenancy",
        "external_id": None,
        "retrieved_at": None,
        "mpan": None,
        "mprn": None,
        "uprn": None,
    }
    assert (201, expected) == (status, data)
    assert STAMP.fullmatch(created)
    assert created == updated


async def test_list_shows_the_reference(
    session: aiohttp.ClientSession, home: dict[str, Any]
) -> None:
    """The list shows the reference among the partner's properties, with all printed fields."""
    async with session.post(PROPERTY, json=home) as response:
        created = (await response.json())["data"]
    async with session.get("/api/partner/account") as response:
        reference_number = (await response.json())["data"]["reference_number"]
    async with session.get(PROPERTY) as response:
        answer = await response.json()
    expected = created | {
        "partner_properties": [
            {
                "id": 1,
                "partner": {
                    "id": 1,
                    "name": "Partner Account",
                    "name_url": "partner-account",
                    "reference_number": reference_number,
                    "image_path": "...",
                    "theme_color_primary": "#000000",
                    "status": "active",
                    "type": 0,
                    "type_name": "reseller",
                    "management_fee": "10",
                    "commission_allowed": True,
                    "reseller": {"name": "Partner Account", "logo": "..."},
                },
                "property_reference": "A1",
            }
        ]
    }
    assert {"data": [expected]} == answer


@pytest.mark.parametrize(
    ("shows", "expected"), [(True, True), (False, False)], ids=["as the list", "as create"]
)
async def test_get_one(serve: Any, shows: bool, expected: bool) -> None:
    """One property shows its reference when that is assumed."""
    emulator, session = await serve(assumed=Assumed(get_shows_references=shows))
    emulator.store.add_property(address(1), "A1")
    async with session.get(f"{PROPERTY}/1") as response:
        data = (await response.json())["data"]
    assert expected == ("partner_properties" in data)


@pytest.mark.parametrize("row_id", ["0", "2", "x", "1.5", "-1", "²"])
async def test_get_unknown(emulator: Emulator, session: aiohttp.ClientSession, row_id: str) -> None:
    """An unknown id is Laravel's 404."""
    emulator.store.add_property(address(1))
    async with session.get(f"{PROPERTY}/{row_id}") as response:
        actual = response.status, await response.json()
    assert (
        404,
        {"message": f"No query results for model [App\\Models\\Property] {row_id}"},
    ) == actual


@pytest.mark.parametrize(
    ("order", "pages"),
    [
        ("oldest-first", [[1, 2], [3, 4], [5], []]),
        ("newest-first", [[5, 4], [3, 2], [1], []]),
    ],
    ids=["oldest first", "newest first"],
)
async def test_pages(serve: Any, order: Any, pages: list[list[int]]) -> None:
    """Pages follow the assumed order and size, and the page after the last one is empty."""
    emulator, session = await serve(assumed=Assumed(property_page_size=2, list_order=order))
    for number in range(1, 6):
        emulator.store.add_property(address(number))
    assert pages == [await listed(session, page=str(page)) for page in range(1, 5)]
    assert pages == [await listed(session, page=str(page), q="bn1 1ab") for page in range(1, 5)]


@pytest.mark.parametrize("page", ["0", "-1", "x", "", "²"])
async def test_unusable_page_is_the_first(
    emulator: Emulator, session: aiohttp.ClientSession, page: str
) -> None:
    """What is no page number means page 1, as in Laravel."""
    emulator.store.add_property(address(1))
    assert [1] == await listed(session, page=page)


@pytest.mark.parametrize(
    ("q", "expected"),
    [
        ("ship", [1, 2, 3]),
        ("SHIP london", [2]),
        ("1 ship hove", []),
        ("123 ship brighton", []),
        ("BN11AB", [1]),
        ("bn1 1ab", [1]),
        ("BN1 1AC", [3]),
        ("bn11ac", [3]),
        ("3 Ship Street, BN1 1AC", []),
        ("3 Ship Street BN1 1AC", [3]),
        ("4 Ship Street BN1 1AC", []),
        ("BN1", [1, 3]),
        ("nowhere", []),
        ("ZZ1 1ZZ", []),
        ("  ", [1, 2, 3]),
    ],
)
async def test_keywords(
    emulator: Emulator, session: aiohttp.ClientSession, q: str, expected: list[int]
) -> None:
    """Each word has to occur in the address; a postcode is found with and without its space."""
    emulator.store.add_property(address(1, "BN1 1AB"))
    emulator.store.add_property(address(2, "EC1V 2NX", "London"))
    emulator.store.add_property(address(3, "BN11AC"))
    assert expected == await listed(session, q=q)


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"status": [2]}, [2]),
        ({"status": ["2"]}, [2]),
        ({"status": 4}, [3]),
        ({"status": [1, 4]}, [1, 3]),
        ({"status": [{}]}, []),
        ({"other": 1}, [1, 2, 3]),
        ({}, [1, 2, 3]),
    ],
    ids=str,
)
async def test_filter(
    emulator: Emulator, session: aiohttp.ClientSession, filters: Any, expected: list[int]
) -> None:
    """The filter is Base64 encoded JSON with a list of statuses."""
    for number in (1, 2, 3):
        emulator.store.add_property(address(number))
    emulator.store.set_status(2, 2)
    emulator.store.set_status(3, 4)
    text = base64.b64encode(json.dumps(filters).encode()).decode()
    assert expected == await listed(session, filter=text)


@pytest.mark.parametrize("text", ["x", "!!!!", "W10=", "/w=="], ids=["x", "!", "list", "bytes"])
async def test_wrong_filter(session: aiohttp.ClientSession, text: str) -> None:
    """A filter that is no Base64 encoded JSON object is refused."""
    async with session.get(PROPERTY, params={"filter": text}) as response:
        actual = response.status, await response.json()
    message = "The filter field must be Base64 encoded JSON."
    assert (422, {"message": message, "errors": {"filter": [message]}}) == actual


async def test_single_object(serve: Any) -> None:
    """A page with one item is an object when that is assumed, as the document prints it."""
    emulator, session = await serve(assumed=Assumed(single_object_lists=True))
    emulator.store.add_property(address(1))
    async with session.get(PROPERTY) as response:
        assert 1 == (await response.json())["data"]["id"]
    emulator.store.add_property(address(2))
    assert [1, 2] == await listed(session)


async def test_list_lag(serve: Any) -> None:
    """A new property shows in the list only after the assumed lag."""
    emulator, session = await serve(assumed=Assumed(list_lag=30.0))
    now = 1_000_000.0
    emulator.store.clock = lambda: now
    emulator.store.add_property(address(1))
    now += 20
    emulator.store.add_property(address(2))
    now += 10
    assert [1] == await listed(session)
    assert [1] == await listed(session, q="BN1 1AB")
    now += 20
    assert [1, 2] == await listed(session)


async def test_list_drifts(serve: Any) -> None:
    """A property that comes between two pages pushes the last item onto the next page."""
    emulator, session = await serve(
        assumed=Assumed(property_page_size=2, list_order="newest-first")
    )
    for number in (1, 2, 3):
        emulator.store.add_property(address(number))
    first = await listed(session)
    emulator.store.add_property(address(4))
    assert [[3, 2], [2, 1]] == [first, await listed(session, page="2")]


async def test_address_id(session: aiohttp.ClientSession) -> None:
    """A found address_id makes a property of that address and is its external_id."""
    async with session.get("/api/partner/address/find/BN11AB") as response:
        found = (await response.json())["data"][1]
    body = {"address": {"address_id": found["address_id"]}}
    async with session.post(PROPERTY, json=body) as response:
        data = (await response.json())["data"]
    actual = f"{data['address_line1']}, {data['address_city']}, {data['address_postcode']}"
    assert found["address"] == actual
    assert found["address_id"] == data["external_id"]
    assert data["created_at"] == data["retrieved_at"]


async def test_external_id_is_assumed(serve: Any) -> None:
    """The external_id stays null when that is assumed."""
    _, session = await serve(assumed=Assumed(address_id_as_external_id=False))
    async with session.get("/api/partner/address/find/BN11AB") as response:
        found = (await response.json())["data"][0]
    body = {"address": {"address_id": found["address_id"]}}
    async with session.post(PROPERTY, json=body) as response:
        assert None is (await response.json())["data"]["external_id"]


@pytest.mark.parametrize(
    ("query", "ending"),
    [
        ("BN11AB", "Brighton, BN1 1AB"),
        ("bn1 1ab", "Brighton, BN1 1AB"),
        ("EC1V2NX", "London, EC1V 2NX"),
        ("W1A 1AA", "London, W1A 1AA"),
    ],
)
async def test_find_a_postcode(session: aiohttp.ClientSession, query: str, ending: str) -> None:
    """Each postcode has addresses, the same ones every time, each with an id of 21 characters."""
    answers = []
    for _ in range(2):
        async with session.get(f"/api/partner/address/find/{query}") as response:
            answers.append((await response.json())["data"])
    first, second = answers
    assert first == second
    assert 3 <= len(first) <= 9
    assert all(each["address"].endswith(ending) for each in first)
    assert {21} == {len(each["address_id"]) for each in first}


async def test_find_stored_properties(emulator: Emulator, session: aiohttp.ClientSession) -> None:
    """Stored properties are found by any words, encoded slashes included."""
    emulator.store.add_property(Address("Flat 1/2", "9 Ship Street", "Hove", None, "BN3 1AB"))
    async with session.get("/api/partner/address/find/1%2F2%20ship") as response:
        labels = [each["address"] for each in (await response.json())["data"]]
    assert ["Flat 1/2, 9 Ship Street, Hove, BN3 1AB"] == labels
    assert "/api/partner/address/find/1%2F2%20ship" == emulator.received[-1].raw_path


async def test_find_is_limited(serve: Any) -> None:
    """As many stored properties as assumed join the found addresses."""
    emulator, session = await serve(assumed=Assumed(find_limit=2))
    for number in (1, 2, 3):
        emulator.store.add_property(address(number))
    async with session.get("/api/partner/address/find/ship") as response:
        assert 2 == len((await response.json())["data"])


async def test_find_narrows_by_words(session: aiohttp.ClientSession) -> None:
    """Words beside the postcode leave only the addresses that have them."""
    async with session.get("/api/partner/address/find/BN11AB") as response:
        found = (await response.json())["data"][0]
    query = found["address"].replace(",", "")
    async with session.get(f"/api/partner/address/find/{query}") as response:
        assert [found] == (await response.json())["data"]


async def test_seeds_differ(serve: Any) -> None:
    """Another seed gives other address ids."""
    answers = []
    for seed in (1, 2):
        _, session = await serve(seed=seed)
        async with session.get("/api/partner/address/find/BN11AB") as response:
            answers.append({each["address_id"] for each in (await response.json())["data"]})
    assert set() == answers[0] & answers[1]


@pytest.mark.parametrize(
    ("body", "errors"),
    [
        ({}, {"address": "The address field is required."}),
        ({"address": {}}, {"address": "The address field is required."}),
        ({"address": "x"}, {"address": "The address field must be an array."}),
        (
            {"address": {"line1": " ", "city": "London", "postcode": None}},
            {
                "address.line1": "The address.line1 field is required.",
                "address.postcode": "The address.postcode field is required.",
            },
        ),
        (
            {"address": {"line1": 5, "city": "x" * 256, "postcode": "BN11AB"}},
            {
                "address.line1": "The address.line1 field must be a string.",
                "address.city": "The address.city field must not be greater than 255 characters.",
            },
        ),
        (
            {"address": {"address_id": "nix"}},
            {"address.address_id": "The selected address.address id is invalid."},
        ),
    ],
    ids=["nothing", "empty", "text", "missing parts", "wrong parts", "unknown id"],
)
async def test_invalid(
    emulator: Emulator, session: aiohttp.ClientSession, body: Any, errors: dict[str, str]
) -> None:
    """All problems are answered at once, as Laravel does, and nothing is created."""
    async with session.post(PROPERTY, json=body) as response:
        status, answer = response.status, await response.json()
    first = next(iter(errors.values()))
    more = " (and 1 more error)" if len(errors) > 1 else ""
    expected = {"message": first + more, "errors": {key: [text] for key, text in errors.items()}}
    assert (422, expected) == (status, answer)
    assert 0 == len(emulator.store.properties)
    assert not emulator.received[-1].committed


async def test_many_errors_are_counted(serve: Any) -> None:
    """The message counts the further errors in the plural."""
    needed = ("line1", "line2", "city", "county", "postcode")
    _, session = await serve(assumed=Assumed(required_address_fields=needed))
    async with session.post(PROPERTY, json={"address": {"x": 1}}) as response:
        message = (await response.json())["message"]
    assert "The address.line1 field is required. (and 4 more errors)" == message


async def test_repeated_address(
    emulator: Emulator, session: aiohttp.ClientSession, home: dict[str, Any]
) -> None:
    """The same address twice makes two properties: there is no idempotency."""
    ids = []
    for _ in range(2):
        async with session.post(PROPERTY, json=home) as response:
            ids.append((await response.json())["data"]["id"])
    assert [1, 2] == ids


async def test_repeated_address_found(serve: Any, home: dict[str, Any]) -> None:
    """The property that is there is answered when that is assumed, however it is spelled."""
    _, session = await serve(assumed=Assumed(repeated_address_makes_new=False))
    answers = []
    for line1, postcode in (("123 Test Lane", "EC1V2NX"), ("123  test lane", "ec1v 2nx")):
        home["address"] |= {"line1": line1, "postcode": postcode}
        async with session.post(PROPERTY, json=home) as response:
            answers.append((response.status, (await response.json())["data"]["id"]))
    assert [(201, 1), (200, 1)] == answers


async def test_create_status(serve: Any, home: dict[str, Any]) -> None:
    """The success code is as assumed."""
    _, session = await serve(assumed=Assumed(create_status=200))
    async with session.post(PROPERTY, json=home) as response:
        assert 200 == response.status
