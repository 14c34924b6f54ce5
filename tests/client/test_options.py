"""How a client is set up, what it keeps to itself, and what goes around its calls."""

import asyncio
import datetime as dt
import gc
import gzip
import logging
import pickle
import traceback
import tracemalloc
import zlib
from typing import Any

import aiohttp
import pytest
from aioresponses import aioresponses

from homebox_async import (
    Address,
    AnswerUnusable,
    AsyncHomebox,
    ConfigurationError,
    Homebox,
    HomeboxError,
    NewTenant,
    OutcomeUnknown,
    Request,
    Response,
    Retry,
    StatusError,
    ValidationError,
)
from homebox_async.origin import proxy_for
from homebox_async.wire import Secret

PRODUCTION = "https://accounts.billingbetter.co.uk"


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HOMEBOX_TOKEN", "HOMEBOX_BASE_URL", "HTTPS_PROXY", "https_proxy"):
        monkeypatch.delenv(name, raising=False)
    for name in ("NO_PROXY", "no_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)


# --- token and origin


@pytest.mark.parametrize(
    ("environment", "origin"),
    [("production", PRODUCTION), ("sandbox", "https://sandbox.billingbetter.co.uk")],
)
def test_environments(environment: Any, origin: str) -> None:
    """The vendor's two environments are known by name."""
    client = AsyncHomebox("t", environment=environment)
    assert origin == client.base_url
    assert f"<AsyncHomebox {origin}>" == repr(client)


async def test_the_environment_variables(server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Token and origin come from the environment unless they are given."""
    monkeypatch.setenv("HOMEBOX_TOKEN", " from-env\n")
    monkeypatch.setenv("HOMEBOX_BASE_URL", server.url)
    async with AsyncHomebox() as client:
        await client.request("GET", "x")
    async with AsyncHomebox("given") as client:
        await client.request("GET", "x")
    assert ["Bearer from-env", "Bearer given"] == [s.headers["authorization"] for s in server.seen]


@pytest.mark.parametrize("make", [AsyncHomebox, Homebox])
@pytest.mark.parametrize("token", [None, "", "  "])
def test_no_token(make: Any, token: str | None) -> None:
    """Without a token there is no client."""
    with pytest.raises(ConfigurationError, match="no API token; pass token"):
        make(token)


@pytest.mark.parametrize("token", ["a b", "a\nb", "tokén", "a\x00b", "Bearer abc"], ids=ascii)
def test_ill_formed_tokens(token: str) -> None:
    """A token that cannot be one is refused without being repeated."""
    with pytest.raises(ConfigurationError, match="check how it was copied") as caught:
        AsyncHomebox(token)
    assert token not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com",
        "http://192.168.0.1",
        "http://localhost.example.com",
        "http://127.0.0.1.example.com",
        "ftp://example.com",
        "example.com",
        "https://",
        "https://user:secret@example.com",
        "https://example.com/api",
        "https://example.com?x=1",
        "https://example.com#x",
        "https://example.com:99999999",
        "//example.com",
    ],
)
def test_origins_that_are_refused(url: str) -> None:
    """A token goes to an origin over https, or to loopback."""
    with pytest.raises(ConfigurationError, match="base_url"):
        AsyncHomebox("t", base_url=url)


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("http://127.0.0.1:8080/", "http://127.0.0.1:8080"),
        ("http://127.8.9.1", "http://127.8.9.1"),
        ("http://localhost:1", "http://localhost:1"),
        ("http://[::1]:1", "http://[::1]:1"),
        ("https://example.com:8443", "https://example.com:8443"),
    ],
)
def test_origins_that_are_fine(url: str, origin: str) -> None:
    """Plain http is fine to loopback, https everywhere."""
    assert origin == AsyncHomebox("t", base_url=url).base_url


@pytest.mark.parametrize(
    "options",
    [
        {"timeout": 0},
        {"timeout": -1.0},
        {"timeout": float("nan")},
        {"deadline": 0},
        {"max_connections": 0},
        {"max_body": 0},
    ],
    ids=str,
)
def test_numbers_that_make_no_sense(options: dict[str, Any]) -> None:
    """Limits have to be above 0, in a view as well."""
    (name,) = options
    with pytest.raises(ConfigurationError, match=f"{name} is"):
        AsyncHomebox("t", **options)
    if name == "deadline":
        with pytest.raises(ConfigurationError, match="deadline is 0"):
            AsyncHomebox("t").with_options(deadline=0)


# --- proxies


@pytest.mark.parametrize(
    ("environment", "origin", "expected"),
    [
        ({"https_proxy": "http://p:1"}, "https://a.example", "http://p:1"),
        ({"HTTPS_PROXY": "http://p:1"}, "https://a.example", "http://p:1"),
        ({"http_proxy": "http://p:1"}, "http://127.0.0.1:5", None),
        ({"https_proxy": "http://p:1", "no_proxy": "example"}, "https://a.example", None),
        ({"https_proxy": "http://p:1", "no_proxy": "b.example"}, "https://a.example", "http://p:1"),
        ({"https_proxy": "http://p:1", "no_proxy": "a.example:443"}, "https://a.example", None),
        ({"https_proxy": "http://p:1", "no_proxy": "*"}, "https://a.example", None),
        ({}, "https://a.example", None),
    ],
    ids=str,
)
def test_proxy_of_the_environment(
    environment: dict[str, str],
    origin: str,
    expected: str | None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """HTTPS_PROXY and NO_PROXY decide, once per client; plain http never uses a proxy."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert expected == proxy_for(origin)
    made = AsyncHomebox("t", base_url=origin)._transport._proxy
    assert expected == (None if made is None else str(made).rstrip("/"))


@pytest.mark.parametrize("proxy", ["socks5://p:1", "ftp://p", "http:///x", "http://p:99999999"])
def test_proxies_that_cannot_be_used(proxy: str) -> None:
    """A proxy that cannot be used is refused at once, unrepeated: it may hold a password."""
    with pytest.raises(ConfigurationError, match="the proxy is not one that can be used") as caught:
        AsyncHomebox("t", proxy=proxy)
    assert proxy not in str(caught.value)


def test_a_proxy_of_ones_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """A given proxy wins, "" switches the environment's off, and a bare host is one too."""
    monkeypatch.setenv("https_proxy", "http://p:1")
    assert AsyncHomebox("t", proxy="")._transport._proxy is None
    assert "http://q:3128" == str(AsyncHomebox("t", proxy="q:3128")._transport._proxy)


async def test_a_proxy_that_refuses(server: Any) -> None:
    """What a proxy refuses was not sent to the server, and the token was not shown to it."""
    server.default = server.say(407)
    async with AsyncHomebox("canary", proxy=server.url, retry=Retry(attempts=1)) as client:
        with pytest.raises(HomeboxError, match="not sent"):
            await client.request("POST", "x", json={"secret": 1})
    (seen,) = server.seen
    assert "CONNECT" == seen.method
    assert "canary" not in str(seen.headers)
    assert b"" == seen.body


# --- life


async def test_closed(connect: Any) -> None:
    """A closed client refuses to work, used before or not."""
    for used in (False, True):
        client = connect()
        if used:
            await client.request("GET", "x")
        await client.aclose()
        with pytest.raises(ConfigurationError, match="this client is closed"):
            await client.request("GET", "x")


def test_another_loop(served_url: str) -> None:
    """A client in use on one loop says so on another, and can be closed there."""
    client = AsyncHomebox("t", base_url=served_url, retry=Retry(attempts=1))

    async def use() -> None:
        with pytest.raises(HomeboxError):
            await client.request("GET", "x")

    async def use_again() -> None:
        with pytest.raises(ConfigurationError, match="in use on another event loop"):
            await client.request("GET", "x")
        await client.aclose()

    asyncio.run(use())
    asyncio.run(use_again())


@pytest.fixture
def served_url() -> str:
    """Return an origin where nobody listens."""
    return "http://127.0.0.1:9"


async def test_closed_from_another_loop(server: Any) -> None:
    """Closing from another loop is done on the loop that the connections live on."""
    client = AsyncHomebox("t", base_url=server.url)
    await client.request("GET", "x")
    await asyncio.to_thread(lambda: asyncio.run(client.aclose()))
    with pytest.raises(ConfigurationError):
        await client.request("GET", "x")


async def test_a_view_does_not_close_the_rest(server: Any) -> None:
    """A view that goes out of scope closes nothing and says nothing."""
    async with AsyncHomebox("t", base_url=server.url) as client:
        for _ in range(3):
            await client.with_options(deadline=5).request("GET", "x")
            gc.collect()
        await client.request("GET", "x")
    assert 1 == server.connections


async def test_a_view_keeps_the_connections(server: Any) -> None:
    """A view is a client of its own: what it came from may go."""
    view = AsyncHomebox("t", base_url=server.url).with_options(retry=Retry(attempts=1))
    gc.collect()
    await view.request("GET", "x")
    await view.aclose()


async def test_forgotten(server: Any) -> None:
    """An async client that is dropped unclosed warns once and lets its connections go."""
    client = AsyncHomebox("t", base_url=server.url)
    await client.request("GET", "x")
    dropped = [client]
    del client
    with pytest.warns(ResourceWarning) as caught:
        dropped.clear() or gc.collect()
    assert [f"a client of {server.url} was not closed; use `async with` or await aclose()"] == [
        str(warning.message) for warning in caught
    ]


# --- middlewares


def tracer(name: str, trail: list[str]) -> Any:
    """Return a middleware that leaves its name on the way in and out."""

    async def trace(request: Request, handler: Any) -> Response:
        trail.append(f"{name}>")
        try:
            return await handler(request)
        finally:
            trail.append(f"<{name}")

    return trace


async def test_the_order_of_middlewares(server: Any, connect: Any) -> None:
    """A user's middlewares run in order, once per call or once per attempt; a view adds more."""
    trail: list[str] = []
    server.acts = [server.reset]
    client = connect(
        middlewares=[tracer("a", trail), tracer("b", trail)],
        attempt_middlewares=[tracer("x", trail)],
    )
    await client.request("GET", "x")
    assert ["a>", "b>", "x>", "<x", "x>", "<x", "<b", "<a"] == trail
    trail.clear()
    view = client.with_options(
        middlewares=[tracer("c", trail)], attempt_middlewares=[tracer("y", trail)]
    )
    await view.request("GET", "x")
    assert ["a>", "b>", "c>", "x>", "y>", "<y", "<x", "<c", "<b", "<a"] == trail


async def test_a_middleware_may_answer_itself(server: Any, connect: Any) -> None:
    """A middleware may answer without the server, and see the typed result of others."""
    seen: list[Any] = []

    async def cache(request: Request, handler: Any) -> Response:
        if request.path == "cached":
            return Response(200, {}, b"", result="mine")
        response = await handler(request)
        seen.append(response.result)
        return response

    client = connect(middlewares=[cache])
    assert "mine" == await client.request("GET", "cached")
    assert {} == await client.request("GET", "x")
    assert ([{}], 1) == (seen, len(server.seen))


# --- sizes


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
@pytest.mark.parametrize("how", ["length", "chunked", "gzip"])
async def test_answers_that_are_too_large(server: Any, connect: Any, method: str, how: str) -> None:
    """An answer beyond `max_body` is not read on; a DELETE has succeeded all the same."""
    body = b" " * 10_000
    if how == "length":
        server.default = server.say(200, body)
    elif how == "gzip":
        server.default = server.say(200, gzip.compress(body), [("Content-Encoding", "gzip")])
    else:
        head = b"HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\n\r\n"
        server.default = lambda wire, _: wire.write(
            head + b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
        )
    client = connect(max_body=1000)
    if method == "DELETE":
        assert await client.request("DELETE", "x") is None
        return
    with pytest.raises((AnswerUnusable, OutcomeUnknown), match="larger than 1000 bytes"):
        await client.request(method, "x")
    assert (1 if method == "POST" else 3) == len(server.seen)


@pytest.mark.parametrize("status", [200, 422])
async def test_a_gzip_bomb(server: Any, connect: Any, status: int) -> None:
    """A small answer that unpacks to a lot costs little memory."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    bomb = b"".join(packer.compress(bytes(1 << 20)) for _ in range(200)) + packer.flush()
    server.default = server.say(status, bomb, [("Content-Encoding", "gzip")])
    client = connect(max_body=1 << 20, retry=Retry(attempts=1))
    tracemalloc.start()
    kind = AnswerUnusable if status == 200 else StatusError
    with pytest.raises(kind):
        await client.request("GET", "x")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 30 << 20


async def test_gzip_is_unpacked(server: Any, client: Any) -> None:
    """A packed answer within the limit is read."""
    server.default = server.say(200, gzip.compress(b'{"a": 1}'), [("Content-Encoding", "gzip")])
    assert {"a": 1} == await client.request("GET", "x")
    assert "gzip, deflate" == server.seen[0].headers["accept-encoding"]


# --- nothing leaks

CANARY = "canary-3f9a1"
PHONE = "+447700900123"


async def leaks(call: Any) -> str:
    """Return all that an error shows: text, repr, traceback with locals, pickled state."""
    try:
        await call
    except BaseException as error:
        shown = traceback.TracebackException.from_exception(error, capture_locals=True)
        chain: list[str] = []
        link: BaseException | None = error
        while link is not None:
            chain += [repr(link), str(link), repr(link.__dict__), repr(link.args)]
            link = link.__cause__ or link.__context__
        again = pickle.dumps(error) if isinstance(error, HomeboxError) else b""
        return "".join(shown.format()) + " ".join(chain) + again.decode("latin-1")
    return "no error"


@pytest.mark.parametrize(
    "act", ["reset", "close", "truncate", "hang", "garbage", "422", "500", "302", "huge", "refused"]
)
async def test_canaries(server: Any, act: str, caplog: pytest.LogCaptureFixture) -> None:
    """Neither token nor personal data is in logs, reprs, errors or tracebacks with locals."""
    caplog.set_level(logging.DEBUG)
    asyncio.get_running_loop().set_debug(True)
    echo = f'{{"message": "no {CANARY}@example.com {PHONE}"}}'.encode()
    server.default = {
        "garbage": server.say(200, b"<" + CANARY.encode()),
        "422": server.say(422, echo),
        "500": server.say(500, echo),
        "302": server.say(302, b"", [("Location", "/login")]),
        "huge": server.say(200, CANARY.encode() * 9000),
        "refused": server.reset,
    }.get(act) or getattr(server, act)
    client = AsyncHomebox(
        f"token-{CANARY}",
        base_url="http://127.0.0.1:9" if act == "refused" else server.url,
        timeout=0.05,
        max_body=50_000,
        retry=Retry(backoff=0.0, attempts=2),
    )
    tenant = NewTenant(
        first_name=CANARY,
        last_name=CANARY,
        phone_number=PHONE,
        email_address=f"{CANARY}@example.com",
    )
    shown = await leaks(
        client.leads.create(
            tenancy_start=dt.date(2026, 1, 1),
            tenancy_end=dt.date(2027, 1, 1),
            tenants=[tenant],
            notifications=False,
        )
    )
    shown += await leaks(client.account.get())
    shown += repr(client) + repr(client._transport) + repr(tenant) + repr(vars(client))
    shown += repr(vars(client._transport)) + repr(client._transport._session)
    shown += repr(getattr(client._transport._session, "headers", ""))
    await client.aclose()
    asyncio.get_running_loop().set_debug(False)
    assert "no error" not in shown
    for text in (shown, caplog.text):
        assert CANARY not in text
        assert PHONE not in text


@pytest.mark.parametrize("make", [AsyncHomebox, Homebox])
@pytest.mark.parametrize(
    "options", [{"base_url": "nonsense"}, {"environment": "x"}, {"timeout": -1}], ids=str
)
async def test_canaries_of_the_set_up(make: Any, options: dict[str, Any]) -> None:
    """A client that cannot be made does not show its token in the traceback."""

    async def call() -> None:
        make(CANARY[::-1][::-1], **options)

    shown = await leaks(call())
    ours = shown[shown.index("homebox_async") :]
    assert "ConfigurationError" in ours
    assert CANARY not in ours


def test_secrets() -> None:
    """A secret is its text, and shows itself masked."""
    secret = Secret("abc")
    assert "abc" == secret
    assert "'***'" == repr(secret)
    assert "['***']" == str([secret])


async def test_the_log(server: Any, client: Any, caplog: pytest.LogCaptureFixture) -> None:
    """At DEBUG there is one line per call, with the operation and what came of it."""
    caplog.set_level(logging.DEBUG, "homebox_async")
    await client.request("GET", "a/{id}", params={"id": "private"})
    server.default = server.say(404)
    with pytest.raises(HomeboxError):
        await client.request("GET", "a/{id}", params={"id": "private"})
    first, second = (record.getMessage() for record in caplog.records)
    assert first.startswith("GET a/{id}: 200, 2 bytes, ")
    assert second.startswith("GET a/{id}: the server answered 404: ")


# --- with aioresponses


async def test_aioresponses() -> None:
    """Users may fake small cases with aioresponses."""
    with aioresponses() as fake:
        url = f"{PRODUCTION}/api/partner/account"
        fake.get(url, payload={"data": {"name": "Agency", "management_fee": "12.5"}})
        async with AsyncHomebox("t") as client:
            account = await client.account.get()
    assert ("Agency", "12.5") == (account.name, str(account.management_fee))


async def test_aioresponses_with_failures() -> None:
    """Errors and exceptions of aioresponses come out as ours."""
    with aioresponses() as fake:
        url = f"{PRODUCTION}/api/partner/property"
        fake.post(url, status=422, payload={"errors": {"address": ["bad"]}})
        fake.post(url, exception=aiohttp.ServerDisconnectedError())
        async with AsyncHomebox("t", retry=Retry(attempts=1)) as client:
            home = Address(line1="1", city="L", postcode="EC1V 2NX")
            with pytest.raises(StatusError) as caught:
                await client.properties.create(home)
            with pytest.raises(HomeboxError):
                await client.properties.create(home)
    assert {"address": ("bad",)} == caught.value.errors


def test_a_validation_error_is_a_value_error() -> None:
    """A validation error is also a ValueError, for those who catch these."""
    with pytest.raises(ValueError, match="nothing was sent"):
        raise ValidationError([])
