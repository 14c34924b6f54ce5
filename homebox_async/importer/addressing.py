"""The address of a home in the columns of a source, and what makes two addresses the same."""

from __future__ import annotations

import functools
import hashlib
import re
import unicodedata
from collections.abc import Mapping, Sequence

import attrs

from ..errors import Problem
from ..resources.addresses import Address, AddressId
from ..rules import UNSET, Input
from .address_matching import ADDRESS_RULE, Place, key_of, place_of
from .columns import MappingError, listed

FIELDS = ("address_id", "line1", "line2", "city", "county", "postcode")
"""The fields of an address, by the API's names."""

# As `plain` leaves them; each also with "address", "property" or both before it.
_NAMES: Mapping[str, tuple[str, ...]] = {
    "address_id": ("addressid", "homeboxaddressid"),
    "line1": (
        *("line1", "lineone", "address1", "addressone", "addr1", "addressline", "addrline1"),
        *("addressline1", "addresslineone", "streetaddress", "street1", "firstline"),
        *("firstlineofaddress", "addressfirstline", "streetline1"),
    ),
    "line2": (
        *("line2", "linetwo", "address2", "addresstwo", "addr2", "addrline2", "addressline2"),
        *("addresslinetwo", "street2", "secondline", "secondlineofaddress", "streetline2"),
        *("addresssecondline", "streetaddress2", "streetaddressline2"),
    ),
    "city": ("city", "town", "posttown", "towncity", "citytown", "townorcity", "cityortown"),
    "county": ("county",),
    "postcode": ("postcode", "postalcode", "zip", "zipcode", "postcodezip", "zippostcode"),
    "property_reference": (
        *("reference", "ref", "propertyreference", "propertyref", "yourreference", "yourref"),
        *("ourreference", "ourref", "clientreference", "clientref", "externalreference"),
        *("partnerreference", "referencenumber", "refnumber", "refno"),
        *("landlordreference", "landlordref"),
    ),
}
_PREFIXES = ("", "address", "property", "propertyaddress")
NAMES: Mapping[str, str] = {
    prefix + name: field
    for field, names in _NAMES.items()
    for name in names
    for prefix in _PREFIXES
}
"""The fields of an address, and the reference, by every name that is recognised."""

REFERENCE_NAMES = {name: field for name, field in NAMES.items() if field == "property_reference"}
"""The names of the reference alone."""

# The street only where no other column is: with others, it may be the whole address.
WEAK: Mapping[str, str] = {
    "address": "line1",
    "propertyaddress": "line1",
    "uprn": "property_reference",
    "propertycode": "property_reference",
    "unitref": "property_reference",
}
"""The names that count only where no other column is the field."""

_REQUIRED = ("line1", "city", "postcode")
_NOT_IN_AN_ID = re.compile(r"[\s,;|\"{}]")
_NOT_ALNUM = re.compile(r"[\W_]+")
_ASCII_NOT_ALNUM = bytes(i for i in range(128) if not chr(i).isalnum() and chr(i) != "|")
_RULES = {field.name: field.metadata["rule"] for field in attrs.fields(Address)}
# Towns and postcodes come again and again: a verdict that is remembered costs a tenth.
_remember = functools.lru_cache(maxsize=8192)
_LINE1, _CITY, _POSTCODE = _RULES["line1"], _remember(_RULES["city"]), _remember(_RULES["postcode"])
_OPTIONAL = [(field, _remember(_RULES[field])) for field in ("line2", "county")]
_EXAMPLE = '--map line1="Street" --map city="Town" --map postcode="Post Code"'
_NOT_AN_ID = Problem("address.address_id", "is not an id", "give one that the API found")


GENERATED = re.compile("hbx2?-")
"""How the references begin that are made of an address, of either rule."""


def address_key(address: Address | AddressId, rule: int = ADDRESS_RULE) -> str:
    """Return the text by which two rows ask for the same home.

    Rule 2 keeps the boundaries between numbers, knows spellings such as "St" and "Street", and
    leaves town and county out. Rule 1 takes out everything but letters and digits.
    """
    if isinstance(address, AddressId):
        return f"id:{address.address_id}"
    line2 = address.line2 or None
    if rule == 1:
        return first_key_of(address.line1, line2, address.city, address.postcode)
    return key_of((address.line1, line2), address.postcode)


