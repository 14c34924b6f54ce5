"""Files that are safe to read and to write: for their owner only, no links, no devices.

To look at a file and to change it are two steps here: a file that was there before is not
written, cut or narrowed until its user knows from its content that it is its own.
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import select
import stat
import time
import warnings
from pathlib import Path

_NO_LINKS = getattr(os, "O_NOFOLLOW", 0)
_AT_ONCE = getattr(os, "O_NONBLOCK", 0)  # a pipe without a writer is opened without waiting for one
_BYTES = getattr(os, "O_BINARY", 0)
_PATIENCE = 5.0  # seconds that a pipe may take for its next bytes
_TRIES = 10  # a file that comes and goes between two looks is not waited for longer

_KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFLNK: "a symbolic link",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
}

_FOREIGN = "belongs to another user; delete it, or give another path"


class UnsafeFile(OSError):
    """A file that is not read or written, though the system would let us; `strerror` says why."""

    def __init__(self, path: str | os.PathLike[str], why: str) -> None:
        super().__init__(errno.EPERM, why, os.fspath(path))


def reason_of(error: OSError | ValueError) -> str:
    """Return why a file could not be used; a ValueError is a path that no file can have."""
    reason = error.strerror if isinstance(error, OSError) else None
    return reason or str(error)


def open_private(path: Path, *, named: bool, mode: int = 0o600) -> tuple[int, bool]:
    """Open a file for reading and writing; return its descriptor, and whether it is new.

    A new one is for its owner only, unless another `mode` lets the umask decide. One that is
    there is left as it is: once its content shows that it is the caller's, `narrow` closes it to
    others.
    `named`: whether the user named the path. Any other path has to be a file of our own, without
    a link; for a named one, another owner is worth a warning.
    Raises UnsafeFile for anything but a regular file, OSError.
    """
    no_links = 0 if named else _NO_LINKS
    for _ in range(_TRIES):
        try:
            # Before it is opened: to open a device may do something already.
            _check_kind(path, path.stat(follow_symlinks=named))
            descriptor = os.open(path, os.O_RDWR | _AT_ONCE | _BYTES | no_links)
        except FileNotFoundError:
            if os.path.lexists(path) and not path.exists():
                raise UnsafeFile(path, "is a symbolic link that leads nowhere") from None
            try:
                return os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | _BYTES, mode), True
            except FileExistsError:
                continue
        try:
            _check_owner(path, descriptor, named)
        except BaseException:
            os.close(descriptor)
            raise
        return descriptor, False
    raise UnsafeFile(path, "comes and goes; give another path")


def make_private(path: Path, magic: tuple[int, bytes], *, named: bool) -> None:
    """Make a file for SQLite if it is missing, and narrow one that is ours.

    `magic`: at which byte its header has which bytes. `named`: as for `open_private`.
    A file that is private already is not opened: to close it would undo the locks that SQLite
    may hold on it in this process.
    """
    with contextlib.suppress(FileNotFoundError):
        status = path.stat(follow_symlinks=named)
        _check_kind(path, status)
        if hasattr(os, "getuid") and status.st_uid == os.getuid() and not status.st_mode & 0o077:
            return
    descriptor, _ = open_private(path, named=named)
    try:
        start, text = magic
        header = os.read(descriptor, start + len(text))
        if not header or header[start:] == text:
            narrow(descriptor)
    finally:
        os.close(descriptor)


def check_writable(path: Path) -> None:
    """Raise OSError where a file, or what is in a folder, cannot be changed.

    Nothing is opened, so that the locks that SQLite may hold on it in this process stay.
    """
    if os.access(path, os.W_OK, effective_ids=os.access in os.supports_effective_ids):
        return
    read_only = hasattr(os, "statvfs") and os.statvfs(path).f_flag & os.ST_RDONLY
    code = errno.EROFS if read_only else errno.EACCES
    raise OSError(code, os.strerror(code), os.fspath(path))


def check_own(path: Path) -> None:
    """Raise UnsafeFile where a path that the user did not name is a link or another user's file.

    Such a path is one that others can guess, and can have put something at.
    """
    if check_target(path) and hasattr(os, "getuid") and path.lstat().st_uid != os.getuid():
        raise UnsafeFile(path, _FOREIGN)


def narrow(descriptor: int) -> None:
    """Close a file to others, if it is ours."""
    if hasattr(os, "fchmod"):
        status = os.fstat(descriptor)
        if status.st_uid == os.getuid() and stat.S_IMODE(status.st_mode) & 0o077:
            os.fchmod(descriptor, 0o600)


def _check_kind(path: Path, status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise UnsafeFile(path, f"is {_kind(status)}; give the path of a file")


def _kind(status: os.stat_result) -> str:
    return _KINDS.get(stat.S_IFMT(status.st_mode), "no file")


def _check_owner(path: Path, descriptor: int, named: bool) -> None:
    status = os.fstat(descriptor)
    _check_kind(path, status)
    if not hasattr(os, "getuid") or status.st_uid == os.getuid():
        return
    if not named:
        raise UnsafeFile(path, _FOREIGN)
    warnings.warn(f"{path}: belongs to another user, who may read it", UserWarning, stacklevel=4)


def create_draft(target: Path, *, private: bool = False) -> tuple[Path, int]:
    """Make a new file in the folder of a target, which it replaces once it is whole.

    Its name is random. Its mode follows the umask unless it is `private`.
    """
    path = target.with_name(f".{secrets.token_hex(8)}.tmp")
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | _NO_LINKS | _BYTES
    return path, os.open(path, flags, 0o600 if private else 0o666)


def check_target(path: Path) -> bool:
    """Return whether there is a file in a place where one is to be put.

    Raises UnsafeFile for anything else that is there: a device, a pipe or a folder is not
    replaced, and neither is a link, which is not what its user would lose.
    """
    try:
        status = path.lstat()
    except FileNotFoundError:
        return False
    _check_kind(path, status)
    return True


def read_bounded(path: str | os.PathLike[str], most: int) -> tuple[os.stat_result, bytes]:
    """Return what is known of a file, and its content: one byte more than `most` at the most.

    A pipe is read, as a shell hands out a secret, but not waited for without end. Raises
    UnsafeFile for devices and folders, OSError.
    """
    _check_readable(path, Path(path).stat())
    descriptor = os.open(path, os.O_RDONLY | _AT_ONCE | _BYTES)
    try:
        status = os.fstat(descriptor)
        _check_readable(path, status)
        content = b""
        while len(content) <= most and (
            block := _read(path, descriptor, status, most + 1 - len(content))
        ):
            content += block
        return status, content
    finally:
        os.close(descriptor)


def is_writable_by_others(status: os.stat_result) -> bool:
    """Return True if someone else than the user and the system's own may change a file.

    Never for root: into containers, files of any owner and mode are mounted.
    """
    if not hasattr(os, "getuid") or not stat.S_ISREG(status.st_mode) or os.getuid() == 0:
        return False
    return status.st_uid not in (0, os.getuid()) or bool(status.st_mode & 0o022)


def _check_readable(path: str | os.PathLike[str], status: os.stat_result) -> None:
    if not (stat.S_ISREG(status.st_mode) or stat.S_ISFIFO(status.st_mode)):
        raise UnsafeFile(path, f"it is {_kind(status)}")


def _read(
    path: str | os.PathLike[str], descriptor: int, status: os.stat_result, size: int
) -> bytes:
    ends = time.monotonic() + _PATIENCE
    while True:
        if stat.S_ISFIFO(status.st_mode):
            ready, _, _ = select.select([descriptor], [], [], max(0, ends - time.monotonic()))
            if not ready:
                raise UnsafeFile(path, f"it is a pipe into which nothing came for {_PATIENCE:g} s")
        try:
            return os.read(descriptor, size)
        except BlockingIOError:  # another reader was faster
            continue
