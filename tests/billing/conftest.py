"""Fixtures of the Billing tests: a login host and a Billing host on loopback, and clients."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import attrs
import pytest
from aiohttp import web

from homebox_async import AsyncHomebox, Retry
from homebox_async.billing import AsyncBilling

QUICK = Retry(attempts=3, backoff=0.0)

_PDF = b"%PDF-1.7\n" + bytes(range(256)) * 4000 + b"\n%%EOF\n"

Handle = Callable[[web.Request], Awaitable[web.StreamResponse]]


@attrs.define(eq=False)
class Clock:
    """The time of day, moved by hand."""

    time: float = 1_000_000.0

    def __call__(self) -> float:
        """Return the time."""
        return self.time


@attrs.define(eq=False)
class Vendor:
    """Both hosts of the vendor. Tests put handlers into `routes`, keyed by path below the root."""

    clock: Clock = attrs.field(factory=Clock)
    life: float = 300.0
    routes: dict[str, Handle] = attrs.field(factory=dict)
    seen: list[web.Request] = attrs.field(factory=list)
    logins: list[dict[str, Any]] = attrs.field(factory=list)
    login_headers: list[dict[str, str]] = attrs.field(factory=list)
    login_gate: asyncio.Event = attrs.field(factory=asyncio.Event)
    login_answer: Callable[[int], web.Response] | None = None
    refused: set[str] = attrs.field(factory=set)
    url: str = ""
    login_url: str = ""
    pdf: bytes = attrs.field(repr=False, default=_PDF)

    def jwt(self, number: int, *, issued: float | None, ends: float | None) -> str:
        """Return an unsigned JWT; each number makes another one."""
        claims = {"sub": str(number), "iat": issued, "exp": ends}
        told = {name: value for name, value in claims.items() if value is not None}
        return (
            ".".join(
                base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")
                for part in ({"alg": "none"}, told)
            )
            + ".c2ln"
        )

    def route(self, path: str, answer: Any, content_type: str = "application/json") -> None:
        """Answer a path with JSON, or with bytes as they are."""

        async def handle(_: web.Request) -> web.Response:
            body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
            return web.Response(body=body, content_type=content_type)

        self.routes[path] = handle

    def cut(
        self, times: int, *, after: int = 300_000, arrived: asyncio.Event | None = None
    ) -> Handle:
        """Return a handler that breaks off so many times and then answers whole.

        `arrived`: set by the test when it has something in hand; only then it breaks off.
        """
        made = 0

        async def handle(request: web.Request) -> web.StreamResponse:
            nonlocal made
            made += 1
            if made > times:
                return web.Response(body=self.pdf, content_type="application/pdf")
            answer = web.StreamResponse(headers={"Content-Length": str(len(self.pdf))})
            if arrived is not None:
                arrived.clear()
            await answer.prepare(request)
            await answer.write(self.pdf[:after])
            if arrived is not None:
                await arrived.wait()
            assert request.transport is not None
            request.transport.close()
            return answer

        return handle

    async def log_in(self, request: web.Request) -> web.Response:
        """Answer a bare JWT, as the vendor's help pages show it."""
        self.logins.append(await request.json())
        self.login_headers.append(dict(request.headers))
        await self.login_gate.wait()
        if self.login_answer is not None:
            return self.login_answer(len(self.logins))
        now = self.clock()
        return web.Response(text=self.jwt(len(self.logins), issued=now, ends=now + self.life))

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Answer from `routes`; 401 for a token that is refused."""
        self.seen.append(request)
        if request.headers.get("Authorization") in self.refused:
            return web.Response(status=401)
        handle = self.routes.get(request.path.removeprefix("/api/v1"))
        return web.Response(status=404) if handle is None else await handle(request)

    @property
    def paths(self) -> list[str]:
        """What was asked for, without the root."""
        return [request.path.removeprefix("/api/v1") for request in self.seen]

    @property
    def tokens(self) -> list[str | None]:
        """The Authorization of each request to the Billing host."""
        return [request.headers.get("Authorization") for request in self.seen]


Serve = Callable[[Handle], Awaitable[str]]


ENVIRONMENT = (
    "HOMEBOX_BILLING_TOKEN",
    "HOMEBOX_BILLING_USERNAME",
    "HOMEBOX_BILLING_PASSWORD",
    "HOMEBOX_BILLING_ADMINISTRATOR_IDS",
    "HOMEBOX_BILLING_URL",
    "HOMEBOX_BILLING_LOGIN_URL",
)


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ENVIRONMENT:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    """Start servers on loopback; all are stopped at the end of the test."""
    async with AsyncExitStack() as stack:

        async def start(handle: Handle) -> str:
            app = web.Application()
            app.router.add_route("*", "/{path:.*}", handle)
            runner = web.AppRunner(app, shutdown_timeout=0.1)
            await runner.setup()
            stack.push_async_callback(runner.cleanup)
            site = web.TCPSite(runner, "127.0.0.1", 0)
            await site.start()
            host, port = runner.addresses[0][:2]
            return f"http://{host}:{port}"

        yield start


@pytest.fixture
async def vendor(serve: Serve) -> Vendor:
    """Return the vendor's two hosts."""
    made = Vendor()
    made.login_gate.set()
    made.url = f"{await serve(made.answer)}/api/v1"
    made.login_url = await serve(made.log_in)
    return made


@pytest.fixture
async def billing(vendor: Vendor) -> AsyncIterator[AsyncBilling]:
    """Return a client that logs in with username and password."""
    async with AsyncBilling(
        username="jane",
        password="hunter2",
        administrator_ids=[1, 2, 3],
        base_url=vendor.url,
        login_url=vendor.login_url,
        retry=QUICK,
        proxy="",
        now=vendor.clock,
    ) as client:
        yield client


@pytest.fixture
async def ready(vendor: Vendor) -> AsyncIterator[AsyncBilling]:
    """Return a client with a ready token."""
    async with AsyncBilling(
        "ready-token", base_url=vendor.url, login_url=vendor.login_url, retry=QUICK, proxy=""
    ) as client:
        yield client


@pytest.fixture
async def homebox(serve: Serve) -> AsyncIterator[tuple[AsyncHomebox, list[web.Request]]]:
    """Return a Partner client and what its host has seen."""
    seen: list[web.Request] = []

    async def answer(request: web.Request) -> web.Response:
        seen.append(request)
        return web.json_response({"data": {"name": "Partner"}})

    async with AsyncHomebox("partner-token", base_url=await serve(answer), proxy="") as client:
        yield client, seen


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """Return an empty folder; at the end it holds no half-written file."""
    yield tmp_path
    assert [] == list(tmp_path.glob(".*"))