def generated_reference(address: Address | AddressId, rule: int) -> str:
    """Return the reference that is made of an address."""
    key = address_key(address, rule).encode("utf-8", "surrogatepass")
    return generated_start(rule) + hashlib.blake2b(key, digest_size=10).hexdigest()


def generated_start(rule: int) -> str:
    """Return how the references begin that are made of an address."""
    return "hbx-" if rule == 1 else "hbx2-"


def first_key_of(
    line1: str | None, line2: str | None, city: str | None, postcode: str | None
) -> str:
    """Return the `address_key` of rule 1."""
    key = "|".join((line1 or "", line2 or "", city or "", postcode or ""))
    if key.isascii():
        return key.lower().encode().translate(None, _ASCII_NOT_ALNUM).decode()
    key = unicodedata.normalize("NFKC", key).casefold()
    return "|".join([_NOT_ALNUM.sub("", part) for part in key.split("|")])


def place_of_address(address: Address | AddressId) -> Place:
    """Take an address apart; one that is named by its id has no lines."""
    if isinstance(address, AddressId):
        return place_of((), None, None, address.postcode or None)
    return place_of(
        (address.line1, address.line2 or None),
        address.city,
        address.county or None,
        address.postcode,
    )


def one_line(address: Address | AddressId) -> str:
    """Return an address on one line, for people."""
    if isinstance(address, AddressId):
        return f"address_id {address.address_id}"
    parts = (address.line1, address.line2 or "", address.city, address.postcode)
    return ", ".join(filter(None, parts))


def address_of(got: Mapping[str, str]) -> Address | AddressId:
    """Make an address of the values of a row's fields; `address_id` goes first."""
    if "line1" not in got or got.get("address_id"):
        return AddressId(got["address_id"])
    return Address(
        line1=got["line1"],
        line2=got.get("line2") or UNSET,
        city=got["city"],
        county=got.get("county") or UNSET,
        postcode=got["postcode"],
    )


def address_problems(
    address: Address | AddressId, got: Mapping[str, str], uses: Mapping[str, str]
) -> list[Problem]:
    """Return all that is wrong with a row's address; for an empty cell, name the column."""
    if isinstance(address, AddressId):
        problems = explained(address, "address.", uses)
        if not problems and _NOT_IN_AN_ID.search(address.address_id):
            problems = [_NOT_AN_ID]
        return problems
    # The bare rules take a third of the time of `problems()`, which is asked for its texts only
    # where something is wrong.
    wrong = _LINE1(address.line1) or _POSTCODE(address.postcode) or _CITY(address.city)
    for field, rule in _OPTIONAL:
        wrong = wrong or (field in got and rule(got[field]))
    return explained(address, "address.", uses) if wrong else []


def explained(
    made: Input, path: str, uses: Mapping[str, str], column_prefix: str = ""
) -> list[Problem]:
    """Return the problems of what a row gives; for an empty cell, name the column to fill in.

    `column_prefix`: what the fields of the source have before the API's names.
    """
    problems = []
    for problem in made.problems(path):
        field = problem.field.removeprefix(path)
        if not made.on_wire()[field]:
            column = uses.get(column_prefix + field)
            fix = f"fill in the column {column!r}"
            if column is None:
                fix = f"add a column {column_prefix + field}, or leave the other {path}... empty"
            problem = Problem(problem.field, "is empty", fix)
        problems.append(problem)
    return problems


def check_address(uses: Mapping[str, str], columns: Sequence[str]) -> None:
    """Raise MappingError if there is no address among the columns, or a part of one only."""
    missing = [field for field in _REQUIRED if field not in uses]
    if missing and "address_id" not in uses:
        what = "no address" if len(missing) == len(_REQUIRED) else f"no {' and no '.join(missing)}"
        raise MappingError(
            f"there is {what} among the columns {listed(columns)};"
            f" say which they are, for example {_EXAMPLE}, or add a line of column names if the"
            " file has none"
        )
    if missing and len(missing) < len(_REQUIRED):
        raise MappingError(
            f"there is a part of an address, but no {' and no '.join(missing)} among the columns"
            f" {listed(columns)}; map it (--map {missing[0]}=COLUMN), or leave the others out"
            f" (--map {next(field for field in _REQUIRED if field in uses)}=)"
        )
