"""The loop of the sync clients and the command line: uvloop's where it is installed."""

import asyncio
import subprocess
import sys

import pytest

from homebox_async.loops import loop_factory, run

uvloop = pytest.importorskip("uvloop")

_SYNC = """
import sys
if not {uvloop}:
    sys.modules["uvloop"] = None  # as if it were not installed
import asyncio
from homebox_async.bridge import Bridge
from homebox_async.emulator import Emulator

async def kind():
    return type(asyncio.get_running_loop()).__module__

bridge = Bridge()
emulator = Emulator()
bridge.run(emulator.start)
from homebox_async import Homebox
with Homebox(emulator.token, base_url=emulator.url) as client:
    client.account.get()
print(bridge.run(kind))
bridge.worker.close(emulator.aclose)
"""


@pytest.mark.parametrize(
    ("installed", "module"),
    [
        pytest.param(True, "uvloop", id="uvloop"),
        pytest.param(False, "asyncio.unix_events", id="asyncio"),
    ],
)
def test_sync_client(installed: bool, module: str) -> None:
    """A sync client works on uvloop where it is installed, and on asyncio's loop without it."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", _SYNC.format(uvloop=installed)],
        capture_output=True,
        text=True,
        timeout=50,
    )

    assert (f"{module}\n", "", 0) == (done.stdout, done.stderr, done.returncode)


async def _kind() -> str:
    return type(asyncio.get_running_loop()).__module__


def test_run() -> None:
    """`run` gives the coroutine a uvloop and returns its result."""
    assert "uvloop" == run(_kind())


def test_run_without_uvloop(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without uvloop `run` is `asyncio.run`."""
    monkeypatch.setitem(sys.modules, "uvloop", None)

    assert loop_factory() is None
    assert "asyncio.unix_events" == run(_kind())
