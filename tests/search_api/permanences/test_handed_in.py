"""What is kept of a calendar that an institution hands in: the times as they were, and nobody."""

from datetime import UTC, datetime, timedelta

import pytest
from icalendar import Calendar

from tests.search_api.permanences.publishing import WEEKLY, calendar, event
from traverse_schemas.reference.territories import Territories
from traverse_search_api.permanences.calendar import MOST_OCTETS, permanences, read_calendar
from traverse_search_api.permanences.errors import RefusedCalendarError
from traverse_search_api.permanences.handed_in import reduced

TERRITORIES = Territories.load()
HOME = TERRITORIES.chain("com:13055")
NOW = datetime(2026, 3, 12, 10, tzinfo=UTC)

# A zone of the agenda's own, as some write them: no table knows it.
ZONE = "\r\n".join(
    (
        "BEGIN:VTIMEZONE",
        "TZID:Bureau d'Anne Martin",
        "BEGIN:STANDARD",
        "DTSTART:19701025T030000",
        "TZOFFSETFROM:+0300",
        "TZOFFSETTO:+0300",
        "END:STANDARD",
        "END:VTIMEZONE",
    )
)
OFTEN = "RRULE:FREQ=WEEKLY"


def at(start: str, *lines: str) -> tuple[str, ...]:
    return (event("a", "SUMMARY:A", *lines, start=start),)


SHAPES = (
    (WEEKLY,),
    at("20260106T083000Z", "DURATION:PT90M", "RRULE:FREQ=MONTHLY;BYDAY=1TU"),
    at("20260106T083000", "RRULE:FREQ=DAILY;INTERVAL=3;UNTIL=20260401T000000Z"),
    at("20260106T083000Z", "RRULE:FREQ=WEEKLY;COUNT=12"),
    at("VALUE=DATE:20260106", OFTEN),
    at("VALUE=DATE:20260315", "DTEND;VALUE=DATE:20260320"),
    at("VALUE=DATE:20260106", "RDATE;VALUE=DATE:20260316,20260317"),
    at("20260106T080000Z", "RDATE;VALUE=PERIOD:20260316T080000Z/PT1H"),
    at("TZID=America/Cayenne:20260106T090000", OFTEN, "GEO:43.29;5.57"),
    (ZONE, *at("TZID=Bureau d'Anne Martin:20260106T120000", OFTEN)),
    (
        WEEKLY,
        event("creation", "SUMMARY:Déplacée", "RECURRENCE-ID;TZID=Europe/Paris:20260317T090000",
              start="TZID=Europe/Paris:20260319T140000"),
        event("creation", "SUMMARY:Annulée", "STATUS:CANCELLED",
              "RECURRENCE-ID;TZID=Europe/Paris:20260331T090000",
              start="TZID=Europe/Paris:20260331T090000"),
    ),
)  # fmt: skip


# With a word of another line in the midst of one: the parser does not expect that.
TORN = calendar(WEEKLY).replace(
    b"DTEND;TZID=Europe/Paris", b"DTEND;TZID=EuRDATE;VALUE=PERIOD:20260316T080000Z/"
)


def told(octets: bytes) -> list[tuple[object, ...]]:
    kept = read_calendar(octets, HOME, TERRITORIES)
    found = permanences(kept, "CCI", NOW, NOW + timedelta(days=90))
    return [(one.when, one.what, one.spot, one.url) for one in found]


@pytest.mark.parametrize("events", SHAPES)
def test_times_and_words_are_those_of_the_calendar(events: tuple[str, ...]) -> None:
    """And handing in what was kept keeps the same: twice is once."""
    octets = calendar(*events)
    kept = reduced(octets, HOME, TERRITORIES, NOW)
    assert told(kept.calendar.encode()) == told(octets) != []
    again = reduced(kept.calendar.encode(), HOME, TERRITORIES, NOW)
    assert told(again.calendar.encode()) == told(octets)


