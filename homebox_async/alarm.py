"""Ends what takes too long, with one timer for all of a client's calls.

asyncio.timeout arms a timer for each call, nearly all of which are cancelled again: that costs
as much as everything else that this client adds to a call. Calls have about the same time to
run, so the timer of the earliest one will do for those that come after it.
"""

from __future__ import annotations

import asyncio
import time
from operator import attrgetter
from types import TracebackType


class Alarm:
    """Rings for each `Limit` that is passed; belongs to one event loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self._limits: set[Limit] = set()
        self._timer: asyncio.TimerHandle | None = None

    def limit(self, seconds: float) -> Limit:
        """Return a context that raises TimeoutError if its block takes longer."""
        return Limit(self, self.loop.time() + seconds)

    def watch(self, limit: Limit) -> None:
        """See to it that the limit is kept."""
        self._limits.add(limit)
        timer = self._timer
        if timer is None or limit.ends < timer.when():
            if timer is not None:
                timer.cancel()
            self._timer = self.loop.call_at(limit.ends, self._ring)

    def forget(self, limit: Limit) -> None:
        """The block has ended; the timer stays for those to come."""
        self._limits.discard(limit)

    def stop(self) -> None:
        """Take the timer off the loop, unless a block still needs it."""
        if self._timer is not None and not self._limits:
            self._timer.cancel()
            self._timer = None

    def _ring(self) -> None:
        self._timer = None
        # The loop calls what is due within the resolution of its clock.
        now = self.loop.time() + time.get_clock_info("monotonic").resolution
        late = [limit for limit in self._limits if limit.ends <= now]
        for limit in sorted(late, key=attrgetter("ends")):
            self._limits.discard(limit)
            limit.pass_()
        if self._limits:
            self._timer = self.loop.call_at(min(limit.ends for limit in self._limits), self._ring)


class Limit:
    """A block's time to run; it ends the block as asyncio.timeout does, by cancelling its task."""

    __slots__ = ("_alarm", "_before", "_passed", "_task", "ends")

    def __init__(self, alarm: Alarm, ends: float) -> None:
        self._alarm = alarm
        self.ends = ends
        self._passed = False

    def __enter__(self) -> None:
        # Told the loop, it need not look for it.
        task = asyncio.current_task(self._alarm.loop)
        assert task is not None  # every coroutine of ours runs in a task
        self._task = task
        self._before = task.cancelling()
        self._alarm.watch(self)

    def pass_(self) -> None:
        """End the block."""
        self._passed = True
        self._task.cancel()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._alarm.forget(self)
        # Another cancellation that came meanwhile goes on as what it is.
        if (
            self._passed
            and self._task.uncancel() <= self._before
            and kind is asyncio.CancelledError
        ):
            raise TimeoutError from error
