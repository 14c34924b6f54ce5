"""Processes in which gevent or eventlet has replaced threads: a clear sentence, never a hang."""

import asyncio
import importlib.util
import subprocess
import sys
import textwrap
from typing import Any

import pytest

PATCHES = {
    "gevent": "from gevent import monkey; monkey.patch_all()",
    "eventlet": "import eventlet; eventlet.monkey_patch()",
}
PROGRAM = """
import signal, sys, warnings
warnings.simplefilter("ignore")
signal.alarm(20)
url = sys.argv[1]
{before}
import asyncio
from homebox_async import AsyncHomebox, ConfigurationError, Homebox, Retry

def sync_call():
    with Homebox("t", base_url=url, deadline=10) as box:
        {between}
        return box.request("GET", "x")

async def async_call():
    async with AsyncHomebox("t", base_url=url, deadline=10) as client:
        return await client.request("GET", "x")

for call in (sync_call, sync_call, lambda: asyncio.run(async_call())):
    try:
        print(call())
    except ConfigurationError as error:
        print(error)
"""


async def printed(url: str, before: str = "", between: str = "pass") -> list[str]:
    """Run the program and return its lines."""
    code = textwrap.dedent(PROGRAM).format(before=before, between=between)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, url, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    out, err = await process.communicate()
    assert 0 == process.returncode, err.decode()
    return out.decode().splitlines()


@pytest.mark.parametrize("when", ["before", "between"])
@pytest.mark.parametrize("library", PATCHES)
async def test_green_threads(server: Any, library: str, when: str) -> None:
    """The sync client says at its first call what to do; the async client works."""
    if importlib.util.find_spec(library) is None:
        pytest.skip(f"{library} is not installed")
    first, second, third = await printed(server.url, **{when: PATCHES[library]})
    assert first == second
    assert first.startswith(f"{library} has replaced Python's threads, and a sync client needs ")
    assert "gunicorn: --worker-class gthread; Celery: --pool prefork or threads" in first
    assert "{}" == third


async def test_real_threads_with_green_sockets(server: Any) -> None:
    """What is patched without threads is not refused."""
    if importlib.util.find_spec("gevent") is None:
        pytest.skip("gevent is not installed")
    before = "from gevent import monkey; monkey.patch_all(thread=False)"
    assert ["{}"] * 3 == await printed(server.url, before)
