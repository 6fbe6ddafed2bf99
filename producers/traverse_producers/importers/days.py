"""Dates as feeds write them, and what follows from them."""

import re
from calendar import monthrange
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from traverse_schemas.values.instant import PARIS

_DAY = re.compile(r"([0-9]{4})-?([0-9]{2})-?([0-9]{2})(?![0-9])")
_YEARS = range(1900, 2101)


def read_day(value: object) -> date | None:
    """The day of `2018-12-17`, `20181217`, `2018-12-17+01:00` or a date-time; None otherwise.

    An offset on a bare date (XML Schema allows it) does not change the day. A year such as 0218
    is a typing mistake: no guess is made at what was meant.
    """
    match = _DAY.match(str(value or "").strip())
    if match is None:
        return None
    year, month, day = (int(part) for part in match.groups())
    if year not in _YEARS:
        return None
    try:
        return date(year, month, day)
    except ValueError:
        return None


def start_of_day(day: date, zone: str = PARIS) -> datetime:
    """The first moment of a day in a zone (IANA name), aware."""
    return datetime.combine(day, time(), ZoneInfo(zone))


def add_months(day: date, months: int) -> date | None:
    """The same day so many months later, or the month's last; None beyond the year 2200."""
    year, month = divmod(day.month - 1 + months, 12)
    year += day.year
    if year > 2200:
        return None
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))
