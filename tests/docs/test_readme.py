"""The README's commands work on a bare machine, and its application serves."""

import asyncio
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import uvicorn

from homebox_async.emulator import Emulator

from .blocks import ROOT, blocks_of, snippet


async def test_fastapi_block(emulator: Emulator) -> None:
    """The FastAPI application serves many requests at once from one pool."""
    names: dict[str, Any] = {}
    exec(snippet("README.md", "fastapi"), names)

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
    blocks = blocks_of(ROOT / "README.md")
    [code] = [block.code for block in blocks if (block.use, block.name) == ("command", name)]
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


@pytest.mark.parametrize("name", ["main", "test"])
def test_commands_set_up_first(name: str) -> None:
    """Both commands make an environment of their own and install the package into it."""
    first, second, _ = _command(name).split(" && ")

    assert "python3 -m venv .venv" == first
    assert second.startswith(".venv/bin/pip install -q -e ")
