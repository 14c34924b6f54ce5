"""The fault proxy itself: every fault really happens, at the byte that the plan says."""

import asyncio
import itertools
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator

import pytest

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
    seeded,
)
from .proxy import Proxy

SENT = bytes(range(100))
DOWN = Way.DOWN


class Echo(asyncio.Protocol):
    """A server that sends back 100 bytes for each 100 that it gets, and notes how it ends."""

    def __init__(self, server: "EchoServer") -> None:
        self.server = server
        self.got = bytearray()
        self.answered = 0
        self.ended: list[str] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way back."""
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.server.connections.append(self)

    def data_received(self, data: bytes) -> None:
        """Answer what is whole."""
        self.got += data
        while len(self.got) >= self.answered + 100:
            self.transport.write(bytes(self.got[self.answered : self.answered + 100]))
            self.answered += 100

    def eof_received(self) -> bool:
        """Stay open for what is still to be said."""
        self.ended.append("end")
        return True

    def connection_lost(self, broken: Exception | None) -> None:
        """Note a reset."""
        self.ended.append(type(broken).__name__)


class EchoServer:
    """The server and its connections in order."""

    def __init__(self) -> None:
        self.connections: list[Echo] = []

    async def start(self) -> str:
        """Listen and return the origin."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: Echo(self), "127.0.0.1", 0)
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    def stop(self) -> None:
        """End."""
        self._server.close()
        for echo in self.connections:
            echo.transport.abort()


@pytest.fixture
async def echo() -> AsyncIterator[tuple[EchoServer, Proxy]]:
    """Return a server and a proxy before it."""
    server = EchoServer()
    async with Proxy(await server.start()) as proxy:
        yield server, proxy
    server.stop()


