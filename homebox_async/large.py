"""Large answers: bounded in objects, and decoded outside of the event loop.

A body of a few kilobytes may unpack to millions of objects, each of which takes far more memory
than the bytes it came as. What is bounded is what can be counted before anything is decoded.
"""

from __future__ import annotations

import asyncio
import math
import time
from typing import Any, Final

from .errors import AttemptTimeout, DeadlineExceeded, Outcome
from .models import Unreadable
from .wire import Request, Response

SMALL: Final = 48 * 1024
"""Bytes of an answer that is decoded at once: it cannot hold enough to matter."""

_SLOW: Final = 256 * 1024  # bytes that may take long, whatever is in them
_FEW: Final = 2_000  # objects that take no longer than that
_MOST_OBJECTS: Final = 20_000
"""Objects of one answer; a page of the API holds 50."""
_MOST_VALUES: Final = 400_000


async def read_large(request: Request, response: Response) -> Any:
    """Return what `request.read` makes of an answer, within its attempt and the call's deadline.

    Raises Unreadable for more objects than any page holds.
    """
    body = response.body
    objects = body.count(b"{")
    if objects + body.count(b"[") > _MOST_OBJECTS or body.count(b",") > _MOST_VALUES:
        raise Unreadable(
            f"holds more than {_MOST_OBJECTS:,} objects or {_MOST_VALUES:,} values; ask for less"
            " at once"
        )
    if len(body) <= _SLOW and objects <= _FEW:
        return request.read(response)
    loop = asyncio.get_running_loop()
    try:
        reading = loop.run_in_executor(None, request.read, response)
    except RuntimeError:  # Python is leaving, and starts no threads any more
        return request.read(response)
    ends = response.ends  # no later than the deadline
    left = None if ends == math.inf else max(0, ends - time.monotonic())
    done, _ = await asyncio.wait([reading], timeout=left)
    if not done:
        reading.add_done_callback(_ignored)
        late = request.deadline is not None and request.deadline <= ends
        error = DeadlineExceeded if late else AttemptTimeout
        raise error(
            f"the {'deadline' if late else 'timeout'} passed while the answer was decoded",
            outcome=Outcome.UNKNOWN,
            method=request.method,
            path=request.path,
            status=response.status,
        )
    return reading.result()


def _ignored(reading: asyncio.Future[Any]) -> None:
    """Take note of how a decoding ended that no one waits for, so that no one warns."""
    if not reading.cancelled():
        reading.exception()
