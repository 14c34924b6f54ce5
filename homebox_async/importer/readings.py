"""Meter readings: each row one reading of one meter, with a photo where there is one.

Readings of a meter rise from date to date; where they do not, nobody can tell from outside which
one is wrong, so neither is sent.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from collections import defaultdict
from collections.abc import AsyncIterator, Collection, Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, ClassVar, Literal

import attrs

from ..client import AsyncHomebox
from ..errors import NotFound, Problem
from ..resources.readings import Reading
from ..rules import UNSET, Unset, one_of, plain_date
from ..wire import Request
from .cells import Cells
from .columns import Columns, MappingError, listed
from .finding import Hits, identity_of
from .journal import Journal, State
from .kinds import Kind, Pending, Tell
from .leads import other_dates
from .options import ImportOptions
from .photos import Photos
from .preview import Preview
from .report import RowResult
from .sources import Row, Source

_AT_A_TIME = 8  # homes whose readings are asked for together
_TYPES = {"electricity": "electric", "elec": "electric"}
_CORRECT = (
    "correct it; if the meter was changed or went round, record it by itself (homebox readings add)"
)
_TWO = "give both values of a meter with two registers (Economy 7), or one of each"

Home = tuple[Literal["order", "property"], int]


@attrs.frozen(kw_only=True)
class ReadingRow:
    """What a row asks for: a reading to record."""

    number: int
    home: Home
    type: str
    reading: int
    reading2: int | Unset
    date_of_reading: dt.date
    photo: Path | None = attrs.field(repr=False)

    @property
    def reference(self) -> str:
        """The meter and the day: there is one reading of both."""
        kind, number = self.home
        return f"{kind} {number} {self.type} {self.date_of_reading}"

    @property
    def key(self) -> str:
        """The same."""
        return self.reference

    @property
    def names_an_id(self) -> bool:
        """Whether the home is named by its id, as it is."""
        return True

    @property
    def values(self) -> tuple[int, int | None]:
        """The values of both registers."""
        return self.reading, None if self.reading2 is UNSET else self.reading2


class ReadingColumns(Columns[ReadingRow]):
    """How to make a reading of a row; `photos` is set once it is recognised."""

    fields = (
        *("property_id", "order_id", "type", "reading", "reading2"),
        *("date_of_reading", "photo"),
    )
    names: ClassVar[Mapping[str, str]] = {
        **dict.fromkeys(("propertyid", "property", "homeboxpropertyid"), "property_id"),
        **dict.fromkeys(("orderid", "order", "homeboxorderid"), "order_id"),
        **dict.fromkeys(("type", "utility", "fuel", "meter", "metertype"), "type"),
        **dict.fromkeys(("reading", "reading1", "value", "day", "dayreading"), "reading"),
        **dict.fromkeys(("reading2", "night", "nightreading"), "reading2"),
        **dict.fromkeys(("dateofreading", "readingdate", "date"), "date_of_reading"),
        **dict.fromkeys(("photo", "image", "picture", "photofile"), "photo"),
    }
    exact = ("photo",)
    photos: Photos | None = None

    @classmethod
    def check_complete(
        cls, uses: Mapping[str, str], columns: Sequence[str], **options: object
    ) -> None:
        """Raise MappingError without a home, a type, a value or a date."""
        missing = [f for f in ("type", "reading", "date_of_reading") if f not in uses]
        if not missing and not {"property_id", "order_id"} & set(uses):
            missing = ["property_id"]
        if missing:
            raise MappingError(
                f"there is no {' and no '.join(missing)} among the columns {listed(columns)}; say"
                f" which it is (--map {missing[0]}=COLUMN)"
            )

    def read(self, row: Row) -> ReadingRow | list[Problem]:
        """Make the request of a row, or tell all that is wrong with it."""
        if row.fault is not None:
            return [row.fault]
        got = self.got(row)
        made, problems = self._read(row, got)
        if self.photos is not None:
            problems += self.photos.find(got.get("photo", ""), _photo_name(made))[1]
        return problems or made

    def read_again(self, row: Row) -> ReadingRow:
        """Make the request of a row that `read` has found to be good."""
        return self._read(row, self.got(row))[0]

    def _read(self, row: Row, got: Mapping[str, str]) -> tuple[ReadingRow, list[Problem]]:
        cells = Cells(got, self.uses, day_first=self._options.get("dates") == "dmy")
        type = got["type"].casefold()
        type = _TYPES.get(type, type)
        if fault := one_of("electric", "gas", "water")(type):
            cells.refuse("type", *fault)
        order, home = cells.whole("order_id"), cells.whole("property_id")
        if cells.has("order_id") and cells.has("property_id"):
            cells.refuse("order_id", "is given beside property_id", "give one of them")
        elif not cells.has("order_id", "property_id"):
            cells.refuse("property_id", "is empty", "give it, or the order_id")
        made = ReadingRow(
            number=row.number,
            home=("property", home or 0) if order is UNSET else ("order", order),
            type=type,
            reading=cells.needed_whole("reading"),
            reading2=cells.whole("reading2"),
            date_of_reading=cells.needed_date("date_of_reading", plain_date),
            photo=None,
        )
        if made.reading2 is not UNSET and type != "electric":
            cells.refuse("reading2", "is given for a meter that is not electric", "leave it out")
        if self.photos is not None:
            photo = self.photos.get(got.get("photo", ""), _photo_name(made))
            made = attrs.evolve(made, photo=photo)
        return made, cells.problems


class Readings(Kind[ReadingRow]):
    """The kind of `import_readings`."""

    name = "readings"
    column_names = ReadingColumns.names

    def recognise(self, columns: Sequence[str], options: ImportOptions) -> ReadingColumns:
        """Find the fields among the columns of a source, and the photos in their folder."""
        found = ReadingColumns.recognise(columns, mapping=options.mapping, dates=options.dates)
        if options.photos is not None:
            found.photos = Photos(options.photos)
        elif "photo" in found.uses:
            raise MappingError(
                f"the column {found.uses['photo']!r} names photos; say where they are (--photos"
                " FOLDER), or leave it out (--map photo=)"
            )
        return found

    async def check_rows(
        self,
        source: Source,
        columns: Columns[ReadingRow],
        journal: Journal,
        pending: Pending[ReadingRow],
    ) -> None:
        """Reject repeats, and readings of a meter that do not go together."""
        await journal.reject_same("reading", "keep one reading of a meter and a day")
        meters: defaultdict[tuple[Home, str], list[ReadingRow]] = defaultdict(list)
        async for rows in pending():
            for row in rows:
                meters[row.home, row.type].append(row)
        for meter in meters.values():
            meter.sort(key=lambda row: row.date_of_reading)
            for earlier, later in pairwise(meter):
                if (earlier.reading2 is UNSET) is not (later.reading2 is UNSET):
                    both = "has not as many values as row {}"
                    _reject(journal, earlier, "reading2", both.format(later.number), _TWO)
                    _reject(journal, later, "reading2", both.format(earlier.number), _TWO)
                elif _falls(earlier.values, later.values):
                    error = f"is above row {later.number} of {later.date_of_reading}"
                    _reject(journal, earlier, "reading", error, _CORRECT)
                    error = f"is below row {earlier.number} of {earlier.date_of_reading}"
                    _reject(journal, later, "reading", error, _CORRECT)
        await journal.flush()

    async def compare(
        self, client: AsyncHomebox, journal: Journal, pending: Pending[ReadingRow], tell: Tell
    ) -> None:
        """Note which rows were recorded already; reject what contradicts what is there."""
        homes: defaultdict[Home, list[ReadingRow]] = defaultdict(list)
        async for rows in pending():
            for row in rows:
                homes[row.home].append(row)
        async for home, there in _recorded(client, list(homes)):
            for row in homes[home]:
                if there is None:
                    problem = Problem(
                        f"{home[0]}_id", "is not among yours at Homebox", "correct it"
                    )
                elif same := _same(there, row):
                    journal.record(row.number, State.PENDING, id=same[0])
                    continue
                elif (contradicted := _contradicted(there, row)) is not None:
                    problem = contradicted
                else:
                    continue
                await tell(
                    RowResult(
                        row.number,
                        State.REJECTED,
                        row.reference,
                        field=problem.field,
                        error=problem.problem,
                        fix=problem.fix,
                    )
                )
        await journal.flush()

    def request(self, client: AsyncHomebox, row: ReadingRow) -> Request:
        """Return the request that records the reading."""
        kind, number = row.home
        return client.readings._creation(
            kind,
            number,
            type=row.type,
            reading=row.reading,
            reading2=row.reading2,
            date_of_reading=row.date_of_reading,
            image=UNSET if row.photo is None else row.photo,
        )

    def echoed(self, made: Any, row: ReadingRow) -> str:
        """Say if the server took another date than was sent."""
        return other_dates(made, date_of_reading=row.date_of_reading)

    async def look_up(
        self, client: AsyncHomebox, rows: Collection[ReadingRow], *, everywhere: bool = False
    ) -> Mapping[int, Hits]:
        """Return what was found for each row among the readings of its home."""
        hits = {row.number: Hits() for row in rows}
        async for home, there in _recorded(client, list({row.home: None for row in rows})):
            for row in rows:
                if row.home == home:
                    hits[row.number].by_reference.update(_same(there or [], row))
        return hits

    def tally(self, columns: Columns[ReadingRow]) -> _Tally:
        """Return what adds up readings and photos."""
        photos = columns.photos if isinstance(columns, ReadingColumns) else None
        return _Tally(photos)


class _Tally:
    """Counts readings and their photos."""

    def __init__(self, photos: Photos | None) -> None:
        self._folder = photos
        self._rows = self._photos = 0

    def add(self, row: ReadingRow) -> None:
        """Count a reading that would be sent."""
        self._rows += 1
        self._photos += row.photo is not None

    def preview(self) -> Preview:
        """Return the sum."""
        return Preview(
            kind="readings",
            rows=self._rows,
            photos=self._photos,
            surplus_photos=() if self._folder is None else self._folder.surplus,
        )


@attrs.frozen
class _Recorded:
    """A reading that is at Homebox."""

    id: int
    type: str
    date: dt.date
    values: tuple[int, int | None]


def _reject(journal: Journal, row: ReadingRow, field: str, error: str, fix: str) -> None:
    journal.record(row.number, State.REJECTED, field=field, error=f"{field} {error}", fix=fix)


def _falls(earlier: tuple[int, int | None], later: tuple[int, int | None]) -> bool:
    return later[0] < earlier[0] or (later[1] or 0) < (earlier[1] or 0)


def _same(there: Sequence[_Recorded], row: ReadingRow) -> list[int]:
    return [
        one.id
        for one in there
        if (one.type, one.date, one.values) == (row.type, row.date_of_reading, row.values)
    ]


def _contradicted(there: Sequence[_Recorded], row: ReadingRow) -> Problem | None:
    """Return what is wrong with a row beside the readings of its meter that are there."""
    for one in there:
        if one.type != row.type:
            continue
        known = f"reading {one.id} of {one.date}"
        if (one.values[1] is None) is not (row.values[1] is None):
            return Problem("reading2", f"reading2 has not as many values as {known}", _TWO)
        if one.date == row.date_of_reading:
            return Problem("reading", f"reading differs from {known}", "keep the right one")
        if one.date < row.date_of_reading and _falls(one.values, row.values):
            return Problem("reading", f"reading is below {known}", _CORRECT)
        if one.date > row.date_of_reading and _falls(row.values, one.values):
            return Problem("reading", f"reading is above {known}", _CORRECT)
    return None


async def _recorded(
    client: AsyncHomebox, homes: Sequence[Home]
) -> AsyncIterator[tuple[Home, list[_Recorded] | None]]:
    """Give the readings of each home, None for a home that is not there."""
    for start in range(0, len(homes), _AT_A_TIME):
        some = homes[start : start + _AT_A_TIME]
        found = await asyncio.gather(
            *(_of_home(client, home) for home in some), return_exceptions=True
        )
        for home, there in zip(some, found, strict=True):
            if isinstance(there, BaseException):
                raise there
            yield home, there


async def _of_home(client: AsyncHomebox, home: Home) -> list[_Recorded] | None:
    kind, number = home
    readings = client.readings
    pages = (
        readings.list_for_order(number) if kind == "order" else readings.list_for_property(number)
    )
    try:
        return [one async for page in pages.pages() for one in _read(page.items)]
    except NotFound:
        return None


def _read(readings: Sequence[Reading]) -> Iterator[_Recorded]:
    for one in readings:
        if one.date_of_reading is None or not (one.reading or "").isdecimal():
            continue  # nothing to compare with
        second = one.reading2 if (one.reading2 or "").isdecimal() else None
        yield _Recorded(
            identity_of(one),
            (one.type or "").casefold(),
            one.date_of_reading,
            (int(one.reading or 0), None if second is None else int(second)),
        )


def _photo_name(row: ReadingRow) -> str:
    """Return how a photo is named after its row, without the suffix: 12-gas-2026-11-20."""
    kind, number = row.home
    prefix = "order-" if kind == "order" else ""
    return f"{prefix}{number}-{row.type}-{row.date_of_reading}"
