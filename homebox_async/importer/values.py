"""Values of cells as people and spreadsheets leave them, made into what the API takes.

Only what is certain is changed, and counted for the report. What a spreadsheet has damaged is
refused with what it probably was: nothing can be changed or deleted at Homebox afterwards.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Mapping

import attrs

from ..rules import Verdict, phone_number, uk_postcode


@attrs.frozen
class Cleaned:
    """A value that is not as it was in its cell: `note` says why; or a `fault` of it."""

    value: str
    note: str = ""
    fault: Verdict = None


Cleaner = Callable[[str], Cleaned | None]
"""Returns None for a value that is good as it is, or whose fault others find."""

_ERRORS = {"#n/a", "#ref!", "#value!", "#name?", "#div/0!", "#num!", "#null!", "#spill!", "#calc!"}
_NULLS = {"null", "none", "nan", "nil", "n/a", "na", "nat", "undefined", "-", "--", "tbc", "?"}
_EXCEL_TEXT = re.compile(r'="(.*)"')
_FLOAT_NUMBER = re.compile(r"(\d+)\.0(?= )")
_WHOLE_FLOAT = re.compile(r"(\d+)\.0")
_SCIENTIFIC = re.compile(r"(\d)(?:\.(\d+))?[eE]\+?(\d{1,3})", re.ASCII)
_MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
_AUTO_DATE = re.compile(rf"(?:({'|'.join(_MONTHS)})-(\d\d?)|(\d\d?)-({'|'.join(_MONTHS)}))(?=$| )")
_E164 = re.compile(r"\+[1-9][0-9]{6,14}", re.ASCII)
# Without its 0, a British number begins so; a country code can begin with any digit.
_FOREIGN = re.compile(r"[^\d+]*(?!44)[4-689]")
_POSTCODE = re.compile(r"[A-Z]{1,2}[0-9][0-9A-Z]? [0-9][A-Z]{2}", re.ASCII)
_OUTWARD = re.compile(r"[A-Z]{1,2}[0-9][0-9A-Z]?", re.ASCII | re.IGNORECASE)
_NEVER_LAST = frozenset("CIKMOV")
_AROUND_EMAIL = " \t<>\"'\u201c\u201d\u2018\u2019,;."  # what a clipboard or a list leaves on it
_AS_TEXT = "format its column as text before it is exported"
_AS_IS = "if it is right as it is, import with --as-is"


def text(value: str) -> Cleaned | None:
    """Refuse the errors of a spreadsheet; read ``="0125"`` as 0125."""
    if value[0] == "#" and value.casefold() in _ERRORS:
        return Cleaned(value, fault=(f"is the spreadsheet's error {value}", "correct its formula"))
    if value[0] == "=" and (found := _EXCEL_TEXT.fullmatch(value)):
        return Cleaned(found[1], 'read without ="..."')
    return None


def filled_text(value: str) -> Cleaned | None:
    """Refuse words for nothing as well, where no name can be meant."""
    if len(value) < 10 and value.casefold() in _NULLS:
        problem = f"is {value!r}, a word for nothing"
        return Cleaned(value, fault=(problem, "give it, or leave it empty"))
    return text(value)


def first_line(value: str) -> Cleaned | None:
    """Refuse a house number that a spreadsheet made a number or a date."""
    if found := _FLOAT_NUMBER.match(value):
        return _damaged(value, found[0], found[1])
    if found := _AUTO_DATE.match(value):
        return _damaged(value, found[0], _before_date(found))
    return filled_text(value)


def reference(value: str) -> Cleaned | None:
    """Refuse a reference that a spreadsheet made a number or a date."""
    if found := _SCIENTIFIC.fullmatch(value):
        digits, zeros = found[1] + (found[2] or ""), int(found[3]) - len(found[2] or "")
        if zeros > 0:
            fix = f"{_AS_TEXT}, as its last {zeros} digits are lost; {_AS_IS}"
            return Cleaned(value, fault=("was made a number", fix))
        if zeros == 0:
            return _damaged(value, value, digits)
    if found := _WHOLE_FLOAT.fullmatch(value):
        return _damaged(value, value, found[1])
    if found := _AUTO_DATE.fullmatch(value):
        return _damaged(value, value, _before_date(found))
    return filled_text(value)


def _damaged(value: str, part: str, likely: str) -> Cleaned:
    problem = f"holds {part}, which a spreadsheet probably made of {likely}"
    return Cleaned(value, fault=(problem, f"write {likely}; {_AS_TEXT}; {_AS_IS}"))


def _before_date(found: re.Match[str]) -> str:
    month = _MONTHS.index(found[1] or found[4]) + 1
    return f"{month}-{found[2]}" if found[1] else f"{found[3]}-{month}"


def postcode(value: str) -> Cleaned | None:
    """Write a postcode as the Royal Mail does; of a wrong one, name the rule and the likely one."""
    if _POSTCODE.fullmatch(value) and uk_postcode(value) is None:
        return None
    found = filled_text(value)
    if found is not None:
        return found
    code = re.sub(r"[\s.\-]", "", value).upper()
    spaced = f"{code[:-3]} {code[-3:]}"
    if uk_postcode(spaced) is None:
        # Case and the space alone are no more than spelling.
        is_same = code == re.sub(r"\s", "", value).upper()
        return Cleaned(spaced, "" if is_same else "written as the Royal Mail does")
    return Cleaned(value, fault=_wrong_postcode(code))


def _wrong_postcode(code: str) -> Verdict:
    if _OUTWARD.fullmatch(code):
        return "is incomplete: it has no second part", "give all of it, such as EC1V 2NX"
    likely = [one for one in _alike(code) if uk_postcode(one) is None]
    if likely:
        return (
            "is not a full UK postcode: it has a letter for a digit, or a digit for a letter",
            f"it may be {' or '.join(likely)}",
        )
    if _POSTCODE.fullmatch(f"{code[:-3]} {code[-3:]}") and not _NEVER_LAST.isdisjoint(code[-2:]):
        return (
            "is not a postcode: its last two letters are never C, I, K, M, O or V",
            "look it up",
        )
    return "is not a full UK postcode", "give one such as EC1V 2NX"


def _alike(code: str) -> list[str]:
    """Return what a code may be where O and 0, I and 1 were taken for each other."""
    if not 5 <= len(code) <= 7:
        return []
    inward = code[-3].translate(_TO_DIGITS) + code[-2:].translate(_TO_LETTERS)
    outward = code[:-3]
    made = {outward, outward[0] + outward[1:].translate(_TO_DIGITS)}
    made |= {outward[:2] + outward[2:].translate(_TO_DIGITS)}
    return sorted(f"{one} {inward}" for one in made)


_TO_DIGITS, _TO_LETTERS = str.maketrans("OI", "01"), str.maketrans("01", "OI")


def phone(value: str) -> Cleaned | None:
    """Write a phone number with its country code; one without is of the United Kingdom."""
    if _E164.fullmatch(value):
        return None
    if _SCIENTIFIC.fullmatch(value):
        return Cleaned(value, fault=("has lost its last digits in a spreadsheet", _AS_TEXT))
    return _phone(value) or text(value)


@functools.lru_cache(maxsize=1024)
def _phone(value: str) -> Cleaned | None:
    import phonenumbers  # 40 ms and more: start-up shall not pay for it

    try:
        parsed = phonenumbers.parse(value.removesuffix(".0"), "GB")
    except phonenumbers.NumberParseException:
        return None
    if parsed.extension or _FOREIGN.match(value):
        return None
    number = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
    if phone_number(number) is not None:
        return None
    is_whole = value.startswith(("+", "00"))
    return Cleaned(number, "" if is_whole else f"given the country code +{parsed.country_code}")


def email(value: str) -> Cleaned | None:
    """Take off what is around an email address; refuse what cannot be one."""
    address = value.strip(_AROUND_EMAIL)
    if address[:7].casefold() == "mailto:":
        address = address[7:].strip(_AROUND_EMAIL)
    local, at, domain = address.rpartition("@")
    if at and (".." in address or "," in domain or local.endswith(".") or domain.startswith(".")):
        fix = "write one dot between its parts" if ".." in address else "correct it"
        if "," in domain:
            fix = "write a dot where it has a comma, if that is meant"
        return Cleaned(value, fault=("is not an email address", fix))
    if address == value:
        return text(value)
    return Cleaned(address, "freed of what is around the address")


def register(value: str) -> Cleaned | None:
    """Read a meter's number as the register shows it: whole, without separators."""
    if value.isdecimal():
        return None
    found = re.fullmatch(r"(\d+|\d{1,3}(?:,\d{3})+)(\.\d+)?", value, re.ASCII)
    if found is None:
        return filled_text(value)
    number = found[1].replace(",", "")
    is_cut = bool(found[2]) and found[2].strip(".0") != ""
    return Cleaned(number, "cut to what the register shows" if is_cut else "")


_DAMAGE = (first_line, reference)
_BY_LAST_PART: Mapping[str, Cleaner] = {
    "line1": first_line,
    "line2": filled_text,
    "city": filled_text,
    "county": filled_text,
    "postcode": postcode,
    "property_reference": reference,
    "first_name": text,
    "last_name": text,
    "name": text,
    "phone_number": phone,
    "email_address": email,
    "reading": register,
    "reading2": register,
}


def cleaner_of(field: str, *, as_is: bool) -> Cleaner | None:
    """Return how the values of a field are cleaned; `as_is`: damage is not looked for."""
    for last, cleaner in _BY_LAST_PART.items():
        if field == last or field.endswith(f"_{last}"):
            return filled_text if as_is and cleaner in _DAMAGE else cleaner
    return None
