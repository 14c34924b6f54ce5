"""What a client tells of its work: to its log, and to a callback of yours.

::

    def watch(event: Event) -> None:
        if isinstance(event, RequestEvent) and event.outcome is Outcome.UNKNOWN:
            alarm(event.method, event.path)

    client = AsyncHomebox(on_event=watch)

Each event is a line of the log, too: `str(event)`. The loggers are `homebox_async.client` and
`homebox_async.importer`:

========  ==============================================================================
DEBUG     each call with its end, each page of a list, each row of an import
INFO      a second attempt, a pause that the server asked for, the phases of an import
WARNING   a list that changed while it was read, a cancelled write that may have happened
ERROR     a callback that raised, once
========  ==============================================================================

Events and lines hold no token, no body, and paths as templates (``property/{property_id}``).
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sys
from collections.abc import Callable
from typing import Any, Final, Literal

import attrs

from .errors import Outcome


class _Log(logging.LoggerAdapter[logging.Logger]):
    """A logger of which no line changes what a call comes to.

    logging catches most of what a handler raises, but not what its own `emit` or a filter does.
    """

    _failed = False

    def log(self, level: int, msg: object, *args: object, **kwargs: Any) -> None:
        """Write a line; what the user's handlers and filters raise is shown once, on stderr."""
        try:
            super().log(level, msg, *args, **{"stacklevel": 3, **kwargs})
        except (Exception, asyncio.CancelledError) as broken:
            if not self._failed and logging.raiseExceptions and sys.stderr is not None:
                self._failed = True
                with contextlib.suppress(Exception):
                    # Not what it says: it may hold what was logged.
                    print(
                        f"a handler or filter of the log raised {type(broken).__name__}; the calls "
                        "go on, and this is not shown again",
                        file=sys.stderr,
                    )


CLIENT_LOG: Final = _Log(logging.getLogger("homebox_async.client"), {})
IMPORTER_LOG: Final = _Log(logging.getLogger("homebox_async.importer"), {})


@attrs.frozen(kw_only=True)
class RequestEvent:
    """A call has ended, with all its attempts and waits.

    `outcome`: None for a success; for any other end what it did at the server. A cancelled call
    has one, too. `error` and `message`: the class of the exception and what ours say of it, None
    and "" for a success. `status`: of the last answer, None where there was none. `attempts`:
    None for a call that was broken off. `size`: bytes of the answer's body, 0 for a download.
    `request_id`: the server's own `X-Request-Id`; `sent_request_id`: the one given by
    `homebox_async.request_id`.
    """

    method: str
    path: str
    outcome: Outcome | None
    seconds: float
    status: int | None = None
    attempts: int | None = None
    size: int = 0
    error: str | None = None
    message: str = ""
    request_id: str | None = None
    sent_request_id: str | None = None

    def __str__(self) -> str:
        time = f"{self.seconds * 1e3:.0f} ms"
        if self.outcome is None:
            line = f"{self.method} {self.path}: {self.status}, {self.size} bytes, {time}"
            if self.attempts != 1:
                line += f", {self.attempts} attempts"
        elif self.message:
            line = f"{self.message} after {time}"
        else:
            line = f"{self.method} {self.path}: {self.error} [outcome: {self.outcome.value}]"
            line += f" after {time}"
        if self.request_id is not None:
            line += f", request id {self.request_id}"
        if self.sent_request_id not in (None, self.request_id):
            line += f", sent as {self.sent_request_id}"
        return line


@attrs.frozen(kw_only=True)
class RetryEvent:
    """An attempt has failed and there will be another one.

    `attempt`: which one failed, from 1. `wait`: seconds until the next one. The rest: as in
    `RequestEvent`, of the failed attempt.
    """

    method: str
    path: str
    attempt: int
    wait: float
    outcome: Outcome
    error: str
    message: str
    status: int | None = None
    request_id: str | None = None

    def __str__(self) -> str:
        return f"{self.message}; attempt {self.attempt + 1} in {self.wait:.2f} s"


@attrs.frozen(kw_only=True)
class PauseEvent:
    """The server asked a call to wait (429 with `Retry-After`): the whole client pauses.

    `seconds`: from now. `method` and `path`: of the call that was told.
    """

    method: str
    path: str
    seconds: float

    def __str__(self) -> str:
        return (
            f"paused for {self.seconds:.1f} s: the server asked {self.method} {self.path} to wait"
        )


@attrs.frozen(kw_only=True)
class PageEvent:
    """A page of a list has come, maybe ahead of the one in use.

    `items`: how many it has. `last_page` and `total`: None where the server does not tell.
    """

    path: str
    number: int
    items: int
    last_page: int | None = None
    total: int | None = None

    def __str__(self) -> str:
        of = "" if self.last_page is None else f" of {self.last_page}"
        return f"{self.path}: page {self.number}{of}, {self.items} items"


RowState = Literal["created", "adopted", "rejected", "unknown"]


@attrs.frozen(kw_only=True)
class RowEvent:
    """A row of an import has come to its end.

    `number`: counts the rows from 1. `id`: what was created or adopted. `field`: what was wrong
    with a rejected row; its value and the server's words stand in the results only.
    """

    number: int
    state: RowState
    id: int | None = None
    field: str = ""

    def __str__(self) -> str:
        what = f", id {self.id}" if self.id is not None else f", {self.field}" if self.field else ""
        return f"row {self.number}: {self.state}{what}"


Event = RequestEvent | RetryEvent | PauseEvent | PageEvent | RowEvent
OnEvent = Callable[[Event], None]

_LINES: Final[dict[type[Event], tuple[_Log, int]]] = {
    RequestEvent: (CLIENT_LOG, logging.DEBUG),
    RetryEvent: (CLIENT_LOG, logging.INFO),
    PauseEvent: (CLIENT_LOG, logging.INFO),
    PageEvent: (CLIENT_LOG, logging.DEBUG),
    RowEvent: (IMPORTER_LOG, logging.DEBUG),
}


def is_logged(kind: type[Event]) -> bool:
    """Tell whether the log takes the lines of a kind of event."""
    log, level = _LINES[kind]
    return log.isEnabledFor(level)


def write_line(event: Event) -> None:
    """Write the line of an event to the log."""
    log, level = _LINES[type(event)]
    log.log(level, "%s", event)
