"""How long an import asks a server again that only fails: a policy of plain values and a clock."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

import attrs

from ..errors import AuthenticationFailed, PermissionDenied, RequestError
from ..middleware import LONGEST_PAUSE
from ..retry import retryable
from ..wire import Safety
from .course import Course

T = TypeVar("T")

# Answers missed without a success between them that stop the import; fewer where each one leaves
# a row in doubt for ever.
IN_A_ROW, IN_A_ROW_UNLISTED = 50, 3
_PAUSE = 0.05  # after the first round of failures; it doubles
_LONGEST_PAUSE = 60.0
_WORTH_A_LINE = 5.0  # seconds


@attrs.define(eq=False)
class Patience:
    """How long a server may fail at every request; after that, the import ends.

    `seconds`: since the last success. `in_a_row`: how many answers may be missed without a
    success between them, each of which leaves a row in doubt.
    """

    course: Course
    seconds: float
    in_a_row: int = IN_A_ROW
    now: Callable[[], float] = time.monotonic
    wait: Callable[[float], Awaitable[None]] = attrs.Factory(
        lambda self: self.course.wait, takes_self=True
    )
    _missed: int = 0
    _rounds: int = 0
    _round_began: float = float("-inf")
    _since: float | None = None

    def renew(self) -> None:
        """Start over: the server has answered."""
        self._missed = self._rounds = 0
        self._since = None

    def missed(self, error: RequestError) -> None:
        """Count a request that was left without an answer."""
        self._missed += 1
        if self._missed >= self.in_a_row:
            self.course.fail(error)

    async def pause(self, error: RequestError, began: float) -> None:
        """Wait before the server is asked again, longer each time, and in the end stop.

        `began`: when the request began, by the clock. The failures of all requests that were in
        flight together are one round. A server that asks for a longer pause than there is
        patience for, an hour at the least, ends the import at once.
        """
        now = self.now()
        if self._since is None:
            self._since = began
        if began >= self._round_began:
            self._round_began = now
            self._rounds += 1
        asked = error.retry_after or 0.0
        if now - self._since >= self.seconds or asked > max(LONGEST_PAUSE, self.seconds):
            self.course.fail(error)
            return
        pause = max(asked, min(_LONGEST_PAUSE, _PAUSE * 2.0 ** min(self._rounds - 1, 30)))
        if pause >= _WORTH_A_LINE and self._round_began == now:
            self._say(error, now - self._since, pause)
        await self.wait(pause)

    async def lasting(self, make: Callable[[], Coroutine[Any, Any, T]]) -> T | None:
        """Read something, again and again while the server fails; None if nothing more is sent.

        Raises RequestError for what would fail again.
        """
        while not self.course.draining:
            began = self.now()
            try:
                result = await self.course.unless_drained(make())
            except RequestError as error:
                denied = isinstance(error, (AuthenticationFailed, PermissionDenied))
                if denied or not retryable(Safety.READ, error):
                    raise
                await self.pause(error, began)
            else:
                self.renew()
                return result
        return None

    def _say(self, error: RequestError, since: float, pause: float) -> None:
        now = dt.datetime.now()
        first, again = now - dt.timedelta(seconds=since), now + dt.timedelta(seconds=pause)
        self.course.say(
            f"nothing but failures since {first:%H:%M:%S} (last: {error.message}); tried again at"
            f" {again:%H:%M:%S}"
        )
