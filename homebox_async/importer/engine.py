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
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Sequence
from contextvars import ContextVar
from typing import Any, TypeVar

import attrs

from ..client import AsyncHomebox
from ..errors import (
    AuthenticationFailed,
    Outcome,
    PermissionDenied,
    RateLimited,
    RedirectRefused,
    RequestError,
    ServerError,
    StatusError,
)
from ..middleware import Handler
from ..resources.addresses import AddressId
from ..resources.properties import Property
from ..retry import Retry
from ..wire import Request, Response
from .columns import Columns, PropertyRow
from .journal import Entry, Journal, Planned, State
from .limiter import Limiter
from .options import ImportOptions
from .reconcile import Hits, look_up, sweep
from .report import RowResult
from .sources import Row, Source, SourceError

T = TypeVar("T")

_BATCH = 256  # rows that are claimed with one commit
_MOST = 64  # in flight at the most, where the user names no number
_OPEN_AT_MOST = 1_000  # unknown rows in memory before they are looked up
_SENDS = 5  # of one row, each after a look-up that did not find it
_IN_A_ROW = 50  # answers missed without a success between them that stop the import
_ROUNDS = 20  # of refusals and failed connections, with a pause after each: about 40 s
_PAUSE = 0.05  # after the first such round; it doubles
_LONGEST_PAUSE = 2.0
# Looking changes nothing, so patience costs nothing.
_PATIENT = Retry(attempts=8)
_GENERATED = "hbx-"  # how `Columns` begins the references that it makes
_ADOPT_CHUNK = 1_000
# The journal's mark on a row that the server said it has created.
_CONFIRMED = "property_id"

Emit = Callable[[RowResult], Awaitable[None]]


@attrs.define(eq=False)
class _Item:
    """A claimed row on its way.

    `unsent`: it is certain that the server has nothing of it, and nothing is recorded of it.
    `doubtful`: an earlier request for it was left without an answer, and looked up in vain.
    `confirmed`: the server said that it created it, so it is never sent again.
    `claimed`: it was sent at some time, so what stands for it is at its own postcode.
    `task`: who sends it; `recalled`: and was cancelled for it is not to be sent any more.
    `settled`: the monotonic time from which on a look-up is the last word.
    """

    row: PropertyRow
    unsent: bool = True
    doubtful: bool = False
    confirmed: bool = False
    claimed: bool = True
    task: asyncio.Task[Any] | None = None
    recalled: bool = False
    sends: int = 0
    settled: float = 0.0
    error: str = ""


_sending: ContextVar[_Item] = ContextVar("homebox_sending")


class _Recalled(Exception):
    """A request that only waited for its turn is not made any more."""


