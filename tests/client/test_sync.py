"""The sync client: the same calls from threads, and its behaviour at the edges of a process."""

import asyncio
import contextlib
import gc
import inspect
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import anyio
import pytest

from homebox_async import (
    AsyncHomebox,
    ConfigurationError,
    ConnectionFailed,
    Homebox,
    Outcome,
    OutcomeUnknown,
    Retry,
    ValidationError,
    blocking,
    sync,
)
from homebox_async.base_client import BlockingClient
from homebox_async.blocking import Bridge, Facade, Worker


class Served:
    """The raw server on a loop of its own, for clients that block."""

    def __init__(self, server: Any) -> None:
        self.server = server
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()
        self.run(server.start())

    def run(self, work: Any) -> Any:
        """Run a coroutine on the server's loop."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(5)

    def stop(self) -> None:
        """End the server and its loop."""
        self.run(self.server.stop())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(5)
        self.loop.close()


@pytest.fixture
def served() -> Iterator[Any]:
    """Return a raw server that runs in a thread."""
    conftest = next(
        module
        for name, module in sys.modules.items()
        if name.endswith("conftest") and hasattr(module, "Server")
    )
    found = Served(conftest.Server())
    yield found.server
    found.stop()


@pytest.fixture
def box(served: Any) -> Iterator[Homebox]:
    """Return a sync client of the raw server."""
    with Homebox("t", base_url=served.url, retry=Retry(backoff=0.0)) as box:
        yield box


def public(cls: type) -> set[str]:
    """Return the public methods of a class, inherited ones too."""
    return {
        name
        for base in cls.__mro__
        for name, value in vars(base).items()
        if name[0] != "_" and callable(value)
    }


FACADES = [
    (facade, facade.__orig_bases__[0].__args__[0])
    for facade in vars(sync).values()
    if isinstance(facade, type) and issubclass(facade, Facade)
    if facade not in {Facade, BlockingClient, Homebox}
]


@pytest.mark.parametrize(("facade", "target"), FACADES, ids=lambda cls: cls.__name__)
def test_parity(facade: type, target: type) -> None:
    """Each facade has the operations of its async class: the same function and signature."""
    assert public(target) == public(facade)
    assert facade.__doc__ == target.__doc__
    for name in public(target):
        ours, theirs = getattr(facade, name), getattr(target, name)
        assert theirs is ours.__wrapped__
        assert inspect.signature(theirs) == inspect.signature(ours)
        assert theirs.__doc__ == ours.__doc__


def test_parity_of_the_clients() -> None:
    """The clients have the same names, options and resources."""
    rename = {"aclose": "close"}
    assert {rename.get(name, name) for name in public(AsyncHomebox)} == public(Homebox)
    for name in ("__init__", "with_options"):
        ours, theirs = (
            [
                (p.name, p.kind, p.default)
                for p in inspect.signature(getattr(c, name)).parameters.values()
            ]
            for c in (Homebox, AsyncHomebox)
        )
        assert theirs == ours
    assert Homebox.request.__wrapped__ is AsyncHomebox.request  # type: ignore[attr-defined]
    resources = set(AsyncHomebox.__annotations__)
    with Homebox("t") as box:
        for name in resources:
            facade, target = getattr(box, name), getattr(box._target, name)
            assert target is facade._target
            assert (type(facade), type(target)) in FACADES
    of_a_branch = {"BranchProperties", "BranchOrders", "BranchInvites"}
    assert len(FACADES) == len(resources) + len(of_a_branch)


def test_lists(served: Any, box: Homebox) -> None:
    """Lists are iterated by item and by page, from where one wants."""
    pages = {
        n: b'{"data": [{"id": %d}, {"id": %d}], "meta": {"last_page": 3, "total": 7}}'
        % (2 * n - 1, 2 * n)
        for n in (1, 2, 3)
    }

    async def act(wire: Any, seen: Any) -> None:
        number = int(seen.target.rpartition("page=")[2])
        await served.say(200, pages.get(number, b'{"data": []}'))(wire, seen)

    served.default = act
    leads = box.leads.list(prefetch=2)
    assert [1, 2, 3, 4, 5, 6] == [lead.id for lead in leads]
    assert [1, 2, 3] == [page.number for page in leads.pages()]
    assert [1, 2, 3] == [lead.id for lead in leads.collect(max_items=3)]
    first = leads.first()
    assert first is not None
    assert 1 == first.id
    cursor = iter(leads)
    assert cursor is iter(cursor)
    next(cursor)
    assert (2, None) == (cursor.pages.next_page, cursor.pages.drift)
    assert [2, 3, 4, 5, 6] == [lead.id for lead in cursor]
    assert -1 == cursor.pages.drift
    cursor = iter(leads)
    next(cursor)
    cursor.close()
    assert [2] == [lead.id for lead in cursor]


def test_threads_share_a_client(served: Any, box: Homebox) -> None:
    """Threads share one client, one pool and one loop."""
    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(lambda n: box.request("POST", "x", json={"n": n}), range(200)))
    assert [{}] * 200 == results
    assert 200 == len({seen.body for seen in served.seen})
    assert served.connections <= 8
    assert 1 == sum(thread.name == "homebox-client" for thread in threading.enumerate())


def test_threads_share_a_list(served: Any, box: Homebox) -> None:
    """Threads that pull from one iteration get each item once."""

    async def act(wire: Any, seen: Any) -> None:
        number = int(seen.target.rpartition("page=")[2])
        items = ", ".join(f'{{"id": {10 * number + i}}}' for i in range(5 if number < 9 else 0))
        await served.say(200, f'{{"data": [{items}]}}'.encode())(wire, seen)

    served.default = act
    cursor = iter(box.leads.list())
    with ThreadPoolExecutor(4) as pool:
        parts = [pool.submit(lambda: [lead.id for lead in cursor]) for _ in range(4)]
    found = [i for part in parts for i in part.result()]
    assert [10 * n + i for n in range(1, 9) for i in range(5)] == sorted(map(int, found))  # type: ignore[arg-type]


async def test_inside_a_running_loop(server: Any) -> None:
    """The sync client works in a thread that runs a loop, as in a notebook."""
    url = server.url

    def use() -> Any:
        async def cell() -> Any:
            with Homebox("t", base_url=url) as box:
                return box.request("GET", "x")

        return asyncio.run(cell())

    assert {} == await asyncio.to_thread(use)


def test_errors_come_through(served: Any, box: Homebox) -> None:
    """An error of the loop's thread is raised in the caller's, with nothing changed."""
    served.default = served.reset
    with pytest.raises(OutcomeUnknown, match="POST x: it may have happened"):
        box.request("POST", "x")
    with pytest.raises(ValidationError):
        box.properties.get(-1)


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
    served.default = served.say(503, b"", [("Retry-After", "60")])
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


def test_context_variables_travel(served: Any) -> None:
    """The caller's context variables are seen by middlewares."""
    import contextvars

    name: contextvars.ContextVar[str] = contextvars.ContextVar("name")
    found: list[str] = []

    async def note(request: Any, handler: Any) -> Any:
        found.append(name.get())
        return await handler(request)

    with Homebox("t", base_url=served.url, middlewares=[note]) as box:
        name.set("caller")
        box.request("GET", "x")
    assert ["caller"] == found


