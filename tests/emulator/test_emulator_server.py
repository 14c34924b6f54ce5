"""The server: its life, authentication, errors, the receive log, the rate limit."""

import asyncio
import io
import time
from typing import Any

import aiohttp
import attrs
import pytest

import homebox_async.emulator as package
from homebox_async.emulator import Assumed, Emulator, Fault, RateLimit
from homebox_async.emulator.throttle import Throttle

ACCOUNT = "/api/partner/account"
PROPERTY = "/api/partner/property"


def test_public_names() -> None:
    """The package offers these names and no others, in order."""
    expected = [
        "Address",
        "Assumed",
        "Emulator",
        "Fault",
        "Faults",
        "Message",
        "MessageKind",
        "RateLimit",
        "Received",
        "StateError",
        "StateInUse",
    ]
    assert expected == package.__all__


async def test_two_emulators(serve: Any, home: dict[str, Any]) -> None:
    """Several emulators run side by side, each with its own state."""
    one, session = await serve()
    other, _ = await serve()
    async with session.post(PROPERTY, json=home) as response:
        assert 201 == response.status
    assert one.url != other.url
    assert (1, 0) == (len(one.store.properties), len(other.store.properties))
    assert one.store.account.reference_number != other.store.account.reference_number


async def test_start_and_close() -> None:
    """An emulator can be started and closed by hand, and started again with its state."""
    emulator = Emulator()
    with pytest.raises(RuntimeError, match="not running"):
        _ = emulator.url
    assert emulator is await emulator.start()
    with pytest.raises(RuntimeError, match="running already"):
        await emulator.start()
    account = emulator.store.account
    await emulator.aclose()
    await emulator.aclose()
    await emulator.start()
    assert account == emulator.store.account
    await emulator.aclose()


async def test_port_is_taken(emulator: Emulator, tmp_path: Any) -> None:
    """A taken port is an OSError and leaves nothing open."""
    port = int(emulator.url.rpartition(":")[2])
    with pytest.raises(OSError, match=str(port)):
        await Emulator(port=port, state=tmp_path / "state").start()


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("localhost", "http://127.0.0.1:"),
        ("127.0.0.1", "http://127.0.0.1:"),
        ("::1", "http://[::1]:"),
    ],
)
async def test_loopback(host: str, url: str) -> None:
    """Loopback addresses are accepted and served."""
    async with Emulator(host=host) as emulator, aiohttp.ClientSession() as session:
        assert emulator.url.startswith(url)
        async with session.get(emulator.url) as response:
            assert 404 == response.status


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.1", "example.com", "", "::"])
def test_only_loopback(host: str) -> None:
    """Any other address is refused with the reason."""
    with pytest.raises(ValueError, match=r"this machine only.*loopback"):
        Emulator(host=host)


@pytest.mark.parametrize("idle", [True, False], ids=["idle", "half a request"])
async def test_close_is_quick(idle: bool) -> None:
    """Open connections do not delay the end."""
    emulator = await Emulator().start()
    port = int(emulator.url.rpartition(":")[2])
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    request = f"GET {ACCOUNT} HTTP/1.1\r\nHost: localhost\r\n\r\n"
    if not idle:
        request = f"POST {PROPERTY} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nhalf"
    writer.write(request.encode())
    async with asyncio.timeout(5):
        if idle:
            await reader.readuntil(b"}")
        while not emulator.received.total:
            await asyncio.sleep(0.001)
    start = time.perf_counter()
    await emulator.aclose()
    assert time.perf_counter() - start < 0.5
    writer.close()
    await writer.wait_closed()


async def test_keepalive_timeout(serve: Any) -> None:
    """The server closes connections that were idle for the assumed time."""
    emulator, _ = await serve(assumed=Assumed(keepalive_timeout=0.05))
    port = int(emulator.url.rpartition(":")[2])
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"GET {ACCOUNT} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    async with asyncio.timeout(5):
        assert (await reader.read()).startswith(b"HTTP/1.1 401 Unauthorized\r\n")
    writer.close()
    await writer.wait_closed()


