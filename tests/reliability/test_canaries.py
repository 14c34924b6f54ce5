"""Nothing secret or personal comes out: canaries are planted, and everything is searched."""

import asyncio
import itertools
import json
import logging
import re
import warnings
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest

from homebox_async import (
    AsyncBilling,
    AsyncHomebox,
    Billing,
    Event,
    Homebox,
    HomeboxError,
    Retry,
)
from homebox_async.emulator import Emulator

from ..observability.telemetry import Telemetry
from ..operations.cases import CASES
from ..operations.conftest import prepare
from .canaries import (
    PASSWORD,
    TOKEN,
    USERNAME,
    Lines,
    everything_of,
    leaks,
    ours,
    replay,
)


class Watch:
    """What the clients tell of their calls: events, spans and metrics."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.telemetry = Telemetry()

    def on(self, client: Any) -> Any:
        """Return the client's view that is watched."""
        return self.telemetry.on(client.with_options(on_event=self.events.append))

    @property
    def words(self) -> str:
        """All that was told."""
        events = "\n".join(f"{event} {event!r}" for event in self.events)
        return f"{events}\n{self.telemetry.words}"


@pytest.fixture
def watch() -> Iterator[Watch]:
    """Watch the calls of the clients."""
    made = Watch()
    yield made
    made.telemetry.shutdown()


@pytest.fixture
def heard(capfd: pytest.CaptureFixture[str], watch: Watch) -> Iterator[Callable[[], str]]:
    """Listen to every logger at every level, to warnings, stdout and stderr, and to `watch`."""
    handler, root = Lines(), logging.getLogger()
    names = ("homebox_async", "asyncio", "aiohttp.client", "aiohttp.internal", "aiohttp.access")
    loggers = [root, *map(logging.getLogger, names)]
    before = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(1)
    root.addHandler(handler)
    logging.captureWarnings(True)
    with warnings.catch_warnings():
        warnings.simplefilter("always")

        def words() -> str:
            told = capfd.readouterr()
            return "\n".join([*handler.lines, told.out, told.err, watch.words])

        yield words
    logging.captureWarnings(False)
    root.removeHandler(handler)
    for logger, level in zip(loggers, before, strict=True):
        logger.setLevel(level)


async def outcome(
    watch: Watch, url: str, billing_url: str, kind: str, name: str, **more: Any
) -> Any:
    """Make a call with canaries and return its client's repr, and its result or its error."""
    options: dict[str, Any] = {"retry": Retry(backoff=0.0), **more}
    if name.startswith("billing."):
        options |= {"username": USERNAME, "password": PASSWORD, "administrator_ids": [1]}
        options |= {"base_url": billing_url, "login_url": billing_url}
        makers: tuple[Any, Any] = (AsyncBilling, Billing)
    else:
        options |= {"token": TOKEN, "base_url": url}
        makers = (AsyncHomebox, Homebox)
    call = CASES[name].call
    if kind == "async":
        async with watch.on(makers[0](**options)) as client:
            try:
                return repr(client), await replay(call, client)
            except HomeboxError as error:
                return repr(client), ours(error)

    def blocking() -> Any:
        with watch.on(makers[1](**options)) as client:
            try:
                return repr(client), replay(call, client)
            except HomeboxError as error:
                return repr(client), ours(error)

    return await asyncio.to_thread(blocking)


@pytest.fixture
async def emulator(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Emulator]:
    """Return an emulator in which every operation finds what it needs."""
    monkeypatch.chdir(tmp_path)
    async with Emulator(token=TOKEN, billing_login=(USERNAME, PASSWORD)) as running:
        await prepare(running)
        yield running


@pytest.mark.parametrize("name", CASES)
async def test_success(
    emulator: Emulator, heard: Callable[[], str], watch: Watch, name: str
) -> None:
    """A call that succeeds tells nothing that it was given, and nothing that it got."""
    asyncio.get_running_loop().set_debug(True)
    shown, result = await outcome(watch, emulator.url, emulator.billing_url, "async", name)
    assert not isinstance(result, HomeboxError), result
    assert emulator.received[-1].method == CASES[name].method
    words = heard()
    assert "homebox_async" in words  # it was logged
    assert watch.events
    assert "http.client.request.duration" in words
    assert set() == leaks(shown + words)


