"""Days and instants as people write them in a search, in the time of mainland France."""

import re
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

YEARS: Final = range(1900, 2201)
"""Beyond, nobody means it, zones do not compute, and the index reads years of four digits."""

_PARIS: Final = ZoneInfo("Europe/Paris")
_FRENCH_DAY: Final = re.compile(r"(\d{1,2})[/.](\d{1,2})[/.](\d{4}|\d{2})", re.ASCII)


def read_moment(text: str) -> date | datetime:
    """`2026-03-12`, `12/03/2026` or ISO 8601 with an hour (in Paris when it has no offset).

    Raises ValueError with a French sentence.
    """
    if french := _FRENCH_DAY.fullmatch(text.strip()):
        text = f"{('20' + french[3])[-4:]}-{french[2]:0>2}-{french[1]:0>2}"
    # A "+" that nobody encoded in the address arrives as a space.
    cleaned = text.strip().replace(" ", "+") if "T" in text else text.strip()
    try:
        day = date.fromisoformat(cleaned[:10])
        if day.year not in YEARS:
            raise ValueError(day)
        if len(cleaned) == 10:
            return day
        instant = datetime.fromisoformat(cleaned)
        return (instant if instant.tzinfo else instant.replace(tzinfo=_PARIS)).astimezone(UTC)
    except ValueError:
        raise ValueError(
            f"« {text[:40]} » n’est pas une date : écrivez 2026-03-12, 12/03/2026 ou "
            "2026-03-12T12:00:00Z"
        ) from None


def first_instant(moment: date | datetime, zone: ZoneInfo = _PARIS) -> datetime:
    """The beginning of a day in a zone, or the instant itself (UTC)."""
    if isinstance(moment, datetime):
        return moment
    return datetime.combine(moment, time(), zone).astimezone(UTC)


def end_instant(moment: date | datetime, zone: ZoneInfo = _PARIS) -> datetime:
    """The first instant after a day in a zone, or the instant itself (UTC)."""
    if isinstance(moment, datetime):
        return moment
    return first_instant(moment + timedelta(days=1), zone)
