"""The sync twin of the export: the same run on the client's own loop."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Concatenate, ParamSpec

from ..client import AsyncHomebox
from ..pending import refuse_client
from ..sync import Homebox
from .run import Export, ExportReport, export

P = ParamSpec("P")


class BlockingExport:
    """One run of an export from sync code; made by `export_sync`.

    ``run()`` returns its report. Ctrl-C ends it; the same export goes on where it stopped.
    """

    def __init__(self, client: Homebox, run: Export) -> None:
        self._bridge = client._bridge
        self._run = run

    @property
    def rows(self) -> int:
        """How many rows have been written, live."""
        return self._run.rows

    def run(self) -> ExportReport:
        """Run the export to its end and return its report."""
        return self._bridge.run(self._run.run)


def _blocking(
    make: Callable[Concatenate[AsyncHomebox, P], Export],
) -> Callable[Concatenate[Homebox, P], BlockingExport]:
    @functools.wraps(make)
    def call(client: Homebox, /, *args: P.args, **kwargs: P.kwargs) -> BlockingExport:
        refuse_client(client, Homebox, f"{make.__name__}_sync", make.__name__)
        return BlockingExport(client, make(client._target, *args, **kwargs))

    return call


export_sync = _blocking(export)
