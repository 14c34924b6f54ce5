"""Faults: their text, their chance, their script, and what each of them does."""

import asyncio
import time
from typing import Any

import aiohttp
import pytest

from homebox_async.emulator import Emulator, Fault, Faults

ACCOUNT = "/api/partner/account"
PROPERTY = "/api/partner/property"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("503", Fault("status", 503)),
        ("429:2", Fault("status", 429, headers={"Retry-After": "2"})),
        ("drop-after", Fault("drop-after")),
        ("500-after", Fault("500-after")),
        ("503-after", Fault("503-after")),
        ("hang", Fault("hang")),
        ("hang:30", Fault("hang", seconds=30.0)),
        ("slow:0.5", Fault("slow", seconds=0.5)),
        ("redirect", Fault("redirect", location="/login")),
        ("redirect:http://x/?a=b", Fault("redirect", location="http://x/?a=b")),
    ],
    ids=str,
)
def test_named(name: str, expected: Fault) -> None:
    """A fault is written as its kind or code, with an argument after a colon."""
    assert expected == Fault.named(name)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "write name=rate"),
        ("drop-after", "write name=rate"),
        ("=1", "write name=rate"),
        ("drop-after=x", "must be a number, not 'x'"),
        ("drop-after=nan", "must not be negative or endless"),
        ("drop-after=-1", "must not be negative"),
        ("drop-after=2", "from 0 to 1"),
        ("503=0.6,500=0.6", "sum up to 1.2"),
        ("503=0.1,503=0.1", "'503' is given twice"),
        ("nix=0.1", "unknown fault 'nix': use a status code such as 503, or drop-before,"),
        ("status=0.1", "unknown fault"),
        ("600=0.1", "unknown fault"),
        ("429:soon=0.1", "Retry-After must be whole seconds"),
        ("429:=0.1", "Retry-After must be whole seconds"),
        ("drop-after:1=0.1", "drop-after takes no argument"),
        ("hang:x=0.1", "seconds must be a number"),
        ("slow=0.1", "needs its seconds"),
    ],
)
def test_wrong_text(text: str, message: str) -> None:
    """A wrong text is refused with what is wrong."""
    with pytest.raises(ValueError, match=message):
        Faults.parse(text)


def test_parse() -> None:
    """The text gives the rates, and the options are passed on."""
    faults = Faults.parse(" 503 = 0.1, redirect:/a=b=0.2 ", seed=3, methods=None, paths="lead")
    assert ({"503": 0.1, "redirect:/a=b": 0.2}, 3, None, "lead") == (
        faults.rates,
        faults.seed,
        faults.methods,
        faults.paths,
    )


def test_chance() -> None:
    """The same seed gives the same faults, at about the rates that were asked for."""
    draws = []
    for seed in (1, 1, 2):
        faults = Faults.parse("drop-after=0.2,503=0.1", seed=seed)
        drawn = [faults.draw("POST", PROPERTY) for _ in range(2000)]
        draws.append([fault.name if fault else "" for fault in drawn])
    assert draws[0] == draws[1]
    assert draws[0] != draws[2]
    assert 350 < draws[0].count("drop-after") < 450
    assert 150 < draws[0].count("503") < 250


@pytest.mark.parametrize(
    ("options", "method", "path", "expected"),
    [
        ({}, "POST", PROPERTY, True),
        ({}, "GET", PROPERTY, False),
        ({"methods": None}, "GET", PROPERTY, True),
        ({"methods": ("GET",)}, "POST", PROPERTY, False),
        ({"paths": "lead$"}, "POST", PROPERTY, False),
        ({"paths": "lead$"}, "POST", "/api/partner/lead", True),
    ],
)
def test_concerned(options: dict[str, Any], method: str, path: str, expected: bool) -> None:
    """Methods and paths choose the requests that may have faults."""
    faults = Faults({"503": 1.0}, **options)
    assert expected == (faults.draw(method, path) is not None)


