"""NUTS codes of France, whichever year's coding."""

import pytest

from traverse_schemas.reference.territories import Territories
from traverse_schemas.values import nuts
from traverse_schemas.values.nuts import nuts_to_territory


@pytest.mark.parametrize(
    ("codes", "territory"),
    [
        ("FRL04 FR824", "dep:13"),
        ("FRM01 FR831", "dep:2A"),
        ("FRY40 FRA40 FR940", "dep:974"),
        ("FRY50 FRA50", "dep:976"),
        ("FR108", "dep:95"),
        ("FRK26 FR716", "dep:69"),
        ("FRE11 FR301", "dep:59"),
        ("FRB04 FR244", "dep:37"),
        ("FRL FRL0 FR82", "reg:93"),
        ("FR1 FR10", "reg:11"),
        ("FRK2 FR71 FR7", "reg:84"),
        ("FRY4 FRA4 FR94", "reg:04"),
        ("FR FR6 FRA FRZZZ", "fr"),
    ],
)
def test_all_codings_lead_to_the_same_territory(codes: str, territory: str) -> None:
    assert {nuts_to_territory(code) for code in codes.split()} == {territory}


@pytest.mark.parametrize("code", ["BE100", "FRL99", "", "FR999", "ES"])
def test_other_countries_and_unknown_codes_have_none(code: str) -> None:
    assert nuts_to_territory(code) is None


def test_every_departement_is_reached_and_every_territory_exists() -> None:
    territories = Territories.load()
    reached = set(nuts._TERRITORIES.values())
    assert all(territories.chain(code) for code in reached)
    numbers = {row.number for row in territories.departments() if row.number < "975"} | {"976"}
    assert {f"dep:{number}" for number in numbers} <= reached


def test_a_departement_lies_in_the_region_of_its_parent_code() -> None:
    territories = Territories.load()
    for code, territory in nuts._TERRITORIES.items():
        parent = nuts_to_territory(code[:-1])
        if territory.startswith("dep:") and parent and parent.startswith("reg:"):
            chain = territories.chain(territory)
            assert chain is not None
            assert parent in chain.codes, code
