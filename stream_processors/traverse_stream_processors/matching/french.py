"""French: days, sums and lists as reasons say them. Pure."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from traverse_schemas.documents.status import french_day

_MONTHS: Final = (
    "janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre",
    "octobre", "novembre", "décembre",
)  # fmt: skip


def day(iso: str) -> str:
    """`"2027-03-12"` -> `"12 mars 2027"`; the first of a month is `1er`."""
    year, month, number = iso[:10].split("-")
    first = "1er" if number == "01" else str(int(number))
    return f"{first} {_MONTHS[int(month) - 1]} {int(year)}"


@lru_cache(maxsize=20_000)
def last_day(until: str, zone: str) -> str:
    """The last day (ISO) in a zone before a moment (ISO, UTC, to the minute) at which it is too
    late."""
    last = datetime.fromisoformat(f"{until}:00+00:00") - timedelta(seconds=1)
    return last.astimezone(ZoneInfo(zone)).date().isoformat()


@lru_cache(maxsize=20_000)
def day_of(moment: str) -> str:
    """The day (ISO) that it is in metropolitan France at a moment (ISO, UTC)."""
    return french_day(datetime.fromisoformat(moment)).isoformat()


def listed(words: Sequence[str]) -> str:
    """`("Aix", "Arles", "Gap")` -> `"Aix, Arles et Gap"`."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} et {words[-1]}"


def lower_first(text: str) -> str:
    """A label within a sentence: without its capital, unless it begins with an acronym."""
    return text if text[1:2].isupper() else text[:1].lower() + text[1:]
