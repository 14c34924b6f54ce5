"""Row results on their way from an import to its readers."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter, deque
from collections.abc import Iterator

from .report import RowResult

_SIZE = 256  # row results that wait for a slow reader at the most


class Window:
    """Row results on their way to a reader, who may be slow, or leave.

    A reader, and a caller who waits for the report, each give a token: their task or thread.
    While one waits and no other reads, no room will come, so results that find none are dropped.
    """

    def __init__(self) -> None:
        self._readers: Counter[object] = Counter()
        self._waiters: Counter[object] = Counter()
        self._rows: deque[RowResult] = deque()
        self._some = asyncio.Event()
        self._room = asyncio.Event()
        self._ended = False
        self._left = False

    async def put(self, row: RowResult) -> None:
        """Hand over a result once there is room for it, unless no one reads."""
        while len(self._rows) >= _SIZE and not self._left:
            if self._waiters and self._readers.keys() <= self._waiters.keys():
                return
            self._room.clear()
            await self._room.wait()
        if not self._left:
            self._rows.append(row)
            self._some.set()

    @contextlib.contextmanager
    def reading(self, token: object) -> Iterator[None]:
        """Note that someone reads inside the block."""
        with self._noted(self._readers, token):
            yield

    @contextlib.contextmanager
    def waiting(self, token: object) -> Iterator[None]:
        """Note that someone waits for the report inside the block."""
        with self._noted(self._waiters, token):
            yield

    @contextlib.contextmanager
    def _noted(self, tokens: Counter[object], token: object) -> Iterator[None]:
        tokens[token] += 1
        self._room.set()  # to look again
        try:
            yield
        finally:
            tokens[token] -= 1
            if not tokens[token]:
                del tokens[token]
            self._room.set()

    async def next(self) -> RowResult | None:
        """Return the next result, None after the last one."""
        if not await self._wait():
            return None
        row = self._rows.popleft()
        self._room.set()
        return row

    async def take(self, token: object) -> list[RowResult]:
        """Return the results that are there, at least one, or [] after the last one.

        Who takes some is a reader from then on.
        """
        self._readers.setdefault(token, 1)
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
        """Let the import drop its results: there is no reader any more."""
        self._left = True
        self._rows.clear()
        self._room.set()

    async def _wait(self) -> bool:
        while not self._rows and not self._ended:
            self._some.clear()
            await self._some.wait()
        return bool(self._rows)
