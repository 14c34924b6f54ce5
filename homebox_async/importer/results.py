"""The files that tell what became of every row: the journal joined with the source.

They are made anew each time, beside their places, and put there in one step: a reader sees the
old file or the new one, never half of one. The journal keeps the sizes and times of its files:
a file that is not one of them, of another import or changed by a person, is never replaced.
"""

from __future__ import annotations

import asyncio
import contextlib
import csv
import datetime as dt
import functools
import glob
import io
import itertools
import os
import re
import stat
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

from ..cells import escape
from ..errors import HomeboxError
from ..private_files import UnsafeFile, check_target, create_draft
from ..workbook_writer import WorkbookWriter
from .ending import ended
from .journal import Entry, Journal, JournalError, State
from .sources import Row, Source

T = TypeVar("T")
_Stamp = list[int]
"""The size of a file, and the nanosecond in which it was written."""
_NOTE = "results"

_CHUNK = 1000
_MARK = ("row", "field", "error", "fix")  # by which an older file is known
_REJECTED = ("row", "file_line", *_MARK[1:])
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


async def write_results(
    journal: Journal, source: Source, stem: Path, *, leniently: bool = False
) -> dict[str, Path]:
    """Write ``<stem>.created.csv``, ``.rejects.csv`` and ``.unknown.csv``; return those written.

    Those of a workbook are workbooks: ``<stem>.created.xlsx``.
    A file that would have no rows is not written, and an older one is removed. Where another
    file has the name, the next one is taken: ``<stem>.created.2.csv``.
    `leniently`: rows whose cells cannot be read any more are written without them, and a journal
    that can only be read will do.
    """
    paths = result_paths(stem, source.writes_workbooks)
    join = _Join(source, paths, journal, leniently=leniently)
    after = 0
    try:
        while entries := await journal.page(_FILES.keys(), after=after, size=_CHUNK):
            await _in_thread(join.add, entries)
            after = entries[-1].number
        noted = await _noted(journal, source)
        stamps = await _in_thread(functools.partial(join.complete, noted))
        try:
            # Noted first: a file that is put in its place is the journal's at any moment.
            await journal.keep(_NOTE, {"input": _input(journal, source), "files": stamps})
        except JournalError:
            if not leniently:
                raise
        return await _in_thread(join.place)
    finally:
        join.discard()


def check_places(stem: Path, workbooks: bool) -> None:
    """Raise ResultsError where a result file could not take its place."""
    for path in result_paths(stem, workbooks).values():
        try:
            check_target(path)
        except UnsafeFile as unsafe:
            raise ResultsError(f"{path}: {unsafe.strerror}, or other --results") from None


async def _noted(journal: Journal, source: Source) -> list[_Stamp] | None:
    """Return what the journal has noted of its files; None where it notes nothing of any."""
    noted = await journal.kept(_NOTE)
    if noted is None:
        return None if journal.address_rule == 1 else []
    ours = noted["input"] == _input(journal, source)
    return noted["files"] if ours else []


def _input(journal: Journal, source: Source) -> str:
    name = source.name if source.path is None else str(source.path.absolute())
    return journal.digest({"input": name}).hex()


