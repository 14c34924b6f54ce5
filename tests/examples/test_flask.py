"""The Flask example under gunicorn: threads share a client, processes do not."""

from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest

from homebox_async.emulator import Emulator, Fault, Faults

from .serving import Program, served, statuses, until

COMMAND = "-m gunicorn --workers 2 --threads 8 --bind 127.0.0.1:0 flask_app:app".split()


@pytest.fixture(scope="module")
def server(emulator: Emulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """Return the example under gunicorn."""
    with served(COMMAND, emulator, tmp_path_factory.mktemp("flask")) as program:
        yield program


async def test_threads_share_a_client(emulator: Emulator, server: Program) -> None:
    """Of 200 requests at once each worker's share goes through its own pool, one a thread."""
    emulator.faults = Faults({"slow:0.01": 1.0}, methods=None)

    workers: set[int] = set()
    while len(workers) < 2:
        assert [200, 404] * 100 == await statuses(server.url, ["/properties/1", "/properties/999"] * 100)
        workers |= {pid for pid, ports in server.ports.items() if ports}

    assert emulator.connections.total <= 2 * 8 + 16
