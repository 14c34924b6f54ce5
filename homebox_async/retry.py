"""Which failures are tried again, and when: the policy is plain values, testable without waiting.

A write is received twice only if the server surely did nothing the first time: the request
never left, or it was answered with 429. Everything else ends as `OutcomeUnknown` and is never
resent.

tenacity does the waiting. It is entered only once a first attempt has failed, for it costs more
than a whole local call otherwise.
"""

from __future__ import annotations

import asyncio
import math
import random
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import attrs

from .errors import (
    AnswerUnusable,
    AttemptTimeout,
    ConfigurationError,
    ConnectionFailed,
    NotFound,
    Outcome,
    OutcomeUnknown,
    RateLimited,
    RequestError,
    StatusError,
)
from .events import Event, PauseEvent, RetryEvent, write_line
from .failures import note_cancelled
from .middleware import LONGEST_PAUSE, Handler
from .wire import Request, Response, Safety

if TYPE_CHECKING:
    import tenacity

# Those of servers and gateways, Cloudflare's 520 to 530 among them, that may soon have passed.
_WORTH_ANOTHER_TRY = frozenset(
    {408, 425, 429, 500, 502, 503, 504, 507, 509, *range(520, 531), 598, 599}
)


def retryable(safety: Safety, error: RequestError) -> bool:
    """Tell whether a failed attempt may be followed by another one, by outcome and safety."""
    if error.permanent:
        return False
    if isinstance(error, StatusError):
        if error.status not in _WORTH_ANOTHER_TRY:
            return False
    elif not isinstance(error, (ConnectionFailed, AttemptTimeout, AnswerUnusable)):
        return False
    return safety is not Safety.WRITE or error.outcome is not Outcome.UNKNOWN


def _whole(least: int) -> Callable[[Any, attrs.Attribute[Any], Any], None]:
    def check(_: Any, field: attrs.Attribute[Any], value: Any) -> None:
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            raise ConfigurationError(
                f"Retry.{field.name} is {value!r}; give a whole number, at least {least}"
            )

    return check


def _seconds(_: Any, field: attrs.Attribute[Any], value: Any) -> None:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not number or not 0 <= value < math.inf:
        raise ConfigurationError(
            f"Retry.{field.name} is {value!r}; give a number of seconds, 0 or more"
        )


@attrs.frozen
class Retry:
    """How often and how patiently a call is tried again.

    `attempts`: at most so many in all. `backoff` to `longest`: seconds that the random wait
    grows from and to, doubling with each attempt (full jitter). `quota`: retry tokens of the
    client, which its views share; a failure costs 5, or 10 after a timeout, and a success earns
    1 back, so a dying server is not hammered. 1 attempt or a quota of 0 means that nothing is
    tried again.

    `Retry-After` is waited for in full. If that would be after the deadline, or more than an
    hour (`LONGEST_PAUSE`), the call fails at once and says so.

    Raises ConfigurationError for values that make no sense.
    """

    attempts: int = attrs.field(default=3, validator=_whole(1))
    backoff: float = attrs.field(default=0.5, validator=_seconds)
    longest: float = attrs.field(default=20.0, validator=_seconds)
    quota: int = attrs.field(default=500, validator=_whole(0))

    def wait(self, attempt: int, error: RequestError, chance: float) -> float:
        """Return the seconds before the next attempt; never less than the server asked for."""
        jitter = chance * min(self.longest, self.backoff * 2.0 ** min(attempt - 1, 30))
        return max(error.retry_after or 0.0, jitter)


@attrs.define(eq=False)
class Quota:
    """Retry tokens, as in botocore's standard mode; all views of a client share one."""

    spent: int = 0

    def spend(self, error: RequestError, capacity: int) -> bool:
        """Take what a retry after this failure costs; False if there is not enough."""
        cost = 10 if isinstance(error, AttemptTimeout) else 5
        if self.spent + cost > capacity:
            return False
        self.spent += cost
        return True

    def earn(self) -> None:
        """Give a token back for a success."""
        if self.spent:
            self.spent -= 1


