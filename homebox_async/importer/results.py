"""The files that tell what became of every row: the journal joined with the source.

They are made anew each time, beside their places, and put there in one step: a reader sees the
old file or the new one, never half of one.
"""

from __future__ import annotations

import asyncio
import contextlib
import csv
import datetime as dt
import io
import os
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from ..cells import escape
from ..errors import HomeboxError
from ..private_files import UnsafeFile, check_target, create_draft
from .ending import ended
from .journal import Entry, Journal, State
from .sources import Row, Source

T = TypeVar("T")

_CHUNK = 1000
_REJECTED = ("row", "field", "error", "fix")
_UNKNOWN = (*_REJECTED, "sent_reference", "sent_at")
_FILES: Mapping[State, str] = {
    State.CREATED: "created",
    State.ADOPTED: "created",
    State.REJECTED: "rejects",
    State.UNKNOWN: "unknown",
    State.INFLIGHT: "unknown",
}
# Looked up by index: an enum's own name and hash take Python code, for every row.
_KINDS = tuple(_FILES.get(state, "") for state in State)
_HOWS = tuple(state.name.lower() for state in State)
_FIRST = frozenset("'=+-@")
_ANYWHERE = re.compile("[;\t\r\n\0]|[^\0-\x7f]")


class ResultsError(HomeboxError):
    """A result file cannot be written; what it would tell is still in the journal."""


async def write_results(journal: Journal, source: Source, stem: Path) -> dict[str, Path]:
    """Write ``<stem>.created.csv``, ``.rejects.csv`` and ``.unknown.csv``; return those written.

    A file that would have no rows is not written, and an older one is removed.
    """
    join = _Join(source, result_paths(stem), journal)
    after = 0
    try:
        while entries := await journal.page(_FILES.keys(), after=after, size=_CHUNK):
            await _in_thread(join.add, entries)
            after = entries[-1].number
        return await _in_thread(join.finish)
    finally:
        join.discard()


def check_places(stem: Path) -> None:
    """Raise ResultsError where a result file could not take its place."""
    for path in result_paths(stem).values():
        try:
            check_target(path)
        except UnsafeFile as unsafe:
            raise ResultsError(f"{path}: {unsafe.strerror}, or other --results") from None


def result_paths(stem: Path) -> dict[str, Path]:
    """Return where the results of an import go: kind -> path."""
    kinds = ("created", "rejects", "unknown")
    return {kind: stem.with_name(f"{stem.name}.{kind}.csv") for kind in kinds}


async def _in_thread(function: Callable[..., T], *args: Any) -> T:
    """Run a step outside of the event loop; a cancellation waits for it to let go of the files."""
    task = asyncio.ensure_future(asyncio.to_thread(function, *args))
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await ended([task])
        raise


class _Join:
    """Walks through the source in step with the journal's entries."""

    def __init__(self, source: Source, paths: Mapping[str, Path], journal: Journal) -> None:
        self._source = source
        self._rows = source.rows()
        self._digest = journal.digest
        self._fix = journal.words.fix
        ours = {
            "created": ("row", journal.words.id_name, "how"),
            "rejects": _REJECTED,
            "unknown": _UNKNOWN,
        }
        self._files = {
            kind: _File(path, source.columns, ours[kind]) for kind, path in paths.items()
        }
        for path in paths.values():
            if source.path is not None and path.exists() and path.samefile(source.path):
                raise ResultsError(f"{path}: is the input itself; give the results another name")

    def add(self, entries: Sequence[Entry]) -> None:
        """Write the rows of some entries, which come in row order."""
        joined: dict[str, list[tuple[Row, list[str]]]] = {kind: [] for kind in self._files}
        for entry in entries:
            number = entry.number
            for row in self._rows:
                if row.number == number:
                    break
            else:
                raise self._changed(number)
            if self._digest(row.cells) != entry.digest:
                raise self._changed(number)
            joined[_KINDS[entry.state]].append((row, _told(entry, self._fix)))
        for kind, rows in joined.items():
            if rows:
                self._files[kind].write(rows)

    def _changed(self, number: int) -> ResultsError:
        return ResultsError(
            f"{self._source.name}: row {number} is not as the journal has it;"
            " restore the file and run the same import again"
        )

    def finish(self) -> dict[str, Path]:
        """Put all files in their places, once all of them are complete."""
        for file in self._files.values():
            file.complete()
        return {kind: file.path for kind, file in self._files.items() if file.place()}

    def discard(self) -> None:
        """Remove what has not been put in its place."""
        for file in self._files.values():
            file.discard()


