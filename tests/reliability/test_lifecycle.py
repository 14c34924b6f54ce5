"""Clients at the edges of their life, each in a process of its own: a clear word, never a hang."""

import asyncio
import copy
import gc
import pickle
import subprocess
import sys
import textwrap
import warnings
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from homebox_async import AsyncBilling, AsyncHomebox, Billing, ConfigurationError, Homebox

pytestmark = pytest.mark.slow

PRELUDE = """
import asyncio, atexit, gc, multiprocessing, os, sys, threading, time, warnings
from homebox_async import AsyncHomebox, ConfigurationError, Homebox, HomeboxError, Retry
warnings.simplefilter("ignore", DeprecationWarning)  # of forks with threads
url = sys.argv[1]
"""
UNCLOSED = "ResourceWarning: a client of {} was not closed; use {}"
WITH, ASYNC_WITH = "`with` or close()", "`async with` or await aclose()"


async def python(code: str, url: str, folder: Path) -> tuple[int | None, str, str]:
    """Run a program with a client's parts at hand; it must end by itself."""
    path = folder / "program.py"
    path.write_text(PRELUDE + textwrap.dedent(code))
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-W", "always::ResourceWarning", str(path), url),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(40):
            out, err = await process.communicate()
    except TimeoutError:
        process.kill()
        raise
    return process.returncode, out.decode(), err.decode()


