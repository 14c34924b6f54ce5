"""The headings "Branch Accounts", "Account", "Void Periods", "Tenancies", "Postal Bills"."""

from datetime import UTC, datetime
from typing import Any

import aiohttp
import pytest

from homebox_async.emulator import Assumed, Emulator

API = "/api/partner"
BRANCH = f"{API}/child/2"
NOW = datetime(2024, 5, 20, 9, tzinfo=UTC).timestamp()
LINES = {"line1": "123 Test Lane", "city": "London", "postcode": "EC1V2NX"}
TENANT = {
    "first_name": "John",
    "last_name": "Doe",
    "phone_number": "+441234567891",
    "email_address": "john.doe@example.test",
}
PERIOD = {"tenancy_start": "01/07/22", "tenancy_end": "15/07/22"}
LEAD = PERIOD | {"address": LINES, "tenants": [TENANT]}
VOID = PERIOD | {
    "property_empty": True,
    "responsible_tenant": TENANT,
    "responsible_address": LINES,
}
ORDER = PERIOD | {
    "package_id": 2,
    "address": LINES,
    "total_occupants": 2,
    "household_type": "student",
    "tenancy_move_in": "01/07/22",
}
INVITE = {"first_name": "Jane", "last_name": "Smith", "phone_number": "+441234567890"}


class Api:
    """The Partner API as short calls: status and content."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    async def send(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """Send a request; a form is sent as one."""
        kind = "data" if isinstance(body, aiohttp.FormData) else "json"
        options: dict[str, Any] = {kind: body}
        async with self._session.request(method, path, **options) as response:
            return response.status, await response.json()

    async def get(self, path: str) -> Any:
        """Return the content of a GET that succeeds."""
        status, content = await self.send("GET", path)
        assert 200 == status, content
        return content

    async def post(self, path: str, body: Any) -> Any:
        """Return the content of a POST that succeeds."""
        status, content = await self.send("POST", path, body)
        assert status < 300, content
        return content


@pytest.fixture
def start(serve: Any) -> Any:
    """Start an emulator with a branch, these assumptions and a stopped clock."""

    async def begin(**assumed: Any) -> tuple[Emulator, Api]:
        emulator, session = await serve(assumed=Assumed(**assumed))
        emulator.store.clock = lambda: NOW
        api = Api(session)
        await api.post(f"{API}/child/store", {"name": "Child", "email": "child@example.com"})
        return emulator, api

    return begin


async def test_create_with_logo(start: Any) -> None:
    """A branch is made from a form with a logo, and invited by email."""
    emulator, api = await start()
    form = aiohttp.FormData(quote_fields=False)
    for name, value in {
        "name": "Other",
        "email": "other@example.com",
        "theme_color_primary": "#000000",
        "reference_number": "123456789",
    }.items():
        form.add_field(name, value)
    form.add_field("image_path", b"png", filename="C:/logos/logo.png")
    created = await api.post(f"{API}/child/store", form)
    message = "Child partner has been successfully created."
    assert {"data": {"id": 3, "message": message}} == created
    shown = {
        "id": 3,
        "name": "Other",
        "theme_color_primary": "#000000",
        "image_path": "logos/logo.png",
        "reference_number": "123456789",
    }
    assert {"data": shown} == await api.get(f"{API}/child/3")
    assert [("email", "child@example.com"), ("email", "other@example.com")] == [
        (each.kind, each.to) for each in emulator.outbox
    ]
    changed = await api.post(f"{API}/child/3", {"name": "Renamed"})
    assert {"data": [shown | {"name": "Renamed", "management_fee": "10"}]} == changed
    assert 2 == len(emulator.outbox)


@pytest.mark.parametrize(
    ("path", "body", "fields"),
    [
        (f"{API}/child/store", {"theme_color_primary": "red"}, ["name", "email", "theme"]),
        (f"{API}/child/2", {"theme_color_primary": "#12345"}, ["theme"]),
        (f"{API}/account", {"name": 3, "theme_color_primary": "#12345g"}, ["name", "theme"]),
    ],
    ids=["create", "update", "account"],
)
async def test_invalid_account(start: Any, path: str, body: Any, fields: list[str]) -> None:
    """Names are texts and colours are hex values."""
    _, api = await start()
    status, answer = await api.send("POST", path, body)
    assert (422, fields) == (status, [name.partition("_")[0] for name in answer["errors"]])


async def test_branch_pages(start: Any) -> None:
    """Branches come by pages in the assumed order, and nothing tells the end."""
    _, api = await start(branch_page_size=2, list_order="newest-first", required_branch_fields=())
    for _ in range(2):
        await api.post(f"{API}/child/store", {})
    assert [4, 3] == [each["id"] for each in (await api.get(f"{API}/child"))["data"]]
    answer = await api.get(f"{API}/child?page=2")
    assert (["data"], [2]) == (list(answer), [each["id"] for each in answer["data"]])


async def test_orders_of_branch(start: Any) -> None:
    """A branch's order answers its id only, and is listed with its own meta."""
    emulator, api = await start(branch_orders_show_address=False, order_page_size=1)
    await api.post(f"{API}/order", ORDER)
    created = await api.post(f"{BRANCH}/order", ORDER)
    url = f"{emulator.url}{API}/order"
    assert {
        "data": {"order_id": 2},
        "meta": {"links": {"index": f"{url}/", "show": f"{url}/2"}},
    } == created
    answer = await api.get(f"{BRANCH}/orders")
    (listed,) = answer["data"]
    assert ["id", "partner_id", "package_id", "package", "household"] == list(listed)
    assert ({}, 2) == (listed["household"]["address"], listed["partner_id"])
    assert {"current_page": 1, "page_count": 1, "total_count": 1} == answer["meta"]
    assert 2 == (await api.get(f"{BRANCH}/order/2"))["data"]["id"]
    assert 404 == (await api.send("GET", f"{BRANCH}/order/1"))[0]
    assert 404 == (await api.send("POST", f"{BRANCH}/order/1/invite", INVITE))[0]
    await api.post(f"{BRANCH}/order/2/invite", INVITE)
    assert 1 == len((await api.get(f"{API}/order/2/invite"))["data"])
    # The same address, but another portfolio.
    assert [1, 2] == [home.partner_id for home in emulator.store.properties]


