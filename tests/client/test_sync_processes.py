"""The sync client at the edges of a process: exit, fork, signals, children."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from typing import Any

import pytest

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
