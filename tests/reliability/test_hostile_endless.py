"""Answers without end or at a crawl, and absurd pauses: no call outlives its timeout or deadline.

Upper bounds of time are generous: they tell "it ended" from "it hangs".
"""

import asyncio
import time
import tracemalloc
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from homebox_async import (
    AnswerUnusable,
    AttemptTimeout,
    ConfigurationError,
    ConnectionFailed,
    DeadlineExceeded,
    HomeboxError,
    OutcomeUnknown,
    RateLimited,
    RequestError,
    Retry,
    ServerError,
)
from homebox_async.billing import AsyncBilling

ONCE = Retry(attempts=1)
OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
HUNG = 30.0


def endless(first: bytes, again: bytes, pause: float = 0.0) -> Callable[..., Awaitable[None]]:
    """Return the act that writes something, and then something else for ever."""

    async def act(wire: Any, _: Any) -> None:
        await wire.write(first)
        while True:
            await wire.write(again)
            await asyncio.sleep(pause)

    return act


FLOODS = {
    "headers": (OK, b"X: y\r\n" * 1000, ConnectionFailed),
    "one header": (OK + b"X: ", b"a" * 65_536, ConnectionFailed),
    "a status line": (b"HTTP/1.1 200 ", b"a" * 65_536, ConnectionFailed),
    "answers of 100": (b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 1000, AttemptTimeout),
    "a body": (OK + b"\r\n", b" " * 65_536, AnswerUnusable),
    "a body of a length": (
        OK + b"Content-Length: 99999999999\r\n\r\n",
        b" " * 65_536,
        AnswerUnusable,
    ),
    "chunks": (CHUNKED, b"10000\r\n" + b" " * 65_536 + b"\r\n", AnswerUnusable),
    "chunks of one byte": (CHUNKED, b"1\r\n \r\n" * 5000, AnswerUnusable),
    "one chunk": (CHUNKED + b"FFFFFFFFFFF\r\n", b" " * 65_536, AnswerUnusable),
    "chunk extensions": (CHUNKED + b"5;", b"a" * 65_536, AttemptTimeout),
    "trailers": (CHUNKED + b"0\r\n", b"X: y\r\n" * 1000, ConnectionFailed),
}


@pytest.mark.parametrize("name", FLOODS)
async def test_floods(server: Any, connect: Any, name: str) -> None:
    """What never ends is given up at a limit of size or time, and costs little memory."""
    first, again, expected = FLOODS[name]
    server.default = endless(first, again)
    # Only what has no other end waits for the timeout.
    client = connect(retry=ONCE, timeout=1 if expected is AttemptTimeout else HUNG, max_body=50_000)
    tracemalloc.start()
    began = time.monotonic()
    with pytest.raises(expected):
        await client.account.get()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert time.monotonic() - began < HUNG
    assert peak < 32 << 20
    with pytest.raises(OutcomeUnknown):
        await client.request("POST", "x", json={})


DRIPS = {
    "status line": (b"", b"H"),
    "headers": (OK, b"X"),
    "body": (OK + b"Content-Length: 100000\r\n\r\n", b" "),
    "chunks": (CHUNKED, b"1\r\n \r\n"),
    "interim answers": (b"", b"HTTP/1.1 103 X\r\n\r\n"),
    "error body": (b"HTTP/1.1 422 X\r\nContent-Length: 100000\r\n\r\n", b" "),
}


@pytest.mark.parametrize("limit", ["timeout", "deadline"])
@pytest.mark.parametrize("name", DRIPS)
async def test_drips(server: Any, connect: Any, name: str, limit: str) -> None:
    """A byte now and then keeps no attempt alive beyond its timeout, nor a call its deadline."""
    first, drop = DRIPS[name]
    server.default = endless(first, drop, 0.02)
    began = time.monotonic()
    with pytest.raises(RequestError) as caught:
        await connect(retry=ONCE, **{limit: 0.4}).account.get()
    assert time.monotonic() - began < 15
    if name == "error body":
        assert 422 == getattr(caught.value, "status", None)
    elif name not in {"status line", "headers"}:  # which may be refused before
        assert isinstance(caught.value, (AttemptTimeout, DeadlineExceeded))
    assert server.seen


@pytest.mark.parametrize("how", ["save", "iterate"])
async def test_a_document_at_a_crawl(server: Any, tmp_path: Any, how: str) -> None:
    """A document that never stalls and never ends is ended by the deadline, or by its size."""
    server.default = endless(OK + b"\r\n%PDF-1.7\n", b"x" * 1000, 0.02)
    options = {"base_url": server.url, "retry": ONCE, "proxy": ""}

    async def fetch(client: AsyncBilling) -> None:
        document = client.document("BE00000001")
        if how == "save":
            await document.save(tmp_path)
        async for _ in document:
            pass

    async with AsyncBilling("t", deadline=0.5, **options) as client:
        with pytest.raises(DeadlineExceeded):
            await fetch(client)
    async with AsyncBilling("t", max_document=5000, **options) as client:
        with pytest.raises(AnswerUnusable, match="larger than 5000 bytes"):
            await fetch(client)
    assert [] == list(tmp_path.iterdir())


async def test_a_login_at_a_crawl(server: Any) -> None:
    """A login that never ends fails the call as not sent."""
    server.default = endless(OK + b"\r\n", b"x", 0.02)
    async with AsyncBilling(
        username="a",
        password="b",
        base_url=server.url,
        login_url=server.url,
        retry=ONCE,
        timeout=0.3,
        proxy="",
    ) as client:
        with pytest.raises(AttemptTimeout) as caught:
            await client.get(1)
    assert "not sent" == caught.value.outcome.value


PAUSES = [
    *("1000000000", "999999999999", "9" * 400, "-1", "-0", "NaN", "inf", "1e9", "0x10", "soon"),
    *("", " ", "1;2", "١٢", "Fri, 31 Dec 9999 23:59:59 GMT", "Thu, 01 Jan 1970 00:00:00 GMT"),
    *("Fri, 31 Dec 99999 23:59:59 GMT", "Fri, 31 Feb 2099 23:59:59 GMT", "\xff", "9999999999-01"),
]


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("pause", PAUSES, ids=ascii)
async def test_absurd_pauses(server: Any, connect: Any, pause: str, status: int) -> None:
    """Whatever Retry-After says, the call ends by its deadline, with a word about what it was."""
    head = f"HTTP/1.1 {status} X\r\nRetry-After: {pause}\r\nContent-Length: 0\r\n\r\n"
    server.default = lambda wire, _: wire.write(head.encode("utf-8", "surrogateescape"))
    client = connect(deadline=3, retry=Retry(backoff=0.01))
    began = time.monotonic()
    with pytest.raises((RateLimited, ServerError)) as caught:
        await client.account.get()
    assert time.monotonic() - began < 20
    assert len(server.seen) <= 3
    assert str(status) in str(caught.value)
    # The next call fails too, at once or by its own attempts, and never waits without end.
    with pytest.raises(HomeboxError) as caught_again:
        await client.account.get()
    assert not isinstance(caught_again.value, ConfigurationError)
    assert time.monotonic() - began < 20
