"""Which column of a source is which field of a kind, and what the cells of a row then say.

A field comes from a column, or from a template of several (``{saon} {paon} {street}``).
What the user maps goes before a preset, and a preset before what is recognised by name.
"""

from __future__ import annotations

import abc
import difflib
import json
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar, Generic, Protocol, Self, TypeVar

import attrs

from ..errors import Problem
from ..rules import Verdict
from .address_lines import joined_lines
from .address_matching import ADDRESS_RULE
from .dates import DATES, PLAIN, Ambiguous, orders_of, read_date
from .header import plain as plain
from .rows import Stored
from .sources import Row, Source, SourceError
from .values import Cleaned, Cleaner, cleaner_of, filled_text

_PART = re.compile(r"\{([^{}]*)\}")
_SEPARATOR = re.compile(r"[\s,;:/|·–—-]*")  # noqa: RUF001  # dashes as people type them
_Getter = Callable[[Mapping[str, str]], str]
# Fields whose digits are no amount: in a cell that is a number, they lose the zeros before them.
_DIGITS = ("property_reference", "phone_number")
_NUMBERS = "are numbers in the sheet, which has lost zeros before them, if there were any"


class MappingError(SourceError):
    """The columns of a source cannot be made into the fields that are needed."""


class Asked(Protocol):
    """What a row asks for, checked: one thing to create.

    `reference`: by which people know the row; the journal keeps it. `key`: what two rows have in
    common that ask for the same. `names_an_id`: whether it names something at Homebox by its id,
    so that "not found" is the row's own fault.
    """

    @property
    def number(self) -> int:
        """The number of the row."""
        ...

    @property
    def reference(self) -> str:
        """By which people know the row."""
        ...

    @property
    def key(self) -> str:
        """What two rows have in common that ask for the same."""
        ...

    @property
    def names_an_id(self) -> bool:
        """Whether it names something by its id."""
        ...


R = TypeVar("R", bound=Asked)