async def test_client_leaves_while_sending(emulator: Emulator) -> None:
    """A request that never arrives as a whole is logged and not processed."""
    port = int(emulator.url.rpartition(":")[2])
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    head = f"POST {PROPERTY} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nhalf"
    writer.write(head.encode())
    async with asyncio.timeout(5):
        while not emulator.received.total:
            await asyncio.sleep(0.001)
    writer.close()
    await writer.wait_closed()
    await asyncio.sleep(0.05)
    received = emulator.received[-1]
    assert (None, b"", False) == (received.status, received.body, received.committed)


async def test_connections(emulator: Emulator, session: aiohttp.ClientSession) -> None:
    """Connections are counted, and a request knows whether its own ended before its answer."""
    emulator.script("GET", PROPERTY, [Fault("hang"), None])
    leaving = asyncio.create_task(session.get(PROPERTY))
    while not emulator.received:
        await asyncio.sleep(0)
    await session.get(PROPERTY)
    assert (2, 2, 2) == attrs.astuple(emulator.connections)

    leaving.cancel()
    while not emulator.received[0].cut:
        await asyncio.sleep(0)

    assert (1, 2, 2) == attrs.astuple(emulator.connections)
    assert [(True, None), (False, 200)] == [(r.cut, r.status) for r in emulator.received]


@pytest.mark.parametrize(
    "authorization",
    [None, "", "emulator-token", "Bearer wrong", "Basic emulator-token", "Bearer é"],
)
async def test_unauthenticated(emulator: Emulator, authorization: str | None) -> None:
    """A missing or wrong bearer token is Laravel's 401."""
    headers = {} if authorization is None else {"Authorization": authorization}
    async with (
        aiohttp.ClientSession(emulator.url, headers=headers) as session,
        session.get(ACCOUNT) as response,
    ):
        actual = response.status, await response.json()
    assert (401, {"message": "Unauthenticated."}) == actual


async def test_token(serve: Any) -> None:
    """The token can be chosen."""
    emulator, session = await serve(token="other")
    async with session.get(ACCOUNT) as response:
        assert ("other", 200) == (emulator.token, response.status)


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/api",
        "/api/partner/nix",
        "/api/partner/property/1/nix",
        "/api/partner/address/find/a/b",
        "/api/partner/address/find//",
    ],
)
async def test_unknown_path(session: aiohttp.ClientSession, path: str) -> None:
    """An unknown path is Laravel's 404, whoever asks."""
    async with session.get(path, headers={"Authorization": "x"}) as response:
        actual = response.status, response.content_type, await response.json()
    message = f"The route {path.strip('/')} could not be found."
    assert (404, "application/json", {"message": message}) == actual


async def test_wrong_method(session: aiohttp.ClientSession) -> None:
    """A wrong method is Laravel's 405 with the allowed ones."""
    async with session.put(PROPERTY) as response:
        actual = response.status, response.headers["Allow"], (await response.json())["message"]
    message = (
        "The PUT method is not supported for route api/partner/property. "
        "Supported methods: GET, HEAD, POST."
    )
    assert (405, "GET, HEAD, POST", message) == actual


async def test_head(session: aiohttp.ClientSession) -> None:
    """HEAD answers the headers of GET."""
    async with session.head(ACCOUNT) as response:
        actual = response.status, response.content_type, await response.read()
    assert (200, "application/json", b"") == actual


@pytest.mark.parametrize("body", [b"{", b"[1]", b"", b"\xff", b"[" * 20_000])
async def test_malformed_json(session: aiohttp.ClientSession, body: bytes) -> None:
    """A body that is no JSON object is a bad request."""
    headers = {"Content-Type": "application/json"}
    async with session.post(PROPERTY, data=body, headers=headers) as response:
        actual = response.status, await response.json()
    assert (400, {"message": "The request body is not a JSON object."}) == actual


