"""The part file of an export, and the state from which it resumes.

`FILE.part` holds what has been written, `FILE.part.json` says how much of it counts. The state
is replaced in one step after the bytes it speaks of are on the disk, so after a crash the part
is cut back to the last state. FILE comes to be by a rename.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO, Protocol

import attrs
import msgspec

from ..errors import HomeboxError
from ..private_files import UnsafeFile, check_target, create_draft, open_private
from .formats import Format

_EVERY = 0.5  # seconds between two states


class ExportError(HomeboxError):
    """The file of an export, or the part that an earlier run has left, cannot be used."""


@attrs.define
class State:
    """How far an export is: `empty` are the orders or properties that have no rows.

    `whole` is True once there is nothing more to read. `reason` says why something may be
    missing then, "" if nothing is.
    """

    rows: int = 0
    before_since: int = 0
    undated: int = 0
    gone: int = 0
    bytes: int = 0
    empty: list[int] = attrs.field(factory=list)
    whole: bool = False
    reason: str = ""


@attrs.frozen
class _Saved:
    """What the file of a state holds."""

    what: dict[str, Any]
    state: State


class Place(Protocol):
    """Where rows go."""

    state: State

    def write(self, data: bytes) -> None:
        """Add some bytes."""

    def save(self, *, now: bool = False) -> None:
        """Let what has been written count, if it is time or `now`."""


class Stream:
    """A stream, which nothing goes on from."""

    def __init__(self, stream: BinaryIO) -> None:
        self.state = State()
        self._stream = stream

    def write(self, data: bytes) -> None:
        """Add some bytes."""
        self._stream.write(data)

    def save(self, *, now: bool = False) -> None:
        """Hand on what has been written."""
        self._stream.flush()


class PartFile:
    """The part of an export to a file; `resumed` tells whether an earlier run has left it.

    `what` says what is exported; a part of anything else is refused.
    """

    def __init__(
        self, path: Path, what: Mapping[str, Any], *, restart: bool, overwrite: bool
    ) -> None:
        self.path = path
        self.part = path.with_name(path.name + ".part")
        self._state_path = path.with_name(path.name + ".part.json")
        self._what = dict(what)
        self._overwrite = overwrite
        self._made: Path | None = None
        if path.is_dir():
            raise ExportError(f"{path}: is a folder; give the export a file name")
        if not path.parent.is_dir():
            raise ExportError(f"{path}: there is no folder {path.parent}; make it first")
        self._check_place()
        with _named(self.part):
            # Its name can be guessed: it is a file of our own, or none.
            descriptor, is_new = open_private(self.part, named=False, mode=0o666)
        self._file = os.fdopen(descriptor, "r+b")
        try:
            # Before anything is read or changed: another run may be at it.
            _lock(self._file, self.part)
            # Without its part, a state is what a run has left that was whole.
            found = None if is_new or restart else self._load()
            self.resumed = found is not None
            self.state = found or State()
            with _named(self.part):
                if os.fstat(self._file.fileno()).st_size < self.state.bytes:
                    raise ExportError(
                        f"{self.part}: is shorter than its state says; start again with restart"
                    )
                self._file.truncate(self.state.bytes)
                self._file.seek(0, os.SEEK_END)
            self._write_state()
        except BaseException:
            self._file.close()
            raise
        self._saved = time.monotonic()

    def write(self, data: bytes) -> None:
        """Add some bytes; they count from the next `save` on."""
        with _named(self.part):
            self._file.write(data)
        self.state.bytes += len(data)

    def save(self, *, now: bool = False) -> None:
        """Let what has been written count, if it is time or `now`."""
        if not now and time.monotonic() - self._saved < _EVERY:
            return
        with _named(self.part):
            self._file.flush()
            os.fsync(self._file.fileno())
        self._write_state()
        self._saved = time.monotonic()

    def finish(self, made: Path | None) -> None:
        """Put the part, or what was made of it, in its place and forget the state."""
        self._check_place()
        if sys.platform == "win32":
            self._file.close()  # no open file is moved there; elsewhere its lock is kept
        with _named(self.path):
            (made or self.part).replace(self.path)
            self._made = None
            if made is not None:
                self.part.unlink()
            self._state_path.unlink()

    def clear(self) -> None:
        """Drop what has been written."""
        with _named(self.part):
            self._file.seek(0)
            self._file.truncate()
        self.state = State()
        self._write_state()

    def close(self) -> None:
        """Let go of the part."""
        # Closing writes what is buffered, which fails again where the disk is full.
        with contextlib.suppress(OSError):
            self._file.close()
        if self._made is not None:
            with contextlib.suppress(OSError):
                self._made.unlink()

    @contextlib.contextmanager
    def converted(self) -> Iterator[tuple[Path, BinaryIO]]:
        """Give a file that is to take the place, written through to the disk in the end."""
        with self._draft(self.path) as (path, file):
            self._made = path
            yield path, file

    @contextlib.contextmanager
    def _draft(self, target: Path) -> Iterator[tuple[Path, BinaryIO]]:
        with _named(target):
            path, descriptor = create_draft(target)
            try:
                with os.fdopen(descriptor, "wb") as file:
                    yield path, file
                    file.flush()
                    os.fsync(file.fileno())
            except BaseException:
                path.unlink(missing_ok=True)
                raise

    def _check_place(self) -> None:
        """Refuse what must not be replaced."""
        try:
            is_there = check_target(self.path)
        except UnsafeFile as unsafe:
            raise ExportError(f"{self.path}: {unsafe.strerror}; - is stdout") from None
        if is_there and not self._overwrite:
            raise ExportError(
                f"{self.path}: is there already; give --overwrite (overwrite=True) to replace it,"
                " or another file"
            )

    def _load(self) -> State | None:
        try:
            with _named(self._state_path):
                check_target(self._state_path)
            saved = msgspec.json.decode(self._state_path.read_bytes(), type=_Saved)
            what, state = saved.what, saved.state
            if min(state.rows, state.bytes) < 0:
                raise ValueError
        except FileNotFoundError:
            if self.part.stat().st_size:
                raise ExportError(
                    f"{self.part}: is there already and no part of an export; move it away, or"
                    " give another file"
                ) from None
            return None
        except (ValueError, RecursionError):
            raise ExportError(
                f"{self._state_path}: cannot be read; start again with restart"
            ) from None
        if what != self._what:
            names = [name for name in self._what if what.get(name) != self._what[name]]
            raise ExportError(
                f"{self.part}: belongs to another export (other {', '.join(names)}); finish that"
                " one, give another file, or drop it with restart"
            )
        return state

    def _write_state(self) -> None:
        text = json.dumps({"what": self._what, "state": attrs.asdict(self.state)})
        with _named(self._state_path):
            check_target(self._state_path)
            with self._draft(self._state_path) as (draft, file):
                file.write(text.encode())
            draft.replace(self._state_path)


def _lock(file: BinaryIO, path: Path) -> None:
    if sys.platform == "win32":
        return
    import fcntl

    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise ExportError(
            f"{path}: another export is writing it; wait for it, or give another file"
        ) from None


@contextlib.contextmanager
def _named(path: Path) -> Iterator[None]:
    """Let an error of the system name the file."""
    try:
        yield
    except OSError as error:
        if error.filename is None:
            error.filename = str(path)
        raise


def keys_of(place: PartFile, form: Format) -> Iterator[int]:
    """Give the keys of the rows that count."""
    with place.part.open("rb") as file:
        yield from form.keys(file)
