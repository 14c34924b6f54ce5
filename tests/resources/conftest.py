"""A loopback server that records what it is sent and answers what it is told to."""

import asyncio
import datetime as dt
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import attrs
import pytest
from aiohttp import web

from homebox_async import Address, AsyncHomebox, Homebox, NewTenant, Retry

PRINTED: dict[str, Any] = json.loads((Path(__file__).parent / "printed.json").read_text())


@attrs.frozen
class Sent:
    """One request as it came over the wire; `parts` are those of a multipart form."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    parts: dict[str, tuple[str | None, str | None, bytes]]

    @property
    def json(self) -> Any:
        """The JSON of the body, None for an empty one."""
        return json.loads(self.body) if self.body else None


@attrs.define
class Server:
    """Where it is, what came, and what it answers: the last of `answers` again and again."""

    url: str = ""
    sent: list[Sent] = attrs.field(factory=list)
    answers: list[tuple[int, bytes]] = attrs.field(factory=list)

    def answer(self, body: Any, status: int = 200) -> None:
        """Answer the next request with JSON, or with bytes as they are."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.answers.append((status, raw))

    async def handle(self, request: web.BaseRequest) -> web.Response:
        """Record a request and answer it."""
        parts: dict[str, tuple[str | None, str | None, bytes]] = {}
        body = b""
        if request.content_type == "multipart/form-data":
            async for part in await request.multipart():
                assert not isinstance(part, type(None))
                kind = part.headers.get("Content-Type")
                parts[str(part.name)] = (part.filename, kind, bytes(await part.read()))
        else:
            body = await request.read()
        self.sent.append(Sent(request.method, request.raw_path, dict(request.headers), body, parts))
        status, raw = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return web.Response(status=status, body=raw, content_type="application/json")


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    """Run a recording server on a free port of the loopback interface."""
    recorder = Server()
    runner = web.ServerRunner(web.Server(recorder.handle))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    recorder.url = f"http://{host}:{port}"
    yield recorder
    await runner.cleanup()


@pytest.fixture
async def client(server: Server) -> AsyncIterator[AsyncHomebox]:
    """Return an async client of the server that tries again without waiting."""
    async with AsyncHomebox("token", base_url=server.url, retry=Retry(backoff=0.0)) as client:
        yield client


Exchange = Callable[[str, Callable[[Any], Any]], Awaitable[Any]]


@pytest.fixture
def exchange(server: Server, client: AsyncHomebox) -> Exchange:
    """Make a call with the "async" or the "sync" client and return its result."""

    async def run(kind: str, call: Callable[[Any], Any]) -> Any:
        if kind == "async":
            return await call(client)

        def blocking() -> Any:
            with Homebox("token", base_url=server.url) as sync_client:
                return call(sync_client)

        return await asyncio.to_thread(blocking)

    return run


@pytest.fixture
def printed() -> dict[str, Any]:
    """Return the answers that the document prints, by heading; its gaps are filled."""
    return json.loads(json.dumps(PRINTED))  # type: ignore[no-any-return]


@pytest.fixture
def png() -> bytes:
    """Return the smallest thing that is a PNG image by its content."""
    return b"\x89PNG\r\n\x1a\n" + b"\0" * 32


@pytest.fixture
def pdf() -> bytes:
    """Return the smallest thing that is a PDF by its content."""
    return b"%PDF-1.7\n" + b"\0" * 32


@pytest.fixture
def tenant() -> NewTenant:
    """Return the tenant of the document's examples."""
    return NewTenant(
        first_name="John",
        last_name="Doe",
        phone_number="+441234567891",
        email_address="john.doe@example.test",
    )


@pytest.fixture
def home() -> Address:
    """Return the complete address of the document's examples."""
    return Address(
        line1="123 Test Lane",
        line2="",
        city="London",
        county="Greater London",
        postcode="EC1V 2NX",
    )


@pytest.fixture
def void(tenant: NewTenant, home: Address) -> dict[str, Any]:
    """Return the arguments of a void without its home."""
    return {
        "tenancy_start": dt.date(2022, 7, 1),
        "property_empty": True,
        "responsible_tenant": tenant,
        "responsible_address": home,
    }


@pytest.fixture
def package(home: Address) -> dict[str, Any]:
    """Return the required arguments of a tenant package."""
    return {
        "package_id": 2,
        "address": home,
        "total_occupants": 5,
        "household_type": "student",
        "tenancy_move_in": dt.date(2019, 10, 1),
        "tenancy_start": dt.date(2019, 10, 1),
        "tenancy_end": dt.date(2020, 10, 1),
    }


@pytest.fixture
def payer(home: Address) -> dict[str, Any]:
    """Return the arguments of a bill payer."""
    return {
        "first_name": "Jane",
        "last_name": "Smith",
        "email": "jane.smith917@example.com",
        "phone_number": "+441234567890",
        "nationality": "GB",
        "birthday": dt.date(2000, 1, 1),
        "account_name": "Jane Smith",
        "account_number": "12345678",
        "sort_code": "000000",
        "billing_address": home,
    }


@pytest.fixture
def partner_package(home: Address, tenant: NewTenant) -> dict[str, Any]:
    """Return the required arguments of a partner package, but for its bills."""
    return {
        "address": home,
        "housemates": 2,
        "is_student": False,
        "tenancy_start": dt.date(2021, 1, 1),
        "tenancy_end": dt.date(2021, 1, 12),
        "account_name": "John Johnson",
        "account_number": "12345678",
        "sort_code": "123456",
        "billing_address": home,
        "tenants": [tenant],
    }


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the caller's own settings out of the tests."""
    monkeypatch.delenv("HOMEBOX_TOKEN", raising=False)
    monkeypatch.delenv("HOMEBOX_BASE_URL", raising=False)
