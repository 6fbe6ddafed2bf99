"""Before anything is asked, the search page says that it shows all there is, and what is open."""

from datetime import UTC, datetime
from typing import Any

import pytest
from fastapi import Request
from lxml import html

from tests.search_api.pages.test_empty_page import NOTHING
from traverse_schemas.reference.territories import Territories
from traverse_search_api.pages.files_view import files_view
from traverse_search_api.pages.render import Renderer
from traverse_search_api.pages.search_view import SearchView, search_view
from traverse_search_api.parameters import SearchParameters

TABLES = Territories.load()
STATUSES = [
    {"value": "open", "label": "Ouvert", "count": 69},
    {"value": "closing_soon", "label": "Clôture imminente", "count": 14},  # of those
    {"value": "reported", "label": "Signalé", "count": 1},
    {"value": "awarded", "label": "Attribué", "count": 26},
]


def seen(
    total: int, statuses: list[dict[str, Any]], exact: bool = True, **asked: Any
) -> SearchView:
    answer = {
        **NOTHING,
        "total": {"value": total, "exact": exact},
        "facets": {"status": statuses},
        "diagnosis": None,
    }
    parameters = SearchParameters.model_validate(asked)
    return search_view(parameters, answer, datetime(2026, 3, 12, tzinfo=UTC), TABLES)


@pytest.mark.parametrize(
    ("total", "exact", "said"),
    [
        (0, True, "Rien n’est publié pour le moment"),
        (1, True, "Tout ce qui est publié : 1 publication"),
        (1204, True, "Tout ce qui est publié : 1 204 publications"),
        (100_000, False, "Tout ce qui est publié : plus de 100 000 publications"),
    ],
)
def test_before_anything_is_asked_the_heading_says_that_this_is_all(
    total: int, exact: bool, said: str
) -> None:
    heading = seen(total, [], exact).heading
    assert heading.replace("\u202f", " ").replace("\u00a0", " ") == said


def test_what_is_open_now_is_counted_and_leads_to_its_list() -> None:
    labels = [label.replace("\u00a0", " ") for label, _ in seen(267, STATUSES).present]
    assert labels == ["69 appels et marchés ouverts", "1 besoin en attente"]
    assert [address for _, address in seen(267, STATUSES, sort="deadline").present] == [
        "/?sort=deadline&kind=call&status=open",
        "/?sort=deadline&kind=need&status=reported&status=qualified&status=directed"
        "&status=to_confirm",
    ]


@pytest.mark.parametrize("asked", [{"q": "voirie"}, {"territory": ["dep:84"]}])
def test_what_was_asked_for_is_told_as_results(asked: dict[str, Any]) -> None:
    view = seen(69, STATUSES, **asked)
    assert (view.heading, view.present) == ("69 résultats", [])


def test_where_nothing_is_published_nobody_is_told_to_search_otherwise() -> None:
    parameters = SearchParameters()
    scope = {"type": "http", "method": "GET", "path": "/", "query_string": b"", "headers": []}
    made = Renderer().page(
        Request(scope),
        "search.html",
        view=seen(0, []),
        map=None,
        files=files_view(parameters, found=False, member=False),
        accounts=True,
    )
    page = html.fromstring(bytes(made.body))
    assert not page.cssselect(".empty")
    assert page.cssselect("main a[href='/signaler']")
