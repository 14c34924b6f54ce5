"""How far an import has come, and whether it is to end: what all of its phases share."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from ..errors import RequestError
from ..events import IMPORTER_LOG
from .ending import ended

T = TypeVar("T")


class Course:
    """The course of one import.

    `phase` says in a word what is going on; `stopped` says why it ended early, `error` is the
    failure behind it. `said`: the lines for people, so far.
    """

    def __init__(self) -> None:
        self._draining = asyncio.Event()
        self._on_drain: list[Callable[[], None]] = []
        self._phase = "opening"
        self.said: list[str] = []
        self.stopped = ""
        self.error: RequestError | None = None

    @property
    def phase(self) -> str:
        """What is going on, in a word."""
        return self._phase

    @phase.setter
    def phase(self, phase: str) -> None:
        if phase != self._phase:
            IMPORTER_LOG.info("import: %s", phase)
        self._phase = phase

    def say(self, line: str) -> None:
        """Say something that people should know while it runs."""
        IMPORTER_LOG.info("import: %s", line)
        self.said.append(line)

    @property
    def draining(self) -> bool:
        """Whether nothing more is sent."""
        return self._draining.is_set()

    def on_drain(self, call: Callable[[], None]) -> None:
        """Have something called as soon as nothing more is to be sent."""
        self._on_drain.append(call)

    def drain(self, why: str = "interrupted") -> None:
        """Send nothing more; what is in flight is waited for."""
        if self.draining:
            return
        self.stopped = why
        self._draining.set()
        for call in self._on_drain:
            call()

    def fail(self, error: RequestError) -> None:
        """Send nothing more, for a failure that the next rows would meet as well."""
        self.error = self.error or error
        self.drain(str(error))

    async def wait(self, seconds: float) -> None:
        """Wait, but not when nothing more is to be sent."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(max(0.0, seconds)):
                await self._draining.wait()

    async def unless_drained(self, work: Coroutine[Any, Any, T]) -> T | None:
        """Do something that can be broken off: None if it was, for nothing more is to be sent."""
        task = asyncio.ensure_future(work)
        drained = asyncio.ensure_future(self._draining.wait())
        try:
            await asyncio.wait({task, drained}, return_when=asyncio.FIRST_COMPLETED)
            return task.result() if task.done() else None
        finally:
            for each in (task, drained):
                each.cancel()
            await ended({task, drained})