def test_with_options(served: Any) -> None:
    """A view shares the connections; it, too, keeps the client alive and closes it."""
    view = Homebox("t", base_url=served.url).with_options(deadline=5, retry=Retry(attempts=1))
    gc.collect()
    assert {} == view.request("GET", "x")
    other = view.with_options(deadline=None)
    del view
    gc.collect()
    assert {} == other.request("GET", "x")
    assert f"<Homebox {served.url}>" == repr(other)
    other.close()
    assert 1 == served.connections


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
    monkeypatch.setattr(blocking, "_CLOSE_GRACE", 0.05)
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


# --- processes

PRELUDE = """
import asyncio, os, sys, threading, time, signal
from homebox_async import Homebox, AsyncHomebox, ConfigurationError
url = sys.argv[1]
"""


def python(code: str, url: str, **options: Any) -> "subprocess.Popen[str]":
    """Start a Python that has a client's parts at hand."""
    return subprocess.Popen(
        [sys.executable, "-X", "dev", "-c", PRELUDE + textwrap.dedent(code), url],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )


def run(code: str, url: str) -> tuple[int, str, str]:
    """Run a Python to its end."""
    process = python(code, url)
    out, err = process.communicate(timeout=20)
    return process.returncode, out, err


def test_unclosed_at_exit(served: Any) -> None:
    """A client that is not closed does not keep the interpreter, and is told of."""
    code, out, err = run(
        'box = Homebox("t", base_url=url); print(box.request("GET", "x"))', served.url
    )
    assert (0, "{}\n") == (code, out)
    assert "ResourceWarning: a client of http" in err
    assert "Traceback" not in err
    assert "unclosed" not in err


def test_unclosed_async_at_exit(served: Any) -> None:
    """An async client that is not closed is told of and makes no other noise."""
    code, out, err = run(
        """
        async def main():
            client = AsyncHomebox("t", base_url=url)
            print(await client.request("GET", "x"))
        asyncio.run(main())
        """,
        served.url,
    )
    assert (0, "{}\n") == (code, out)
    assert "ResourceWarning: a client of http" in err
    assert "Traceback" not in err
    assert "Unclosed" not in err


def test_closed_at_exit_is_silent(served: Any) -> None:
    """A client that is closed leaves nothing to say."""
    code, _, err = run(
        'with Homebox("t", base_url=url) as box: box.request("GET", "x")', served.url
    )
    assert (0, "") == (code, err)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.parametrize("leave", ["os._exit(0)", "sys.exit(0)"], ids=["_exit", "exit"])
