"""The heading "Leads"."""

from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest

from homebox_async.emulator import Address, Assumed, Emulator

LEAD = "/api/partner/lead"
NOW = datetime(2022, 6, 25, 12, tzinfo=UTC)


@pytest.fixture
def lead(home: dict[str, Any]) -> dict[str, Any]:
    """Return the body of the document's lead."""
    return {
        "tenancy_start": "01/07/22",
        "tenancy_end": "01/07/23",
        "managing_party_name": "Example Agent",
        "address": home["address"],
        "tenants": [
            {
                "first_name": "Bill",
                "last_name": "Appleseed",
                "phone_number": "+441234567890",
                "email_address": "bill.appleseed@example.com",
            }
        ],
    }


@pytest.fixture
def at_noon(emulator: Emulator) -> Emulator:
    """Stop the emulator's clock shortly before the tenancy starts."""
    emulator.store.clock = NOW.timestamp
    return emulator


async def test_create_answers_as_printed(
    at_noon: Emulator, session: aiohttp.ClientSession, lead: dict[str, Any]
) -> None:
    """Create answers every printed field with the printed formats."""
    async with session.post(LEAD, json=lead) as response:
        status, answer = response.status, await response.json()
    expected = {
        "data": {
            "id": 1,
            "partner_id": 1,
            "tenancy_start": "2022-07-01T00:00:00.000000Z",
            "tenancy_end": "2023-07-01T00:00:00.000000Z",
            "tenancy_type": "New Tenancy",
            "completed_at": None,
            "managing_party_name": "Example Agent",
            "property": {
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
                "created_at": "2022-06-25 12:00:00",
                "updated_at": "2022-06-25 12:00:00",
                "external_id": None,
                "mpan": None,
                "mpan_top_line": None,
                "mpan_economy7": None,
                "mpan_profile_class": None,
                "mpan_energisation_status": None,
                "mprn": None,
                "uprn": None,
                "gspid": None,
                "meter_type_electric": None,
                "serial_number_electric": None,
                "serial_number_gas": None,
            },
            "property_reference": None,
            "tenants": [
                {
                    "id": 1,
                    "first_name": "Bill",
                    "last_name": "Appleseed",
                    "phone_number": "+441234567890",
                    "email_address": "bill.appleseed@example.com",
                    "unsubscribed": False,
                    "created_at": "2022-06-25 12:00:00",
                    "updated_at": "2022-06-25 12:00:00",
                }
            ],
            "created_at": "2022-06-25T12:00:00.000000Z",
        },
        "meta": {
            "links": {
                "index": f"{at_noon.url}/api/partner/lead/",
                "show": f"{at_noon.url}/api/partner/lead/1",
            }
        },
    }
    assert (201, expected) == (status, answer)


async def test_get_one(session: aiohttp.ClientSession, lead: dict[str, Any]) -> None:
    """A lead can be read back by its id, and the index link with its slash works."""
    async with session.post(LEAD, json=lead | {"property_reference": "T1"}) as response:
        created = (await response.json())["data"]
    async with session.get(f"{LEAD}/1") as response:
        assert {"data": created} == await response.json()
    async with session.get(f"{LEAD}/") as response:
        assert [created] == (await response.json())["data"]
    assert "T1" == created["property_reference"]


@pytest.mark.parametrize("row_id", ["2", "x"])
async def test_get_unknown(session: aiohttp.ClientSession, row_id: str) -> None:
    """An unknown id is Laravel's 404."""
    async with session.get(f"{LEAD}/{row_id}") as response:
        actual = response.status, await response.json()
    assert (404, {"message": f"No query results for model [App\\Models\\Lead] {row_id}"}) == actual


