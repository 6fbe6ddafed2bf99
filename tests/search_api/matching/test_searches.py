"""Followed searches are filed anew where the synonyms change, and only as far as they must be."""

import os
from pathlib import Path

from traverse_schemas.clock import clock_from
from traverse_schemas.reference.territories import Territories
from traverse_search_api.access.reader import ANYBODY
from traverse_search_api.matching.searches import Searches, search_of
from traverse_search_api.matching.words import FIELDS
from traverse_search_api.parameters import SearchParameters
from traverse_search_api.words.synonym_book import SynonymBook

NOW = clock_from("2026-03-12T10:00:00Z").now()


def test_a_change_of_the_synonyms_is_in_force_in_pieces(tmp_path: Path) -> None:
    """Others are served in between. Of what is known already nothing is read again, and who came
    before is who he was."""
    path = tmp_path / "synonymes.txt"
    path.write_text("mairie, hôtel de ville", encoding="utf-8")
    seconds = 0.0
    searches = Searches(Territories.load(), SynonymBook(path, lambda: seconds))
    texts = [f"mairie du lot{number}" for number in range(120)]
    followed = [search_of(SearchParameters(q=text), ANYBODY) for text in texts]
    for one in followed:
        searches.put(one, NOW)
    filed = searches.filed()
    for word in searches.words.unread:
        searches.words.learn(word, dict.fromkeys(FIELDS, frozenset((word,))))
    assert list(searches.refresh(NOW)) == []
    path.write_text("mairie, maison commune", encoding="utf-8")
    os.utime(path, ns=(0, 1))
    seconds = 6.0
    pieces = searches.refresh(NOW)
    next(pieces)
    searches.drop(followed[-1].key)
    assert 0 < sum(1 for _ in pieces) < 10
    assert searches.words.unread == ["maison commune"]
    assert {key for key, _ in filed - searches.filed()} == {followed[-1].key}
    query = str(searches.query(followed[0].key, NOW))
    assert "maison commune" in query and "hôtel de ville" not in query
    assert list(searches.refresh(NOW)) == []
