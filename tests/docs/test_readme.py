"""The README does what it says: every code block is run."""

import asyncio
import datetime as dt
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import uvicorn

from homebox_async.blocking import Bridge
from homebox_async.emulator import Address, Emulator

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
BLOCK = re.compile(
    r"(?:<!-- (?P<mark>[\w: ]+) -->\n)?```(?P<kind>\w+)\n(?P<code>.*?)```", re.DOTALL
)
BLOCKS = [found.groupdict() for found in BLOCK.finditer(README)]
PYTHON = [block["code"] for block in BLOCKS if block["kind"] == "python" and not block["mark"]]


@pytest.fixture
def emulator(monkeypatch: pytest.MonkeyPatch) -> Iterator[Emulator]:
    """Run an emulator with two homes in a thread, and point the environment at it."""
    bridge = Bridge()
    emulator = Emulator()
    bridge.run(emulator.start)
    for number in (1, 2):
        emulator.store.add_property(
            Address(
                line1=f"{number} Test Lane",
                line2=None,
                city="London",
                county=None,
                postcode="EC1V 2NX",
            ),
            reference=f"T-{number}",
        )
    emulator.seed_billing(
        "2eff1042c50c1eda889e61573e3c194c", dt.date(2019, 10, 1), dt.date(2020, 9, 30)
    )
    username, password = emulator.billing_login
    for name, value in {
        "URL": emulator.billing_url,
        "LOGIN_URL": emulator.billing_url,
        "USERNAME": username,
        "PASSWORD": password,
        "ADMINISTRATOR_IDS": "1",
    }.items():
        monkeypatch.setenv(f"HOMEBOX_BILLING_{name}", value)
    monkeypatch.setenv("HOMEBOX_BASE_URL", emulator.url)
    monkeypatch.setenv("HOMEBOX_TOKEN", emulator.token)
    yield emulator
    bridge.worker.close(emulator.aclose)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in an empty folder that has the sample data."""
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests/data").symlink_to(ROOT / "tests/data")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("code", PYTHON, ids=[code.split("\n\n")[1][:40] for code in PYTHON])
def test_python_block(code: str, emulator: Emulator, folder: Path) -> None:
    """Each Python block runs as it stands and says nothing on standard error."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        capture_output=True,
        text=True,
        timeout=50,
        env=os.environ | {"PYTHONPATH": ""},
    )

    assert ("", 0) == (done.stderr, done.returncode)


def test_blocks_are_found() -> None:
    """The README has Python blocks, and nothing of it escapes the pattern."""
    assert len(BLOCKS) == README.count("```") // 2
    assert len(PYTHON) >= 6


async def test_fastapi_block(emulator: Emulator) -> None:
    """The FastAPI application serves many requests at once from one pool."""
    [code] = [block["code"] for block in BLOCKS if block["mark"] == "snippet: fastapi"]
    names: dict[str, Any] = {}
    exec(code, names)

    async with _served(names["app"]) as url, aiohttp.ClientSession() as session:

        async def status_of(number: int) -> int:
            async with session.get(f"{url}/properties/{number}") as answer:
                return answer.status

        statuses = await asyncio.gather(*(status_of(1 + n % 3) for n in range(30)))

    assert [200, 200, 404] * 10 == statuses


class _served:  # noqa: N801  # reads as a function: async with _served(app) as url
    def __init__(self, app: Any) -> None:
        self._server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error"))

    async def __aenter__(self) -> str:
        self._task = asyncio.ensure_future(self._server.serve())
        while not self._server.started:
            await asyncio.sleep(0.01)
        port = self._server.servers[0].sockets[0].getsockname()[1]
        return f"http://127.0.0.1:{port}"

    async def __aexit__(self, *_: object) -> None:
        self._server.should_exit = True
        await self._task


def _command(name: str) -> str:
    [code] = [block["code"] for block in BLOCKS if block["mark"] == f"command: {name}"]
    return code.strip()


def test_main_command(folder: Path) -> None:
    """The first command imports the sample; a second run of it sends nothing."""
    last = shlex.split(_command("main").split("&&")[-1])
    homebox = Path(sys.executable).with_name("homebox")
    assert ".venv/bin/homebox" == last[0]

    runs = [
        subprocess.run([homebox, *last[1:]], capture_output=True, text=True, timeout=50)
        for _ in range(2)
    ]

    assert [0, 0] == [run.returncode for run in runs], runs
    assert (folder / "land-registry-sample.created.csv").exists()
    assert 1001 == len((folder / "land-registry-sample.created.csv").read_text().splitlines())


def test_other_shell_command(folder: Path) -> None:
    """The import of a file with columns of its own works as shown."""
    shutil.copy("tests/data/land-registry-sample.csv", "portfolio.csv")
    [command] = [b["code"] for b in BLOCKS if b["kind"] == "sh" and not b["mark"]]
    homebox = Path(sys.executable).with_name("homebox")

    done = subprocess.run(
        [homebox, *shlex.split(command)[1:]], capture_output=True, text=True, timeout=50
    )

    assert 0 == done.returncode, done.stderr
    assert "1,000" in done.stdout or "1000" in done.stdout


@pytest.mark.parametrize("name", ["main", "test"])
def test_commands_set_up_first(name: str) -> None:
    """Both commands make an environment of their own and install the package into it."""
    first, second, _ = _command(name).split(" && ")

    assert "python3 -m venv .venv" == first
    assert second.startswith(".venv/bin/pip install -q -e ")
