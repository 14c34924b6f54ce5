"""The gate before every write: shut by a lost answer, opened by a read that succeeds.

A request without an answer may be the first of an outage. While the gate is shut nothing more is
written, so an outage leaves in doubt at most what was in flight when it began.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from ..errors import RequestError
from ..middleware import Handler
from ..wire import Request, Response
from .course import Course
from .ending import ended
from .patience import Patience


class Gate:
    """An attempt middleware that lets no write through while the server is in doubt.

    `read` asks the server for something; it raises RequestError if that cannot be had.
    `patience`: for how many seconds it is asked again.
    """

    def __init__(
        self, read: Callable[[], Awaitable[object]], course: Course, patience: float
    ) -> None:
        self._read = read
        self._course = course
        self._patience = patience
        self._reading: asyncio.Future[None] | None = None

    async def __call__(self, request: Request, handler: Handler) -> Response:
        """Wait until the gate is open, then make the attempt."""
        while self._reading is not None:
            await asyncio.shield(self._reading)
        return await handler(request)

    def shut(self, error: RequestError) -> None:
        """Let nothing through until a read succeeds; in the end, stop without one."""
        if self._reading is None and not self._course.draining:
            self._reading = asyncio.ensure_future(self._reopen(error))

    async def aclose(self) -> None:
        """Stop reading: nothing waits any more."""
        if self._reading is not None:
            self._reading.cancel()
            await ended([self._reading])

    async def _reopen(self, error: RequestError) -> None:
        patience = Patience(self._course, self._patience)
        try:
            if error.retry_after:
                await patience.pause(error, patience.now())
            await patience.lasting(self._asked)
        except RequestError as failure:
            self._course.fail(failure)
        finally:
            self._reading = None

    async def _asked(self) -> None:
        await self._read()
