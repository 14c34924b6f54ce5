"""Files that callers give: what they are is told by their first bytes, not by their names."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any, BinaryIO

from .errors import Problem
from .loading import STARTING
from .rules import UNSET
from .wire import Upload, upload_problems

AnyFile = bytes | Path | BinaryIO | Upload

IMAGE = ("image/",)
IMAGE_OR_PDF = ("image/", "application/pdf")
_HEAD = 512  # bytes that tell what a file is


def as_upload(
    name: str, value: Any, accept: tuple[str, ...] = IMAGE
) -> tuple[Upload | Any, list[Problem]]:
    """Make an `Upload` of bytes, a path or an open file, with what is wrong with it.

    The content tells the type, which has to begin with one of `accept`; an `Upload` is taken at
    its word, but has to be readable as well.
    """
    if value is UNSET:
        return value, []
    try:
        head = _head(value.content if isinstance(value, Upload) else value)
    except _Unfit as unfit:
        return value, [Problem(name, *unfit.args)]
    if isinstance(value, Upload):
        return value, list(upload_problems(name, value))
    filename = _filename(value)
    with STARTING:
        import filetype  # 46 ms: start-up shall not pay for it

    kind = filetype.guess(head) if head else None
    if kind is None or not kind.mime.startswith(accept):
        wanted = "an image or a PDF" if accept is IMAGE_OR_PDF else "an image"
        fix = f"give {wanted}, or an Upload that names its content_type"
        return value, [Problem(name, f"is not {wanted}" if head else "is empty", fix)]
    filename = filename or name
    if not Path(filename).suffix:
        filename += f".{kind.extension}"
    upload = Upload(value, filename, kind.mime)
    return upload, list(upload_problems(name, upload))


class _Unfit(Exception):
    """A file that cannot be sent: what is wrong with it, and what to do."""


def _head(value: Any) -> bytes:
    """Return a file's first bytes and leave it as it was; _Unfit says what is wrong."""
    if isinstance(value, bytes):
        return value[:_HEAD]
    if isinstance(value, Path):
        try:
            if not value.is_file():
                raise _Unfit("is not a file", "give the path of one that exists")
            with value.open("rb") as file:
                return file.read(_HEAD)
        except (OSError, ValueError):
            raise _Unfit("cannot be read", "check who may read it") from None
    wanted = "give bytes, a Path or a file opened in binary mode"
    if not hasattr(value, "read"):
        raise _Unfit(f"is {type(value).__name__}", wanted)
    if isinstance(value, io.TextIOBase):
        raise _Unfit("is open as text", wanted)
    try:
        start = value.tell()
        value.seek(start)
    except (OSError, ValueError):  # a pipe, or a file that is closed
        raise _Unfit("cannot be read more than once", "give bytes or a Path") from None
    try:
        head = value.read(_HEAD)
        value.seek(start)
    except (OSError, ValueError):
        raise _Unfit("cannot be read", "give one that was opened for reading") from None
    if not isinstance(head, bytes):
        raise _Unfit("is open as text", wanted)
    return head


def _filename(value: Any) -> str:
    named = value.name if isinstance(value, Path) else getattr(value, "name", None)
    return Path(named).name if isinstance(named, str) else ""
