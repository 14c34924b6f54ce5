"""The emulator itself: its life, and the way of a request through it."""

import asyncio
import hmac
import ipaddress
from collections import deque
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, date, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import attrs
from aiohttp import web
from aiohttp.abc import AbstractStreamWriter
from aiohttp.http_parser import RawRequestMessage
from aiohttp.streams import StreamReader
from aiohttp.web_protocol import RequestHandler

from . import laravel, packages
from .assumed import Assumed
from .catalogue import PACKAGES, SERVICE
from .contract import ROUTE as CONTRACT
from .faults import Fault, Faults
from .guard import is_here, is_unwieldy
from .misbehave import Exchange, misbehave
from .outbox import Message
from .package_records import Billing, Order, Payer, Payment
from .packages import NewPackage, Outcome
from .received import Connections, Counts, Received, ReceivedLog
from .routes import ROUTES
from .routes.billing import EXTRA as BILLING_EXTRA
from .routes.billing import PREFIX as BILLING_PREFIX
from .routing import Answer, Call, Match, Route, Router
from .store import Store
from .throttle import RateLimit, Throttle

# How long handlers may go on when the emulator stops.
_GRACE = 0.1

# Every operation of both services.
ROUTER = Router((*ROUTES, *BILLING_EXTRA, CONTRACT))


