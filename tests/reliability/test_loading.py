"""What is imported late: before a request leaves, never after, and in spite of forks and exits."""

import asyncio
import json
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

from .test_lifecycle import python

SLOW = """
import signal, threading, time
signal.alarm(20)

class Slow:  # a finder that takes its time for one module
    def __init__(self, name):
        self.name, self.seen = name, threading.Event()
    def find_spec(self, name, *_):
        if name == self.name:
            self.seen.set()
            time.sleep(0.3)

def report(call):
    try:
        said = call()
    except Exception as error:
        said = f"{type(error).__name__} {error}"
    print(f"{said}\\n", end="", flush=True)  # at once: two processes write

async def get():
    async with AsyncHomebox("t", base_url=url) as client:
        return await client.request("GET", "x")

def blocking_get():
    with Homebox("t", base_url=url) as box:
        return box.request("GET", "x")
"""
FORKED = "ConfigurationError this client was made before a fork; make one in the child process\n"

CASES: dict[str, tuple[str, str]] = {
    "fork while the first call starts": (
        """
        finder = Slow("anyio.from_thread")
        sys.meta_path.insert(0, finder)
        box = Homebox("t", base_url=url)
        thread = threading.Thread(target=report, args=[lambda: box.request("GET", "x")])
        thread.start()
        finder.seen.wait()
        child = os.fork()
        if not child:
            signal.alarm(10)
            report(lambda: box.request("GET", "x"))
            report(blocking_get)
            report(lambda: asyncio.run(get()))
            os._exit(0)
        thread.join()
        assert 0 == os.waitpid(child, 0)[1]
        box.close()
        """,
        "{}\n" + FORKED + "{}\n{}\n",
    ),
    "fork while a call of the async client imports": (
        """
        finder = Slow("tenacity")
        sys.meta_path.insert(0, finder)
        thread = threading.Thread(target=report, args=[lambda: asyncio.run(get())])
        thread.start()
        finder.seen.wait()
        child = os.fork()
        if not child:
            signal.alarm(10)
            report(blocking_get)
            report(lambda: asyncio.run(get()))
            os._exit(0)
        thread.join()
        assert 0 == os.waitpid(child, 0)[1]
        """,
        "{}\n{}\n{}\n",
    ),
    "fork while another thread closes": (
        """
        boxes = [Homebox("t", base_url=url) for _ in range(8)]
        for box in boxes:
            box.request("GET", "x")
        thread = threading.Thread(target=lambda: [box.close() for box in boxes])
        thread.start()
        children = []
        while thread.is_alive():
            child = os.fork()
            if not child:
                signal.alarm(10)
                for box in boxes:
                    box.close()
                os._exit(0)
            children.append(child)
        print({os.waitpid(child, 0)[1] for child in children})
        """,
        "{0}\n",
    ),
    "a thread that outlives the main thread": (
        """
        named = url.replace("127.0.0.1", "localhost")
        def late():
            threading.main_thread().join()
            time.sleep(0.1)
            with Homebox("t", base_url=named) as other:
                report(lambda: box.request("GET", "x"))
                report(lambda: other.request("GET", "x"))
            async def main():
                async with AsyncHomebox("t", base_url=named) as client:
                    return await client.request("GET", "x")
            report(lambda: asyncio.run(main()))
            box.close()
        box = Homebox("t", base_url=named)
        threading.Thread(target=late).start()
        """,
        "{}\n" * 3,
    ),
    "the first call while Python leaves": (
        """
        def late():
            report(lambda: asyncio.run(get()))
            if sys.version_info < (3, 12):  # later ones start no thread then
                report(blocking_get)
            else:
                print({})
        atexit.register(late)
        """,
        "{}\n{}\n",
    ),
}


@pytest.mark.parametrize("case", CASES)
async def test_starts_and_ends(server: Any, tmp_path: Path, case: str) -> None:
    """The program leaves by itself and prints what it should."""
    code, printed = CASES[case]
    status, out, err = await python(SLOW + textwrap.dedent(code), server.url, tmp_path)
    assert (0, sorted(printed.splitlines())) == (status, sorted(out.splitlines())), err
    assert "Traceback" not in err


@pytest.mark.parametrize("trap", ["refuse", "exhaust"])
@pytest.mark.parametrize("client", ["async", "sync"])
async def test_nothing_is_imported_on_the_way(client: str, trap: str) -> None:
    """Every operation and every kind of answer come to our own errors without an import."""
    program = Path(__file__).with_name("late_imports.py")
    process = await asyncio.create_subprocess_exec(
        sys.executable, program, client, trap, stdout=subprocess.PIPE
    )
    out, _ = await asyncio.wait_for(process.communicate(), 60)
    said = json.loads(out)
    assert [] == said["wrong"]
    # A charset that no one uses for JSON; it is read as another one then.
    assert {"encodings.koi8_r"} >= {*said["refused"]}
    assert 63 * 19 == said["calls"]
