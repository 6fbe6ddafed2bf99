"""Instants: zones, bare dates, and the days on which the clock changes."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from traverse_schemas.values.instant import Instant, zone_of_department

ZONES = ["Europe/Paris", "Indian/Reunion", "America/Guadeloupe", "Pacific/Noumea"]
moments = st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1))  # noqa: DTZ001 - naive on purpose


@given(moments, st.sampled_from(ZONES))
def test_an_instant_survives_json(moment: datetime, zone: str) -> None:
    instant = Instant.parse(moment.replace(tzinfo=UTC).isoformat(), zone)
    again = Instant.model_validate_json(instant.model_dump_json())
    assert again.opens_until == instant.opens_until == moment.replace(tzinfo=UTC)
    assert (again.zone, again.precision) == (instant.zone, instant.precision)


@given(st.dates(), st.sampled_from(ZONES))
def test_a_bare_date_is_open_until_its_day_ends(day: object, zone: str) -> None:
    text = str(day)
    if not 1901 <= int(text[:4]) <= 2199:
        return
    instant = Instant.parse(text, zone)
    assert instant.precision == "day"
    assert timedelta(hours=22) <= instant.end - instant.at <= timedelta(hours=26)
    assert instant.at.date().isoformat() == text
    assert Instant.model_validate_json(instant.model_dump_json()) == instant


@pytest.mark.parametrize(
    ("text", "zone", "until", "precision"),
    [
        ("2026-03-12T12:00+01:00", "Europe/Paris", "2026-03-12T11:00Z", "minute"),
        ("2026-03-12T12:00", "Europe/Paris", "2026-03-12T11:00Z", "minute"),
        ("2026-07-12T12:00", "Europe/Paris", "2026-07-12T10:00Z", "minute"),
        ("2026-07-12T12:00:00", "Indian/Reunion", "2026-07-12T08:00Z", "minute"),
        ("2026-03-12T12:00:07.25Z", "Europe/Paris", "2026-03-12T12:00:07.250Z", "instant"),
        ("2026-03-12", "Europe/Paris", "2026-03-12T23:00Z", "day"),
        ("2026-03-12+01:00", "Europe/Paris", "2026-03-12T23:00Z", "day"),
        ("2026-03-12", "America/Guadeloupe", "2026-03-13T04:00Z", "day"),
        ("2026-03-28", "Europe/Paris", "2026-03-28T23:00Z", "day"),
        ("2026-03-29", "Europe/Paris", "2026-03-29T22:00Z", "day"),  # a day of 23 hours
        ("2026-10-25", "Europe/Paris", "2026-10-25T23:00Z", "day"),  # and one of 25
    ],
)
def test_until_when_it_is_open(text: str, zone: str, until: str, precision: str) -> None:
    instant = Instant.parse(text, zone)
    assert instant.opens_until == datetime.fromisoformat(until)
    assert instant.precision == precision


def test_two_equal_instants_written_apart_are_equal() -> None:
    assert Instant.parse("2026-03-12T12:00+01:00") == Instant.parse("2026-03-12T11:00Z")


@pytest.mark.parametrize(
    "text", ["", "12/03/2026", "2026-02-30", "0201-01-01", "2026", "9999-12-31"]
)
def test_what_is_not_a_date(text: str) -> None:
    with pytest.raises(ValueError, match="n’est pas une date"):
        Instant.parse(text)


def test_an_unknown_zone_is_named() -> None:
    with pytest.raises(ValueError, match="« Paris » n’est pas un fuseau"):
        Instant.parse("2026-03-12", "Paris")
    with pytest.raises(ValueError, match="n’est pas un fuseau"):
        Instant.parse("2026-03-12", "../../etc/passwd")


def test_a_naive_datetime_object_is_refused() -> None:
    with pytest.raises(ValidationError, match="pas de décalage"):
        Instant(at=datetime(2026, 3, 12))  # noqa: DTZ001 - naive on purpose


@pytest.mark.parametrize(
    ("code", "zone"),
    [
        ("13", "Europe/Paris"),
        ("2A", "Europe/Paris"),
        ("974", "Indian/Reunion"),
        ("97411", "Indian/Reunion"),
        ("971", "America/Guadeloupe"),
        ("988", "Pacific/Noumea"),
        (None, "Europe/Paris"),
        ("", "Europe/Paris"),
    ],
)
def test_the_zone_of_a_departement(code: str | None, zone: str) -> None:
    assert zone_of_department(code) == zone
    Instant.parse("2026-03-12", zone)
