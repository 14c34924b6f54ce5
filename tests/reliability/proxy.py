"""A TCP proxy on loopback that breaks connections on purpose, at the byte that a plan says.

It stands between a real client, in this process or another one, and a real server::

    async with Proxy(emulator.url, seeded(7)) as proxy:
        client = AsyncHomebox(token, base_url=proxy.url)

Each connection takes the next plan; without more plans it passes unharmed. The proxy knows
nothing of HTTP. A new exchange begins with the first byte from the client after one from the
server; a server that answers before it has the whole request therefore counts as one more.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Iterator
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

import attrs

from .plans import (
    CLEAN,
    Corrupt,
    Delay,
    Fault,
    HalfClose,
    Hold,
    Plan,
    Refuse,
    Reset,
    Throttle,
    Truncate,
    Way,
)

_CHUNK = 64 * 1024

Sleep = Callable[[float], Awaitable[None]]


class _EndedError(Exception):
    """The connection is over for both sides, by a reset or in order."""

    def __init__(self, reset: bool) -> None:
        self.reset = reset


def _two() -> dict[Way, int]:
    return {Way.UP: 0, Way.DOWN: 0}


@attrs.define(eq=False)
class Link:
    """One connection: what has arrived from its sender and what has passed on to its receiver.

    `port`: where the server sees it come from. `said`: what the client wrote, if the proxy keeps
    it. The plan may be replaced while the connection is there.
    """

    plan: Plan
    port: int = 0
    said: bytearray = attrs.field(factory=bytearray, repr=False)
    arrived: dict[Way, int] = attrs.field(factory=_two)
    passed: dict[Way, int] = attrs.field(factory=_two)
    exchange: int = 0
    struck: list[Fault] = attrs.field(factory=list)
    # Where the exchange began in each direction, and whether the server has said something.
    _base: dict[Way, int] = attrs.field(factory=_two)
    _answered: bool = True
    _rate: dict[Way, float] = attrs.field(factory=dict)
    _corrupt: dict[Way, tuple[int, int]] = attrs.field(factory=dict)

    def arrive(self, way: Way, size: int) -> None:
        """Count bytes that came in."""
        if way is Way.UP and self._answered:
            self.exchange += 1
            self._base = dict(self.arrived)
        self._answered = way is Way.DOWN
        self.arrived[way] += size

    def due(self, way: Way, *, ahead: bool) -> tuple[Fault | None, int | None]:
        """Return the next fault of this direction and the bytes before it, if there is one.

        `ahead`: more bytes are waiting, so that one at byte 0 may strike.
        """
        passed = self.passed[way] - self._base[way]
        waiting = [
            fault
            for fault in self.plan.faults
            if fault.exchange == self.exchange and fault.way is way and fault not in self.struck
        ]
        for fault in sorted(waiting, key=lambda fault: fault.at):
            if fault.at == 0 and not ahead:
                continue
            if fault.at >= passed:
                return fault, fault.at - passed
        return None, None


class Proxy:
    """The proxy; see the module.

    `target`: the origin of the server. `plans`: what happens to the first connection, to the
    second, and so on. `sleep`: waits for delays, rates and refusals. `keep`: whether each link
    remembers what the client wrote. `links`: every connection so far, in order; `struck`: how
    often each kind of fault has struck.
    """

    def __init__(
        self,
        target: str,
        plans: Iterable[Plan] = (),
        *,
        sleep: Sleep = asyncio.sleep,
        keep: bool = False,
    ) -> None:
        parts = urlsplit(target)
        self.target = (parts.hostname or "", parts.port or 0)
        self.links: list[Link] = []
        self.struck: Counter[str] = Counter()
        self._plans: Iterator[Plan] = iter(plans)
        self._sleep = sleep
        self._keep = keep
        self._port = 0
        self._loop: asyncio.AbstractEventLoop
        self._listener: socket.socket | None = None
        self._serving: set[asyncio.Task[None]] = set()
        self._resuming: set[asyncio.Task[None]] = set()
        # Bound and never listening: it keeps the port while connections are refused.
        self._keeper = _socket()

    @property
    def url(self) -> str:
        """The origin to connect to."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def open(self) -> int:
        """How many connections there are now."""
        return len(self._serving)

    def script(self, *plans: Plan) -> None:
        """Let the next connections have these plans, and no more of those that were there."""
        self._plans = iter(plans)

    async def start(self) -> Self:
        """Listen."""
        self._loop = asyncio.get_running_loop()
        self._keeper.bind(("127.0.0.1", self._port))
        self._port = self._keeper.getsockname()[1]
        self.resume()
        return self

    async def stop(self) -> None:
        """Reset every connection and listen no more."""
        self.refuse()
        self._keeper.close()
        tasks = (*self._serving, *self._resuming)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def __aenter__(self) -> Self:
        return await self.start()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.stop()

    # --- whether there is somebody to connect to

    def refuse(self) -> None:
        """Refuse new connections from now on; those that there are go on."""
        if self._listener is not None:
            self._loop.remove_reader(self._listener)
            self._listener.close()
            self._listener = None

    def resume(self) -> None:
        """Accept connections again."""
        if self._listener is None:
            self._listener = self._listen(backlog=256)
            self._loop.add_reader(self._listener, self._accept, self._listener)

    @contextlib.contextmanager
    def clogged(self) -> Iterator[None]:
        """Let new connections neither come up nor be refused, as behind a full queue."""
        self.refuse()
        self._listener = self._listen(backlog=0)
        with contextlib.ExitStack() as stack:
            for _ in range(3):
                filler = stack.enter_context(socket.socket())
                filler.setblocking(False)
                filler.connect_ex(("127.0.0.1", self._port))
            yield
        self.refuse()
        self.resume()

    def _listen(self, backlog: int) -> socket.socket:
        listener = _socket()
        listener.bind(("127.0.0.1", self._port))
        listener.listen(backlog)
        return listener

    def _accept(self, listener: socket.socket) -> None:
        with contextlib.suppress(BlockingIOError):
            client, _ = listener.accept()
            client.setblocking(False)
            link = Link(next(self._plans, CLEAN))
            self.links.append(link)
            _spawn(self._serving, self._serve(link, client))

    # --- one connection

    async def _serve(self, link: Link, client: socket.socket) -> None:
        reset = True
        server = _socket()
        try:
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            await self._greet(link, client, server)
            await self._both(
                self._pump(link, Way.UP, client, server), self._pump(link, Way.DOWN, server, client)
            )
            reset = False
        except _EndedError as ended:
            reset = ended.reset
            if not reset:
                await self._let_go(client, server)
        except OSError:
            pass  # a side has gone; the other one is told by a reset
        finally:
            _close(client, reset)
            _close(server, reset)

    async def _greet(self, link: Link, client: socket.socket, server: socket.socket) -> None:
        for fault in link.plan.faults:
            if fault.exchange == 0:
                await self._strike(link, fault, client, server)
        await self._loop.sock_connect(server, self.target)
        link.port = server.getsockname()[1]

    @staticmethod
    async def _both(*pumps: Awaitable[None]) -> None:
        """Run both directions; when one breaks, the other one ends as well."""
        tasks = [asyncio.ensure_future(pump) for pump in pumps]
        try:
            await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
            # The sockets may be closed only when nobody waits for them any more.
            await asyncio.wait(tasks)

    async def _pump(self, link: Link, way: Way, source: socket.socket, sink: socket.socket) -> None:
        while data := await self._loop.sock_recv(source, _CHUNK):
            link.arrive(way, len(data))
            if self._keep and way is Way.UP:
                link.said += data
            if not await self._carry(link, way, data, source, sink):
                return
        with contextlib.suppress(OSError):
            sink.shutdown(socket.SHUT_WR)

    async def _carry(
        self, link: Link, way: Way, data: bytes, source: socket.socket, sink: socket.socket
    ) -> bool:
        """Pass on what has arrived, up to the faults in it; False when this direction is over."""
        while True:
            fault, room = link.due(way, ahead=bool(data))
            if fault is not None and room == 0:
                if not await self._strike(link, fault, source, sink):
                    return False
                continue
            if not data:
                return True
            piece = data[:room]
            rate = link._rate.get(way)
            if rate is not None:
                piece = piece[: max(1, int(rate / 10))]
                await self._sleep(len(piece) / rate)
            data = data[len(piece) :]
            await self._loop.sock_sendall(sink, _corrupted(link, way, piece))
            link.passed[way] += len(piece)

    async def _strike(
        self, link: Link, fault: Fault, source: socket.socket, sink: socket.socket
    ) -> bool:
        """Let a fault happen; False when its direction is over."""
        link.struck.append(fault)
        self.struck[type(fault).__name__] += 1
        match fault:
            case Reset():
                raise _EndedError(reset=True)
            case Truncate():
                raise _EndedError(reset=False)
            case Refuse():
                self.refuse()
                _spawn(self._resuming, self._resume_after(fault.seconds))
                raise _EndedError(reset=True)
            case HalfClose():
                sink.shutdown(socket.SHUT_WR)
                await _discard(source)
                return False
            case Hold():
                with contextlib.suppress(OSError):
                    await _discard(source)
                if fault.way is Way.UP or fault.exchange == 0:
                    raise _EndedError(reset=True)  # the client has left
                return False
            case Delay():
                await self._sleep(fault.seconds)
            case Throttle():
                link._rate[fault.way] = fault.rate
            case Corrupt():
                link._corrupt[fault.way] = (fault.length, fault.mask)
        return True

    async def _resume_after(self, seconds: float) -> None:
        await self._sleep(seconds)
        self.resume()

    @staticmethod
    async def _let_go(*sides: socket.socket) -> None:
        """End both sides in order: a socket closed with bytes unread would send a reset."""
        for side in sides:
            with contextlib.suppress(OSError):
                side.shutdown(socket.SHUT_WR)
        for side in sides:
            with contextlib.suppress(OSError):
                await _discard(side)


def _spawn(tasks: set[asyncio.Task[None]], work: Coroutine[Any, Any, None]) -> None:
    task = asyncio.get_running_loop().create_task(work)
    tasks.add(task)
    task.add_done_callback(tasks.discard)


def _socket() -> socket.socket:
    made = socket.socket()
    made.setblocking(False)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return made


def _close(side: socket.socket, reset: bool) -> None:
    if reset:
        side.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    side.close()


async def _discard(source: socket.socket) -> None:
    """Read until the sender has ended, and forget it."""
    while await asyncio.get_running_loop().sock_recv(source, _CHUNK):
        pass


def _corrupted(link: Link, way: Way, piece: bytes) -> bytes:
    length, mask = link._corrupt.get(way, (0, 0))
    if not length:
        return piece
    link._corrupt[way] = (max(0, length - len(piece)), mask)
    return bytes(byte ^ mask for byte in piece[:length]) + piece[length:]
