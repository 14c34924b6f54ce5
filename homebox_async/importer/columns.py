"""Which column of a source is which field of a property, and what a row then asks for.

A field comes from a column, or from a template of several (``{saon} {paon} {street}``).
What the user maps goes before a preset, and a preset before what is recognised by name.
"""

from __future__ import annotations

import difflib
import functools
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
    prefix + name: field
    for field, names in _NAMES.items()
    for name in names
    for prefix in _PREFIXES
}
# The street only where no other column is: with others, it may be the whole address.
_WEAK = {"address": "line1", "propertyaddress": "line1"}

_REQUIRED = ("line1", "city", "postcode")
_EXACT = ("address_id", "property_reference")
_PART = re.compile(r"\{([^{}]*)\}")
_SEPARATOR = re.compile(r"[\s,;:/|·–—-]*")  # noqa: RUF001  # dashes as people type them
_NOT_IN_AN_ID = re.compile(r"[\s,;|\"{}]")
_NOT_ALNUM = re.compile(r"[\W_]+")
_ASCII_NOT_ALNUM = bytes(i for i in range(128) if not chr(i).isalnum() and chr(i) != "|")
_Getter = Callable[[Mapping[str, str]], str]
_RULES = {field.name: field.metadata["rule"] for field in attrs.fields(Address)}
# Towns and postcodes come again and again: a verdict that is remembered costs a tenth.
_remember = functools.lru_cache(maxsize=8192)
_LINE1, _CITY, _POSTCODE = _RULES["line1"], _remember(_RULES["city"]), _remember(_RULES["postcode"])
_OPTIONAL = [(field, _remember(_RULES[field])) for field in ("line2", "county")]
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
    _getters: Mapping[str, _Getter] = attrs.field(repr=False, alias="getters")

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
        templates = {
            field: _parse(use, field, "--map" if field in mapping else f"preset {preset}", columns)
            for field, use in uses.items()
        }
        used = {piece.column for template in templates.values() for piece in template.pieces}
        return cls(
            uses=uses,
            ignored=tuple(column for column in columns if column not in used),
            generate_references=generate_references,
            getters={
                field: template.getter(exact=field in _EXACT)
                for field, template in templates.items()
            },
        )

    @property
    def signature(self) -> str:
        """A stable text of the mapping."""
        return json.dumps([1, sorted(self.uses.items()), self.generate_references])

    def read(self, row: Row) -> PropertyRow | list[Problem]:
        """Make the request of a row, or tell all that is wrong with it."""
        if row.fault is not None:
            return [row.fault]
        got = self._got(row)
        address = _address(got)
        if isinstance(address, AddressId):
            problems = self._explained(address)
            if not problems and _NOT_IN_AN_ID.search(address.address_id):
                problems = [_NOT_AN_ID]
        else:
            # The bare rules take a third of the time of `problems()`, which is asked for its
            # texts only where something is wrong.
            wrong = _LINE1(address.line1) or _POSTCODE(address.postcode) or _CITY(address.city)
            for field, rule in _OPTIONAL:
                wrong = wrong or (field in got and rule(got[field]))
            problems = self._explained(address) if wrong else []
        reference = got.get("property_reference", "")
        if reference:
            fault = text(reference)
            if fault is not None:
                problems.append(Problem("property_reference", *fault))
        elif not self.generate_references:
            problems.append(_NO_REFERENCE)
        if problems:
            return problems
        return PropertyRow(row.number, address, reference or _generated(address))

    def read_again(self, row: Row) -> PropertyRow:
        """Make the request of a row that `read` has found to be good."""
        got = self._got(row)
        address = _address(got)
        return PropertyRow(
            row.number, address, got.get("property_reference") or _generated(address)
        )

    def _got(self, row: Row) -> dict[str, str]:
        cells = row.cells
        return {field: get(cells) for field, get in self._getters.items()}

    def _explained(self, address: Address | AddressId) -> list[Problem]:
        """Return the problems of an address; for an empty cell, name the column to fill in."""
        problems = []
        for problem in address.problems("address."):
            field = problem.field.removeprefix("address.")
            if not getattr(address, field):
                fix = f"fill in the column {self.uses[field]!r}"
                problem = Problem(problem.field, "is empty", fix)
            problems.append(problem)
        return problems


