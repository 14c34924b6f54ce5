"""One run of an import: every row exactly once."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import tempfile
import time
from collections import Counter
from collections.abc import (
    AsyncIterable,
    AsyncIterator,
    Awaitable,
    Callable,
    Generator,
    Iterable,
    Mapping,
    Sequence,
)
from os import PathLike
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, cast

import attrs

from ..client import AsyncHomebox
from ..errors import ConfigurationError, HomeboxError
from ..events import RowEvent, RowState
from ..identity import Target, target_of
from ..loops import refuse_other_loops
from ..pending import Pending, refuse_client
from ..tracebacks import clean
from .course import Course
from .ending import ended
from .engine import Engine
from .frames import Frame
from .header import plain
from .joining import settle_joined
from .journal import Journal, JournalError, State
from .kinds import BY_ADDRESS, Kind
from .ledger import open_ledger
from .matched_rows import count_matched
from .options import ImportOptions
from .preview import NotConfirmed, Preview
from .report import Report, RowResult, log_end
from .results import ResultsError, check_places, write_results
from .settling import INPUT
from .sources import Source, open_source, spool
from .window import Window

_CHUNK = 1_000

_TOLD: Mapping[State, RowState] = {
    State.CREATED: "created",
    State.ADOPTED: "adopted",
    State.REJECTED: "rejected",
    State.UNKNOWN: "unknown",
}

Rows = Frame | Iterable[Mapping[str, Any]] | AsyncIterable[Mapping[str, Any]]
Input = str | PathLike[str] | BinaryIO | Rows


class Import(Pending):
    """One run of an import; made by `import_properties`, `import_leads` and the like.

    Await it for its report, or iterate its row results inside ``async with``::

        async with import_properties(client, "portfolio.csv") as run:
            async for row in run:
                print(row.number, row.state.name, row.id)
        print(run.report)

    Leaving the block early drains: what is in flight is waited for, the rest stays pending.
    `counts` holds the rows by state, `rows` how many there are and `phase` what is going on, all
    live. `preview` is what it sets off, once that is known, and `report` is set once it has
    ended, also where something on this machine failed after rows were sent (its disk, the
    journal, the input), before that is raised. The row results begin with the rows that were
    rejected while they were checked; rows that an earlier run has done are not told again. A row
    that was created may come a second time, as unknown, where the server turns out to have given
    its id to another row, too.
    """

    def __init__(
        self, client: AsyncHomebox, source: Input, options: ImportOptions, kind: Kind[Any]
    ) -> None:
        refuse_client(client, AsyncHomebox, "an import", "its twin, such as import_leads_sync")
        self._kind = kind
        self._client = client
        self._given = source
        self._options = options
        self.account_options = ""
        self._course = Course()
        self._engine: Engine | None = None
        self._task: asyncio.Task[Report] | None = None
        self._window: Window | None = None
        self.rows = 0
        self.counts: Counter[State] = Counter()
        self.preview: Preview | None = None
        self.report: Report | None = None
        self._made()

    @property
    def phase(self) -> str:
        """What is going on: opening, checking, comparing, sending, reconciling, settling..."""
        return self._course.phase

    @property
    def said(self) -> Sequence[str]:
        """The lines for people, so far: what is waited for, what was sent before."""
        return self._course.said

    @property
    def sent(self) -> int:
        """How many requests to create something this run has made."""
        return 0 if self._engine is None else self._engine.sent

    def drain(self) -> None:
        """Send nothing more and end soon, with a report; what is in flight is waited for."""
        self._course.drain()

    def __await__(self) -> Generator[Any, None, Report]:
        return self._ended().__await__()

    async def _ended(self) -> Report:
        with self._waiting():
            return await self._start()

    async def __aenter__(self) -> Import:
        self._window = window = Window()
        self._start().add_done_callback(lambda _: window.end())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        window, self._window = self._window, None
        if window is not None:
            # Whoever waits to hand over a result must not wait for a reader that has left.
            window.leave()
        task, caller = self._start(), asyncio.current_task()
        assert caller is not None
        before = caller.cancelling()
        if not task.done():
            self.drain()
        try:
            await self.wait()
        except asyncio.CancelledError:
            if caller.cancelling() == before and task.cancelled():
                return  # by `cancel`, which is no reason to cancel the caller
            await self.cancel()
            raise

    async def __aiter__(self) -> AsyncIterator[RowResult]:
        window = self._told()
        with window.reading(asyncio.current_task()):
            while (row := await window.next()) is not None:
                yield row

    async def take(self, token: object = None) -> list[RowResult]:
        """Return the next row results, as many as there are, [] after the last one.

        `token`: who reads, by default the current task.
        """
        return await self._told().take(token or asyncio.current_task())

    def _told(self) -> Window:
        if self._window is None:
            raise ConfigurationError(
                "row results are told inside `async with import_...(...) as run` only"
            )
        return self._window

    async def wait(self, token: object = None) -> Report:
        """Return the report when the import has ended; a caller that leaves does not stop it.

        Row results that no one reads meanwhile are dropped. `token`: who waits, by default the
        current task.
        """
        with self._waiting(token):
            return await asyncio.shield(self._start())

    def _waiting(self, token: object = None) -> contextlib.AbstractContextManager[None]:
        if self._window is None:
            return contextlib.nullcontext()
        return self._window.waiting(token or asyncio.current_task())

    async def cancel(self) -> None:
        """Stop at once: requests in flight are broken off and stay open in the journal."""
        task = self._start()
        task.cancel()
        await ended([task])  # whoever waits for the report is told; nobody need be

    def _start(self) -> asyncio.Task[Report]:
        if self._task is None:
            self._runs()
            refuse_other_loops()
            self._task = asyncio.ensure_future(self._import())
        return self._task

    async def _emit(self, result: RowResult) -> None:
        self.counts[result.state] += 1
        await self._tell(result)

    async def _tell(self, result: RowResult) -> None:
        observer = self._client._observer
        if observer.hears(RowEvent):
            observer.tell(
                RowEvent(
                    number=result.number,
                    state=_TOLD[result.state],
                    id=result.property_id,
                    field=result.field,
                )
            )
        if self._window is not None:
            await self._window.put(result)

    # --- the run

    @clean
    async def _import(self) -> Report:
        began = time.monotonic()
        options = self._options
        async with contextlib.AsyncExitStack() as stack:
            source = await self._opened()
            stack.callback(source.close)
            columns = self._kind.recognise(source.columns, options)
            await asyncio.to_thread(columns.look_through, source)
            stem = options.stem_of(source.name)
            check_places(stem, source.writes_workbooks)
            path = options.journal or stem.with_name(f"{stem.name}.journal")
            if options.dry_run:
                scratch = stack.enter_context(tempfile.TemporaryDirectory(prefix="homebox-"))
                path = Path(scratch) / "dry-run.journal"
                target = Target("dry run")
            else:
                self._course.phase = "connecting"
                target = await target_of(self._client)
                await self._kind.prepare(self._client, source, columns)
            journal = await Journal.open(
                path,
                kind=self._kind.name,
                fingerprint=f"{source.fingerprint}|{columns.signature}|{options.partition}",
                target=target.name,
                named=options.journal is not None or options.dry_run,
            )
            await stack.enter_async_context(journal)
            columns.address_rule = journal.address_rule
            journal.account_options = self.account_options
            if source.path is not None and not options.dry_run:
                await journal.keep(INPUT, self._input(source.path, stem))
            ledger = None
            if not options.dry_run:
                ledger = await open_ledger(target, options.ledger)
            if ledger is not None:
                await stack.enter_async_context(ledger)
            self._engine = engine = Engine(
                self._kind,
                self._client,
                source,
                columns,
                journal,
                ledger,
                options,
                self._course,
                self._emit,
            )
            await engine.plan(self._count_rows)
            await self._take_stock(journal)
            if engine.planned:
                await self._tell_rejected(journal)
            if options.dry_run:
                self.preview = await engine.preview()
            else:
                await engine.recognise()
                if options.adopt_existing:
                    lag = target.list_lag if target.emulator else options.settle
                    await engine.adopt(min(lag, options.settle))
                self.preview = await engine.preview()
                try:
                    await self._confirm(journal)
                except NotConfirmed:
                    await write_results(journal, source, stem)  # what was rejected is told
                    raise

            async def reported() -> Report:
                notes = (*source.notes, *columns.notes, *engine.notes)
                return await self._reported(journal, engine, path, began, notes)

            try:
                if not options.dry_run:
                    await engine.run()
                for joined in await journal.take(settle_joined):
                    await self._emit(RowResult.of(joined))
                self._course.phase = "writing results"
                report = await reported()
                if not options.dry_run:
                    self.report = report  # also if its files cannot be written
                    files = await write_results(journal, source, stem)
                    report = attrs.evolve(report, files=files, seconds=time.monotonic() - began)
                await journal.flush()
            except Exception as error:
                if engine.sent:
                    await self._salvage(error, reported, source, journal, stem)
                raise
            self.report = report
            log_end(report)
            return report

    async def _salvage(
        self,
        error: Exception,
        reported: Callable[[], Awaitable[Report]],
        source: Source,
        journal: Journal,
        stem: Path,
    ) -> None:
        """Report what was sent before something on this machine failed, as far as possible."""
        self._course.drain(str(error))
        try:
            self.report = await reported()
            if not isinstance(error, ResultsError):
                files = await write_results(journal, source, stem, leniently=True)
                self.report = attrs.evolve(self.report, files=files)
        except (HomeboxError, OSError) as more:
            error.add_note(f"the result files are not complete: {more}")
        if self.report is not None:
            error.add_note(
                f"{self.report.sent} requests were sent before; `report` of the import says what"
                " became of them"
            )
            log_end(self.report)

    async def _opened(self) -> Source:
        rows = self._given
        is_file = isinstance(rows, (str, PathLike)) or hasattr(rows, "read")
        given: Any = rows if is_file else await spool(cast(Rows, rows))
        opening = asyncio.ensure_future(asyncio.to_thread(self._arranged, given))
        try:
            return await asyncio.shield(opening)
        except asyncio.CancelledError:
            # A thread cannot be stopped, and a loop that ends would forget what it has opened.
            try:
                await ended([opening])
            finally:
                _close(opening)
            raise

    def _arranged(self, given: Source | str | PathLike[str] | BinaryIO) -> Source:
        options = self._options
        source = (
            given
            if isinstance(given, Source)
            else open_source(
                given,
                delimiter=options.delimiter,
                encoding=options.encoding,
                sheet=options.sheet,
                names=self._names,
            )
        )
        try:
            return self._kind.arranged(source, options)
        except BaseException:
            source.close()
            raise

    def _input(self, path: Path, stem: Path) -> Mapping[str, Any]:
        """Return what `import_status` needs to read the input again."""
        return {
            "path": str(path.absolute()),
            "stem": str(stem.absolute()),
            "delimiter": self._options.delimiter,
            "encoding": self._options.encoding,
            "sheet": self._options.sheet,
            "names": sorted(self._names),
            "mapping": dict(self._options.mapping),
            "account_options": self.account_options,
        }

    @property
    def _names(self) -> set[str]:
        return {*self._kind.column_names, *map(plain, self._options.mapping.values())}

    async def _confirm(self, journal: Journal) -> None:
        """Raise NotConfirmed unless somebody has seen and confirmed what is to be sent.

        Who goes on with an import is not asked again, unless more is sent than was confirmed.
        """
        preview, confirm = self.preview, self._options.confirm
        if preview is None or not preview.rows or self._course.draining:
            return
        if confirm is None and not self._kind.must_confirm:
            return
        before = await journal.confirmed()
        if before is not None and preview.number <= before:
            return
        if confirm is None or isinstance(confirm, int):
            agreed = confirm == preview.number
            said = "" if confirm is None else f"{confirm} was confirmed, but "
            why = f"{said}{preview}; nothing was sent: to confirm it, repeat {preview.number}"
        else:
            answer = confirm(preview)
            agreed = bool(await answer if inspect.isawaitable(answer) else answer)
            why = "not confirmed; nothing was sent"
        if not agreed:
            raise NotConfirmed(why, preview)
        await journal.confirm(preview.number)

    def _count_rows(self, rows: int) -> None:
        self.rows = rows

    async def _take_stock(self, journal: Journal) -> None:
        self.counts = Counter(await journal.counts())
        self.rows = self.counts.total()
        # From here on, `counts` tells what has an end; the rest is what is left to do.
        del self.counts[State.PENDING], self.counts[State.UNKNOWN]

    async def _tell_rejected(self, journal: Journal) -> None:
        """Tell the rows that were rejected in planning; `counts` has them already."""
        last = 0
        while (self._window is not None or self._client._observer.hears(RowEvent)) and (
            entries := await journal.page([State.REJECTED], after=last, size=_CHUNK)
        ):
            last = entries[-1].number
            for entry in entries:
                await self._tell(
                    RowResult(
                        entry.number,
                        State.REJECTED,
                        entry.reference,
                        field=entry.field,
                        error=entry.error,
                        fix=entry.fix,
                    )
                )

    async def _reported(
        self,
        journal: Journal,
        engine: Engine,
        path: Path,
        began: float,
        notes: tuple[str, ...],
    ) -> Report:
        repeated, examples, by_address = 0, list[list[int]](), 0
        try:
            counts: Mapping[State, int] = await journal.counts()
            by_address = await journal.take(
                lambda reader: count_matched(reader, BY_ADDRESS), reads=True
            )
            if self._kind.tells_repeated_addresses:
                repeated, examples = await journal.duplicate_addresses()
        except JournalError:
            # It cannot even be read any more: what was told of each row is counted.
            told = self.counts.total()
            counts = Counter({**self.counts, State.PENDING: max(0, self.rows - told)})
        for state in (State.CREATED, State.ADOPTED, State.REJECTED, State.UNKNOWN):
            self.counts[state] = counts[state]
        self.counts[State.UNKNOWN] += counts[State.INFLIGHT]
        return Report(
            rows=sum(counts.values()),
            created=counts[State.CREATED],
            adopted=counts[State.ADOPTED],
            rejected=counts[State.REJECTED],
            # In flight when the journal could not be written any more.
            unknown=counts[State.UNKNOWN] + counts[State.INFLIGHT],
            pending=counts[State.PENDING],
            sent=engine.sent,
            reconciled=engine.reconciled,
            by_address=by_address,
            repeated_addresses=repeated,
            repeated_examples=tuple(map(tuple, examples)),
            repeated_at=tuple(map(journal.places, examples)),
            stopped=self._course.stopped,
            error=self._course.error,
            dry_run=self._options.dry_run,
            seconds=time.monotonic() - began,
            journal=path,
            files={},
            kind=self._kind.name,
            preview=self.preview,
            notes=notes,
        )


def _close(opening: asyncio.Future[Source]) -> None:
    if not opening.cancelled() and opening.exception() is None:
        opening.result().close()