class Columns(abc.ABC, Generic[R]):
    """How to make a request from a row; each kind has a class of its own.

    `uses`: field -> column or template. `ignored`: the columns that no field uses.
    `signature` changes when the same row would be read differently. `reference_prefix` is put
    before each reference, `address_rule` is that of the journal.
    A class says which `fields` there are, by which `names` (as `plain` leaves them) they are
    recognised, which names count only where no other column has the field (`weak`), and which
    fields keep the spaces inside (`exact`). `shown_fields`: the fields for people, where all of
    them are too many.
    """

    fields: ClassVar[Sequence[str]]
    names: ClassVar[Mapping[str, str]]
    weak: ClassVar[Mapping[str, str]] = {}
    exact: ClassVar[Sequence[str]] = ()
    presets: ClassVar[Mapping[str, Mapping[str, str]]] = {}
    shown_fields: ClassVar[str] = ""

    def __init__(
        self,
        uses: Mapping[str, str],
        ignored: tuple[str, ...],
        getters: Mapping[str, _Getter],
        options: Mapping[str, object],
    ) -> None:
        self.uses = uses
        self.ignored = ignored
        self.reference_prefix = str(options.get("reference_prefix") or "")
        self.address_rule = ADDRESS_RULE
        self._getters = getters
        self._options = dict(options)
        self._pieces: Mapping[str, tuple[str, ...]] = {}
        self.noted: Counter[tuple[str, str]] = Counter()
        self.made_up: Mapping[str, str] = {}
        as_is = bool(options.get("as_is"))
        self._cleaners: list[tuple[str, Cleaner]] = [
            (field, cleaner)
            for field in uses
            if (cleaner := self._date if field in DATES else cleaner_of(field, as_is=as_is))
        ]

    @classmethod
    def recognise(
        cls,
        columns: Sequence[str],
        *,
        mapping: Mapping[str, str] | None = None,
        preset: str | None = None,
        **options: object,
    ) -> Self:
        """Find the fields among the columns.

        `mapping`: field -> column or template, "" for a field to be left out. `options`: what
        else decides how this kind reads a row.
        """
        mapping = mapping or {}
        for field in mapping:
            if field not in cls.fields:
                raise MappingError(
                    f"--map: there is no field {field!r}; {_closest(field, cls.fields)}"
                    f"the fields are {cls.shown_fields or ', '.join(cls.fields)}"
                )
        given = {**cls._preset(preset), **mapping}
        recognised = cls._recognised(columns, given)
        made_up = {} if {"line1", "line2"} & set(given) else joined_lines(columns, recognised)
        made_up = {field: use for field, use in made_up.items() if field in cls.fields}
        uses = {**recognised, **made_up, **given}
        uses = {field: uses[field] for field in cls.fields if uses.get(field, "").strip()}
        cls.check_complete(uses, columns, **options)
        templates = {
            field: _parse(use, field, "--map" if field in mapping else f"preset {preset}", columns)
            for field, use in uses.items()
        }
        used = {piece.column for template in templates.values() for piece in template.pieces}
        made = cls(
            uses,
            tuple(column for column in columns if column not in used),
            {
                field: template.getter(exact=field in cls.exact)
                for field, template in templates.items()
            },
            options,
        )
        made.made_up = made_up
        made._pieces = {
            field: tuple(piece.column for piece in template.pieces)
            for field, template in templates.items()
        }
        return made

    @classmethod
    @abc.abstractmethod
    def check_complete(
        cls, uses: Mapping[str, str], columns: Sequence[str], **options: object
    ) -> None:
        """Raise MappingError if there are fields missing without which no row can be sent."""

    @property
    def signature(self) -> str:
        """A stable text of the mapping."""
        # Options that came later count where they are used, so that older journals go on.
        later = ("reference_prefix", "tenants", "as_is")
        options = [value for name, value in self._options.items() if name not in later]
        added = {name: value for name in later if (value := self._options.get(name))}
        return json.dumps([1, sorted(self.uses.items()), *options, *([added] if added else [])])

    @abc.abstractmethod
    def read(self, row: Row) -> R | list[Problem]:
        """Make the request of a row, or tell all that is wrong with it."""

    @abc.abstractmethod
    def read_again(self, row: Row) -> R:
        """Make the request of a row that `read` has found to be good."""

    def got(self, row: Row) -> dict[str, str]:
        """Return the values of a row's fields, cleaned."""
        found = self._raw(row)
        for field, clean in self._cleaners:
            if (value := found[field]) and (cleaned := clean(value)) is not None:
                found[field] = cleaned.value
        return found

    def checked(self, row: Row) -> R | list[Problem]:
        """Do as `read`; also refuse damaged values, and count in `noted` what was cleaned."""
        made = self.read(row)
        if row.fault is not None:
            return made
        problems = [] if row.stored is None else self._stored_problems(row, row.stored)
        found = self._raw(row)
        for field, clean in self._cleaners:
            if problems and any(problem.field == _path(field) for problem in problems):
                continue
            if not (value := found[field]) or (cleaned := clean(value)) is None:
                continue
            if cleaned.fault is not None:
                problems.append(Problem(_path(field), *cleaned.fault))
            elif cleaned.note:
                self.noted[field, cleaned.note] += 1
        if not problems:
            return made
        named = {problem.field for problem in problems}
        others = made if isinstance(made, list) else []
        return problems + [problem for problem in others if problem.field not in named]

    def look_through(self, source: Source) -> None:
        """Find out what all rows together show: whether days or months come first in dates.

        Raises MappingError where nothing shows it and it matters.
        """
        fields = [field for field in DATES if field in self.uses]
        if not fields or self._options.get("dates") != "auto":
            return
        shown = orders_of(
            self._getters[field](row.cells) for row in source.rows() for field in fields
        )
        if shown.ambiguous and len(shown.orders) != 1:
            why = "others have each of them first" if shown.orders else "no other date shows which"
            columns = " or ".join(repr(self.uses[field]) for field in fields)
            raise MappingError(
                f"a date such as {shown.ambiguous} in {columns} may have the day or the month"
                f" first, and {why}; say it: --date-order dmy, or mdy"
            )
        # In the words of before, so that older journals can be finished.
        [order] = shown.orders if len(shown.orders) == 1 else ["mixed" if shown.numbers else "iso"]
        self._options["dates"] = order

    @property
    def notes(self) -> tuple[str, ...]:
        """What was put together of several columns, and what was cleaned, by column."""
        return (
            *(f"{field} is made of {use}" for field, use in self.made_up.items()),
            *(
                f"{self.uses[field]!r}: {count:,} {'value' if count == 1 else 'values'} {note}"
                for (field, note), count in self.noted.items()
            ),
        )

    def _raw(self, row: Row) -> dict[str, str]:
        cells = row.cells
        return {field: get(cells) for field, get in self._getters.items()}

    def _stored_problems(self, row: Row, stored: Stored) -> list[Problem]:
        """Return what is wrong with the cells of a sheet beyond their texts, by field."""
        problems = []
        for field, columns in self._pieces.items():
            for column in columns:
                kind = stored.kind(column)
                if kind == "n" and field.endswith(_DIGITS):
                    self.noted[field, _NUMBERS] += 1
                elif kind in "efd" and (fault := self._stored_fault(field, kind, row, column)):
                    problem, fix = fault
                    cell = stored.cell(column)
                    problems.append(Problem(_path(field), f"{problem} (cell {cell})", fix))
                    break
        return problems

    def _stored_fault(self, field: str, kind: str, row: Row, column: str) -> Verdict:
        if kind == "e":
            return f"is the spreadsheet's error {row.cells[column]}", "correct its formula"
        if kind == "f":
            fix = "open the workbook in Excel or LibreOffice, and save it"
            return "is a formula that was never computed", fix
        if kind != "d" or field in DATES or self._options.get("as_is"):
            return None
        fix = "format the cell as text, and write in it what is meant"
        return "is a date in the sheet, which a spreadsheet probably made of it", fix

    def _date(self, value: str) -> Cleaned | None:
        """Return a date as 2026-12-31."""
        if PLAIN.fullmatch(value):
            return None
        order = self._options.get("dates")
        try:
            return Cleaned(str(read_date(value, None if order is None else str(order))))
        except Ambiguous:
            fix = "say which: --date-order dmy, or mdy"
            return Cleaned(value, fault=("may have the day or the month first", fix))
        except ValueError:
            return filled_text(value) or Cleaned(
                value, fault=("is not a date that can be read", "write it as 2026-12-31")
            )

    @classmethod
    def _preset(cls, name: str | None) -> Mapping[str, str]:
        if name is None:
            return {}
        if name not in cls.presets:
            raise MappingError(
                f"--preset: there is no preset {name!r}; the presets are {', '.join(cls.presets)}"
            )
        return cls.presets[name]

    @classmethod
    def _recognised(cls, columns: Sequence[str], given: Mapping[str, str]) -> dict[str, str]:
        found: dict[str, list[str]] = {}
        for column in columns:
            if field := cls.names.get(plain(column)):
                found.setdefault(field, []).append(column)
        for column in columns:
            field = cls.weak.get(plain(column))
            if field and (field not in found or plain(found[field][0]) in cls.weak):
                found.setdefault(field, []).append(column)
        for field, candidates in found.items():
            if len(candidates) > 1 and field not in given:
                names = " and ".join(map(repr, candidates))
                raise MappingError(
                    f"the columns {names} may both be {field};"
                    f' say which one: --map {field}="{candidates[0]}"'
                )
        return {field: candidates[0] for field, candidates in found.items()}


def _path(field: str) -> str:
    """Return how problems name a field."""
    parts = ("line1", "line2", "city", "county", "postcode")
    return f"address.{field}" if field in parts else field


def listed(columns: Sequence[str]) -> str:
    """Return the columns for a message, as many as one can take in."""
    shown = [repr(name if len(name) <= 60 else name[:60] + "…") for name in columns[:30]]
    more = f" and {len(columns) - 30} more" if len(columns) > 30 else ""
    return ", ".join(shown) + more


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
    alike = [column for column in columns if plain(column) == plain(name)]
    return alike[0] if len(alike) == 1 and not {"{", "}"} & set(name) else None


def _unknown(name: str, field: str, origin: str, columns: Sequence[str]) -> MappingError:
    return MappingError(
        f"{origin} {field}: there is no column {name!r}; {_closest(name, columns)}"
        f"the columns are {listed(columns)}"
    )


def _closest(name: str, known: Sequence[str]) -> str:
    by_plain = {plain(one): one for one in known}
    close = difflib.get_close_matches(plain(name), by_plain, n=1)
    return f"did you mean {by_plain[close[0]]!r}? " if close else ""


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