async def connect(proxy: Proxy) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Connect to the proxy."""
    return await asyncio.open_connection("127.0.0.1", int(proxy.url.rpartition(":")[2]))


async def take(reader: asyncio.StreamReader, size: int = 10**6) -> tuple[bytes, str]:
    """Return the bytes that come, at most `size`, and how the connection ended."""
    got = b""
    try:
        while len(got) < size:
            data = await reader.read(size - len(got))
            if not data:
                return got, "end"
            got += data
    except ConnectionResetError:
        # The stream forgets what it holds when a reset comes.
        return got + bytes(reader._buffer), "reset"
    return got, "open"


async def until(condition: object) -> None:
    """Wait until a condition holds."""
    assert callable(condition)
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.001)


async def test_a_clean_connection(echo: tuple[EchoServer, Proxy]) -> None:
    """Without a plan everything passes, in both directions, and the end does as well."""
    server, proxy = echo
    reader, writer = await connect(proxy)
    for _ in range(3):
        writer.write(SENT)
        assert (SENT, "open") == await take(reader, 100)
    writer.write_eof()
    await until(lambda: server.connections[0].ended == ["end"])
    server.connections[0].transport.close()
    assert (b"", "end") == await take(reader)
    writer.close()
    await until(lambda: proxy.open == 0)
    link = proxy.links[0]
    both = {Way.UP: 300, DOWN: 300}
    assert (3, both, both, []) == (link.exchange, link.arrived, link.passed, link.struck)


@pytest.mark.parametrize("exchange", [1, 2, 3])
@pytest.mark.parametrize("at", [0, 1, 50, 99, 100])
@pytest.mark.parametrize("way", [*Way], ids=lambda way: way.value)
@pytest.mark.parametrize("kind", [Reset, Truncate, Refuse], ids=lambda kind: kind.__name__)
async def test_the_connection_ends_at_the_byte(
    echo: tuple[EchoServer, Proxy], kind: type[Fault], way: Way, at: int, exchange: int
) -> None:
    """A reset or an end comes after exactly so many bytes of the exchange, on both sides."""
    server, proxy = echo
    fault = kind(way=way, at=at, exchange=exchange)
    proxy.script(Plan((fault,)))
    reader, writer = await connect(proxy)
    for _ in range(exchange - 1):
        writer.write(SENT)
        assert (SENT, "open") == await take(reader, 100)
    writer.write(SENT)
    got, ended = await take(reader)
    how = "end" if kind is Truncate else "reset"
    # Bytes 0 to 99 of a request do not make the server answer.
    answer = at if way is DOWN else 0
    assert (SENT[:answer], how) == (got[:100], ended)
    writer.close()
    there = server.connections[0]
    await until(lambda: there.ended)
    there.transport.close()
    asked = 100 if way is DOWN else at
    assert (100 * (exchange - 1) + asked) == len(there.got)
    assert ("end" if kind is Truncate else "ConnectionResetError") == there.ended[0]
    await until(lambda: proxy.open == 0)
    link = proxy.links[0]
    assert [fault] == link.struck
    assert {kind.__name__: 1} == proxy.struck
    assert 100 * (exchange - 1) + at == link.passed[way]


@pytest.mark.parametrize("kind", [Reset, Truncate, Refuse], ids=lambda kind: kind.__name__)
async def test_the_end_at_the_door(echo: tuple[EchoServer, Proxy], kind: type[Fault]) -> None:
    """In exchange 0 the connection ends as it is accepted, and the server hears of nothing."""
    server, proxy = echo
    proxy.script(Plan((kind(exchange=0),)))
    reader, writer = await connect(proxy)
    assert (b"", "end" if kind is Truncate else "reset") == await take(reader)
    writer.close()
    await until(lambda: proxy.open == 0)
    assert [] == server.connections


async def test_the_refusal_ends(echo: tuple[EchoServer, Proxy]) -> None:
    """A refused connection is refused by the system, on a port that is kept, for a time."""
    _, proxy = echo
    again = asyncio.Event()
    proxy._sleep = lambda _: again.wait()
    proxy.script(Plan((Refuse(exchange=0),)))
    reader, writer = await connect(proxy)
    await take(reader)
    writer.close()
    for _ in range(3):
        with pytest.raises(ConnectionRefusedError):
            await connect(proxy)
    again.set()
    await until(lambda: not proxy._resuming)
    reader, writer = await connect(proxy)
    writer.write(SENT)
    assert (SENT, "open") == await take(reader, 100)
    writer.close()
    assert 2 == len(proxy.links)


async def test_refuse_and_resume(echo: tuple[EchoServer, Proxy]) -> None:
    """While new connections are refused an older one goes on."""
    _, proxy = echo
    reader, writer = await connect(proxy)
    proxy.refuse()
    proxy.refuse()
    with pytest.raises(ConnectionRefusedError):
        await connect(proxy)
    writer.write(SENT)
    assert (SENT, "open") == await take(reader, 100)
    proxy.resume()
    proxy.resume()
    _, second = await connect(proxy)
    second.close()
    writer.close()


async def test_clogged(echo: tuple[EchoServer, Proxy]) -> None:
    """Behind a full queue a connection neither comes up nor fails."""
    _, proxy = echo
    with proxy.clogged(), pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await connect(proxy)
    reader, writer = await connect(proxy)
    writer.write(SENT)
    assert (SENT, "open") == await take(reader, 100)
    writer.close()


@pytest.mark.parametrize("at", [0, 30, 100])
async def test_half_close_up(echo: tuple[EchoServer, Proxy], at: int) -> None:
    """The server sees the end of the request, and its answer still comes through."""
    server, proxy = echo
    proxy.script(Plan((HalfClose(at=at),)))
    reader, writer = await connect(proxy)
    writer.write(SENT)
    await until(lambda: server.connections and server.connections[0].ended == ["end"])
    there = server.connections[0]
    assert SENT[:at] == there.got
    there.transport.write(b"late")
    assert (SENT[:at] if at == 100 else b"") + b"late" == await reader.readexactly(
        104 if at == 100 else 4
    )
    writer.write(SENT)  # thrown away
    writer.close()
    there.transport.close()
    await until(lambda: proxy.open == 0)
    assert at == len(there.got)


@pytest.mark.parametrize("at", [0, 30, 100])
async def test_half_close_down(echo: tuple[EchoServer, Proxy], at: int) -> None:
    """The client sees the end of the answer, and what it says still reaches the server."""
    server, proxy = echo
    proxy.script(Plan((HalfClose(way=DOWN, at=at),)))
    reader, writer = await connect(proxy)
    writer.write(SENT)
    assert (SENT[:at], "end") == await take(reader)
    writer.write(SENT)
    there = server.connections[0]
    await until(lambda: len(there.got) == 200)
    writer.close()
    await until(lambda: there.ended == ["end"])
    there.transport.close()
    await until(lambda: proxy.open == 0)


def test_no_half_close_at_the_door() -> None:
    """A connection that is not there yet cannot be closed by half."""
    with pytest.raises(ValueError, match="exchange"):
        HalfClose(exchange=0)


@pytest.mark.parametrize("exchange", [0, 1, 2])
@pytest.mark.parametrize("way", [*Way], ids=lambda way: way.value)
async def test_hold(echo: tuple[EchoServer, Proxy], way: Way, exchange: int) -> None:
    """Nothing passes after the byte, nobody is told, and it ends when the client leaves."""
    server, proxy = echo
    proxy.script(Plan((Hold(way=way, at=40, exchange=exchange),)))
    reader, writer = await connect(proxy)
    for _ in range(exchange - 1):
        writer.write(SENT)
        assert (SENT, "open") == await take(reader, 100)
    writer.write(SENT)
    if exchange == 0:
        await until(lambda: proxy.links and proxy.links[0].struck)
        assert [] == server.connections
    elif way is Way.UP:
        await until(lambda: server.connections and len(server.connections[0].got) % 100 == 40)
    else:
        assert (SENT[:40], "open") == await take(reader, 40)
        await until(lambda: proxy.links[0].struck)
        server.connections[0].transport.abort()  # the client does not hear of it
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.03):
            await take(reader)
    assert 1 == proxy.open
    writer.close()
    await until(lambda: proxy.open == 0)


@pytest.mark.parametrize("way", [*Way], ids=lambda way: way.value)
async def test_delay(echo: tuple[EchoServer, Proxy], way: Way) -> None:
    """What comes after the byte waits so long, and then passes."""
    server, proxy = echo
    go = asyncio.Event()
    asked: list[float] = []

    async def sleep(seconds: float) -> None:
        asked.append(seconds)
        await go.wait()

    proxy._sleep = sleep
    proxy.script(Plan((Delay(way=way, at=60, seconds=7),)))
    reader, writer = await connect(proxy)
    writer.write(SENT)
    await until(lambda: proxy.links and proxy.links[0].passed[way] == 60 and asked)
    assert [7] == asked
    go.set()
    assert (SENT, "open") == await take(reader, 100)
    assert SENT == server.connections[0].got
    writer.close()


async def test_a_delayed_request_arrives_after_its_sender_left(
    echo: tuple[EchoServer, Proxy],
) -> None:
    """The server gets the whole of a delayed request although the client has gone."""
    server, proxy = echo
    go = asyncio.Event()
    proxy._sleep = lambda _: go.wait()
    proxy.script(Plan((Delay(),)))
    _, writer = await connect(proxy)
    writer.write(SENT)
    await until(lambda: proxy.links and proxy.links[0].struck)
    writer.close()
    await writer.wait_closed()
    go.set()
    await until(lambda: server.connections[0].got == SENT)


@pytest.mark.parametrize("exchange", [0, 1])
@pytest.mark.parametrize("way", [*Way], ids=lambda way: way.value)
async def test_throttle(echo: tuple[EchoServer, Proxy], way: Way, exchange: int) -> None:
    """After the byte the bytes of this direction pass at the rate, in small pieces."""
    _, proxy = echo
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        await asyncio.sleep(0)

    proxy._sleep = sleep
    at = 20 if exchange else 0
    proxy.script(Plan((Throttle(way=way, at=at, rate=50, exchange=exchange),)))
    reader, writer = await connect(proxy)
    for _ in range(2):
        writer.write(SENT)
        assert (SENT, "open") == await take(reader, 100)
    assert (200 - at) / 50 == pytest.approx(sum(slept))
    assert (200 - at) / 5 == len(slept)
    writer.close()


@pytest.mark.parametrize("size", [1, 3, 80])
@pytest.mark.parametrize("at", [0, 1, 70, 99])
@pytest.mark.parametrize("way", [*Way], ids=lambda way: way.value)
async def test_corrupt(echo: tuple[EchoServer, Proxy], way: Way, at: int, size: int) -> None:
    """Exactly so many bytes from this one on have other bits, also over several writes."""
    server, proxy = echo
    proxy.script(Plan((Corrupt(way=way, at=at, length=size, mask=0x0F),)))
    reader, writer = await connect(proxy)
    got = b""
    for _ in range(2):
        writer.write(SENT)
        got += (await take(reader, 100))[0]
    expected = bytes(
        byte ^ 0x0F if at <= n < at + size else byte for n, byte in enumerate(SENT + SENT)
    )
    assert expected == got
    assert (expected if way is Way.UP else SENT + SENT) == server.connections[0].got
    writer.close()


async def test_several_faults(echo: tuple[EchoServer, Proxy]) -> None:
    """The faults of one plan strike one after the other, each in its own place."""
    _, proxy = echo
    plan = Plan(
        (
            Corrupt(at=10),
            Corrupt(at=20, mask=1),
            Corrupt(way=DOWN, at=5, mask=2),
            Delay(exchange=2, seconds=0),
            Reset(way=DOWN, at=3, exchange=2),
        )
    )
    proxy.script(plan)
    reader, writer = await connect(proxy)
    writer.write(SENT)
    got, _ = await take(reader, 100)
    changed = {n: a ^ b for n, (a, b) in enumerate(zip(SENT, got, strict=True)) if a != b}
    assert {10: 0xFF, 20: 1, 5: 2} == changed
    writer.write(SENT)
    assert (SENT[:3], "reset") == await take(reader)
    assert {"Corrupt": 3, "Delay": 1, "Reset": 1} == proxy.struck
    writer.close()


async def test_each_connection_has_its_plan(echo: tuple[EchoServer, Proxy]) -> None:
    """Plans go to connections in their order, and who comes after the last one passes."""
    _, proxy = echo
    proxy.script(CLEAN, Plan((Reset(exchange=0),)))
    found = []
    for _ in range(4):
        reader, writer = await connect(proxy)
        writer.write(SENT)
        found.append((await take(reader, 100))[1])
        writer.close()
    assert ["open", "reset", "open", "open"] == found


async def test_a_server_that_is_not_there() -> None:
    """When nobody listens behind the proxy the client is reset."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        target = f"http://127.0.0.1:{probe.getsockname()[1]}"
    async with Proxy(target) as proxy:
        reader, writer = await connect(proxy)
        assert (b"", "reset") == await take(reader)
        writer.close()


