"""When a sync client ends: closed, forgotten, or on its own loop."""

import asyncio
import contextlib
import gc
import threading
import time
from typing import Any

import anyio
import pytest

from homebox_async import (
    AsyncHomebox,
    ConfigurationError,
    ConnectionFailed,
    Homebox,
    OutcomeUnknown,
)
from homebox_async import bridge as bridge_module
from homebox_async.bridge import Bridge, Worker


def test_closed(served: Any) -> None:
    """After closing, calls say so; closing again and closing unused are fine."""
    box = Homebox("t", base_url=served.url)
    box.close()
    with pytest.raises(ConfigurationError, match="closed"):
        box.account.get()
    with Homebox("t", base_url=served.url) as box:
        box.request("GET", "x")
    box.close()
    with pytest.raises(ConfigurationError, match="closed"):
        box.request("GET", "x")
    with pytest.raises(ConfigurationError, match="closed"):
        list(box.leads.list())


def test_closed_under_a_call(served: Any) -> None:
    """Closing ends the calls of other threads, and a write says that it is open."""
    served.default = served.hang
    box = Homebox("t", base_url=served.url)
    errors: list[BaseException] = []

    def work() -> None:
        try:
            box.request("POST", "x")
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    while len(served.seen) < 3:
        time.sleep(0.001)
    box.close()
    for thread in threads:
        thread.join(5)
    assert [OutcomeUnknown] * 3 == [type(error) for error in errors]


def test_closed_in_a_pause(served: Any) -> None:
    """A call that waits for its next attempt ends with the client, too."""
    served.default = served.say(429, b"", [("Retry-After", "60")])
    box = Homebox("t", base_url=served.url)
    errors: list[BaseException] = []

    def work() -> None:
        try:
            box.request("POST", "x")
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    while not served.seen:
        time.sleep(0.001)
    time.sleep(0.02)
    box.close()
    thread.join(5)
    (error,) = errors
    assert isinstance(error, ConnectionFailed)
    assert "the client was closed while this call was under way" in str(error)
    assert ["POST x: cancelled before another attempt [outcome: rejected]"] == error.__notes__


def test_closing_races_with_calls(served: Any) -> None:
    """Whatever the timing, a call beside `close` ends, with a result or our own error."""
    for _ in range(15):
        box = Homebox("t", base_url=served.url)
        box.request("GET", "x")
        ends: list[Any] = []

        def work(box: Homebox = box, ends: list[Any] = ends) -> None:
            try:
                while True:
                    box.request("GET", "x")
            except (ConfigurationError, ConnectionFailed) as error:
                ends.append(error)

        threads = [threading.Thread(target=work) for _ in range(3)]
        for thread in threads:
            thread.start()
        time.sleep(0.003)
        box.close()
        for thread in threads:
            thread.join(5)
            assert not thread.is_alive()
        assert 3 == len(ends)


def test_a_call_on_the_own_loop(served: Any) -> None:
    """A sync call from the client's own loop is refused: it would wait for itself."""
    caught: list[ConfigurationError] = []

    async def nested(request: Any, handler: Any) -> Any:
        try:
            box.request("GET", "y")
        except ConfigurationError as error:
            caught.append(error)
        return await handler(request)

    with Homebox("t", base_url=served.url, middlewares=[nested]) as box:
        box.request("GET", "x")
    assert ["wait for itself" in str(error) for error in caught] == [True]


@pytest.mark.parametrize("held", ["facade", "list", "cursor"])
def test_what_keeps_a_client_alive(served: Any, held: str) -> None:
    """A resource or a list is enough to keep a client that nobody else holds."""
    served.default = served.say(200, b'{"data": [{"id": 1}], "meta": {"last_page": 1}}')
    box = Homebox("t", base_url=served.url)
    box.leads.get(1)
    close = box._bridge.worker.close
    kept: Any = box.leads
    if held != "facade":
        kept = kept.list()
    if held == "cursor":
        kept = iter(kept)
    target = box._target
    del box
    gc.collect()
    assert 1 == (kept.get(1) if held == "facade" else next(iter(kept))).id
    close(target.aclose)


def test_forgotten(served: Any) -> None:
    """A client that is dropped unclosed warns, and its thread and connections end."""
    box = Homebox("t", base_url=served.url)
    box.request("GET", "x")
    thread = box._bridge.worker._thread
    assert thread is not None
    dropped = [box]
    del box
    with pytest.warns(ResourceWarning, match=r"a client of http.* was not closed"):
        dropped.clear() or gc.collect()
    thread.join(5)
    assert not thread.is_alive()


def test_an_unused_client_may_be_forgotten() -> None:
    """A client that was never used has nothing to close and says nothing."""
    Homebox("t")
    AsyncHomebox("t")
    gc.collect()


def test_forgotten_on_its_own_loop(served: Any) -> None:
    """A client that is collected on its own loop's thread closes without waiting for itself."""
    worker = Worker()
    closed = threading.Event()

    async def last() -> None:
        closed.set()

    async def end() -> None:
        worker.close(last)

    with contextlib.suppress(ConnectionFailed):
        worker.run(end)
    assert closed.wait(5)
    assert worker._thread is not None
    worker._thread.join(5)
    assert not worker._thread.is_alive()


def test_a_last_word_that_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Closing takes a bounded time, whatever hangs."""
    monkeypatch.setattr(bridge_module, "_CLOSE_GRACE", 0.05)
    bridge = Bridge()

    async def nothing() -> int:
        return 5

    assert 5 == bridge.run(nothing)

    async def hang() -> None:
        await asyncio.sleep(60)

    start = time.monotonic()
    bridge.worker.close(hang)
    assert time.monotonic() - start < 5


def test_a_loop_that_does_not_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """If no loop can be made (no file descriptors left), the call fails instead of waiting."""

    def refuse(*_: Any) -> None:
        raise OSError(24, "Too many open files")

    bridge = Bridge()
    with monkeypatch.context() as patch:
        patch.setattr(anyio, "run", refuse)
        with pytest.raises(ConfigurationError, match="could not be started"):
            bridge.run(lambda: asyncio.sleep(0))
    bridge.run(lambda: asyncio.sleep(0))
    bridge.worker.close(lambda: asyncio.sleep(0))
