"""`understood_queries.txt` tells, query by query, what is understood and what is required."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from traverse_schemas.french.synonyms import product_entries
from traverse_schemas.reference.territories import Territories
from traverse_search_api.text.plan import TextPlan, plan_of
from traverse_search_api.words.synonym_book import meanings_of
from traverse_search_api.words.typed_words import How, Piece
from traverse_search_api.words.units import Understood

FILE = Path(__file__).with_name("understood_queries.txt")
NOW = datetime(2026, 3, 12, 10, tzinfo=UTC)  # a Thursday
TABLES = Territories.load()
MEANINGS = meanings_of(product_entries())


def lines() -> list[tuple[str, str, str]]:
    """The query, what is understood, what is required; "-" stands for nothing."""
    found = []
    for line in FILE.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            query, understood, required = (part.strip() for part in line.split(" | "))
            found.append((query, understood, required))
    return found


def _understood(one: Understood) -> str:
    value = one.value or " or ".join(code for code, _ in one.choices)
    return f"{one.text}: {one.parameter}={value}" + ("" if one.soft else " (only)")


def _piece(piece: Piece) -> str:
    text = f'"{piece.text}"' if piece.how is How.PHRASE else piece.text
    star = "*" if piece.how is How.BEGINNING else ""
    return f"{piece.field + ':' if piece.field else ''}{text}{star}"


def _required(plan: TextPlan) -> str:
    typed = plan.typed
    parts = [unit.text for unit in plan.words]
    parts += [f'"{phrase}"' for phrase in typed.phrases]
    parts += [f"{prefix}*" for prefix in typed.prefixes]
    parts += [_piece(piece) for piece in typed.fields]
    parts += [f"-{_piece(piece)}" for piece in typed.excluded]
    parts += [f"({' OR '.join(_piece(piece) for piece in group)})" for group in typed.either]
    return "nothing is found" if plan.is_silent else " ".join(parts)


@pytest.mark.parametrize(("query", "understood", "required"), lines())
def test_what_a_query_is_understood_as(query: str, understood: str, required: str) -> None:
    """What is understood is said with its words, its parameter and its value."""
    plan = plan_of(query, TABLES, MEANINGS, NOW)
    said = "; ".join(_understood(one) for one in plan.understood)
    assert (said or "-", _required(plan) or "-") == (understood, required)
    assert all(one.label for one in plan.understood)


@pytest.mark.parametrize("query", [query for query, understood, _ in lines() if understood != "-"])
def test_all_that_is_understood_can_be_taken_back(query: str) -> None:
    """One at a time by its words, whatever is left in them; all together by a star."""
    first = plan_of(query, TABLES, MEANINGS, NOW).understood[0]
    without = plan_of(query, TABLES, MEANINGS, NOW, [first.text])
    assert first.text not in [one.text for one in without.understood]
    assert not plan_of(query, TABLES, MEANINGS, NOW, ["*"]).understood
