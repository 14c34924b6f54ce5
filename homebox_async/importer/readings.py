"""Meter readings: each row one reading of one meter, with a photo where there is one.

Readings of a meter rise from date to date. Where they do not, nothing shows which one is wrong,
so none of them is sent.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import attrs

from ..client import AsyncHomebox
from ..errors import Problem
from ..evidence import Completeness
from ..rules import UNSET, Unset, Verdict, one_of, plain_date
from ..wire import Request
from .addressing import REFERENCE_NAMES
from .cells import Cells
from .columns import Columns, MappingError, listed
from .finding import Hits, LookUp
from .homes import Homes, find_homes
from .journal import Journal, Reader, State
from .kinds import Kind, Pending, Tell
from .leads import other_dates
from .meter_table import Entered, FileMeter, create, enter, meters, meters_of_homes
from .meters import Conflict, Meter, Point, registers
from .options import ImportOptions
from .photos import Photos
from .preview import Preview
from .recorded import METER_TYPES, Home, Recorded, recorded, worst
from .registers import PairedSource
from .report import RowResult
from .sources import Row, Source, SourceError

_AT_A_TIME = 8  # homes whose readings are asked for together
_TWO = "give both values of a meter with two registers (Economy 7), or one of each"
_CHANGED = "if the meter was changed, give the day (--meter-changed, or a column meter_changed)"


@attrs.frozen(kw_only=True)
class ReadingRow:
    """What a row asks for: a reading to record."""

    number: int
    home: Home
    home_reference: str = ""
    type: str
    reading: int
    reading2: int | Unset
    date_of_reading: dt.date
    changed: dt.date | None = None
    photo: Path | None = attrs.field(repr=False)

    @property
    def reference(self) -> str:
        """The meter and the day, by which people know it."""
        return f"{self.home_text} {self.type} {self.date_of_reading}"

    @property
    def home_text(self) -> str:
        """The home in words; by its reference in a dry run, which does not look it up."""
        kind, number = self.home
        return f"{kind} {number}" if number else f"reference {self.home_reference}"

    @property
    def key(self) -> str:
        """The reading: a second row with the same values asks for nothing more."""
        return f"{self.reference} {self.reading} {self.reading2} {self.changed}"

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
        *("property_id", "order_id", "property_reference", "type", "register"),
        *("reading", "reading2"),
        *("date_of_reading", "meter_changed", "photo"),
    )
    names: ClassVar[Mapping[str, str]] = {
        **REFERENCE_NAMES,
        **dict.fromkeys(("propertyid", "property", "homeboxpropertyid"), "property_id"),
        **dict.fromkeys(("orderid", "order", "homeboxorderid"), "order_id"),
        **dict.fromkeys(("type", "utility", "fuel", "fueltype", "meter", "metertype"), "type"),
        **dict.fromkeys(("reading", "reading1", "value", "day", "dayreading"), "reading"),
        **dict.fromkeys(("meterreading", "readingvalue"), "reading"),
        **dict.fromkeys(("reading2", "night", "nightreading"), "reading2"),
        **dict.fromkeys(("register", "registername", "dayornight"), "register"),
        **dict.fromkeys(("dateofreading", "readingdate", "date"), "date_of_reading"),
        **dict.fromkeys(("readdate", "dateread", "readingtakenat"), "date_of_reading"),
        **dict.fromkeys(("meterchanged", "meterchangedate", "meterexchangedate"), "meter_changed"),
        **dict.fromkeys(("supply", "supplytype", "utilitytype", "energytype"), "type"),
        **dict.fromkeys(("photo", "image", "picture", "photofile"), "photo"),
    }
    exact = ("property_reference", "photo")
    photos: Photos | None = None
    homes: Homes | None = None

    @classmethod
    def check_complete(
        cls, uses: Mapping[str, str], columns: Sequence[str], **options: object
    ) -> None:
        """Raise MappingError without a home, a type, a value or a date."""
        missing = [f for f in ("type", "reading", "date_of_reading") if f not in uses]
        if not missing and not {"property_id", "order_id", "property_reference"} & set(uses):
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
        cells = Cells(got, self.uses)
        type = got["type"].casefold()
        type = METER_TYPES.get(type, type)
        if fault := one_of("electric", "gas", "water")(type):
            cells.refuse("type", *fault)
        home, reference = self._home(cells, got)
        made = ReadingRow(
            number=row.number,
            home=home,
            home_reference=reference,
            type=type,
            reading=cells.needed_whole("reading"),
            reading2=cells.whole("reading2"),
            date_of_reading=cells.needed_date("date_of_reading", _day_of_reading),
            changed=None if (day := cells.date("meter_changed", plain_date)) is UNSET else day,
            photo=None,
        )
        if made.reading2 is not UNSET and type != "electric":
            cells.refuse("reading2", "is given for a meter that is not electric", "leave it out")
        if self.photos is not None:
            photo = self.photos.get(got.get("photo", ""), _photo_name(made))
            made = attrs.evolve(made, photo=photo)
        return made, cells.problems

    def _home(self, cells: Cells, got: Mapping[str, str]) -> tuple[Home, str]:
        """Return the home of a row, and the reference by which it is known, if it is so."""
        order, home = cells.whole("order_id"), cells.whole("property_id")
        reference = got.get("property_reference", "")
        if cells.has("order_id") and cells.has("property_id"):
            cells.refuse("order_id", "is given beside property_id", "give one of them")
        if order is not UNSET:
            return ("order", order), ""
        if cells.has("property_id"):
            return ("property", home or 0), ""
        if not reference:
            field = next(f for f in ("property_id", "property_reference", "order_id") if f in got)
            cells.refuse(field, "is empty", "give the home by its id, its reference, or its order")
            return ("property", 0), ""
        ids = frozenset({0}) if self.homes is None else self.homes.ids.get(reference, frozenset())
        if not ids:
            fix = "correct it, or give the property_id"
            cells.refuse("property_reference", "is on no property of yours at Homebox", fix)
        elif len(ids) > 1:
            fix = "give the property_id of the right one"
            cells.refuse("property_reference", "is on several properties at Homebox", fix)
        return ("property", min(ids, default=0)), reference


@attrs.frozen(kw_only=True)
class Readings(Kind[ReadingRow]):
    """The kind of `import_readings`.

    `despite`: ids of readings at Homebox that contradict nothing, as a person found them wrong.
    `meter_changed`: the day on which every meter of the file was changed. `rollover`: whether a
    fall that looks like it is taken for a register that ran over.
    """

    name = "readings"
    column_names = ReadingColumns.names

    despite: frozenset[int] = frozenset()
    meter_changed: dt.date | None = None
    rollover: bool = False

    def recognise(self, columns: Sequence[str], options: ImportOptions) -> ReadingColumns:
        """Find the fields among the columns of a source, and the photos in their folder."""
        # Only what is given, so that the journals of before can be finished.
        rules: dict[str, Any] = {}
        if self.despite:
            rules["despite"] = sorted(self.despite)
        if self.meter_changed is not None:
            rules["meter_changed"] = str(self.meter_changed)
        if self.rollover:
            rules["rollover"] = True
        found = ReadingColumns.recognise(
            columns, mapping=options.mapping, dates=options.dates, **rules
        )
        if options.photos is not None:
            found.photos = Photos(options.photos)
        elif "photo" in found.uses:
            raise MappingError(
                f"the column {found.uses['photo']!r} names photos; say where they are (--photos"
                " FOLDER), or leave it out (--map photo=)"
            )
        return found

    def arranged(self, source: Source, options: ImportOptions) -> Source:
        """Return the source with Day and Night in one row, where it has a column register."""
        columns = ReadingColumns.recognise(source.columns, mapping=options.mapping)
        return PairedSource(source, columns) if "register" in columns.uses else source

    async def prepare(
        self, client: AsyncHomebox, source: Source, columns: Columns[ReadingRow]
    ) -> None:
        """Look for the homes that rows name by their references."""
        if not isinstance(columns, ReadingColumns) or "property_reference" not in columns.uses:
            return
        references = await asyncio.to_thread(
            lambda: {columns.got(row)["property_reference"] for row in source.rows()}
        )
        columns.homes = homes = await find_homes(client, references - {""})
        missing = len(references - {"", *homes.ids})
        if missing and not homes.absence.complete:
            raise SourceError(
                f"{source.name}: {missing:,} of its references were not found, and what Homebox"
                f" lists could not be read completely ({homes.absence.reason}); nothing was sent:"
                " run the same import again, or give the ids of the homes (property_id)"
            )

    async def check_rows(
        self,
        source: Source,
        columns: Columns[ReadingRow],
        journal: Journal,
        pending: Pending[ReadingRow],
    ) -> None:
        """Reject repeats, and readings of a meter that contradict each other."""
        await journal.reject_same("reading", "leave one of them out")
        await journal.take(create)
        async for rows in pending():
            await journal.take(partial(enter, rows=list(map(_entered, rows))))
        await journal.take(self._reject_conflicts)

    def _reject_conflicts(self, reader: Reader) -> None:
        for meter in meters(reader):
            rules = self._rules(meter)
            conflicts = rules.conflicts(meter.points)
            ran_over = rules.may_have_run_over(meter.points) if conflicts else None
            reader.reject(
                (number, *self._told(reader, conflict, ran_over))
                for number, conflict in conflicts.items()
            )

    def _rules(self, meter: FileMeter) -> Meter:
        changed = meter.changed
        if self.meter_changed is not None:
            changed |= {self.meter_changed}
        return Meter(changed, self.rollover)

    def _told(
        self, reader: Reader, conflict: Conflict, ran_over: tuple[int, int] | None
    ) -> tuple[str, str, str]:
        """Return field, error and fix of a row that others of the file contradict."""
        others = reader.places(conflict.others, conflict.total)
        if conflict.registers:
            return "reading2", f"reading2 has not as many values as on {others}", _TWO
        if conflict.same_day:
            fix = "keep the right one of a day"
        else:
            fix = f"correct the wrong one; {_CHANGED}"
        if ran_over is not None:
            fix += f"; if the register ran over between {_both(reader, ran_over)}, give --rollover"
        return "reading", f"reading contradicts {others}", fix

    async def compare(
        self, client: AsyncHomebox, journal: Journal, pending: Pending[ReadingRow], tell: Tell
    ) -> Completeness:
        """Note which rows were recorded already; reject what contradicts what is there."""
        last, whole = "", Completeness(True, "each home's readings were read to their end")
        while found := await journal.take(partial(meters_of_homes, after=last, size=_AT_A_TIME)):
            last = found[-1].home
            homes = dict.fromkeys(_home(meter.home) for meter in found)
            there = await recorded(client, list(homes))
            for meter in found:
                for result in self._compared(journal, meter, there[_home(meter.home)]):
                    await tell(result)
            whole = worst(whole, there.values())
        await journal.flush()
        return whole

    def _compared(
        self, journal: Journal, meter: FileMeter, home: Recorded | None
    ) -> Sequence[RowResult]:
        """Note the rows of a meter that are there; return the others that cannot be sent."""
        if home is None:
            kind, _ = _home(meter.home)
            problem = Problem(f"{kind}_id", "is not among yours at Homebox", "correct it")
            return [_rejected(meter, point, problem) for point in meter.points]
        rejected = []
        rules = self._rules(meter)
        usable = [one for one in home.of(meter.type) if one.key not in self.despite]
        for point in meter.points:
            if same := home.same(meter.type, point.day, point.values):
                journal.record(point.key, State.PENDING, id=same[0])
            elif near := rules.contradicted(usable, point, meter.points):
                rejected.append(_rejected(meter, point, _contradiction(near, point)))
        return rejected

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
        self,
        client: AsyncHomebox,
        rows: Collection[ReadingRow],
        *,
        witnesses: Collection[int] = (),
        quick: bool = False,
    ) -> LookUp:
        """Return what was found for each row among the readings of its home."""
        hits = {row.number: Hits() for row in rows}
        whole = Completeness(True, "each home's readings were read to their end")
        homes = list(dict.fromkeys(row.home for row in rows))
        for start in range(0, len(homes), _AT_A_TIME):
            there = await recorded(client, homes[start : start + _AT_A_TIME])
            for row in rows:
                if (home := there.get(row.home)) is not None:
                    same = home.same(row.type, row.date_of_reading, row.values)
                    hits[row.number].by_reference.update(same)
            whole = worst(whole, there.values())
        return LookUp(hits, whole)

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


def _day_of_reading(value: object) -> Verdict:
    """Accept a day on which somebody can have read a meter."""
    fix = "give the day of the reading"
    if not isinstance(value, dt.date):
        return plain_date(value)
    if value.year < 2000:
        return "is before 2000", fix
    if value > dt.date.today() + dt.timedelta(days=366):
        return "is more than a year ahead", fix
    return None


def _entered(row: ReadingRow) -> Entered:
    return Entered(
        row.number,
        row.home_text,
        row.type,
        row.date_of_reading,
        row.values,
        row.changed,
    )


def _home(text: str) -> Home:
    kind, _, number = text.partition(" ")
    return "order" if kind == "order" else "property", int(number)


def _both(reader: Reader, numbers: tuple[int, int]) -> str:
    before, after = (reader.places([number]) for number in numbers)
    return f"{before} and {after}"


def _rejected(meter: FileMeter, point: Point, problem: Problem) -> RowResult:
    return RowResult(
        point.key,
        State.REJECTED,
        f"{meter.home} {meter.type} {point.day}",
        field=problem.field,
        error=problem.problem,
        fix=problem.fix,
    )


def _contradiction(near: Sequence[Point], point: Point) -> Problem:
    """Return what is wrong with a row, given the readings at Homebox that contradict it."""
    ids = " and ".join(str(one.key) for one in near)
    known = f"reading{'s' * (len(near) > 1)} {ids} of {near[0].day} at Homebox"
    despite = " ".join(f"--despite {one.key}" for one in near)
    wrong = f"if {'they are' if len(near) > 1 else 'that one is'} wrong, import the rejects file"
    fix = f"correct it; {wrong} with {despite}"
    if all(registers(one) != registers(point) for one in near):
        error = f"reading2 has not as many values as {known}"
        return Problem("reading2", error, f"{_TWO}; {wrong} with {despite}")
    if near[0].day == point.day:
        return Problem("reading", f"reading differs from {known}", fix)
    how = "below" if near[0].day < point.day else "above"
    return Problem("reading", f"reading is {how} {known}", f"{fix}; {_CHANGED}")


def _photo_name(row: ReadingRow) -> str:
    """Return how a photo is named after its row, without the suffix: 12-gas-2026-11-20."""
    kind, number = row.home
    prefix = "order-" if kind == "order" else ""
    return f"{prefix}{number}-{row.type}-{row.date_of_reading}"
