"""Validation like Laravel's: rules, messages, and all problems of a request at once."""

import re
from datetime import date

from .laravel import Refusal, invalid

_PHONE = re.compile(r"\+[1-9][0-9 ]{6,18}")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_SHORT_DATE = re.compile(r"(\d{2})/(\d{2})/(\d{2})", re.ASCII)
_ISO_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_INTEGER = re.compile(r"[+-]?\d+", re.ASCII)


class Validator:
    """Takes fields out of a request by their path ("tenants.0.first_name") and checks them.

    Each method returns the usable value or None and notes what is wrong; `finish` raises one
    refusal with all of it.
    """

    def __init__(self, fields: dict[str, object], max_text: int) -> None:
        self._fields = fields
        self._max_text = max_text
        self._errors: dict[str, list[str]] = {}

    def refuse(self, path: str, message: str) -> None:
        """Note a problem; `{}` in the message becomes the name of the field."""
        self._errors.setdefault(path, []).append(message.format(_name(path)))

    def finish(self) -> None:
        """Raise the refusal if there was any problem."""
        if self._errors:
            raise self.refusal()

    def refusal(self) -> Refusal:
        """Return the refusal of all the problems so far."""
        return invalid(self._errors)

    def value(self, path: str, *, required: bool = False) -> object:
        """Return the raw value; null and what is empty for PHP count as missing."""
        value: object = self._fields
        for part in path.split("."):
            if isinstance(value, dict):
                value = value.get(part)
            elif isinstance(value, list):
                value = value[int(part)]
            else:
                value = None
        if not value and isinstance(value, dict | list):
            value = None
        if value is None and required:
            self.refuse(path, "The {} field is required.")
        return value

    def text(self, path: str, *, required: bool = False) -> str | None:
        """Return a text of at most the allowed length."""
        value = self.value(path, required=required)
        if value is None:
            return None
        if not isinstance(value, str):
            self.refuse(path, "The {} field must be a string.")
            return None
        if len(value) > self._max_text:
            self.refuse(
                path, f"The {{}} field must not be greater than {self._max_text} characters."
            )
            return None
        return value

    def required_text(self, path: str) -> str:
        """Return a text that has to be there (empty when it was refused)."""
        return self.text(path, required=True) or ""

    def phone(self, path: str) -> str:
        """Return a required phone number with its country code."""
        value = self.required_text(path)
        if value and not _PHONE.fullmatch(value):
            self.refuse(path, "The {} field format is invalid.")
        return value

    def email(self, path: str) -> str:
        """Return a required email address."""
        value = self.required_text(path)
        if value and not _EMAIL.fullmatch(value):
            self.refuse(path, "The {} field must be a valid email address.")
        return value

    def boolean(self, path: str, *, default: bool) -> bool:
        """Return a boolean; Laravel also takes 0 and 1, as numbers or text."""
        value = self.value(path)
        if value is None:
            return default
        if isinstance(value, bool):
            return value
        if value in (0, 1, "0", "1") and not isinstance(value, float):
            return value in (1, "1")
        self.refuse(path, "The {} field must be true or false.")
        return default

    def mapping(self, path: str, *, required: bool) -> bool:
        """Tell whether there is an object at this path."""
        value = self.value(path, required=required)
        if value is None:
            return False
        if not isinstance(value, dict):
            self.refuse(path, "The {} field must be an array.")
            return False
        return True

    def count(self, path: str) -> int:
        """Return how many items a required list has."""
        value = self.value(path, required=True)
        if value is None:
            return 0
        if not isinstance(value, list):
            self.refuse(path, "The {} field must be an array.")
            return 0
        return len(value)

    def short_date(self, path: str) -> str:
        """Return a required DD/MM/YY date as ISO text."""
        value = self.required_text(path)
        found = _SHORT_DATE.fullmatch(value)
        day = None
        if found:
            day_text, month, year = (int(part) for part in found.groups())
            # PHP's two-digit years: 70 to 99 are in the last century.
            day = _date(year + (2000 if year < 70 else 1900), month, day_text)
        if value and day is None:
            self.refuse(path, "The {} field must match the format d/m/y.")
        return day.isoformat() if day else ""

    def iso_date(self, path: str) -> str:
        """Return a required YYYY-MM-DD date."""
        value = self.required_text(path)
        if value and not (
            _ISO_DATE.fullmatch(value) and _date(*(int(part) for part in value.split("-")))
        ):
            self.refuse(path, "The {} field must match the format Y-m-d.")
        return value

    def positive(self, path: str, *, required: bool) -> str | None:
        """Return an integer greater than 0 as text; forms bring text, JSON brings numbers."""
        value = self.value(path, required=required)
        if value is None:
            return None
        text = str(value)
        if isinstance(value, bool | float) or not _INTEGER.fullmatch(text):
            self.refuse(path, "The {} field must be an integer.")
            return None
        if int(text[:19]) < 1:
            self.refuse(path, "The {} field must be at least 1.")
            return None
        return text


def _name(path: str) -> str:
    return path.replace("_", " ")


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None
