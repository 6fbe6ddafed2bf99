"""An institution's calendar of permanences: octets in, what is open where and when out. Pure.

iCalendar (RFC 5545). Of an event are read: what (SUMMARY), where (LOCATION, GEO), when, and the
address to know more (URL). Whom it names (ORGANIZER, ATTENDEE, DESCRIPTION) is left out: those are
people.
"""

import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

from icalendar import Calendar, Event

from traverse_schemas.reference.names import fold_name
from traverse_schemas.reference.rows import TerritoryChain
from traverse_schemas.reference.territories import Territories
from traverse_search_api.permanences.occurrences import (
    Occurrence,
    UnreadableRuleError,
    occurrences,
    recurrence_of,
)
from traverse_search_api.place_names import named_place

MOST_EVENTS: Final = 200
_LONGEST: Final = 200
_POSTAL: Final = re.compile(r"(?<![0-9])[0-9]{5}(?![0-9])")


class UnreadableCalendarError(ValueError):
    """Octets that are no calendar."""


class Spot(NamedTuple):
    """Where: as the calendar says it, the territory's codes up to France, and a point."""

    text: str
    codes: tuple[str, ...]
    lat: float
    lon: float


class Kept(NamedTuple):
    """An event of a calendar as it was read; `instead` are the times of it that others replace."""

    uid: str
    what: str
    url: str
    spot: Spot
    event: Event
    instead: frozenset[datetime]


class Permanence(NamedTuple):
    """Somebody is there for who comes. `what` is its subject."""

    uid: str
    institution: str
    what: str
    url: str
    spot: Spot
    when: Occurrence


def read_calendar(
    octets: bytes, home: TerritoryChain | None, territories: Territories
) -> list[Kept]:
    """The events of a calendar that say where they are; those that do not are at `home`, the
    institution's own territory. Raises UnreadableCalendarError."""
    try:
        events = Calendar.from_ical(octets).walk("VEVENT")[:MOST_EVENTS]
    except (ValueError, IndexError, KeyError, AttributeError) as error:
        raise UnreadableCalendarError(type(error).__name__) from error
    found = [each for each in events if isinstance(each, Event)]
    replaced: dict[str, set[datetime]] = {}
    for event in found:
        try:
            named = recurrence_of(event)
        except (ValueError, TypeError, AttributeError):
            continue
        if named is not None:
            replaced.setdefault(_text(event, "UID"), set()).add(named)
    return [kept for event in found for kept in _kept(event, replaced, home, territories)]


def permanences(
    kept: Sequence[Kept], institution: str, first: datetime, last: datetime
) -> list[Permanence]:
    """What of a calendar is not over at `first` and begins before `last`, the earliest first. An
    event that cannot be worked out is left out."""
    found = []
    for one in kept:
        try:
            times = occurrences(one.event, first, last)
        except (UnreadableRuleError, ValueError, TypeError, AttributeError, OverflowError):
            continue
        found += [
            Permanence(one.uid, institution, one.what, one.url, one.spot, when)
            for when in times
            if when.start not in one.instead
        ]
    return sorted(found, key=lambda one: (one.when.start, one.what, one.uid))


def _kept(
    event: Event,
    replaced: dict[str, set[datetime]],
    home: TerritoryChain | None,
    territories: Territories,
) -> Iterator[Kept]:
    what = _text(event, "SUMMARY")
    hidden = _text(event, "CLASS").upper() in ("PRIVATE", "CONFIDENTIAL")
    if not what or hidden or _text(event, "STATUS").upper() == "CANCELLED":
        return
    spot = spot_of(_text(event, "LOCATION"), event.get("GEO"), home, territories)
    if spot is None:
        return
    uid = _text(event, "UID")
    instead = frozenset() if event.get("RECURRENCE-ID") else frozenset(replaced.get(uid, ()))
    url = _text(event, "URL", 2000)
    url = url if url.startswith(("https://", "http://")) else ""
    yield Kept(uid, what, url, spot, event, instead)


def spot_of(
    text: str, point: Any, home: TerritoryChain | None, territories: Territories
) -> Spot | None:
    """Where an event is: by the postal code or the name of the town that its words hold, else at
    home. A point of its own (GEO) is nearer still."""
    chain = _town(text, territories) or home
    own = _point(point)
    if chain is not None:
        lat, lon = own or (chain.lat, chain.lon)
        return Spot(text or chain.name, chain.codes, lat, lon)
    return None if own is None else Spot(text, (), *own)


def _point(point: Any) -> tuple[float, float] | None:
    """A GEO, in degrees; None for what is none."""
    try:
        lat, lon = float(point.latitude), float(point.longitude)
    except (AttributeError, TypeError, ValueError):
        return None
    return (lat, lon) if -90 <= lat <= 90 and -180 <= lon <= 180 else None


def _town(text: str, territories: Territories) -> TerritoryChain | None:
    """The commune that an address names: « 1 rue Haute, 13400 Aubagne », « Mairie d’Aubagne »."""
    folded = f" {fold_name(text)} "
    for code in reversed(_POSTAL.findall(text)):
        communes = territories.communes_of_postal(code)
        named = [one for one in communes if f" {fold_name(one.name)} " in folded]
        if chosen := (named or communes if len(communes) == 1 else named):
            return territories.chain(chosen[0].code)
        if communes:
            return territories.chain(f"cp:{code}")
    last = text.rpartition(",")[2].strip()
    named_one = named_place(fold_name(last), territories, capital=True) if last else None
    if named_one is None or len(named_one.choices) != 1:
        return None
    return territories.chain(named_one.choices[0][0])


def _text(event: Event, name: str, longest: int = _LONGEST) -> str:
    value = event.get(name)
    return " ".join(str(value).split())[:longest] if value is not None else ""