_NOT_AN_ID = Problem("address.address_id", "is not an id", "give one that the API found")
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
    if key.isascii():
        return key.lower().encode().translate(None, _ASCII_NOT_ALNUM).decode()
    key = unicodedata.normalize("NFKC", key).casefold()
    return "|".join([_NOT_ALNUM.sub("", part) for part in key.split("|")])


def _address(got: Mapping[str, str]) -> Address | AddressId:
    if "line1" not in got or got.get("address_id"):
        return AddressId(got["address_id"])
    return Address(
        line1=got["line1"],
        line2=got.get("line2") or UNSET,
        city=got["city"],
        county=got.get("county") or UNSET,
        postcode=got["postcode"],
    )


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
    listed = _listed(columns)
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


def _parse(use: str, field: str, origin: str, columns: Sequence[str]) -> _Template:
    """Take a column name or a template apart."""
    if column := _find(use, columns):
        return _Template((_Piece(" ", "", column),), "")
    if "{" not in use and "}" not in use:
        raise _unknown(use, field, origin, columns)
    pieces: list[_Piece] = []
    end = 0
    for part in _PART.finditer(use):
        column = _find(part[1], columns)
        if column is None:
            raise _unknown(part[1], field, origin, columns)
        words = _SEPARATOR.sub("", use[end : part.start()], count=1)
        separator = use[end : part.start() - len(words)]
        if not pieces:
            separator, words = " ", (separator + words).lstrip()
        pieces.append(_Piece(separator, words, column))
        end = part.end()
    rest = "".join(_PART.split(use)[::2])
    if not pieces or "{" in rest or "}" in rest:
        raise MappingError(
            f"{origin} {field}: the template {use!r} has a brace without its partner;"
            " write each column as {column}"
        )
    return _Template(tuple(pieces), use[end:])


def _find(name: str, columns: Sequence[str]) -> str | None:
    """Return the column of this name; case and spaces count only where two would fit."""
    name = name.strip()
    if name in columns:
        return name
    alike = [column for column in columns if _plain(column) == _plain(name)]
    return alike[0] if len(alike) == 1 and not {"{", "}"} & set(name) else None


def _unknown(name: str, field: str, origin: str, columns: Sequence[str]) -> MappingError:
    return MappingError(
        f"{origin} {field}: there is no column {name!r}; {_closest(name, columns)}"
        f"the columns are {_listed(columns)}"
    )


def _listed(columns: Sequence[str]) -> str:
    shown = [repr(name if len(name) <= 60 else name[:60] + "…") for name in columns[:30]]
    more = f" and {len(columns) - 30} more" if len(columns) > 30 else ""
    return ", ".join(shown) + more


def _closest(name: str, known: Sequence[str]) -> str:
    plain = {_plain(one): one for one in known}
    close = difflib.get_close_matches(_plain(name), plain, n=1)
    return f"did you mean {plain[close[0]]!r}? " if close else ""


@attrs.frozen
class _Piece:
    """A column in a template, with what stands before it.

    `separator` stays only between two values; `words` ("Flat ") go with the value.
    """

    separator: str
    words: str
    column: str

    def is_spaced(self) -> bool:
        """Whether nothing but space stands before the column."""
        return self.separator.isspace() and not self.words


@attrs.frozen
class _Template:
    pieces: tuple[_Piece, ...]
    suffix: str

    def getter(self, *, exact: bool) -> _Getter:
        """Return the function that fills the template.

        `exact` keeps the spaces inside: a reference has to stay as the caller's system has it.
        """
        if self.pieces[1:] or self.pieces[0].words or self.suffix:
            if exact:
                return self._filled
            if not self.suffix and all(map(_Piece.is_spaced, self.pieces)):
                columns = [piece.column for piece in self.pieces]
                return lambda cells: " ".join(" ".join([cells[c] for c in columns]).split())
            return lambda cells: " ".join(self._filled(cells).split())
        column = self.pieces[0].column
        if exact:
            return lambda cells: cells[column].strip()
        return lambda cells: " ".join(cells[column].split())

    def _filled(self, cells: Mapping[str, str]) -> str:
        filled, pending, value = "", "", ""
        for piece in self.pieces:
            # Of the separators around an empty value, the strongest stays: ", " not " ".
            pending = max(pending, piece.separator, key=_strength)
            value = cells[piece.column].strip()
            if value:
                filled += (pending if filled else "") + piece.words + value
                pending = ""
        return (filled + self.suffix if value else filled).strip()


def _strength(separator: str) -> tuple[int, int]:
    return len(separator.strip()), len(separator)
