"""What is read of an institution's calendar, when it takes place, and what is near."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from icalendar import Calendar

from tests.search_api.permanences.publishing import WEEKLY, calendar, event
from traverse_schemas.reference.territories import Territories
from traverse_search_api.permanences.calendar import (
    Permanence,
    UnreadableCalendarError,
    permanences,
    read_calendar,
    spot_of,
)
from traverse_search_api.permanences.near import calendar_file, distance_km, lines_of, near_to

TERRITORIES = Territories.load()
HOME = TERRITORIES.chain("com:13055")
FIRST = datetime(2026, 3, 11, 23, tzinfo=UTC)
LAST = FIRST + timedelta(days=60)


def coming(*events: str, first: datetime = FIRST, last: datetime = LAST) -> list[Permanence]:
    return permanences(read_calendar(calendar(*events), HOME, TERRITORIES), "CCI", first, last)


def starts(*events: str, first: datetime = FIRST, last: datetime = LAST) -> list[str]:
    found = coming(*events, first=first, last=last)
    return [one.when.start.isoformat(timespec="minutes")[:16] for one in found]


def test_a_permanence_of_each_week_is_told_at_its_hour_in_summer_too() -> None:
    found = coming(WEEKLY)
    assert [one.when.start.isoformat() for one in found][:4] == [
        "2026-03-17T09:00:00+01:00",
        "2026-03-31T09:00:00+02:00",  # not on the 24th, and the clocks have changed
        "2026-04-07T09:00:00+02:00",
        "2026-04-14T09:00:00+02:00",
    ]
    one = found[0]
    assert one.spot.codes[0] == "com:13005" and one.url == "https://cci.example/rendez-vous"
    (line,) = lines_of(found)
    assert line.then.replace("\u00a0", " ") == "puis 31 mars, 7 avril"
    assert line.when.replace("\u00a0", " ") == "mardi 17 mars 2026, de 9 h à 12 h"
    assert (line.what, line.who) == ("Créer son entreprise", "CCI")
    assert "Anne" not in repr(line)


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("FREQ=MONTHLY;BYDAY=1TU", ["2026-04-07", "2026-05-05"]),
        ("FREQ=MONTHLY;BYDAY=TU;BYSETPOS=-1", ["2026-03-31", "2026-04-28"]),
        ("FREQ=WEEKLY;INTERVAL=3", ["2026-03-31", "2026-04-21"]),
        ("FREQ=WEEKLY;UNTIL=20260320T000000Z", ["2026-03-17"]),
        ("FREQ=WEEKLY;UNTIL=20260317", ["2026-03-17"]),
        ("FREQ=WEEKLY;COUNT=12", ["2026-03-17", "2026-03-24"]),
        ("FREQ=YEARLY", []),
        ("FREQ=YEARLY;BYMONTH=3;BYMONTHDAY=31", ["2026-03-31"]),
        ("FREQ=WEEKLY;BYDAY=TU;BYMONTH=5", ["2026-05-05"]),
        ("FREQ=DAILY;BYDAY=MO,TU;UNTIL=20260318", ["2026-03-16", "2026-03-17"]),
        ("FREQ=DAILY;INTERVAL=30", ["2026-04-06", "2026-05-06"]),
    ],
)
def test_rules_are_worked_out(rule: str, expected: list[str]) -> None:
    found = starts(event("x", f"RRULE:{rule}", "SUMMARY:Conseil"))
    assert [text[:10] for text in found] == expected


@pytest.mark.parametrize(
    "rule",
    [
        "FREQ=SECONDLY",
        "FREQ=HOURLY;INTERVAL=2",
        "FREQ=WEEKLY;BYHOUR=1,2,3",
        "FREQ=DAILY;COUNT=100000000",
        "FREQ=WEEKLY;INTERVAL=0",
        "FREQ=WEEKLY;BYDAY=99XX",
        # These never come up, and would be looked for until the year 9999.
        "FREQ=DAILY;BYMONTHDAY=31;BYMONTH=2",
        "FREQ=DAILY;INTERVAL=7;BYDAY=MO",
        "FREQ=MONTHLY;BYMONTHDAY=31;BYMONTH=2,4",
        "FREQ=MONTHLY;INTERVAL=2;BYMONTH=2",
        "FREQ=MONTHLY;BYDAY=TU;BYSETPOS=9",
        "FREQ=MONTHLY;BYDAY=5TU;BYMONTHDAY=1",
    ],
)
def test_a_rule_that_would_cost_without_end_is_left_out(rule: str) -> None:
    good = event("good", "RRULE:FREQ=WEEKLY", "SUMMARY:Bon")
    found = coming(event("bad", f"RRULE:{rule}", "SUMMARY:Mauvais"), good)
    assert {one.what for one in found} == {"Bon"}


@pytest.mark.parametrize(
    ("start", "line"),
    [
        ("20260101T090000", "RECURRENCE-ID:99991231T235959Z"),
        ("TZID=Indian/Reunion:20260101T090000", "RECURRENCE-ID:99991231T235959Z"),
        ("TZID=America/Cayenne:20260101T090000", "RECURRENCE-ID:00010101T000000Z"),
        ("TZID=America/Cayenne:00010101T000000", "RECURRENCE-ID;TZID=Europe/Paris:00010101T000000"),
        ("20260101T090000", "RECURRENCE-ID;VALUE=PERIOD:20260101T090000Z/PT1H"),
        ("00010101T000000", "RRULE:FREQ=WEEKLY"),
        ("VALUE=DATE:00010101", "RRULE:FREQ=DAILY"),
        ("99991231T235959Z", "RRULE:FREQ=WEEKLY"),
        ("20260101T090000", "DTEND:99991231T235959Z"),
        ("VALUE=DATE:99991231", "DURATION:P9D"),
        ("20260101T090000", "DURATION:P999999999D"),
        ("20260101T090000", "RRULE:FREQ=YEARLY;INTERVAL=999999999999"),
        ("20260101T090000", "RRULE:FREQ=WEEKLY;INTERVAL=999999999999"),
    ],
)
def test_a_moment_that_no_clock_shows_hurts_no_other_event(start: str, line: str) -> None:
    bad = event("bad", line, "SUMMARY:Mauvais", start=start)
    found = coming(bad, event("good", "RRULE:FREQ=WEEKLY", "SUMMARY:Bon"))
    assert {one.what for one in found} == {"Bon"}


def test_one_time_may_be_moved_another_added_and_what_is_called_off_is_not_told() -> None:
    moved = event(
        "creation",
        "RECURRENCE-ID;TZID=Europe/Paris:20260317T090000",
        "SUMMARY:Créer son entreprise",
        start="TZID=Europe/Paris:20260318T140000",
    )
    off = event(
        "creation",
        "RECURRENCE-ID;TZID=Europe/Paris:20260331T090000",
        "STATUS:CANCELLED",
        "SUMMARY:Créer son entreprise",
        start="TZID=Europe/Paris:20260331T090000",
    )
    more = event(
        "more", "RDATE;TZID=Europe/Paris:20260402T090000", "SUMMARY:Aides",
    )  # fmt: skip
    hidden = event("h", "SUMMARY:Congés", "CLASS:PRIVATE", start="20260320T090000Z")
    assert starts(WEEKLY, moved, off, more, hidden, last=FIRST + timedelta(days=27)) == [
        "2026-03-18T14:00",
        "2026-04-02T09:00",
        "2026-04-07T09:00",
    ]


def test_days_and_floating_hours_are_those_of_mainland_france() -> None:
    day = coming(event("d", "SUMMARY:Forum", start="VALUE=DATE:20260320"))[0]
    assert lines_of([day])[0].when.replace("\u00a0", " ") == "vendredi 20 mars 2026"
    floating = coming(event("f", "SUMMARY:Accueil", start="20260320T143000"))[0]
    assert lines_of([floating])[0].when.endswith("à partir de 14\u00a0h\u00a030")
    # What is under way is told, what is over is not.
    under_way = event(
        "u", "SUMMARY:Accueil", "DURATION:PT3H", start="TZID=Europe/Paris:20260312T090000"
    )
    noon = datetime(2026, 3, 12, 10, 30, tzinfo=UTC)
    assert len(coming(under_way, first=noon)) == 1
    assert coming(under_way, first=noon + timedelta(hours=1)) == []


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("1 rue Haute, 13400 Aubagne", "com:13005"),
        ("13400", "com:13005"),
        ("Mairie, Aubagne", "com:13005"),
        ("Mairie d’Aubagne", "com:13005"),
        ("Place de la mairie 13740 ROVE", "com:13088"),
        ("Quelque part", "com:13055"),
        ("", "com:13055"),
    ],
)
def test_a_town_is_found_in_the_words_of_a_place(text: str, code: str) -> None:
    spot = spot_of(text, None, HOME, TERRITORIES)
    assert spot is not None and spot.codes[0] == code


def test_what_says_no_place_has_none_where_the_institution_has_none() -> None:
    assert spot_of("Quelque part", None, None, TERRITORIES) is None


def test_near_is_the_same_intercommunality_or_not_far() -> None:
    aubagne = TERRITORIES.chain("com:13005")
    toulon = TERRITORIES.chain("com:83137")
    assert aubagne is not None and toulon is not None
    one = coming(WEEKLY)[0]
    assert near_to(aubagne, "com:13005")(one)
    assert not near_to(toulon, "com:83137")(one)
    assert distance_km(43.2965, 5.3698, 48.8566, 2.3522) == pytest.approx(661, abs=2)


def test_the_calendar_file_has_each_time_as_an_event() -> None:
    found = coming(WEEKLY, event("d", "SUMMARY:Forum", start="VALUE=DATE:20260320"))
    made = Calendar.from_ical(calendar_file(found, "Aubagne (13)", FIRST))
    events = made.walk("VEVENT")
    assert len(events) == len(found) == len({str(one["UID"]) for one in events})
    assert str(events[0]["SUMMARY"]) == "Créer son entreprise (CCI)"
    assert events[0].decoded("DTSTART") == datetime(2026, 3, 17, 8, tzinfo=UTC)
    assert "Anne" not in made.to_ical().decode()


def test_the_calendar_file_of_no_permanence_is_one_that_programs_take() -> None:
    """RFC 5545, 3.6: at least one component."""
    made = Calendar.from_ical(calendar_file([], "Aubagne (13)", FIRST))
    assert [one.name for one in made.subcomponents] == ["VTIMEZONE"]


@pytest.mark.parametrize("octets", [b"", b"<html>\xff", b"BEGIN:VCALENDAR", b"\x00" * 100])
def test_what_is_no_calendar_is_said(octets: bytes) -> None:
    with suppress(UnreadableCalendarError):
        assert read_calendar(octets, HOME, TERRITORIES) == []


def test_an_address_that_is_none_of_the_web_is_left_out() -> None:
    found = coming(
        event("x", "SUMMARY:Conseil", "URL:javascript:alert(1)", start="20260320T090000Z")
    )
    assert found[0].url == ""
