"""Addresses: made up for any postcode, compared and searched without regard to spelling."""

import base64
import hashlib
import re
from typing import Protocol

import attrs

# A whole UK postcode anywhere in a text, with or without its space.
POSTCODE = re.compile(r"\b([A-Z]{1,2}[0-9][A-Z0-9]?)\s*([0-9][A-Z]{2})\b", re.IGNORECASE)

_STREETS = ("Ship Street", "Mill Lane", "Station Road", "Park Avenue", "Church Hill", "High Street")
_TOWNS = {
    "B": ("Birmingham", "West Midlands"),
    "BN": ("Brighton", "East Sussex"),
    "L": ("Liverpool", "Merseyside"),
    "M": ("Manchester", "Greater Manchester"),
    "OX": ("Oxford", "Oxfordshire"),
}
_DEFAULT_TOWN = ("London", "Greater London")


class Addressed(Protocol):
    """Anything that has the parts of an address: an `Address` or a stored property."""

    @property
    def line1(self) -> str:
        """The first line, e.g. house number and street."""
        ...

    @property
    def line2(self) -> str | None:
        """The second line, if there is one."""

    @property
    def city(self) -> str | None:
        """The city."""

    @property
    def county(self) -> str | None:
        """The county."""

    @property
    def postcode(self) -> str:
        """The postcode as it was given."""
        ...


@attrs.frozen
class Address:
    """One address; `address_id` is set when it came from "Find an Address"."""

    line1: str
    line2: str | None
    city: str | None
    county: str | None
    postcode: str
    address_id: str | None = None


def compact(postcode: str) -> str:
    """Return the postcode in capitals and without spaces, for comparing."""
    return postcode.replace(" ", "").upper()


def label(address: Addressed) -> str:
    """Return the address on one line, as "Find an Address" shows it."""
    parts = (address.line1, address.line2, address.city, address.postcode)
    return ", ".join(part for part in parts if part)


def same(one: Addressed, other: Addressed) -> bool:
    """Tell whether two addresses are the same apart from capitals and spaces."""
    return _normal(one) == _normal(other)


def matches(address: Addressed, words: list[str]) -> bool:
    """Tell whether each of the lower-case words occurs in the address.

    The postcode is searched with and without its space, so both spellings find it.
    """
    parts = (address.line1, address.line2, address.city, address.county, address.postcode)
    haystack = " ".join([part for part in parts if part]).lower()
    haystack = f"{haystack} {address.postcode.replace(' ', '').lower()}"
    return all(word in haystack for word in words)


def identify(address: Addressed, seed: int) -> Address:
    """Return the address with the `address_id` that belongs to it under this seed."""
    text = f"{seed}|{_normal(address)}"
    digest = hashlib.blake2b(text.encode(), digest_size=16).digest()
    return Address(
        address.line1,
        address.line2,
        address.city,
        address.county,
        address.postcode,
        # 21 characters, as the printed ones have.
        base64.urlsafe_b64encode(digest).decode()[:21],
    )


def generate(postcode: str, seed: int) -> list[Address]:
    """Return the three to nine addresses that exist at a postcode under this seed."""
    outward, inward = compact(postcode)[:-3], compact(postcode)[-3:]
    digest = hashlib.blake2b(f"{seed}|{outward}{inward}".encode(), digest_size=4).digest()
    street = _STREETS[digest[0] % len(_STREETS)]
    area = outward.rstrip("0123456789") if outward[-1].isdigit() else outward[:-2]
    city, county = _TOWNS.get(area, _DEFAULT_TOWN)
    first = digest[1] % 90 + 1
    return [
        identify(Address(f"{number} {street}", None, city, county, f"{outward} {inward}"), seed)
        for number in range(first, first + 3 + digest[2] % 7)
    ]


def _normal(address: Addressed) -> str:
    lines = " ".join(f"{address.line1} {address.line2 or ''}".lower().split())
    return f"{lines}|{compact(address.postcode)}"
