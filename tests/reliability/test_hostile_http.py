"""Servers that break HTTP itself: each answer ends in our own error, or is tolerated as told here.

Where each hostile case is tested, in this folder where no other is named:

=====================================================  ========================================
gzip, deflate, brotli, zstd bombs; never asked for     test_hostile_bombs; client/test_options
endless headers, bodies, chunks, 1xx; slow drip        test_hostile_endless
status lines, headers, lengths, 101, 204, TE and CL    here; resets: client/test_outcomes
absurd Retry-After                                     test_hostile_endless; unit/test_retry
pages that loop, shrink, grow, ignore `page`, lie      test_hostile_pages; unit/test_pages
links to another host                                  test_hostile_pages
redirects to another origin, to http                   test_hostile_redirects
content types, charsets, BOM, UTF-16, 200 with HTML    test_hostile_json; unit/test_codec
or an error inside
deep JSON, NaN, huge integers, surrogates, duplicate   test_hostile_json; unit/test_codec
keys, lists for objects
words of the server that drive terminals               test_hostile_json; cli/test_cli_process
documents: endless, cut, named by the server           test_hostile_documents; billing/test_saving
NaN, CRLF and the like in what we send                 test_hostile_requests; client/test_requests
rows: formulas, NUL, control, right-to-left, megabytes test_hostile_rows; importer/test_columns
ids and texts of a server that no journal holds        test_hostile_imports
paths: journal, results, targets, links, devices       test_hostile_paths; billing/test_saving
=====================================================  ========================================
"""

import asyncio
import gzip
from collections.abc import Callable
from typing import Any

import pytest
from aiohttp.helpers import DEBUG

from homebox_async import (
    AnswerUnusable,
    AsyncHomebox,
    AttemptTimeout,
    ConnectionFailed,
    Homebox,
    NotFound,
    OutcomeUnknown,
    RedirectRefused,
    RequestError,
    Retry,
    ServerError,
)
from homebox_async.billing import AsyncBilling

ONCE = Retry(attempts=1)
BODY = b'{"data": {"name": "x"}, "count": 1}'
OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
FINE = None
LENIENT = ConnectionFailed if DEBUG else FINE  # aiohttp is strict in Python's development mode


def said(body: bytes = BODY, headers: bytes = b"", line: bytes = b"HTTP/1.1 200 OK") -> bytes:
    """Return an answer whose length is right."""
    return line + b"\r\n" + headers + b"Content-Length: %d\r\n\r\n" % len(body) + body


def sized(length: bytes) -> bytes:
    """Return an answer that says another length."""
    return OK + b"Content-Length: " + length + b"\r\n\r\n" + BODY


def chunk(body: bytes = BODY) -> bytes:
    """Return a chunk."""
    return b"%x\r\n%s\r\n" % (len(body), body)


