"""Validation like Laravel's: rules, messages, and all problems of a request at once."""

import re
from collections.abc import Sequence
from datetime import date

from .laravel import Refusal, invalid
from .uploads import Upload

_PHONE = re.compile(r"\+[1-9][0-9 ]{6,18}")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_SHORT_DATE = re.compile(r"(\d{2})/(\d{2})/(\d{2})", re.ASCII)
_ISO_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_LONG_DATE = re.compile(r"(\d{2})/(\d{2})/(\d{4})", re.ASCII)
_COLOUR = re.compile(r"#[0-9A-Fa-f]{6}")
_COUNTRY = re.compile(r"[A-Z]{2}")
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

    def phone(self, path: str, *, required: bool = True) -> str:
        """Return a phone number with its country code, or empty text."""
        value = self.text(path, required=required) or ""
        if value and not _PHONE.fullmatch(value):
            self.refuse(path, "The {} field format is invalid.")
        return value

    def email(self, path: str, *, required: bool = True) -> str:
        """Return an email address, or empty text."""
        value = self.text(path, required=required) or ""
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

    def count(self, path: str, *, required: bool = True) -> int:
        """Return how many items a list has."""
        value = self.value(path, required=required)
        if value is None:
            return 0
        if not isinstance(value, list):
            self.refuse(path, "The {} field must be an array.")
            return 0
        return len(value)

    def short_date(self, path: str, *, required: bool = True) -> str:
        """Return a DD/MM/YY date as ISO text, or empty text."""
        value = self.text(path, required=required) or ""
        found = _SHORT_DATE.fullmatch(value)
        day = None
        if found:
            day_text, month, year = (int(part) for part in found.groups())
            # PHP's two-digit years: 70 to 99 are in the last century.
            day = _date(year + (2000 if year < 70 else 1900), month, day_text)
        if value and day is None:
            self.refuse(path, "The {} field must match the format d/m/y.")
        return day.isoformat() if day else ""

    def long_date(self, path: str, *, required: bool = True) -> str:
        """Return a DD/MM/YYYY date as it was sent, or empty text."""
        value = self.text(path, required=required) or ""
        found = _LONG_DATE.fullmatch(value)
        if value and not (found and _date(*(int(part) for part in reversed(found.groups())))):
            self.refuse(path, "The {} field must match the format d/m/Y.")
        return value

    def iso_date(self, path: str, *, required: bool = True) -> str:
        """Return a YYYY-MM-DD date, or empty text."""
        value = self.text(path, required=required) or ""
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

    def integer(self, path: str, *, low: int, high: int, required: bool) -> int | None:
        """Return an integer between two bounds; like Laravel, it also takes one as text."""
        value = self.value(path, required=required)
        if value is None:
            return None
        if isinstance(value, bool | float) or not _INTEGER.fullmatch(str(value)):
            self.refuse(path, "The {} field must be an integer.")
            return None
        number = int(str(value)[:19])
        if not low <= number <= high:
            self.refuse(path, f"The {{}} field must be between {low} and {high}.")
            return None
        return number

    def choice(self, path: str, options: Sequence[str], *, required: bool) -> str | None:
        """Return one of the allowed texts."""
        value = self.text(path, required=required)
        if value is not None and value not in options:
            self.refuse(path, "The selected {} is invalid.")
        return value

    def digits(self, path: str, length: int, *, required: bool) -> None:
        """Check a text of so many digits."""
        value = self.text(path, required=required)
        if value is not None and not (value.isascii() and value.isdigit() and len(value) == length):
            self.refuse(path, f"The {{}} field must be {length} digits.")

    def sized_text(self, path: str, low: int, high: int, *, required: bool) -> str:
        """Return a text with a length between two bounds, or empty text."""
        value = self.text(path, required=required) or ""
        if value and not low <= len(value) <= high:
            self.refuse(path, f"The {{}} field must be between {low} and {high} characters.")
        return value

    def colour(self, path: str) -> str | None:
        """Return an optional hex colour."""
        value = self.text(path)
        if value is not None and not _COLOUR.fullmatch(value):
            self.refuse(path, "The {} field format is invalid.")
        return value

    def country(self, path: str, *, required: bool) -> str:
        """Return a country code in ISO 3166-1 alpha-2 format, or empty text."""
        value = self.text(path, required=required) or ""
        if value and not _COUNTRY.fullmatch(value):
            self.refuse(path, "The {} field format is invalid.")
        return value

    def file(self, path: str, *, required: bool = False) -> Upload | None:
        """Return an uploaded file."""
        value = self.value(path, required=required)
        if value is None or isinstance(value, Upload):
            return value
        self.refuse(path, "The {} field must be a file.")
        return None


def _name(path: str) -> str:
    return path.replace("_", " ")


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None
