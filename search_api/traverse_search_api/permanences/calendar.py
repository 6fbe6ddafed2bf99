"""An institution's calendar of permanences: octets in, what is open where and when out. Pure.

iCalendar (RFC 5545). Of an event are read: what (SUMMARY), where (LOCATION, GEO), when, and the
address to know more (URL). Whom it names (ORGANIZER, ATTENDEE, DESCRIPTION) is left out, and so are
e-mail addresses and telephone numbers in what is read: those are people.
"""

import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any, Final, NamedTuple

from icalendar import Calendar, Event

from traverse_schemas.judging.contacts import EMAIL, without_contacts
from traverse_schemas.reference.names import fold_name
from traverse_schemas.reference.rows import TerritoryChain
from traverse_schemas.reference.territories import Territories
from traverse_search_api.permanences.occurrences import (
    FAULTS,
    Occurrence,
    occurrences,
    recurrence_of,
)
from traverse_search_api.understanding.governing_names import place_called

MOST_OCTETS: Final = 512 * 1024
MOST_EVENTS: Final = 200
_MOST_LINES: Final = 20_000  # of 512 KiB of very short ones, parsing would take five seconds
_UNREADABLE: Final = (*FAULTS, RecursionError)
"""What parsing raises of octets that are no calendar."""

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
    """The events of a calendar, the first MOST_EVENTS of them, as they are told (`read_events`).
    Raises UnreadableCalendarError."""
    return read_events(events_of(octets)[:MOST_EVENTS], home, territories)


def events_of(octets: bytes) -> list[Event]:
    """All events of a calendar. Raises UnreadableCalendarError."""
    if octets.count(b"\n") > _MOST_LINES:
        raise UnreadableCalendarError("too many lines")
    try:
        events = Calendar.from_ical(octets).walk("VEVENT")
    except _UNREADABLE as error:
        raise UnreadableCalendarError(type(error).__name__) from error
    return [each for each in events if isinstance(each, Event)]


def read_events(
    events: Sequence[Event], home: TerritoryChain | None, territories: Territories
) -> list[Kept]:
    """The events that say what they are about, to everybody; those that do not say where they are
    are at `home`, the institution's own territory."""
    replaced: dict[str, set[datetime]] = {}
    for event in events:
        try:
            named = recurrence_of(event)
        except FAULTS:
            continue
        if named is not None:
            replaced.setdefault(_text(event, "UID"), set()).add(named)
    return [kept for event in events for kept in _kept(event, replaced, home, territories)]


def permanences(
    kept: Sequence[Kept], institution: str, first: datetime, last: datetime
) -> list[Permanence]:
    """What of a calendar is not over at `first` and begins before `last`, the earliest first. An
    event that cannot be worked out is left out."""
    found = []
    for one in kept:
        try:
            times = occurrences(one.event, first, last)
        except FAULTS:
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
    what = words_of(event, "SUMMARY")
    hidden = _text(event, "CLASS").upper() in ("PRIVATE", "CONFIDENTIAL")
    if not what or hidden or _text(event, "STATUS").upper() == "CANCELLED":
        return
    spot = spot_of(words_of(event, "LOCATION"), event.get("GEO"), home, territories)
    if spot is None:
        return
    uid = _text(event, "UID")
    instead = frozenset() if event.get("RECURRENCE-ID") else frozenset(replaced.get(uid, ()))
    url = _text(event, "URL", 2000)
    url = url if url.startswith(("https://", "http://")) and not EMAIL.search(url) else ""
    yield Kept(uid_of(event), what, url, spot, event, instead)


def words_of(event: Event, name: str) -> str:
    """What an event says there, in one line, without contact details."""
    return without_contacts(_text(event, name))


def uid_of(event: Event) -> str:
    """A name of the event, the same for the same UID; "" where it has none. Of the UID itself
    nothing shows: agendas put addresses in it."""
    uid = _text(event, "UID")
    return sha256(uid.encode()).hexdigest()[:32] if uid else ""


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
    named_one = place_called(fold_name(text.rpartition(",")[2]), territories)
    if named_one is None or len(named_one.choices) != 1:
        return None
    return territories.chain(named_one.choices[0][0])


def _text(event: Event, name: str, longest: int = _LONGEST) -> str:
    value = event.get(name)
    return " ".join(str(value).split())[:longest] if value is not None else ""