@pytest.mark.parametrize("sees", [True, False], ids=["sees", "does not see"])
async def test_parent_and_branches(start: Any, sees: bool) -> None:
    """What belongs to a branch is in the partner's own lists as assumed."""
    _, api = await start(parent_sees_branches=sees)
    await api.post(f"{API}/property", {"address": LINES})
    created = (await api.post(f"{BRANCH}/property", {"address": LINES}))["data"]
    await api.post(f"{BRANCH}/order", ORDER)
    lead = (await api.post(f"{BRANCH}/lead", LEAD))["data"]
    assert (2, 2) == (created["id"], lead["partner_id"])
    homes = (await api.get(f"{API}/property"))["data"]
    owners = [home["partner_properties"][0]["partner"]["name"] for home in homes]
    assert ["Partner Account", *["Child"] * sees] == owners
    for path in ("lead", "order"):
        assert int(sees) == len((await api.get(f"{API}/{path}"))["data"])
        assert (200 if sees else 404) == (await api.send("GET", f"{API}/{path}/1"))[0]
    expected = 201 if sees else 422
    assert expected == (await api.send("POST", f"{API}/void", VOID | {"property_id": 2}))[0]


async def test_leads_of_branch(start: Any) -> None:
    """A branch's leads are its own, and listed without `tenancy_type`."""
    emulator, api = await start()
    await api.post(f"{API}/lead", LEAD)
    lead = (await api.post(f"{BRANCH}/lead", LEAD))["data"]
    assert {"data": lead} == await api.get(f"{BRANCH}/lead/2")
    assert 404 == (await api.send("GET", f"{BRANCH}/lead/1"))[0]
    answer = await api.get(f"{BRANCH}/lead")
    del lead["tenancy_type"]
    assert ([lead], f"{emulator.url}{BRANCH}/lead", 1) == (
        answer["data"],
        answer["meta"]["path"],
        answer["meta"]["total"],
    )


@pytest.mark.parametrize("path", ["property", "order", "lead", "void"])
async def test_unknown_branch(start: Any, path: str) -> None:
    """An unknown branch is a 404 before anything is checked."""
    _, api = await start()
    assert 404 == (await api.send("POST", f"{API}/child/9/{path}", {}))[0]