def texts(sent: Any) -> Iterator[tuple[str, str]]:
    """Give the texts of a request as a server sees them, with the names of their fields."""
    yield "target", sent.target
    for name in ("authorization", "istaadministratorids"):
        if name in sent.headers:
            yield name, sent.headers[name].removeprefix("Bearer ")
    if sent.headers.get("content-type") == "application/json":
        yield from leaves("body", json.loads(sent.body))
    elif sent.body:
        for part in sent.body.split(b"\r\n--"):
            head, _, value = part.partition(b"\r\n\r\n")
            # Of a file its name: what it holds is no text, and not masked if a server says it.
            if file := re.search(rb'filename="(.*?)"', head):
                yield "file", file[1].decode()
            elif field := re.search(rb'name="(\w+)"', head):
                yield field[1].decode(), value.decode("latin-1")


def leaves(name: str, tree: Any) -> Iterator[tuple[str, str]]:
    """Give the texts of a JSON tree with the names of their fields."""
    if isinstance(tree, dict):
        for key, value in tree.items():
            yield from leaves(key, value)
    elif isinstance(tree, list):
        for value in tree:
            yield from leaves(name, value)
    else:
        yield name, str(tree)


def echo(kind: str) -> Callable[[Any, Any], Any]:
    """Return the act of a server that says back, in its way, all that it was sent."""

    async def act(wire: Any, sent: Any) -> None:
        said = list(texts(sent))
        words = "; ".join(value for _, value in said)
        # As words, and as what could be an id: the longest text, or the last one.
        ids = {"422": max((value for _, value in said), key=len), "500": said[-1][1]}
        called = re.sub(r"[^\w.]+", "-", ids[kind]) if kind in ids else f"echo of {words}"
        head: list[tuple[str, str]] = [("X-Request-Id", called[:200])]
        head.append(("Set-Cookie", f"seen={said[-1][1].split()[0]}; Path=/\u00e9"))
        status, body, content_type = 200, "", "application/json"
        if kind == "422":
            status = 422
            body = json.dumps(
                {
                    "message": f"These are wrong: {words}",
                    "errors": {
                        "all": [value.upper() for _, value in said],
                        **{name: [f"The value {value} is taken."] for name, value in said},
                        **{f"key {value}": ["is unknown"] for _, value in said},
                    },
                }
            )
        elif kind == "500":
            status, content_type = 500, "text/html; said=" + said[-1][1].split()[0]
            body = f"<title>{words}</title>"
        elif kind == "302":
            status = 302
            head.append(("Location", "/login?said=" + words.replace(" ", "%20")))
        elif kind == "garbage":
            body = f"<html>{words}"
        elif kind == "reason":
            await wire.write(f"HTTP/1.1 409 {words}\r\nContent-Length: 0\r\n\r\n".encode("latin-1"))
            return
        elif kind == "broken":
            await wire.write(f"HTTP/1.1 abc {words}\r\n: {words}\r\n\r\n".encode("latin-1"))
            wire.writer.close()
            return
        await wire.write(server_answer(status, body, head, content_type))

    return act


def server_answer(status: int, body: str, head: list[tuple[str, str]], content_type: str) -> bytes:
    """Return the bytes of an answer."""
    data = body.encode()
    lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(data)}"]
    lines += [f"{name}: {value}" for name, value in [("Content-Type", content_type), *head]]
    return "\r\n".join(lines).encode("latin-1", "replace") + b"\r\n\r\n" + data


@pytest.mark.parametrize("name", CASES)
async def test_echoing_server(
    server: Any, heard: Callable[[], str], watch: Watch, name: str
) -> None:
    """A failure shows nothing of the request, whatever of it the server repeats."""
    for how, kind in itertools.product(
        ("422", "500", "302", "garbage", "reason", "broken"), ("async", "sync")
    ):
        server.default = echo(how)
        shown, error = await outcome(
            watch, server.url, server.url, kind, name, deadline=5.0, retry=Retry(attempts=1)
        )
        assert set() == leaks(shown)
        if not isinstance(error, HomeboxError):
            # It is done, whatever the answer says of it.
            assert ("DELETE", "garbage") == (CASES[name].method, how)
            continue
        for where, text in everything_of(error):
            assert set() == leaks(text), (how, kind, where, text)
    assert server.seen
    for sent in server.seen:
        assert leaks(f"{sent.target} {sent.headers} {sent.body!r}")  # the canaries were there
    assert set() == leaks(heard())
