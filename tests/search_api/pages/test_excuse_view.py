"""What people are told of an error, and where they go on from it."""

import pytest

from traverse_search_api.errors import (
    EndedGroupingError,
    ExpiredCursorError,
    HistoryUnavailableError,
    InvalidCursorError,
    SearchError,
    SearchUnavailableError,
    TooLongError,
    UnknownGroupingError,
    WithdrawnError,
)
from traverse_search_api.pages.excuse_view import Asked, excuse_view

SEARCH = Asked("/", [("q", "voirie & ponts"), ("cursor", "abc"), ("kind", "call")], True, "/")
RECORD = Asked("/fiche/abc/changements", [], True, "/")


@pytest.mark.parametrize(
    "error", [ExpiredCursorError(), InvalidCursorError("relancez sans cursor.")]
)
def test_who_cannot_read_on_goes_back_to_the_first_page_of_the_same_search(
    error: SearchError,
) -> None:
    view = excuse_view(error, SEARCH)
    assert view.ways == [("/?q=voirie+%26+ponts&kind=call", "Reprendre depuis la première page")]
    assert "première page" in view.sentence
    assert "cursor" not in view.sentence.lower() and "curseur" not in view.title.lower()


@pytest.mark.parametrize(
    "error", [SearchUnavailableError(), TooLongError(), HistoryUnavailableError()]
)
def test_what_is_away_for_a_moment_is_asked_again_by_a_link(error: SearchError) -> None:
    """But for what was sent: a link sends nothing again."""
    assert excuse_view(error, RECORD).ways == [("/fiche/abc/changements", "Réessayer")]
    sent = Asked("/connexion", [], False, "/")
    assert excuse_view(error, sent).ways == []
    strange = Asked("//exemple.org", [], True, "/")
    assert excuse_view(error, strange).ways == [("/", "Réessayer")]


@pytest.mark.parametrize(
    ("error", "title", "way"),
    [
        (EndedGroupingError("abc"), "Groupement terminé", ("/fiche/abc", "Voir ce dossier")),
        (
            UnknownGroupingError("xyz"),
            "Introuvable",
            ("/mutualiser", "Voir les groupements proposés"),
        ),
        (WithdrawnError(), "Publication retirée", None),
    ],
)
def test_what_is_gone_is_told_without_an_address_to_type(
    error: SearchError, title: str, way: tuple[str, str] | None
) -> None:
    view = excuse_view(error, Asked("/mutualiser/xyz", [], True, "/"))
    assert view.title == title
    assert view.ways == ([way] if way else [])
    assert "/" not in view.sentence
