"""Dates as spreadsheets write them, and whether their day or their month comes first."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable

import attrs

from ..days import london_day

DATES = ("tenancy_start", "tenancy_end", "date_of_reading", "meter_changed")
"""The fields that are dates."""


_TIME = r"(?:[T ]+\d{1,2}:\d\d(?::\d\d(?:\.\d+)?)?(?: ?[ap]m)?(?P<zone>Z|[+-]\d\d:?\d\d)?)?"
PLAIN = re.compile(r"(\d{4})-(\d\d)-(\d\d)", re.ASCII)
_ISO = re.compile(rf"(\d{{4}})([-/])(\d{{1,2}})\2(\d{{1,2}}){_TIME}", re.ASCII | re.IGNORECASE)
_NUMBERS = re.compile(
    rf"(\d{{1,2}})([-/. ])(\d{{1,2}})\2(\d{{4}}|\d\d){_TIME}", re.ASCII | re.IGNORECASE
)
_WEEKDAY = r"(?:(?:mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)(?:day)?,? )?"
_SEPARATOR = r"[-/., ]+"
_DAY_MONTH = re.compile(
    rf"{_WEEKDAY}(\d{{1,2}})(?:st|nd|rd|th)?{_SEPARATOR}(?:of )?([a-z]{{3,9}}){_SEPARATOR}"
    rf"(\d{{4}}|\d\d){_TIME}",
    re.ASCII | re.IGNORECASE,
)
_MONTH_DAY = re.compile(
    rf"{_WEEKDAY}([a-z]{{3,9}}){_SEPARATOR}(\d{{1,2}})(?:st|nd|rd|th)?{_SEPARATOR}(\d{{4}}){_TIME}",
    re.ASCII | re.IGNORECASE,
)
_SERIAL = re.compile(r"(\d{5})(?:\.\d+)?", re.ASCII)
_MONTHS = (
    *("january", "february", "march", "april", "may", "june", "july", "august", "september"),
    *("october", "november", "december"),
)
# Excel counts days from 1900, and has a 29 February in that year.
_EXCEL_EPOCH = dt.date(1899, 12, 30)
_SERIALS = (dt.date(2000, 1, 1), dt.date(2068, 12, 31))


class Ambiguous(ValueError):
    """The day or the month of a date may come first."""


def read_date(text: str, order: str | None) -> dt.date:
    """Return the date that a text means; `order`: dmy or mdy, where numbers are so.

    "iso": no date has its year last in numbers. Raises Ambiguous where an order is needed and not
    given, ValueError where it is no date.
    """
    if found := _ISO.fullmatch(text):
        if found["zone"]:
            return london_day(dt.datetime.fromisoformat(text))
        return dt.date(int(found[1]), int(found[3]), int(found[4]))
    if order != "iso" and (found := _NUMBERS.fullmatch(text)):
        return _numbers(int(found[1]), int(found[3]), _year(found[4]), order)
    if found := _DAY_MONTH.fullmatch(text):
        return dt.date(_year(found[3]), _month(found[2]), int(found[1]))
    if found := _MONTH_DAY.fullmatch(text):
        return dt.date(_year(found[3]), _month(found[1]), int(found[2]))
    if found := _SERIAL.fullmatch(text):
        day = _EXCEL_EPOCH + dt.timedelta(days=int(found[1]))
        if _SERIALS[0] <= day <= _SERIALS[1]:
            return day
    raise ValueError(text)


@attrs.frozen
class Shown:
    """Which orders the dates of a file show; `numbers`: whether any has its year last, in numbers.

    `ambiguous`: a date that means another one in the other order, or "".
    """

    orders: frozenset[str]
    numbers: bool
    ambiguous: str


def orders_of(texts: Iterable[str]) -> Shown:
    """Return what the dates of a file show about their order."""
    orders: set[str] = set()
    numbers, ambiguous = False, ""
    for text in texts:
        if PLAIN.fullmatch(text) or not (found := _NUMBERS.fullmatch(text)):
            continue
        numbers = True
        first, second = int(found[1]), int(found[3])
        if first > 12 >= second:
            orders.add("dmy")
        elif second > 12 >= first:
            orders.add("mdy")
        elif first != second and max(first, second) <= 12:
            ambiguous = ambiguous or text
    return Shown(frozenset(orders), numbers, ambiguous)


def _numbers(first: int, second: int, year: int, order: str | None) -> dt.date:
    if order not in ("dmy", "mdy"):
        if first != second and max(first, second) <= 12:
            raise Ambiguous
        order = "dmy" if first > 12 else "mdy"
    day, month = (first, second) if order == "dmy" else (second, first)
    return dt.date(year, month, day)


def _year(text: str) -> int:
    # As the API reads two digits: none of its dates is before 2000 or after 2068.
    return int(text) if len(text) == 4 else 2000 + int(text)


def _month(name: str) -> int:
    name = name.casefold()
    alike = [n for n, month in enumerate(_MONTHS, 1) if month.startswith(name)]
    if len(alike) != 1:
        raise ValueError(name)
    return alike[0]
