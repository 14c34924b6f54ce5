"""Which column of a source is which field of a property, and what a row then asks for.

A field comes from a column, or from a template of several (``{saon} {paon} {street}``).
What the user maps goes before a preset, and a preset before what is recognised by name.
"""

from __future__ import annotations

import difflib
import hashlib
import json
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence

import attrs

from ..errors import Problem
from ..resources.addresses import Address, AddressId
from ..rules import UNSET, text
from .sources import Row, SourceError

FIELDS = ("address_id", "line1", "line2", "city", "county", "postcode", "property_reference")
"""The fields that a row can fill, by the API's names."""

PRESETS: Mapping[str, Mapping[str, str]] = {
    "land-registry": {
        "line1": "{saon} {paon} {street}",
        "line2": "{locality}",
        "city": "town",
        "county": "county",
        "postcode": "postcode",
        "property_reference": "unique_id",
    },
}
"""Mappings for well-known files: HM Land Registry's Price Paid Data."""

# As `_plain` leaves them; each also with "address", "property" or both before it.
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
    ),
}
_PREFIXES = ("", "address", "property", "propertyaddress")
_KNOWN = {
    prefix + name: field for field, names in _NAMES.items() for name in names for prefix in _PREFIXES
}
# The street only where no other column is: with others, it may be the whole address.
_WEAK = {"address": "line1", "propertyaddress": "line1"}

_REQUIRED = ("line1", "city", "postcode")
_OPTIONAL = ("address_id", "line2", "county")
_EXACT = ("address_id", "property_reference")
_PART = re.compile(r"\{([^{}]*)\}")
_SEPARATOR = re.compile(r"[\s,;:/|·–—-]*")  # noqa: RUF001  # dashes as people type them
_NOT_IN_AN_ID = re.compile(r"[\s,;|\"{}]")
_NOT_ALNUM = re.compile(r"[\W_]+")
_RULES = {field.name: field.metadata["rule"] for field in attrs.fields(Address)}
_EXAMPLE = '--map line1="Street" --map city="Town" --map postcode="Post Code"'


class MappingError(SourceError):
    """The columns of a source cannot be made into the fields of a property."""


@attrs.frozen
class PropertyRow:
    """What a row asks for: a property to create."""

    number: int
    address: Address | AddressId
    property_reference: str

    @property
    def key(self) -> str:
        """The `address_key` of the address."""
        return address_key(self.address)


@attrs.frozen(eq=False)
class Columns:
    """How to make a request from a row.

    `uses`: field -> column or template. `ignored`: the columns that no field uses.
    `signature` changes when the same row would be read differently.
    """

    uses: Mapping[str, str]
    ignored: tuple[str, ...]
    generate_references: bool
    _getters: Mapping[str, Callable[[Mapping[str, str]], str]] = attrs.field(repr=False)

    @classmethod
    def recognise(
        cls,
        columns: Sequence[str],
        *,
        mapping: Mapping[str, str] | None = None,
        preset: str | None = None,
        generate_references: bool = False,
    ) -> Columns:
        """Find the fields among the columns.

        `mapping`: field -> column or template, "" for a field to be left out.
        """
        mapping = mapping or {}
        for field in mapping:
            if field not in FIELDS:
                raise MappingError(
                    f"--map: there is no field {field!r}; {_closest(field, FIELDS)}"
                    f"the fields are {', '.join(FIELDS)}"
                )
        given = {**_preset(preset), **mapping}
        uses = {**_recognised(columns, given), **given}
        uses = {field: uses[field] for field in FIELDS if uses.get(field, "").strip()}
        _check_complete(uses, columns, generate_references)
        origin = {field: "--map" if field in mapping else f"preset {preset!r}" for field in given}
        parts = {field: _parse(use, field, origin, columns) for field, use in uses.items()}
        used = {column for pieces in parts.values() for _, column, _ in pieces}
        return cls(
            uses=uses,
            ignored=tuple(column for column in columns if column not in used),
            generate_references=generate_references,
            getters={field: _getter(pieces, field) for field, pieces in parts.items()},
        )

    @property
    def signature(self) -> str:
        """A stable text of the mapping."""
        return json.dumps([1, sorted(self.uses.items()), self.generate_references])

    def read(self, row: Row) -> PropertyRow | list[Problem]:
        """Make the request of a row, or tell all that is wrong with it."""
        if row.fault is not None:
            return [row.fault]
        got = {field: get(row.cells) for field, get in self._getters.items()}
        address: Address | AddressId
        if address_id := got.get("address_id"):
            address = AddressId(address_id)
            problems = self._id_problems(address)
        else:
            address = Address(
                line1=got.get("line1", ""),
                line2=got.get("line2") or UNSET,
                city=got.get("city", ""),
                county=got.get("county") or UNSET,
                postcode=got.get("postcode", ""),
            )
            # The rules first: `Address.problems` goes through more than a million rows can wait
            # for, so it is asked for the text only when something is wrong.
            wrong = any(
                rule(got[field]) is not None
                for field, rule in _RULES.items()
                if got.get(field) or field in _REQUIRED and field in got
            )
            problems = self._address_problems(address) if wrong or "line1" not in got else []
        reference = got.get("property_reference", "")
        if reference:
            fault = text(reference)
            if fault is not None:
                problems = [*problems, Problem("property_reference", *fault)]
        elif not self.generate_references:
            problems = [*problems, _NO_REFERENCE]
        if problems:
            return problems
        return PropertyRow(row.number, address, reference or _generated(address))

    def _id_problems(self, address: AddressId) -> list[Problem]:
        problems = address.problems("address.")
        if not problems and _NOT_IN_AN_ID.search(address.address_id):
            return [Problem("address.address_id", "is not an id", "give one that the API found")]
        return problems

    def _address_problems(self, address: Address) -> list[Problem]:
        """Return the problems; for an empty cell, name the column to fill in."""
        problems = []
        for problem in address.problems("address."):
            field = problem.field.removeprefix("address.")
            if not getattr(address, field):
                column = self.uses.get(field) or self.uses["address_id"]
                problem = attrs.evolve(problem, fix=f"fill in the column {column!r}")
            problems.append(problem)
        return problems


