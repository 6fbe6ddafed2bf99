"""A calendar that an institution hands in: checked, and reduced to what is told of it. Pure.

What is kept is written anew from what is read: titles and places without contact details, times,
points and addresses. Organisers, participants, descriptions, attachments and alarms of an agenda
never reach the log.
"""

from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from icalendar import Calendar, Event

from traverse_schemas.reference.rows import TerritoryChain
from traverse_schemas.reference.territories import Territories
from traverse_search_api.permanences.calendar import (
    MOST_EVENTS,
    MOST_OCTETS,
    Kept,
    UnreadableCalendarError,
    events_of,
    read_events,
    uid_of,
    words_of,
)
from traverse_search_api.permanences.errors import (
    RefusedCalendarError,
    TooBigCalendarError,
    TooManyEventsError,
)
from traverse_search_api.permanences.occurrences import FAULTS, bare, occurrences

_UNREADABLE: Final = (
    "Ce fichier n’est pas un calendrier lisible : exportez-le de nouveau de votre agenda, au "
    "format iCalendar (.ics)."
)
_NOTHING: Final = (
    "Ce calendrier n’annonce aucune permanence : il faut des événements qui ont un titre, une date "
    "et un lieu, ni privés, ni annulés, répétés par jour, semaine, mois ou année."
)


class Reduced(NamedTuple):
    """What is kept of a calendar (iCalendar), how many of its events are told, and how many are
    left out."""

    calendar: str
    told: int
    left_out: int


def reduced(
    octets: bytes, home: TerritoryChain | None, territories: Territories, now: datetime
) -> Reduced:
    """What is told of a calendar and no more. `home` is the institution's own territory. Raises
    RefusedCalendarError."""
    if len(octets) > MOST_OCTETS:
        raise TooBigCalendarError
    try:
        events = events_of(octets)
    except UnreadableCalendarError as error:
        raise RefusedCalendarError(_UNREADABLE) from error
    if len(events) > MOST_EVENTS:
        raise TooManyEventsError(len(events))
    made = Calendar()
    made.add("prodid", "-//Traverse//permanences//FR")
    made.add("version", "2.0")
    told = {id(one.event): one for one in read_events(events, home, territories)}
    count = 0
    for event in events:
        kept = told.get(id(event))
        with suppress(*FAULTS):
            if kept is not None:
                made.add_component(_written(kept, now))
                count += 1
            elif event.get("RECURRENCE-ID") is not None:
                # It does not show, and says that a time of a series does not take place.
                made.add_component(_named(bare(event), event))
    if not count:
        raise RefusedCalendarError(_NOTHING)
    text = made.to_ical().decode()
    if len(text.encode()) > MOST_OCTETS:
        raise TooBigCalendarError
    return Reduced(text, count, len(events) - count)


def _written(kept: Kept, now: datetime) -> Event:
    """An event as it is told. Raises one of FAULTS where its times are not worked out."""
    occurrences(kept.event, now, now + timedelta(days=1))
    event = _named(bare(kept.event), kept.event)
    event.add("summary", kept.what)
    if where := words_of(kept.event, "LOCATION"):
        event.add("location", where)
    if kept.event.get("GEO") is not None:
        event.add("geo", (kept.spot.lat, kept.spot.lon))
    if kept.url:
        event.add("url", kept.url)
    return event


def _named(event: Event, original: Event) -> Event:
    event.add("uid", uid_of(original))
    return event