async def test_void(start: Any) -> None:
    """A premium void switches the supplier; notifications only come when asked for."""
    emulator, api = await start()
    await api.post(f"{API}/property", {"address": LINES})
    emulator.outbox.clear()
    data = (await api.post(f"{API}/void", VOID | {"property_id": 1}))["data"]
    home = data.pop("property")
    assert {
        "id": 1,
        "property_id": 1,
        "tenancy_start": "2022-07-01T00:00:00.000000Z",
        "tenancy_end": "2022-07-15T00:00:00.000000Z",
        "tenancy_type": "Void Period",
        "tenancy": {
            "id": 1,
            "property_empty": True,
            "responsible_tenant": TENANT,
            "responsible_address": LINES | {"line2": None, "county": None},
        },
        "created_at": "2024-05-20T09:00:00.000000Z",
        "updated_at": "2024-05-20T09:00:00.000000Z",
    } == data
    assert (4, "Void Period") == (home["status_id"], home["status"])
    assert [] == emulator.outbox
    both = {"is_premium": True, "notifications": True, "address": LINES, "tenancy_end": None}
    void = await api.post(f"{API}/void", VOID | both)
    assert (1, None) == (void["data"]["property_id"], void["data"]["tenancy_end"])
    assert ["Supplier switch", "Change of tenancy"] == [each.subject for each in emulator.outbox]
    inner = data["tenancy"] | {"sse": False}
    assert inner == (await api.get(f"{API}/property/1/tenancy/1"))["data"]["tenancy"]


@pytest.mark.parametrize(
    ("change", "fields"),
    [
        ({}, ["address"]),
        ({"property_id": 9}, ["property_id"]),
        ({"property_id": "x"}, ["property_id"]),
        ({"property_id": 1, "property_empty": None}, ["property_empty"]),
        ({"property_id": 1, "property_empty": "x"}, ["property_empty"]),
        ({"property_id": 1, "responsible_tenant": None}, ["responsible_tenant"]),
        ({"property_id": 1, "responsible_address": "x"}, ["responsible_address"]),
        ({"property_id": 1, "tenancy_end": "01/07/22"}, ["tenancy_end"]),
        (
            {"property_id": 1, "forwarding_details": {"email_adress": "x", "phone_number": "1"}},
            ["forwarding_details.phone_number", "forwarding_details.email_adress"],
        ),
    ],
    ids=lambda each: str(each)[:60],
)
async def test_invalid_void(start: Any, change: Any, fields: list[str]) -> None:
    """A void needs a property and what is not called optional."""
    _, api = await start()
    await api.post(f"{API}/property", {"address": LINES})
    status, answer = await api.send("POST", f"{API}/void", VOID | change)
    assert (422, fields) == (status, list(answer["errors"]))


async def test_lenient_void(start: Any) -> None:
    """What is not called optional may be left out where that is assumed."""
    _, api = await start(required_void_fields=())
    body = {"address": LINES, "tenancy_start": "01/07/22"}
    inner = (await api.post(f"{BRANCH}/void", body))["data"]["tenancy"]
    assert {
        "id": 1,
        "property_empty": None,
        "responsible_tenant": None,
        "responsible_address": None,
    } == inner


async def test_tenancy_dates(start: Any) -> None:
    """Each date can be changed alone; the order shows the new ones."""
    _, api = await start()
    await api.post(f"{API}/order", ORDER)
    path = f"{API}/property/1/tenancy/1"
    status, answer = await api.send("PATCH", path, {"tenancy_end": "24/07/22"})
    assert (200, "2022-07-24T00:00:00.000000Z") == (status, answer["data"]["tenancy_end"])
    household = (await api.get(f"{API}/order/1"))["data"]["household"]
    assert "2022-07-24T00:00:00.000000Z" == household["tenancy_end"]
    status, answer = await api.send("PATCH", path, {"tenancy_start": "25/07/22"})
    assert (422, ["tenancy_end"]) == (status, list(answer["errors"]))


