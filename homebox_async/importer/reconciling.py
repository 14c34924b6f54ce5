"""Rows that were left without an answer: adopted, sent again, or left open, never guessed."""

from __future__ import annotations

import functools
import time
from typing import Any

from ..client import AsyncHomebox
from ..errors import RequestError
from .claims import Claims, Item
from .course import Course
from .finding import Hits, LookUp, may_be_it
from .journal import Journal, State
from .kinds import Kind
from .patience import Patience
from .probing import Probe
from .words import STOPPED

_SEEN = "; now "
_LOOK = "see whether Homebox has it"
_IDS = 20_000  # that are read at once
# Of one row in all runs, each after a look-up that did not find it. A kill does not end a row so:
# it counts all rows of its batch, also those that had not left yet.
_SENDS = 5


class Reconciler:
    """Decides what becomes of open rows; `adopted` counts those that were found."""

    def __init__(
        self,
        kind: Kind[Any],
        lists: AsyncHomebox,
        journal: Journal,
        claims: Claims,
        probe: Probe,
        course: Course,
        patience: Patience,
    ) -> None:
        self._probe = probe
        self._kind = kind
        self._lists = lists
        self._journal = journal
        self._claims = claims
        self._course = course
        self._patience = patience
        self.adopted = 0
        self._knows = False

    async def run(self) -> None:
        """Look up every open row; send again only what is still not there once it has settled."""
        claims, course = self._claims, self._course
        course.phase = "reconciling"
        await self._leave_doubtful()
        await self._know()
        await self._probe.renew()
        for item in claims.open:
            # What was created just now is not in the list yet, and has to be there as a witness.
            item.settled = max(item.settled, claims.shown)
        while claims.open and not course.draining:
            started = time.monotonic()
            try:
                found = await self._patience.lasting(functools.partial(self._look_up, started))
            except RequestError as error:
                course.fail(error)
                return
            if found is None:
                return
            looked_up, claims.open = claims.open, []
            for item in looked_up:
                if not await self._decide(item, found, started):
                    claims.open.append(item)
            if claims.open:
                # All of them: a look-up for each one's own time would read the list over and over.
                course.phase = "settling"
                await course.wait(max(item.settled for item in claims.open) - time.monotonic())
                course.phase = "reconciling"

    async def _look_up(self, started: float) -> LookUp:
        items = self._claims.open
        return await self._kind.look_up(
            self._lists,
            [self._probe.row_as_shown(item.row) for item in items],
            witnesses=self._claims.known,
            # Absence counts only for those that have settled.
            quick=all(started < item.settled for item in items),
        )

    async def _decide(self, item: Item, found: LookUp, started: float) -> bool:
        """Act on what a look-up found of a row; False if it has to be looked up once more."""
        leave_open, hits = self._claims.leave_open, found.hits[item.row.number]
        if hits.ids:
            listed = ", ".join(map(str, hits.ids))
            if len(hits.ids) > 1:
                await leave_open(item, f"{self._kind.name} {listed} all fit; none was guessed")
            elif not hits.by_reference and (others := await self._neighbours(item.row)):
                places = self._journal.places(others)
                await leave_open(
                    item, f"{self._one} {listed} has its address, and so has what is on {places}"
                )
            else:
                self.adopted += 1
                await self._claims.settle(item, State.ADOPTED, id=hits.ids[0])
        elif item.missing:
            if started < item.settled:
                return False
            await self._claims.leave_missing(item)
        elif hits.perhaps:
            await leave_open(item, may_be_it(self._one, hits.perhaps), noted=self._taken(hits))
        elif hits.contradictions:
            error = "; ".join(hits.contradictions.values())
            await leave_open(item, error, noted=self._taken(hits))
        elif started < item.settled:
            return False
        elif not found.absence.complete:
            await leave_open(
                item,
                f"it was not found, which does not show that it is absent: {found.absence.reason}",
            )
        elif item.confirmed:
            await leave_open(
                item, "the server answered with success, but its list does not show it"
            )
        elif item.refused:
            await leave_open(
                item,
                f"an answer was lost, then the server refused it ({item.refused}), but its list"
                " does not show it",
                _LOOK,
            )
        elif self._claims.mismatch:
            await leave_open(
                item,
                "it was not found, but may be there in another form:"
                f" {self._claims.mismatch.partition(';')[0]}",
                _LOOK,
            )
        elif item.sends >= _SENDS and item.error != STOPPED:
            said = f"sent {item.sends} times; last: "
            await leave_open(item, said + item.error.removeprefix(said), _LOOK)
        else:
            self._claims.send_again(item)
        return True

    def _taken(self, hits: Hits) -> int | None:
        """Return an id that may be a row's, and that another row has: the journal doubts both."""
        ids = (*hits.perhaps, *hits.contradictions)
        return next((one for one in ids if one in self._claims.known), None)

    async def _know(self) -> None:
        """Learn once which ids earlier runs, and the comparison, have noted."""
        if self._knows or not self._kind.is_listed:
            return
        after = 0
        while found := await self._journal.ids(after=after, size=_IDS):
            after = found[-1][0]
            for _, identity in found:
                self._claims.known.add(identity)
        self._knows = True

    @property
    def _one(self) -> str:
        return self._journal.words.one

    async def _leave_doubtful(self) -> None:
        """Leave open what cannot be looked up, and what was not sent because it may be there."""
        kind, claims = self._kind, self._claims
        if kind.is_listed and not kind.must_confirm:
            return
        waiting, claims.open = claims.open, []
        for item in waiting:
            if not kind.is_listed:
                seen = "" if self._course.draining else await kind.evidence(self._lists, item.row)
                # As of this run: what an earlier one saw is replaced.
                error = item.error.partition(_SEEN)[0]
                await claims.leave_open(item, f"{error}{_SEEN}{seen}" if seen else error)
            elif not item.claimed:
                await claims.leave_open(item, item.error, _LOOK)
            else:
                claims.open.append(item)

    async def _neighbours(self, row: Any) -> list[int]:
        """Return the other rows with the same address, any of which a property may stand for."""
        entries = await self._journal.find_address(row.key)
        return [
            entry.number
            for entry in entries
            if entry.number != row.number and entry.state is not State.REJECTED
        ]