def test_after_fork(served: Any, leave: str) -> None:
    """In a forked child the client refuses to work, and the parent's goes on undisturbed."""
    code, out, err = run(
        f"""
        import warnings
        warnings.simplefilter("ignore", DeprecationWarning)
        box = Homebox("t", base_url=url)
        box.request("GET", "x")
        pid = os.fork()
        if not pid:
            try:
                box.request("GET", "x")
            except ConfigurationError as error:
                print(error, flush=True)
            box.close()
            del box
            with Homebox("t", base_url=url) as mine:
                print(mine.request("GET", "child"), flush=True)
            {leave}
        os.waitpid(pid, 0)
        for _ in range(3):
            print(box.request("GET", "parent"), flush=True)
        box.close()
        """,
        served.url,
    )
    assert (0, "") == (code, "" if "Traceback" not in err else err)
    assert "made before a fork" in out
    assert 4 == out.count("{}\n")
    # The child made a connection of its own; the parent kept its first one.
    assert 2 == served.connections


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_after_fork_async(served: Any) -> None:
    """An async client says the same after a fork."""
    code, out, _ = run(
        """
        import warnings
        warnings.simplefilter("ignore", DeprecationWarning)
        async def main():
            client = AsyncHomebox("t", base_url=url)
            await client.request("GET", "x")
            pid = os.fork()
            if not pid:
                try:
                    await client.request("GET", "x")
                except ConfigurationError as error:
                    print(error, flush=True)
                await client.aclose()
                os._exit(0)
            os.waitpid(pid, 0)
            print(await client.request("GET", "x"), flush=True)
            await client.aclose()
        asyncio.run(main())
        """,
        served.url,
    )
    assert 0 == code
    assert "made before a fork" in out
    assert "{}" in out
    assert 1 == served.connections


@pytest.mark.parametrize("method", ["POST", "GET"])
def test_interrupt(served: Any, method: str) -> None:
    """Ctrl-C ends a call at once and says what it did."""
    served.default = served.hang
    process = python(
        f"""
        box = Homebox("t", base_url=url)
        try:
            box.request("{method}", "x")
        except KeyboardInterrupt as interrupt:
            print(interrupt.__notes__)
        box.close()
        """,
        served.url,
    )
    while not served.seen:
        time.sleep(0.005)
    start = time.monotonic()
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=10)
    assert (0, "") == (process.returncode, err)
    assert f"['{method} x: cancelled [outcome: unknown]']\n" == out
    assert time.monotonic() - start < 5


def test_spawned_processes(served: Any, tmp_path: Path) -> None:
    """Processes that are spawned make their own clients."""
    script = (
        "import multiprocessing, sys\n"
        "from homebox_async import Homebox\n"
        "def use(url):\n"
        "    with Homebox('t', base_url=url) as box:\n"
        "        return box.request('GET', 'x')\n"
        "if __name__ == '__main__':\n"
        "    with multiprocessing.get_context('spawn').Pool(2) as pool:\n"
        "        print(pool.map(use, [sys.argv[1]] * 4))\n"
    )
    path = tmp_path / "spawned.py"
    path.write_text(script)
    done = subprocess.run(
        [sys.executable, str(path), served.url], capture_output=True, text=True, timeout=40
    )
    assert (0, "[{}, {}, {}, {}]\n", "") == (done.returncode, done.stdout, done.stderr)


# --- interrupts, step by step


class Interrupting:
    """A lock whose acquiring is interrupted."""

    def __init__(self, lock: Any) -> None:
        self.lock = lock
        self.times = 0

    def acquire(self, *args: Any, **kwargs: Any) -> Any:
        """Interrupt the first wait."""
        self.times += 1
        if self.times == 1:
            time.sleep(0.02)
            raise KeyboardInterrupt
        return self.lock.acquire(*args, **kwargs)

    def release(self) -> None:
        """Release."""
        self.lock.release()


@pytest.mark.parametrize(
    ("kind", "note"),
    [
        ("ends", "the call had just succeeded"),
        ("fails", "ConnectionFailed"),
        ("hangs", "the call had not ended yet [outcome: unknown]"),
        ("quiet", "cancelled outside its requests"),
    ],
)
def test_notes_of_an_interrupt(kind: str, note: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """However a call takes its cancellation, the interrupt says what became of it."""
    monkeypatch.setattr(blocking, "_INTERRUPT_GRACE", 0.05)
    make = blocking._Call.__init__

    def interrupted(self: Any, *args: Any) -> None:
        make(self, *args)
        self.done = Interrupting(self.done)

    bridge = Bridge()
    bridge.run(lambda: asyncio.sleep(0))

    async def work() -> None:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            if kind == "fails":
                raise ConnectionFailed("ConnectionFailed", outcome=Outcome.UNKNOWN) from None
            if kind == "hangs":
                await asyncio.sleep(0.3)
            if kind == "quiet":
                raise

    with monkeypatch.context() as patch:
        patch.setattr(blocking._Call, "__init__", interrupted)
        with pytest.raises(KeyboardInterrupt) as caught:
            bridge.run(work)
    assert note in caught.value.__notes__[0]
    bridge.worker.close(lambda: asyncio.sleep(0))
