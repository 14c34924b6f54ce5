"""The middleware that tells how each call ended, and what keeps a callback from doing harm."""

from __future__ import annotations

import asyncio
import inspect
import logging
import time
import traceback
from collections.abc import Awaitable, Callable
from pathlib import PurePath
from typing import ParamSpec, TypeVar

import attrs

from .errors import ConfigurationError, Outcome, RequestError, ValidationError
from .events import (
    CLIENT_LOG,
    Event,
    OnEvent,
    PageEvent,
    RequestEvent,
    is_logged,
    write_line,
)
from .middleware import Handler
from .pages import Page
from .request_ids import HEADER, as_id
from .wire import Request, Response

P = ParamSpec("P")
R = TypeVar("R")


def _plain(_: object, __: attrs.Attribute[OnEvent], call: object) -> None:
    if not callable(call) or inspect.iscoroutinefunction(call):
        raise ConfigurationError("on_event is not a plain function; give one that takes an event")


@attrs.define(eq=False)
class Guard:
    """Runs what only watches a call: whatever it raises is logged once, and changes nothing.

    Only what ends the program comes out, such as KeyboardInterrupt.
    """

    name: str
    _failed: bool = False

    def run(self, watch: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R | None:
        """Return what it returns, None if it fails."""
        try:
            return watch(*args, **kwargs)
        except (Exception, asyncio.CancelledError) as broken:
            if not self._failed:
                self._failed = True
                # Where it was, and not what it says: nobody knows what stands there.
                place = traceback.extract_tb(broken.__traceback__)[-1]
                CLIENT_LOG.error(
                    "%s raised %s in %s (%s, line %s); the calls go on, and this is not logged "
                    "again",
                    self.name,
                    type(broken).__name__,
                    place.name,
                    PurePath(place.filename).name,
                    place.lineno,
                )
            return None


@attrs.frozen(eq=False)
class Listener:
    """A callback of the user's, which may fail as often as it likes."""

    call: OnEvent = attrs.field(validator=_plain)
    _guard: Guard = attrs.field(init=False, factory=lambda: Guard("on_event"))

    def hear(self, event: Event) -> None:
        """Call back."""
        self._guard.run(self.call, event)


def listeners(on_event: OnEvent | None) -> tuple[Listener, ...]:
    """Return what listens: nobody, or the one callback."""
    return () if on_event is None else (Listener(on_event),)


@attrs.frozen(eq=False)
class Observer:
    """Tells events to the log and to the listeners; as a middleware, the end of each call."""

    listeners: tuple[Listener, ...] = ()

    def tell(self, event: Event) -> None:
        """Tell an event; no failure of a listener comes out."""
        write_line(event)
        for listener in self.listeners:
            listener.hear(event)

    def hears(self, kind: type[Event]) -> bool:
        """Tell whether anybody takes a kind of event."""
        return bool(self.listeners) or is_logged(kind)

    # Not a coroutine function: where nobody listens, a call has one frame less.
    def __call__(self, request: Request, handler: Handler) -> Awaitable[Response]:
        """Watch a call if anybody wants to know."""
        if self.listeners or CLIENT_LOG.isEnabledFor(logging.DEBUG):
            return self._watched(request, handler)
        return handler(request)

    async def _watched(self, request: Request, handler: Handler) -> Response:
        began = time.monotonic()
        try:
            response = await handler(request)
        except BaseException as error:
            self.tell(_failure(request, error, time.monotonic() - began))
            raise
        self.tell(
            RequestEvent(
                method=request.method,
                path=request.path,
                outcome=None,
                seconds=time.monotonic() - began,
                status=response.status,
                attempts=response.attempts,
                size=len(response.body),
                request_id=response.request_id,
                sent_request_id=sent_id(request),
            )
        )
        page = response.result
        if isinstance(page, Page):
            self.tell(
                PageEvent(
                    path=request.path,
                    number=page.number,
                    items=len(page.items),
                    last_page=page.last_page,
                    total=page.total,
                )
            )
        return response


def outcome_of_end(error: BaseException) -> Outcome:
    """Return what a call that ended with an exception did at the server, as far as is known.

    Cancellations are told what they did by `note_cancelled`.
    """
    if isinstance(error, (ConfigurationError, ValidationError)):
        return Outcome.NOT_SENT
    outcome = getattr(error, "outcome", None)
    return outcome if isinstance(outcome, Outcome) else Outcome.UNKNOWN


def _failure(request: Request, error: BaseException, seconds: float) -> RequestEvent:
    status = attempts = own_id = None
    message = ""
    if isinstance(error, RequestError):  # only ours are known to hold nothing personal
        status, attempts, own_id = error.status, error.attempts, error.request_id
        message = str(error)
    return RequestEvent(
        method=request.method,
        path=request.path,
        outcome=outcome_of_end(error),
        seconds=seconds,
        status=status,
        attempts=attempts,
        error=type(error).__name__,
        message=message,
        request_id=own_id,
        sent_request_id=sent_id(request),
    )


def sent_id(request: Request) -> str | None:
    """Return the `X-Request-Id` that a request carries, if it does."""
    return None if request.headers is None else as_id(request.headers.get(HEADER))
