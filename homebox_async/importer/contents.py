"""The bytes of a source: opened once, read as text any number of times and at once.

The first look goes over the whole file: it makes the fingerprint, and it decides the encoding
from all of the content, so that nothing is found out halfway through an import.
"""

from __future__ import annotations

import codecs
import contextlib
import hashlib
import io
import os
import re
import stat
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, BinaryIO

from ..errors import HomeboxError
from .charset import CANDIDATES, guess_encoding, line_end

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_CHUNK = 1 << 18
LONGEST_LINE = 1 << 22
"""Characters of a line; more means that the file has no line breaks where it should."""

_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_MAGIC = {
    b"\x1f\x8b": "is compressed twice; unpack it first",
    b"%PDF": "is a PDF, not text; export the rows as CSV (UTF-8)",
}
# What is above ASCII after decoding UTF-8 with "surrogateescape": bytes that are not UTF-8
# become U+DC80..U+DCFF, everything else was a good sequence.
_BAD = re.compile("[\udc80-\udcff]")
_GOOD = re.compile("[^\x00-\x7f\udc80-\udcff]")


class SourceError(HomeboxError):
    """The input of an import as a whole cannot be used; nothing was sent.

    One line that names the file (and the row or column) and says what to do.
    """


def open_binary(path: str | os.PathLike[str]) -> BinaryIO:
    """Open a file; SourceError says in words why it cannot be read."""
    try:
        if not _can_seek(path):
            raise SourceError(
                f"{path}: is a stream that can be read only once; save it to a file first, or give"
                " it as stdin (-)"
            )
        return open(path, "rb", buffering=0)  # noqa: PTH123  # kept open for the passes
    except FileNotFoundError:
        raise SourceError(f"{path}: there is no such file; check the path") from None
    except IsADirectoryError:
        raise SourceError(f"{path}: is a folder; name a file in it") from None
    except PermissionError:
        raise SourceError(f"{path}: may not be read by this user; change its permissions") from None
    except (OSError, ValueError) as exc:
        raise SourceError(f"{path}: cannot be opened ({_reason(exc)}); check the path") from exc