_NO_REFERENCE = Problem(
    "property_reference", "is empty", "give a reference, or import with --generate-references"
)


def address_key(address: Address | AddressId) -> str:
    """Return the text by which two addresses are the same home.

    Case, spaces and punctuation do not count, nor does the county, which servers rewrite.
    """
    if isinstance(address, AddressId):
        return f"id:{address.address_id}"
    return address_key_of(address.line1, address.line2 or None, address.city, address.postcode)


def address_key_of(
    line1: str | None, line2: str | None, city: str | None, postcode: str | None
) -> str:
    """Return the `address_key` of an address as the server lists it."""
    key = "|".join((line1 or "", line2 or "", city or "", postcode or ""))
    if not key.isascii():
        key = unicodedata.normalize("NFKC", key)
    return "|".join([_NOT_ALNUM.sub("", part) for part in key.casefold().split("|")])


def _generated(address: Address | AddressId) -> str:
    key = address_key(address).encode("utf-8", "surrogatepass")
    return "hbx-" + hashlib.blake2b(key, digest_size=10).hexdigest()


def _plain(name: str) -> str:
    return _NOT_ALNUM.sub("", name.casefold())


def _preset(name: str | None) -> Mapping[str, str]:
    if name is None:
        return {}
    if name not in PRESETS:
        raise MappingError(
            f"--preset: there is no preset {name!r}; the presets are {', '.join(PRESETS)}"
        )
    return PRESETS[name]


def _recognised(columns: Sequence[str], given: Mapping[str, str]) -> dict[str, str]:
    found: dict[str, list[str]] = {}
    for column in columns:
        if field := _KNOWN.get(_plain(column)):
            found.setdefault(field, []).append(column)
    for column in columns:
        field = _WEAK.get(_plain(column))
        if field and (field not in found or _plain(found[field][0]) in _WEAK):
            found.setdefault(field, []).append(column)
    for field, candidates in found.items():
        if len(candidates) > 1 and field not in given:
            names = " and ".join(map(repr, candidates))
            raise MappingError(
                f"the columns {names} may both be {field};"
                f' say which one: --map {field}="{candidates[0]}"'
            )
    return {field: candidates[0] for field, candidates in found.items()}


def _check_complete(
    uses: Mapping[str, str], columns: Sequence[str], generate_references: bool
) -> None:
    missing = [field for field in _REQUIRED if field not in uses]
    listed = ", ".join(map(repr, columns))
    if missing and "address_id" not in uses:
        what = "no address" if len(missing) == len(_REQUIRED) else f"no {' and no '.join(missing)}"
        raise MappingError(
            f"there is {what} among the columns {listed};"
            f" say which they are, for example {_EXAMPLE}, or add a line of column names if the"
            " file has none"
        )
    if missing and len(missing) < len(_REQUIRED):
        raise MappingError(
            f"there is a part of an address, but no {' and no '.join(missing)} among the columns"
            f" {listed}; map it (--map {missing[0]}=COLUMN), or leave the others out (--map"
            f" {next(field for field in _REQUIRED if field in uses)}=)"
        )
    if "property_reference" not in uses and not generate_references:
        raise MappingError(
            f"there is no property_reference among the columns {listed}; say which it is"
            " (--map property_reference=COLUMN), or import with --generate-references"
        )


_Piece = tuple[str, str, str]
"""The separator before a part, its own words before the value's place, and its column."""


def _closest(name: str, known: Sequence[str]) -> str:
    plain = {_plain(one): one for one in known}
    close = difflib.get_close_matches(_plain(name), plain, n=1)
    return f"did you mean {plain[close[0]]!r}? " if close else ""
