"""What the API accepts: small checks that name a value's problem and the fix.

A rule takes a value that is set and returns None or (problem, fix); `tidy` makes the values of
some rules what goes out, before they are checked.
A field that the caller did not give is UNSET and left out of the request; None is sent as null
where the rule is `nullable`, and refused elsewhere.
No text repeats the value: it may be personal.
Which field has which rule stands with the fields, in `resources`.
"""

from __future__ import annotations

import datetime as dt
import functools
import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, ClassVar, TypeVar, dataclass_transform

import attrs
from msgspec import UNSET
from msgspec import UnsetType as Unset

from . import tidying
from .errors import Problem
from .loading import STARTING

__all__ = [
    "TIDY",
    "UNSET",
    "Input",
    "Rule",
    "Unset",
    "Verdict",
    "absent",
    "account_number",
    "address_line",
    "boolean",
    "check",
    "colour",
    "country_code",
    "each",
    "email_address",
    "end_after_start",
    "field",
    "input_model",
    "made_of",
    "mandate_name",
    "notes",
    "nothing_given",
    "nullable",
    "one_of",
    "optional_address_line",
    "optional_text",
    "past_date",
    "phone_number",
    "plain_date",
    "positive_integer",
    "positive_integers",
    "sort_code",
    "tenancy_date",
    "text",
    "tidy",
    "uk_postcode",
]

T = TypeVar("T", bound=type)
F = TypeVar("F", bound=Callable[..., Any])

# mypy does not take a class for hashable; this keeps the signatures as they are.
_cached: Callable[[F], F] = functools.cache  # type: ignore[assignment]

Verdict = tuple[str, str] | None
Rule = Callable[[Any], Verdict]

# BS 7666 shapes plus GIR 0AA; the space before the last three is optional on the wire.
_POSTCODE = re.compile(
    r"(GIR ?0AA|[A-PR-UWYZ]([0-9]{1,2}|[A-HK-Y][0-9]{1,2}|[0-9][A-HJKPSTUW]"
    r"|[A-HK-Y][0-9][ABEHMNPRVWXY]) ?[0-9][ABD-HJLNP-UW-Z]{2})",
    re.IGNORECASE,
)
_CONTROL = {"Cc", "Cs", "Co", "Cn"}
_JOINERS = "\u200c\u200d"  # they shape letters of some scripts, and emoji


def text(value: object, *, longest: int = 255) -> Verdict:
    """Accept text of 1 to `longest` characters without control and invisible characters."""
    if not isinstance(value, str):
        return f"is {type(value).__name__}, not text", "give it as text"
    if not value.strip():
        return "is empty", "give a value or leave it out"
    return optional_text(value, longest=longest)


def optional_text(value: object, *, longest: int = 255) -> Verdict:
    """Accept text of up to `longest` characters, "" included; else as `text`."""
    if not isinstance(value, str):
        return f"is {type(value).__name__}, not text", "give it as text"
    if len(value) > longest:
        return f"has {len(value)} characters", f"shorten it to {longest}"
    return None if value.isprintable() else _unprintable(value)


def _unprintable(value: str) -> Verdict:
    kinds = {c: unicodedata.category(c) for c in value if not c.isprintable()}
    if not _CONTROL.isdisjoint(kinds.values()):
        return "holds a control character", "remove tabs, line breaks and unprintable characters"
    for c, kind in kinds.items():
        # It makes two references look the same, or turns the order of what is read.
        if kind == "Cf" and c not in _JOINERS:
            return f"holds the invisible character U+{ord(c):04X}", "remove it, or type it anew"
    return None


def address_line(value: object) -> Verdict:
    """Accept text, which goes out trimmed and with single spaces inside."""
    return text(value)


def optional_address_line(value: object) -> Verdict:
    """Accept text, "" included, which goes out as that of `address_line`."""
    return optional_text(value)


def notes(value: object) -> Verdict:
    """Accept text that may have several lines."""
    flat = " ".join(value.split()) if isinstance(value, str) else value
    return optional_text(flat, longest=65_535)


def uk_postcode(value: object) -> Verdict:
    """Accept a full UK postcode, with or without its space; it goes out with one."""
    fault = text(value)
    if fault is None and not _POSTCODE.fullmatch(tidying.postcode(value)):
        return "is not a full UK postcode", "give one such as EC1V 2NX"
    return fault


def positive_integer(value: object) -> Verdict:
    """Accept an integer greater than 0: an id, or one of the "Form Data" of the meter readings."""
    if not isinstance(value, int) or isinstance(value, bool):
        return f"is {type(value).__name__}, not an integer", "give a whole number above 0"
    if value >= 1 << 63:
        return "is too large", "give a whole number below 2**63"
    return None if value > 0 else ("is not above 0", "give a whole number above 0")


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