# What is run, what it prints, and what it warns of: None is nothing at all.
CASES: dict[str, tuple[str, str, str | None]] = {
    "collected in another thread": (
        """
        async def main():
            asyncio.get_running_loop().set_debug(True)
            asyncio.get_running_loop().slow_callback_duration = 60
            box = [AsyncHomebox("t", base_url=url)]
            await asyncio.gather(*(box[0].request("GET", "x") for _ in range(3)))
            gc.collect()
            thread = threading.Thread(target=lambda: (box.clear(), gc.collect()))
            thread.start()
            while thread.is_alive():
                await asyncio.sleep(0.01)
            await asyncio.sleep(0.05)
            print(len(asyncio.all_tasks()))
        asyncio.run(main())
        """,
        "1\n",
        ASYNC_WITH,
    ),
    "call in flight when the loop ends": (
        """
        async def main():
            client = AsyncHomebox("t", base_url=url)
            call = asyncio.create_task(client.request("GET", "hang"))
            async with AsyncHomebox("t", base_url=url) as other:
                while not await other.request("GET", "received"):
                    await asyncio.sleep(0.01)
        asyncio.run(main())
        print("left")
        """,
        "left\n",
        ASYNC_WITH,
    ),
    "daemon thread in a call at exit": (
        """
        box = Homebox("t", base_url=url)
        def work():
            try:
                box.request("POST", "hang")
            except HomeboxError as error:
                print(error.outcome.value, flush=True)
        thread = threading.Thread(target=work, daemon=True)
        thread.start()
        while not box.request("GET", "received"):
            time.sleep(0.01)
        print("leaving", flush=True)
        atexit.register(thread.join, 5)
        atexit.register(box.close)
        """,
        "leaving\nunknown\n",
        None,
    ),
    "daemon thread forgotten at exit": (
        """
        box = Homebox("t", base_url=url)
        def work():
            try:
                box.request("GET", "hang")
            except HomeboxError:
                pass
        threading.Thread(target=work, daemon=True).start()
        while not box.request("GET", "received"):
            time.sleep(0.01)
        print("leaving", flush=True)
        """,
        "leaving\n",
        WITH,
    ),
    "half built": (
        """
        class Mine(Homebox):
            def __init__(self):
                super().__init__("t", base_url=url)
                self.request("GET", "x")
                raise KeyError("mine")
        class Other(AsyncHomebox):
            def __init__(self):
                raise KeyError("other")
        for make in (Mine, Other, lambda: Homebox("t", timeout=-1)):
            try:
                make()
            except (KeyError, ConfigurationError) as error:
                print(error)
            gc.collect()
        """,
        "'mine'\n'other'\ntimeout is -1; give a number of seconds above 0\n",
        WITH,
    ),
    "used at exit": (
        """
        once = Retry(attempts=1)
        def late():
            try:
                threading.Thread(target=int).start()
                expected = [{}]
            except RuntimeError:  # 3.12 and 3.13 start no thread any more
                expected = ["refused"]
            with Homebox("t", base_url=url.replace("127.0.0.1", "localhost"), retry=once) as mine:
                try:
                    came = [mine.request("GET", "x")]
                except HomeboxError:
                    came = ["refused"]
            print(came == expected)
            try:
                box.request("GET", "x")
            except HomeboxError as error:
                print(error)
        atexit.register(late)
        box = Homebox("t", base_url=url)
        """,
        "True\nthis client is closed; make a new one\n",
        None,
    ),
    "one client in two runs": (
        """
        client = AsyncHomebox("t", base_url=url)
        async def main():
            print(await client.request("GET", "x"))
        asyncio.run(main())
        try:
            asyncio.run(main())
        except ConfigurationError as error:
            print(error)
        os._exit(0)
        """,
        (
            "{}\nthis client is in use on another event loop; make one for each loop (asyncio.run "
            "starts one each time), or use the sync client, which works from every thread\n"
        ),
        None,
    ),
    "made at import, used after a fork": (
        """
        box, client = Homebox("t", base_url=url), AsyncHomebox("t", base_url=url)
        def use():
            print(box.request("GET", "x"), flush=True)
            async def main():
                async with client:
                    print(await client.request("GET", "x"), flush=True)
            asyncio.run(main())
            box.close()
        child = os.fork()
        if child:
            assert 0 == os.waitpid(child, 0)[1]
        use()
        """,
        "{}\n" * 4,
        None,
    ),
    "multiprocessing by fork": (
        """
        box = Homebox("t", base_url=url)
        def use(n):
            try:
                return box.request("GET", "x")
            except ConfigurationError as error:
                return str(error)
        print(use(0))
        with multiprocessing.get_context("fork").Pool(2) as pool:
            print(*sorted({*pool.map(use, range(4))}))
        print(use(0))
        box.close()
        """,
        "{}\nthis client was made before a fork; make one in the child process\n{}\n",
        None,
    ),
    "multiprocessing by forkserver": (
        """
        def use(given):
            with Homebox("t", base_url=given) as box:
                return box.request("GET", "x")
        def give(box):
            pass
        if __name__ == "__main__":
            context = multiprocessing.get_context("forkserver")
            with context.Pool(1) as pool:
                print(pool.map(use, [url] * 2))
                with Homebox("t", base_url=url) as box:
                    try:
                        pool.map(give, [box])
                    except ConfigurationError as error:
                        print(error)
        """,
        (
            "[{}, {}]\nHomebox cannot be pickled or copied; make one in each process, and use "
            "with_options() for a second view of one\n"
        ),
        None,
    ),
    "list left in the middle": (
        """
        box = Homebox("t", base_url=url)
        for lead in box.leads.list(prefetch=3):
            break
        print("left")
        """,
        "left\n",
        WITH,
    ),
    "no thread to be had": (
        """
        def refuse(self):
            raise RuntimeError("can't start new thread")
        start, threading.Thread.start = threading.Thread.start, refuse
        box = Homebox("t", base_url=url)
        try:
            box.request("GET", "x")
        except ConfigurationError as error:
            print(error)
        threading.Thread.start = start
        print(box.request("GET", "x"))
        box.close()
        """,
        "the client's thread could not be started (can't start new thread)\n{}\n",
        None,
    ),
}


