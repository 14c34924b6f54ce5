"""Where ledgers are kept: the folder, its key, and whether locks hold there."""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import sys
import time
from pathlib import Path
from typing import Final

from ..identity import IN_MEMORY
from ..private_files import create_draft, make_private
from .ledger_store import APPLICATION, KEPT, LedgerStore
from .ledger_values import LedgerError

VARIABLE: Final = "HOMEBOX_STATE"
EMULATORS: Final = "emulators"
"""The folder, inside that of the ledgers, for those of emulators."""

_DAY = 86_400.0
# Of an emulator in memory, long after anyone can have used it; of one with a state file, when all
# entries have ended.
_GONE_AFTER = {f"*{IN_MEMORY}.ledger": 7 * _DAY, "*.ledger": KEPT}
_KEY = "ledger.key"
_KEY_BYTES = 32
# Of file systems on this machine, where SQLite's write-ahead log holds.
_LOCAL = {
    *("apfs", "bcachefs", "btrfs", "ext2", "ext3", "ext4", "f2fs", "jfs", "overlay", "ramfs"),
    *("reiserfs", "tmpfs", "ufs", "xfs", "zfs"),
}


def named_folder(given: Path | None) -> Path | None:
    """Return the folder that the user has named, by an option or the environment."""
    if given is not None:
        return given.expanduser()
    named = os.environ.get(VARIABLE)
    return Path(named).expanduser() if named else None


def default_folder() -> Path:
    """Return the platform's folder for what programs remember of a user."""
    from platformdirs import user_state_path

    return user_state_path("homebox", appauthor=False)


def open_store(folder: Path, account: str, emulator: str) -> LedgerStore:
    """Open the ledger of an account in a folder, both made if they are missing.

    `emulator`: what the ledger of an emulator is called, "" for any other server.
    Raises LedgerError where no ledger can be kept.
    """
    try:
        path = ledger_path(folder, account, emulator)
        _make_folder(path.parent)
        if emulator:
            _sweep(path.parent)
        key = _key_of(folder)
        shared = not _is_local(folder)
        if shared:
            _check_locks(folder)
        # Others on this machine need not read what was sent when.
        make_private(path, (68, APPLICATION.to_bytes(4)), named=False)
    except OSError as error:
        raise LedgerError(
            f"{folder}: no ledger can be kept there ({error.strerror or error}); name a folder"
            f" that can be written, with --ledger or {VARIABLE}"
        ) from error
    return LedgerStore.open(path, key, account, shared=shared)


def ledger_path(folder: Path, account: str, emulator: str) -> Path:
    """Return the file of an account's ledger."""
    name = emulator or hashlib.sha256(account.encode()).hexdigest()[:16]
    return (folder / EMULATORS if emulator else folder) / f"{name}.ledger"


def _sweep(folder: Path) -> None:
    """Delete the ledgers of emulators that are gone."""
    for pattern, age in _GONE_AFTER.items():
        for path in folder.glob(pattern):
            files = [path.with_name(path.name + end) for end in ("", "-wal", "-shm")]
            with contextlib.suppress(OSError):
                if time.time() - max(each.stat().st_mtime for each in files if each.exists()) > age:
                    for each in files:
                        each.unlink(missing_ok=True)


def _make_folder(folder: Path) -> None:
    if not folder.is_dir():
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def _key_of(folder: Path) -> bytes:
    """Return the key of a folder's hashes, drawn if there is none yet."""
    path = folder / _KEY
    if not path.exists():
        # Complete before it has its name: another process may look for it right now.
        draft, descriptor = create_draft(path, private=True)
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_bytes(_KEY_BYTES))
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, path)
        except FileExistsError:
            pass  # drawn by another process, and the same for both from now on
        except OSError:  # a file system without links
            if not path.exists():
                draft.rename(path)
        finally:
            draft.unlink(missing_ok=True)
    key = path.read_bytes()
    if len(key) != _KEY_BYTES:
        raise LedgerError(
            f"{path}: is damaged; restore it from a backup, or move the folder away (what the"
            " ledgers in it know is then asked of Homebox)"
        )
    return key


def _is_local(folder: Path) -> bool:
    """Return whether a folder is certainly on a disk of this machine."""
    if not sys.platform.startswith("linux"):
        # No means to ask in the standard library: what the user did not name is at home.
        return folder == default_folder()
    device = f"{os.major(folder.stat().st_dev)}:{os.minor(folder.stat().st_dev)}"
    try:
        mounts = Path("/proc/self/mountinfo").read_text()
    except OSError:
        return False
    for line in mounts.splitlines():
        place, _, kind = line.partition(" - ")
        if place.split()[2] == device:
            return kind.split()[0] in _LOCAL
    # The sub-volumes of some file systems have devices of their own, and no line of their own.
    return _kind_of_parent(folder.resolve(), mounts) in _LOCAL


def _kind_of_parent(folder: Path, mounts: str) -> str:
    """Return the kind of file system that is mounted nearest above a folder."""
    nearest, found = "", ""
    for line in mounts.splitlines():
        place, _, kind = line.partition(" - ")
        point = place.split()[4].encode().decode("unicode_escape")
        if folder.is_relative_to(point) and len(point) >= len(nearest):
            nearest, found = point, kind.split()[0]
    return found


def _check_locks(folder: Path) -> None:
    """Raise LedgerError where two that lock the same file both succeed."""
    if sys.platform == "win32":
        return  # its shares have no files without locks
    import fcntl

    lock, length = getattr(fcntl, "F_OFD_SETLK", None), 1
    if lock is None:
        return  # only between processes, where SQLite's own error is the test
    import struct

    # A lock of the open file, not of the process: so one process can play both.
    wanted = struct.pack("hhqqi", fcntl.F_WRLCK, os.SEEK_SET, 0, length, 0)
    path = folder / f".lock-test.{secrets.token_hex(8)}"
    with path.open("w+b") as first, path.open("r+b") as second:
        try:
            fcntl.fcntl(first, lock, wanted)
            held = True
        except OSError:
            held = False
        if held:
            try:
                fcntl.fcntl(second, lock, wanted)
                held = False
            except (BlockingIOError, PermissionError):
                pass
        path.unlink()
    if not held:
        raise LedgerError(
            f"{folder}: files are not locked there, so that two imports would not see each other;"
            f" name another folder with --ledger or {VARIABLE}"
        )
