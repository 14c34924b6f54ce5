"""The values of a row's fields: dates, numbers, yes and no, people, all of its faults at once."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping

from ..errors import Problem
from ..resources.addresses import Address, AddressId
from ..resources.leads import NewTenant
from ..rules import UNSET, Rule, Unset, text
from .addressing import FIELDS, address_of, address_problems, explained

PERSON = ("first_name", "last_name", "phone_number", "email_address")
"""The parts of a tenant, by the API's names."""

_FLAGS = {"true": True, "yes": True, "y": True, "1": True} | {
    "false": False,
    "no": False,
    "n": False,
    "0": False,
}


class Cells:
    """Reads the fields of one row; `problems` collects all that is wrong with them.

    `uses`: field -> column. The values are cleaned, so that dates are written 2026-12-31.
    """

    def __init__(self, got: Mapping[str, str], uses: Mapping[str, str]) -> None:
        self._got = got
        self._uses = uses
        self.problems: list[Problem] = []

    def has(self, *fields: str) -> bool:
        """Tell whether any of the fields is filled in."""
        return any(map(self._got.get, fields))

    def refuse(self, field: str, problem: str, fix: str) -> None:
        """Note a problem."""
        self.problems.append(Problem(field, problem, fix))

    def text(self, field: str, rule: Rule) -> str:
        """Return a text, "" where there is none."""
        value = self._got.get(field, "")
        self._check(field, value, rule)
        return value

    def reference(self, prefix: str) -> str:
        """Return the reference of the home with its prefix, "" where there is none."""
        value = self._got.get("property_reference", "")
        if not value:
            return ""
        self._check("property_reference", prefix + value, text)
        return prefix + value

    def date(self, field: str, rule: Rule) -> dt.date | Unset:
        """Return a date, UNSET where there is none or it cannot be read."""
        value = self._got.get(field, "")
        if not value:
            return UNSET
        try:
            date = dt.date.fromisoformat(value)
        except ValueError:
            self.refuse(field, "is not a date that can be read", "write it as 2026-12-31")
            return UNSET
        self._check(field, date, rule)
        return date

    def needed_date(self, field: str, rule: Rule) -> dt.date:
        """Return a date that has to be there; any, where it is not."""
        date = self.date(field, rule)
        if date is UNSET:
            self._need(field)
            return dt.date.min
        return date

    def flag(self, field: str) -> bool | Unset:
        """Return yes or no, UNSET where there is neither."""
        value = self._got.get(field, "")
        if not value:
            return UNSET
        flag = _FLAGS.get(value.casefold())
        if flag is None:
            self.refuse(field, "is neither yes nor no", "write true or false, or yes or no")
            return UNSET
        return flag

    def needed_flag(self, field: str) -> bool:
        """Return yes or no, of which one has to be there."""
        flag = self.flag(field)
        if flag is UNSET:
            self._need(field)
            return False
        return flag

    def whole(self, field: str) -> int | Unset:
        """Return a whole number above 0, UNSET where there is none."""
        value = self._got.get(field, "")
        if not value:
            return UNSET
        if not re.fullmatch("[0-9]{1,18}", value) or not int(value):
            self.refuse(field, "is not a whole number above 0", "give one such as 4711")
            return UNSET
        return int(value)

    def needed_whole(self, field: str) -> int:
        """Return a whole number that has to be there; 0, where it is not."""
        number = self.whole(field)
        if number is UNSET:
            self._need(field)
            return 0
        return number

    def person(self, prefix: str) -> NewTenant:
        """Return a person whose parts are fields with a prefix; its problems name these fields."""
        person = NewTenant(**{part: self._got.get(prefix + part, "") for part in PERSON})
        self.problems += explained(person, prefix, self._uses, prefix)
        return person

    def address(self) -> Address | AddressId | Unset:
        """Return the address of the home, UNSET where none of its fields is filled in."""
        if not self.has(*FIELDS):
            return UNSET
        address = address_of(self._got)
        self.problems += address_problems(address, self._got, self._uses)
        return address

    def _check(self, field: str, value: object, rule: Rule) -> None:
        fault = rule(value) if value != "" else None
        if fault is not None:
            self.refuse(field, *fault)

    def _need(self, field: str) -> None:
        """Note an empty cell, unless what is in it has been refused."""
        if not self._got.get(field):
            column = self._uses.get(field, field)
            self.refuse(field, "is empty", f"fill in the column {column!r}")
