"""Which permanences are near a place, how they read, and their calendar file. Pure."""

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from math import asin, cos, radians, sin, sqrt
from typing import Final, NamedTuple

from icalendar import Event

from traverse_schemas.reference.rows import TerritoryChain
from traverse_search_api.exports.calendar_object import calendar_object
from traverse_search_api.pages import words
from traverse_search_api.permanences.calendar import Permanence

NEAR_KM: Final = 25.0
_MORE: Final = 2  # days that a line tells after the next one
_EARTH_KM: Final = 6371.0


class PermanenceLine(NamedTuple):
    """A permanence, on one or two printed lines: when it is next, and the days after that."""

    when: str
    then: str
    what: str
    who: str
    where: str
    url: str


def near_to(place: TerritoryChain, wide: str) -> Callable[[Permanence], bool]:
    """Whether a permanence is in the territory `wide` (a code), or not far from the place."""

    def near(one: Permanence) -> bool:
        if wide in one.spot.codes:
            return True
        return distance_km(place.lat, place.lon, one.spot.lat, one.spot.lon) <= NEAR_KM

    return near


def distance_km(lat: float, lon: float, other_lat: float, other_lon: float) -> float:
    """Between two points in degrees, along a great circle (haversine)."""
    north, east = radians(other_lat - lat), radians(other_lon - lon)
    half = sin(north / 2) ** 2 + cos(radians(lat)) * cos(radians(other_lat)) * sin(east / 2) ** 2
    return 2 * _EARTH_KM * asin(min(1.0, sqrt(half)))


def lines_of(found: Iterable[Permanence]) -> list[PermanenceLine]:
    """Permanences in the order of their times as lines: what comes again is one."""
    same: dict[tuple[str, str, str], list[Permanence]] = {}
    for one in found:
        same.setdefault((one.institution, one.what, one.spot.text), []).append(one)
    return [_line(times) for times in same.values()]


def _line(times: Sequence[Permanence]) -> PermanenceLine:
    """« mardi 17 mars 2026, de 9 h à 12 h », « puis 31 mars, 7 avril »; in the calendar's zone."""
    one = times[0]
    start, end = one.when.start, one.when.end
    when = words.planned_day(start.date())
    if not one.when.whole_days:
        same = end is not None and end.date() == start.date()
        hours = f"de {words.hour(start)} à {words.hour(end)}" if same and end else ""
        when += f", {hours or 'à partir de ' + words.hour(start)}"
    days = [words.day(other.when.start.date()).rpartition(" ")[0] for other in times[1 : 1 + _MORE]]
    then = f"puis {', '.join(days)}" if days else ""
    return PermanenceLine(when, then, one.what, one.institution, one.spot.text, one.url)


def calendar_file(found: Iterable[Permanence], place: str, now: datetime) -> bytes:
    """The permanences as a file (RFC 5545), each time an event of its own."""
    calendar = calendar_object("permanences", f"Permanences : {place}")
    for one in found:
        event = Event()
        start, end = one.when.start, one.when.end
        event.add("uid", f"{one.uid or one.what}-{start.astimezone(UTC):%Y%m%dT%H%M%SZ}@traverse")
        event.add("dtstamp", now.astimezone(UTC).replace(microsecond=0))
        event.add("dtstart", start.date() if one.when.whole_days else start.astimezone(UTC))
        if end is not None:
            event.add("dtend", end.date() if one.when.whole_days else end.astimezone(UTC))
        event.add("summary", f"{one.what} ({one.institution})")
        event.add("location", one.spot.text)
        if one.url:
            event.add("url", one.url)
        calendar.add_component(event)
    return bytes(calendar.to_ical())
