"""Files that the API answers with: taken chunk by chunk, or saved whole or not at all."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator, Awaitable, Callable
from pathlib import Path
from types import TracebackType
from typing import Any

from .private_files import UnsafeFile, check_target, create_draft
from .tracebacks import clean, clear_locals
from .wire import Incoming, Receive

Progress = Callable[[int, int | None], None]

_PDF = b"%PDF-"
_TAIL = 1024  # bytes within which readers look for %%EOF
_BLOCK = 256 * 1024  # bytes written at once, in another thread


class Download:
    """A PDF that is fetched when it is iterated or saved, each time anew.

    ::

        await download.save("bills/")
        async for chunk in download: ...

    An answer that does not begin as a PDF raises AnswerUnusable before a byte of it is handed
    out; so does, at its end, one that may have been cut off: it has neither a length nor chunks,
    and no %%EOF in its last 1,024 bytes. `max_document` of the client bounds its size. `timeout` is
    for the answer's head and again for each chunk, `deadline` for the whole, with what the
    caller does between two chunks.
    """

    def __init__(self, fetch: Callable[[Receive], Awaitable[Any]], filename: str) -> None:
        self._fetch = fetch
        self.filename = filename

    async def __aiter__(self) -> AsyncGenerator[bytes, None]:
        """Yield the content in chunks as they come.

        A failure is tried again until the first chunk is there; after that it comes out, for
        what was handed out cannot be taken back.
        """
        incoming = chunk = end = None
        try:
            chunk, incoming = await self._fetch(_opened)
            end = _End(chunk)
            yield chunk
            async for chunk in incoming:
                end.add(chunk)
                yield chunk
            end.check(incoming)
        except BaseException as error:
            del chunk, end  # the document is personal, and this frame runs
            clear_locals(error)
            raise
        finally:
            if incoming is not None:
                await incoming.aclose()

    @clean
    async def save(
        self,
        path: str | os.PathLike[str],
        *,
        overwrite: bool = False,
        progress: Progress | None = None,
    ) -> Path:
        """Save the document and return where it is.

        `path`: a file, or a folder that exists, where it gets the name `filename`; the server
        never names it. Links, devices and pipes are refused. It is written beside its place
        under another name and moved there once all of it is on the disk: a failure or
        Ctrl-C leaves nothing behind, or in its last moment the whole file. A failed attempt
        begins again from the first byte.
        `overwrite`: whether an existing file may be replaced. `progress`: called with the bytes
        that have come and their total, None where the server does not tell; it begins again
        with each attempt.
        Raises FileExistsError, before anything is sent where it can, OSError where it cannot be
        written, RequestError for a failed download.
        """
        with _Partial(Path(path), self.filename, overwrite) as partial:
            await self._fetch(lambda incoming: _receive(incoming, partial, progress))
            return await asyncio.to_thread(partial.commit)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.filename}>"


async def _opened(incoming: Incoming) -> tuple[bytes, Incoming]:
    """Read until the content shows what it is."""
    head = b""
    async for chunk in incoming:
        head += chunk
        if len(head) >= len(_PDF):
            break
    if not head.startswith(_PDF):
        raise incoming.unusable("is not a PDF" if head else "is empty")
    return head, incoming


async def _receive(incoming: Incoming, partial: _Partial, progress: Progress | None) -> None:
    try:
        await asyncio.to_thread(partial.restart)
        head, _ = await _opened(incoming)
        block, size, end = bytearray(head), len(head), _End(head)
        if progress is not None:
            progress(size, incoming.total)
        async for chunk in incoming:
            block += chunk
            size += len(chunk)
            end.add(chunk)
            if len(block) >= _BLOCK:
                await asyncio.to_thread(partial.write, bytes(block))
                block.clear()
            if progress is not None:
                progress(size, incoming.total)
        end.check(incoming)
        await asyncio.to_thread(partial.write, bytes(block))
    finally:
        await incoming.aclose()


class _End:
    """The last bytes of a PDF, which tell whether it is whole where HTTP does not."""

    def __init__(self, head: bytes) -> None:
        self._tail = head

    def add(self, chunk: bytes) -> None:
        self._tail = (self._tail + chunk if len(chunk) < _TAIL else chunk)[-_TAIL:]

    def check(self, incoming: Incoming) -> None:
        if not incoming.framed and b"%%EOF" not in self._tail[-_TAIL:]:
            raise incoming.unusable("is cut off: it does not end as a PDF does")


class _Partial:
    """A file in the making, beside the place where it will stand. Used from worker threads."""

    def __init__(self, path: Path, filename: str, overwrite: bool) -> None:
        self._target = path / filename if path.is_dir() else path
        self._overwrite = overwrite
        self._check_place()
        self._path, descriptor = create_draft(self._target)
        self._file = os.fdopen(descriptor, "wb")

    def restart(self) -> None:
        """Forget what an earlier attempt has written."""
        self._file.seek(0)
        self._file.truncate()

    def write(self, block: bytes) -> None:
        """Add bytes at the end."""
        self._file.write(block)

    def commit(self) -> Path:
        """Put the file in its place, once it is on the disk."""
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        if not self._overwrite:
            try:
                # Unlike a move, a link never replaces a file that has come into being meanwhile.
                self._target.hardlink_to(self._path)
                return self._target
            except FileExistsError:
                raise
            except OSError:  # a file system without links: look, then move
                pass
        self._check_place()
        self._path.replace(self._target)
        return self._target

    def _check_place(self) -> None:
        try:
            is_there = check_target(self._target)
        except UnsafeFile as unsafe:
            raise FileExistsError(f"{self._target}: {unsafe.strerror}") from None
        if is_there and not self._overwrite:
            raise FileExistsError(f"{self._target} exists; pass overwrite=True or another path")

    def __enter__(self) -> _Partial:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            self._file.close()
        finally:
            self._path.unlink(missing_ok=True)