@pytest.mark.parametrize("case", CASES)
async def test_life(server: Any, tmp_path: Path, case: str) -> None:
    """The program leaves by itself, prints what it should, and warns once where it should."""
    received: list[str] = []  # what the server keeps waiting

    async def act(wire: Any, seen: Any) -> None:
        if "hang" in seen.target:
            received.append(seen.target)
            await wire.hang()
        if "received" in seen.target and received:
            await server.say(200, b'{"data": {"paths": 1}}')(wire, seen)
            return
        leads = b'{"data": [{"id": 1}], "meta": {"last_page": 9}}'
        await server.say(200, leads if "lead" in seen.target else b"{}")(wire, seen)

    server.default = act
    code, printed, fix = CASES[case]
    status, out, err = await python(code, server.url, tmp_path)
    assert (0, printed) == (status, out), err
    warned = [line for line in err.splitlines() if "ResourceWarning" in line]
    expected = [] if fix is None else [UNCLOSED.format(server.url, fix)]
    assert expected == [line[line.index("ResourceWarning") :] for line in warned]
    assert "Traceback" not in err


CLIENTS: dict[str, Callable[[], Any]] = {
    "AsyncHomebox": lambda: AsyncHomebox("t"),
    "Homebox": lambda: Homebox("t"),
    "AsyncBilling": lambda: AsyncBilling("t"),
    "Billing": lambda: Billing("t"),
}


@pytest.mark.parametrize("how", [pickle.dumps, copy.copy, copy.deepcopy], ids=lambda f: f.__name__)
@pytest.mark.parametrize("name", CLIENTS)
def test_pickled_or_copied(name: str, how: Callable[[Any], Any]) -> None:
    """A client says that it cannot be pickled or copied, and what to do; so do its resources."""
    client = CLIENTS[name]()
    with pytest.raises(ConfigurationError, match=rf"{name} cannot be pickled or copied; make one"):
        how(client)
    assert isinstance(client.with_options(deadline=5), type(client))


@pytest.mark.parametrize("make", [AsyncHomebox, Homebox], ids=lambda cls: cls.__name__)
def test_pickled_resources(make: Any) -> None:
    """What a client gives is bound to it, and says the same."""
    with pytest.raises(ConfigurationError, match="cannot be pickled or copied"):
        pickle.dumps(make("t").leads)


@pytest.mark.parametrize("name", CLIENTS)
def test_weak_references(name: str) -> None:
    """A client can be referred to weakly, and goes when nobody holds it any more."""
    client = CLIENTS[name]()
    reference = weakref.ref(client)
    assert client is reference()
    del client
    gc.collect()
    assert None is reference()


async def test_closed_in_another_thread(server: Any) -> None:
    """Closing from another thread ends the calls of the loop, which say what they did."""
    server.default = server.hang
    client = AsyncHomebox("t", base_url=server.url)
    calls = [asyncio.create_task(client.request("GET", f"{n}")) for n in range(3)]
    while len(server.seen) < 3:
        await asyncio.sleep(0.001)
    await asyncio.to_thread(lambda: asyncio.run(client.aclose()))
    errors = await asyncio.gather(*calls, return_exceptions=True)
    assert [ConfigurationError] * 3 == [type(error) for error in errors]
    await client.aclose()
    assert 3 == len(server.seen)


async def test_closed_before_its_turn(server: Any) -> None:
    """A call that waits for a place in the pool while the client closes is told so."""
    server.default = server.hang
    client = AsyncHomebox("t", base_url=server.url, max_connections=1)
    first = asyncio.create_task(client.request("GET", "a"))
    while not server.seen:
        await asyncio.sleep(0.001)
    second = asyncio.create_task(client.request("POST", "b"))
    await asyncio.sleep(0.01)
    await client.aclose()
    errors = await asyncio.gather(first, second, return_exceptions=True)
    assert ["this client is closed; make a new one"] * 2 == [str(error) for error in errors]
    assert 1 == len(server.seen)


def test_no_policy() -> None:
    """The sync client's loop, uvloop's too, leaves the process's policy and loops alone."""
    before = policy()
    with Homebox("t", base_url="http://127.0.0.1:9") as box:
        box._bridge.run(_kind_of_loop)
    assert before is policy()
    assert "uvloop" not in asyncio.run(_kind_of_loop())


def policy() -> Any:
    """Return the process's policy, which Python 3.14 warns of asking for."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return asyncio.get_event_loop_policy()


async def _kind_of_loop() -> str:
    return type(asyncio.get_running_loop()).__module__