def _told(entry: Entry, fix: str) -> list[str]:
    number = str(entry.number)
    if _KINDS[entry.state] == "created":
        return [number, str(entry.id or ""), _HOWS[entry.state]]
    if entry.state is State.REJECTED:
        return [number, entry.field, entry.error, entry.fix]
    when = entry.claimed_at
    sent = "" if when is None else dt.datetime.fromtimestamp(when, dt.UTC).isoformat("T", "seconds")
    error = entry.error or "no answer has come"
    return [number, entry.field, error, entry.fix or fix, entry.reference, sent]


class _File:
    """One result file, written beside its place; it comes to be with its first row."""

    def __init__(self, path: Path, columns: Sequence[str], ours: Sequence[str]) -> None:
        self.path = path
        dropped = _replaced(columns, ours)
        self._kept = [column for column in columns if column not in dropped]
        self._header = [*self._kept, *ours]
        self._file: Any = None

    def write(self, rows: Iterable[tuple[Row, list[str]]]) -> None:
        """Add rows with what is told of each."""
        with self._named():
            if self._file is None:
                self._start()
            self._write(_safe(self._cells(row) + told) for row, told in rows)

    def _write(self, records: Iterable[list[str]]) -> None:
        # By way of a text, so that the file is not asked to encode every row by itself.
        text = io.StringIO(newline="")
        csv.writer(text).writerows(records)
        self._file.write(text.getvalue())

    def _cells(self, row: Row) -> list[str]:
        cells = [row.cells[column] for column in self._kept]
        if row.fault is not None:
            cells[0] = next(iter(row.cells.values()))  # the text of the row, never dropped
        return cells

    def complete(self) -> None:
        """Bring all that was written to the disk."""
        if self._file is not None:
            with self._named():
                self._file.flush()
                os.fsync(self._file.fileno())
                self._file.close()

    def place(self) -> bool:
        """Replace the older file, or remove it if there is nothing to tell."""
        with self._named():
            if self._file is None:
                if check_target(self.path):
                    self.path.unlink()
                return False
            check_target(self.path)
            self._draft.replace(self.path)
            self._file = None
            return True

    def discard(self) -> None:
        """Remove the file if it is not in its place."""
        if self._file is not None:
            # Closing writes what is buffered, which fails again where the disk is full.
            with contextlib.suppress(OSError):
                self._file.close()
            with contextlib.suppress(OSError):
                self._draft.unlink()
            self._file = None

    def _start(self) -> None:
        with self._named():
            check_target(self.path)
            self._draft, descriptor = create_draft(self.path)
        self._file = os.fdopen(descriptor, "w", encoding="utf-8", newline="")
        self._write([_safe(self._header)])

    @contextlib.contextmanager
    def _named(self) -> Iterator[None]:
        try:
            yield
        except OSError as exc:
            raise ResultsError(
                f"{self.path}: cannot be written ({exc.strerror}); make room, or close it where it"
                " is open, or check the folder's permissions, then run the same import again"
            ) from exc


def _safe(cells: list[str]) -> list[str]:
    # Most rows need no look at each place in them.
    if _FIRST.isdisjoint([cell[:1] for cell in cells]) and not _ANYWHERE.search("".join(cells)):
        return cells
    return list(map(escape, cells))


def _replaced(columns: Collection[str], ours: Sequence[str]) -> set[str]:
    """Return the columns that an earlier result file added, or that ours would clash with."""
    names = set(ours)
    if set(_REJECTED) <= set(columns):
        names.update(_UNKNOWN)
    return names
