"""The rows of a source in step with the journal's entries."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Generic

from .columns import Columns, R
from .journal import Entry, Journal, State
from .sources import Source, SourceError

_BATCH = 1_000


class Joined(Generic[R]):
    """One pass over the source, for entries that come in row order."""

    def __init__(self, source: Source, columns: Columns[R], journal: Journal) -> None:
        self._source = source
        self._columns = columns
        self._journal = journal
        self._rows = source.rows()

    def read(self, entries: Sequence[Entry]) -> list[tuple[Entry, R]]:
        """Read the rows of the entries, and make sure that they are the planned ones."""
        joined = []
        for entry in entries:
            number = entry.number
            row = None
            for row in self._rows:
                if row.number == number:
                    break
            # With the planned cells, it is as good as it was then.
            if (
                row is None
                or row.number != number
                or row.fault is not None
                or self._journal.digest(row.cells) != entry.digest
            ):
                place = self._source.places([number])
                raise SourceError(
                    f"{self._source.name}: {place} changed while it was imported; "
                    "restore the file and run the same command again"
                )
            joined.append((entry, self._columns.read_again(row)))
        return joined


async def rows_in(
    states: Sequence[State], source: Source, columns: Columns[R], journal: Journal
) -> AsyncIterator[list[tuple[Entry, R]]]:
    """Give the rows in some states with their entries, some at a time."""
    joined, after = Joined(source, columns, journal), 0
    while entries := await journal.page(states, after=after, size=_BATCH):
        after = entries[-1].number
        yield await asyncio.to_thread(joined.read, entries)
