"""The encoding of text that is not UTF-8: Windows, an old Mac or DOS, or a question.

Any bytes can be read in each of them, so a wrong guess would not be noticed: "Caf\u00e9" becomes
"Caf\u017d". A character that British addresses and names do not have in one of them asks.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import attrs

CANDIDATES = ("mac_roman", "cp1252", "cp850")
_NAMES = {"mac_roman": "mac_roman (Mac)", "cp1252": "cp1252 (Windows)", "cp850": "cp850 (DOS)"}
# In cp1252: controls, letters of other languages, daggers and the like; and punctuation between
# two small letters, which is an accent in the others. An apostrophe there is an apostrophe.
_NOT_WINDOWS = re.compile(
    rb"[\x81-\x84\x86-\x90\x98\x9a-\x9f\xd5]|(?<=[a-z])[\x80\x85\x91\x93-\x97\x99](?=[a-z])"
)
# In mac_roman: capitals and symbols, but for those that are quotes, dashes and dots.
_NOT_MAC = re.compile(rb"[\xc0-\xc8\xcb-\xcf\xd6-\xff]")


@attrs.frozen
class Guess:
    """An encoding, or what a character on a line would be in each of them."""

    encoding: str | None
    line: int = 0
    readings: str = ""


def guess_encoding(chunks: Iterable[bytes]) -> Guess:
    """Return the one encoding in which the bytes make sense, or the question to ask."""
    ends, line, before = b"", 1, b""
    for chunk in chunks:
        ends = ends or line_end(chunk.decode("latin-1")).encode()
        unlikely = _NOT_MAC if ends == b"\r" else _NOT_WINDOWS
        text = before[-1:] + chunk
        if found := unlikely.search(text):
            return Guess(None, line + text.count(ends, 0, found.start()), _readings(found[0]))
        line += chunk.count(ends)
        before = chunk
    return Guess("mac_roman" if ends == b"\r" else "cp1252")


def line_end(text: str) -> str:
    """Return the line end of a text: the carriage returns of an old Mac, or line feeds."""
    return "\r" if "\r" in text and "\n" not in text else "\n"


def _readings(byte: bytes) -> str:
    found = []
    for encoding in CANDIDATES:
        character = byte.decode(encoding, "replace")
        if character.isprintable() and character != "\ufffd":
            found.append(f"{character} in {_NAMES[encoding]}")
    return ", ".join(found)
