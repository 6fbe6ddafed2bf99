"""A text that finds nothing is loosened by what can be left out of it, and says what it becomes."""

from datetime import UTC, datetime

import pytest

from traverse_schemas.reference.territories import Territories
from traverse_search_api.text.looser import looser_texts
from traverse_search_api.text.plan import TextPlan, plan_of
from traverse_search_api.text.query import text_query

NOW = datetime(2026, 3, 12, 10, tzinfo=UTC)


def plan(text: str) -> TextPlan:
    return plan_of(text, Territories.load(), {}, NOW)


@pytest.mark.parametrize(
    ("text", "texts"),
    [
        ("voirie", []),
        ("", []),
        ("voirie  clôture  demain école", ["voirie école"]),
        ("clôture demain", []),  # nothing would be left to ask for
        ('"voirie neuve" clôture demain', ['"voirie neuve"', "voirie neuve clôture demain"]),
        ("« travail de voirie » lot", ["travail de voirie lot"]),
        ('"voirie" -"hors lot"', ['"voirie"']),
        ("voirie -lot -acheteur:arles", ["voirie"]),
        ("-lot", []),
        ("voirie échéance 2027 -lot", ["voirie -lot", "voirie échéance 2027"]),
        ("réfection école moins de 100 000 €", ["réfection école"]),
        ("école < 40 000 € 211 300 553", ["école 211300553", "école <40000€"]),
        ("subvention isolation école", ["isolation école"]),
        ("isolation dép. 13 < 40 000 €", ["isolation dép. 13", "isolation <40000€"]),
        ("voirie Marseille", ["voirie"]),
        ("Marseille", []),
        ("entreprise de nettoyage", []),
    ],
)
def test_each_thing_that_may_be_left_out(text: str, texts: list[str]) -> None:
    """What is offered to be typed finds what was counted."""
    found = looser_texts(plan(text))
    assert [one.text for one in found] == texts
    for one in found:
        typed = plan(one.text)
        assert {unit.text for unit in typed.units} == {
            word for unit in one.plan.units
            for word in ([unit.text] if unit.understood else unit.text.split())
        }  # fmt: skip
        assert typed.typed.excluded == one.plan.typed.excluded
        assert text_query(one.plan) != text_query(plan(text))
