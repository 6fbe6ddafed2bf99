"""The outlines of départements, as maps draw them."""

import pytest

from traverse_schemas.reference.outlines import holds, outline, outlined
from traverse_schemas.reference.territories import Territories

TERRITORIES = Territories.load()


def test_every_departement_of_the_mainland_has_an_outline_and_none_overseas() -> None:
    numbers = {row.number for row in TERRITORIES.departments() if len(row.number) == 2}
    assert set(outlined()) == numbers
    assert outline("974") == ()


@pytest.mark.parametrize("number", ["13", "2A", "29", "75", "90"])
def test_an_outline_holds_its_communes_and_not_those_of_others(number: str) -> None:
    own: list[bool] = []
    others: list[bool] = []
    for row in TERRITORIES.communes()[::7]:
        if row.exact:
            inside = holds(outline(number), row.lat, row.lon)
            (own if row.department == number else others).append(inside)
    assert sum(own) >= 0.9 * len(own)
    assert sum(others) <= 0.002 * len(others)