async def test_malformed_json_as_laravel(serve: Any) -> None:
    """As plain Laravel does, a malformed body may also count as one without fields."""
    _, session = await serve(assumed=Assumed(malformed_json_status=422))
    headers = {"Content-Type": "application/json"}
    async with session.post(PROPERTY, data=b"{", headers=headers) as response:
        actual = response.status, (await response.json())["message"]
    assert (422, "The address field is required.") == actual


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"Accept": "application/json, text/html"}, (422, None)),
        ({"Accept": "application/vnd.api+json"}, (422, None)),
        ({"Accept": "*/*"}, (302, "/")),
        ({"Accept": "text/html", "Referer": "http://x/form"}, (302, "/")),
    ],
    ids=["json", "json dialect", "anything", "browser"],
)
async def test_invalid_without_accept(
    session: aiohttp.ClientSession, headers: dict[str, str], expected: tuple[int, str | None]
) -> None:
    """Who does not ask for JSON is redirected when fields are invalid."""
    async with session.post(PROPERTY, json={}, headers=headers, allow_redirects=False) as response:
        assert expected == (response.status, response.headers.get("Location"))


async def test_too_large(serve: Any) -> None:
    """A body above the assumed limit is refused."""
    _, session = await serve(assumed=Assumed(max_body_bytes=10))
    async with session.post(PROPERTY, data=b"x" * 11) as response:
        actual = response.status, await response.json()
    assert (413, {"message": "The POST data is too large."}) == actual


async def test_received(
    emulator: Emulator, session: aiohttp.ClientSession, home: dict[str, Any]
) -> None:
    """The receive log holds what came and what was answered, and its repr keeps secrets."""
    async with session.post(f"{PROPERTY}?a=%2Bb", json=home) as response:
        assert 201 == response.status
    received = emulator.received[-1]
    assert ("POST", PROPERTY, f"{PROPERTY}?a=%2Bb", {"a": "+b"}, 201, None, True) == (
        received.method,
        received.path,
        received.raw_path,
        dict(received.query),
        received.status,
        received.fault,
        received.committed,
    )
    assert b'"line1": "123 Test Lane"' in received.body
    assert "application/json" == received.headers["Accept"]
    assert "Test Lane" not in repr(received)
    assert emulator.token not in repr(received)


async def test_received_is_bounded(serve: Any) -> None:
    """The receive log keeps the last requests and counts all; counters go by route."""
    emulator, session = await serve(received_limit=2)
    for path in (ACCOUNT, f"{PROPERTY}/1", f"{PROPERTY}/2", "/nix"):
        async with session.get(path):
            continue
    assert [f"{PROPERTY}/2", "/nix"] == [each.path for each in emulator.received]
    assert 4 == emulator.received.total
    assert {
        f"GET {ACCOUNT}": 1,
        f"GET {PROPERTY}/{{property_id}}": 2,
        "GET (unknown)": 1,
    } == emulator.counts.requests


async def test_rate_limit(serve: Any) -> None:
    """Answers tell the limit, and beyond it there is a 429 with the time to wait."""
    _, session = await serve(rate_limit=RateLimit(limit=1, per=30.0))
    answers = []
    for _ in range(2):
        async with session.get(ACCOUNT) as response:
            answers.append((response.status, response.headers.copy(), await response.json()))
    (status, headers, _), (second_status, second_headers, answer) = answers
    assert (200, "1", "0") == (
        status,
        headers["X-RateLimit-Limit"],
        headers["X-RateLimit-Remaining"],
    )
    assert "Retry-After" not in headers
    assert (429, "0", "30", {"message": "Too Many Attempts."}) == (
        second_status,
        second_headers["X-RateLimit-Remaining"],
        second_headers["Retry-After"],
        answer,
    )
    assert abs(int(second_headers["X-RateLimit-Reset"]) - time.time() - 30) < 5


