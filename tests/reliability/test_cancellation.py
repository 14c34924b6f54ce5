"""Whatever a call waits for, it can be broken off there: nothing leaks, and the outcome is told."""

import asyncio
import datetime as dt
import itertools
import secrets
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import attrs
import pytest

from homebox_async import AsyncBilling, AsyncHomebox, ConfigurationError, Retry
from homebox_async.wire import encode

from .striking import MOMENTS, WAYS, Strike, listening, strike_everywhere

pytestmark = pytest.mark.slow

PIXEL = b"\x89PNG\r\n\x1a\n" + bytes(64)
PDF = b"%PDF-1.7\n" + bytes(range(256)) * 64 + b"\n%%EOF\n"
DOCUMENT = "BE00000001"
SLOTS = 2

Client = AsyncHomebox | AsyncBilling


def answer(
    body: bytes = b'{"data": {"id": 7}}', kind: str = "application/json", *more: str
) -> bytes:
    """Return the bytes of an answer."""
    status = "429" if more else "200"
    lines = [f"HTTP/1.1 {status} X", f"Content-Type: {kind}", f"Content-Length: {len(body)}", *more]
    return "\r\n".join([*lines, "", ""]).encode() + body


class Host:
    """What the raw server answers; `busy` is how often it says 429 first."""

    def __init__(self) -> None:
        self.busy = 0
        self.held = asyncio.Event()

    async def __call__(self, wire: Any, seen: Any) -> None:
        """Answer one request."""
        path, _, query = seen.target.partition("?")
        if "hold" in path:
            await self.held.wait()
        if self.busy and seen.method != "GET":
            self.busy -= 1
            await wire.write(answer(b"{}", "application/json", "Retry-After: 0"))
        elif path.endswith("/lead"):
            await wire.write(answer(self._leads(int(query.rpartition("page=")[2]))))
        elif "authenticate" in path:
            await wire.write(answer(b"a.b.c", "text/plain"))
        elif "BillingDoc" in path:
            whole = answer(PDF, "application/pdf")
            for part in (whole[:60], whole[60:300], whole[300:]):  # in the head, and after it
                await wire.write(part)
                await asyncio.sleep(0.001)
        else:
            await wire.write(answer())

    def _leads(self, page: int) -> bytes:
        # It shrinks while it is read: what was asked for ahead is not there any more.
        last = 5 if page < 3 else 3
        items = ", ".join(f'{{"id": {10 * page + n}}}' for n in range(3 if page < 4 else 0))
        return f'{{"data": [{items}], "meta": {{"last_page": {last}}}}}'.encode()


@attrs.define(eq=False)
class Scene:
    """One run: a new client of the raw server, and what is to be done with it."""

    server: Any
    host: Host
    client: Any
    folder: Path
    at: int
    others: list["asyncio.Task[Any]"] = attrs.field(factory=list)

    async def warm(self) -> None:
        """Have a connection ready."""
        await self.client.request("GET", "warm")

    async def occupied(self, calls: int) -> None:
        """Have other calls in flight, which end in a moment."""
        self.host.held.clear()
        before = len(self.server.seen)
        for _ in range(calls):
            self.others.append(asyncio.create_task(self.client.request("GET", "hold")))
        while len(self.server.seen) < before + calls:
            await asyncio.sleep(0)
        asyncio.get_running_loop().call_later(0.002, self.host.held.set)

    async def write(self) -> Any:
        """Make a call that must not be made twice; its path tells the run."""
        return await self.client.request("POST", f"run/{self.at}", json={"a": 1})


# --- the calls: what is there before, and what is struck


async def cold_post(scene: Scene) -> Callable[[], Awaitable[Any]]:
    """A write that has to connect first."""
    return scene.write


async def warm_post(scene: Scene) -> Callable[[], Awaitable[Any]]:
    """A write on a connection that is there."""
    await scene.warm()
    return scene.write


async def delete(scene: Scene) -> Callable[[], Awaitable[Any]]:
    """A deletion that is refused once and tried again."""
    scene.host.busy = 1
    return lambda: scene.client.request("DELETE", f"run/{scene.at}")


async def get(scene: Scene) -> Callable[[], Awaitable[Any]]:
    """A read."""
    return lambda: scene.client.request("GET", f"run/{scene.at}")