@attrs.define(eq=False)
class Retrier:
    """The middleware that tries again."""

    policy: Retry
    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    chance: Callable[[], float] = random.random
    tell: Callable[[Event], None] = write_line
    quota: Quota = attrs.field(factory=Quota)

    async def __call__(self, request: Request, handler: Handler) -> Response:
        """Make a first attempt, and only then think about more."""
        try:
            response = await handler(request)
        except RequestError as error:
            return await self._again(request, handler, error)
        self.quota.earn()
        return response

    async def _again(self, request: Request, handler: Handler, first: RequestError) -> Response:
        import tenacity  # `load_for_calls` has done it before the first byte left

        made = 0
        gone_unseen = False
        stopped = ""
        last = first.outcome

        async def attempt() -> Response:
            nonlocal made, gone_unseen
            made += 1
            if made == 1:
                raise first
            try:
                response = await handler(request)
            except NotFound:
                # An earlier DELETE may have worked without our seeing its answer.
                if request.safety is Safety.DELETE and gone_unseen:
                    return Response(204, {}, b"", attempts=made)
                raise
            self.quota.earn()
            response.attempts = made
            return response

        async def sleep(seconds: float) -> None:
            try:
                await self.sleep(seconds)
            except asyncio.CancelledError as cancelled:
                note_cancelled(cancelled, request, last, " before another attempt")
                raise

        def worth_it(error: BaseException) -> bool:
            nonlocal gone_unseen, last
            if not isinstance(error, RequestError):
                return False
            gone_unseen = gone_unseen or error.outcome is Outcome.UNKNOWN
            if gone_unseen and request.safety is Safety.DELETE:
                # What a later attempt came to does not undo what an earlier one may have done.
                error.outcome = Outcome.UNKNOWN
            last = error.outcome
            if isinstance(error, RateLimited) and error.retry_after is not None:
                pause = PauseEvent(
                    method=request.method, path=request.path, seconds=error.retry_after
                )
                self.tell(pause)  # which `Throttle` has begun
            return retryable(request.safety, error)

        def wait(state: tenacity.RetryCallState) -> float:
            assert state.outcome is not None
            error = state.outcome.exception()
            assert isinstance(error, RequestError)
            return self.policy.wait(state.attempt_number, error, self.chance())

        def stop(state: tenacity.RetryCallState) -> bool:
            nonlocal stopped
            assert state.outcome is not None
            error = state.outcome.exception()
            assert isinstance(error, RequestError)
            if state.attempt_number >= self.policy.attempts:
                return True
            pause = state.upcoming_sleep
            if request.deadline is not None and self.now() + pause > request.deadline:
                asked = "the server asked" if error.retry_after else "it was due"
                stopped = f"not tried again: {asked} to wait {pause:.1f} s, beyond the deadline"
            elif error.retry_after is not None and error.retry_after > LONGEST_PAUSE:
                stopped = (
                    f"not tried again: the server asked to wait {pause:.1f} s, "
                    f"beyond the {LONGEST_PAUSE:g} s that a call waits at most"
                )
            elif not self.quota.spend(error, self.policy.quota):
                stopped = "not tried again: too many calls of this client are failing"
            else:
                self.tell(
                    RetryEvent(
                        method=request.method,
                        path=request.path,
                        attempt=state.attempt_number,
                        wait=pause,
                        outcome=error.outcome,
                        error=type(error).__name__,
                        message=str(error),
                        status=error.status,
                        request_id=error.request_id,
                    )
                )
            return bool(stopped)

        try:
            return await tenacity.AsyncRetrying(
                retry=tenacity.retry_if_exception(worth_it),
                wait=wait,
                stop=stop,
                sleep=sleep,
                reraise=True,
            )(attempt)
        except RequestError as error:
            error.attempts += made - 1
            if stopped:
                error.message += f"; {stopped}"
            if request.safety is Safety.WRITE and error.outcome is Outcome.UNKNOWN:
                raise OutcomeUnknown(error) from error
            raise
        except asyncio.CancelledError as cancelled:
            if gone_unseen and request.safety is Safety.DELETE:
                note_cancelled(cancelled, request, Outcome.UNKNOWN, " after an earlier attempt")
            raise
