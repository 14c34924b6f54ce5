"""Two ways through aiohttp, one behaviour: its own `request`, and the needed steps of it."""

import functools
from collections.abc import Callable
from typing import Any

import aiohttp
import pytest
from aioresponses import aioresponses

from homebox_async import AsyncHomebox, HomeboxError, Retry, Upload, exchange, transport

VERSION = tuple(map(int, aiohttp.__version__.split(".")[:2]))


def _told(error: HomeboxError) -> tuple[Any, ...]:
    return (type(error), str(error), getattr(error, "outcome", None))


async def _come_to(client: AsyncHomebox, method: str, **request: Any) -> Any:
    try:
        return await client.request(method, "x/{id}", params={"id": "a/b c"}, **request)
    except HomeboxError as error:
        return _told(error)


ACTS: dict[str, Callable[[Any], Any]] = {
    "success": lambda server: server.say(200, b'{"data": [1]}'),
    "empty": lambda server: server.say(204, b""),
    "not found": lambda server: server.say(404, b'{"message": "No such thing"}'),
    "redirect": lambda server: server.say(302, b"", [("Location", "/elsewhere")]),
    "large": lambda server: server.say(200, b'"' + b"x" * 300_000 + b'"'),
    "too large": lambda server: server.say(200, b'"' + b"x" * 600_000 + b'"'),
    "half": lambda server: server.truncate,
    "reset": lambda server: server.reset,
    "close": lambda server: server.close,
    "silence": lambda server: server.hang,
    "stalled": lambda server: server.stall,
    "no length": lambda server: _raw(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n[1]"),
    "hints first": lambda server: _raw(
        b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
    ),
    "chunked": lambda server: _raw(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n[1\r\n1\r\n]\r\n0\r\n\r\n"
    ),
    "no HTTP": lambda server: _raw(b"SSH-2.0-OpenSSH_9.2\r\n\r\n"),
    "cookies": lambda server: server.say(200, b"{}", [("Set-Cookie", "a=b")]),
}


def _raw(data: bytes) -> Any:
    async def act(wire: Any, _: Any) -> None:
        await wire.write(data)
        if b"close" in data:
            wire.writer.close()

    return act


@pytest.mark.parametrize("method", ["GET", "POST", "PATCH", "DELETE", "HEAD"])
@pytest.mark.parametrize("name", ACTS)
async def test_both_ways_come_to_the_same(
    name: str,
    method: str,
    server: Any,
    connect: Callable[..., AsyncHomebox],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The server receives the same bytes, and the caller gets the same result or error."""
    server.default = ACTS[name](server)
    request = {"json": {"a": "é"}} if method in {"POST", "PATCH"} else {"query": {"q": "+/="}}
    ends, heads = [], []
    for plain in (True, False):
        with monkeypatch.context() as patch:
            if not plain:
                patch.setattr(transport, "is_plain", lambda _: False)
            client = connect(retry=Retry(attempts=2, backoff=0), timeout=0.1, max_body=500_000)
            ends.append(await _come_to(client, method, **request))
            ends.append(await _come_to(client, method, **request))
        pool = client._transport
        assert (plain and VERSION == exchange._KNOWN) == (pool._plain_request is not None)
        heads.append([(one.method, one.target, one.headers, one.body) for one in server.seen])
        server.seen.clear()

    assert ends[:2] == ends[2:]
    assert heads[0] == heads[1]
    assert heads[0]


async def test_forms_go_the_long_way(server: Any, client: AsyncHomebox) -> None:
    """A form with a file is sent by aiohttp itself, and the connection is used again."""
    await client.request("GET", "x")
    await client.request("POST", "x", form={"photo": Upload(b"abc", "a.png", "image/png")})
    await client.request("GET", "x")

    assert [1, 1, 1] == [seen.connection for seen in server.seen]
    assert b'filename="a.png"' in server.seen[1].body


async def test_a_fake_that_comes_later_is_seen(server: Any, client: AsyncHomebox) -> None:
    """aioresponses fakes the calls of a client that has spoken to a server before."""
    await client.request("GET", "x")
    with aioresponses() as fake:
        fake.get(f"{server.url}/api/partner/x", payload={"data": "faked"})
        assert {"data": "faked"} == await client.request("GET", "x")
    assert {} == await client.request("GET", "x")

    assert 2 == len(server.seen)


async def test_whoever_wraps_aiohttp_is_called(
    connect: Callable[..., AsyncHomebox], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a library puts in the place of aiohttp's own method is used."""
    asked: list[str] = []
    own = aiohttp.ClientSession._request

    @functools.wraps(own)
    async def wrapped(self: Any, method: str, *args: Any, **more: Any) -> Any:
        asked.append(method)
        return await own(self, method, *args, **more)

    client = connect()
    await client.request("GET", "x")
    monkeypatch.setattr(aiohttp.ClientSession, "_request", wrapped)
    await client.request("GET", "x")
    await connect().request("POST", "x", json={})

    assert ["GET", "POST"] == asked


async def test_traces_are_told(
    connect: Callable[..., AsyncHomebox], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A tool that gives every session a trace sees every request."""
    told: list[str] = []
    trace = aiohttp.TraceConfig()

    async def start(_: Any, __: Any, params: Any) -> None:
        told.append(params.method)

    trace.on_request_start.append(start)
    own = aiohttp.ClientSession.__init__

    def traced(self: Any, *args: Any, **more: Any) -> None:
        own(self, *args, trace_configs=[trace], **more)

    monkeypatch.setattr(aiohttp.ClientSession, "__init__", traced)
    await connect().request("GET", "x")

    assert ["GET"] == told
