"""Streams that come and go while the indices are asked miss nothing of what is being looked at."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from tests.documents import document
from traverse_schemas.clock import clock_from
from traverse_schemas.reference.territories import Territories
from traverse_search_api.access.reader import ANYBODY
from traverse_search_api.changes.change_log import Change
from traverse_search_api.matching.looked import Seen
from traverse_search_api.matching.searches import Searches, search_of
from traverse_search_api.parameters import SearchParameters
from traverse_search_api.stream.lookout import Lookout
from traverse_search_api.words.synonym_book import SynonymBook

CLOCK = clock_from("2026-03-12T10:00:00Z")
ONE = document("A", "école")
CHANGE = Change(ONE["id"], "public", 1, 0, 0)
SEARCH = search_of(SearchParameters(q="école"), ANYBODY)
OTHER = search_of(SearchParameters(q="voirie"), ANYBODY)


class Index:
    """Holds one document, whose title is one word; something happens at each question."""

    def __init__(self) -> None:
        self.happens: dict[str, Callable[[], None]] = {}
        self.asked: list[str] = []

    def one(self, _: str) -> "Index":
        return self

    async def match(self, body: dict[str, Any]) -> dict[str, Any]:
        self._now("match")
        assert "aggs" not in body
        return {"hits": {"hits": [{"_source": ONE, "_version": 1}]}}

    async def analysed(self, texts: Sequence[str], *_: str) -> list[frozenset[str]]:
        self._now("analysed")
        return [frozenset((text,)) for text in texts]

    async def terms(self, ids: Sequence[str], _: Sequence[str]) -> dict[str, Any]:
        self._now("terms")
        return {one: {"title": frozenset(("école",))} for one in ids}

    def _now(self, question: str) -> None:
        self.asked.append(question)
        self.happens.pop(question, lambda: None)()


def look(searches: Searches, index: Index) -> Seen:
    lookout = Lookout(searches, index, CLOCK)  # type: ignore[arg-type]
    return asyncio.run(lookout.for_all([CHANGE]))


@pytest.mark.parametrize("moment", ["match", "analysed", "terms"])
def test_who_joins_meanwhile_is_asked_for(moment: str) -> None:
    searches, index = Searches(Territories.load(), SynonymBook()), Index()
    searches.put(OTHER, CLOCK.now())
    index.happens[moment] = lambda: searches.put(SEARCH, CLOCK.now())
    assert look(searches, index)["public"].matched == {SEARCH.key: {ONE["id"]}}


def test_who_is_the_first_to_join_is_asked_for() -> None:
    searches, index = Searches(Territories.load(), SynonymBook()), Index()
    index.happens["match"] = lambda: searches.put(SEARCH, CLOCK.now())
    assert look(searches, index)["public"].matched == {SEARCH.key: {ONE["id"]}}


@pytest.mark.parametrize("moment", ["match", "terms"])
def test_who_leaves_and_comes_back_meanwhile_is_asked_for(moment: str) -> None:
    """Its words were forgotten in between, and must be read again."""
    searches, index = Searches(Territories.load(), SynonymBook()), Index()
    searches.put(SEARCH, CLOCK.now())

    def again() -> None:
        searches.drop(SEARCH.key)
        searches.put(SEARCH, CLOCK.now())

    index.happens[moment] = again
    assert look(searches, index)["public"].matched == {SEARCH.key: {ONE["id"]}}
    searches.drop(SEARCH.key)
    assert look(searches, index)["public"].matched == {}
