"""The plain server: answers from a table, at once or after a wait, in a process of its own.

It parses no more of HTTP than it needs, so that it is not what is measured. It stands in for
nginx where that is not installed, and serves what needs a wait.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import multiprocessing
import ssl
from collections.abc import Iterator
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path

from benchmarks.payloads import LISTED, NUMBER, encoded, held, routes
from benchmarks.process import pin, server_core

_MISSING = b'{"message": "no such page"}'


class _Protocol(asyncio.Protocol):
    _numbers = itertools.count(1)
    # What was created first, as a list shows it: importers read that back, and no more.
    _first = b""

    def __init__(self, answers: dict[bytes, bytes], latency: float) -> None:
        self._answers = answers
        self._latency = latency
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            head = self._buffer[:end].lower()
            length = 0
            if (at := head.find(b"content-length:")) >= 0:
                length = int(head[at + 15 :].split(b"\r\n", 1)[0])
            if len(self._buffer) < end + 4 + length:
                return
            line = self._buffer[: self._buffer.find(b" HTTP/1.1\r\n")]
            content = self._buffer[end + 4 : end + 4 + length]
            self._buffer = self._buffer[end + 4 + length :]
            answer = self._answer(line, content)
            if self._latency:
                asyncio.get_running_loop().call_later(self._latency, self._write, answer)
            else:
                self._write(answer)

    def _answer(self, line: bytes, content: bytes) -> bytes:
        body = self._answers.get(line) or self._answers.get(line.split(b"?")[0])
        status = b"404 Not Found" if body is None else b"200 OK"
        body = body or _MISSING
        if NUMBER in body:
            number = next(self._numbers)
            body = body.replace(NUMBER, b"%d" % number)
            if not _Protocol._first and b'"property_reference"' in content:
                _Protocol._first = encoded(held(number, json.loads(content)))
        elif LISTED in body:
            body = body.replace(LISTED, b"" if b"page=2" in line else self._first)
        return (
            b"HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
        ) % (status, len(body), body)

    def _write(self, answer: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.write(answer)


async def _serve(
    told: Connection, answers: dict[str, bytes], latency: float, pem: Path | None
) -> None:
    tls = None
    if pem is not None:
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        tls.load_cert_chain(pem)
    table = {line.encode(): body for line, body in answers.items()}
    server = await asyncio.get_running_loop().create_server(
        partial(_Protocol, table, latency), "127.0.0.1", 0, ssl=tls, backlog=1024
    )
    told.send(server.sockets[0].getsockname()[1])
    await server.serve_forever()


def _main(told: Connection, answers: dict[str, bytes], latency: float, pem: Path | None) -> None:
    pin(server_core())
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(told, answers, latency, pem))


@contextlib.contextmanager
def server(
    answers: dict[str, bytes] | None = None, *, latency: float = 0.0, pem: Path | None = None
) -> Iterator[str]:
    """Run the server in another process while the block runs; gives its URL.

    `answers`: by method and path, with or without a query; `latency`: seconds that each takes;
    `pem`: a key with its certificate, for https.
    """
    context = multiprocessing.get_context("spawn")
    told, tells = context.Pipe(duplex=False)
    process = context.Process(
        target=_main, args=(tells, answers or routes(), latency, pem), daemon=True
    )
    process.start()
    try:
        yield f"{'http' if pem is None else 'https'}://127.0.0.1:{told.recv()}"
    finally:
        process.terminate()
        process.join()