class Emulator:
    """A local Partner API: `async with Emulator() as emulator`, then talk to `emulator.url`.

    The Billing API is at `emulator.billing_url`. `received` lists the requests, `counts` and
    `connections` count what came.

    - `port`: the port to listen on; 0 takes a free one
    - `token`: the accepted bearer token
    - `billing_login`: user name and password of the Billing API
    - `state`: a file that keeps the state over restarts and crashes, of one emulator at a time;
      without it, memory only
    - `seed`: decides which addresses exist
    - `faults`: random faults; may be replaced while running
    - `rate_limit`: answers 429 beyond it
    - `assumed`: how to behave where the documents are silent
    - `host`: a loopback address
    - `received_limit`: how many requests `received` keeps
    """

    def __init__(
        self,
        *,
        port: int = 0,
        token: str | None = None,
        billing_login: tuple[str, str] = ("emulator", "emulator-password"),
        state: str | Path | None = None,
        seed: int = 0,
        faults: Faults | None = None,
        rate_limit: RateLimit | None = None,
        assumed: Assumed | None = None,
        host: str = "127.0.0.1",
        received_limit: int = 10_000,
    ) -> None:
        self.token = token or "emulator-token"
        self.billing_login = billing_login
        self.faults = faults
        self.assumed = assumed or Assumed()
        self.store = Store(self.assumed)
        self.received = ReceivedLog(received_limit)
        self.counts = Counts()
        self.connections = Connections()
        self._host = _loopback(host)
        self._port = port
        self._state = None if state is None else Path(state)
        self._seed = seed
        self.rate_limit = rate_limit
        self._scripts: dict[tuple[str, str], deque[Fault | None]] = {}
        self._url: str | None = None
        self._server: asyncio.Server | None = None
        self._serving: dict[RequestHandler, Received] = {}
        self._connections: _Server | None = None
        self._closing = asyncio.Event()

    @property
    def url(self) -> str:
        """The origin, e.g. "http://127.0.0.1:43121"; the API is under /api/partner."""
        if self._url is None:
            raise RuntimeError("the emulator is not running: use 'async with' or start() first")
        return self._url

    @property
    def billing_url(self) -> str:
        """The base URL of the Billing API; its login is below it, at /users/authenticate."""
        return self.url + BILLING_PREFIX

    @property
    def rate_limit(self) -> RateLimit | None:
        """Beyond it requests are answered 429; may be replaced while running, and then counts anew.

        None is no limit.
        """
        return self._rate_limit

    @rate_limit.setter
    def rate_limit(self, rate_limit: RateLimit | None) -> None:
        self._rate_limit = rate_limit
        self._throttle = None if rate_limit is None else Throttle(rate_limit)

    @property
    def outbox(self) -> list[Message]:
        """The messages that the service would have sent, oldest first."""
        return self.store.outbox

    async def start(self) -> Self:
        """Load the state and listen; return the emulator.

        Raises StateError for a file that is no state file, StateInUse for one that another
        emulator has open, and OSError when the port is taken.
        """
        if self._url is not None:
            raise RuntimeError("the emulator is running already")
        self._closing = asyncio.Event()
        if self._state is not None:
            self.store.open(self._state)
        connections = _Server(
            self._serve,
            counted=self.connections,
            serving=self._serving,
            request_factory=self._request,
            access_log=None,
            keepalive_timeout=self.assumed.keepalive_timeout,
        )
        try:
            self._server = await asyncio.get_running_loop().create_server(
                connections, self._host, self._port
            )
        except OSError:
            self.store.close()
            raise
        self._connections = connections
        port = self._server.sockets[0].getsockname()[1]
        host = f"[{self._host}]" if ":" in self._host else self._host
        self._url = f"http://{host}:{port}"
        return self

    async def aclose(self) -> None:
        """Stop listening, end all connections and close the state file; may be called twice."""
        self._closing.set()
        if self._server is not None and self._connections is not None:
            self._server.close()
            self._connections.pre_shutdown()
            await self._connections.shutdown(_GRACE)
            # Since Python 3.12 this waits for clients that do not read their answers.
            with suppress(TimeoutError):
                await asyncio.wait_for(self._server.wait_closed(), _GRACE)
        self._server = self._connections = self._url = None
        self.store.close()

    async def __aenter__(self) -> Self:
        return await self.start()

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    def script(self, method: str, path: str, faults: Iterable[Fault | None]) -> None:
        """Let the next requests to this path have these faults, one each; None is no fault.

        `path` is a path or a template ("/api/partner/property/{property_id}"). Scripted requests
        do not draw from the random faults.
        """
        self._scripts.setdefault((method, path), deque()).extend(faults)

    def seed_order(
        self,
        property_id: int,
        *,
        start: date = date(2024, 5, 20),
        end: date = date(2050, 12, 31),
        package_id: int = 1,
        housemates: int = 1,
        bill_payers: int = 1,
        reference: str | None = None,
        active: bool = True,
    ) -> Order:
        """Add a tenant package for a property, without payers yet.

        Raises KeyError when there is no such property or package.
        """
        home = self.store.properties[property_id]
        package = PACKAGES[package_id]
        new = NewPackage(
            kind="tenant",
            home=home,
            start=start.isoformat(),
            end=end.isoformat(),
            move_in=start.isoformat(),
            package_id=package.id,
            bills=tuple(bill for bill in package.bills if bill != SERVICE),
            housemates=housemates,
            bill_payers=bill_payers,
            reference=reference,
            partner_id=home.partner_id,
        )
        order = packages.add_package(self.store, self.assumed, new)
        return packages.activate(self.store, self.assumed, order.id) if active else order

    def seed_billing(self, property_uuid: str, start: date, end: date) -> Billing:
        """Add a billing period of a building to the Billing API, published now."""
        published = datetime.fromtimestamp(self.store.clock(), UTC).strftime("%Y-%m-%dT%H:%M:%S")
        number = max(self.store.billings) + 1
        row = Billing(number, property_uuid.lower(), start.isoformat(), end.isoformat(), published)
        self.store.commit(row)
        return row

    def activate(self, order_id: int) -> Order:
        """Let an order be approved and become active; first payments are taken as assumed."""
        return packages.activate(self.store, self.assumed, order_id)

    def take_payments(self, order_id: int, outcome: Outcome = "success") -> list[Payment]:
        """Take the next payments of an order; suppliers are to be paid once all succeeded."""
        return packages.take_payments(self.store, order_id, outcome)

    def pay_suppliers(self, order_id: int) -> None:
        """Carry out the pending payouts of an order."""
        packages.pay_suppliers(self.store, order_id)

    def sign_up(self, invite_id: int) -> Payer:
        """Let an invited bill payer sign up: the invite disappears and a payer is there."""
        return packages.sign_up(self.store, self.assumed, invite_id)

    def set_mandate(self, payer_id: int, status: str) -> Payer:
        """Give a bill payer's mandate another status, as the bank would."""
        row = attrs.evolve(self.store.payers[payer_id], mandate=status)
        self.store.commit(row)
        return row

    def _request(
        self,
        message: RawRequestMessage,
        payload: StreamReader,
        protocol: RequestHandler,
        writer: AbstractStreamWriter,
        task: "asyncio.Task[None]",
    ) -> web.BaseRequest:
        return web.BaseRequest(
            message,
            payload,
            protocol,
            writer,
            task,
            asyncio.get_running_loop(),
            client_max_size=self.assumed.max_body_bytes,
        )

    async def _serve(self, request: web.BaseRequest) -> web.StreamResponse:
        if not (is_here(request.host) and is_here(request.headers.get("Origin", "//localhost"))):
            # A page of the web, which has let its own name lead to this machine.
            return web.Response(status=403, text="The emulator serves this machine only.")
        match = ROUTER.match(request.raw_path)
        route = match.route(request.method)
        received = Received(
            request.method,
            request.rel_url,
            request.raw_path,
            request.headers,
            template=route.template if route else None,
        )
        self.received.record(received)
        self._serving[request.protocol] = received
        try:
            return await self._answer(request, received, match, route)
        finally:
            del self._serving[request.protocol]

    async def _answer(
        self, request: web.BaseRequest, received: Received, match: Match, route: Route | None
    ) -> web.StreamResponse:
        self.counts.requests[route.label if route else f"{request.method} (unknown)"] += 1
        try:
            self.received.keep(received, await request.read())
        except web.HTTPRequestEntityTooLarge:
            return self._respond(received, laravel.refuse(laravel.too_large(), request.headers))
        except (web.RequestPayloadError, ConnectionError):
            # The client left while it sent: PHP never sees such a request.
            return web.Response(status=400)
        if is_unwieldy(received.body):
            return self._respond(received, laravel.refuse(laravel.too_large(), request.headers))

        def process() -> Answer:
            return self._process(received, match, route)

        fault = self._fault_of(received)
        if fault is None:
            return self._respond(received, process())
        received.fault = fault
        self.counts.faults[fault.name] += 1
        answer = await misbehave(Exchange(request, received, fault, process, self._closing))
        # After the end of the connection this response goes nowhere, but aiohttp wants one.
        return web.Response() if answer is None else self._respond(received, answer)

    def _fault_of(self, received: Received) -> Fault | None:
        if self._scripts:
            for path in (received.path, received.template):
                script = path and self._scripts.get((received.method, path))
                if script:
                    return script.popleft()
        return None if self.faults is None else self.faults.draw(received.method, received.path)

    def _process(self, received: Received, match: Match, route: Route | None) -> Answer:
        before = self.store.commits
        limits: dict[str, str] = {}
        try:
            answer = self._handle(received, match, route, limits)
        except laravel.Refusal as refusal:
            answer = laravel.refuse(refusal, received.headers)
        received.committed = self.store.commits != before
        if limits:
            return Answer(answer.status, answer.body, {**answer.headers, **limits})
        return answer

    def _handle(
        self, received: Received, match: Match, route: Route | None, limits: dict[str, str]
    ) -> Answer:
        # The order of Laravel: the route, then the token, then the rate limit, then the rest.
        if not match.routes:
            raise laravel.no_such_route(received.path)
        if route is None:
            raise laravel.no_such_method(received.method, received.path, list(match.routes))
        if not route.open:
            if not self._knows_token(received.headers.get("Authorization", "")):
                raise laravel.unauthenticated()
            if self._throttle is not None:
                allowed, headers = self._throttle.hit()
                limits.update(headers)
                if not allowed:
                    raise laravel.too_many_attempts()
        return route.handler(
            Call(
                self.store,
                self.assumed,
                self._seed,
                self.url,
                received,
                match.params,
                self.billing_login,
            )
        )

    def _knows_token(self, authorization: str) -> bool:
        scheme, _, token = authorization.partition(" ")
        return scheme.lower() == "bearer" and hmac.compare_digest(
            token.strip().encode(), self.token.encode()
        )

    def _respond(self, received: Received, answer: Answer) -> web.Response:
        received.status = answer.status
        headers = answer.headers
        if self.assumed.shows_instance:
            shown = f"{self.store.instance}; list-lag={self.assumed.list_lag:g}"
            # In memory, nobody meets this state again.
            shown += "" if self.store.is_kept else "; in-memory"
            headers = {**headers, "Homebox-Emulator": shown}
        return web.Response(status=answer.status, body=answer.body, headers=headers)


class _Server(web.Server):
    """Notes of every connection when it comes and goes, and what it was asked when it went."""

    def __init__(
        self,
        handler: Any,
        *,
        counted: Connections,
        serving: dict[RequestHandler, Received],
        **options: Any,
    ) -> None:
        super().__init__(handler, **options)
        self._counted = counted
        self._serving = serving

    def connection_made(self, handler: RequestHandler, transport: asyncio.Transport) -> None:
        super().connection_made(handler, transport)
        self._counted.made()

    def connection_lost(self, handler: RequestHandler, exc: BaseException | None = None) -> None:
        super().connection_lost(handler, exc)
        self._counted.lost()
        if handler in self._serving:
            self._serving[handler].cut = True


def _loopback(host: str) -> str:
    # A name may mean several addresses; the emulator listens on exactly one.
    address = "127.0.0.1" if host == "localhost" else host
    with suppress(ValueError):
        if ipaddress.ip_address(address).is_loopback:
            return address
    raise ValueError(
        f"the emulator serves this machine only: host must be a loopback address "
        f"such as 127.0.0.1, not {host!r}"
    )