async def upload(scene: Scene) -> Callable[[], Awaitable[Any]]:
    """A write with a file."""
    path = scene.folder / "meter.png"
    path.write_bytes(PIXEL)
    return lambda: scene.client.readings.create_for_property(
        scene.at + 1,
        type="electric",
        reading=5,
        date_of_reading=dt.date(2024, 1, 2),
        image=path,
    )


async def retried(scene: Scene) -> Callable[[], Awaitable[Any]]:
    """A write that is refused twice and tried again, with a real wait before it."""
    scene.host.busy = 2
    return scene.write


async def paused(scene: Scene) -> Callable[[], Awaitable[Any]]:
    """A write that waits because the server has asked for a pause."""
    scene.client._throttle.pause(0.002)
    return scene.write


async def out_of_quota(scene: Scene) -> Callable[[], Awaitable[Any]]:
    """A write that waits for its turn, as the quota is in use."""
    await scene.occupied(1)
    scene.client._throttle.permits.limit = 1
    return scene.write


async def no_slot(scene: Scene) -> Callable[[], Awaitable[Any]]:
    """A write that waits for a place in the pool."""
    await scene.occupied(SLOTS)
    return scene.write


async def listed(scene: Scene) -> Callable[[], Awaitable[Any]]:
    """A list, page by page."""
    return lambda: scene.client.leads.list().collect()


async def read_ahead(scene: Scene) -> Callable[[], Awaitable[Any]]:
    """A list that reads ahead, and shrinks meanwhile."""
    return lambda: scene.client.leads.list(prefetch=4).collect()


async def login(scene: Scene) -> Callable[[], Awaitable[Any]]:
    """A call that has to log in first."""
    return lambda: scene.client.get(scene.at + 1)


async def chunks(scene: Scene) -> Callable[[], Awaitable[Any]]:
    """A document, chunk by chunk."""

    async def take() -> bytes:
        return b"".join([chunk async for chunk in scene.client.document(DOCUMENT)])

    return take


async def saved(scene: Scene) -> Callable[[], Awaitable[Any]]:
    """A document that is saved."""
    path = scene.folder / f"{secrets.token_hex(4)}.pdf"
    return lambda: scene.client.document(DOCUMENT).save(path)


PARTNER = [
    cold_post,
    warm_post,
    delete,
    get,
    upload,
    retried,
    paused,
    out_of_quota,
    no_slot,
    listed,
    read_ahead,
]
BILLING = [login, chunks, saved]


class Stage:
    """Makes a scene for each run, and looks at what is left of it."""

    def __init__(self, server: Any, folder: Path, caplog: Any, call: Any) -> None:
        self.server = server
        self.folder = folder
        self.caplog = caplog
        self.call = call
        self.scene: Scene

    async def prepare(self, at: int) -> Callable[[], Awaitable[Any]]:
        """Return the call for the run that is struck at its wait `at`."""
        host = self.server.default = Host()
        self.server.seen.clear()
        self.caplog.clear()
        self.scene = Scene(self.server, host, self._client(), self.folder, at)
        return await self.call(self.scene)  # type: ignore[no-any-return]

    def _client(self) -> Client:
        options: dict[str, Any] = {"max_connections": SLOTS, "retry": Retry(backoff=0.001)}
        if self.call in BILLING:
            return AsyncBilling(
                username="u",
                password="p",
                base_url=f"{self.server.url}/api",
                login_url=self.server.url,
                **options,
            )
        return AsyncHomebox("t", base_url=self.server.url, **options)

    async def check(self, strike: Strike) -> None:
        """Look for leaks, use the client once more, and compare what is told with what was seen."""
        scene = self.scene
        await asyncio.gather(*scene.others)
        for pool in scene.client._transports():
            if pool._session is not None:
                assert set() == pool._session.connector._acquired
                assert SLOTS == pool._slots._value
        if self.call in BILLING:
            await scene.client.headers("0" * 31 + "1")
        else:
            await scene.client.request("GET", "usable")
            assert 0 == scene.client._throttle.permits.in_flight
            assert not scene.client._throttle.permits._waiting
        await scene.client.aclose()
        await closed(self.server)
        self._told(strike)
        for path in self.folder.glob("*.pdf"):  # whole, or not at all
            assert PDF == path.read_bytes()
        assert [] == [*self.folder.glob(".*")]

    def _told(self, strike: Strike) -> None:
        """A request that came in is never called unsent; a write's user is told in the log."""
        if not strike.struck:
            assert None is strike.error
            return
        assert isinstance(strike.error, asyncio.CancelledError) or strike.result is not None
        expected = {"cancel": asyncio.CancelledError, "timeout": TimeoutError, "scope": type(None)}
        if strike.error is not None:
            assert expected[strike.way] is type(strike.seen)
        if isinstance(strike.seen, TimeoutError):
            assert strike.error is strike.seen.__cause__
        mine = [seen for seen in self.server.seen if f"/{strike.at}" in seen.target]
        lines = [line for line in self.caplog.messages if "cancelled" in line]
        writes = [seen for seen in mine if seen.method != "GET"]
        if self.call in PARTNER[:9] and strike.error is not None:
            assert strike.notes, "a cancellation that tells nothing"
            unknown = any("[outcome: unknown]" in note for note in strike.notes)
            assert unknown == bool(lines) or self.call is get
            rejected = any("[outcome: rejected]" in note for note in strike.notes)
            assert unknown or rejected or not writes


