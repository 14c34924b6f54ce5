"""Row results on their way from an import to whoever reads them."""

from __future__ import annotations

import asyncio
from collections import deque

from .report import RowResult

_SIZE = 256  # row results that wait for a slow reader at the most


class Window:
    """Row results on their way to a reader, who may be slow, or leave."""

    def __init__(self) -> None:
        self._rows: deque[RowResult] = deque()
        self._some = asyncio.Event()
        self._room = asyncio.Event()
        self._ended = False
        self._left = False

    async def put(self, row: RowResult) -> None:
        """Hand over a result once there is room for it, unless the reader has left."""
        while len(self._rows) >= _SIZE and not self._left:
            self._room.clear()
            await self._room.wait()
        if not self._left:
            self._rows.append(row)
            self._some.set()

    async def next(self) -> RowResult | None:
        """Return the next result, None after the last one."""
        if not await self._wait():
            return None
        row = self._rows.popleft()
        self._room.set()
        return row

    async def take(self) -> list[RowResult]:
        """Return the results that are there, at least one, or [] after the last one."""
        await self._wait()
        rows = list(self._rows)
        self._rows.clear()
        self._room.set()
        return rows

    def end(self) -> None:
        """Let the reader know that no more will come."""
        self._ended = True
        self._some.set()

    def leave(self) -> None:
        """Let go of whoever waits to hand over a result: nobody reads any more."""
        self._left = True
        self._rows.clear()
        self._room.set()

    async def _wait(self) -> bool:
        while not self._rows and not self._ended:
            self._some.clear()
            await self._some.wait()
        return bool(self._rows)
