"""Time that never has to be waited for, over real sockets, and all that a call needs in it.

When no socket has anything to say, the loop does not wait for its next timer: the clock jumps
there. All peers live on this loop, and loopback delivers at once, so nothing can be under way
then. The package reads the same clock.
"""

from __future__ import annotations

import asyncio
import contextlib
import email.utils
import functools
import os
import selectors
import types
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import Executor
from typing import Any, TypeVar

import aiohttp.connector
import pytest

from homebox_async import AsyncHomebox, Retry, base_client, middleware, stream, transport

from .plans import Fault, Plan
from .proxy import Proxy
from .recorder import Recorder

T = TypeVar("T")

_MIDNIGHT = 1_800_000_000.0
# How often silence has to be heard before it is believed.
_LOOKS = 4


class _JumpingSelector(selectors.DefaultSelector):
    def __init__(self) -> None:
        super().__init__()
        self.now = 1000.0
        self.threads = 0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None or self.threads:
            return super().select(None)
        for look in range(_LOOKS):
            ready = super().select(0)
            if ready or timeout <= 0:
                return ready
            if look:
                os.sched_yield()  # the kernel may have bytes to carry
        self.now += timeout
        return []


class JumpingLoop(asyncio.SelectorEventLoop):
    """An event loop whose time jumps from timer to timer."""

    def __init__(self) -> None:
        self._jumping = _JumpingSelector()
        super().__init__(self._jumping)

    def time(self) -> float:
        """Return the virtual time."""
        return self._jumping.now

    def wall(self) -> float:
        """Return the virtual time of day."""
        return _MIDNIGHT + self._jumping.now

    def date(self, seconds: float) -> str:
        """Return the HTTP date that is so many seconds from now, in whole seconds."""
        return email.utils.formatdate(self.wall() + seconds, usegmt=True)

    def run_in_executor(
        self, executor: Executor | None, func: Callable[..., T], *args: Any
    ) -> asyncio.Future[T]:
        """Run in a thread; time stands still meanwhile."""
        future = super().run_in_executor(executor, func, *args)
        self._jumping.threads += 1
        future.add_done_callback(self._joined)
        return future

    def _joined(self, _: asyncio.Future[Any]) -> None:
        self._jumping.threads -= 1


@contextlib.contextmanager
def clock_of(loop: JumpingLoop, **retrier: Any) -> Iterator[None]:
    """Let the package, and aiohttp's pool, read the clock of the loop.

    `retrier`: what else the middleware that tries again shall use.
    """
    clock = types.SimpleNamespace(monotonic=loop.time, time=loop.wall)
    with pytest.MonkeyPatch.context() as patch:
        for module in (base_client, middleware, stream, transport):
            patch.setattr(module, "time", clock)
        patch.setattr(aiohttp.connector, "monotonic", loop.time)
        for name, more in (("Retrier", retrier), ("Throttle", {})):
            made = functools.partial(getattr(base_client, name), now=loop.time, **more)
            patch.setattr(base_client, name, made)
        yield


class World:
    """A recording server, the fault proxy before it, and clients that connect to the proxy."""

    def __init__(self) -> None:
        self.loop = JumpingLoop()
        self.server = Recorder()
        self.proxy: Proxy

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run to the end, in no time."""
        return self.loop.run_until_complete(work)

    async def start(self) -> None:
        """Start server and proxy."""
        self.proxy = await Proxy(await self.server.start(), keep=True).start()

    async def stop(self) -> None:
        """Stop both."""
        await self.proxy.stop()
        await self.server.stop()

    def client(self, **options: Any) -> AsyncHomebox:
        """Return a client whose attempts do not wait for one another, unless the server asks."""
        options = {"retry": Retry(backoff=1e-9), "keepalive_timeout": 60.0, **options}
        return AsyncHomebox("test-token-1", base_url=self.proxy.url, **options)

    def always(self, *faults: Fault) -> None:
        """Let every connection from now on have these faults."""
        self.proxy.script(*[Plan(faults)] * 100)


@contextlib.contextmanager
def world() -> Iterator[World]:
    """Make a world and take it down; nothing may be left of it."""
    made = World()
    try:
        with clock_of(made.loop):
            made.run(made.start())
            yield made
            made.run(made.stop())
            made.run(asyncio.sleep(0))
            assert set() == asyncio.all_tasks(made.loop)
    finally:
        made.loop.run_until_complete(made.loop.shutdown_default_executor())
        made.loop.close()
