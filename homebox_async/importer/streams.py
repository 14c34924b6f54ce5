"""Inputs that cannot be read again from their start, copied to temporary files that can."""

from __future__ import annotations

import contextlib
import gzip
import tempfile
import zlib
from collections.abc import Iterator
from typing import BinaryIO, Protocol

from .contents import SourceError

_CHUNK = 1 << 18
_MOST = 4 << 30  # bytes that an input may unpack to


class Readable(Protocol):
    """What gives bytes."""

    def read(self, size: int = -1, /) -> bytes:
        """Return some bytes, none at the end."""
        ...


def unpacked(file: BinaryIO, name: str) -> BinaryIO:
    """Return what is inside a gzip file."""
    file.seek(0)
    try:
        with gzip.GzipFile(fileobj=file) as stream:
            return copied(stream, name)
    except (gzip.BadGzipFile, EOFError, zlib.error):
        raise SourceError(
            f"{name}: is a damaged or incomplete gzip file; copy or download it again"
        ) from None


def copied(stream: Readable, name: str) -> BinaryIO:
    """Return a private temporary file, which has no name, with all that a stream gives."""
    with _kept(name):
        file: BinaryIO = tempfile.TemporaryFile(prefix="homebox-")  # noqa: SIM115
    size = 0
    try:
        while chunk := stream.read(_CHUNK):
            size += len(chunk)
            if size > _MOST:
                raise SourceError(
                    f"{name}: is more than {_MOST >> 30} GB unpacked; split it into several files"
                )
            with _kept(name):
                file.write(chunk)
        with _kept(name):
            file.flush()
    except BaseException:
        # After a full disk, what is still buffered cannot be written at closing either.
        with contextlib.suppress(OSError):
            file.close()
        raise
    return file


@contextlib.contextmanager
def _kept(name: str) -> Iterator[None]:
    try:
        yield
    except OSError as exc:
        raise SourceError(
            f"{name}: cannot be kept in {tempfile.gettempdir()} ({exc.strerror}); make room there,"
            " or set TMPDIR to another folder"
        ) from exc
