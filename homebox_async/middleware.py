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
import contextlib
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

import attrs

from .errors import AnswerUnusable, DeadlineExceeded, Outcome, RateLimited
from .failures import failure, note_cancelled, request_id_of, server_words
from .large import SMALL, read_large
from .models import Refusal
from .request_ids import HEADER
from .wire import Request, Response, Safety

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
        if words := server_words(request, response)[0]:
            wrong += f": {words}"
    # Not raised above: the context would hold the body, and with it personal data.
    raise AnswerUnusable(
        f"the server answered {response.status}, but its answer {wrong}",
        outcome=Outcome.UNKNOWN,
        method=request.method,
        path=request.path,
        status=response.status,
        request_id=request_id_of(request, response),
    )


def _forget_what_was_added(request: Request, response: Response) -> None:
    """Let an answer out to middlewares of the user's, which must not see the token."""
    if HEADER in response.headers:
        response.request_id = request_id_of(request, response)
    response.added = None


@attrs.define(eq=False)
class Throttle:
    """Keeps a client within what the server grants.

    `Retry-After` on a 429 holds back every call of the client, not one task.
    `X-RateLimit-Remaining` bounds how many are in flight; one may always go, to learn more.
    """

    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    paused_until: float = 0.0
    _in_flight: int = 0
    _remaining: int | None = None
    _waiting: deque[asyncio.Future[None]] = attrs.field(factory=deque)

    async def __call__(self, request: Request, handler: Handler) -> Response:
        """Hold the attempt back while the client is paused or its quota is in use."""
        if self.paused_until or self._remaining is not None:
            try:
                await self._wait(request)
            except asyncio.CancelledError as cancelled:
                note_cancelled(cancelled, request, Outcome.NOT_SENT)
                raise
        self._in_flight += 1
        try:
            response = await handler(request)
        except RateLimited as limited:
            if limited.retry_after is not None:
                self.pause(limited.retry_after)
            raise
        else:
            left = response.headers.get("X-RateLimit-Remaining")
            if left is not None:
                self._remaining = int(left) if left.isdecimal() and len(left) < 12 else None
            return response
        finally:
            self._in_flight -= 1
            self._wake()

    def pause(self, seconds: float) -> None:
        """Hold every call back for so many seconds from now."""
        self.paused_until = max(self.paused_until, self.now() + seconds)
        # What was left of the quota is gone; the first answer after the pause tells the new one.
        self._remaining = None

    async def unpaused(self, request: Request) -> None:
        """Return once the client is not paused; DeadlineExceeded where that is too late."""
        while (pause := self.paused_until - self.now()) > 0:
            self._check(request, pause)
            await self.sleep(pause)

    async def _wait(self, request: Request) -> None:
        while True:
            await self.unpaused(request)
            self.paused_until = 0.0
            if self._remaining is None or self._in_flight < max(1, self._remaining):
                return
            await self._turn(request)

    async def _turn(self, request: Request) -> None:
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        left = None if request.deadline is None else request.deadline - self.now()
        try:
            async with asyncio.timeout(left):
                await turn
        except TimeoutError:
            raise self._too_late(request, "the quota stayed in use until the deadline") from None
        finally:
            with contextlib.suppress(ValueError):
                self._waiting.remove(turn)

    def _wake(self) -> None:
        for turn in self._waiting:
            if not turn.done():
                turn.set_result(None)
        self._waiting.clear()

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
