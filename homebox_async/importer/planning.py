"""Before anything is sent: every row is checked, and what is there already is adopted."""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Generic

import attrs

from ..client import AsyncHomebox
from ..errors import RequestError
from .columns import Columns, R
from .course import Course
from .joined import rows_in
from .journal import Entry, Journal, Planned, State
from .kinds import BY_ADDRESS, OVERLAP, Kind
from .matched_rows import count_matched
from .patience import Patience
from .preview import Preview
from .report import Emit, RowResult
from .sources import Source

_ADOPT_CHUNK = 1_000


class Planner(Generic[R]):
    """Brings the rows of a source into a journal, and compares them with what is at Homebox."""

    def __init__(
        self, kind: Kind[R], source: Source, columns: Columns[R], journal: Journal, emit: Emit
    ) -> None:
        self._kind = kind
        self._source = source
        self._columns = columns
        self._journal = journal
        self._emit = emit

    async def plan(self, partition: tuple[int, int], progress: Callable[[int], None]) -> bool:
        """Check every row and write all of them to the journal, before anything is sent.

        Returns whether the rows were planned now, and not in an earlier run.
        """
        self._journal.name_rows(self._source.places)
        now = not self._journal.planned
        if now:
            await self._journal.plan(self._planned(partition), progress)
        await self._kind.check_rows(self._source, self._columns, self._journal, self.pending)
        return now

    async def pending(self) -> AsyncIterator[list[R]]:
        """Give the rows that are not sent yet, some at a time."""
        async for rows in self._rows_in(State.PENDING):
            yield [row for _, row in rows]

    async def preview(self, course: Course) -> Preview | None:
        """Add up what the rows set off that may be sent; None where the kind tells nothing.

        A row that was sent without an answer may be sent again, if it is not found.
        """
        by_address = await self._journal.take(lambda reader: count_matched(reader, BY_ADDRESS))
        tally = self._kind.tally(self._columns)
        if tally is None:
            pending = (await self._journal.counts())[State.PENDING]
            preview = Preview(kind=self._kind.name, rows=pending, by_address=by_address)
            return preview if by_address else None
        overlaps: list[int] = []
        course.phase = "adding up"
        states = (State.PENDING, State.UNKNOWN) if self._kind.is_listed else (State.PENDING,)
        async for rows in self._rows_in(*states):
            for entry, row in rows:
                if entry.state is State.PENDING or entry.claimed_at is not None:
                    tally.add(row)
                if entry.field == OVERLAP:
                    overlaps.append(entry.number)
        return attrs.evolve(
            tally.preview(),
            overlaps=tuple(overlaps),
            overlaps_at=self._journal.places(overlaps) if overlaps else "",
            by_address=by_address,
        )

    async def adopt(
        self,
        lists: AsyncHomebox,
        course: Course,
        patience: Patience,
        settled: Callable[[], Awaitable[None]],
        checked: Callable[[], Awaitable[None]],
    ) -> None:
        """Take over what is at Homebox already.

        So a file can be imported again after it was changed or its journal lost.
        `settled` returns when what was sent before shows in the lists; `checked`, when the rows
        have been looked at of which only the ledger says that they are there.
        It is done once, before anything is sent: afterwards, the journal knows what is there.
        """
        journal = self._journal
        if journal.compared and await journal.touched():
            return
        await settled()
        course.phase = "comparing"
        try:
            compared = await patience.lasting(lambda: self._compare(lists, course))
        except RequestError as error:
            course.fail(error)
            return
        if not compared:
            return
        await checked()
        if course.draining:
            return
        last = 0
        while entries := await journal.matched(after=last, size=_ADOPT_CHUNK):
            last = entries[-1].number
            for entry in entries:
                number, found = entry.number, entry.id
                # Its field says how it was found.
                journal.record(number, State.ADOPTED, id=found, field=entry.field)
                await self._emit(RowResult(number, State.ADOPTED, entry.reference, found or None))
        await journal.set_compared()

    async def _compare(self, lists: AsyncHomebox, course: Course) -> bool:
        compared = await self._kind.compare(lists, self._journal, self.pending, self._tell)
        if not compared.complete:
            course.drain(
                f"what Homebox has could not be read completely ({compared.reason}), so that rows"
                " which were not found may be there all the same; nothing was sent: run the same"
                " import again, or send without comparing (--no-adopt-existing)"
            )
        return compared.complete

    async def _tell(self, row: RowResult) -> None:
        self._journal.record(row.number, row.state, field=row.field, error=row.error, fix=row.fix)
        await self._emit(row)

    def _rows_in(self, *states: State) -> AsyncIterator[list[tuple[Entry, R]]]:
        return rows_in(states, self._source, self._columns, self._journal)

    def _planned(self, partition: tuple[int, int]) -> Iterator[Planned]:
        part, parts = partition
        columns, journal = self._columns, self._journal
        for row in self._source.rows():
            made = columns.checked(row)
            if not isinstance(made, list):
                if parts == 1 or _partition(made.reference, parts) == part:
                    digest = journal.digest(row.cells)
                    yield Planned(row.number, digest, made.reference, made.key)
            elif row.number % parts == part:
                yield Planned(row.number, journal.digest(row.cells), "", "", made)


def _partition(reference: str, parts: int) -> int:
    """Say which partition a reference falls into: the same one anywhere, in any run."""
    return zlib.crc32(reference.encode()) % parts
