"""Breaking a call off at each of its await points, one after the other.

A call is run again and again; at the first run it is broken off where it waits for the first
time, at the second run where it waits for the second time, and so on until it comes to its end
undisturbed. The waits of the tasks that it starts count as well.

Each wait is struck twice: while it waits, and in the instant in which what it waited for is
there but it has not been told yet. There are three ways: `Task.cancel`, `asyncio.timeout`, and
an anyio scope, which cancels again with each turn of the loop until its block has been left.
"""

import asyncio
import gc
import logging
import os
import warnings
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import anyio
import attrs

WAYS = ("cancel", "timeout", "scope")
MOMENTS = ("waiting", "woken")
# Every how-manyth await point is struck; 1 is all of them. Only the long calls make use of it.
STRIDE = int(os.environ.get("CANCEL_STRIDE", "0"))

_strike: ContextVar["Strike | None"] = ContextVar("strike", default=None)


@attrs.define(eq=False)
class Strike:
    """One run of a call: `at` is the wait at which it is struck, 0 is before it begins.

    `waits` counts them, `error` is what came out inside of the scope or timeout, `result` is
    what the call returned, `seen` what whoever awaits the whole gets.
    """

    way: str
    moment: str
    at: int
    waits: int = 0
    struck: bool = False
    ended: bool = False
    result: Any = None
    error: BaseException | None = None
    seen: BaseException | None = None
    tasks: list["asyncio.Task[Any]"] = attrs.field(factory=list)
    _hit: Callable[[], Any] = lambda: None

    async def run(self, call: Callable[[], Awaitable[Any]]) -> None:
        """Run the call to its end, be it struck or not."""
        outer = asyncio.create_task(self._outer(call))
        if not self.at:
            # Never begun: whatever the call would do is not done.
            outer.cancel()
        await asyncio.wait([outer])
        if outer.cancelled():
            self.seen = self.error or asyncio.CancelledError()
        else:
            self.seen = outer.exception()
        await self._settle()

    @property
    def notes(self) -> list[str]:
        """What the error says of the outcome."""
        return [*getattr(self.error, "__notes__", ())]

    def hit(self) -> None:
        """Break the call off, unless it has ended and only its tasks are left."""
        if not self.ended:
            self.struck = True
            self._hit()

    async def _outer(self, call: Callable[[], Awaitable[Any]]) -> None:
        _strike.set(self)
        task = asyncio.current_task()
        assert task is not None
        if self.way == "cancel":
            self._hit = task.cancel
            await _through(self._inner(call), self)
        elif self.way == "timeout":
            async with asyncio.timeout(None) as timeout:
                # Exactly now, and not with the next turn of the loop.
                self._hit = timeout._on_timeout  # type: ignore[attr-defined]
                await _through(self._inner(call), self)
        else:
            with anyio.CancelScope() as scope:
                self._hit = scope.cancel
                await _through(self._inner(call), self)

    async def _inner(self, call: Callable[[], Awaitable[Any]]) -> None:
        try:
            self.result = await call()
        except BaseException as error:
            self.error = error
            raise
        finally:
            self.ended = True

    async def _settle(self) -> None:
        """Wait for the tasks that the call has started: none may stay behind."""
        for turn in range(400):
            left = [task for task in self.tasks if not task.done()]
            if not left:
                break
            await asyncio.sleep(0 if turn < 50 else 0.005)
        assert [] == left, left
        self.tasks.clear()

    def wait(self, future: Any) -> Any:
        """Count a wait, and strike if it is its turn."""
        self.waits += 1
        if self.waits == self.at:
            if self.moment == "waiting" or future is None:
                self.hit()
            else:
                # Registered before that of the task, so it runs before the task is told.
                future.add_done_callback(lambda _: self.hit())
        return future


class _Watched(Coroutine[Any, Any, Any]):
    """A coroutine whose waits are counted."""

    def __init__(self, work: Coroutine[Any, Any, Any], strike: Strike) -> None:
        self._work = work
        self._strike = strike

    def send(self, value: Any) -> Any:
        return self._strike.wait(self._work.send(value))

    def throw(self, *error: Any) -> Any:
        return self._strike.wait(self._work.throw(*error))

    def close(self) -> None:
        self._work.close()

    def __await__(self) -> "_Watched":  # type: ignore[override]
        return self

    def __iter__(self) -> "_Watched":
        return self

    def __next__(self) -> Any:
        return self.send(None)


async def _through(work: Coroutine[Any, Any, Any], strike: Strike) -> Any:
    return await _Watched(work, strike)


def _make_task(loop: asyncio.AbstractEventLoop, work: Any, **options: Any) -> "asyncio.Task[Any]":
    strike = _strike.get()
    if strike is None:
        return asyncio.Task(work, loop=loop, **options)
    task = asyncio.Task(_Watched(work, strike), loop=loop, **options)
    strike.tasks.append(task)
    return task


@contextmanager
def listening(caplog: Any) -> Iterator[list[str]]:
    """Count waits on the running loop, and collect its noise: there must be none in the end.

    Noise is an exception that nobody retrieved, a coroutine that nobody awaited, a connection or
    a file that nobody closed, and any log line at ERROR.
    """
    loop = asyncio.get_running_loop()
    noise: list[str] = []
    loop.set_task_factory(_make_task)
    loop.set_exception_handler(lambda _, said: noise.append(repr(said)))
    gc.collect()
    gc.freeze()
    caplog.set_level(logging.INFO)
    try:
        with warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always")
            yield noise
            gc.collect()
            noise += [str(each.message) for each in warned]
            noise += [each.getMessage() for each in caplog.records if each.levelno > 30]
        assert [] == noise, noise
    finally:
        gc.unfreeze()
        loop.set_task_factory(None)
        loop.set_exception_handler(None)


async def strike_everywhere(
    prepare: Callable[[int], Awaitable[Callable[[], Awaitable[Any]]]],
    check: Callable[[Strike], Awaitable[None]],
    *,
    way: str,
    moment: str,
    stride: int = 1,
) -> int:
    """Strike a call at its n-th wait for n = 0, 1, 2... until it is not reached any more.

    `prepare` is given n and returns the call; it is not struck itself. `check` looks after each
    run. Returns how many waits the undisturbed call has.
    """
    at = 0
    while True:
        strike = Strike(way, moment, at)
        await strike.run(await prepare(at))
        await check(strike)
        gc.collect(1)
        if at and not strike.struck:
            assert None is strike.seen
            return strike.waits
        at += 1 if at < 3 else stride
