"""What the API accepts: small checks that name a value's problem and the fix.

A rule takes a value that is set and returns None or (problem, fix).
A field that the caller did not give is UNSET and left out of the request; None is sent as null.
No text repeats the value: it may be personal.
Which field has which rule stands with the fields, in `resources`.
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import attrs
from msgspec import UNSET
from msgspec import UnsetType as Unset

from .errors import Problem

__all__ = [
    "UNSET",
    "Input",
    "Rule",
    "Unset",
    "Verdict",
    "absent",
    "boolean",
    "check",
    "email_address",
    "field",
    "one_of",
    "optional_text",
    "phone_number",
    "plain_date",
    "positive_integer",
    "tenancy_date",
    "text",
    "uk_postcode",
]

Verdict = tuple[str, str] | None
Rule = Callable[[Any], Verdict]


# BS 7666 shapes plus GIR 0AA; the space before the last three is optional on the wire.
_POSTCODE = re.compile(
    r"(GIR ?0AA|[A-PR-UWYZ]([0-9]{1,2}|[A-HK-Y][0-9]{1,2}|[0-9][A-HJKPSTUW]"
    r"|[A-HK-Y][0-9][ABEHMNPRVWXY]) ?[0-9][ABD-HJLNP-UW-Z]{2})",
    re.IGNORECASE,
)
_CONTROL = {"Cc", "Cs", "Co", "Cn"}


def text(value: object, *, longest: int = 255) -> Verdict:
    """Accept text of 1 to `longest` characters without control characters."""
    if not isinstance(value, str):
        return f"is {type(value).__name__}, not text", "give it as text"
    if not value.strip():
        return "is empty", "give a value or leave it out"
    return optional_text(value, longest=longest)


def optional_text(value: object, *, longest: int = 255) -> Verdict:
    """Accept text of up to `longest` characters, "" included, without control characters."""
    if not isinstance(value, str):
        return f"is {type(value).__name__}, not text", "give it as text"
    if len(value) > longest:
        return f"has {len(value)} characters", f"shorten it to {longest}"
    if not value.isprintable() and any(unicodedata.category(c) in _CONTROL for c in value):
        return "holds a control character", "remove tabs, line breaks and unprintable characters"
    return None


def uk_postcode(value: object) -> Verdict:
    """Accept a full UK postcode, with or without its space."""
    fault = text(value)
    if fault is None and not _POSTCODE.fullmatch(str(value).strip()):
        return "is not a full UK postcode", "give one such as EC1V 2NX"
    return fault


def positive_integer(value: object) -> Verdict:
    """Accept an integer greater than 0 ("Form Data" of the meter readings)."""
    if not isinstance(value, int) or isinstance(value, bool):
        return f"is {type(value).__name__}, not an integer", "give a whole number above 0"
    return None if value > 0 else ("is not above 0", "give a whole number above 0")


def boolean(value: object) -> Verdict:
    """Accept True and False."""
    if isinstance(value, bool):
        return None
    return f"is {type(value).__name__}, not true or false", "give True or False"


def plain_date(value: object) -> Verdict:
    """Accept a `datetime.date`; text is refused, for 01/02/21 could be read two ways."""
    if isinstance(value, dt.date) and not isinstance(value, dt.datetime):
        return None
    return f"is {type(value).__name__}, not a date", "give a datetime.date"


def tenancy_date(value: object) -> Verdict:
    """Accept a date that two digits of a year tell without doubt: 2000 to 2068."""
    fault = plain_date(value)
    if fault is None and isinstance(value, dt.date) and not 2000 <= value.year <= 2068:
        return "is outside 2000 to 2068", "the API takes two-digit years; give a date in that span"
    return fault


def phone_number(value: object) -> Verdict:
    """Accept a phone number with its country code, such as +441234567890."""
    fault = text(value)
    if fault is None and not re.fullmatch(r"\+[1-9][0-9]{6,14}", str(value).replace(" ", "")):
        return "is not a number with country code", "give one such as +441234567890"
    return fault


def email_address(value: object) -> Verdict:
    """Accept what looks like an email address."""
    fault = text(value)
    if fault is None and not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", str(value)):
        return "is not an email address", "give one such as jane@example.com"
    return fault


def one_of(*allowed: str) -> Rule:
    """Accept one of the listed texts."""

    def rule(value: object) -> Verdict:
        known = " or ".join(map(repr, allowed))
        return None if value in allowed else ("is not one the API knows", f"give {known}")

    return rule


def absent(value: object) -> bool:
    """Tell whether the caller gave no value."""
    return value is None or value is UNSET


def check(fields: Mapping[str, Any], rules: Mapping[str, Rule], prefix: str = "") -> list[Problem]:
    """Return every problem of the given fields; fields that are unset or None have none."""
    return list(_problems(fields, rules, prefix))


def _problems(
    fields: Mapping[str, Any], rules: Mapping[str, Rule], prefix: str
) -> Iterator[Problem]:
    for name, value in fields.items():
        if absent(value):
            continue
        if isinstance(value, Input):
            yield from value.problems(f"{prefix}{name}.")
        elif rule := rules.get(name):
            fault = rule(value)
            if fault is not None:
                yield Problem(prefix + name, *fault)


class Input:
    """The base of the attrs classes that callers send: each field may name its rule.

    A field's rule stands in its metadata, written by `field`.
    """

    __slots__ = ()

    def problems(self, prefix: str = "") -> list[Problem]:
        """Return all that is wrong with this object, with field paths below `prefix`."""
        fields = attrs.fields(type(self))  # type: ignore[arg-type]  # every subclass is attrs
        values = {f.name: getattr(self, f.name) for f in fields}
        missing = [
            Problem(prefix + f.name, "is missing", "give it")
            for f in fields
            if f.default is attrs.NOTHING and absent(values[f.name])
        ]
        return missing + check(values, {f.name: f.metadata["rule"] for f in fields}, prefix)


def field(rule: Rule, *, default: Any = attrs.NOTHING, secret: bool = False) -> Any:
    """Declare a field of an `Input` with its rule; a secret one stays out of the repr."""
    return attrs.field(default=default, repr=not secret, metadata={"rule": rule})
