"""Files that callers give: what they are is told by their first bytes, not by their names."""

from __future__ import annotations

from pathlib import Path
from typing import Any, BinaryIO

from .errors import Problem
from .rules import UNSET
from .wire import Upload

AnyFile = bytes | Path | BinaryIO | Upload

IMAGE = ("image/",)
IMAGE_OR_PDF = ("image/", "application/pdf")
_HEAD = 512  # bytes that tell what a file is


def as_upload(
    name: str, value: Any, accept: tuple[str, ...] = IMAGE
) -> tuple[Upload | Any, list[Problem]]:
    """Make an `Upload` of bytes, a path or an open file, with what is wrong with it.

    The content tells the type, which has to begin with one of `accept`; an `Upload` is taken at
    its word.
    """
    if value is UNSET or isinstance(value, Upload):
        return value, []
    try:
        head, filename = _head(value), _filename(value)
    except ValueError as wrong:
        problem, _, fix = str(wrong).partition("; ")
        return value, [Problem(name, problem, fix)]
    import filetype  # 46 ms: start-up shall not pay for it

    kind = filetype.guess(head) if head else None
    if kind is None or not kind.mime.startswith(accept):
        wanted = "an image or a PDF" if accept is IMAGE_OR_PDF else "an image"
        fix = f"give {wanted}, or an Upload that names its content_type"
        return value, [Problem(name, f"is not {wanted}" if head else "is empty", fix)]
    filename = filename or name
    if not Path(filename).suffix:
        filename += f".{kind.extension}"
    return Upload(value, filename, kind.mime), []


def _head(value: Any) -> bytes:
    """Return a file's first bytes and leave it as it was; ValueError says what is wrong."""
    if isinstance(value, bytes):
        return value[:_HEAD]
    if isinstance(value, Path):
        if not value.is_file():
            raise ValueError("is not a file; give the path of one that exists")
        try:
            with value.open("rb") as file:
                return file.read(_HEAD)
        except OSError:
            raise ValueError("cannot be read; check who may read it") from None
    if not hasattr(value, "read"):
        raise ValueError(f"is {type(value).__name__}; give bytes, a Path or an open file")
    if not value.seekable():
        raise ValueError("cannot be read a second time; give bytes, a Path or a seekable file")
    start = value.tell()
    head = value.read(_HEAD)
    value.seek(start)
    if not isinstance(head, bytes):
        raise ValueError("is open as text; open it in binary mode")
    return head


def _filename(value: Any) -> str:
    named = value.name if isinstance(value, Path) else getattr(value, "name", None)
    return Path(named).name if isinstance(named, str) else ""
