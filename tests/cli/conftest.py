"""Fixtures of the command line's tests: a folder, a runner, processes, a served emulator."""

import asyncio
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from homebox_async.cli.root import homebox
from homebox_async.emulator import Emulator

Run = Callable[..., Result]
Start = Callable[..., "subprocess.Popen[str]"]

SETTINGS = ["NO_COLOR", "FORCE_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "COLUMNS", "LINES"]
SETTINGS += ["PAGER", "LESS"]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in an empty folder, without the settings of whoever runs the tests."""
    monkeypatch.chdir(tmp_path)
    kept = {"HOMEBOX_STATE"}
    ours = [name for name in os.environ if name.startswith("HOMEBOX_") and name not in kept]
    for name in ours + SETTINGS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
    monkeypatch.setenv("TERM", "xterm-256color")
    return tmp_path


@pytest.fixture
def run() -> Run:
    """Run a command in this process, as `homebox` would."""

    def invoke(*args: str, **options: object) -> Result:
        return CliRunner().invoke(homebox, list(args), **options)  # type: ignore[arg-type]

    return invoke


@pytest.fixture
def write(folder: Path) -> Callable[..., Path]:
    """Write a portfolio of so many rows."""

    def portfolio(rows: int = 3, name: str = "in.csv") -> Path:
        lines = [f"{n} High Street,Leeds,LS1 {n % 10}AA,A{n}" for n in range(1, rows + 1)]
        path = folder / name
        path.write_text("\n".join(["line1,city,postcode,reference", *lines, ""]))
        return path

    return portfolio


@pytest.fixture
def start() -> Iterator[Start]:
    """Start `homebox` as a process of its own; what is still running in the end is killed."""
    started = []

    def popen(*args: str, **options: object) -> "subprocess.Popen[str]":
        process: subprocess.Popen[str] = subprocess.Popen(  # type: ignore[call-overload]
            [sys.executable, "-m", "homebox_async.cli", *args],
            **{
                "stdin": subprocess.DEVNULL,
                "stdout": subprocess.PIPE,
                "stderr": subprocess.PIPE,
                "text": True,
                "env": {**os.environ, "PYTHONUNBUFFERED": "1"},
                **options,
            },
        )
        started.append(process)
        return process

    yield popen
    for process in started:
        with process:
            if process.poll() is None:
                process.kill()


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> Iterator[Emulator]:
    """Serve an emulator from a thread and let the environment name it."""
    emulator = Emulator()
    ready = threading.Event()
    ended: list[Callable[[], object]] = []

    async def serve() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        ended.append(lambda: loop.call_soon_threadsafe(stop.set))
        async with emulator:
            ready.set()
            await stop.wait()

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    assert ready.wait(10)
    monkeypatch.setenv("HOMEBOX_BASE_URL", emulator.url)
    monkeypatch.setenv("HOMEBOX_TOKEN", emulator.token)
    yield emulator
    ended[0]()
    thread.join()


@pytest.fixture
def real(served: Emulator, monkeypatch: pytest.MonkeyPatch) -> Emulator:
    """Let the served emulator pass for production."""
    monkeypatch.setattr("homebox_async.cli.session.is_loopback", lambda host: False)
    return served
