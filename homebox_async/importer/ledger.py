"""The ledger of an account: what was sent, by any import of this user.

A journal belongs to one import; the ledger is shared by all of them, in any folder and any
process. A row is claimed here before it is claimed in its journal, and before it is sent.
All of SQLite's writing is in one thread of the ledger's own.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from ..events import IMPORTER_LOG
from ..identity import Target
from .ending import ended
from .ledger_place import default_folder, named_folder, open_store
from .ledger_store import LedgerStore
from .ledger_values import Claim, Known, LedgerError, Outcome, Standing, Ticket
from .said import Said

__all__ = ["Claim", "Known", "Ledger", "LedgerError", "Outcome", "Said", "Standing", "Ticket"]

T = TypeVar("T")

_MOST_OUTCOMES = 256
_LATEST = 0.2  # seconds that an outcome waits for others; until then its claim stands


class Ledger:
    """What was sent to one account; made by `Ledger.open`.

    Every method belongs to the event loop in which it was opened.
    """

    def __init__(self, store: LedgerStore, thread: ThreadPoolExecutor) -> None:
        self.path = store.path
        self._store = store
        self._thread = thread
        self._outcomes: list[Outcome] = []
        self._failure: LedgerError | None = None
        self._closed = False

    @classmethod
    async def open(cls, account: str, *, folder: Path | None = None, emulator: str = "") -> Ledger:
        """Open the ledger of an account.

        `folder`: where it is kept, by default HOMEBOX_STATE or the platform's folder.
        `emulator`: what the ledger of an emulator is called, "" for any other server.
        Raises LedgerError where none can be kept.
        """
        place = named_folder(folder) or default_folder()
        thread = ThreadPoolExecutor(1, thread_name_prefix="homebox-ledger")
        opened: list[LedgerStore] = []
        try:
            await _in(thread, place, lambda: opened.append(open_store(place, account, emulator)))
        except BaseException:
            # A thread cannot be stopped: what it has opened for a cancelled caller is closed.
            for store in opened:
                thread.submit(store.close)
            thread.shutdown()
            raise
        return cls(opened[0], thread)

    async def run(self, work: Callable[[LedgerStore], T]) -> T:
        """Run a function in the ledger's thread, after what was recorded before."""
        self._hand_over()

        def checked() -> T:
            if self._failure is not None:
                raise self._failure
            return work(self._store)

        return await _in(self._thread, self.path, checked)

    async def look(self, kind: str, rows: Sequence[Said]) -> list[Known | None]:
        """Return what is known of each row."""
        return await self.run(lambda store: store.look(kind, rows))

    async def claim(
        self, kind: str, journal: str, rows: Sequence[Claim], mark: bytes = b""
    ) -> list[Ticket | Known]:
        """Claim rows to be sent: for each a Ticket, or what stands against sending it."""
        return await self.run(lambda store: store.claim(kind, journal, rows, mark))

    def holds(self, ticket: Ticket) -> bool:
        """Return whether a claim still stands; asked before each request, so it takes no turn."""
        try:
            return self._store.holds(ticket)
        except sqlite3.Error as error:
            raise _explained(self.path, error) from error

    def record(self, outcome: Outcome) -> None:
        """Enter what became of a claimed item: soon, together with others.

        A write that fails is raised by the next call that is awaited, and by `close`.
        """
        self._outcomes.append(outcome)
        if len(self._outcomes) == 1:
            asyncio.get_running_loop().call_later(_LATEST, self._hand_over)
        elif len(self._outcomes) >= _MOST_OUTCOMES:
            self._hand_over()

    async def close(self) -> None:
        """Write what is queued and close the file; raises if a write has failed."""
        if self._closed:
            return
        self._closed = True
        try:
            await self.run(lambda store: None)
        finally:
            closing = asyncio.ensure_future(asyncio.to_thread(self._close))
            try:
                await asyncio.shield(closing)
            except asyncio.CancelledError:
                await ended([closing])
                raise

    async def __aenter__(self) -> Ledger:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            await self.close()
        except LedgerError:
            # The block's own error says more.
            if kind is None:
                raise

    def _close(self) -> None:
        self._thread.submit(self._store.close)
        self._thread.shutdown()

    def _hand_over(self) -> None:
        if self._outcomes:
            outcomes, self._outcomes = self._outcomes, []
            self._thread.submit(self._record, outcomes)

    def _record(self, outcomes: Sequence[Outcome]) -> None:
        try:
            self._store.record(outcomes)
        except sqlite3.Error as error:
            # Their claims stand, so the rows are looked up before anything else.
            self._failure = _explained(self.path, error)


async def open_ledger(target: Target, folder: Path | None) -> Ledger | None:
    """Open the ledger of an account; None, with a warning, where none can be kept.

    Raises LedgerError for a folder that the user has named.
    """
    if not target.is_named:
        # Those of two accounts must not be one: what one has sent, the other has not.
        IMPORTER_LOG.warning(
            "no ledger is kept: the server does not say which account this is; what other folders"
            " and processes send is not seen"
        )
        return None
    try:
        return await Ledger.open(target.name, folder=folder, emulator=target.emulator)
    except LedgerError as error:
        if named_folder(folder) is not None:
            raise
        IMPORTER_LOG.warning(
            "no ledger is kept: %s; what other folders and processes send is not seen", error
        )
        return None


async def _in(thread: ThreadPoolExecutor, path: Path, work: Callable[[], T]) -> T:
    """Run work in the thread to its end; a cancellation waits for it."""

    def explained() -> T:
        try:
            return work()
        except sqlite3.Error as error:
            raise _explained(path, error) from error

    running = asyncio.get_running_loop().run_in_executor(thread, explained)
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        await ended([running])
        raise


def _explained(path: Path, error: sqlite3.Error) -> LedgerError:
    name = getattr(error, "sqlite_errorname", "") or ""
    if name.startswith(("SQLITE_NOTADB", "SQLITE_CORRUPT")):
        return LedgerError(
            f"{path}: the ledger is damaged; restore it from a backup, or move it away (what it"
            " knows is then asked of Homebox)"
        )
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return LedgerError(
            f"{path}: the ledger is held by another program; end that, then run the same command"
            " again: nothing is sent twice"
        )
    return LedgerError(
        f"{path}: the ledger cannot be read or written ({error}); make room on its disk and check"
        " its permissions, then run the same command again: nothing is sent twice"
    )