async def closed(server: Any) -> None:
    """Wait until the server has seen the end of every connection."""
    async with asyncio.timeout(5):
        while server._tasks:
            await asyncio.sleep(0)


@pytest.mark.parametrize("call", [*PARTNER, *BILLING], ids=lambda call: call.__name__)
async def test_every_await(server: Any, tmp_path: Path, caplog: Any, call: Any) -> None:
    """Broken off wherever it waits, a call leaks nothing and tells what it may have done."""
    stage = Stage(server, tmp_path, caplog, call)
    with listening(caplog):
        for way, moment in itertools.product(WAYS, MOMENTS):
            waits = await strike_everywhere(stage.prepare, stage.check, way=way, moment=moment)
            print(f"{call.__name__} {way} {moment}: {waits} waits")
            assert waits > 0


@pytest.mark.parametrize("prefetch", [0, 1, 4])
async def test_a_list_goes_on(server: Any, caplog: Any, prefetch: int) -> None:
    """Who is cancelled in a list and goes on with it misses nothing and gets nothing twice."""
    found: list[int | None] = []
    cursors: list[Any] = []
    server.default = Host()

    async def prepare(_: int) -> Callable[[], Awaitable[Any]]:
        found.clear()
        cursors[:] = [aiter(client.leads.list(prefetch=prefetch))]

        async def take() -> None:
            async for lead in cursors[0]:
                found.append(lead.id)  # noqa: PERF401  # item by item, as they come

        return take

    async def check(_: Strike) -> None:
        found.extend([lead.id async for lead in cursors[0]])
        assert [10 * page + n for page in (1, 2, 3) for n in range(3)] == found
        cursors.clear()

    async with AsyncHomebox("t", base_url=server.url) as client:
        with listening(caplog):
            for way, moment in itertools.product(WAYS, MOMENTS):
                assert await strike_everywhere(prepare, check, way=way, moment=moment) > 2


@pytest.mark.parametrize("service", ["partner", "billing"])
async def test_closing(server: Any, tmp_path: Path, caplog: Any, service: str) -> None:
    """A cancelled `aclose` has closed all the same: every connection, and for good."""
    stage = Stage(server, tmp_path, caplog, get if service == "partner" else login)

    async def prepare(at: int) -> Callable[[], Awaitable[Any]]:
        await stage.prepare(at)
        scene = stage.scene
        if service == "partner":
            await asyncio.gather(scene.warm(), scene.warm())
            await scene.occupied(1)
        else:
            await scene.client.get(1)  # logs in, and leaves a connection to either host
            scene.client._login._token = None
            scene.others.append(asyncio.create_task(scene.client.get(2)))
            await asyncio.sleep(0)
        return scene.client.aclose  # type: ignore[no-any-return]

    async def check(strike: Strike) -> None:
        client = stage.scene.client
        if strike.at:
            await closed(server)
            with pytest.raises(ConfigurationError, match="closed"):
                await client._call(encode("GET", "late"))
        await client.aclose()
        await asyncio.gather(*stage.scene.others, return_exceptions=True)
        await closed(server)

    with listening(caplog):
        for way, moment in itertools.product(WAYS, MOMENTS):
            waits = await strike_everywhere(prepare, check, way=way, moment=moment)
            print(f"closing {service} {way} {moment}: {waits} waits")
            assert waits > 0
