"""The state file: an append-only log of JSON lines, one for each committed change."""

import json
import os
import sys
from collections.abc import Iterator
from io import FileIO
from pathlib import Path
from typing import Any

from ..private_files import narrow, open_private
from .records import Record

_BEGINNING = b'[["account",['
"""How each state file begins: a first line that was cut off is ours only if it does."""

# json.dumps builds an encoder for each call that has options.
_encode = json.JSONEncoder(default=Record.values, separators=(",", ":")).encode


class StateError(ValueError):
    """The file given as `state` is not a state file of the emulator, or is damaged."""


class StateInUse(StateError):
    """Another emulator, of this process or another one, has the file given as `state` open."""


class StateLog:
    """Appends changes to a file so that they survive the death of the process.

    The file is locked as long as it is open, for two emulators would write over each other; the
    operating system lets go of it when the process ends, however it does. Raises StateInUse.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        # A rehearsal with a real portfolio leaves real names in it: no one else may read it.
        descriptor, _ = open_private(path, named=True)
        # Unbuffered: a line that the disk refuses must not be tried again when the file is closed.
        self._file = os.fdopen(descriptor, "r+b", buffering=0)
        try:
            _lock(self._file, path)
        except BaseException:
            self._file.close()
            raise

    def append(self, records: tuple[Record, ...]) -> None:
        """Write the records as one line: all of them survive, or none."""
        line = _encode([(record.table, record) for record in records])
        rest = memoryview(line.encode() + b"\n")
        end = self._file.seek(0, os.SEEK_END)
        try:
            while rest:  # with the operating system the line survives a kill of the process
                rest = rest[self._file.write(rest) :]
        except OSError:
            self._file.truncate(end)
            raise

    def close(self) -> None:
        """Close the file."""
        _unlock(self._file)
        self._file.close()

    def replay(self) -> Iterator[list[tuple[str, list[Any]]]]:
        """Yield the changes in the file, each as pairs of table and values.

        The file is not touched until all of them are known to be changes of an emulator. Then a
        last line without its end, which a crash has cut off, is removed.
        """
        path, end = self._path, 0
        with os.fdopen(os.dup(self._file.fileno()), "rb") as file:
            for number, line in enumerate(file, 1):
                if not line.endswith(b"\n") and (end or line.startswith(_BEGINNING)):
                    break
                try:
                    change = json.loads(line)
                    pairs = [(str(table), list(values)) for table, values in change]
                except (ValueError, TypeError, RecursionError):
                    raise StateError(
                        f"{path}: line {number} is not an emulator change; "
                        "give another file, or delete this one to start afresh"
                    ) from None
                yield pairs
                end += len(line)
        self._file.truncate(end)
        narrow(self._file.fileno())


def _lock(file: FileIO, path: Path) -> None:
    if sys.platform == "win32":
        return
    import fcntl

    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise StateInUse(
            f"{path}: another emulator is using it; wait for it, or give another file"
        ) from None


def _unlock(file: FileIO) -> None:
    if sys.platform == "win32":
        return
    import fcntl

    # Closing would do, but not where a forked child still has the file open.
    fcntl.flock(file, fcntl.LOCK_UN)
