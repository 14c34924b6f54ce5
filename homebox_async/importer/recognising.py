"""Rows that the ledger knows from another file, folder or process, before anything is compared."""

from __future__ import annotations

import asyncio
import datetime as dt
import time
from collections.abc import Sequence
from typing import Any

from ..client import AsyncHomebox
from ..errors import NotFound, RequestError
from .course import Course
from .journal import Entry, Journal, State
from .kinds import Kind, Pending
from .ledger import Known
from .ledger_claims import FROM_LEDGER, MISSING, LedgerClaims, is_done, why_held
from .report import Emit, RowResult

_AT_ONCE = 8
# So many in a row that are not there: the server was reset.
_ENOUGH = 24


class Recogniser:
    """Notes in a journal which pending rows were sent before."""

    def __init__(
        self,
        kind: Kind[Any],
        journal: Journal,
        claimed: LedgerClaims,
        course: Course,
        emit: Emit,
    ) -> None:
        self._kind = kind
        self._journal = journal
        self._claimed = claimed
        self._course = course
        self._emit = emit
        self._before: list[Known] = []

    async def run(self, pending: Pending[Any]) -> None:
        """Look every pending row up in the ledger."""
        if not await self._claimed.knows():
            return
        async for rows in pending():
            await self._note(rows, await self._claimed.look(rows))
        await self._journal.flush()
        if self._before:
            first = min(self._before, key=lambda known: known.changed)
            day = dt.datetime.fromtimestamp(first.changed).date()
            many = len(self._before)
            were = "was" if many == 1 else "were"
            self._course.say(
                f"{many:,} {self._kind.name if many > 1 else self._journal.words.one} {were} sent"
                f" before (first on {day}), so not again"
            )

    async def _note(self, rows: Sequence[Any], found: Sequence[Known | None]) -> None:
        known_rows = zip(rows, found, strict=True)
        await self._claimed.link(
            [(row.number, one) for row, one in known_rows if one and not one.state.is_free]
        )
        for row, known in zip(rows, found, strict=True):
            if known is None or known.state.is_free:
                continue
            if not known.state.is_done:
                await self._note_unknown(row, known)
            elif is_done(known):
                if self._kind.is_listed:
                    # Adopted once the comparison has shown it.
                    self._journal.record(row.number, State.PENDING, id=known.id, field=FROM_LEDGER)
                else:
                    self._before.append(known)
                    await self._adopt(row, known)

    async def _adopt(self, row: Any, known: Known) -> None:
        self._journal.record(row.number, State.ADOPTED, id=known.id)
        await self._emit(RowResult(row.number, State.ADOPTED, row.reference, known.id))

    async def _note_unknown(self, row: Any, known: Known) -> None:
        # As if this import had sent it, so that it is looked up like any row it has sent.
        await self._journal.claim([row.number])
        self._journal.record(
            row.number, State.UNKNOWN, error=why_held(known, self._journal.words.one)
        )

    async def check_listed(self, lists: AsyncHomebox) -> None:
        """Look at the rows that the ledger says are there and the lists have not shown."""
        after, missing, in_a_row = 0, 0, 0
        while entries := await self._journal.matched(after=after, size=_AT_ONCE):
            after = entries[-1].number
            doubtful = [entry for entry in entries if entry.field == FROM_LEDGER]
            there: Sequence[bool] = [False] * len(doubtful)
            # A server that was reset has none of them: it need not be asked for each.
            if doubtful and in_a_row < _ENOUGH:
                try:
                    there = await asyncio.gather(*(self._exists(lists, one) for one in doubtful))
                except RequestError as error:
                    self._course.fail(error)
                    return
            for entry, is_there in zip(doubtful, there, strict=True):
                in_a_row = 0 if is_there else in_a_row + 1
                if not is_there:
                    missing += 1
                    await self._note_missing(entry)
        await self._journal.flush()
        if missing:
            self._course.say(
                f"{missing:,} of the rows were sent before, and Homebox does not show them; if it"
                " was reset, run: homebox import forget --missing"
            )

    async def _exists(self, lists: AsyncHomebox, entry: Entry) -> bool:
        get = {"properties": lists.properties.get, "leads": lists.leads.get}.get(self._kind.name)
        if get is None or entry.id is None:
            return False  # the list of its home is all there is
        try:
            await get(entry.id)
        except NotFound:
            return False
        return True

    async def _note_missing(self, entry: Entry) -> None:
        await self._journal.claim([entry.number])
        one = self._journal.words.one
        self._journal.record(
            entry.number,
            State.UNKNOWN,
            field=FROM_LEDGER,
            error=f"was sent before as {one} {entry.id}, and Homebox does not show it",
            fix=MISSING,
        )


async def wait_for_others(
    claimed: LedgerClaims, course: Course, settle: float, began: float
) -> None:
    """Let what other machines sent before the start show in the lists, once for each ledger.

    Without a ledger it is not known what was sent a moment ago, and lists may be behind.
    `began`: the monotonic time at which the import began.
    """
    ledger = claimed.ledger
    if ledger is not None and await ledger.run(lambda store: store.waited):
        return
    left = began + settle - time.monotonic()
    if left > 0:
        until = dt.datetime.now() + dt.timedelta(seconds=left)
        why = "no ledger is kept" if ledger is None else "the ledger of this account is new"
        course.phase = "waiting"
        course.say(
            f"{why} here, so that what was sent from elsewhere is not known: nothing is compared"
            f" until {until:%H:%M:%S}, when it shows in Homebox's lists"
        )
        await course.wait(left)
    if ledger is not None and not course.draining:
        await ledger.run(lambda store: store.set_waited())
