"""What a search needs of a document, and of which searches a document brings up."""

from typing import Any

import pytest

from tests.documents import document
from traverse_schemas.clock import clock_from
from traverse_schemas.reference.territories import Territories
from traverse_search_api.matching.needs import Candidates, Needs, keys_of_document, needs_of
from traverse_search_api.parameters import SearchParameters
from traverse_search_api.text.plan import plan_of
from traverse_search_api.words.synonym_book import SynonymBook

AT = clock_from("2026-03-12").now()
PLACES = Territories.load()
MEANINGS = SynonymBook().meanings()


def needs(**parameters: Any) -> Needs:
    asked = SearchParameters.model_validate(parameters)
    return needs_of(asked, plan_of(asked.q, PLACES, MEANINGS, AT, asked.literal), AT, PLACES)


def test_a_search_is_a_candidate_only_where_a_document_has_all_it_needs() -> None:
    candidates = Candidates()
    candidates.put("place", needs(territory="com:13055", kind="call").required)
    candidates.put("word", needs(q="portail", kind="call").required)
    candidates.put("all", needs().required)
    candidates.put("paris", needs(territory="dep:75").required)
    source = document("REF-9", "Un portail")
    assert candidates.of(keys_of_document(source)) == {"place", "all"}
    assert candidates.of(keys_of_document(source, ["portail"])) == {"place", "word", "all"}
    need = {**source, "kind": "need"}
    assert candidates.of(keys_of_document(need, ["portail"])) == {"all"}
    # A record's own reference finds it whatever its words.
    candidates.put("reference", needs(q="ref-9").required)
    assert "reference" in candidates.of(keys_of_document(source))
    for name in ("place", "word", "all", "paris", "reference", "never there"):
        candidates.drop(name)
    assert candidates.of(keys_of_document(source, ["portail"])) == set()


@pytest.mark.parametrize("text", ["", "-route", "pont*"])
def test_what_cannot_be_told_from_a_text_excludes_nothing(text: str) -> None:
    asked = needs(q=text).required
    assert not [keys for keys in asked if any(name == "word" for name, _ in keys)]


@pytest.mark.parametrize("text", ["de la", "???", "🦄"])
def test_a_text_that_asks_for_nothing_finds_nothing(text: str) -> None:
    candidates = Candidates()
    candidates.put("silent", needs(q=text).required)
    assert (
        candidates.of(keys_of_document(document("REF-9", "De la route ?"), ["de", "la"])) == set()
    )


def test_of_which_texts_all_can_be_told() -> None:
    """Words, whatever they mean; nothing that has a form of its own."""
    for text in ("", "portail", "portail acier galvanisé", "le portail de la cour", "Marseille"):
        assert needs(q=text).text is not None, text
    for text in ('"portail"', "portail -acier", "port*", "acheteur:ville"):
        assert needs(q=text).text is None, text
    plain, pairs = needs(q="portail de cour").text, needs(q="aqua parc nord").text
    assert plain is not None and plain.whole == {"portail", "de", "cour"} and plain.joined == ()
    assert pairs is not None
    assert {" ".join(sorted(each)) for each in pairs.joined} == {
        "aquaparc nord",
        "aqua parcnord",
    }


def test_the_name_of_an_owner_is_a_word_that_is_needed() -> None:
    """A document that holds it elsewhere is not found: of these Elasticsearch is asked."""
    named = needs(institution="ville de marseille")
    assert named.required == (frozenset({("word", "ville de marseille")}),)
    assert len(named.filters) == 1
    either = needs(institution=["211300553", "aubagne"])
    assert either.required == (frozenset({("owner_siren", "211300553"), ("word", "aubagne")}),)
    assert len(either.filters) == 1
    assert needs(near="43.3,5.4").required == ()
