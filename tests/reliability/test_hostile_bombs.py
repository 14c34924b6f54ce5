"""Small answers that unpack to a lot: what they cost is measured in a process of its own.

BOMB_MIB=1024 makes them a gigabyte each; `-s` shows the figures.
"""

import asyncio
import gzip
import os
import re
import subprocess
import sys
import threading
import zlib
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from homebox_async import AnswerUnusable, AttemptTimeout, DeadlineExceeded, OutcomeUnknown, Retry

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not Path("/proc/self/status").exists(), reason="the peak of memory is read from /proc"
    ),
]

MEBI = 1 << 20
ZEROS = bytes(MEBI)
SIZE = int(os.environ.get("BOMB_MIB", "192"))  # once unpacked

# Prints the growth of the peak of resident memory in MiB, the seconds, and the error.
CHILD = r"""
import asyncio, sys, time
from homebox_async import AsyncHomebox, HomeboxError, Retry
from homebox_async.billing import AsyncBilling

what, url, folder, max_body = *sys.argv[1:4], int(sys.argv[4])
options = dict(base_url=url, retry=Retry(attempts=1), max_body=max_body, proxy="", timeout=40)

def peak():
    # Not ru_maxrss: Linux hands that of the process before `exec` on.
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) / 1024

async def act():
    if what == "json":
        async with AsyncHomebox("t", **options) as client:
            await client.account.get()
    elif what == "list":
        async with AsyncHomebox("t", **options) as client:
            await client.properties.list().first()
    elif what == "plain":
        async with AsyncHomebox("t", **options) as client:
            await client.request("GET", "x")
    elif what == "login":
        login = dict(username="a", password="b", login_url=url)
        async with AsyncBilling(**login, **options) as client:
            await client.get(1)
    else:
        async with AsyncBilling("t", max_document=max_body, **options) as client:
            document = client.document("BE00000001")
            if what == "save":
                await document.save(folder)
            async for _ in document:
                pass

began, before = time.monotonic(), peak()
try:
    asyncio.run(act())
    told = "done"
except HomeboxError as error:
    told = f"{type(error).__name__}: {error}"
print(f"{peak() - before:.0f} MiB {time.monotonic() - began:.1f} s {told}")
"""


def deflated(bits: int, head: bytes) -> bytes:
    """Pack with zlib."""
    packer = zlib.compressobj(9, zlib.DEFLATED, bits)
    parts = [packer.compress(head), *(packer.compress(ZEROS) for _ in range(SIZE)), packer.flush()]
    return b"".join(parts)


def brotli(head: bytes) -> bytes:
    """Pack with brotli, with its largest window."""
    import brotli

    packer = brotli.Compressor(quality=5, lgwin=24)
    parts = [packer.process(head), *(packer.process(ZEROS) for _ in range(SIZE)), packer.finish()]
    return b"".join(parts)


def zstd(head: bytes) -> bytes:
    """Pack with zstd, with a window of 128 MiB."""
    from backports import zstd

    packer = zstd.ZstdCompressor(options={zstd.CompressionParameter.window_log: 27})
    parts = [packer.compress(head), *(packer.compress(ZEROS) for _ in range(SIZE)), packer.flush()]
    return b"".join(parts)


# name -> content coding, how it is packed, MiB that its decoder may take beside `max_body`
BOMBS: dict[str, tuple[str, Callable[[bytes], bytes], int]] = {
    "gzip": ("gzip", lambda head: deflated(31, head), 16),
    "zlib": ("deflate", lambda head: deflated(15, head), 16),
    "deflate": ("deflate", lambda head: deflated(-15, head), 16),
    "gzip in gzip": ("gzip", lambda head: gzip.compress(deflated(31, head)), 16),
    "many members": ("gzip", lambda head: gzip.compress(b"") * 500_000, 16),
    "large members": ("gzip", lambda head: gzip.compress(head) + gzip.compress(ZEROS) * SIZE, 16),
    "br": ("br", brotli, 40),
    "zstd": ("zstd", zstd, 100),
}
NEEDS = {"br": "brotli", "zstd": "backports.zstd"}


