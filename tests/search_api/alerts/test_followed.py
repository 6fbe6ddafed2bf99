"""The saved searches that are followed: whole, or not at all."""

import pytest

from tests.search_api.accounts.people import MARSEILLE, NOW
from tests.search_api.alerts.household import subscription
from traverse_schemas.reference.territories import Territories
from traverse_search_api.access.reader import Reader
from traverse_search_api.alerts import followed as followed_module
from traverse_search_api.alerts.followed import FollowedSearches
from traverse_search_api.errors import InvalidParameterError
from traverse_search_api.words.synonym_book import SynonymBook

READER = Reader(MARSEILLE)


def test_a_search_that_cannot_be_told_in_words_is_not_followed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Else what it finds would be nobody's, and end the notifier."""

    def refusing(*_: object) -> None:
        raise InvalidParameterError("territory", "Ce territoire n’existe plus.")

    row = subscription()
    searches = FollowedSearches(Territories.load(), SynonymBook())
    with monkeypatch.context() as patched:
        patched.setattr(followed_module, "active_filters", refusing)
        searches.refresh({row.id: row}, lambda _: READER, NOW)
    assert not searches.searches.filed() and not searches.by_key
    searches.refresh({row.id: row}, lambda _: READER, NOW)
    assert [key for key, _ in searches.searches.filed()] == list(searches.by_key) != []
    assert searches.why(row.id) == ("« cantine »",)


def test_what_was_refused_once_is_tried_again() -> None:
    """Two that follow the same: for both."""
    rows = {row.id: row for row in (subscription(), subscription())}
    searches = FollowedSearches(Territories.load(), SynonymBook())
    searches.refresh(rows, lambda _: READER, NOW)
    for key in list(searches.by_key):
        searches.searches.drop(key)
    searches.refresh(rows, lambda _: READER, NOW)
    assert [key for key, _ in searches.searches.filed()] == list(searches.by_key) != []
    assert all(searches.reader(name) == READER for name in rows)
