"""Readings of one meter: which of them contradict each other. Plain values, no I/O.

The registers of a meter rise from day to day. A meter that is changed begins again, and so does a
register that has shown its last number; both look like a wrong reading, so a person has to say so.
"""

from __future__ import annotations

import bisect
import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import pairwise

import attrs

from .places import SHOWN

Values = tuple[int, int | None]
"""What the registers show: the second one of Economy 7 only."""


@attrs.frozen
class Point:
    """A reading. `key`: the number of its row, or its id at Homebox.

    `opens`: whether it says that the meter was changed on its own day.
    """

    key: int
    day: dt.date
    values: Values
    opens: bool = False


@attrs.frozen
class Conflict:
    """What contradicts a reading: the first of these, and how many there are.

    `same_day`, `registers`: whether it has other values for the same day, another number of them.
    """

    others: tuple[int, ...]
    total: int
    same_day: bool
    registers: bool


@attrs.frozen
class Meter:
    """How to compare the readings of a meter.

    `changed`: the days on which it was changed. `rollover`: whether a fall that looks like one is
    taken for a register that ran over.
    """

    changed: Collection[dt.date] = ()
    rollover: bool = False

    def conflicts(self, points: Sequence[Point]) -> Mapping[int, Conflict]:
        """Return every reading that another one contradicts, by its key."""
        found: dict[int, Conflict] = {}
        for era in self._eras(points).values():
            found.update(_of_era(era, self._risen(era)))
        return found

    def may_have_run_over(self, points: Sequence[Point]) -> tuple[int, int] | None:
        """Return the readings before and after the first fall that may be a rollover."""
        for era in self._eras(points).values():
            ordered = sorted(era, key=lambda point: point.day)
            for before, after in pairwise(ordered):
                if any(map(_ran_over, before.values, after.values)):
                    return before.key, after.key
        return None

    def contradicted(
        self, known: Sequence[Point], point: Point, points: Sequence[Point]
    ) -> Sequence[Point]:
        """Return the known readings that contradict one of the `points`: neighbours in time.

        A known fall that nobody contradicted is a changed meter, or a wrong reading that was
        passed once. So only the next ones count, and of several on one day, any that agrees.
        """
        same_day = [one for one in known if one.day == point.day]
        if same_day and point.day not in self.changed:
            return same_day
        era = self._era(point, points)
        # Which meter a known reading of such a day is of, the old or the new one, is not known.
        same = [one for one in known if one.day not in self.changed and self._era(one, ()) == era]
        before = max((one.day for one in same if one.day < point.day), default=None)
        after = min((one.day for one in same if one.day > point.day), default=None)
        for day in (before, after):
            near = [one for one in same if one.day == day]
            if near and all(self._contradict(one, point) for one in near):
                return near
        return ()

    def _contradict(self, one: Point, other: Point) -> bool:
        earlier, later = sorted((one, other), key=lambda point: point.day)
        if registers(earlier) != registers(later):
            return True
        return any(
            before is not None
            and after is not None
            and after < before
            and not (self.rollover and _ran_over(before, after))
            for before, after in zip(earlier.values, later.values, strict=True)
        )

    def _eras(self, points: Sequence[Point]) -> Mapping[int, list[Point]]:
        eras: defaultdict[int, list[Point]] = defaultdict(list)
        for point in points:
            eras[self._era(point, points)].append(point)
        return eras

    def _era(self, point: Point, points: Sequence[Point]) -> int:
        """Return how often the meter was changed before a reading."""
        days = sorted(self.changed)
        era = bisect.bisect_right(days, point.day)
        # The last reading of the old meter has the day of the first one of the new meter.
        if (
            point.day in self.changed
            and not point.opens
            and any(one.opens and one.day == point.day for one in points)
        ):
            era -= 1
        return era

    def _risen(self, era: Sequence[Point]) -> Mapping[int, Values]:
        """Return the values as if no register had run over."""
        if not self.rollover:
            return {point.key: point.values for point in era}
        found: dict[int, Values] = {}
        rounds, last = [0, 0], [-1, -1]
        for point in sorted(era, key=lambda point: point.day):
            values: list[int | None] = []
            for i, value in enumerate(point.values):
                if value is not None:
                    if last[i] >= 0 and _ran_over(last[i], value):
                        rounds[i] += 10 ** len(str(last[i]))
                    last[i] = value
                values.append(None if value is None else value + rounds[i])
            found[point.key] = (values[0] or 0, values[1])
        return found


def _of_era(era: Sequence[Point], risen: Mapping[int, Values]) -> Iterator[tuple[int, Conflict]]:
    """Give the readings between two changes of a meter that contradict others."""
    ordered = sorted(era, key=lambda point: (point.day, point.key))
    mixed = len(set(map(registers, ordered))) > 1
    suspects = ordered if mixed else [ordered[i] for i in sorted(_suspects(ordered, risen))]
    for point in suspects:
        others = [one for one in ordered if one is not point and _differ(one, point, risen)]
        if others:
            yield (
                point.key,
                Conflict(
                    tuple(one.key for one in others[:SHOWN]),
                    len(others),
                    same_day=any(one.day == point.day for one in others),
                    registers=any(registers(one) != registers(point) for one in others),
                ),
            )


def _suspects(ordered: Sequence[Point], risen: Mapping[int, Values]) -> set[int]:
    """Return which readings are below an earlier or above a later one, or share their day."""
    found: set[int] = set()
    days = [point.day for point in ordered]
    for i in range(1, len(days)):
        if days[i] == days[i - 1]:
            found.update((i - 1, i))
    for register in (0, 1):
        values = [risen[point.key][register] or 0 for point in ordered]
        highest = values[0]
        for i, value in enumerate(values):
            if value < highest:
                found.add(i)
            highest = max(highest, value)
        lowest = values[-1]
        for i in range(len(values) - 1, -1, -1):
            if values[i] > lowest:
                found.add(i)
            lowest = min(lowest, values[i])
    return found


def _differ(one: Point, other: Point, risen: Mapping[int, Values]) -> bool:
    if registers(one) != registers(other):
        return True
    if one.day == other.day:
        return one.values != other.values
    earlier, later = (one, other) if one.day < other.day else (other, one)
    return any(
        (after or 0) < (before or 0)
        for before, after in zip(risen[earlier.key], risen[later.key], strict=True)
    )


def registers(point: Point) -> int:
    """Return how many registers a reading has."""
    return 1 if point.values[1] is None else 2


def _ran_over(before: int | None, after: int | None) -> bool:
    """Return True if a fall fits a register of as many digits that began again at zero."""
    if before is None or after is None or after >= before:
        return False
    span = 10 ** len(str(before))
    return bool(span >= 10_000 and after + span - before < span // 10)
