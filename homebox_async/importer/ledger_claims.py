"""The ledger's side of an import: its rows claimed, checked before each request, and settled.

Without a ledger, every claim is granted and nothing is kept.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from .journal import Journal, State
from .ledger import Claim, Known, Ledger, Outcome, Standing, Ticket
from .saying import said

if TYPE_CHECKING:
    from .claims import Item

_STANDINGS: Mapping[State, Standing] = {
    State.CREATED: Standing.CREATED,
    State.ADOPTED: Standing.MATCHED,
    State.REJECTED: Standing.REJECTED,
    State.UNKNOWN: Standing.UNKNOWN,
    State.PENDING: Standing.NOT_SENT,
}


FROM_LEDGER = "ledger"
"""The `field` of a row in the journal of which only the ledger says that it is there."""

MISSING = "if Homebox was reset, run: homebox import forget --missing"
"""What to do about such a row if Homebox does not show it."""


class TakenOver(Exception):
    """Another import has claimed the row since: it must not be sent."""


class LedgerClaims:
    """What one import claims in the ledger; `ledger` is None where none is kept."""

    def __init__(self, ledger: Ledger | None, kind: str, journal: Journal) -> None:
        self.ledger = ledger
        self._kind = kind
        self._journal = str(journal.path.absolute())
        self._mark = mark_of(journal)

    async def claim(self, items: Sequence[Item]) -> list[tuple[Item, Known]]:
        """Claim rows to be sent; return those that must not be, with what stands against it."""
        if self.ledger is None:
            return []
        claims = [
            Claim(item.row.number, said(item.row), 0 if item.ticket is None else item.ticket.claim)
            for item in items
        ]
        held = []
        answers = await self.ledger.claim(self._kind, self._journal, claims, self._mark)
        for item, answer in zip(items, answers, strict=True):
            if isinstance(answer, Ticket):
                item.ticket = answer
                item.fenced, item.foreign = item.foreign, False
            else:
                self._note_foreign(item, answer)
                held.append((item, answer))
        return held

    def _note_foreign(self, item: Item, known: Known) -> None:
        item.ticket = Ticket(known.item, known.claim)
        item.foreign = known.mark != self._mark

    async def recall(self, items: Sequence[Item]) -> list[tuple[Item, Known]]:
        """Find rows that were left open; return those that are known to be done by now."""
        if self.ledger is None or not items:
            return []
        done = []
        found = await self.ledger.look(self._kind, [said(item.row) for item in items])
        for item, known in zip(items, found, strict=True):
            if known is not None:
                self._note_foreign(item, known)
                if is_done(known):
                    done.append((item, known))
        return done

    def check(self, item: Item) -> None:
        """Raise TakenOver if the claim of a row that is about to be sent stands no more.

        An import that was paused, or whose machine slept, may come back long after others took
        its row for lost.
        """
        if self.ledger is not None and item.ticket and not self.ledger.holds(item.ticket):
            raise TakenOver

    def record(
        self, item: Item, state: State, *, id: int | None = None, tenancy_id: int | None = None
    ) -> None:
        """Note what became of a row."""
        if self.ledger is not None and item.ticket is not None:
            self.ledger.record(Outcome(item.ticket, _STANDINGS[state], id or None, tenancy_id))

    async def look(self, rows: Sequence[Any]) -> list[Known | None]:
        """Return what is known of rows that are not claimed yet."""
        if self.ledger is None:
            return [None] * len(rows)
        return await self.ledger.look(self._kind, await asyncio.to_thread(_all_said, rows))

    async def link(self, rows: Sequence[tuple[int, Known]]) -> None:
        """Note which items rows stand for that this import does not claim."""
        if self.ledger is not None and rows:
            pairs = [(number, known.item) for number, known in rows]
            await self.ledger.run(lambda store: store.link(self._mark, pairs))

    async def learned(self) -> Mapping[str, Any] | None:
        """Return what any import has learned of the server in the last 30 days."""
        kind = self._kind
        if self.ledger is None:
            return None
        return await self.ledger.run(lambda store: store.learned(kind))

    async def learn(self, facts: Mapping[str, Any] | None) -> None:
        """Note for other imports what was learned; None: what they know holds no more."""
        kind = self._kind
        if self.ledger is not None:
            await self.ledger.run(lambda store: store.learn(kind, facts))

    async def knows(self) -> bool:
        """Return whether the ledger has anything of this kind."""
        kind = self._kind
        return self.ledger is not None and await self.ledger.run(lambda store: store.knows(kind))


def mark_of(journal: Journal) -> bytes:
    """Return by what the ledger knows a journal, wherever it is moved to."""
    return journal.digest({"": "ledger"})


def is_done(known: Known) -> bool:
    """Return whether what a row asks for is there, with an id."""
    return known.state.is_done and known.same and known.id is not None


def sent_before(known: Known) -> str:
    """Say when and from where something was sent."""
    day = dt.datetime.fromtimestamp(known.changed).date()
    return f"on {day}, as row {known.row} of {known.journal}"


def why_held(known: Known, one: str) -> str:
    """Say why a row is not sent: what the ledger knows of it."""
    if known.state.is_done and not known.same:
        number = "" if known.id is None else f" {known.id}"
        return (
            f"may have been sent before, with other details ({one}{number}, {sent_before(known)})"
        )
    if known.state.is_done:
        return f"was sent before ({sent_before(known)}), and its id is not known"
    return f"was sent before ({sent_before(known)}), and no answer is recorded"


def _all_said(rows: Sequence[Any]) -> list[Any]:
    return list(map(said, rows))
