"""Answers that are large, or become so once they are unpacked."""

import gzip
import tracemalloc
import zlib
from typing import Any

import pytest

from homebox_async import AnswerUnusable, OutcomeUnknown, Retry, StatusError


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
