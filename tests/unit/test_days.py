"""Days of times that a server in London or in UTC writes."""

import datetime as dt
from zoneinfo import ZoneInfo

import pytest

from homebox_async import codec
from homebox_async.days import london_day
from homebox_async.resources.readings import Reading


def test_as_the_time_zone_database_has_it() -> None:
    """Each midnight in London from 2000 to 2068 is its own day, and so is each one in UTC."""
    day, london = dt.date(2000, 1, 1), ZoneInfo("Europe/London")
    while day.year < 2069:
        for zone in (london, dt.UTC):
            midnight = dt.datetime(day.year, day.month, day.day, tzinfo=zone)
            assert day == london_day(midnight.astimezone(dt.UTC))
        day += dt.timedelta(days=1)


@pytest.mark.parametrize(
    ("written", "day"),
    [
        ("2026-05-31T23:00:00.000000Z", "2026-06-01"),
        ("2026-05-31 23:00:00", "2026-06-01"),
        ("2026-06-01T00:00:00+01:00", "2026-06-01"),
        ("2026-06-01T00:00:00Z", "2026-06-01"),
        ("2026-01-31T23:00:00Z", "2026-01-31"),
        ("2026-06-01", "2026-06-01"),
    ],
)
def test_days_of_answers(written: str, day: str) -> None:
    """A date in an answer is the day in London, on the fast path and on the tolerant one."""
    for more in ("", ', "id": "7"'):
        made = codec.decode(f'{{"date_of_reading": "{written}"{more}}}'.encode(), Reading)
        assert day == str(made.date_of_reading)
