"""What a change is to who follows, and which searches it may concern."""

from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.documents import document
from traverse_schemas.clock import clock_from
from traverse_schemas.reference.territories import Territories
from traverse_search_api.alerts.preselect import Candidates, Key, keys_of_document, required
from traverse_search_api.alerts.subscription import AlertKind
from traverse_search_api.alerts.verdict import known_of, news_of, verdict
from traverse_search_api.parameters import SearchParameters
from traverse_search_api.synonym_book import SynonymBook
from traverse_search_api.text_query import plan_of

AT = clock_from("2026-03-12").now()
PLACES = Territories.load()
MEANINGS = SynonymBook().meanings()
ONE, OTHER = document("v-1", "Un"), document("v-2", "Deux")
BOTH = {**ONE, "sources": ONE["sources"] + OTHER["sources"]}


def told(known: dict[str, Any], now: dict[str, Any], *, knows: bool, matched: bool = True) -> Any:
    news = news_of(now, known)
    return verdict(news, news.members if knows else (), matched=matched)


def test_a_merge_and_a_split_are_no_news_to_who_knows_a_record() -> None:
    apart = {**known_of(ONE), **known_of(OTHER)}
    assert told(apart, BOTH, knows=True) is None
    assert told(known_of(BOTH), ONE, knows=True) is None
    # One that comes into what one knows is no news either; to who knew nothing of it, it is.
    assert told(known_of(ONE), BOTH, knows=True) is None
    assert told({}, BOTH, knows=False) is AlertKind.NEW
    assert told({}, ONE, knows=False, matched=False) is None


@given(st.permutations(["title", "amount", "stage"]), st.integers(1, 3))
def test_saying_it_twice_is_saying_it_once(names: list[str], count: int) -> None:
    later = [{**each, "updated_at": "2027"} for each in ONE["sources"]]
    new = {**ONE, "sources": later, **{name: f"other {name}" for name in names[:count]}}
    news = news_of(new, known_of(ONE))
    assert set(news.changed) == set(names[:count])
    assert news_of(new, known_of(new)).changed == ()
    assert told(known_of(new), new, knows=True) is None


def needs(**parameters: Any) -> Any:
    asked = SearchParameters.model_validate(parameters)
    plan = plan_of(asked.q, PLACES, MEANINGS, AT, asked.literal)
    return required(asked, plan, AT, PLACES, Counter())


def test_a_search_is_a_candidate_only_where_a_document_has_all_it_needs() -> None:
    candidates = Candidates()
    candidates.put("place", needs(territory="com:13055", kind="call"))
    candidates.put("word", needs(q="portail", kind="call"))
    candidates.put("all", needs())
    candidates.put("paris", needs(territory="dep:75"))
    source = document("REF-9", "Un portail")
    words: set[Key] = {("word", "portail")}
    assert candidates.words == [("word", "portail")]
    assert candidates.of(keys_of_document(source)) == {"place", "all"}
    assert candidates.of(keys_of_document(source, words)) == {"place", "word", "all"}
    need = {**source, "kind": "need"}
    assert candidates.of(keys_of_document(need, words)) == {"all"}
    # A record's own reference finds it whatever its words.
    candidates.put("reference", needs(q="ref-9"))
    assert "reference" in candidates.of(keys_of_document(source))
    for name in ("place", "word", "all", "paris", "reference"):
        candidates.drop(name)
    assert candidates.of(keys_of_document(source, words)) == set() and candidates.words == []


@pytest.mark.parametrize("text", ["", "de la", '"pont neuf"', "-route", "pont*"])
def test_what_cannot_be_told_from_a_text_excludes_nothing(text: str) -> None:
    asked = needs(q=text).required
    assert not [keys for keys in asked if any(name == "word" for name, _ in keys)]


def test_of_which_searches_all_can_be_told() -> None:
    """Facets and a word or two; nothing that has a form, a sum, a date or an hour."""
    assert needs().exact and needs(territory="com:13055", kind="call").exact
    assert needs(q="portail").exact and needs(q="portail acier", cpv="45").exact
    for more in (
        {"q": "portail acier galvanisé"}, {"q": '"portail"'}, {"q": "portail -acier"},
        {"q": "port*"}, {"q": "le portail"}, {"amount_min": "1"}, {"status": "open"},
        {"deadline_from": "2026-01-01"}, {"near": "43.3,5.4"},
    ):  # fmt: skip
        assert not needs(**more).exact, more
