"""What every test of the core client can use: a raw server, a clock, a client."""

import asyncio
import hashlib
import inspect
import os
import socket
import struct
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import aiohttp
import attrs
import pytest

from homebox_async import AsyncHomebox, Retry

pytest_plugins = ("pytester",)

TOKEN = "test-token-1"

# requests would send what the user's ~/.netrc has for the servers of the tests.
os.environ["NETRC"] = os.devnull

# What imports remember of an account is kept here, and never in the user's own folder.
_STATE = tempfile.TemporaryDirectory(prefix="homebox-state-")
os.environ["HOMEBOX_STATE"] = _STATE.name

_stream_writer = inspect.signature(aiohttp.ClientResponse.__init__).parameters.get("stream_writer")
if _stream_writer is not None and _stream_writer.default is inspect.Parameter.empty:
    # aioresponses 0.7.9 does not know the argument that aiohttp 3.14 added (its issue 289).
    aiohttp.ClientResponse.__init__.__kwdefaults__ = {
        **(aiohttp.ClientResponse.__init__.__kwdefaults__ or {}),
        "stream_writer": SimpleNamespace(output_size=0),
    }


@pytest.fixture(autouse=True)
def _state(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """Let no test find what another one has remembered of an account of the same name."""
    place = hashlib.sha256(request.node.nodeid.encode()).hexdigest()[:16]
    monkeypatch.setenv("HOMEBOX_STATE", str(Path(_STATE.name) / place))


@attrs.define(eq=False)
class Seen:
    """One request as its bytes came in."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    connection: int


Act = Callable[["Wire", Seen], Awaitable[None]]


@attrs.define(eq=False)
class Wire:
    """One connection of the raw server, for acts that want to misbehave."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    stop: asyncio.Event

    async def write(self, data: bytes) -> None:
        """Send bytes as they are."""
        self.writer.write(data)
        await self.writer.drain()

    def reset(self) -> None:
        """End the connection with a TCP reset."""
        self.writer.get_extra_info("socket").setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
        )
        self.writer.transport.abort()

    async def hang(self) -> None:
        """Say nothing until the server stops."""
        await self.stop.wait()


def answer(
    status: int = 200,
    body: bytes = b"{}",
    headers: Iterable[tuple[str, str]] = (),
    *,
    content_type: str = "application/json",
    length: int | None = None,
) -> bytes:
    """Return the bytes of an HTTP answer."""
    head = [f"HTTP/1.1 {status} X", f"Content-Length: {len(body) if length is None else length}"]
    if content_type:
        head.append(f"Content-Type: {content_type}")
    head += [f"{name}: {value}" for name, value in headers]
    return "\r\n".join(head).encode("latin-1") + b"\r\n\r\n" + body


def say(*args: Any, **kwargs: Any) -> Act:
    """Return the act that answers; the arguments are those of `answer`."""

    async def act(wire: Wire, _: Seen) -> None:
        await wire.write(answer(*args, **kwargs))

    return act


async def reset(wire: Wire, _: Seen) -> None:
    """Reset the connection after the whole request was read."""
    wire.reset()


async def close(wire: Wire, _: Seen) -> None:
    """Close the connection after the whole request was read."""
    wire.writer.close()


async def hang(wire: Wire, _: Seen) -> None:
    """Never answer."""
    await wire.hang()


async def truncate(wire: Wire, _: Seen) -> None:
    """Send half of an answer and close."""
    await wire.write(answer(200, b'{"data": {', length=100))
    wire.writer.close()


async def stall(wire: Wire, _: Seen) -> None:
    """Send half of an answer and then nothing."""
    await wire.write(answer(200, b'{"data": {', length=100))
    await wire.hang()


class Server:
    """A raw HTTP/1.1 server on loopback: each request takes the next act, then the default.

    The acts are attributes, for tests cannot import this file.
    """

    say = staticmethod(say)
    reset = staticmethod(reset)
    close = staticmethod(close)
    hang = staticmethod(hang)
    truncate = staticmethod(truncate)
    stall = staticmethod(stall)

    def __init__(self) -> None:
        self.seen: list[Seen] = []
        self.acts: list[Act] = []
        self.default: Act = say()
        self.early: list[str] = []  # "headers" or "none": what to read before the connection ends
        self.connections = 0
        self._stop = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server

    @property
    def url(self) -> str:
        """The origin."""
        host, port = self._server.sockets[0].getsockname()[:2]
        return f"http://{host}:{port}"

    async def start(self) -> None:
        """Listen."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)

    async def stop(self) -> None:
        """End every connection."""
        self._stop.set()
        self._server.close()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.connections += 1
        wire = Wire(reader, writer, self._stop)
        try:
            if self.early and self.early[0] == "none":
                self.early.pop(0)
                wire.reset()
                return
            while await self._exchange(wire, self.connections):
                pass
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _exchange(self, wire: Wire, connection: int) -> bool:
        head = (await wire.reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, *lines = head.strip().split("\r\n")
        method, target, _ = first.split(" ")
        headers = {k.lower(): v for k, v in (line.split(": ", 1) for line in lines)}
        if self.early:
            self.early.pop(0)
            self.seen.append(Seen(method, target, headers, b"", connection))
            wire.reset()
            return False
        if headers.get("transfer-encoding") == "chunked":
            body = b""
            while size := int(await wire.reader.readuntil(b"\r\n"), 16):
                body += (await wire.reader.readexactly(size + 2))[:-2]
            await wire.reader.readexactly(2)
        else:
            body = await wire.reader.readexactly(int(headers.get("content-length", 0)))
        seen = Seen(method, target, headers, body, connection)
        self.seen.append(seen)
        act = self.acts.pop(0) if self.acts else self.default
        await act(wire, seen)
        return not wire.writer.is_closing()


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    """Return a running raw server."""
    made = Server()
    await made.start()
    yield made
    await made.stop()


class Clock:
    """Time that passes only in sleeps; `slept` lists them."""

    def __init__(self) -> None:
        self.time = 1000.0
        self.slept: list[float] = []

    def now(self) -> float:
        """Return the time."""
        return self.time

    async def sleep(self, seconds: float) -> None:
        """Let the time pass at once."""
        self.slept.append(seconds)
        self.time += seconds
        await asyncio.sleep(0)


@pytest.fixture
def clock() -> Clock:
    """Return a clock that no test waits for."""
    return Clock()


@pytest.fixture
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HOMEBOX_TOKEN", "HOMEBOX_BASE_URL"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
async def connect(
    server: Server, _clean_environment: None
) -> AsyncIterator[Callable[..., AsyncHomebox]]:
    """Return a maker of clients of the raw server; they are closed in the end."""
    made: list[AsyncHomebox] = []

    def make(**options: Any) -> AsyncHomebox:
        options = {"retry": Retry(backoff=0.0), "base_url": server.url, **options}
        client = AsyncHomebox(TOKEN, **options)
        made.append(client)
        return client

    yield make
    for client in made:
        await client.aclose()


@pytest.fixture
def client(connect: Callable[..., AsyncHomebox]) -> AsyncHomebox:
    """Return a client of the raw server whose retries do not wait."""
    return connect()
