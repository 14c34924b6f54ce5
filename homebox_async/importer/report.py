"""What an import tells: a result for each row, and a report at the end."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import attrs

from ..errors import RequestError
from ..events import IMPORTER_LOG
from .journal import Entry, State
from .preview import Preview


@attrs.frozen
class RowResult:
    """What became of one row of the input.

    `number` counts the rows from 1. `id`, that of what was created, is set for created and
    adopted rows; `field`, `error` and `fix` say what was wrong with the others.
    """

    number: int
    state: State
    reference: str = ""
    id: int | None = None
    field: str = ""
    error: str = ""
    fix: str = ""

    @classmethod
    def of(cls, entry: Entry) -> RowResult:
        """Return what the journal holds of a row as its result."""
        return cls(
            number=entry.number,
            state=entry.state,
            reference=entry.reference,
            id=entry.id or None,
            field=entry.field,
            error=entry.error,
            fix=entry.fix,
        )

    @property
    def property_id(self) -> int | None:
        """The `id`, in an import of properties."""
        return self.id


Emit = Callable[[RowResult], Awaitable[None]]
"""How a result is told; it may wait for whoever reads."""


@attrs.frozen(kw_only=True)
class Report:
    """What an import did, and where it stands.

    `rows`: in the input. `created`: sent and confirmed. `adopted`: found at Homebox, so not sent
    (again). `rejected`: refused by the checks here or by the server. `unknown`: may or may not
    have been created; nothing was guessed. `pending`: not sent yet.
    `sent`: requests to create something that this run made, `reconciled`: of the adopted ones,
    those whose own request had been left without an answer.
    `by_address`: adopted rows whose home Homebox has without a reference.
    `repeated_addresses`: rows whose address stands in an earlier row too; `repeated_examples`:
    the numbers of some, with the row they repeat, and `repeated_at` where these are in the file.
    `stopped`: why it ended before everything was done, "" if it did not; `error`: the failure
    behind that, None for an interrupt.
    `files`: the result files by kind. `seconds`: how long this run took.
    `kind`: what was imported. `preview`: what sending the rows that were left to be sent sets
    off, None for properties. `notes`: what was left out of the input, or decided about it.
    """

    rows: int
    created: int
    adopted: int
    rejected: int
    unknown: int
    pending: int
    sent: int
    reconciled: int
    repeated_addresses: int
    repeated_examples: tuple[tuple[int, ...], ...]
    stopped: str
    error: RequestError | None
    dry_run: bool
    seconds: float
    journal: Path
    files: dict[str, Path]
    kind: str = "properties"
    preview: Preview | None = None
    by_address: int = 0
    notes: tuple[str, ...] = ()
    repeated_at: tuple[str, ...] = ()

    @property
    def done(self) -> bool:
        """Whether every row is created or adopted."""
        return self.created + self.adopted == self.rows

    @property
    def rate(self) -> float:
        """Requests per second that this run made."""
        return self.sent / self.seconds if self.seconds else 0.0

    def as_dict(self) -> dict[str, Any]:
        """Return the report as plain values, for JSON."""
        return {
            **attrs.asdict(self, recurse=False),
            "done": self.done,
            "error": None if self.error is None else str(self.error),
            "seconds": round(self.seconds, 3),
            "rate": round(self.rate, 1),
            "journal": str(self.journal),
            "files": {kind: str(path) for kind, path in self.files.items()},
            "preview": None if self.preview is None else self.preview.as_dict(),
        }


def log_end(report: Report) -> None:
    """Log how an import ended."""
    IMPORTER_LOG.info(
        "import: %s, %d rows: %d created, %d adopted, %d rejected, %d unknown, %d pending; "
        "%d requests in %.1f s",
        "stopped" if report.stopped else "ended",
        report.rows,
        report.created,
        report.adopted,
        report.rejected,
        report.unknown,
        report.pending,
        report.sent,
        report.seconds,
    )
