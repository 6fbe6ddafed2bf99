"""Suggestions that come from memory: the places with the most people, and the themes."""

import pytest

from traverse_schemas.reference.names import fold_name
from traverse_schemas.reference.territories import Territories
from traverse_search_api.beside.suggestions import suggested_places, suggested_themes

TABLES = Territories.load()


@pytest.fixture(scope="module")
def every() -> list[tuple[int, str, str]]:
    """All places, by what they weigh: the plain way."""
    return sorted(
        [
            *((-10 * one.population, one.code, fold_name(one.name)) for one in TABLES.regions()),
            *((-5 * one.population, one.code, fold_name(one.name)) for one in TABLES.departments()),
            *((-one.population, one.code, fold_name(one.name)) for one in TABLES.communes()),
        ]
    )


@pytest.mark.parametrize(
    "typed",
    ["sa", "saint", "St-M", "Mars", "marseille", "Le ", "zz", "ÎLE", "grand est", "y", "ab"],
)
def test_the_largest_places_that_begin_so(every: list[tuple[int, str, str]], typed: str) -> None:
    """Whether few begin so or thousands: the same as looking at all of them."""
    folded = fold_name(typed)
    plain = [code for _, code, name in every if name.startswith(folded) and len(folded) > 1]
    assert [one["code"] for one in suggested_places(typed, TABLES)] == plain[:5]


def test_a_theme_is_found_by_any_of_its_words() -> None:
    """« mobilités » is of « Voirie et mobilités »; one letter says nothing."""
    assert suggested_themes("Mobil") == [{"theme": "voirie", "label": "Voirie et mobilités"}]
    assert suggested_themes("m") == []