def installed(name: str) -> bool:
    """Tell whether a bomb can be packed here, and so be unpacked by the client."""
    try:
        return name not in NEEDS or find_spec(NEEDS[name]) is not None
    except ModuleNotFoundError:
        return False


async def cost(server: Any, what: str, folder: Any, max_body: int) -> tuple[float, float, str]:
    """Let a client in another process meet the server; return MiB, seconds and its words."""
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        CHILD,
        what,
        server.url,
        str(folder),
        str(max_body),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    printed = (await child.communicate())[0].decode()
    found = re.fullmatch(r"(-?\d+) MiB ([\d.]+) s (.*)\n", printed)
    assert found, printed
    return float(found[1]), float(found[2]), found[3]


@pytest.mark.parametrize("name", BOMBS)
async def test_bombs(server: Any, tmp_path: Any, name: str) -> None:
    """A bomb is given up at `max_body`, in seconds, and never costs its whole size."""
    if not installed(name):
        pytest.skip(f"{NEEDS[name]} is not installed")
    coding, pack, slack = BOMBS[name]
    bomb = await asyncio.to_thread(pack, b"%PDF-1.7\n")
    assert len(bomb) < 11_000_000
    server.default = server.say(200, bomb, [("Content-Encoding", coding)])
    kinds = ("AnswerUnusable", "ConnectionFailed")  # the latter: aiohttp gives up by itself
    for what, limit in (("json", 1), ("save", 1), ("json", 64)):
        grown, seconds, told = await cost(server, what, tmp_path, limit * MEBI)
        print(
            f"{name} {len(bomb)} bytes, {what}, limit {limit} MiB:"
            f" {grown:.0f} MiB, {seconds:.1f} s, {told}"
        )
        assert told.startswith(kinds)
        assert grown < limit + slack
        assert seconds < 30
    assert [] == list(tmp_path.iterdir())


@pytest.mark.parametrize("what", ["login", "iterate"])
async def test_other_ways_in(server: Any, tmp_path: Any, what: str) -> None:
    """The login and a document that is iterated have the same limit."""
    bomb = await asyncio.to_thread(deflated, 31, b"%PDF-1.7\n")
    server.default = server.say(200, bomb, [("Content-Encoding", "gzip")])
    grown, _, told = await cost(server, what, tmp_path, MEBI)
    assert told.startswith("AnswerUnusable")
    assert grown < 17


async def test_a_bomb_in_an_error(server: Any, tmp_path: Any) -> None:
    """An error keeps its status, whatever its body unpacks to."""
    bomb = await asyncio.to_thread(deflated, 31, b"{")
    server.default = server.say(422, bomb, [("Content-Encoding", "gzip")])
    grown, _, told = await cost(server, "json", tmp_path, MEBI)
    assert told.startswith("UnprocessableEntity")
    assert grown < 17


async def test_only_gzip_and_deflate_are_asked_for(server: Any, tmp_path: Any) -> None:
    """Installed or not, brotli and zstd are never asked for, by neither client."""
    server.default = server.say(200, b'{"data": {"name": "x"}}')
    for what in ("json", "login", "iterate"):
        await cost(server, what, tmp_path, MEBI)
    assert {"gzip, deflate"} == {seen.headers["accept-encoding"] for seen in server.seen}
    assert 3 == len(server.seen)


@pytest.mark.parametrize("coding", ["br", "zstd"])
async def test_a_coding_that_cannot_be_unpacked(server: Any, tmp_path: Any, coding: str) -> None:
    """Without the library, an answer in a coding that was not asked for is our own error."""
    server.default = server.say(200, b"\x0b\x02\x80{}\x03", [("Content-Encoding", coding)])
    without = "import sys; sys.modules.update({'brotli': None, 'brotlicffi': None});"
    without += "sys.modules['backports.zstd'] = None\n"
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", without + CHILD, "json", server.url, str(tmp_path), str(MEBI)),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    assert b"ConnectionFailed" in (await child.communicate())[0]


