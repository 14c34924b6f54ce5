"""What happens around an attempt: each middleware is `async (request, handler) -> response`.

The way of a call, outermost first::

    the user's own, once per call
    observer   tells how the call ended, without personal data
    retry      the only place that sends anything twice
    throttle   one 429 pauses the whole client; the quota headers bound what is in flight
    the user's own, once per attempt
    answered   a failing status becomes its error, a success its result
    transport  the single aiohttp call

The throttle stands inside retry, so that a pause holds back second attempts as well.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Awaitable, Callable, Sequence
from contextvars import ContextVar
from typing import Final

import attrs
from multidict import istr

from .errors import AnswerUnusable, DeadlineExceeded, Outcome, RateLimited
from .failures import failure, foreign_coding, note_cancelled, request_id_of, server_words
from .large import SMALL, read_large
from .models import Refusal
from .permits import Permits
from .request_ids import HEADER
from .wire import Request, Response, Safety

_REMAINING: Final = istr("X-RateLimit-Remaining")  # costs less to look up than a plain text

Handler = Callable[[Request], Awaitable[Response]]
Middleware = Callable[[Request, Handler], Awaitable[Response]]

LONGEST_PAUSE: Final = 3600.0
"""Seconds of `Retry-After` that a call waits for at most, whatever its deadline.

A server that asks for more is obeyed, too: the call fails and says so.
"""


def chain(middlewares: Sequence[Middleware], handler: Handler) -> Handler:
    """Return a handler that runs the middlewares in order, the first one outermost."""
    for middleware in reversed(middlewares):
        handler = _bind(middleware, handler)
    return handler


def _bind(middleware: Middleware, handler: Handler) -> Handler:
    # A plain function, not a partial: it costs half as much to call.
    def bound(request: Request) -> Awaitable[Response]:
        return middleware(request, handler)

    return bound


async def answered(request: Request, handler: Handler) -> Response:
    """Turn a failing status into its error, and a success into the result asked for."""
    response = await handler(request)
    coding = ""
    if response.status >= 300:
        raise failure(request, response, time.time())
    if response.status < 200:  # 101, or a number that HTTP does not know: no answer to a request
        wrong = "is no answer to what was asked"
    else:
        try:
            if len(response.body) > SMALL:
                response.result = await read_large(request, response)
            else:
                response.result = request.read(response)
            _forget_what_was_added(request, response)
            return response
        except ValueError as unreadable:
            wrong, refused = str(unreadable), isinstance(unreadable, Refusal)
        except MemoryError:
            wrong, refused = "does not fit into the memory", False
        if request.safety is Safety.DELETE and not refused:
            _forget_what_was_added(request, response)
            return response  # it is gone; the words about it do not matter
        coding = foreign_coding(response)
        if coding:
            wrong = f"came in a coding that was not asked for (Content-Encoding: {coding})"
        elif words := server_words(request, response)[0]:
            wrong += f": {words}"
    # Not raised above: the context would hold the body, and with it personal data.
    unusable = AnswerUnusable(
        f"the server answered {response.status}, but its answer {wrong}",
        outcome=Outcome.UNKNOWN,
        method=request.method,
        path=request.path,
        status=response.status,
        request_id=request_id_of(request, response),
    )
    unusable.permanent = bool(coding)
    raise unusable


def _forget_what_was_added(request: Request, response: Response) -> None:
    """Let an answer out to middlewares of the user's, which must not see the token."""
    if HEADER in response.headers:
        response.request_id = request_id_of(request, response)
    response.added = None


@attrs.define(eq=False)
class _Held:
    """A permit of a throttle; what runs below it needs no other one, also in tasks of its own."""

    throttle: Throttle | None
    """None once it is given back."""
    outer: _Held | None

    def is_of(self, throttle: Throttle) -> bool:
        """Return whether this permit, or one around it, is of a throttle."""
        held: _Held | None = self
        while held is not None:
            if held.throttle is throttle:
                return True
            held = held.outer
        return False


_held: ContextVar[_Held | None] = ContextVar("homebox_held", default=None)


@attrs.define(eq=False)
class Throttle:
    """Keeps a client within what the server grants.

    `Retry-After` on a 429 holds back every call of the client, not one task.
    `X-RateLimit-Remaining` bounds how many are in flight; one may always go, to learn more.
    """

    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    paused_until: float = 0.0
    permits: Permits = attrs.field(factory=Permits)

    async def __call__(self, request: Request, handler: Handler) -> Response:
        """Hold the attempt back while the client is paused or its quota is in use."""
        permits, outer = self.permits, _held.get()
        # A middleware that calls its own client would wait for the permit that it holds itself.
        inside = outer is not None and outer.is_of(self)
        if self.paused_until or permits.limit is not math.inf:
            try:
                await self._wait(request, inside)
            except asyncio.CancelledError as cancelled:
                note_cancelled(cancelled, request, Outcome.NOT_SENT)
                raise
        elif not inside:
            permits.in_flight += 1
        try:
            response = await handler(request)
            left = response.headers.get(_REMAINING)
            if left is not None:
                known = left.isdecimal() and len(left) < 12
                permits.limit = max(1, int(left)) if known else math.inf
            return response
        except RateLimited as limited:
            if limited.retry_after is not None:
                self.pause(limited.retry_after)
            raise
        finally:
            if not inside:
                permits.give()

    async def hold(self, request: Request, handler: Handler) -> Response:
        """Let what runs below know of the permit: a middleware of its own, for where it matters."""
        outer = _held.get()
        while outer is not None and outer.throttle is None:
            outer = outer.outer
        held = _Held(self, outer)
        token = _held.set(held)
        try:
            return await handler(request)
        finally:
            held.throttle = None
            _held.reset(token)

    def pause(self, seconds: float) -> None:
        """Hold every call back for so many seconds from now."""
        self.paused_until = max(self.paused_until, self.now() + seconds)
        # What was left of the quota is gone; the first answer after the pause tells the new one.
        self.permits.allow(math.inf)

    async def unpaused(self, request: Request) -> None:
        """Return once the client is not paused; DeadlineExceeded where that is too late."""
        while (pause := self.paused_until - self.now()) > 0:
            self._check(request, pause)
            await self.sleep(pause)

    async def _wait(self, request: Request, inside: bool) -> None:
        while True:
            await self.unpaused(request)
            self.paused_until = 0.0
            if inside:
                return
            await self._permit(request)
            if self.paused_until <= self.now():
                return
            self.permits.give()  # a 429 has come meanwhile

    async def _permit(self, request: Request) -> None:
        if self.permits.is_free:
            self.permits.in_flight += 1
            return
        left = None if request.deadline is None else request.deadline - self.now()
        try:
            async with asyncio.timeout(left):
                await self.permits.take()
        except TimeoutError:
            raise self._too_late(request, "the quota stayed in use until the deadline") from None

    def _check(self, request: Request, pause: float) -> None:
        if request.deadline is not None and self.now() + pause > request.deadline:
            limit = "the deadline"
        elif pause > LONGEST_PAUSE:
            limit = f"the {LONGEST_PAUSE:g} s that a call waits at most"
        else:
            return
        message = f"the server asked for a pause of {pause:.1f} s more, beyond {limit}"
        raise self._too_late(request, message)

    @staticmethod
    def _too_late(request: Request, message: str) -> DeadlineExceeded:
        return DeadlineExceeded(
            message,
            outcome=Outcome.NOT_SENT,
            method=request.method,
            path=request.path,
            attempts=0,
        )