@pytest.mark.parametrize(
    ("fault", "status", "content_type", "body", "committed"),
    [
        (Fault("status", 500), 500, "application/json", b'{"message":"Server Error"}', False),
        (Fault("status", 429), 429, "application/json", b'{"message":"Too Many Attempts."}', False),
        (
            Fault("status", 503),
            503,
            "application/json",
            b'{"message":"Service Unavailable"}',
            False,
        ),
        (Fault("status", 599), 599, "application/json", b'{"message":"Unknown Status"}', False),
        (Fault("html500"), 500, "text/html", b"<h1>500 Internal Server Error</h1>", False),
        (Fault("500-after"), 500, "text/html", b"<h1>500 Internal Server Error</h1>", True),
        (Fault("503-after"), 503, "text/html", b"<h1>503 Service Unavailable</h1>", True),
        (Fault("hang", seconds=0.01), 504, "text/html", b"<h1>504 Gateway Timeout</h1>", False),
        (Fault("hang-after", seconds=0.01), 504, "text/html", b"504 Gateway", True),
        (Fault("slow", seconds=0.01), 201, "application/json", b'"id":1,', True),
        (Fault("garbage"), 201, "application/json", b"<<garbage>>", True),
        (Fault("empty"), 201, "application/json", b"", True),
        (Fault("other-id"), 201, "application/json", b'"id": 0,', True),
        (Fault("redirect"), 302, "text/html", b"", False),
    ],
    ids=lambda each: f"{each.kind}-{each.status}" if isinstance(each, Fault) else "",
)
async def test_answered(
    emulator: Emulator,
    session: aiohttp.ClientSession,
    home: dict[str, Any],
    fault: Fault,
    status: int,
    content_type: str,
    body: bytes,
    committed: bool,
) -> None:
    """Faults that answer have their status and body, and commit or not as they say."""
    emulator.script("POST", PROPERTY, [fault])
    async with session.post(PROPERTY, json=home, allow_redirects=False) as response:
        actual = response.status, response.content_type
        content = await response.read()
    assert (status, content_type) == actual
    assert body in content
    assert (b"" == body) == (b"" == content)
    assert committed == bool(len(emulator.store.properties))
    received = emulator.received[-1]
    assert (status, fault, committed) == (received.status, received.fault, received.committed)
    assert {fault.name: 1} == emulator.counts.faults


async def test_headers(emulator: Emulator, session: aiohttp.ClientSession) -> None:
    """A status fault has its headers, a redirect its location."""
    emulator.script("GET", ACCOUNT, [Fault.named("429:7"), Fault("redirect", location="http://x/")])
    async with session.get(ACCOUNT) as response:
        assert (429, "7") == (response.status, response.headers["Retry-After"])
    async with session.get(ACCOUNT, allow_redirects=False) as response:
        assert (302, "http://x/") == (response.status, response.headers["Location"])


@pytest.mark.parametrize(
    ("fault", "error", "committed"),
    [
        (Fault("drop-before"), aiohttp.ServerDisconnectedError, False),
        (Fault("drop-before", reset=True), aiohttp.ClientOSError, False),
        (Fault("drop-after"), aiohttp.ServerDisconnectedError, True),
        (Fault("drop-after", reset=True), aiohttp.ClientOSError, True),
    ],
    ids=["before", "before by reset", "after", "after by reset"],
)
async def test_dropped(
    emulator: Emulator,
    session: aiohttp.ClientSession,
    home: dict[str, Any],
    fault: Fault,
    error: type[Exception],
    committed: bool,
) -> None:
    """A drop ends the connection without an answer, before or after the commit."""
    emulator.script("POST", PROPERTY, [fault])
    with pytest.raises(error):
        await session.post(PROPERTY, json=home)
    received = emulator.received[-1]
    assert (None, committed) == (received.status, received.committed)
    assert committed == bool(len(emulator.store.properties))
    async with session.get(ACCOUNT) as response:
        assert 200 == response.status