# name -> the bytes, and what a read comes to
CASES: dict[str, tuple[bytes, type[RequestError] | None]] = {
    "100 and then 200": (b"HTTP/1.1 100 Continue\r\n\r\n" + said(), FINE),
    "103 and then 200": (b"HTTP/1.1 103 Early\r\nLink: <x>\r\n\r\n" + said(), FINE),
    "1000 times 100": (b"HTTP/1.1 100 Continue\r\n\r\n" * 1000 + said(), FINE),
    "101 with upgrade": (
        b"HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n" + BODY,
        AnswerUnusable,
    ),
    "101 without": (b"HTTP/1.1 101 X\r\n\r\n" + BODY, AnswerUnusable),
    "status 000": (said(line=b"HTTP/1.1 000 X"), AnswerUnusable),
    "status 99": (said(line=b"HTTP/1.1 99 X"), ConnectionFailed),
    "status 600": (said(b"", line=b"HTTP/1.1 600 X"), ServerError),
    "status 999": (said(b"", line=b"HTTP/1.1 999 X"), ServerError),
    "status 1000": (said(line=b"HTTP/1.1 1000 X"), ConnectionFailed),
    "status below 0": (said(line=b"HTTP/1.1 -200 X"), ConnectionFailed),
    "status in words": (said(line=b"HTTP/1.1 OK OK"), ConnectionFailed),
    "no reason": (said(line=b"HTTP/1.1 200"), FINE),
    "204 with a body": (said(line=b"HTTP/1.1 204 X"), ConnectionFailed),
    "304": (b"HTTP/1.1 304 X\r\n\r\n", RedirectRefused),
    "HTTP/0.9": (BODY, ConnectionFailed),
    "HTTP/0.9 page": (b"<html>hello</html>", ConnectionFailed),
    "HTTP/1.0": (b"HTTP/1.0 200 OK\r\n\r\n" + BODY, FINE),
    "HTTP/3.0": (said(line=b"HTTP/3.0 200 OK"), ConnectionFailed),
    "another protocol": (b"220 mail.example ESMTP\r\n", ConnectionFailed),
    "TLS alert": (b"\x15\x03\x01\x00\x02\x02\x46", ConnectionFailed),
    "all bytes": (bytes(range(256)) * 100, ConnectionFailed),
    "line feeds alone": (said().replace(b"\r\n", b"\n"), LENIENT),
    "length too long, closed": (sized(b"1000"), ConnectionFailed),
    "length too short": (sized(b"5"), ConnectionFailed),
    "length below 0": (sized(b"-5"), ConnectionFailed),
    "length with a sign": (sized(b"+35"), ConnectionFailed),
    "length in words": (sized(b"many"), ConnectionFailed),
    "length of 2^64": (sized(b"18446744073709551616"), ConnectionFailed),
    "length of 2^64 - 1": (sized(b"18446744073709551615"), AnswerUnusable),
    "length of 2^63": (sized(b"9223372036854775808"), AnswerUnusable),
    "two lengths": (
        OK + b"Content-Length: 35\r\nContent-Length: 5\r\n\r\n" + BODY,
        ConnectionFailed,
    ),
    "length and chunks": (
        OK + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk() + b"0\r\n\r\n",
        ConnectionFailed,
    ),
    "chunks and length": (
        OK + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n" + chunk() + b"0\r\n\r\n",
        ConnectionFailed,
    ),
    "an unknown transfer coding": (
        OK + b"Transfer-Encoding: xchunked\r\n\r\n" + chunk() + b"0\r\n\r\n",
        AnswerUnusable,
    ),
    "chunk size below 0": (CHUNKED + b"-5\r\n" + BODY, ConnectionFailed),
    "chunk size beyond 64 bits": (CHUNKED + b"F" * 20 + b"\r\n" + BODY, ConnectionFailed),
    "chunk size of 63 bits": (CHUNKED + b"7" + b"F" * 15 + b"\r\n" + BODY, ConnectionFailed),
    "chunk without its end": (CHUNKED + b"23\r\n" + BODY + b"XX0\r\n\r\n", ConnectionFailed),
    "no last chunk": (CHUNKED + chunk(), ConnectionFailed),
    "many trailers": (
        CHUNKED + chunk() + b"0\r\n" + b"A: b\r\n" * 10_000 + b"\r\n",
        ConnectionFailed,
    ),
    "header without colon": (OK + b"garbage\r\n\r\n", ConnectionFailed),
    "NUL in a header": (said(headers=b"X: a\0b\r\n"), ConnectionFailed),
    "CR in a header": (said(headers=b"X: a\rInjected: b\r\n"), ConnectionFailed),
    "escape in a header": (said(headers=b"X: \x1b[2J\r\n"), LENIENT),
    "folded header": (said(headers=b"X: a\r\n b\r\n"), LENIENT),
    "header of no charset": (said(headers=b"X: \xff\xfe\r\n"), FINE),
    "header of 100 kB": (said(headers=b"X: " + b"a" * 100_000 + b"\r\n"), ConnectionFailed),
    "name of 100 kB": (said(headers=b"a" * 100_000 + b": x\r\n"), ConnectionFailed),
    "reason of 100 kB": (said(line=b"HTTP/1.1 200 " + b"a" * 100_000), ConnectionFailed),
    "1000 headers": (said(headers=b"X: a\r\n" * 1000), ConnectionFailed),
    "not gzip": (said(headers=b"Content-Encoding: gzip\r\n"), ConnectionFailed),
    "gzip with a wrong sum": (
        said(gzip.compress(BODY)[:-8] + bytes(8), b"Content-Encoding: gzip\r\n"),
        ConnectionFailed,
    ),
    "half of gzip": (
        said(gzip.compress(BODY)[:20], b"Content-Encoding: gzip\r\n"),
        AnswerUnusable,
    ),
    "more behind gzip": (
        said(gzip.compress(BODY) + b"x" * 50, b"Content-Encoding: gzip\r\n"),
        ConnectionFailed,
    ),
    "an unknown content coding": (said(headers=b"Content-Encoding: rot13\r\n"), FINE),
    "nothing": (b"", ConnectionFailed),
}


def play(server: Any, answer: bytes) -> None:
    """Let the server answer with some bytes, and then close."""

    async def act(wire: Any, _: Any) -> None:
        await wire.write(answer)
        wire.writer.close()

    server.default = act


async def read_async(url: str) -> Any:
    """Read something with AsyncHomebox."""
    async with AsyncHomebox("t", base_url=url, retry=ONCE, timeout=20) as client:
        return await client.account.get()


