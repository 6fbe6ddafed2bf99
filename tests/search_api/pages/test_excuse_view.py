"""What people are told of an error, and where they go on from it."""

import pytest

from traverse_search_api.accounts.errors import NotAllowedError
from traverse_search_api.errors import (
    AmbiguousPlaceError,
    ExpiredCursorError,
    HistoryUnavailableError,
    InvalidCursorError,
    SearchError,
    SearchUnavailableError,
    TooLongError,
    WithdrawnError,
)
from traverse_search_api.groupings.errors import EndedGroupingError, UnknownGroupingError
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
    assert view.ways == [
        ("/?q=voirie+%26+ponts&kind=call", "Reprendre cette recherche depuis sa première page")
    ]
    assert "première page" in view.sentence
    assert "cursor" not in view.sentence.lower() and "curseur" not in view.title.lower()


def test_who_reads_on_too_late_is_told_why_and_that_the_search_is_still_theirs() -> None:
    view = excuse_view(ExpiredCursorError(), SEARCH)
    assert view.title == "La suite ne se lit plus"
    assert view.sentence == (
        "La suite d’une recherche reste prête quelques minutes, et elles sont passées : reprenez "
        "la même recherche depuis sa première page."
    )


def test_another_choice_of_a_place_begins_at_the_first_page() -> None:
    """A cursor is of the search without that choice; the rest of what was asked stays."""
    asked = Asked(
        "/",
        [("q", "voirie"), ("cursor", "abc"), ("territory", "dep:13, 13001"), ("kind", "call")],
        True,
        "/",
    )
    error = AmbiguousPlaceError("13001", (("com:13001", "Aix-en-Provence"), ("cp:13001", "13001")))
    assert excuse_view(error, asked).ways == [
        ("/?q=voirie&kind=call&territory=dep:13&territory=com:13001", "Aix-en-Provence"),
        ("/?q=voirie&kind=call&territory=dep:13&territory=cp:13001", "13001"),
    ]


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


def test_who_may_not_do_it_is_led_back_to_what_they_may_do() -> None:
    error = NotAllowedError("ouvrir la vitrine à d’autres sites", "Ville d’Apt")
    view = excuse_view(error, Asked("/mon-institution/vitrine", [], True, "/"))
    assert [address for address, _ in view.ways] == ["/mon-institution", "/compte"]
