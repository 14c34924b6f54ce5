"""One run of an export."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import os
import threading
import time
from collections import deque
from collections.abc import (
    AsyncGenerator,
    AsyncIterator,
    Awaitable,
    Callable,
    Generator,
    Iterable,
    Sequence,
)
from pathlib import Path
from typing import Any, BinaryIO, Literal, get_args

import attrs

from ..client import AsyncHomebox
from ..errors import NotFound, Problem, ValidationError
from ..evidence import IdSet
from ..identity import target_of
from ..loops import refuse_other_loops
from ..models import Model
from ..pages import Page, Passes, identity
from ..pending import Pending, refuse_client
from ..rules import positive_integer
from ..tracebacks import clean
from ..workbook_writer import DoesNotFit
from .formats import Converted, Format, Row, format_of
from .lists import Children, Listing, Per, What, listing, since_problems
from .part import ExportError, PartFile, Place, State, Stream, keys_of

FormatName = Literal["csv", "jsonl", "parquet", "xlsx"]
Destination = str | os.PathLike[str] | BinaryIO

_AHEAD = 2  # pages


@attrs.frozen(kw_only=True)
class ExportReport:
    """What an export has come to.

    `rows` are in the file, `resumed_rows` of them from an earlier run. `complete` is True if
    everything that was in the list all the time is in the file; else `reason` says why it is not
    certain. `before_since` rows were left out by `since`; `undated` ones have no date and were
    kept. `gone` orders or properties were not there any more when their rows were asked for.
    `shifted`: the list changed while it was read, so it was read again. `drift` is by how many
    objects the last pass over the list differs from the total that the server reported, None if
    it reported none.
    """

    what: str
    path: Path | None
    rows: int
    resumed_rows: int
    complete: bool
    reason: str
    before_since: int
    undated: int
    gone: int
    shifted: bool
    drift: int | None
    seconds: float

    def as_dict(self) -> dict[str, Any]:
        """Return the report as plain values for JSON."""
        return attrs.asdict(self) | {"path": None if self.path is None else str(self.path)}


def export(
    client: AsyncHomebox,
    what: What,
    to: Destination,
    *,
    format: FormatName = "csv",  # the field's word
    since: dt.date | None = None,
    per: Per | None = None,
    branch: int | None = None,
    concurrency: int = 4,
    bom: bool = False,
    restart: bool = False,
    overwrite: bool = False,
) -> Export:
    """Write a whole list to a file; await what is returned.

    ::

        report = await export(client, "orders", "orders.csv")

    `what`: "properties", "leads", "readings", "orders" or "payments". Readings are asked for per
    property or, with ``per="order"``, per order, payments per order, `concurrency` of them at
    once; each row has that id.
    `to`: a path, or a binary stream, which cannot be resumed, and takes "csv" and "jsonl" only.
    `format`: "csv", "jsonl" (as the server sent it), "parquet" (the extra `arrow`) or "xlsx" (the
    extra `excel`), a workbook with the columns of "csv", all of them text.
    `since`: only what has changed on this day (UTC) or later, for properties and readings; only
    what was created then, for leads, orders and payments. The whole list is read all the same.
    `branch`: of this branch account; leads and orders only. `bom`: begin CSV with a byte order
    mark, by which Excel recognises UTF-8.

    The file appears when it is whole; its mode follows the umask, and an older file is replaced
    with `overwrite` only. Until then, ``<to>.part`` is there, and the same export resumes from
    it; `restart` drops it. No id is written twice. A list of several pages is read twice, as only
    that shows whether something was deleted meanwhile, and up to four times if it changes.

    Raises ValidationError for bad arguments, ConfigurationError without the extra of the format,
    ExportError for a file or part that cannot be used, or rows that no workbook can hold, OSError
    for a failing disk, RequestError for a failed call. After any of them the same export resumes
    where it stopped.
    Source: "List Properties", "List Leads", "List Bills Packages", "List Payments", "List Meter
    Readings for an Order" and "... for a Property".
    """
    refuse_client(client, AsyncHomebox, "export", "export_sync")
    problems = [*since_problems(since), *_problems(to, format, concurrency, bom)]
    if problems:
        raise ValidationError(problems)
    chosen = listing(client, what, per, branch, _AHEAD)
    # The part depends on all of these.
    asked = {
        "list": what,
        "format": format,
        "since": None if since is None else since.isoformat(),
        "per": chosen.parent,
        "branch": branch,
        "bom": bom,
    }
    form = format_of(format, chosen, bom)
    return Export(client, chosen, form, to, asked, since, concurrency, restart, overwrite)


def _problems(to: object, format: object, concurrency: object, bom: object) -> Iterable[Problem]:
    if format not in get_args(FormatName):
        yield Problem("format", "is unknown", f"give {', '.join(get_args(FormatName))}")
    elif format in ("parquet", "xlsx") and not isinstance(to, (str, os.PathLike)):
        yield Problem("format", f"{format} cannot be written to a stream", "give a path")
    if bom and format != "csv":
        yield Problem("bom", f"means nothing for {format}", "leave it out")
    if fault := positive_integer(concurrency):
        yield Problem("concurrency", *fault)


class Export(Pending):
    """One run of an export; made by `export`, and awaited once.

    `rows`, `total` (of objects, where the server tells it) and `phase` are live.
    """

    def __init__(
        self,
        client: AsyncHomebox,
        chosen: Listing,
        form: Format,
        to: Destination,
        asked: dict[str, Any],
        since: dt.date | None,
        concurrency: int,
        restart: bool,
        overwrite: bool,
    ) -> None:
        self._client = client
        self._listing = chosen
        self._format = form
        self._to = to
        self._asked = asked
        self._since = (
            None if since is None else dt.datetime.combine(since, dt.time.min, tzinfo=dt.UTC)
        )
        self._concurrency = concurrency
        self._restart = restart
        self._overwrite = overwrite
        self._state = State()
        self._drift: int | None = None
        self._shifted = False
        self._seen = IdSet()
        self.total: int | None = None
        self.phase = "connecting"
        self._made()

    @property
    def rows(self) -> int:
        """How many rows have been written, those of an earlier run included."""
        return self._state.rows

    def __await__(self) -> Generator[Any, None, ExportReport]:
        return self.run().__await__()

    @clean
    async def run(self) -> ExportReport:
        """Run the export to its end and return its report."""
        self._runs()
        refuse_other_loops()
        began = time.monotonic()
        if not isinstance(self._to, (str, os.PathLike)):
            stream = Stream(self._to)
            self._state = stream.state
            await self._read(stream)
            return self._report(None, 0, began)
        target = await target_of(self._client)
        place = PartFile(
            Path(self._to),
            {"target": target.name, **self._asked},
            restart=self._restart,
            overwrite=self._overwrite,
        )
        self._state = place.state
        before = place.state.rows
        try:
            if not place.state.whole:
                if place.resumed:
                    before = await self._in_thread(lambda stop: self._recall(place, stop))
                    self._state = place.state
                await self._read(place)
            await self._finish(place)
        finally:
            place.close()
        return self._report(place.path, before, began)

    def _report(self, path: Path | None, before: int, began: float) -> ExportReport:
        state = self._state
        return ExportReport(
            what=self._asked["list"],
            path=path,
            rows=state.rows,
            resumed_rows=before,
            complete=not state.reason,
            reason=state.reason,
            before_since=state.before_since,
            undated=state.undated,
            gone=state.gone,
            shifted=self._shifted,
            drift=self._drift,
            seconds=time.monotonic() - began,
        )

    # --- reading

    async def _read(self, place: Place) -> None:
        """Write what is in the list and not in the place yet; note if something may be missing."""
        self.phase = "reading"
        state = place.state
        if not state.bytes:
            place.write(self._format.head())
        passes = Passes(self._listing.pages, prove=True)
        try:
            async for page in passes:
                self.total = page.total
                async for rows in self._rows_of(page):
                    self._write(place, rows)
                    if self._listing.parent is not None:
                        place.save()
                place.save()
            self._conclude(passes)
            state.whole = True
            place.save(now=True)
        except BaseException:
            # What failed is reported; that the disk is full as well adds nothing.
            with contextlib.suppress(OSError):
                place.save(now=True)
            raise
        finally:
            await passes.aclose()

    def _conclude(self, passes: Passes[Model]) -> None:
        evidence = passes.cursor.evidence
        self.total = evidence.total
        if self.total is not None:
            self._drift = evidence.count - self.total
        self._shifted = passes.changed
        if not passes.completeness.complete:
            self._state.reason = passes.completeness.reason

    async def _rows_of(self, page: Page[Model]) -> AsyncIterator[list[Row]]:
        """Give the rows of a page that have not been written, at once or parent by parent."""
        fresh = [item for item in page.items if self._seen.add(identity(item))]
        if self._listing.children is None:
            yield [(None, item) for item in fresh if self._is_wanted(item)]
            return
        numbers = [number for item in fresh if isinstance(number := _id(item), int)]
        self._state.gone += len(fresh) - len(numbers)
        asked = _in_order(numbers, self._listing.children, self._concurrency)
        try:
            async for number, answer in asked:
                if answer is None:
                    self._state.gone += 1
                    continue
                found, trouble = answer
                rows: list[Row] = [(number, item) for item in found if self._is_wanted(item)]
                if not rows:
                    self._state.empty.append(number)
                if trouble:
                    self._state.reason = f"{self._listing.parent} {number}: {trouble}"
                yield rows
        finally:
            await asked.aclose()

    def _write(self, place: Place, rows: Sequence[Row]) -> None:
        place.write(self._format.encode(rows))
        place.state.rows += len(rows)

    def _is_wanted(self, item: Model) -> bool:
        if self._since is None:
            return True
        when: dt.datetime | None = getattr(item, self._listing.since)
        if when is None:
            self._state.undated += 1
        elif when < self._since:
            self._state.before_since += 1
            return False
        return True

    # --- an earlier run

    def _recall(self, place: PartFile, stop: threading.Event) -> int:
        """Note what has been written, so that it is not written again; return how many rows.

        The list is read from its start again. Rows without an id are not known again there, so
        a part with such rows is dropped.
        """
        state, keyed = place.state, 0
        for key in keys_of(place, self._format):
            if stop.is_set():
                return 0
            self._seen.add(key)
            keyed += 1
        if keyed < state.rows:
            place.clear()
            return 0
        for number in state.empty:
            self._seen.add(number)
        # Counted again: what is not in the part, and is not remembered in another way.
        state.gone = 0
        if self._listing.parent is None:
            state.before_since = 0
        return state.rows

    # --- the end

    async def _finish(self, place: PartFile) -> None:
        if not isinstance(self._format, Converted):
            place.finish(None)
            return
        converted = self._format
        self.phase = "converting"

        def convert(stop: threading.Event) -> Path:
            with place.converted() as (path, file):
                try:
                    converted.convert(place.part, file, stop)
                except DoesNotFit as unfit:
                    raise ExportError(
                        f"{place.path}: cannot be a workbook: {unfit}; export to CSV or Parquet"
                    ) from None
            return path

        place.finish(await self._in_thread(convert))

    @staticmethod
    async def _in_thread(work: Callable[[threading.Event], Any]) -> Any:
        """Run a long step outside of the event loop; a cancellation stops it and waits."""
        stop = threading.Event()
        task = asyncio.ensure_future(asyncio.to_thread(work, stop))
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            stop.set()
            await asyncio.wait([task])
            raise


def _id(item: Model) -> object:
    return getattr(item, "id", None)


async def _in_order(
    numbers: Sequence[int],
    ask: Callable[[int], Awaitable[Children]],
    width: int,
) -> AsyncGenerator[tuple[int, Children | None], None]:
    """Give the answer for each number in order, None for what is not there; `width` at once."""
    waiting = deque(numbers)
    asked: deque[tuple[int, asyncio.Future[Children]]] = deque()
    try:
        while waiting or asked:
            while waiting and len(asked) < width:
                number = waiting.popleft()
                asked.append((number, asyncio.ensure_future(ask(number))))
            number, task = asked[0]
            answer: Children | None
            try:
                answer = await task
            except NotFound:
                answer = None
            asked.popleft()
            yield number, answer
    finally:
        for _, task in asked:
            task.cancel()
        await asyncio.gather(*(task for _, task in asked), return_exceptions=True)