async def test_postal_bills(start: Any) -> None:
    """A postal bill is answered as a list of one, and listed by limit and page."""
    emulator, api = await start()
    await api.post(f"{API}/order", ORDER)
    path = f"{API}/order/1/postal-bills"
    status, answer = await api.send("POST", path, {"file": "x"})
    assert (422, {"file": ["The file field must be a file."]}) == (status, answer["errors"])
    created = []
    for content in (b"one", b"two"):
        form = aiohttp.FormData({"tenant_notes": "Tenant note"})
        form.add_field("file", content, filename="dir/bill.png")
        created += (await api.post(path, form))["data"]
    name = created[1].pop("name")
    assert (44, ".png") == (len(name), name[-4:])
    assert {
        "id": 2,
        "source": f"{emulator.url}/postal-bills/{name}",
        "notes": "Tenant note",
        "feedback": None,
        "state": "Requires Action",
        "type": "-",
        "created_at": "2024-05-20",
    } == created[1]
    answer = await api.get(f"{path}?limit=1&page=2")
    assert [created[1] | {"name": name}] == answer["data"]


async def test_account(start: Any) -> None:
    """Only what is sent changes, and only the update shows the name in URLs."""
    _, api = await start()
    before = (await api.get(f"{API}/account"))["data"]
    change = {"name": "Partner Account Renamed", "theme_color_primary": "#40BF67"}
    answer = await api.post(f"{API}/account", change)
    after = before | change
    assert {"data": after | {"name_url": "partner-account-renamed"}} == answer
    assert {"data": after} == await api.get(f"{API}/account")


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", 1),
        ("?from=2024-05-01", 1),
        ("?from=2024-04-30", 2),
        ("?from=2024-04-30&to=2024-04-30", 1),
        ("?from=2024-05-02&to=2024-05-19", 0),
        ("?to=2024-04-30", 1),
    ],
    ids=lambda each: str(each) or "month to date",
)
async def test_metrics_ranges(start: Any, query: str, expected: int) -> None:
    """A metric counts this month, or the days of a range, its ends included."""
    emulator, api = await start()
    for moment in (datetime(2024, 4, 30, 23, 59, tzinfo=UTC), datetime(2024, 5, 20, tzinfo=UTC)):
        emulator.store.clock = moment.timestamp
        await api.post(f"{API}/order", ORDER)
    data = (await api.get(f"{API}/metrics/orders/new{query}"))["data"]
    assert ("New Orders", str(expected), None, None, str(expected)) == (
        data["name"],
        data["value"],
        data["prefix"],
        data["suffix"],
        data["formatted"],
    )


@pytest.mark.parametrize(
    ("query", "field"), [("from=1/1/24", "from"), ("from=2024-02-01&to=2024-01-01", "to")]
)
async def test_wrong_ranges(start: Any, query: str, field: str) -> None:
    """A range must be two dates in order."""
    _, api = await start()
    status, answer = await api.send("GET", f"{API}/metrics/leads/new?{query}")
    assert (422, [field]) == (status, list(answer["errors"]))


async def test_metrics_count(start: Any) -> None:
    """Each metric counts what has happened."""
    emulator, api = await start()
    for change in ({}, {"notifications": False}):
        await api.post(f"{API}/lead", LEAD | change)
    for _ in range(2):
        await api.post(f"{API}/order", ORDER)
    await api.post(f"{BRANCH}/order", ORDER)
    payer = INVITE | {
        "email": "jane@example.com",
        "birthday": "01/01/2000",
        "nationality": "GB",
        "account_name": "Jane Smith",
        "account_number": "12345678",
        "sort_code": "000000",
        "billing_address": LINES,
    }
    await api.post(f"{API}/order/1/tenant", payer)
    emulator.activate(1)
    emulator.take_payments(1, "failed")
    emulator.take_payments(1, "pending")
    emulator.take_payments(1, "pending")
    emulator.store.clock = lambda: NOW + 144 * 3600
    names = (
        "orders/new",
        "orders/approval",
        "orders/active",
        "payments/failed",
        "payments/pending",
        "payments/successful",
        "leads/new",
        "leads/orders",
        "notifications/completed",
    )
    actual = [(await api.get(f"{API}/metrics/{name}"))["data"]["value"] for name in names]
    assert ["3", "2", "1", "1", "2", "1", "1", "2", "1"] == actual
    leads = (await api.get(f"{API}/lead"))["data"]
    assert ["2024-05-26T09:00:00.000000Z", None] == [lead["completed_at"] for lead in leads]
