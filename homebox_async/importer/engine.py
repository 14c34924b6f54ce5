"""The phases of an import: plan, adopt what is there, send, reconcile.

A fixed number of workers takes rows from a short queue; memory does not know how long the input
is. A row is committed to the journal as in flight before its request is made, and what became
of it afterwards; so at any moment, even after a power cut, the journal tells which rows were
certainly not sent, certainly created, and which ones have to be looked up first.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
import zlib
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Iterator, Sequence

import attrs

from ..client import AsyncHomebox
from ..errors import (
    AuthenticationFailed,
    Outcome,
    OutcomeUnknown,
    PermissionDenied,
    RateLimited,
    RedirectRefused,
    RequestError,
    StatusError,
)
from .columns import Columns, PropertyRow
from .journal import Entry, Journal, Planned, State
from .limiter import Limiter
from .options import ImportOptions
from .reconcile import look_up
from .report import RowResult
from .sources import Row, Source, SourceError

_BATCH = 256  # rows that are claimed with one commit
_MOST = 64  # in flight at the most, where the user names no number
_OPEN_AT_MOST = 1_000  # unknown rows in memory before they are looked up
_SENDS = 5  # of one row, each after a look-up that did not find it
_IN_A_ROW = 50  # failures without a success between them that stop the import

Emit = Callable[[RowResult], Awaitable[None]]


@attrs.define(eq=False)
class _Open:
    """A row whose outcome is unknown. It is not sent again before `settled`, a monotonic time."""

    row: PropertyRow
    settled: float
    error: str


class Engine:
    """Moves the rows of one journal from pending to their end.

    `phase` says in a word what is going on; `sent` and `reconciled` count as in `Report`;
    `stopped` says why it ended early, `error` is the failure behind it.
    """

    def __init__(
        self,
        client: AsyncHomebox,
        source: Source,
        columns: Columns,
        journal: Journal,
        options: ImportOptions,
        emit: Emit,
    ) -> None:
        adaptive = options.concurrency == "auto"
        most = _MOST if options.concurrency == "auto" else options.concurrency
        self._limiter = Limiter(most, adaptive=adaptive)
        # A pause that the server asks for may well be longer than any one call should take.
        self._client = client.with_options(deadline=None, attempt_middlewares=[self._limiter])
        self._source = source
        self._columns = columns
        self._journal = journal
        self._options = options
        self._emit = emit
        self._rows: Iterator[Row] = iter(())
        self._last = 0
        self._exhausted = False
        self._ready: deque[PropertyRow] = deque()
        self._filling: asyncio.Future[None] | None = None
        self._open: list[_Open] = []
        self._again: list[PropertyRow] = []
        self._sends: Counter[int] = Counter()
        self._draining = asyncio.Event()
        self._failures = 0
        self.phase = "starting"
        self.sent = 0
        self.reconciled = 0
        self.stopped = ""
        self.error: RequestError | None = None

    def drain(self, why: str = "interrupted") -> None:
        """Send nothing more; what is in flight is waited for."""
        if not self._draining.is_set():
            self.stopped = why
            self._draining.set()

    @property
    def draining(self) -> bool:
        """Whether nothing more is sent."""
        return self._draining.is_set()

    # --- plan

    async def plan(self, progress: Callable[[int], None]) -> None:
        """Check every row and write all of them to the journal, before anything is sent."""
        self.phase = "checking"
        if not self._journal.planned:
            await self._journal.plan(self._planned(), progress)
        repeated = await self._journal.duplicate_references(limit=-1)
        if repeated and not self._columns.generate_references:
            reference, numbers = repeated[0]
            more = f" (and {len(repeated) - 1} references more)" if len(repeated) > 1 else ""
            listed = ", ".join(map(str, numbers[:5]))
            raise SourceError(
                f"{self._source.name}: rows {listed} have the same reference {reference!r}{more}; "
                "make each reference unique, or import with --generate-references"
            )
        for reference, numbers in repeated:
            for number in numbers[1:]:
                await self._settle_row(
                    RowResult(
                        number,
                        State.REJECTED,
                        reference,
                        field="row",
                        error=f"is the same home as row {numbers[0]}",
                        fix="delete it, or give both rows references of their own",
                    )
                )

    def _planned(self) -> Iterator[Planned]:
        part, parts = self._options.partition
        for row in self._source.rows():
            made = self._columns.read(row)
            if isinstance(made, PropertyRow):
                if parts == 1 or _partition(made.property_reference, parts) == part:
                    digest = self._journal.digest(row.cells)
                    yield Planned(row.number, digest, made.property_reference, made.key)
            elif row.number % parts == part:
                yield Planned(row.number, self._journal.digest(row.cells), "", "", made)

    # --- adopt

    async def adopt(self) -> None:
        """Take over the properties that carry a reference of the input already.

        So a portfolio can be imported again after its file was changed or its journal lost.
        """
        self.phase = "comparing"
        async for page in self._client.properties.list(prefetch=1).pages():
            for found in page.items:
                for reference in found.references:
                    for entry in await self._journal.find(reference):
                        await self._adopt_existing(entry, found.id)
            if self.draining:
                return

    async def _adopt_existing(self, entry: Entry, property_id: int | None) -> None:
        if entry.state is State.PENDING:
            await self._settle_row(
                RowResult(entry.number, State.ADOPTED, entry.reference, property_id)
            )
        elif entry.state is State.ADOPTED and entry.property_id != property_id:
            self._journal.record(
                entry.number, State.ADOPTED, error=f"property {property_id} carries it as well"
            )

    # --- send

    async def run(self) -> None:
        """Send what is pending and look up what is unknown until neither is left."""
        self._rows = self._source.rows()
        while not self.draining:
            self.phase = "sending"
            await self._send_pass()
            if self._open and not self.draining:
                await self._reconcile()
            if self._exhausted and not self._open and not self._again:
                break
        await self._release()

    async def _send_pass(self) -> None:
        """Send until the input ends, or until so many rows are open that they must be looked up."""
        workers = [asyncio.ensure_future(self._work()) for _ in range(self._limiter.most)]
        try:
            await asyncio.gather(*workers)
        finally:
            # After a failure of our own (a full disk): what is in flight stays so in the journal.
            for worker in workers:
                worker.cancel()
            await asyncio.wait(workers)
            if self._filling is not None:
                await asyncio.wait([self._filling])
                self._filling = None

    async def _work(self) -> None:
        while (row := await self._next()) is not None:
            async with self._limiter:
                if self.draining:
                    self._ready.append(row)
                else:
                    await self._send(row)

    async def _next(self) -> PropertyRow | None:
        """Return the next claimed row; None where there is none, or none should be sent now."""
        while not self.draining:
            if self._filling is None and len(self._ready) < _BATCH // 2 and self._more():
                self._filling = asyncio.ensure_future(self._fill())
            if self._ready:
                return self._ready.popleft()
            if self._filling is None:
                return None
            await asyncio.shield(self._filling)
        return None

    def _more(self) -> bool:
        return bool(self._again) or not (self._exhausted or len(self._open) >= _OPEN_AT_MOST)

    async def _fill(self) -> None:
        """Claim the next rows: those to be sent again first."""
        rows, self._again = self._again, []
        rows = rows or await self._next_batch()
        if rows:
            await self._journal.claim([row.number for row in rows])
        self._ready.extend(rows)
        self._filling = None

    async def _next_batch(self) -> list[PropertyRow]:
        entries = await self._journal.next_batch(_BATCH, after=self._last)
        self._exhausted = len(entries) < _BATCH
        if not entries:
            return []
        self._last = entries[-1].number
        pending: list[PropertyRow] = []
        for entry, row in await asyncio.to_thread(self._joined, entries):
            if entry.state is State.PENDING:
                pending.append(row)
            else:
                # Left open by an earlier run: how long ago it was sent is not known for sure,
                # for clocks step back; so it has the whole settle time from now on.
                self._open.append(_Open(row, self._settles_at(), entry.error))
        return pending

    def _joined(self, entries: Sequence[Entry]) -> list[tuple[Entry, PropertyRow]]:
        """Read the rows of the entries, in step, and make sure that they are the planned ones."""
        joined = []
        for entry in entries:
            row = next(row for row in self._rows if row.number == entry.number)
            made = self._columns.read(row)
            if isinstance(made, list) or self._journal.digest(row.cells) != entry.digest:
                raise SourceError(
                    f"{self._source.name}: row {row.number} changed while it was imported; "
                    "restore the file and run the same command again"
                )
            joined.append((entry, made))
        return joined

    async def _release(self) -> None:
        """Give back what was claimed and not sent."""
        for row in self._ready:
            self._journal.record(row.number, State.PENDING)
        for left in self._open:
            await self._leave_open(left, "stopped before it could be looked up")
        for row in self._again:
            self._journal.record(
                row.number, State.UNKNOWN, error="stopped before it could be sent again"
            )
        await self._journal.flush()

    async def _send(self, row: PropertyRow) -> None:
        """Send one row until it is certain what became of it, or certain that it is not."""
        while True:
            self.sent += 1
            try:
                made = await self._client.properties.create(
                    row.address, property_reference=row.property_reference
                )
            except OutcomeUnknown as open_:
                self._fail(open_)
                self._sends[row.number] += 1
                self._journal.record(row.number, State.UNKNOWN, error=open_.message)
                self._open.append(_Open(row, self._settles_at(), open_.message))
                return
            except RequestError as error:
                if await self._refused(row, error):
                    return
            else:
                self._failures = 0
                self._sends.pop(row.number, None)
                if made.id is None:
                    message = "it was created, but the answer does not tell its id"
                    self._open.append(_Open(row, self._settles_at(), message))
                    self._journal.record(row.number, State.UNKNOWN, error=message)
                    return
                await self._settle_row(
                    RowResult(row.number, State.CREATED, row.property_reference, made.id)
                )
                return

    async def _refused(self, row: PropertyRow, error: RequestError) -> bool:
        """Deal with a request that certainly did nothing; False if it is to be sent again."""
        if isinstance(error, (AuthenticationFailed, PermissionDenied, RedirectRefused)):
            # Not the row's fault, and the next rows would fare no better.
            self._journal.record(row.number, State.PENDING)
            self._stop(error)
            return True
        if error.outcome is Outcome.NOT_SENT or isinstance(error, RateLimited) or _busy(error):
            self.sent -= error.outcome is Outcome.NOT_SENT
            self._fail(error)
            if self.draining:
                self._journal.record(row.number, State.PENDING)
                return True
            return False
        self._failures = 0
        field, _, message = _explain(error)
        await self._settle_row(
            RowResult(
                row.number,
                State.REJECTED,
                row.property_reference,
                field=field,
                error=message,
                fix="correct it and import the rejects file",
            )
        )
        return True

    def _fail(self, error: RequestError) -> None:
        self._failures += 1
        if self._failures >= _IN_A_ROW:
            self._stop(error)

    def _stop(self, error: RequestError) -> None:
        self.error = self.error or error
        self.drain(str(error))

    # --- reconcile

    async def _reconcile(self) -> None:
        """Look up every open row; send again only what is still not there once it has settled."""
        self.phase = "reconciling"
        while self._open and not self.draining:
            started = time.monotonic()
            try:
                found = await look_up(self._client, [left.row for left in self._open])
            except RequestError as error:
                self._stop(error)
                return
            waiting: list[_Open] = []
            for left in self._open:
                ids = found[left.row.number]
                if len(ids) == 1:
                    self.reconciled += 1
                    await self._settle_row(
                        RowResult(
                            left.row.number, State.ADOPTED, left.row.property_reference, ids[0]
                        )
                    )
                elif ids:
                    listed = ", ".join(map(str, ids))
                    await self._leave_open(left, f"properties {listed} all fit; none was guessed")
                elif self._sends[left.row.number] >= _SENDS:
                    await self._leave_open(left, f"sent {_SENDS} times; last: {left.error}")
                elif left.settled <= started:
                    self._again.append(left.row)
                else:
                    waiting.append(left)
            self._open = waiting
            if waiting:
                await self._wait_until(min(left.settled for left in waiting))

    async def _leave_open(self, left: _Open, why: str) -> None:
        await self._settle_row(
            RowResult(
                left.row.number,
                State.UNKNOWN,
                left.row.property_reference,
                field="row",
                error=why,
                fix="run the same command again, which looks it up first",
            )
        )

    def _settles_at(self) -> float:
        return time.monotonic() + self._options.settle

    async def _wait_until(self, when: float) -> None:
        self.phase = "settling"
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(max(0.0, when - time.monotonic())):
                await self._draining.wait()
        self.phase = "reconciling"

    async def _settle_row(self, result: RowResult) -> None:
        self._journal.record(
            result.number,
            result.state,
            property_id=result.property_id,
            field=result.field,
            error=result.error,
            fix=result.fix,
        )
        await self._emit(result)


def _busy(error: RequestError) -> bool:
    # 503 with Retry-After: the server did not take the request.
    return isinstance(error, StatusError) and error.status == 503


def _explain(error: RequestError) -> tuple[str, str, str]:
    """Return field, status and message of a refusal, the first named field first."""
    if isinstance(error, StatusError) and error.errors:
        field, messages = next(iter(error.errors.items()))
        return field, str(error.status), " ".join(messages) or error.message
    return "row", "", error.message


def _partition(reference: str, parts: int) -> int:
    """Say which partition a reference falls into: the same one anywhere, in any run."""
    return zlib.crc32(reference.encode()) % parts
