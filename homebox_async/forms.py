"""What a form is made of for one attempt: aiohttp's own, and the files that are opened for it."""

from __future__ import annotations

import contextlib
import io
from pathlib import Path
from typing import BinaryIO

import aiohttp

from .errors import Problem, ValidationError
from .wire import FormBody, Upload


class Files:
    """Builds a form for one attempt and closes what it opened for it."""

    def __init__(self) -> None:
        self._stack = contextlib.ExitStack()

    def close(self) -> None:
        """Close the files."""
        self._stack.close()

    def form(self, body: FormBody) -> aiohttp.FormData:
        """Return the form as aiohttp takes it."""
        form = aiohttp.FormData(default_to_multipart=True)
        for name, value in body.fields:
            form.add_field(name, value)
        for name, upload in body.files:
            try:
                content = self._opened(upload)
            except (OSError, ValueError) as broken:
                wrong = f"cannot be read any more ({type(broken).__name__})"
                fix = "keep the file where it is, and open, until the call has ended"
                raise ValidationError([Problem(name, wrong, fix)]) from None
            form.add_field(
                name,
                content,
                filename=upload.filename,
                content_type=upload.content_type,
            )
        return form

    def _opened(self, upload: Upload) -> BinaryIO:
        content = upload.content
        if isinstance(content, bytes):
            return io.BytesIO(content)
        if isinstance(content, Path):
            return self._stack.enter_context(content.open("rb"))
        return _Borrowed(content, upload.start)


class _Borrowed(io.RawIOBase, BinaryIO):
    """The caller's open file, read from where it stood at first and left open.

    aiohttp closes what it has sent, which would make a second attempt impossible.
    """

    def __init__(self, file: BinaryIO, start: int) -> None:
        self._file = file
        self._file.seek(start)

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        return self._file.read(size)

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def fileno(self) -> int:
        return self._file.fileno()
