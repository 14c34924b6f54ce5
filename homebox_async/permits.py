"""A bound on what is in flight, with one queue of those who wait for a permit."""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections import deque

import attrs


@attrs.define(eq=False)
class Permits:
    """At most `limit` permits are out at a time, always one; the longest waiting is next.

    A permit that is given back, or a limit that is raised, wakes only as many as can go: so the
    cost of a queue grows with its length, not with the square of it.
    """

    limit: float = math.inf
    in_flight: int = 0
    _waiting: deque[asyncio.Future[None]] = attrs.field(factory=deque)
    _woken: int = 0
    """How many have been woken and have not run yet."""

    async def take(self) -> None:
        """Return with a permit, which `give` takes back."""
        if not self.is_free:
            await self._turn()
        self.in_flight += 1

    def give(self) -> None:
        """Take a permit back."""
        self.in_flight -= 1
        if self._waiting:
            self.wake()

    def allow(self, limit: float) -> None:
        """Change the limit."""
        self.limit = limit
        self.wake()

    def wake(self) -> None:
        """Wake as many as can go."""
        while self._waiting and self._is_room:
            turn = self._waiting.popleft()
            if not turn.done():
                self._woken += 1
                turn.set_result(None)

    @property
    def is_free(self) -> bool:
        """Whether a permit can be had at once."""
        return not self._waiting and self._is_room

    @property
    def _is_room(self) -> bool:
        return self.in_flight + self._woken < max(1, self.limit)

    async def _turn(self) -> None:
        loop = asyncio.get_running_loop()
        queue = self._waiting.append
        while True:
            turn = loop.create_future()
            queue(turn)
            try:
                await turn
            except asyncio.CancelledError:
                if turn.cancelled():
                    with contextlib.suppress(ValueError):
                        self._waiting.remove(turn)
                else:  # it was woken: another one can go instead
                    self._woken -= 1
                    self.wake()
                raise
            self._woken -= 1
            # The limit may have been lowered meanwhile.
            if self.in_flight < max(1, self.limit):
                return
            queue = self._waiting.appendleft
