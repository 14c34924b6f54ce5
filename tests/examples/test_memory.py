"""A long list passes through an application; it does not pile up there."""

import signal
from pathlib import Path

import aiohttp
import psutil
import pytest

from homebox_async.emulator import Emulator

from .conftest import HOMES, add_homes
from .serving import command, served

pytestmark = pytest.mark.slow

LONG = 10_000


async def test_memory_is_flat(emulator: Emulator, tmp_path: Path) -> None:
    """A list of 200 pages takes no more memory than one of three."""
    with served(
        command("uvicorn fastapi_app"), emulator, tmp_path, code=-signal.SIGTERM
    ) as program:

        async def memory_after_a_list_of(homes: int) -> int:
            async with (
                aiohttp.ClientSession(program.url) as session,
                session.get("/properties") as answer,
            ):
                assert homes == len([line async for line in answer.content])
            return psutil.Process(program.process.pid).memory_info().rss

        before = await memory_after_a_list_of(HOMES)
        add_homes(emulator, HOMES + 1, LONG)
        after = await memory_after_a_list_of(LONG)

    # Held as a list, ten thousand properties take 28 MB.
    assert after - before < 10_000_000
