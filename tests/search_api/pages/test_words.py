"""The French of the pages."""

from datetime import UTC, datetime

import pytest

from tests.documents import deadline
from traverse_search_api.pages import words

NOW = datetime(2026, 3, 12, 10, tzinfo=UTC)  # eleven o'clock in Paris


@pytest.mark.parametrize(
    ("value", "exact", "said"),
    [
        (0, True, "Aucun résultat"),
        (1, True, "1 résultat"),
        (1204, True, "1 204 résultats"),
        (100000, False, "plus de 100 000 résultats"),
    ],
)
def test_totals_are_exact_or_say_that_they_are_not(value: int, exact: bool, said: str) -> None:
    assert words.total(value, exact).replace("\u202f", " ") == said


@pytest.mark.parametrize(
    ("until", "precision", "said"),
    [
        ("2026-03-12T11:00:00Z", "minute", "clôture aujourd’hui, le jeudi 12 mars 2026 à 12 h"),
        ("2026-03-13T11:30:00Z", "minute", "clôture demain, le vendredi 13 mars 2026 à 12 h 30"),
        ("2026-03-17T11:00:00Z", "minute", "clôture dans 5 jours, le mardi 17 mars 2026 à 12 h"),
        ("2026-09-01T10:00:00Z", "minute", "clôture le mardi 1er septembre 2026 à 12 h"),
        ("2026-03-12T10:00:00Z", "minute", "clos depuis le 12 mars 2026"),
        (
            "2026-03-14T23:00:00Z",
            "day",
            "clôture dans 2 jours, le samedi 14 mars 2026 (heure à vérifier)",
        ),
    ],
)
def test_a_deadline_says_how_far_it_is(until: str, precision: str, said: str) -> None:
    assert words.deadline(deadline(until, precision), NOW).replace("\u00a0", " ") == said


def test_a_note_tells_a_deadline_by_its_day_alone() -> None:
    """It is read, and printed, on other days than that of which it tells."""
    coming = words.dated_deadline(deadline("2026-03-17T11:00:00Z"), NOW)
    assert coming.replace("\u00a0", " ") == "clôture le mardi 17 mars 2026 à 12 h"
    past = deadline("2026-03-11T11:00:00Z")
    assert words.dated_deadline(past, NOW) == words.deadline(past, NOW)


def test_an_hour_overseas_names_its_zone() -> None:
    found = {**deadline("2026-03-17T15:00:00Z"), "zone": "America/Cayenne"}
    said = words.deadline(found, NOW).replace("\u00a0", " ")
    assert said == "clôture dans 5 jours, le mardi 17 mars 2026 à 12 h (heure de Cayenne)"


def test_several_deadlines_say_what_they_are_for_those_to_come_first() -> None:
    found = [
        deadline("2026-03-10T11:00:00Z") | {"kind": "question"},
        deadline("2026-03-17T11:00:00Z") | {"kind": "application"},
        deadline("2026-07-17T10:00:00Z"),
    ]
    assert [one.replace("\u00a0", " ") for one in words.deadlines(found, NOW)] == [
        "Remise des candidatures ou des dossiers : dans 5 jours, le mardi 17 mars 2026 à 12 h",
        "Remise des offres : le vendredi 17 juillet 2026 à 12 h",
        "Questions : jusqu’au 10 mars 2026, c’est passé",
    ]
