"""How many requests an import keeps in flight: as many as help, found out on the way.

Additive increase, multiplicative decrease, as TCP does it: the limit grows while answers come
back quickly and well, and shrinks when the server says that it is overloaded (429, 503) or
when answers take markedly longer than they can. What this process itself spends meanwhile is no
sign of that: where the client is the slower side, its answers wait for it, not for the server.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from types import TracebackType

import attrs

from ..errors import RateLimited, ServerError
from ..middleware import Handler
from ..permits import Permits
from ..wire import Request, Response

_START = 4.0
_OVERLOAD = 0.7
_SLOWER = 0.9
_SLOW = 1.6  # times the shortest latency seen
_MOMENT = 0.001  # seconds for which a reading of the process's time is good enough
_SMOOTHING = 0.1  # weight of the newest latency


@attrs.define(eq=False)
class Limiter:
    """A bound on what is in flight: a fixed number, or adaptive up to `most`.

    `async with limiter` holds a place; as an attempt middleware it learns from each attempt.
    """

    most: int
    adaptive: bool = True
    now: Callable[[], float] = time.monotonic
    busy: Callable[[], float] = time.process_time
    limit: float = attrs.field(
        init=False,
        default=attrs.Factory(
            lambda self: min(_START, self.most) if self.adaptive else self.most, takes_self=True
        ),
    )
    _permits: Permits = attrs.field(init=False, factory=Permits)
    _shortest: float = attrs.field(init=False, default=float("inf"))
    _latency: float | None = attrs.field(init=False, default=None)
    _last_cut: float = attrs.field(init=False, default=float("-inf"))
    _busy_at: float = attrs.field(init=False, default=float("-inf"))
    _busy_until: float = attrs.field(init=False, default=0.0)

    def __attrs_post_init__(self) -> None:
        self._permits.limit = int(self.limit)

    @property
    def in_flight(self) -> int:
        """How many places are held."""
        return self._permits.in_flight

    async def __aenter__(self) -> None:
        await self._permits.take()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._permits.give()

    async def __call__(self, request: Request, handler: Handler) -> Response:
        """Watch one attempt and adapt the limit to how it went."""
        start = self.now()
        busy = self._busy(start)
        try:
            response = await handler(request)
        except RateLimited as limited:
            # With Retry-After it was the rate that was too high, which the client's pause
            # answers; fewer at a time would only make it slower.
            if limited.retry_after is None:
                self._cut(start, _OVERLOAD)
            raise
        except ServerError as failed:
            if failed.status == 503:
                self._cut(start, _OVERLOAD)
            raise
        self._learn(start, busy)
        return response

    def _learn(self, start: float, busy: float) -> None:
        if not self.adaptive:
            return
        now = self.now()
        taken = now - start
        self._shortest = min(self._shortest, taken)
        # All threads count: Python lets only one of them run at a time.
        latency = max(0.0, taken - (self._busy(now) - busy))
        if self._latency is None:
            self._latency = latency
        self._latency += _SMOOTHING * (latency - self._latency)
        if self._latency > _SLOW * self._shortest and self.limit > _START:
            self._cut(start, _SLOWER)
        elif self.in_flight >= int(self.limit):
            # Only a limit that is in use has proved that it is not too high.
            self._change(min(float(self.most), self.limit + 1 / self.limit))

    def _busy(self, now: float) -> float:
        # The system's answer takes longer than all the rest here, so it is kept for a moment.
        if now - self._busy_at >= _MOMENT:
            self._busy_at, self._busy_until = now, self.busy()
        return self._busy_until

    def _cut(self, start: float, factor: float) -> None:
        # One cut for all that was in flight at the time: they tell of the same overload.
        if self.adaptive and start > self._last_cut:
            self._last_cut = self.now()
            self._change(max(1.0, self.limit * factor))

    def _change(self, limit: float) -> None:
        self.limit = limit
        self._permits.allow(int(limit))