@pytest.mark.parametrize("order", ["oldest-first", "newest-first"])
async def test_pages(serve: Any, lead: dict[str, Any], order: Any) -> None:
    """Leads come by fifties with Laravel's links and meta."""
    emulator, session = await serve(assumed=Assumed(list_order=order))
    for _ in range(51):
        async with session.post(LEAD, json=lead) as response:
            assert 201 == response.status
    async with session.get(LEAD, params={"page": "2", "q": "x"}) as response:
        answer = await response.json()
    url = f"{emulator.url}/api/partner/lead"
    assert [51 if order == "oldest-first" else 1] == [each["id"] for each in answer["data"]]
    assert {
        "first": f"{url}?page=1",
        "last": f"{url}?page=2",
        "prev": f"{url}?page=1",
        "next": None,
    } == answer["links"]
    assert {
        "current_page": 2,
        "from": 51,
        "last_page": 2,
        "path": url,
        "per_page": 50,
        "to": 51,
        "total": 51,
    } == answer["meta"]


async def test_no_leads(session: aiohttp.ClientSession) -> None:
    """The empty list has one page from null to null."""
    async with session.get(LEAD) as response:
        answer = await response.json()
    meta = answer["meta"]
    assert ([], 1, None, None, 0) == (
        answer["data"],
        meta["last_page"],
        meta["from"],
        meta["to"],
        meta["total"],
    )


async def test_messages(
    at_noon: Emulator, session: aiohttp.ClientSession, lead: dict[str, Any]
) -> None:
    """A tenancy within two weeks invites each tenant, and suppliers are told after 144 hours."""
    lead["tenants"].append(lead["tenants"][0] | {"phone_number": "+44 99", "first_name": "Ann"})
    lead["tenants"][1]["phone_number"] = "+44999999999"
    async with session.post(LEAD, json=lead) as response:
        tenants = (await response.json())["data"]["tenants"]
    now = NOW.timestamp()
    assert [1, 2] == [tenant["id"] for tenant in tenants]
    assert [
        ("sms", "+441234567890", "lead/1", now),
        ("email", "bill.appleseed@example.com", "lead/1", now),
        ("sms", "+44999999999", "lead/1", now),
        ("email", "bill.appleseed@example.com", "lead/1", now),
        ("supplier", "suppliers of property/1", "lead/1", now + 144 * 3600),
    ] == [(each.kind, each.to, each.about, each.due) for each in at_noon.outbox]
    assert "Bill" not in repr(at_noon.outbox)
    assert "appleseed" not in repr(at_noon.outbox)


@pytest.mark.parametrize(
    ("days", "past", "expected"),
    [
        (14, True, True),
        (15, True, False),
        (-14, True, True),
        (-15, True, False),
        (-1, False, False),
        (0, False, True),
    ],
)
async def test_two_weeks(
    serve: Any, lead: dict[str, Any], days: int, past: bool, expected: bool
) -> None:
    """Invitations depend on the start of the tenancy, before today as assumed."""
    emulator, session = await serve(assumed=Assumed(invite_past_starts=past))
    emulator.store.clock = NOW.timestamp
    lead["tenancy_start"] = (NOW + timedelta(days=days)).strftime("%d/%m/%y")
    async with session.post(LEAD, json=lead | {"notifications": False}) as response:
        assert 201 == response.status
    assert expected == bool(emulator.outbox)


async def test_no_notifications(
    at_noon: Emulator, session: aiohttp.ClientSession, lead: dict[str, Any]
) -> None:
    """Without notifications no address is needed and no supplier is told."""
    del lead["address"]
    async with session.post(LEAD, json=lead | {"notifications": False}) as response:
        status, data = response.status, (await response.json())["data"]
    assert (201, None) == (status, data["property"])
    assert ["sms", "email"] == [each.kind for each in at_noon.outbox]
    assert 0 == len(at_noon.store.properties)


async def test_existing_tenancy(
    at_noon: Emulator, session: aiohttp.ClientSession, lead: dict[str, Any]
) -> None:
    """An existing tenancy is named in the answer and to the suppliers."""
    async with session.post(LEAD, json=lead | {"existing_tenancy": "1"}) as response:
        data = (await response.json())["data"]
    assert "Existing Tenancy" == data["tenancy_type"]
    assert "There is an existing tenancy from 2022-07-01." == at_noon.outbox[-1].text