def past_date(value: object) -> Verdict:
    """Accept a date before today: a birthday."""
    fault = plain_date(value)
    if fault is None and isinstance(value, dt.date) and value >= dt.date.today():
        return "is not in the past", "give the date of birth"
    return fault


def phone_number(value: object) -> Verdict:
    """Accept a phone number with its country code, such as +441234567890; it goes out as E.164.

    The country has to exist and the length to be one of its own. Whether a number is in service
    is not asked: tables of that grow old, and a refusal here cannot be overruled.
    """
    fault = text(value)
    if fault is not None:
        return fault
    number = tidying.phone(value)
    if not re.fullmatch(r"\+[1-9][0-9]{6,14}", number):
        return "is not a number with country code", "give one such as +441234567890"
    with STARTING:
        import phonenumbers  # 40 ms and more: start-up shall not pay for it

    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return "has a country code that does not exist", "give one such as +441234567890"
    # Of a mobile or a landline: counting service numbers, seven digits would do for the UK.
    either = phonenumbers.PhoneNumberType.FIXED_LINE_OR_MOBILE
    length = phonenumbers.is_possible_number_for_type_with_reason(parsed, either)
    if length != phonenumbers.ValidationResult.IS_POSSIBLE:
        return "is too short or too long for its country", "give one such as +441234567890"
    if phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164) != number:
        return "has a 0 after the country code", "leave that 0 out"
    return None


def email_address(value: object) -> Verdict:
    """Accept what looks like an email address."""
    fault = text(value)
    if fault is None and not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", str(value)):
        return "is not an email address", "give one such as jane@example.com"
    return fault


def sort_code(value: object) -> Verdict:
    """Accept the 6 digits of a bank's sort code ("Update Tenant Mandate")."""
    return _digits(value, 6)


def account_number(value: object) -> Verdict:
    """Accept the 8 digits of a bank account ("Update Tenant Mandate")."""
    return _digits(value, 8)


def _digits(value: object, count: int) -> Verdict:
    fault = text(value)
    if fault is None and not re.fullmatch(f"[0-9]{{{count}}}", str(value)):
        return f"is not {count} digits", f"give exactly {count} digits as text, without dashes"
    return fault


def mandate_name(value: object) -> Verdict:
    """Accept 2 to 18 characters ("Update Tenant Mandate")."""
    fault = text(value)
    if fault is None and not 2 <= len(str(value)) <= 18:
        return f"has {len(str(value))} characters", "give 2 to 18, as the bank has it"
    return fault


def country_code(value: object) -> Verdict:
    """Accept a country code of ISO 3166-1 alpha-2, such as GB."""
    with STARTING:
        from iso3166 import countries_by_alpha2  # 14 ms: start-up shall not pay for it

    fault = text(value)
    if fault is None and value not in countries_by_alpha2:
        return "is not a country code of ISO 3166-1 alpha-2", "give two capitals such as GB"
    return fault


def colour(value: object) -> Verdict:
    """Accept a colour as #RRGGBB or #RGB ("Update Account Details": "a hex value")."""
    fault = text(value)
    if fault is None and not re.fullmatch("#([0-9A-Fa-f]{3}){1,2}", str(value)):
        return "is not a colour as #RRGGBB or #RGB", "give one such as #E3E3E3"
    return fault


def boolean(value: object) -> Verdict:
    """Accept True or False and nothing that merely counts as one."""
    if isinstance(value, bool):
        return None
    return f"is {type(value).__name__}, not true or false", "give True or False"


def positive_integers(values: object) -> Verdict:
    """Accept a sequence of integers greater than 0: ids."""
    if not isinstance(values, Sequence) or isinstance(values, str):
        return f"is {type(values).__name__}, not a list", "give a list of ids"
    return next(filter(None, map(positive_integer, map(tidying.plain, values))), None)


def one_of(*allowed: str) -> Rule:
    """Accept one of the listed texts, in any case; it goes out as listed."""

    def rule(value: object) -> Verdict:
        known = " or ".join(map(repr, allowed))
        known_one = isinstance(value, str) and value.lower() in allowed
        return None if known_one else ("is not one the API knows", f"give {known}")

    # Answers have another case than requests ("Gas"): what came back can go out again.
    TIDY[rule] = functools.partial(tidying.listed, allowed)
    return rule


_nullable: set[Rule] = set()


@_cached
def nullable(rule: Rule) -> Rule:
    """Return the rule of a field that may also be null."""

    def or_none(value: object) -> Verdict:
        return rule(value)

    _nullable.add(or_none)
    return or_none


TIDY: dict[Rule, Callable[[Any], Any]] = {
    address_line: tidying.spaced,
    optional_address_line: tidying.spaced,
    uk_postcode: tidying.postcode,
    phone_number: tidying.phone,
}