# name -> what is repeated, and how often: each unpacks to 4 MiB or so
OBJECTS = {
    "blank objects": b"{}",
    "objects": b'{"id":1}',
    "objects of another shape": b'{"id":"1x"}',
    "objects in objects": b'{"id":1,"partner_properties":[{},{},{},{}]}',
    "lists": b"[]",
    "numbers": b"1",
    "texts": b'"ab"',
    "keys": b'{"id":1,"a":1,"b":2,"c":3,"d":4,"e":5,"f":6,"g":7,"h":8}',
    "times": b'{"id":1,"created_at":"2021-06-20T16:08:51.000000Z"}',
    "amounts": b"1.25",
    "long numbers": b"1" * 4000,
}


@pytest.mark.parametrize("what", ["json", "list", "plain"])
@pytest.mark.parametrize("name", OBJECTS)
async def test_many_objects(server: Any, tmp_path: Any, name: str, what: str) -> None:
    """A few kilobytes of many objects cost neither seconds nor memory."""
    one = OBJECTS[name]
    bomb = gzip.compress(b'{"data":[%s]}' % b",".join([one] * (4 * MEBI // (len(one) + 1))))
    server.default = server.say(200, bomb, [("Content-Encoding", "gzip")])
    grown, seconds, told = await cost(server, what, tmp_path, 8 * MEBI)
    print(f"{name}, {len(bomb)} bytes, {what}: {grown:.0f} MiB, {seconds:.1f} s, {told}")
    assert grown < 64
    assert seconds < 20  # a bound for a machine that is busy; 1 s and less on one that is not


async def test_the_loop_goes_on(server: Any, connect: Any, monkeypatch: Any) -> None:
    """While a large answer is decoded, others have their turn; timeout and deadline hold."""
    body = b'{"data":[%s]}' % b",".join(b'{"id":"%d","id":"1x"}' % n for n in range(19_000))
    server.default = server.say(200, body)
    turns = 0

    async def turn() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0.001)
            turns += 1

    other = asyncio.create_task(turn())
    client = connect(retry=Retry(attempts=1))
    assert (await client.properties.list().first()).id is None
    assert turns > 5
    with pytest.raises(DeadlineExceeded):
        await client.with_options(deadline=0.1).properties.list().first()
    # What decodes it stands still: only the attempt's own time is over.
    stands = threading.Event()
    monkeypatch.setattr("homebox_async.resources.base.decode_list", lambda *_, **__: stands.wait(5))
    impatient = connect(retry=Retry(attempts=1), timeout=1.5)
    with pytest.raises(AttemptTimeout, match="timeout passed while the answer was decoded"):
        await impatient.properties.list().first()
    stands.set()
    other.cancel()


async def test_answers_in_flight(server: Any, connect: Any, monkeypatch: Any) -> None:
    """All answers that are read at the same time have a bound together."""
    monkeypatch.setattr("homebox_async.transport._IN_FLIGHT", 3_000_000)
    body = b'{"data": {"name": "%s"}}' % (b"a" * 1_000_000)
    server.default = server.say(200, gzip.compress(body), [("Content-Encoding", "gzip")])
    client = connect(retry=Retry(attempts=1), max_body=1_500_000)
    assert 1_000_000 == len((await client.account.get()).name)
    client._transport._in_flight = 2_500_000
    with pytest.raises(AnswerUnusable, match="answers in flight are larger than 3000000 bytes"):
        await client.account.get()
    assert 2_500_000 == client._transport._in_flight


async def test_no_memory_for_an_answer(server: Any, connect: Any, monkeypatch: Any) -> None:
    """An answer that does not fit into the memory is our own error."""

    def fail(*_: Any, **__: Any) -> None:
        raise MemoryError

    server.default = server.say(200, b'{"data": {"name": "a"}}')
    monkeypatch.setattr("homebox_async.resources.base.decode", fail)
    client = connect(retry=Retry(attempts=1))
    with pytest.raises(AnswerUnusable, match="does not fit into the memory"):
        await client.account.get()
    with pytest.raises(OutcomeUnknown, match="does not fit into the memory"):
        await client.account.update(name="a")
