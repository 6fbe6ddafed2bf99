"""What is done when nothing is found, before the index is asked again."""

from typing import Any

from traverse_schemas.clock import clock_from
from traverse_schemas.reference.territories import Territories
from traverse_search_api.query.second_look import diagnosis_of, look_body, read_look, relaxed
from traverse_search_api.text.plan import TextPlan, plan_of
from traverse_search_api.words.synonym_book import SynonymBook

AT = clock_from("2026-03-12").now()
TABLES = Territories.load()
MEANINGS = SynonymBook().meanings()


def plan(text: str) -> TextPlan:
    return plan_of(text, TABLES, MEANINGS, AT)


def answer(plan: TextPlan, *counts: int) -> dict[str, Any]:
    """What Elasticsearch says of each unit, in their order; the text finds nothing."""
    asked = look_body(plan, [], [], [])["aggs"]["counts"]["filters"]["filters"]
    found = {f"word:{at}": count for at, count in enumerate(counts)}
    buckets = {name: {"doc_count": found.get(name, 0)} for name in asked}
    return {"aggregations": {"counts": {"buckets": buckets}}}


def test_the_rarest_word_stays_unless_what_was_understood_tells_the_subject() -> None:
    """A place, a trade and a code do; that it is a call for tenders does not."""
    for text, kept in (
        ("appel d'offres nettoyage cathédrale", "cathédrale"),
        ("nettoyage cathédrale avant fin juin", "cathédrale"),
        ("entreprise de nettoyage cathédrale", "cathédrale"),
        ("Aubagne nettoyage cathédrale", ""),
    ):
        asked = plan(text)
        rare = [1 if unit.text == "cathédrale" else 9 for unit in asked.meaningful]
        looser = relaxed(asked, read_look(asked, answer(asked, *rare)))
        assert looser is not None and (looser.relaxed, looser.kept) == (True, kept), text


def test_a_time_at_which_nothing_closes_is_no_unknown_word() -> None:
    asked = plan("voirie clôture mai 2026")
    look = read_look(asked, answer(asked, 9, 0))
    assert look.unknown == {}
    assert "« clôture mai 2026 » (échéance du" in diagnosis_of(asked, look, [])["sentence"]


def test_signs_are_told_to_say_nothing() -> None:
    asked = plan("???")
    look = read_look(asked, answer(asked))
    assert "au moins un mot" in diagnosis_of(asked, look, [])["sentence"]
