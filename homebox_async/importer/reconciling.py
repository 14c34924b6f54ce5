"""Rows that were left without an answer: adopted, sent again, or left open, never guessed."""

from __future__ import annotations

import time

from ..client import AsyncHomebox
from ..errors import RequestError
from .claims import Claims, Item
from .columns import PropertyRow
from .course import Course
from .journal import Journal, State
from .reconcile import Hits, look_up

_SENDS = 5  # of one row, each after a look-up that did not find it


class Reconciler:
    """Decides what becomes of open rows; `adopted` counts those that were found."""

    def __init__(
        self, lists: AsyncHomebox, journal: Journal, claims: Claims, course: Course
    ) -> None:
        self._lists = lists
        self._journal = journal
        self._claims = claims
        self._course = course
        self.adopted = 0

    async def run(self) -> None:
        """Look up every open row; send again only what is still not there once it has settled."""
        claims, course = self._claims, self._course
        course.phase = "reconciling"
        while claims.open and not course.draining:
            started = time.monotonic()
            try:
                found = await course.unless_drained(
                    look_up(
                        self._lists,
                        [item.row for item in claims.open],
                        everywhere=not all(item.claimed for item in claims.open),
                    )
                )
            except RequestError as error:
                course.fail(error)
                return
            if found is None:
                return
            looked_up, claims.open = claims.open, []
            for item in looked_up:
                if not await self._decide(item, found[item.row.number], started):
                    claims.open.append(item)
            if claims.open:
                # All of them: a look-up for each one's own time would read the list over and over.
                course.phase = "settling"
                await course.wait(max(item.settled for item in claims.open) - time.monotonic())
                course.phase = "reconciling"

    async def _decide(self, item: Item, hits: Hits, started: float) -> bool:
        """Act on what a look-up found of a row; False if it has to be looked up once more."""
        leave_open = self._claims.leave_open
        if hits.ids:
            listed = ", ".join(map(str, hits.ids))
            if len(hits.ids) > 1:
                await leave_open(item, f"properties {listed} all fit; none was guessed")
            elif not hits.by_reference and (others := await self._neighbours(item.row)):
                rows = ", ".join(map(str, others))
                await leave_open(
                    item, f"property {listed} has its address, and so have rows {rows}"
                )
            else:
                self.adopted += 1
                await self._claims.settle(item, State.ADOPTED, property_id=hits.ids[0])
        elif started < item.settled:
            return False
        elif item.confirmed:
            await leave_open(
                item, "the server said that it was created, but its list does not show it"
            )
        elif item.sends >= _SENDS:
            await leave_open(item, f"sent {_SENDS} times; last: {item.error}")
        else:
            self._claims.send_again(item)
        return True

    async def _neighbours(self, row: PropertyRow) -> list[int]:
        """Return the other rows with the same address, any of which a property may stand for."""
        entries = await self._journal.find_address(row.key)
        return [
            entry.number
            for entry in entries
            if entry.number != row.number and entry.state is not State.REJECTED
        ]
