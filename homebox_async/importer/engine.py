"""The phases of an import in their order: plan, adopt what is there, send, reconcile.

At any moment, even after a power cut, the journal tells which rows were certainly not sent,
certainly created, and which ones have to be looked up first.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from ..client import AsyncHomebox
from ..retry import Retry
from .claims import AT_ONCE, Claims
from .columns import Columns
from .course import Course
from .gate import Gate
from .journal import Journal, Reader
from .kinds import Kind
from .ledger import Ledger
from .ledger_claims import LedgerClaims
from .limiter import Limiter
from .options import ImportOptions
from .patience import Patience
from .planning import Planner
from .preview import Preview
from .probing import Probe
from .recognising import Recogniser, wait_for_others
from .reconciling import Reconciler
from .report import Emit, RowResult
from .sending import Sender
from .sources import Source

_MOST = 64  # in flight at the most, where the user names no number
# Looking changes nothing, so patience costs nothing.
_PATIENT = Retry(attempts=8)


class Engine:
    """Moves the rows of one journal from pending to their end.

    `planned` tells whether the rows were planned now, and not in an earlier run.
    """

    def __init__(
        self,
        kind: Kind[Any],
        client: AsyncHomebox,
        source: Source,
        columns: Columns[Any],
        journal: Journal,
        ledger: Ledger | None,
        options: ImportOptions,
        course: Course,
        emit: Emit,
    ) -> None:
        self._journal = journal
        self._emit = emit
        self._options = options
        self._course = course
        self._lists = client.with_options(deadline=None, retry=_PATIENT)
        adaptive = options.concurrency == "auto"
        most = _MOST if options.concurrency == "auto" else options.concurrency
        limiter = Limiter(most, adaptive=adaptive)
        self._planner = Planner(kind, source, columns, journal, emit)
        # What cannot be looked up is claimed by itself: a crash leaves no more in doubt than that.
        at_once = AT_ONCE if kind.is_listed else 1
        self._claimed = claimed = LedgerClaims(ledger, kind.name, journal)
        self._recogniser = Recogniser(kind, journal, claimed, course, emit)
        self._claims = claims = Claims(
            source, columns, journal, claimed, options.settle, course, emit, at_once
        )
        reader = client.with_options(deadline=None)
        gate = Gate(lambda: kind.peek(reader), course, options.patience)
        self._probe = probe = Probe(kind.name, self._lists, journal, claimed, claims, course)
        self._sender = Sender(kind, client, limiter, gate, claims, probe, course, options.patience)
        self._patience = Patience(course, options.patience)
        self._reconciler = Reconciler(
            kind, self._lists, journal, claims, probe, course, self._patience
        )
        self._began = time.monotonic()
        self.planned = False

    @property
    def sent(self) -> int:
        """How many requests to create something were made, as in `Report`."""
        return self._sender.sent

    @property
    def reconciled(self) -> int:
        """How many rows without an answer were found and adopted, as in `Report`."""
        return self._reconciler.adopted

    @property
    def notes(self) -> tuple[str, ...]:
        """What is to be said of the server, as in `Report`."""
        return self._probe.notes

    async def plan(self, progress: Callable[[int], None]) -> None:
        """Check every row and write all of them to the journal, before anything is sent."""
        self._course.phase = "checking"
        self.planned = await self._planner.plan(self._options.partition, progress)

    async def recognise(self) -> None:
        """Note which rows the ledger knows from elsewhere."""
        await self._recogniser.run(self._planner.pending)

    async def adopt(self, settle: float) -> None:
        """Take over what is at Homebox already.

        `settle`: how long lists may be behind, where no ledger says what was sent.
        """
        await self._planner.adopt(
            self._lists,
            self._course,
            self._patience,
            lambda: wait_for_others(self._claimed, self._course, settle, self._began),
            lambda: self._recogniser.check_listed(self._lists),
        )

    async def preview(self) -> Preview | None:
        """Add up what the rows set off that may be sent; None where the kind tells nothing."""
        return await self._planner.preview(self._course)

    async def run(self) -> None:
        """Send what is pending and look up what is unknown until neither is left."""
        claims, course = self._claims, self._course
        await self._probe.load()
        await claims.load()
        try:
            while not course.draining:
                course.phase = "sending"
                await self._sender.run()
                if claims.open and not course.draining:
                    await self._reconciler.run()
                if claims.ended:
                    break
        finally:
            claims.give_back_waiting()
        for left in claims.open:
            await claims.leave_open(left, "stopped before it could be looked up")
        await self._journal.flush()
        await self._tell_shared()
        if claims.broken is not None:
            raise claims.broken

    async def _tell_shared(self) -> None:
        """Report the rows that were given the same id: they are created no more, but unknown."""
        for entry in await self._journal.take(Reader.take_shared):
            await self._emit(
                RowResult(
                    entry.number,
                    entry.state,
                    entry.reference,
                    field=entry.field,
                    error=entry.error,
                    fix=entry.fix,
                )
            )
