"""Connections that the server ends while nothing is asked: no request is written to one.

Each server is a thread with blocking sockets, so that it acts while the client's loop stands still.
"""

import asyncio
import contextlib
import re
import shutil
import socket
import ssl
import struct
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import attrs
import pytest
import trustme
import uvloop
from aiohttp import TCPConnector

from homebox_async import AsyncHomebox, ConnectionFailed, Outcome, Retry
from homebox_async.exchange import _input_of

BODY = b'{"data": {"id": 7}}'
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (
    len(BODY),
    BODY,
)
RESET = struct.pack("ii", 1, 0)
AUTHORITY = trustme.CA()

End = Callable[[socket.socket], None]


def close(link: socket.socket) -> None:
    """End a connection, with TLS's own goodbye where there is TLS."""
    if isinstance(link, ssl.SSLSocket):
        link.settimeout(0.02)  # not for the client's own goodbye
        with contextlib.suppress(OSError):
            link.unwrap()
    link.close()


def cut(link: socket.socket) -> None:
    """End a connection without a goodbye."""
    socket.socket(fileno=link.detach()).close()


def reset(link: socket.socket) -> None:
    """Reset a connection."""
    link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    socket.socket(fileno=link.detach()).close()


def give_up(link: socket.socket) -> None:
    """Answer what was never asked, as gateways do, and end the connection."""
    link.sendall(b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
    close(link)


def babble(link: socket.socket) -> None:
    """Answer what was never asked and stay."""
    link.sendall(ANSWER)


def take(link: socket.socket) -> bytes:
    """Read a request and return its method, nothing at the end of the connection."""
    got = b""
    while True:
        head, found, body = got.partition(b"\r\n\r\n")
        length = re.search(rb"(?i)content-length: (\d+)", head)
        if found and len(body) >= (int(length[1]) if length else 0):
            return got.partition(b" ")[0]
        more = link.recv(1 << 16)
        if not more:
            return b""
        got += more


@attrs.define(eq=False)
class Served:
    """A server that answers each request and may then do something to its connection."""

    context: ssl.SSLContext | None = None
    end: End | None = None
    ends: int = 1  # of so many connections
    at_once: bool = False  # ends connections as they come in
    asked: list[bytes] = attrs.field(factory=list)
    links: list[socket.socket] = attrs.field(factory=list)
    idle: threading.Event = attrs.field(factory=threading.Event)
    ended: threading.Event = attrs.field(factory=threading.Event)
    _listener: socket.socket = attrs.field(factory=socket.socket)

    def stand_still(self) -> None:
        """Let the connections end while the loop that calls this does nothing."""
        self.idle.set()
        assert self.ended.wait(5)
        time.sleep(0.02)  # on its way through the system

    @property
    def url(self) -> str:
        """Where it listens."""
        scheme = "https" if self.context else "http"
        return f"{scheme}://127.0.0.1:{self._listener.getsockname()[1]}"

    def __enter__(self) -> "Served":
        self._listener.bind(("127.0.0.1", 0))
        self._listener.listen(100)
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        for link in (self._listener, *self.links):
            link.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                link, _ = self._listener.accept()
                link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                threading.Thread(target=self._serve, args=[link], daemon=True).start()

    def _serve(self, link: socket.socket) -> None:
        if self.context is not None:
            link = self.context.wrap_socket(link, server_side=True)
        self.links.append(link)
        with contextlib.suppress(OSError):
            if self.at_once:
                close(link)
                self.ended.set()
                return
            while method := take(link):
                self.asked.append(method)
                link.sendall(ANSWER)
                if self.end is not None and self.ends:
                    self.ends -= 1
                    self.idle.wait(5)
                    self.end(link)
                    if not self.ends:
                        self.ended.set()
                    if self.end is not babble:
                        return


def context(version: ssl.TLSVersion) -> ssl.SSLContext:
    """Return a server's context for one version of TLS."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    AUTHORITY.issue_cert("127.0.0.1").configure_cert(made)
    made.minimum_version = made.maximum_version = version
    return made


@pytest.fixture(autouse=True)
def _trust(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    AUTHORITY.cert_pem.write_to_path(tmp_path / "ca.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    # aiohttp makes its context once, when it is imported.
    trusting = ssl.create_default_context(cafile=str(tmp_path / "ca.pem"))
    monkeypatch.setattr("aiohttp.connector._SSL_CONTEXT_VERIFIED", trusting)


CONTEXTS = {
    "plain": None,
    "TLS 1.2": ssl.TLSVersion.TLSv1_2,
    "TLS 1.3": ssl.TLSVersion.TLSv1_3,
}
LOOPS = {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}


@pytest.fixture(params=LOOPS.values(), ids=LOOPS)
def run(request: pytest.FixtureRequest) -> Iterator[Any]:
    """Run coroutines on one kind of loop."""
    with asyncio.Runner(loop_factory=request.param) as runner:
        yield runner.run


@pytest.mark.parametrize("version", CONTEXTS.values(), ids=CONTEXTS)
@pytest.mark.parametrize("end", [close, cut, reset, give_up, babble], ids=lambda end: end.__name__)
@pytest.mark.parametrize("how", ["json", "form", "get"])
def test_a_connection_that_ended_while_idle(
    run: Any, version: ssl.TLSVersion | None, end: End, how: str
) -> None:
    """The loop stood still meanwhile, and still the request goes out, on another connection."""

    async def work(served: Served) -> Any:
        async with AsyncHomebox("t", base_url=served.url, retry=Retry(attempts=1)) as client:
            await client.request("GET", "x")
            served.stand_still()
            if how == "get":
                return await client.request("GET", "x")
            return await client.request("POST", "x", **{how: {"a": "b"}})

    made = None if version is None else context(version)
    with Served(made, end) as served:
        assert {"data": {"id": 7}} == run(work(served))
        assert [b"GET", b"GET" if how == "get" else b"POST"] == served.asked
        assert 2 == len(served.links)


@pytest.mark.parametrize("version", CONTEXTS.values(), ids=CONTEXTS)
def test_many_ended_at_once(run: Any, version: ssl.TLSVersion | None) -> None:
    """A server that restarts ends all of a pool: as many writes as there were go out again."""

    async def work(served: Served) -> None:
        async with AsyncHomebox("t", base_url=served.url, retry=Retry(attempts=1)) as client:
            await asyncio.gather(*(client.request("GET", "x") for _ in range(10)))
            served.stand_still()
            await asyncio.gather(*(client.request("POST", "x", json={}) for _ in range(10)))

    with Served(None if version is None else context(version), close, ends=10) as served:
        run(work(served))
        assert 10 == served.asked.count(b"POST")


@pytest.fixture
def slowly(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Let the loop stand still once a connection is there; return whether something came then."""
    found: list[bool] = []
    create = TCPConnector._create_connection

    async def slow(*args: Any) -> Any:
        protocol = await create(*args)
        time.sleep(0.03)
        found.append(bool(_input_of(protocol.transport)()))
        return protocol

    monkeypatch.setattr(TCPConnector, "_create_connection", slow)
    return found


@pytest.mark.usefixtures("slowly")
def test_a_door_that_shuts_at_once(run: Any) -> None:
    """A connection that ends before the first byte was written has taken nothing."""

    async def work(served: Served) -> None:
        async with AsyncHomebox("t", base_url=served.url, retry=Retry(attempts=1)) as client:
            await client.request("POST", "x", json={})

    with Served(at_once=True) as served, pytest.raises(ConnectionFailed) as caught:
        run(work(served))
    assert Outcome.NOT_SENT is caught.value.outcome


def test_waiting_session_tickets_end_nothing(run: Any, slowly: list[bool]) -> None:
    """TLS 1.3 sends tickets after the handshake: connections at which they lie are used."""

    async def work(served: Served) -> None:
        async with AsyncHomebox("t", base_url=served.url, retry=Retry(attempts=1)) as client:
            for _ in range(3):
                await asyncio.gather(*(client.request("POST", "x", json={}) for _ in range(10)))

    with Served(context(ssl.TLSVersion.TLSv1_3)) as served:
        run(work(served))
        assert (10, 30) == (len(served.links), len(served.asked))
    # uvloop has read them with the end of the handshake.
    assert any(slowly) or isinstance(run.__self__.get_loop(), uvloop.Loop)


async def test_news_of_tls_at_an_idle_connection(tmp_path: Path) -> None:
    """A server may change its keys while nothing is asked: the connection stays in use."""
    if shutil.which("openssl") is None:
        pytest.skip("there is no openssl here")
    pem = tmp_path / "server.pem"
    AUTHORITY.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(pem)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = await asyncio.create_subprocess_exec(
        *("openssl", "s_server", "-accept", f"127.0.0.1:{port}", "-cert", pem, "-tls1_3"),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert server.stdin is not None
    assert server.stdout is not None
    said = await server.stdout.readuntil(b"ACCEPT\n")

    async def answers(method: bytes) -> bytes:
        assert server.stdin is not None
        assert server.stdout is not None
        read = await server.stdout.readuntil(method + b" /")
        server.stdin.write(ANSWER)
        return read

    async with AsyncHomebox("t", base_url=f"https://127.0.0.1:{port}") as client:
        for method in ("GET", "POST", "POST"):
            answering = asyncio.create_task(answers(method.encode()))
            json = {"a": 1} if method == "POST" else None
            assert {"data": {"id": 7}} == await client.request(method, "x", json=json)
            said += await answering
            server.stdin.write(b"k\n")  # KeyUpdate
            await server.stdin.drain()
            time.sleep(0.05)
    server.kill()
    said += (await server.communicate())[0]
    assert 1 == said.count(b"CIPHER is")
    assert 2 <= said.count(b"SSL_do_handshake -> 1")