def result_paths(stem: Path, workbooks: bool = False) -> dict[str, Path]:
    """Return where the results of an import go: kind -> path."""
    kinds, suffix = ("created", "rejects", "unknown"), "xlsx" if workbooks else "csv"
    return {kind: stem.with_name(f"{stem.name}.{kind}.{suffix}") for kind in kinds}


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

    def __init__(
        self, source: Source, paths: Mapping[str, Path], journal: Journal, *, leniently: bool
    ) -> None:
        self._leniently = leniently
        self._source = source
        self._rows = source.rows()
        self._row_read: Row | None = None
        self._digest = journal.digest
        self._journal = journal
        ours = {
            "created": ("row", journal.words.id_name, "how"),
            "rejects": _REJECTED,
            "unknown": _UNKNOWN,
        }
        self._files = {kind: _File(path, source, ours[kind]) for kind, path in paths.items()}

    def add(self, entries: Sequence[Entry]) -> None:
        """Write the rows of some entries, which come in row order."""
        joined: dict[str, list[tuple[Row | None, list[str]]]] = {kind: [] for kind in self._files}
        for entry in entries:
            row = self._row(entry)
            line = entry.number if row is None else row.line
            joined[_KINDS[entry.state]].append((row, _told(entry, line, self._journal)))
        for kind, rows in joined.items():
            if rows:
                self._files[kind].write(rows)

    def _row(self, entry: Entry) -> Row | None:
        """Return the row of an entry; leniently, None for one that is not as it was."""
        number = entry.number
        try:
            while self._row_read is None or self._row_read.number < number:
                self._row_read = next(self._rows, None)
                if self._row_read is None:
                    break
        except (HomeboxError, OSError):
            if not self._leniently:
                raise
            self._rows, self._row_read = iter(()), None
        row = self._row_read
        if row is None or row.number != number or self._digest(row.cells) != entry.digest:
            if not self._leniently:
                place = self._source.places([number])
                raise ResultsError(
                    f"{self._source.name}: {place} is not as the journal has it;"
                    " restore the file and run the same import again"
                )
            return None
        return row

    def complete(self, noted: list[_Stamp] | None) -> list[_Stamp]:
        """Bring all files to the disk; return the stamps of those and of the older ones.

        `noted`: the stamps of the older ones, None where any file in their places is one.
        """
        stamps = [file.complete(noted) for file in self._files.values()]
        return [stamp for each in stamps for stamp in each]

    def place(self) -> dict[str, Path]:
        """Put all files in their places; return where those are."""
        placed = {kind: file.place() for kind, file in self._files.items()}
        return {kind: path for kind, path in placed.items() if path is not None}

    def discard(self) -> None:
        """Remove what has not been put in its place."""
        for file in self._files.values():
            file.discard()


def _told(entry: Entry, line: int, journal: Journal) -> list[str]:
    number = str(entry.number)
    if _KINDS[entry.state] == "created":
        return [number, str(entry.id or ""), _HOWS[entry.state]]
    if entry.state is State.REJECTED:
        return [number, str(line), entry.field, entry.error, entry.fix]
    when = entry.claimed_at
    sent = "" if when is None else dt.datetime.fromtimestamp(when, dt.UTC).isoformat("T", "seconds")
    error = entry.error or "no answer has come"
    fix = fix_of(entry, journal)
    return [number, str(line), entry.field, error, fix, entry.reference, sent]


def fix_of(entry: Entry, journal: Journal) -> str:
    """Return what to do about an unknown row, with the command that settles it."""
    fix = entry.fix or journal.words.fix
    if "homebox import" in fix:
        return fix
    command = journal.resolve_command(entry.number, "--is ID")
    return f"{fix}; once you know, run: {command} (or --not-there in place of --is ID)"


class _Lines:
    """Writes rows as CSV."""

    def __init__(self, file: BinaryIO, columns: Sequence[str]) -> None:
        self._file = file
        self.add([columns])

    def add(self, rows: Iterable[Sequence[str]]) -> None:
        """Add rows."""
        # By way of a text, so that the file is not asked to encode every row by itself.
        text = io.StringIO(newline="")
        csv.writer(text).writerows(map(_safe, rows))
        self._file.write(text.getvalue().encode())

    def close(self) -> None:
        """All is written already."""

    def discard(self) -> None:
        """Nothing is kept elsewhere."""


