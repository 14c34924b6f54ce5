"""What the tests of the client share."""

import asyncio
import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from homebox_async import Homebox, Retry


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HOMEBOX_TOKEN", "HOMEBOX_BASE_URL", "HTTPS_PROXY", "https_proxy"):
        monkeypatch.delenv(name, raising=False)
    for name in ("NO_PROXY", "no_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)


class Served:
    """The raw server on a loop of its own, for clients that block."""

    def __init__(self, server: Any) -> None:
        self.server = server
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()
        self.run(server.start())

    def run(self, work: Any) -> Any:
        """Run a coroutine on the server's loop."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(5)

    def stop(self) -> None:
        """End the server and its loop."""
        self.run(self.server.stop())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(5)
        self.loop.close()


@pytest.fixture
def served() -> Iterator[Any]:
    """Return a raw server that runs in a thread."""
    conftest = next(
        module
        for name, module in sys.modules.items()
        if name.endswith("conftest") and hasattr(module, "Server")
    )
    found = Served(conftest.Server())
    yield found.server
    found.stop()


@pytest.fixture
def box(served: Any) -> Iterator[Homebox]:
    """Return a sync client of the raw server."""
    with Homebox("t", base_url=served.url, retry=Retry(backoff=0.0)) as box:
        yield box