def test_nobody_is_in_what_is_kept() -> None:
    octets = calendar(
        ZONE,
        event(
            "anne.martin@cci.example",
            "SUMMARY;X-AUTEUR=Anne:Rendez-vous avec Mme Anne Martin (anne@cci.example)",
            "LOCATION;ALTREP=\"mailto:anne@cci.example\":13400 Aubagne\\, tél. 04 91 00 00 00",
            "URL:https://cci.example/?de=anne@cci.example",
            "ORGANIZER;CN=Anne Martin:mailto:anne@cci.example",
            "ATTENDEE;CN=Jean Dupré:mailto:jean@firme.example",
            "CONTACT:Anne Martin",
            "COMMENT:Anne",
            "DESCRIPTION:Demander Anne Martin",
            "X-ALT-DESC:Anne Martin",
            "ATTACH:https://cci.example/anne",
            "BEGIN:VALARM",
            "ACTION:EMAIL",
            "ATTENDEE:mailto:anne@cci.example",
            "END:VALARM",
            start="TZID=Europe/Paris;X-PAR=Anne:20260317T090000",
        ),
        event("b", "SUMMARY:Anne Martin", "CLASS:PRIVATE", start="20260317T090000Z"),
        "BEGIN:VTODO\r\nUID:c\r\nSUMMARY:Anne Martin\r\nEND:VTODO",
    )  # fmt: skip
    kept = reduced(octets, HOME, TERRITORIES, NOW)
    for who in ("anne", "martin", "jean", "04 91", "@"):
        assert who not in kept.calendar.replace("\r\n ", "").lower(), who
    assert (kept.told, kept.left_out) == (1, 1)
    assert "13400 Aubagne" in kept.calendar.replace("\\,", ",")


@pytest.mark.parametrize(
    ("octets", "sentence"),
    [
        (b"", "pas un calendrier lisible"),
        (b"<html>", "pas un calendrier lisible"),
        (b"BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n" * 2, "pas un calendrier lisible"),
        (b"BEGIN:VEVENT\r\n" * 15_000, "pas un calendrier lisible"),
        (b"X:a\r\n" * 100_000, "pas un calendrier lisible"),
        (TORN, "pas un calendrier lisible"),
        (calendar(WEEKLY) + b" " * MOST_OCTETS, "dépasse 512 Kio"),
        (calendar(*[WEEKLY] * 201), "201 événements, et 200 au plus"),
        (calendar(), "aucune permanence"),
        (calendar(event("a")), "aucune permanence"),
        (calendar(event("a", "SUMMARY:A", "CLASS:PRIVATE")), "aucune permanence"),
        (calendar(event("a", "SUMMARY:A", "RRULE:FREQ=SECONDLY")), "aucune permanence"),
        (calendar("BEGIN:VEVENT\r\nSUMMARY:A\r\nEND:VEVENT"), "aucune permanence"),
        (calendar(*at("20260106T083000", "RECURRENCE-ID:99991231T235959Z")), "aucune permanence"),
        (calendar(*at("20260106T083000", "DURATION:P999999999D")), "aucune permanence"),
        (
            calendar(
                ZONE.replace("+0300", "+9900"), *at("TZID=Bureau d'Anne Martin:20260106T120000")
            ),
            "pas un calendrier lisible",
        ),
    ],
)
def test_what_announces_nothing_is_refused_in_words(octets: bytes, sentence: str) -> None:
    with pytest.raises(RefusedCalendarError, match=sentence):
        reduced(octets, HOME, TERRITORIES, NOW)


def test_what_is_kept_is_a_calendar_that_agendas_read() -> None:
    kept = reduced(calendar(WEEKLY), HOME, TERRITORIES, NOW)
    (one,) = Calendar.from_ical(kept.calendar).walk("VEVENT")
    assert str(one["SUMMARY"]) == "Créer son entreprise"
    assert len(str(one["UID"])) == 32
