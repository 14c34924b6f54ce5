"""Waiting for what must have let go of its files and rows before a cancelled import may end."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any


async def ended(work: Iterable[asyncio.Future[Any]]) -> None:
    """Return when all of it has ended, however often the waiter is cancelled meanwhile.

    An anyio scope cancels again with each turn of the loop. The cancellation is raised
    afterwards. What the work itself has raised counts as seen.
    """
    work = tuple(work)
    cancelled: asyncio.CancelledError | None = None
    while waiting := [each for each in work if not each.done()]:
        try:
            await asyncio.wait(waiting)
        except asyncio.CancelledError as again:
            cancelled = again
    for each in work:
        if not each.cancelled():
            each.exception()
    if cancelled is not None:
        raise cancelled