async def test_truncated(
    emulator: Emulator, session: aiohttp.ClientSession, home: dict[str, Any]
) -> None:
    """A truncated answer promises its full length and ends half way."""
    emulator.script("POST", PROPERTY, [Fault("truncate")])
    async with session.post(PROPERTY, json=home) as response:
        start = await response.content.read(20)
        with pytest.raises(aiohttp.ClientPayloadError):
            await response.read()
    assert (201, b'{"data":{"id":1,"add') == (response.status, start)
    assert (201, True) == (emulator.received[-1].status, emulator.received[-1].committed)


@pytest.mark.parametrize(
    ("kind", "committed"), [("hang", False), ("hang-after", True), ("slow", False)]
)
async def test_waiting_ends_with_the_emulator(
    home: dict[str, Any], kind: Any, committed: bool
) -> None:
    """Whatever waits is ended when the emulator stops, at once and without processing."""
    emulator = await Emulator().start()
    emulator.script("POST", PROPERTY, [Fault(kind, seconds=60.0)])
    headers = {"Authorization": f"Bearer {emulator.token}", "Accept": "application/json"}
    async with aiohttp.ClientSession(emulator.url, headers=headers) as session:
        task = asyncio.create_task(session.post(PROPERTY, json=home))
        async with asyncio.timeout(5):
            while not emulator.counts.faults:
                await asyncio.sleep(0.001)
        start = time.perf_counter()
        await emulator.aclose()
        assert time.perf_counter() - start < 0.5
        with pytest.raises(aiohttp.ServerDisconnectedError):
            await task
    assert committed == bool(len(emulator.store.properties))
    assert None is emulator.received[-1].status


async def test_client_leaves_during_a_fault(
    emulator: Emulator, session: aiohttp.ClientSession, home: dict[str, Any]
) -> None:
    """A slow request is committed although its client has left, and a drop has nothing to end."""
    for fault in (Fault("slow", seconds=0.05), Fault("hang", seconds=0.05), Fault("hang")):
        emulator.script("POST", PROPERTY, [fault])
        with pytest.raises(TimeoutError):
            await session.post(PROPERTY, json=home, timeout=aiohttp.ClientTimeout(0.02))
    await asyncio.sleep(0.1)
    assert 1 == len(emulator.store.properties)


async def test_script(emulator: Emulator, session: aiohttp.ClientSession) -> None:
    """A script is used up one by one, for its path or template only, before random faults."""
    emulator.faults = Faults({"500": 1.0}, methods=None)
    emulator.script("GET", ACCOUNT, [Fault("status", 501)])
    emulator.script("GET", ACCOUNT, [None, Fault("status", 502)])
    emulator.script("GET", f"{PROPERTY}/{{property_id}}", [Fault("status", 503)])
    statuses = []
    for path in (PROPERTY, ACCOUNT, ACCOUNT, ACCOUNT, ACCOUNT, f"{PROPERTY}/7", f"{PROPERTY}/7"):
        async with session.get(path) as response:
            statuses.append(response.status)
    assert [500, 501, 200, 502, 500, 503, 500] == statuses


async def test_faults_by_chance(serve: Any, home: dict[str, Any]) -> None:
    """Random faults come with the emulator, can be replaced, and leave other methods alone."""
    emulator, session = await serve(faults=Faults.parse("503:1=1"))
    statuses = []
    async with session.get(ACCOUNT) as response:
        statuses.append(response.status)
    async with session.post(PROPERTY, json=home) as response:
        statuses.append(response.status)
    emulator.faults = Faults.parse("503=0")
    async with session.post(PROPERTY, json=home) as response:
        statuses.append(response.status)
    emulator.faults = None
    async with session.post(PROPERTY, json=home) as response:
        statuses.append(response.status)
    assert [200, 503, 201, 201] == statuses
