"""Why an exchange failed: the error names it, and what cannot succeed is not tried again."""

import asyncio
import gzip
import socket
import ssl
from pathlib import Path
from typing import Any

import pytest
import trustme

from homebox_async import AsyncHomebox, Outcome, RequestError, Retry

BODY = b'{"data": {}}'
PACKED = gzip.compress(BODY)


def raw(*headers: str, body: bytes = BODY) -> bytes:
    """Return the bytes of an answer."""
    lines = ["HTTP/1.1 200 X", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


ANSWERS: dict[str, tuple[bytes, str, int]] = {
    "long header": (raw("X: " + "a" * 9000), "a line in the head of the answer is longer than", 1),
    "long status": (b"HTTP/1.1 200 " + b"x" * 9000 + b"\r\n\r\n", "is longer than 8,190 bytes", 1),
    "many headers": (raw(*(f"X-{n}: a" for n in range(300))), "has too many headers", 1),
    "x-gzip": (raw("Content-Encoding: x-gzip", body=PACKED), "(Content-Encoding: x-gzip)", 1),
    "twice": (
        raw("Content-Encoding: gzip, gzip", body=PACKED),
        "(Content-Encoding: gzip, gzip)",
        1,
    ),
    "junk": (raw("Content-Encoding: gzip", body=PACKED + b"junk"), "cannot be unpacked as its", 3),
    "no gzip": (
        raw("Content-Encoding: gzip"),
        "cannot be unpacked as its Content-Encoding says",
        3,
    ),
    "no HTTP": (b"SSH-2.0-OpenSSH_9\r\n", "what came is no answer of HTTP/1.1", 3),
}


@pytest.mark.parametrize(("answer", "words", "tries"), ANSWERS.values(), ids=ANSWERS)
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_answers_that_cannot_be_used(
    server: Any, client: Any, method: str, answer: bytes, words: str, tries: int
) -> None:
    """The error says what is wrong with the answer, and shows nothing of it."""

    async def act(wire: Any, _: Any) -> None:
        await wire.write(answer)
        wire.writer.close()

    server.default = act
    with pytest.raises(RequestError) as caught:
        await client.request(method, "x", json={} if method == "POST" else None)
    assert words in str(caught.value)
    assert "aaaa" not in str(caught.value)
    assert Outcome.UNKNOWN is caught.value.outcome
    assert (tries if method == "GET" else 1) == len(server.seen)


PROXIES = {
    407: ("answered 407; put its user name and password into its URL", 1),
    403: ("answered 403; it does not allow this host", 1),
    302: ("answered 302", 1),
    429: ("answered 429", 3),
    502: ("answered 502; it does not reach the server", 3),
    503: ("answered 503; it does not reach the server", 3),
}


@pytest.mark.parametrize(("status", "expected"), PROXIES.items(), ids=map(str, PROXIES))
async def test_a_proxy_that_opens_no_tunnel(
    server: Any, status: int, expected: tuple[str, int]
) -> None:
    """The error names the proxy and what to do; nothing was sent."""
    server.default = server.say(status)
    words, tries = expected
    async with AsyncHomebox(
        "t", base_url="https://x.example", proxy=server.url, retry=Retry(backoff=0)
    ) as client:
        with pytest.raises(RequestError, match="the proxy opened no tunnel") as caught:
            await client.request("POST", "x", json={})
    assert words in str(caught.value)
    assert (Outcome.NOT_SENT, tries) == (caught.value.outcome, len(server.seen))


async def test_a_proxy_that_is_not_there() -> None:
    """The error names the proxy, not the server."""
    async with AsyncHomebox(
        "t", base_url="https://x.example", proxy="http://127.0.0.1:9", retry=Retry(attempts=1)
    ) as client:
        with pytest.raises(RequestError, match=r"no connection to the proxy at 127\.0\.0\.1:9"):
            await client.request("POST", "x", json={})


async def test_authorities_that_are_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A certificate that is not trusted says so at once, and names a missing SSL_CERT_FILE."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    connections: list[object] = []
    server = await asyncio.start_server(
        lambda *streams: connections.append(streams), "127.0.0.1", 0, ssl=context
    )
    url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "none.pem"))
    async with server, AsyncHomebox("t", base_url=url, retry=Retry(backoff=0)) as client:
        with pytest.raises(RequestError, match=r"SSL_CERT_FILE names .*none.pem'") as caught:
            await client.request("GET", "x")
    assert (1, True, Outcome.NOT_SENT) == (
        caught.value.attempts,
        caught.value.permanent,
        caught.value.outcome,
    )


async def test_a_retry_asks_for_the_address_again(
    server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a failed connect the name is looked up again: the server may have moved."""
    asked: list[str] = []
    port = int(server.url.rpartition(":")[2])

    def look_up(host: str, number: int, *_: Any, **__: Any) -> list[Any]:
        asked.append(host)
        address = "127.0.0.1" if len(asked) > 1 else "127.7.7.7"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, number))]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    url = f"http://localhost:{port}"
    async with AsyncHomebox("t", base_url=url, retry=Retry(backoff=0)) as client:
        assert {} == await client.request("POST", "x", json={})
        assert {} == await client.request("POST", "x", json={})
    assert (["localhost"] * 2, 2) == (asked, len(server.seen))