def tidy(rule: Rule | None) -> Callable[[Any], Any]:
    """Return what makes a value of a rule the one that goes out; see `tidying`."""
    return TIDY.get(rule, tidying.plain) if rule else tidying.plain


def made_of(*kinds: type[Input], what: str = "") -> Rule:
    """Accept an object of one of the given classes, which in words are `what`."""

    def rule(value: object) -> Verdict:
        if isinstance(value, kinds):
            return None
        known = " or ".join(f"an {k}" if k[0] in "AEIOU" else f"a {k}" for k in names)
        return f"is {type(value).__name__}" + (f", not {what}" if what else ""), f"give {known}"

    names = [kind.__name__ for kind in kinds]
    return rule


def absent(value: object) -> bool:
    """Tell whether the caller gave no value."""
    return value is None or value is UNSET


def end_after_start(start: dt.date, end: dt.date | Unset) -> Iterator[Problem]:
    """Refuse a tenancy that does not end after it starts, where both dates are good."""
    if end is UNSET or tenancy_date(start) or tenancy_date(end):
        return
    if end <= start:
        yield Problem("tenancy_end", "is not after tenancy_start", "give a later date")


def each(name: str, kind: type[Input], items: Sequence[Input], what: str) -> Iterator[Problem]:
    """Check a list of objects of one class, of which there has to be at least one."""
    if absent(items):
        items = ()
    if not isinstance(items, Sequence) or isinstance(items, (str, bytes)):
        yield Problem(name, f"is {type(items).__name__}, not a list", f"give a list of {what}s")
        return
    if not items:
        yield Problem(name, "is empty", f"give at least one {what}")
    rule = made_of(kind, what=f"a {what}")
    for index, item in enumerate(items):
        fault = rule(item)
        if fault is None:
            yield from item.problems(f"{name}.{index}.")
        else:
            yield Problem(f"{name}.{index}", *fault)


def nothing_given(**fields: object) -> Iterator[Problem]:
    """Refuse an update that updates nothing."""
    if all(value is UNSET for value in fields.values()):
        yield Problem(" or ".join(fields), "is missing", "give what shall change")


_NULL = ("is None, which the API has no use for here", "give a value or leave it out")


def check(fields: Mapping[str, Any], rules: Mapping[str, Rule], prefix: str = "") -> list[Problem]:
    """Return every problem of the given fields; fields that are unset have none."""
    wrong: list[Problem] = []
    for name, value in fields.items():
        if value is UNSET:
            continue
        rule = rules.get(name)
        if value is None:
            fault = None if rule is None or rule in _nullable else _NULL
        else:
            fault = None if rule is None else rule(value)
        if fault is not None:
            wrong.append(Problem(prefix + name, *fault))
        elif isinstance(value, Input):
            wrong += value.problems(f"{prefix}{name}.")
    return wrong


class Input:
    """The base of the attrs classes that callers send: each field may name its rule.

    A field's rule stands in its metadata, written by `field`.
    """

    __slots__ = ()
    __attrs_attrs__: ClassVar[Any]  # every subclass is attrs

    def problems(self, prefix: str = "") -> list[Problem]:
        """Return all that is wrong with this object, with field paths below `prefix`."""
        names, rules, required = _layout(type(self))
        values = {wire: getattr(self, name) for name, wire in names}
        wrong: list[Problem] = []
        for wire in required:
            if absent(values[wire]):
                wrong.append(Problem(prefix + wire, "is missing", "give it"))
                del values[wire]
        return wrong + check(values, rules, prefix)

    def on_wire(self) -> dict[str, Any]:
        """Return the values by the API's names."""
        return {wire: getattr(self, name) for name, wire in _layout(type(self))[0]}


@_cached
def _layout(cls: Any) -> tuple[list[tuple[str, str]], dict[str, Rule], list[str]]:
    """Return the fields' names and the API's for them, their rules, and which are required."""
    fields = {f.metadata["wire"] or f.name: f for f in attrs.fields(cls)}
    return (
        [(f.name, wire) for wire, f in fields.items()],
        {wire: f.metadata["rule"] for wire, f in fields.items()},
        [wire for wire, f in fields.items() if f.default is attrs.NOTHING],
    )


def field(
    rule: Rule, *, default: Any = attrs.NOTHING, secret: bool = False, wire: str | None = None
) -> Any:
    """Declare a field of an `Input` with its rule; a secret one stays out of the repr.

    `wire`: the API's name of the field, where that is not the attribute's.
    """
    return attrs.field(
        default=default,
        repr=not secret,
        converter=tidy(rule),
        metadata={"rule": rule, "wire": wire},
    )


# As a plain `attrs.frozen`, type checkers would take every field made by `field` for optional.
@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(field,))
def input_model(cls: T) -> T:
    """Make a class that callers send: frozen, keyword-only."""
    made = attrs.frozen(cls, kw_only=True)
    tidying.known(made)
    return made
