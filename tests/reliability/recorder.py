"""A raw HTTP/1.1 server that notes every byte, whole request or part of one, and its answer."""

from __future__ import annotations

import asyncio
import re
import socket
import struct
from collections import deque

import attrs

GOOD = b'{"data": {"id": 7}}'


@attrs.frozen
class Answer:
    """What the server does once it has a whole request.

    `act`: "say" the rest, "reset" or "close" the connection, or "hang". `late`: after so many
    seconds. `length`: a Content-Length that is not the body's.
    """

    status: int = 200
    body: bytes = GOOD
    headers: tuple[tuple[str, str], ...] = ()
    act: str = "say"
    late: float = 0.0
    length: int | None = None
    kind: str = "application/json"

    @property
    def head(self) -> bytes:
        """The head as it goes out."""
        length = len(self.body) if self.length is None else self.length
        lines = [
            f"HTTP/1.1 {self.status} X",
            f"Content-Type: {self.kind}",
            f"Content-Length: {length}",
            *(f"{name}: {value}" for name, value in self.headers),
        ]
        return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n"


@attrs.define(eq=False)
class Received:
    """One request, or as much of one as came; `answer` is what was said or done to it."""

    at: float
    port: int
    head: bytes = b""
    body: bytes = b""
    whole: bool = False
    answer: Answer | None = None
    answered_at: float = 0.0

    @property
    def method(self) -> str:
        """The method."""
        return self.head.partition(b" ")[0].decode("latin-1")

    @property
    def number(self) -> int | None:
        """The number at the path's end, which tells the calls apart."""
        found = re.match(rb"\w+ /api/partner/thing/(\d+) HTTP", self.head)
        return int(found[1]) if found else None

    @property
    def size(self) -> int:
        """How many bytes came."""
        return len(self.head) + len(self.body)


class _Connection(asyncio.Protocol):
    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._loop = asyncio.get_running_loop()
        self._data = bytearray()
        self._now: Received | None = None
        self._late: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self._recorder.open.add(self)

    def connection_lost(self, broken: Exception | None) -> None:
        self._recorder.open.discard(self)
        if self._late is not None:
            self._late.cancel()

    def data_received(self, data: bytes) -> None:
        self._data += data
        if self._now is None:
            port = self.transport.get_extra_info("peername")[1]
            self._now = Received(self._loop.time(), port)
            self._recorder.received.append(self._now)
        now = self._now
        head, end, rest = bytes(self._data).partition(b"\r\n\r\n")
        now.head, now.body = head + end, rest
        if not end:
            return
        size = _size(head, rest)
        if size is None:
            self._answer(now, Answer(400, b"", (("Connection", "close"),)))
        elif len(rest) >= size:
            now.whole, now.body = True, rest[:size]
            del self._data[: len(now.head) + size]
            self._answer(now, self._recorder.next())

    def _answer(self, now: Received, answer: Answer) -> None:
        now.answer = answer
        self._late = self._loop.call_later(answer.late, self._act, now, answer)

    def _act(self, now: Received, answer: Answer) -> None:
        self._now = None
        now.answered_at = self._loop.time()
        if answer.act == "reset":
            self.transport.get_extra_info("socket").setsockopt(
                socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
            )
            self.transport.abort()
        elif answer.act == "close":
            self.transport.close()
        elif answer.act == "say":
            self.transport.write(answer.head + answer.body)
            if ("Connection", "close") in answer.headers:
                self.transport.close()


def _size(head: bytes, rest: bytes) -> int | None:
    """Return the size that the body has on the wire, None where the head makes no sense."""
    if not re.match(rb"(GET|DELETE|POST|PATCH) /[!-~]* HTTP/1\.1\r\n", head):
        return None
    if re.search(rb"(?i)\r\ntransfer-encoding: chunked", head):
        end = rest.find(b"0\r\n\r\n")
        return end + 5 if end >= 0 else len(rest) + 1
    length = re.search(rb"(?i)\r\ncontent-length: ([^\r]*)", head)
    if length is None:
        return 0
    return int(length[1]) if length[1].isdigit() else None


class Recorder:
    """The server: each whole request takes the next of `answers`, then the default."""

    def __init__(self) -> None:
        self.received: list[Received] = []
        self.answers: deque[Answer] = deque()
        self.default = Answer()
        self.open: set[_Connection] = set()

    async def start(self) -> str:
        """Listen and return the origin."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Connection(self), "127.0.0.1", 0)
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    def next(self) -> Answer:
        """Return what to answer now."""
        return self.answers.popleft() if self.answers else self.default

    async def stop(self) -> None:
        """Reset every connection and listen no more."""
        self._server.close()
        for connection in tuple(self.open):
            connection.transport.abort()
        await asyncio.sleep(0)
