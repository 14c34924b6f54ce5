"""The sync twin of the importer: the same run on the client's own loop."""

from __future__ import annotations

import functools
import threading
from collections import Counter, deque
from collections.abc import Callable, Coroutine, Iterator
from types import TracebackType
from typing import Any, Concatenate, ParamSpec, TypeVar

from ..client import AsyncHomebox
from ..pending import refuse_client
from ..sync import Homebox
from .imports import import_leads, import_properties, import_readings, import_voids
from .journal import State
from .report import Report, RowResult
from .run import Import
from .settling import find_missing, forget_sent, import_history, resolve_row

P = ParamSpec("P")
T = TypeVar("T")


class BlockingImport:
    """One run of an import from sync code; made by `import_properties_sync` and the like.

    ``run()`` returns its report. To see each row, iterate inside ``with``::

        with import_properties_sync(client, "portfolio.csv") as run:
            for row in run:
                print(row.number, row.state.name, row.id)
        print(run.report)

    Ctrl-C drains: what is in flight is waited for, the rest stays pending, and the
    KeyboardInterrupt goes on; a second one cancels.
    """

    def __init__(self, client: Homebox, run: Import) -> None:
        self._bridge = client._bridge
        self._run = run
        self._rows: deque[RowResult] = deque()

    @property
    def counts(self) -> Counter[State]:
        """The rows by state, live."""
        return self._run.counts

    @property
    def report(self) -> Report | None:
        """The report, once the import has ended."""
        return self._run.report

    def run(self) -> Report:
        """Run the import to its end and return its report."""
        try:
            return self._bridge.run(functools.partial(self._run.wait, threading.get_ident()))
        except KeyboardInterrupt:
            self._leave()
            raise

    def __enter__(self) -> BlockingImport:
        self._bridge.run(self._run.__aenter__)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._leave()

    def __iter__(self) -> Iterator[RowResult]:
        # What is not read yet stays here for whoever goes on.
        while True:
            while self._rows:
                yield self._rows.popleft()
            take = functools.partial(self._run.take, threading.get_ident())
            self._rows.extend(self._bridge.run(take))
            if not self._rows:
                return

    def _leave(self) -> None:
        try:
            self._bridge.run(lambda: self._run.__aexit__(None, None, None))
        except KeyboardInterrupt:
            self._bridge.run(self._run.cancel)
            raise


def _blocking(
    make: Callable[Concatenate[AsyncHomebox, P], Import],
) -> Callable[Concatenate[Homebox, P], BlockingImport]:
    @functools.wraps(make)
    def call(client: Homebox, /, *args: P.args, **kwargs: P.kwargs) -> BlockingImport:
        refuse_client(client, Homebox, f"{make.__name__}_sync", make.__name__)
        return BlockingImport(client, make(client._target, *args, **kwargs))

    return call


def _at_once(
    function: Callable[Concatenate[AsyncHomebox, P], Coroutine[Any, Any, T]],
) -> Callable[Concatenate[Homebox, P], T]:
    @functools.wraps(function)
    def call(client: Homebox, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return client._bridge.run(lambda: function(client._target, *args, **kwargs))

    return call


find_missing_sync = _at_once(find_missing)
forget_sent_sync = _at_once(forget_sent)
import_history_sync = _at_once(import_history)
resolve_row_sync = _at_once(resolve_row)
import_properties_sync = _blocking(import_properties)
import_leads_sync = _blocking(import_leads)
import_readings_sync = _blocking(import_readings)
import_voids_sync = _blocking(import_voids)
