"""Days in the United Kingdom, of times as a server writes them.

By the rule in law since 1996, without a time zone database: small containers have none, and
reading one after a request was sent could fail.
"""

from __future__ import annotations

import datetime as dt

_ELEVEN = dt.time(23)


def london_day(moment: dt.datetime) -> dt.date:
    """Return the day of a time; of midnight in London, in UTC, the day that it begins.

    A server that keeps midnight in London writes 1 June as 31 May, 23:00 UTC. A time without a
    zone is UTC.
    """
    day = moment.date()
    if moment.utcoffset() or moment.time() != _ELEVEN:
        return day
    is_summer = _last_sunday(day.year, 3) <= day < _last_sunday(day.year, 10)
    return day + dt.timedelta(days=1) if is_summer else day


def _last_sunday(year: int, month: int) -> dt.date:
    """Return the last Sunday of a month with 31 days."""
    last = dt.date(year, month, 31)
    return last - dt.timedelta(days=last.isoweekday() % 7)
