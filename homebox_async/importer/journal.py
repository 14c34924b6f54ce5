"""The journal of an import: which rows were sent, and what became of each.

All of SQLite runs in one thread of the journal's own, with group commit: the thread takes
whatever has queued up, runs it in one transaction, commits, and then tells all who wait. So a
row is on disk as "being sent" before it is sent, and the disk is synced once for many rows.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import os
import queue
import shlex
import sqlite3
import threading
import weakref
from collections.abc import AsyncIterator, Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import attrs

from . import repeats
from .ending import ended
from .opening import checkpoint, close_store, explained, gone, identity, open_store
from .places import Places
from .store import Entry, JournalError, Planned, Reader, Record, State, rollback, storable
from .words import WORDS, Words

__all__ = ["Entry", "Journal", "JournalError", "Planned", "Reader", "State"]

T = TypeVar("T")
_MOST_JOBS = 4096
_MOST_RECORDS = 256
_LATEST = 0.05  # seconds that a record waits for others


@attrs.frozen(eq=False)
class _Job:
    """A function for the thread.

    `alone`: outside of the shared transaction. `reads`: it changes nothing.
    """

    run: Callable[[Reader], Any]
    future: asyncio.Future[Any] | None = None
    alone: bool = False
    reads: bool = False


class _Thread:
    """Runs jobs on the journal's one connection, as many in a transaction as there are.

    Once SQLite has failed, it fails every later job that is not known to change nothing: what is
    on disk is then the truth.
    """

    def __init__(self, path: Path, words: Words, loop: asyncio.AbstractEventLoop) -> None:
        self.failure: JournalError | None = None
        self.jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._path = path
        self._words = words
        self._loop = loop

    def work(self, opener: Callable[[], Reader], opened: asyncio.Future[Reader]) -> None:
        """Open the journal and run jobs until None comes: the body of the thread."""
        try:
            reader = opener()
        except BaseException as exc:
            self._tell([(opened, None, self._explained(exc))])
            return
        self._tell([(opened, reader, None)])
        shared: list[_Job] = []
        ended = False
        while not ended:
            # One is waited for; whatever else has come meanwhile shares its transaction.
            job: _Job | None = self.jobs.get()
            while job is not None and not job.alone:
                shared.append(job)
                if self.jobs.empty() or len(shared) == _MOST_JOBS:
                    break
                job = self.jobs.get()
            if shared:
                self._run_shared(reader, shared)
                shared = []
            if job is None:
                ended = True
            elif job.alone:
                self._run_alone(reader, job)
        with contextlib.suppress(sqlite3.Error):
            close_store(reader)

    def _run_shared(self, reader: Reader, jobs: Sequence[_Job]) -> None:
        if self.failure is not None:
            self._run_failed(reader, jobs)
            return
        run = reader.connection.execute
        told: list[_Told] = []
        try:
            run("BEGIN")
            for job in jobs:
                if job.future is None:
                    job.run(reader)
                    continue
                # What a job raises is told to who waits for it; the others go on.
                run("SAVEPOINT job")
                try:
                    told.append((job.future, job.run(reader), None))
                except sqlite3.Error:
                    raise
                except BaseException as exc:
                    run("ROLLBACK TO job")
                    reader.forget_counts()
                    told.append((job.future, None, exc))
                run("RELEASE job")
            run("COMMIT")
        except BaseException as exc:
            self.failure = self._explained(exc)
            rollback(reader.connection)
            reader.forget_counts()
            told = [(job.future, None, self.failure) for job in jobs]
        self._tell(told)

    def _run_failed(self, reader: Reader, jobs: Sequence[_Job]) -> None:
        """Read what is on disk, and refuse all else."""
        told: list[_Told] = []
        for job in jobs:
            result, error = None, self.failure
            if job.reads:
                try:
                    result, error = job.run(reader), None
                except sqlite3.Error as exc:
                    error = self._explained(exc)
            told.append((job.future, result, error))
        self._tell(told)

    def _run_alone(self, reader: Reader, job: _Job) -> None:
        result: Any = None
        error: BaseException | None = None
        try:
            if self.failure is not None:
                raise self.failure
            result = job.run(reader)
        except (sqlite3.Error, MemoryError) as exc:
            error = self.failure = self._explained(exc)
        except BaseException as exc:
            error = exc
        self._tell([(job.future, result, error)])

    def _explained(self, exc: BaseException) -> JournalError:
        return explained(self._path, self._words, exc)

    def _tell(self, told: Sequence[_Told]) -> None:
        # A loop that is closed has nobody left who waits.
        with contextlib.suppress(RuntimeError):
            if told:
                self._loop.call_soon_threadsafe(_settle, told)


_Told = tuple["asyncio.Future[Any] | None", Any, BaseException | None]


def _settle(told: Sequence[_Told]) -> None:
    for future, result, error in told:
        if future is None or future.done():
            continue
        if error is None:
            future.set_result(result)
        elif isinstance(error, JournalError):
            # A copy for each: tracebacks would pile up on one that many raise.
            future.set_exception(type(error)(*error.args))
        elif isinstance(error, StopIteration):
            future.set_exception(RuntimeError("a job for the journal raised StopIteration"))
        else:
            future.set_exception(error)


class Journal:
    """Which rows of an import were sent, and what became of each; made by `Journal.open`.

    `words`: what its rows are called. `account_options`: what names its account on the command
    line. Every method belongs to the event loop in which the
    journal was opened.
    """

    def __init__(self, path: Path, words: Words, thread: _Thread, worker: threading.Thread) -> None:
        self.path = path
        self.words = words
        self._thread = thread
        self._worker = worker
        self.account_options = ""
        self._closed = False
        self._loop = asyncio.get_running_loop()
        self._records: list[Record] = []
        self._reader: Reader
        self._identity: tuple[int, int] | None
        # A journal that nobody closed ends its thread when it is collected, or at exit.
        self._finalizer = weakref.finalize(self, thread.jobs.put, None)

    @classmethod
    async def open(
        cls,
        path: str | os.PathLike[str],
        *,
        kind: str,
        fingerprint: str,
        target: str,
        named: bool = True,
    ) -> Journal:
        """Create the journal, or check that it belongs to this import and go on with it.

        `named`: whether the user named the path; any other has to be a file of their own.
        Rows that an earlier run was sending when it ended are then UNKNOWN.
        """
        loop = asyncio.get_running_loop()
        words = WORDS[kind]
        thread = _Thread(Path(path), words, loop)
        opened: asyncio.Future[Reader] = loop.create_future()

        def opener() -> Reader:
            return open_store(
                Path(path), kind=kind, fingerprint=fingerprint, target=target, named=named
            )

        worker = threading.Thread(
            target=thread.work, args=(opener, opened), name="homebox-journal", daemon=True
        )
        journal = cls(Path(path), words, thread, worker)
        worker.start()
        try:
            journal._reader = await asyncio.shield(opened)
            journal._identity = identity(journal.path)
        except asyncio.CancelledError:
            journal._finalizer()  # the thread closes what it opens
            try:
                await ended([opened])
            finally:
                worker.join()  # whoever goes on at once must not find it in use
            raise
        return journal

    def resolve_command(self, row: int, what: str) -> str:
        """Return the command that settles a row, to be pasted into a shell.

        `what`: how it is settled, "--is 12" or "--not-there".
        """
        words = f"homebox import resolve {shlex.quote(str(self.path))} {row} {what}"
        return f"{words} {self.account_options}".rstrip()

    @property
    def planned(self) -> bool:
        """Whether all rows have been entered."""
        return self._reader.planned

    @property
    def compared(self) -> bool:
        """Whether what is at the server has been compared with the rows."""
        return self._reader.compared

    @property
    def address_rule(self) -> int:
        """Which rule makes its keys and generated references: 1 in journals of version 2."""
        return self._reader.address_rule

    def digest(self, cells: Mapping[str, str]) -> bytes:
        """Return the salted digest of a row's cells; any thread may call this."""
        return self._reader.digest(cells)

    @property
    def places(self) -> Places:
        """How messages name rows: by their lines in a file."""
        return self._reader.places

    def name_rows(self, places: Places) -> None:
        """Set how messages name rows: by their lines in a file."""
        self._reader.places = places

    async def plan(
        self, rows: Iterator[Planned], progress: Callable[[int], None] | None = None
    ) -> None:
        """Enter all rows, from zero; `rows` is iterated in the journal's thread.

        Rows with problems are REJECTED. `progress` is called in the event loop with the number
        of rows so far. When this is cancelled, it ends once the thread has let go of `rows`.
        """
        loop = asyncio.get_running_loop()
        stop = threading.Event()

        def tell(done: int) -> None:
            if progress is not None:
                loop.call_soon_threadsafe(progress, done)

        future = self._submit(lambda reader: reader.plan(rows, stop, tell), alone=True)
        try:
            await asyncio.shield(future)
        except asyncio.CancelledError:
            stop.set()
            await ended([future])  # the cancellation goes before what it caused
            raise
        # So that what was planned is known, whatever is lost of what is sent from now on.
        await self._submit(checkpoint, alone=True)

    async def take(self, make: Callable[[Reader], T], *, reads: bool = False) -> T:
        """Run a function in the journal's thread; what it changed is durable when this returns.

        What it raises undoes its changes and is raised here. `reads`: it changes nothing, and is
        tried also after a write has failed.
        """
        result: T = await self._submit(make, reads=reads)
        return result

    async def counts(self) -> dict[State, int]:
        """Return how many rows are in each state."""
        return await self.take(Reader.counts, reads=True)

    async def next_batch(self, size: int, *, after: int) -> list[Entry]:
        """Return the next PENDING and UNKNOWN rows behind a row number, in row order."""
        return await self.take(lambda reader: reader.next_batch(size, after=after))

    async def claim(self, numbers: Sequence[int]) -> float:
        """Mark PENDING or UNKNOWN rows as INFLIGHT; durable when this returns the time."""
        when = await self.take(lambda reader: reader.claim(numbers))
        # Another import could start without it, and neither would know of the other.
        if identity(self.path) != self._identity:
            raise gone(self.path, self.words)
        return when

    def record(
        self,
        number: int,
        state: State,
        *,
        id: int | None = None,
        field: str = "",
        error: str = "",
        fix: str = "",
        unsent: bool = False,
    ) -> None:
        """Enter what became of a row: durable soon, together with others (`flush` waits for it).

        Until then it stands there as INFLIGHT, so that a process killed in between looks it up.
        `unsent`: the claim does not count, because the row was certainly not sent.
        A write that fails is raised by the next call that is awaited, and by `close`.
        """
        self._check_open()
        if error or field or fix:
            field, error, fix = map(storable, (field, error, fix))
        self._records.append((number, state, id, field, error, fix, unsent))
        if len(self._records) == 1:
            self._loop.call_later(_LATEST, self._hand_over)
        elif len(self._records) >= _MOST_RECORDS:
            self._hand_over()

    def _hand_over(self) -> None:
        # Many rows for one turn of the thread: each turn takes Python's lock from the loop.
        if self._records and not self._closed:
            records, self._records = self._records, []
            self._thread.jobs.put(_Job(lambda reader: reader.record(records)))

    async def flush(self) -> None:
        """Return when all that was recorded is durable."""
        await self.take(lambda reader: None)

    async def entry(self, number: int) -> Entry:
        """Return what the journal holds of a row."""
        return await self.take(lambda reader: reader.entry(number))

    async def find(self, reference: str) -> list[Entry]:
        """Return the rows with a reference."""
        return await self.take(lambda reader: reader.find(reference))

    async def find_address(self, address_key: str) -> list[Entry]:
        """Return the rows with an address, except those that planning rejected."""
        return await self.take(lambda reader: reader.find_address(address_key))

    async def duplicate_references(
        self, limit: int = 10, *, but: str = ""
    ) -> list[tuple[str, list[int]]]:
        """Return references that more than one row has, each with its first `limit` rows.

        References that start with `but`, if it is not "", are left out.
        """
        return await self.take(lambda reader: repeats.duplicate_references(reader, limit, but=but))

    async def reject_repeats(self, prefix: str) -> None:
        """Reject pending rows whose reference, which has this prefix, an earlier row has."""
        await self.take(lambda reader: repeats.reject_repeats(reader, prefix))

    async def reject_duplicates(self, *, but: str = "") -> None:
        """Reject pending rows whose reference other rows have, except those that begin `but`."""
        await self.take(lambda reader: repeats.reject_duplicates(reader, but=but))

    async def reject_same(self, one: str, fix: str) -> None:
        """Reject pending rows that ask for the same `one` as an earlier row."""
        await self.take(lambda reader: repeats.reject_same(reader, one, fix))

    async def confirmed(self) -> int | None:
        """Return the number of the preview that was confirmed, None if none was."""
        return await self.take(lambda reader: reader.confirmed)

    async def confirm(self, number: int) -> None:
        """Note that a preview was confirmed: whoever goes on need not ask again."""
        await self.take(lambda reader: reader.confirm(number))

    async def kept(self, name: str) -> Any:
        """Return what was kept under a name, None if nothing was."""
        return await self.take(lambda reader: reader.kept(name), reads=True)

    async def keep(self, name: str, value: Any) -> None:
        """Keep something that JSON can hold; durable when this returns."""
        await self.take(lambda reader: reader.keep(name, value))

    async def match(self, found: Sequence[tuple[str, int]]) -> None:
        """Note on pending rows which property has their reference: pairs of reference and id.

        A row whose reference several properties have is UNKNOWN from then on.
        """
        await self.take(lambda reader: reader.match(found))

    async def matched(self, *, after: int, size: int) -> list[Entry]:
        """Return the next pending rows on which an id was noted, in row order."""
        return await self.take(lambda reader: reader.matched(after=after, size=size))

    async def ids(self, *, after: int, size: int) -> list[tuple[int, int]]:
        """Return the next rows that are done and have an id: pairs of number and id."""
        return await self.take(lambda reader: reader.ids(after=after, size=size))

    async def set_compared(self) -> None:
        """Note that all that is at the server has been compared with the rows."""
        await self.take(Reader.set_compared)

    async def touched(self) -> bool:
        """Tell whether any row was ever sent, or taken over from the server."""
        return await self.take(Reader.touched)

    async def duplicate_addresses(self, limit: int = 10) -> tuple[int, list[list[int]]]:
        """Return how many rows repeat an earlier one's address, and groups of such rows.

        Rows that planning rejected do not count.
        """
        return await self.take(
            lambda reader: repeats.duplicate_addresses(reader, limit), reads=True
        )

    async def rows(self, states: Collection[State], chunk: int = 1000) -> AsyncIterator[Entry]:
        """Give the rows in some states, in row order; each chunk is read on its own."""
        after = 0
        while entries := await self.page(states, after=after, size=chunk):
            for entry in entries:
                yield entry
            after = entries[-1].number

    async def page(self, states: Collection[State], *, after: int, size: int) -> list[Entry]:
        """Return the next rows in some states behind a row number, in row order."""
        page = functools.partial(Reader.page, states=states, after=after, size=size)
        return await self.take(page, reads=True)

    async def close(self) -> None:
        """Write what is queued and close the file; raises if a write has failed."""
        if self._closed:
            return
        future = self._submit(close_store, alone=True)
        self._closed = True
        self._finalizer()
        try:
            await asyncio.shield(future)
        finally:
            self._worker.join()

    async def __aenter__(self) -> Journal:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            await self.close()
        except JournalError:
            # The block's own error says more, or is the very same.
            if kind is None:
                raise

    def _submit(
        self, run: Callable[[Reader], Any], *, alone: bool = False, reads: bool = False
    ) -> asyncio.Future[Any]:
        self._check_open()
        self._hand_over()  # what was recorded before is done before
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._thread.jobs.put(_Job(run, future, alone, reads))
        return future

    def _check_open(self) -> None:
        if self._closed:
            raise JournalError(f"{self.path}: the journal is closed; open it again")