class Contents:
    """An open file that several passes read at once, each from its own position.

    `fingerprint` is the SHA-256 of all bytes, `encoding` what they were found to be in.
    """

    def __init__(self, file: BinaryIO, name: str, encoding: str | None = None) -> None:
        self.name = name
        self.file = file
        self._lock = threading.Lock()
        self._stamp = self._stat()
        self.notes: tuple[str, ...] = ()
        self.fingerprint, self.encoding = self._examine(encoding)

    def close(self) -> None:
        """Close the file; passes that are still open fail."""
        self.file.close()

    def text(self) -> io.TextIOWrapper:
        """Return a fresh text stream from the start, with the line ends as they are."""
        raw = io.BufferedReader(_Pass(self), _CHUNK)
        return io.TextIOWrapper(raw, encoding=self.encoding, newline="")

    def lines(self, keep: list[str]) -> Iterator[str]:
        """Give the lines from the start, adding each to `keep` as well.

        Who reads records from the lines clears `keep` between them, and so has each record's
        own text.
        """
        number = size = 0
        self.check_unchanged()
        with self.text() as text:
            try:
                while line := text.readline(LONGEST_LINE):
                    number += 1
                    size = len(line) + size if keep else len(line)
                    if size >= LONGEST_LINE:
                        raise SourceError(
                            f"{self.name}: line {number} has more than {LONGEST_LINE} characters;"
                            " export the file with one row a line"
                            if len(line) >= LONGEST_LINE
                            else f"{self.name}: the row that ends on line {number} has more than"
                            f" {LONGEST_LINE} characters in {len(keep):,} lines; close its quote,"
                            ' or write a quote inside a cell as ""'
                        )
                    keep.append(line)
                    yield line
            except UnicodeError:
                raise self._changed() from None
        self.check_unchanged()

    def check_unchanged(self) -> None:
        """Raise if the file is not as it was when it was opened."""
        if self._stat() != self._stamp:
            raise self._changed()

    def read_at(self, position: int, buffer: WriteableBuffer) -> int:
        """Fill the buffer from a position; passes take turns on the one file."""
        with self._reading(), self._lock:
            self.file.seek(position)
            return self.file.readinto(buffer)  # type: ignore[attr-defined, no-any-return]

    def _stat(self) -> tuple[int, int]:
        with self._reading():
            found = os.fstat(self.file.fileno())
        return found.st_size, found.st_mtime_ns

    @contextlib.contextmanager
    def _reading(self) -> Iterator[None]:
        try:
            yield
        except (OSError, ValueError) as exc:  # ValueError: it was closed
            raise SourceError(f"{self.name}: cannot be read ({_reason(exc)}); try again") from exc

    def _changed(self) -> SourceError:
        return SourceError(
            f"{self.name}: changed while it was being read; start again when it is complete"
        )

    def _examine(self, wanted: str | None) -> tuple[str, str]:
        head = bytearray(4)
        del head[self.read_at(0, head) :]
        if hint := next((hint for magic, hint in _MAGIC.items() if head.startswith(magic)), None):
            raise SourceError(f"{self.name}: {hint}")
        if wanted is not None:
            encoding = self._known(wanted)
        elif head.startswith(_UTF16):
            encoding = "utf-16"
        else:
            encoding = "utf-8"
        fingerprint = hashlib.sha256()
        if encoding != "utf-8" or wanted is not None:
            self._decode_all(encoding, fingerprint)
            # The signature of UTF-8 is dropped where there is one and not missed where not.
            return fingerprint.hexdigest(), "utf-8-sig" if encoding == "utf-8" else encoding
        good, bad = self._look_for_utf8(fingerprint)
        if not bad:
            return fingerprint.hexdigest(), "utf-8-sig"
        if good or head.startswith(codecs.BOM_UTF8):
            raise SourceError(
                f"{self.name}: line {bad} is not UTF-8 as other lines are;"
                " save the file as UTF-8, or give the encoding (--encoding cp1252)"
            )
        guess = guess_encoding(self._chunks())
        if guess.encoding is None:
            raise SourceError(
                f"{self.name}: is not UTF-8, and line {guess.line} has a character that is"
                f" {guess.readings}; give the right one: --encoding {CANDIDATES[0]}"
            )
        self._decode_all(guess.encoding, hashlib.sha256())
        if guess.encoding != "cp1252":
            self.notes = (f"the file is read as {guess.encoding}; if not, give --encoding",)
        return fingerprint.hexdigest(), guess.encoding

    def _known(self, encoding: str) -> str:
        try:
            "a".encode(encoding)  # refuses the codecs that are not of text
            return codecs.lookup(encoding).name
        except (LookupError, ValueError):
            raise SourceError(
                f"{self.name}: there is no encoding {encoding!r}; give one such as utf-8 or cp1252"
            ) from None

    def _chunks(self) -> Iterator[bytes]:
        """Give all bytes, and b"" at the end."""
        position, buffer = 0, bytearray(_CHUNK)
        while size := self.read_at(position, buffer):
            position += size
            yield bytes(buffer[:size])
        yield b""

    def _look_for_utf8(self, fingerprint: hashlib._Hash) -> tuple[bool, int]:
        """Return whether there is any UTF-8 above ASCII, and the first line that is not UTF-8."""
        decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
        good, bad, line, ends = False, 0, 1, ""
        for chunk in self._chunks():
            fingerprint.update(chunk)
            if b"\0" in chunk:
                raise self._binary()
            text = decoder.decode(chunk, final=not chunk)
            ends = ends or line_end(text)
            if not text.isascii():
                good = good or _GOOD.search(text.replace("\ufeff", "")) is not None
                if not bad and (first := _BAD.search(text)):
                    bad = line + text.count(ends, 0, first.start())
            line += text.count(ends)
        return good, bad

    def _decode_all(self, encoding: str, fingerprint: hashlib._Hash) -> None:
        decoder = codecs.getincrementaldecoder(encoding)()
        line, ends = 1, ""
        try:
            for chunk in self._chunks():
                fingerprint.update(chunk)
                text = decoder.decode(chunk, final=not chunk)
                if "\0" in text:
                    raise self._binary()
                ends = ends or line_end(text)
                line += text.count(ends)
        except UnicodeError:
            raise SourceError(
                f"{self.name}: is not {encoding} (from line {line} on);"
                " save it as UTF-8, or give its encoding (--encoding)"
            ) from None

    def _binary(self) -> SourceError:
        return SourceError(
            f"{self.name}: holds NUL bytes, so it is not text; export the rows as CSV (UTF-8)"
        )


class _Pass(io.RawIOBase):
    """One reader's position in the contents."""

    def __init__(self, contents: Contents) -> None:
        self._contents = contents
        self._position = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        size = self._contents.read_at(self._position, buffer)
        self._position += size
        return size


def _can_seek(path: str | os.PathLike[str]) -> bool:
    # Before it is opened: a pipe that nobody writes to would wait for ever, a device never end.
    mode = os.stat(path).st_mode  # noqa: PTH116  # as `open` below
    return stat.S_ISREG(mode) or stat.S_ISDIR(mode)


def _reason(exc: Exception) -> str:
    return exc.strerror or type(exc).__name__ if isinstance(exc, OSError) else str(exc)