class _File:
    """One result file, written beside its place; it comes to be with its first row."""

    def __init__(self, path: Path, source: Source, ours: Sequence[str]) -> None:
        self._path = path
        self._input = source.path
        self._older: list[Path] = []
        dropped = _replaced(source.columns, ours)
        self._kept = [column for column in source.columns if column not in dropped]
        self._header = [*self._kept, *ours]
        self._make = WorkbookWriter if source.writes_workbooks else _Lines
        self._file: BinaryIO | None = None

    def write(self, rows: Iterable[tuple[Row | None, list[str]]]) -> None:
        """Add rows with what is told of each."""
        with self._named():
            if self._file is None:
                self._start()
            self._writer.add(self._cells(row) + told for row, told in rows)

    def _cells(self, row: Row | None) -> list[str]:
        if row is None:
            return [""] * len(self._kept)
        cells = [row.cells[column] for column in self._kept]
        if row.fault is not None:
            cells[0] = next(iter(row.cells.values()))  # the text of the row, never dropped
        return cells

    def complete(self, noted: list[_Stamp] | None) -> list[_Stamp]:
        """Bring all that was written to the disk, and find the older files, by their stamps."""
        with self._named():
            stamps = []
            if self._file is not None:
                self._writer.close()
                self._file.flush()
                os.fsync(self._file.fileno())
                self._file.close()
                stamps.append(_stamp(self._draft))
            numbered = f"{glob.escape(self._path.stem)}.[0-9]*{self._path.suffix}"
            for path in (self._path, *sorted(self._path.parent.glob(numbered))):
                if self._is_ours(path, noted):
                    self._older.append(path)
                    stamps.append(_stamp(path))
            return stamps

    def _is_ours(self, path: Path, noted: list[_Stamp] | None) -> bool:
        if not os.path.lexists(path) or not stat.S_ISREG(path.lstat().st_mode):
            return False
        if self._input is not None and path.samefile(self._input):
            return False
        return noted is None or _stamp(path) in noted

    def _names(self) -> Iterator[Path]:
        """Give the names that the file may have, in order."""
        yield self._path
        for number in itertools.count(2):
            yield self._path.with_suffix(f".{number}{self._path.suffix}")

    def place(self) -> Path | None:
        """Replace the older file, or take a free name; without rows, remove the older one."""
        with self._named():
            placed = None
            if self._file is not None:
                written = self._draft
                if self._older:
                    placed = self._older.pop(0)
                    written.replace(placed)
                else:
                    placed = next(path for path in self._names() if _moved(written, path))
                self._file = None
            for path in self._older:
                path.unlink(missing_ok=True)
            return placed

    def discard(self) -> None:
        """Remove the file if it is not in its place."""
        if self._file is not None:
            self._writer.discard()
            # Closing writes what is buffered, which fails again where the disk is full.
            with contextlib.suppress(OSError):
                self._file.close()
            with contextlib.suppress(OSError):
                self._draft.unlink()
            self._file = None

    def _start(self) -> None:
        with self._named():
            self._draft, descriptor = create_draft(self._path)
        self._file = os.fdopen(descriptor, "wb")
        self._writer = self._make(self._file, self._header)

    @contextlib.contextmanager
    def _named(self) -> Iterator[None]:
        try:
            yield
        except OSError as exc:
            raise ResultsError(
                f"{self._path}: cannot be written ({exc.strerror}); make room, or close it where it"
                " is open, or check the folder's permissions, then run the same import again"
            ) from exc


def _stamp(path: Path) -> _Stamp:
    status = path.lstat()
    return [status.st_size, status.st_mtime_ns]


def _moved(written: Path, path: Path) -> bool:
    """Give a file a name that nothing has; False if something has it."""
    try:
        os.link(written, path)
    except FileExistsError:
        return False
    except OSError:  # a file system without links
        try:
            os.close(os.open(path, os.O_CREAT | os.O_EXCL, 0o600))
        except FileExistsError:
            return False
        written.replace(path)
        return True
    written.unlink()
    return True


def _safe(cells: Sequence[str]) -> Sequence[str]:
    # Most rows need no look at each place in them.
    if _FIRST.isdisjoint([cell[:1] for cell in cells]) and not _ANYWHERE.search("".join(cells)):
        return cells
    return list(map(escape, cells))


def _replaced(columns: Collection[str], ours: Sequence[str]) -> set[str]:
    """Return the columns that an earlier result file added, or that ours would clash with."""
    names = set(ours)
    if set(_MARK) <= set(columns):
        names.update(_UNKNOWN)
    return names