class Engine:
    """Moves the rows of one journal from pending to their end.

    `phase` says in a word what is going on; `sent` and `reconciled` count as in `Report`;
    `stopped` says why it ended early, `error` is the failure behind it; `planned` tells whether
    the rows were planned now, and not in an earlier run.
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
        self._client = client.with_options(
            deadline=None, attempt_middlewares=[self._limiter, self._watch]
        )
        self._lists = client.with_options(deadline=None, retry=_PATIENT)
        self._source = source
        self._columns = columns
        self._journal = journal
        self._options = options
        self._emit = emit
        self._rows: Iterator[Row] = iter(())
        self._last = 0
        self._exhausted = False
        self._ready: deque[_Item] = deque()
        self._filling: asyncio.Future[None] | None = None
        self._broken: Exception | None = None
        self._calls: set[_Item] = set()
        self._open: list[_Item] = []
        self._again: list[_Item] = []
        self._draining = asyncio.Event()
        self._failures = 0
        self._rounds = 0
        self._round_began = 0.0
        self.phase = "starting"
        self.planned = False
        self.sent = 0
        self.reconciled = 0
        self.stopped = ""
        self.error: RequestError | None = None

    def drain(self, why: str = "interrupted") -> None:
        """Send nothing more; what is in flight is waited for."""
        if self._draining.is_set():
            return
        self.stopped = why
        self._draining.set()
        for item in self._calls:
            self._recall(item)

    @property
    def draining(self) -> bool:
        """Whether nothing more is sent."""
        return self._draining.is_set()

    def _recall(self, item: _Item) -> None:
        """Break off a request that waits for its turn, for as long as the server likes."""
        if item in self._calls and item.unsent and item.task is not None and not item.recalled:
            item.recalled = True
            item.task.cancel()

    # --- plan

    async def plan(self, progress: Callable[[int], None]) -> None:
        """Check every row and write all of them to the journal, before anything is sent."""
        self.phase = "checking"
        generates = self._columns.generate_references
        if not self._journal.planned:
            await self._journal.plan(self._planned(), progress)
            self.planned = True
        repeated = await self._journal.duplicate_references(
            limit=-1, but=_GENERATED if generates else ""
        )
        if repeated:
            reference, numbers = repeated[0]
            more = f" (and {len(repeated) - 1} references more)" if len(repeated) > 1 else ""
            listed = ", ".join(map(str, numbers[:5]))
            raise SourceError(
                f"{self._source.name}: rows {listed} have the same reference {reference!r}{more}; "
                "make each reference unique, or import with --generate-references and without"
                " these (--map property_reference=)"
            )
        if generates:
            await self._journal.reject_repeats(_GENERATED)

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
        It is done once, before anything is sent: afterwards, the journal knows what is there.
        """
        if self._journal.compared and await self._journal.touched():
            return
        self.phase = "comparing"
        try:
            compared = await self._unless_drained(self._compare())
        except RequestError as error:
            self._stop(error)
            return
        if not compared:
            return
        last = 0
        while entries := await self._journal.matched(after=last, size=_ADOPT_CHUNK):
            last = entries[-1].number
            for entry in entries:
                await self._settle(
                    entry.number, entry.reference, State.ADOPTED, property_id=entry.property_id
                )
        await self._journal.set_compared()

    async def _compare(self) -> bool:
        async for page in sweep(self._lists):
            await self._journal.match(
                [(reference, found.id or 0) for found in page for reference in found.references]
            )
        return True

    # --- send

    async def run(self) -> None:
        """Send what is pending and look up what is unknown until neither is left."""
        self._rows = self._source.rows()
        try:
            while not self.draining:
                self.phase = "sending"
                await self._send_pass()
                if self._open and not self.draining:
                    await self._reconcile()
                if self._exhausted and not self._open and not self._again:
                    break
        finally:
            for item in (*self._ready, *self._again):
                self._give_back(item)
        for left in self._open:
            await self._leave_open(left, "stopped before it could be looked up")
        await self._journal.flush()
        if self._broken is not None:
            raise self._broken

    async def _send_pass(self) -> None:
        """Send until the input ends, or until so many rows are open that they must be looked up."""
        workers = [asyncio.ensure_future(self._work()) for _ in range(self._limiter.most)]
        try:
            await asyncio.gather(*workers)
        finally:
            for worker in workers:
                worker.cancel()
            await asyncio.wait(workers)
            if self._filling is not None:
                await asyncio.wait([self._filling])

    async def _work(self) -> None:
        while (item := await self._next()) is not None:
            try:
                async with self._limiter:
                    if self.draining:
                        self._give_back(item)
                    else:
                        await self._send(item)
            except asyncio.CancelledError:
                if item.unsent:
                    self._give_back(item)
                raise

    async def _next(self) -> _Item | None:
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
        try:
            items, self._again = self._again, []
            items = items or await self._next_batch()
            if items:
                await self._journal.claim([item.row.number for item in items])
            self._ready.extend(items)
        except Exception as error:
            # `run` raises it once what is in flight has ended, and is in the journal if it can be.
            self._broken = error
            self.drain()
        finally:
            self._filling = None

    async def _next_batch(self) -> list[_Item]:
        entries = await self._journal.next_batch(_BATCH, after=self._last)
        self._exhausted = len(entries) < _BATCH
        if not entries:
            return []
        self._last = entries[-1].number
        pending: list[_Item] = []
        for entry, row in await asyncio.to_thread(self._joined, entries):
            if entry.state is State.PENDING:
                pending.append(_Item(row))
            else:
                # Left open by an earlier run: how long ago it was sent is not known for sure,
                # for clocks step back; so it has the whole settle time from now on.
                confirmed = entry.field == _CONFIRMED
                item = _Item(row, unsent=False, confirmed=confirmed, error=entry.error)
                item.claimed = entry.claimed_at is not None
                item.settled = self._settles_at()
                self._open.append(item)
        return pending

    def _joined(self, entries: Sequence[Entry]) -> list[tuple[Entry, PropertyRow]]:
        """Read the rows of the entries, in step, and make sure that they are the planned ones."""
        joined = []
        for entry in entries:
            row = next((row for row in self._rows if row.number == entry.number), None)
            made = None if row is None else self._columns.read(row)
            if (
                row is None
                or not isinstance(made, PropertyRow)
                or self._journal.digest(row.cells) != entry.digest
            ):
                raise SourceError(
                    f"{self._source.name}: row {entry.number} changed while it was imported; "
                    "restore the file and run the same command again"
                )
            joined.append((entry, made))
        return joined

    def _give_back(self, item: _Item) -> None:
        """Undo the claim of a row that is certainly not being sent."""
        item.unsent = False
        if item.doubtful:
            self._open.append(item)
        else:
            self._journal.record(item.row.number, State.PENDING)

    async def _send(self, item: _Item) -> None:
        """Send one row until it is certain what became of it, or certain that it is not."""
        while True:
            began = time.monotonic()
            try:
                made = await self._create(item)
            except _Recalled:
                self._give_back(item)
                return
            except RequestError as error:
                if await self._ended(item, error, began):
                    return
            else:
                self._succeed()
                if made.id is None:
                    item.confirmed = True
                    self._keep_open(item, "it was created, but the answer does not tell its id")
                else:
                    await self._settle_item(item, State.CREATED, property_id=made.id)
                return

    async def _create(self, item: _Item) -> Property:
        item.task = task = asyncio.current_task()
        assert task is not None
        self._calls.add(item)
        _sending.set(item)
        try:
            return await self._client.properties.create(
                item.row.address, property_reference=item.row.property_reference
            )
        except asyncio.CancelledError:
            if item.recalled and not task.uncancel():
                raise _Recalled from None
            raise
        finally:
            self._calls.discard(item)

    async def _watch(self, request: Request, handler: Handler) -> Response:
        """Note for each attempt whether it may reach the server: the innermost middleware."""
        item = _sending.get()
        item.unsent = False
        self.sent += 1
        try:
            return await handler(request)
        except RequestError as error:
            item.unsent = error.outcome is not Outcome.UNKNOWN
            self.sent -= error.outcome is Outcome.NOT_SENT
            if self.draining:
                # Once it has begun to wait for its next attempt, if it does.
                asyncio.get_running_loop().call_soon(self._recall, item)
            raise

    async def _ended(self, item: _Item, error: RequestError, began: float) -> bool:
        """Deal with a request that failed; False if it is to be made again."""
        if error.outcome is Outcome.UNKNOWN or isinstance(error, RedirectRefused):
            # A redirect is how some servers answer a form that they took.
            item.sends += 1
            self._keep_open(item, error.message)
            self._failures += 1
            if self._failures >= _IN_A_ROW or isinstance(error, RedirectRefused):
                self._stop(error)
            return True
        if _is_hopeless(error, item.row):
            self._give_back(item)
            self._stop(error)
            return True
        if error.outcome is Outcome.NOT_SENT or isinstance(error, (RateLimited, ServerError)):
            await self._pause(error, began)
            if self.draining:
                self._give_back(item)
            return self.draining
        self._succeed()
        field, message = _explain(error)
        await self._settle_item(
            item,
            State.REJECTED,
            field=field,
            error=message,
            fix="correct it and import the rejects file",
        )
        return True

    def _succeed(self) -> None:
        self._failures = self._rounds = 0

    async def _pause(self, error: RequestError, began: float) -> None:
        """Wait before the server is asked again, longer each time, and in the end stop.

        The failures of all requests that were in flight together are one round.
        """
        if began >= self._round_began:
            self._round_began = time.monotonic()
            self._rounds += 1
            if self._rounds >= _ROUNDS:
                self._stop(error)
        pause = min(_LONGEST_PAUSE, _PAUSE * 2.0 ** (self._rounds - 1))
        await self._wait(max(pause, error.retry_after or 0.0))

    def _stop(self, error: RequestError) -> None:
        self.error = self.error or error
        self.drain(str(error))

    # --- reconcile

    def _keep_open(self, item: _Item, error: str) -> None:
        """Note that it is not known what became of a row: it will be looked up."""
        item.unsent = False
        item.error = error
        item.settled = self._settles_at()
        self._journal.record(
            item.row.number, State.UNKNOWN, field=_CONFIRMED * item.confirmed, error=error
        )
        self._open.append(item)

    async def _reconcile(self) -> None:
        """Look up every open row; send again only what is still not there once it has settled."""
        self.phase = "reconciling"
        while self._open and not self.draining:
            started = time.monotonic()
            try:
                found = await self._unless_drained(
                    look_up(
                        self._lists,
                        [item.row for item in self._open],
                        everywhere=not all(item.claimed for item in self._open),
                    )
                )
            except RequestError as error:
                self._stop(error)
                return
            if found is None:
                return
            looked_up, self._open = self._open, []
            for item in looked_up:
                if not await self._decide(item, found[item.row.number], started):
                    self._open.append(item)
            if self._open:
                # All of them: a look-up for each one's own time would read the list over and over.
                self.phase = "settling"
                await self._wait(max(item.settled for item in self._open) - time.monotonic())
                self.phase = "reconciling"

    async def _decide(self, item: _Item, hits: Hits, started: float) -> bool:
        """Act on what a look-up found of a row; False if it has to be looked up once more."""
        if hits.ids:
            listed = ", ".join(map(str, hits.ids))
            if len(hits.ids) > 1:
                await self._leave_open(item, f"properties {listed} all fit; none was guessed")
            elif not hits.by_reference and (others := await self._neighbours(item.row)):
                rows = ", ".join(map(str, others))
                await self._leave_open(
                    item, f"property {listed} has its address, and so have rows {rows}"
                )
            else:
                self.reconciled += 1
                await self._settle_item(item, State.ADOPTED, property_id=hits.ids[0])
        elif started < item.settled:
            return False
        elif item.confirmed:
            await self._leave_open(
                item, "the server said that it was created, but its list does not show it"
            )
        elif item.sends >= _SENDS:
            await self._leave_open(item, f"sent {_SENDS} times; last: {item.error}")
        else:
            item.doubtful = item.unsent = True
            self._again.append(item)
        return True

    async def _neighbours(self, row: PropertyRow) -> list[int]:
        """Return the other rows with the same address, any of which a property may stand for."""
        entries = await self._journal.find_address(row.key)
        return [
            entry.number
            for entry in entries
            if entry.number != row.number and entry.state is not State.REJECTED
        ]

    async def _leave_open(self, item: _Item, why: str) -> None:
        await self._settle_item(
            item,
            State.UNKNOWN,
            field=_CONFIRMED if item.confirmed else "row",
            error=why,
            fix="run the same command again, which looks it up first",
        )

    # --- how

    def _settles_at(self) -> float:
        return time.monotonic() + self._options.settle

    async def _wait(self, seconds: float) -> None:
        """Wait, but not when nothing more is to be sent."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(max(0.0, seconds)):
                await self._draining.wait()

    async def _unless_drained(self, work: Coroutine[Any, Any, T]) -> T | None:
        """Do something that can be broken off: None if it was, for nothing more is to be sent."""
        task = asyncio.ensure_future(work)
        drained = asyncio.ensure_future(self._draining.wait())
        try:
            await asyncio.wait({task, drained}, return_when=asyncio.FIRST_COMPLETED)
            return task.result() if task.done() else None
        finally:
            for each in (task, drained):
                each.cancel()
            await asyncio.wait({task, drained})
            if not task.cancelled():
                task.exception()  # seen, where the wait itself was broken off

    async def _settle_item(
        self,
        item: _Item,
        state: State,
        *,
        property_id: int | None = None,
        field: str = "",
        error: str = "",
        fix: str = "",
    ) -> None:
        item.unsent = False
        await self._settle(
            item.row.number,
            item.row.property_reference,
            state,
            property_id=property_id,
            field=field,
            error=error,
            fix=fix,
        )

    async def _settle(
        self,
        number: int,
        reference: str,
        state: State,
        *,
        property_id: int | None = None,
        field: str = "",
        error: str = "",
        fix: str = "",
    ) -> None:
        """Record what became of a row, and tell it."""
        self._journal.record(
            number, state, property_id=property_id, field=field, error=error, fix=fix
        )
        await self._emit(
            RowResult(number, state, reference, property_id or None, field, error, fix)
        )


def _is_hopeless(error: RequestError, row: PropertyRow) -> bool:
    """Tell whether a refusal is not the row's fault, so that the next rows would fare no better."""
    if isinstance(error, (AuthenticationFailed, PermissionDenied)):
        return True
    status = error.status if isinstance(error, StatusError) else 0
    # What was not found can only be an address by its id, where the row names one.
    return status == 405 or (status == 404 and not isinstance(row.address, AddressId))


def _explain(error: RequestError) -> tuple[str, str]:
    """Return the fields that a refusal names and what it says of them."""
    errors = error.errors if isinstance(error, StatusError) else {}
    messages = [" ".join(messages) for messages in errors.values()]
    return ", ".join(errors) or "row", "; ".join(filter(None, messages)) or error.message


def _partition(reference: str, parts: int) -> int:
    """Say which partition a reference falls into: the same one anywhere, in any run."""
    return zlib.crc32(reference.encode()) % parts