async def test_rate_limit_comes_after_the_token(serve: Any) -> None:
    """Requests without a token do not use up the limit."""
    _, session = await serve(rate_limit=RateLimit(limit=1))
    async with session.get(ACCOUNT, headers={"Authorization": "x"}) as response:
        assert 401 == response.status
    async with session.get(ACCOUNT) as response:
        assert 200 == response.status


def test_window() -> None:
    """A window starts with its first request and ends after its time."""
    clock = iter([0.0, 5.0, 9.0, 9.9, 10.0]).__next__
    throttle = Throttle(RateLimit(limit=2, per=10.0), clock=clock)
    assert [True, True, False, False, True] == [throttle.hit()[0] for _ in range(5)]


@pytest.mark.parametrize("options", [{"limit": 0}, {"per": 0.0}], ids=["no requests", "no time"])
def test_wrong_rate_limit(options: dict[str, Any]) -> None:
    """A limit that lets nothing pass is refused."""
    with pytest.raises(ValueError, match=next(iter(options))):
        RateLimit(**options)


FOREIGN = [
    "evil.example",
    "evil.example:80",
    "localhost.evil.example",
    "10.0.0.1",
    "1.2.3.4",
    "x@y",
]


@pytest.mark.parametrize("host", FOREIGN)
async def test_pages_of_the_web(serve: Any, host: str) -> None:
    """A page that has let its own name lead to this machine reads and writes nothing."""
    emulator, session = await serve()
    async with session.get(ACCOUNT, headers={"Host": host}) as response:
        assert 403 == response.status
        assert emulator.store.account.reference_number not in await response.text()
    for origin in (f"https://{host}", "null"):
        async with session.post(PROPERTY, json={}, headers={"Origin": origin}) as response:
            assert 403 == response.status
    assert 0 == emulator.received.total


@pytest.mark.parametrize(
    "host", ["localhost:1", "127.0.0.1", "127.9.9.9:80", "[::1]:80", "a.localhost"]
)
async def test_names_of_this_machine(serve: Any, host: str) -> None:
    """Every name of this machine is answered, behind whatever port."""
    _, session = await serve()
    async with session.get(ACCOUNT, headers={"Host": host, "Origin": f"http://{host}"}) as response:
        assert 200 == response.status


async def test_received_is_bounded_in_bytes(serve: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the receive log keeps is bounded in memory, with a token or without."""
    monkeypatch.setattr("homebox_async.emulator.received._MOST_BYTES", 3_000_000)
    emulator, session = await serve()
    for _ in range(6):
        headers = {"Authorization": "Bearer wrong"}
        async with session.post(PROPERTY, data=b"x" * 1_000_000, headers=headers) as response:
            assert 401 == response.status
    assert 3 == len(emulator.received)
    assert 6 == emulator.received.total


BODIES = {
    "objects": (b'{"tenants": [%s]}', b"{}", "application/json"),
    "lists": (b'{"tenants": [%s]}', b"[]", "application/json"),
    "numbers": (b'{"tenants": [%s]}', b"1", "application/json"),
    "fields": (b"%s", b"a=1&b", "application/x-www-form-urlencoded"),
    "parts": (
        b"--x\r\n%s",
        b'Content-Disposition: form-data; name="a"\r\n\r\n1\r\n--x\r\n',
        "multipart/form-data; boundary=x",
    ),
}


@pytest.mark.parametrize("name", BODIES)
async def test_bodies_that_are_made_to_take_long(
    emulator: Emulator, session: aiohttp.ClientSession, name: str
) -> None:
    """A body of more parts than any operation takes is refused at once."""
    whole, part, kind = BODIES[name]
    body = whole % b",".join([part] * (6_000_000 // (len(part) + 1)))
    headers = {"Content-Type": kind}
    async with session.post(
        "/api/partner/lead", data=io.BytesIO(body), headers=headers
    ) as response:
        assert 413 == response.status