async def test_stop_ends_everything(echo: tuple[EchoServer, Proxy]) -> None:
    """Stopping resets what is open and leaves no task."""
    server, proxy = echo
    before = asyncio.all_tasks()
    pairs = [await connect(proxy) for _ in range(3)]
    await until(lambda: len(server.connections) == 3)
    await proxy.stop()
    assert ["reset"] * 3 == [(await take(reader))[1] for reader, _ in pairs]
    for _, writer in pairs:
        writer.close()
    assert 0 == proxy.open
    assert set() == asyncio.all_tasks() - before
    with pytest.raises(ConnectionRefusedError):
        await connect(proxy)


async def test_from_another_process(echo: tuple[EchoServer, Proxy]) -> None:
    """A client in another process is struck like one in this process."""
    _, proxy = echo
    proxy.script(Plan((Reset(way=DOWN, at=10, exchange=2),)))
    program = (
        "import socket, sys\n"
        "s = socket.create_connection(('127.0.0.1', int(sys.argv[1])))\n"
        "got = b''\n"
        "try:\n"
        "    while True:\n"
        "        s.sendall(bytes(100))\n"
        "        got += s.recv(100, socket.MSG_WAITALL)\n"
        "except ConnectionResetError:\n"
        "    print(len(got), 'reset')\n"
    )
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", program, proxy.url.rpartition(":")[2]),
        stdout=subprocess.PIPE,
    )
    out, _ = await process.communicate()
    assert out in {b"100 reset\n", b"110 reset\n"}  # recv may give up what it has
    assert 110 == proxy.links[0].passed[DOWN]


def test_seeded_plans() -> None:
    """The same seed makes the same plans, another one others, and every kind is drawn."""

    def some(seed: int, **options: float) -> list[Plan]:
        return list(itertools.islice(seeded(seed, **options), 2000))

    assert some(1) == some(1)
    assert some(1) != some(2)
    assert [CLEAN] * 2000 == some(1, share=0.0)
    faults = [fault for plan in some(1, share=1.0) for fault in plan.faults]
    assert 2000 == len(faults)
    kinds = Counter(type(fault).__name__ for fault in faults)
    expected = {"Reset": 571, "Truncate": 286, "HalfClose": 143, "Hold": 143}
    expected |= {"Delay": 286, "Throttle": 143, "Corrupt": 286, "Refuse": 143}
    assert expected.keys() == kinds.keys()
    for kind, count in expected.items():
        assert count == pytest.approx(kinds[kind], rel=0.25)
    assert {0, 1, 2, 3, 4} == {fault.exchange for fault in faults}
    assert {*Way} == {fault.way for fault in faults}
