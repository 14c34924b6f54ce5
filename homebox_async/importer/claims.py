"""The rows on their way: claimed, to be looked up, or to be sent again.

A row is committed to the journal as in flight before its request is made, and what became of it
afterwards. Rows are claimed a batch at a time; memory does not know how long the input is.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from typing import Any

import attrs

from ..evidence import IdSet
from .columns import Asked, Columns
from .course import Course
from .ending import ended
from .joined import Joined
from .journal import Journal, State
from .ledger import Known, Ticket
from .ledger_claims import FROM_LEDGER, MISSING, LedgerClaims, is_done, why_held
from .report import Emit, RowResult
from .sources import Source

AT_ONCE = 256
"""Rows that are claimed with one commit, where a look-up tells which of them were sent."""

_MISMATCH = "mismatch"
_OPEN_AT_MOST = 1_000  # unknown rows in memory before they are looked up


@attrs.define(eq=False)
class Item:
    """A claimed row on its way.

    `unsent`: it is certain that the server has nothing of it, and nothing is recorded of it.
    `doubtful`: an earlier request for it was left without an answer, and a look-up did not find it.
    `confirmed`: the server answered with success and without an id: it is never sent again.
    `refused`: what the server said when it refused it after an answer was lost.
    `claimed`: it was sent at some time, so what stands for it is at its own postcode.
    `task`: who sends it; `recalled`: and was cancelled because it is not to be sent any more.
    `sends`: how often it was claimed to be sent, in all runs. `ticket`: its claim in the ledger;
    `foreign`: that is another import's, `fenced`: it was, and that one cannot send it any more;
    `missing`: the ledger says that it is there, and Homebox does not show it.
    `settled`: the monotonic time from which on a look-up is the last word.
    """

    row: Any
    unsent: bool = True
    doubtful: bool = False
    confirmed: bool = False
    refused: str = ""
    claimed: bool = True
    task: asyncio.Task[Any] | None = None
    recalled: bool = False
    sends: int = 0
    settled: float = 0.0
    error: str = ""
    ticket: Ticket | None = None
    foreign: bool = False
    fenced: bool = False
    missing: bool = False


class Claims:
    """Where every row that is neither pending nor done stands.

    `at_once`: how many rows are claimed together. `open` are the rows to be looked up; `broken`
    is why no more rows can be claimed. `mismatch`: what the server showed otherwise than it was
    sent, "" if nothing. `known` are the ids of rows that are done, `shown` is the
    monotonic time from which on a list shows all that was created.
    """

    def __init__(
        self,
        source: Source,
        columns: Columns[Any],
        journal: Journal,
        ledger: LedgerClaims,
        settle: float,
        course: Course,
        emit: Emit,
        at_once: int,
    ) -> None:
        self._joined: Joined[Asked] = Joined(source, columns, journal)
        self._journal = journal
        self._ledger = ledger
        self.settle_time = settle
        # The journal's mark on a row that the server said it has created.
        self._confirmed = journal.words.id_name
        self._course = course
        self._emit = emit
        self._at_once = at_once
        self._last = 0
        self._exhausted = False
        self._ready: deque[Item] = deque()
        self._again: list[Item] = []
        self._filling: asyncio.Future[None] | None = None
        self.open: list[Item] = []
        self.broken: Exception | None = None
        self.mismatch = ""
        self.known = IdSet()
        self.shown = 0.0

    @property
    def ended(self) -> bool:
        """Whether there is nothing left to send, and nothing to look up."""
        return self._exhausted and not self.open and not self._again

    async def note_mismatch(self, text: str) -> None:
        """Keep in the journal that the server shows something otherwise than it was sent."""
        self.mismatch = text
        await self._journal.keep(_MISMATCH, text)

    async def load(self) -> None:
        """Take over what an earlier run has noted."""
        self.mismatch = await self._journal.kept(_MISMATCH) or ""

    # --- what is next

    async def next(self) -> Item | None:
        """Return the next claimed row; None where there is none, or none should be sent now."""
        while not self._course.draining:
            if (
                self._filling is None
                and len(self._ready) < max(1, self._at_once // 2)
                and self._more()
            ):
                self._filling = asyncio.ensure_future(self._fill())
            if self._ready:
                return self._ready.popleft()
            if self._filling is None:
                return None
            await asyncio.shield(self._filling)
        return None

    async def filled(self) -> None:
        """Return when no rows are being claimed any more."""
        if self._filling is not None:
            await ended([self._filling])

    def _more(self) -> bool:
        return bool(self._again) or not (self._exhausted or len(self.open) >= _OPEN_AT_MOST)

    async def _fill(self) -> None:
        """Claim the next rows: those to be sent again first."""
        try:
            items, self._again = self._again, []
            items = items or await self._next_batch()
            if items:
                # Before the journal: a claim there that is in no ledger would not be seen.
                held = await self._ledger.claim(items)
                await self._journal.claim([item.row.number for item in items])
                for item in items:
                    item.sends += 1
                for item, known in held:
                    items.remove(item)
                    await self._hold(item, known)
                for item in [item for item in items if item.fenced]:
                    # The other one may have sent it after the look-up and before this claim.
                    item.fenced = False
                    items.remove(item)
                    self.keep_open_unsent(item, item.error)
            self._ready.extend(items)
        except Exception as error:
            # The engine raises it once what is in flight has ended, and is in the journal if it
            # can be.
            self.broken = error
            self._course.drain(str(error))
        finally:
            self._filling = None

    async def _next_batch(self) -> list[Item]:
        entries = await self._journal.next_batch(self._at_once, after=self._last)
        self._exhausted = len(entries) < self._at_once
        if not entries:
            return []
        self._last = entries[-1].number
        pending: list[Item] = []
        left: list[Item] = []
        for entry, row in await asyncio.to_thread(self._joined.read, entries):
            if entry.state is State.PENDING:
                pending.append(Item(row, sends=entry.sends))
            else:
                # Left open by an earlier run: how long ago it was sent is not known for sure,
                # for clocks step back; so it has the whole settle time from now on.
                confirmed = entry.field == self._confirmed
                item = Item(row, unsent=False, confirmed=confirmed, error=entry.error)
                item.claimed, item.sends = entry.claimed_at is not None, entry.sends
                item.settled = self._settles_at()
                item.missing = entry.field == FROM_LEDGER
                left.append(item)
        known_rows = await self._ledger.recall(left)
        for item, known in known_rows:
            # What Homebox did not show may only have been late: it is looked up like the others.
            if not item.missing:
                left.remove(item)
                await self._hold(item, known)
        still_known = {item.row.number for item, _ in known_rows}
        for item in left:
            # A person may have had the ledger forget it since.
            item.missing = item.missing and item.row.number in still_known
        self.open += left
        return pending

    async def leave_missing(self, item: Item) -> None:
        """Finish a row that the ledger says is there and that Homebox does not show."""
        await self.settle(item, State.UNKNOWN, field=FROM_LEDGER, error=item.error, fix=MISSING)

    async def _hold(self, item: Item, known: Known) -> None:
        """Do not send a row that the ledger has from elsewhere."""
        if is_done(known):
            await self.settle(item, State.ADOPTED, id=known.id)
        elif known.state.is_done:
            await self.leave_open(item, why_held(known, self._journal.words.one))
        else:
            self.keep_open_unsent(item, why_held(known, self._journal.words.one))

    def _settles_at(self) -> float:
        return time.monotonic() + self.settle_time

    def wait_at_least(self, seconds: float) -> None:
        """Lengthen the settle time, also of rows that are open; it is never shortened."""
        if (more := seconds - self.settle_time) > 0:
            self.settle_time = seconds
            self.shown += more
            for item in self.open:
                item.settled += more

    def place(self, item: Item) -> str:
        """Return where the row of an item is, for a message."""
        return self._journal.places([item.row.number])

    # --- what becomes of them

    def give_back(self, item: Item) -> None:
        """Undo the claim of a row that is certainly not being sent."""
        item.unsent = False
        item.sends -= 1
        state = State.UNKNOWN if item.doubtful else State.PENDING
        self._ledger.record(item, State.PENDING)
        self._journal.record(item.row.number, state, error=item.error, unsent=True)
        if item.doubtful:
            self.open.append(item)

    def give_back_waiting(self) -> None:
        """Undo the claims of all rows that wait to be sent."""
        for item in self._ready:
            self.give_back(item)
        self.open += self._again  # not claimed again yet

    def keep_open(self, item: Item, error: str) -> None:
        """Note that it is not known what became of a row: it will be looked up."""
        item.unsent = False
        item.error = error
        item.settled = self._settles_at()
        self._journal.record(
            item.row.number, State.UNKNOWN, field=self._confirmed * item.confirmed, error=error
        )
        self.open.append(item)

    def keep_open_unsent(self, item: Item, error: str) -> None:
        """Note that another import has a row, which this one has claimed and not sent."""
        if item.sends > 1:  # the other one's request counts, once
            item.sends -= 1
            self._journal.record(item.row.number, State.UNKNOWN, error=error, unsent=True)
        self.keep_open(item, error)

    def check(self, item: Item) -> None:
        """Raise TakenOver if a row that is about to be sent is another import's by now."""
        self._ledger.check(item)

    def send_again(self, item: Item) -> None:
        """Have a row claimed once more, because a look-up did not find it."""
        item.doubtful = item.unsent = True
        self._again.append(item)

    async def leave_open(
        self, item: Item, why: str, fix: str = "", *, noted: int | None = None
    ) -> None:
        """End with a row of which it is not known what became of it, and guess nothing.

        `noted`: an id that may be its own, and that another row has.
        """
        await self.settle(
            item,
            State.UNKNOWN,
            id=noted,
            field=self._confirmed if item.confirmed else "row",
            error=why,
            fix=fix or self._journal.words.again,
        )

    async def settle(
        self,
        item: Item,
        state: State,
        *,
        id: int | None = None,
        tenancy_id: int | None = None,
        field: str = "",
        error: str = "",
        fix: str = "",
    ) -> None:
        """Record what became of a row, and tell it."""
        item.unsent = False
        self._ledger.record(item, state, id=id, tenancy_id=tenancy_id)
        if id and state in (State.CREATED, State.ADOPTED):
            self.known.add(id)
        if state is State.CREATED:
            self.shown = self._settles_at()
        number, reference = item.row.number, item.row.reference
        self._journal.record(number, state, id=id, field=field, error=error, fix=fix)
        shown = None if state is State.UNKNOWN else id or None
        await self._emit(RowResult(number, state, reference, shown, field, error, fix))