async def read_sync(url: str) -> Any:
    """Read something with Homebox."""

    def read() -> Any:
        with Homebox("t", base_url=url, retry=ONCE, timeout=20) as client:
            return client.account.get()

    return await asyncio.to_thread(read)


async def read_billing(url: str) -> Any:
    """Read something with AsyncBilling."""
    async with AsyncBilling("t", base_url=url, retry=ONCE, timeout=20, proxy="") as client:
        return await client.headers("0" * 32)


@pytest.mark.parametrize("read", [read_async, read_sync, read_billing])
@pytest.mark.parametrize("case", CASES)
async def test_reads(server: Any, case: str, read: Callable[..., Any]) -> None:
    """Whatever comes instead of an answer, a read ends with our own short error, and soon."""
    answer, expected = CASES[case]
    play(server, answer)
    if expected is FINE:
        assert await read(server.url)
        return
    with pytest.raises(RequestError) as caught:
        await read(server.url)
    assert expected is type(caught.value)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize("case", CASES)
async def test_writes(server: Any, connect: Any, case: str) -> None:
    """A write that is answered with nonsense may have happened: it is sent once and says so."""
    answer, expected = CASES[case]
    play(server, answer)
    client = connect(timeout=20)
    if expected is FINE:
        await client.request("POST", "x", json={})
    else:
        with pytest.raises(RequestError) as caught:
            await client.request("POST", "x", json={})
        if expected is RedirectRefused:
            assert expected is type(caught.value)
        else:
            assert isinstance(caught.value, OutcomeUnknown)
            assert expected is type(caught.value.reason)
    assert 1 == len(server.seen)


async def test_a_delete_is_not_done_by_101(server: Any, connect: Any) -> None:
    """101 is not a success, not even of a DELETE, and no document."""
    play(server, CASES["101 with upgrade"][0])
    with pytest.raises(AnswerUnusable, match="answered 101"):
        await connect().request("DELETE", "x")
    async with AsyncBilling("t", base_url=server.url, retry=ONCE, proxy="") as billing:
        with pytest.raises(AnswerUnusable, match="answered 101"):
            await anext(aiter(billing.document("BE00000001")))


async def test_an_answer_that_nobody_asked_for(server: Any, connect: Any) -> None:
    """What comes over an idle connection is never taken for the answer to the next call."""
    planted = said(b'{"data": {"name": "planted"}}')

    async def act(wire: Any, _: Any) -> None:
        await wire.write(said())
        await asyncio.sleep(0.05)
        await wire.write(planted)

    server.default = act
    client = connect()
    for _ in range(3):
        assert "x" == (await client.account.get()).name
        await asyncio.sleep(0.15)


async def test_an_answer_behind_the_answer(server: Any, connect: Any) -> None:
    """Two answers in one packet are an error or one answer, and never two."""
    server.default = lambda wire, _: wire.write(said() + said(b'{"data": {"name": "planted"}}') * 2)
    client = connect(retry=ONCE)
    for _ in range(3):
        try:
            assert "x" == (await client.account.get()).name
        except ConnectionFailed:
            continue


@pytest.mark.parametrize(
    "answer",
    [OK + b"Content-Length: 1000\r\n\r\n" + BODY, CHUNKED + chunk(), OK + b"\r\n" + BODY],
    ids=["length too long", "no last chunk", "no end"],
)
async def test_an_answer_that_waits(server: Any, connect: Any, answer: bytes) -> None:
    """An answer whose end does not come ends with the timeout."""

    async def act(wire: Any, _: Any) -> None:
        await wire.write(answer)
        await wire.hang()

    server.default = act
    with pytest.raises(AttemptTimeout):
        await connect(retry=ONCE, timeout=0.3).account.get()


async def test_what_a_failing_status_brings_along(server: Any, connect: Any) -> None:
    """Header values of any length stay out of the error's text, and none is taken for an id."""
    headers = b"Content-Type: " + b"a" * 8000 + b"\r\nX-Request-Id: " + b"b" * 8000 + b"\r\n"
    play(server, said(b"no", headers, b"HTTP/1.1 404 X"))
    with pytest.raises(NotFound) as caught:
        await connect().account.get()
    assert len(str(caught.value)) < 300
    assert caught.value.request_id is None


async def test_cookies_are_not_kept(server: Any, connect: Any) -> None:
    """A cookie, of whatever domain, is not sent back."""
    server.default = server.say(200, BODY, [("Set-Cookie", "a=b; Domain=127.0.0.1")])
    client = connect()
    await client.account.get()
    await client.account.get()
    assert "cookie" not in server.seen[1].headers


async def test_head_may_tell_any_length(server: Any, connect: Any) -> None:
    """A HEAD tells the length of what it does not send, which no limit is for."""
    play(server, OK + b"Content-Length: 99999999999\r\n\r\n")
    assert await connect().request("HEAD", "x") is None
