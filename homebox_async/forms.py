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

    def form(self, body: FormBody) -> aiohttp.MultipartWriter:
        """Return the form as aiohttp sends it."""
        form = aiohttp.MultipartWriter("form-data")
        for name, value in body.fields:
            _add(form, aiohttp.get_payload(value), name)
        for name, upload in body.files:
            try:
                content = self._opened(upload)
            except (OSError, ValueError) as broken:
                wrong = f"cannot be read any more ({type(broken).__name__})"
                fix = "keep the file where it is, and open, until the call has ended"
                raise ValidationError([Problem(name, wrong, fix)]) from None
            part = aiohttp.get_payload(content, content_type=upload.content_type)
            _add(form, part, name, upload.filename)
        return form

    def _opened(self, upload: Upload) -> BinaryIO:
        content = upload.content
        if isinstance(content, bytes):
            return io.BytesIO(content)
        if isinstance(content, Path):
            return self._stack.enter_context(content.open("rb"))
        return _Borrowed(content, upload.start)


def _add(
    form: aiohttp.MultipartWriter, part: aiohttp.Payload, name: str, filename: str | None = None
) -> None:
    """Add a part with the names in its header as the HTML standard writes them, in UTF-8.

    aiohttp would percent-encode a file's name, which servers take for the name itself.
    """
    said = f'form-data; name="{_escaped(name)}"'
    if filename is not None:
        said += f'; filename="{_escaped(filename)}"'
    assert part.headers is not None
    part.headers["Content-Disposition"] = said
    part.headers.popall("Content-Length", None)
    form.append_payload(part)


def _escaped(name: str) -> str:
    return name.replace('"', "%22")  # `wire` refuses line breaks


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