@pytest.mark.parametrize(
    ("reuses", "expected"), [(True, 1), (False, 2)], ids=["same property", "new property"]
)
async def test_property_of_lead(
    serve: Any, lead: dict[str, Any], reuses: bool, expected: int
) -> None:
    """A lead at a known address belongs to the property there, as assumed."""
    emulator, session = await serve(assumed=Assumed(lead_reuses_property=reuses))
    emulator.store.add_property(Address("123 TEST Lane", None, "London", None, "ec1v 2nx"))
    async with session.post(LEAD, json=lead) as response:
        assert expected == (await response.json())["data"]["property"]["id"]
    assert expected == len(emulator.store.properties)


async def test_address_id(session: aiohttp.ClientSession, lead: dict[str, Any]) -> None:
    """A lead takes the postcode and a found address_id."""
    async with session.get("/api/partner/address/find/BN108AP") as response:
        found = (await response.json())["data"][0]
    lead["address"] = {"address_id": found["address_id"], "postcode": "BN108AP"}
    async with session.post(LEAD, json=lead) as response:
        home = (await response.json())["data"]["property"]
    assert found["address_id"] == home["external_id"]


@pytest.mark.parametrize(
    ("change", "errors"),
    [
        ({"address": None}, {"address": "The address field is required."}),
        (
            {"tenancy_start": None},
            {"tenancy_start": "The tenancy start field is required."},
        ),
        (
            {"tenancy_start": "2022-07-01"},
            {"tenancy_start": "The tenancy start field must match the format d/m/y."},
        ),
        (
            {"tenancy_start": "01/07/2022"},
            {"tenancy_start": "The tenancy start field must match the format d/m/y."},
        ),
        (
            {"tenancy_start": "31/02/22"},
            {"tenancy_start": "The tenancy start field must match the format d/m/y."},
        ),
        (
            {"tenancy_end": "01/07/99"},
            {"tenancy_end": "The tenancy end field must be a date after tenancy start."},
        ),
        (
            {"notifications": "yes"},
            {"notifications": "The notifications field must be true or false."},
        ),
        (
            {"existing_tenancy": 1.0},
            {"existing_tenancy": "The existing tenancy field must be true or false."},
        ),
        ({"tenants": []}, {"tenants": "The tenants field is required."}),
        ({"tenants": "Bill"}, {"tenants": "The tenants field must be an array."}),
        (
            {"tenants": ["Bill"]},
            {
                "tenants.0.first_name": "The tenants.0.first name field is required.",
                "tenants.0.last_name": "The tenants.0.last name field is required.",
                "tenants.0.phone_number": "The tenants.0.phone number field is required.",
                "tenants.0.email_address": "The tenants.0.email address field is required.",
            },
        ),
        (
            {
                "tenants": [
                    {
                        "first_name": "Bill",
                        "last_name": "Appleseed",
                        "phone_number": "01234567890",
                        "email_address": "bill",
                    }
                ]
            },
            {
                "tenants.0.phone_number": "The tenants.0.phone number field format is invalid.",
                "tenants.0.email_address": (
                    "The tenants.0.email address field must be a valid email address."
                ),
            },
        ),
    ],
    ids=lambda each: str(next(iter(each))) + str(len(str(each))),
)
async def test_invalid(
    emulator: Emulator,
    session: aiohttp.ClientSession,
    lead: dict[str, Any],
    change: dict[str, Any],
    errors: dict[str, str],
) -> None:
    """Each rule of the heading has Laravel's message, and nothing is created or sent."""
    async with session.post(LEAD, json=lead | change) as response:
        status, answer = response.status, await response.json()
    assert (422, {key: [text] for key, text in errors.items()}) == (status, answer["errors"])
    assert (0, []) == (len(emulator.store.leads), emulator.outbox)


async def test_end_before_start(serve: Any, lead: dict[str, Any]) -> None:
    """A tenancy may end before it starts when that is assumed."""
    _, session = await serve(assumed=Assumed(tenancy_end_after_start=False))
    async with session.post(LEAD, json=lead | {"tenancy_end": "01/07/21"}) as response:
        assert 201 == response.status
