"""Values as they go out: subclasses of text and numbers, addresses, postcodes, phone numbers.

What is no such value is returned as it is: `rules` names what is wrong with it.
"""

from __future__ import annotations

import datetime as dt
import enum
import re
import sys
from collections.abc import Collection
from decimal import Decimal
from typing import Any, Final, TypeVar

from msgspec import UnsetType

T = TypeVar("T")

# Looked up first, as nearly all values are of these.
PLAIN: Final[set[type]] = {
    *(str, int, float, bool, type(None), bytes, list, tuple, dict),
    *(dt.date, dt.datetime, Decimal, UnsetType),
}
# A space as Unicode has it, but no line break and no tab: a rule refuses those.
_SPACES = re.compile(r"[ \u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]+")
_POSTCODE = re.compile(r"([A-Za-z][A-Za-z0-9]{1,3}) ?([0-9][A-Za-z]{2})")
_E164 = re.compile(r"\+[0-9]+")


def known(kind: type) -> None:
    """Note a class whose objects are what they are."""
    PLAIN.add(kind)


def plain(value: T) -> T:
    """Return text and numbers of subclasses as plain ones: Markup, members of enums, numpy's."""
    return value if type(value) in PLAIN else _plain(value)


def _plain(value: Any) -> Any:
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, int):
        return int.__int__(value)
    if isinstance(value, float):
        return float.__float__(value)
    if isinstance(value, enum.Enum):
        return plain(value.value)
    numpy = sys.modules.get("numpy")  # whoever gives its scalars has imported it
    if numpy is not None and isinstance(value, numpy.generic):
        made = value.item()
        return value if type(made) is type(value) else made
    return value


def spaced(value: Any) -> Any:
    """Return text trimmed and with single spaces inside, in the case in which it was given."""
    if type(value) is not str:
        value = plain(value)
        if not isinstance(value, str):
            return value
    if value.isascii() and "  " not in value:  # as nearly all is
        return value.strip(" ")
    return _SPACES.sub(" ", value).strip(" ")


def postcode(value: Any) -> Any:
    """Return a UK postcode with its one space."""
    value = spaced(value)
    if not isinstance(value, str) or value[-4:-3] == " ":  # which is where it belongs
        return value
    found = _POSTCODE.fullmatch(value)
    return f"{found[1]} {found[2]}" if found else value


def phone(value: Any) -> Any:
    """Return a phone number with country code as E.164 writes it, without spaces."""
    value = plain(value)
    if not isinstance(value, str):
        return value
    if _E164.fullmatch(value):
        return value
    digits = _SPACES.sub("", value)
    return digits if _E164.fullmatch(digits) else value


def listed(allowed: Collection[str], value: Any) -> Any:
    """Return text as it is listed, in whatever case it is given."""
    value = plain(value)
    lower = value.lower() if isinstance(value, str) else None
    return lower if lower in allowed else value
