"""A search that finds nothing leads on: to each of its words, and to saying what is needed."""

from datetime import UTC, datetime
from typing import Any

import pytest
from fastapi import Request
from lxml import html

from tests.search_api.pages.test_budget import fullest_item
from traverse_schemas.reference.territories import Territories
from traverse_search_api.pages.files_view import files_view
from traverse_search_api.pages.render import Renderer
from traverse_search_api.pages.search_view import search_view
from traverse_search_api.parameters import SearchParameters

TABLES = Territories.load()
ITEM = fullest_item(1)
NOTHING: dict[str, Any] = {
    "total": {"value": 0, "exact": True},
    "items": [],
    "facets": {},
    "next": None,
    "understood": [],
    "correction": None,
    "relaxed": None,
    "diagnosis": {
        "sentence": "Chaque mot se trouve, mais aucune publication ne les réunit : ôtez-en un.",
        "without": [],
        "without_filters": None,
        "words": [{"word": "bornes", "count": 19}, {"word": "incendie", "count": 1}],
    },
}


def shown(answer: dict[str, Any]) -> html.HtmlElement:
    """The page of an answer to « bornes incendie » in the Vaucluse."""
    parameters = SearchParameters.model_validate({"q": "bornes incendie", "territory": ["dep:84"]})
    scope = {"type": "http", "method": "GET", "path": "/", "query_string": b"", "headers": []}
    made = Renderer().page(
        Request(scope),
        "search.html",
        view=search_view(parameters, answer, datetime(2026, 3, 12, tzinfo=UTC), TABLES),
        map=None,
        files=files_view(parameters, found=False, member=False),
        query=parameters.q,
        accounts=True,
    )
    return html.fromstring(bytes(made.body))


def offered(answer: dict[str, Any]) -> list[tuple[str, str]]:
    """Texts and addresses of the links beside why nothing was found."""
    links = shown(answer).cssselect(".notice a")
    return [(link.text.replace("\u00a0", " "), link.get("href")) for link in links]


def test_each_word_is_offered_by_itself_with_what_it_finds() -> None:
    assert offered(NOTHING) == [
        ("« bornes » seul (19)", "/?q=bornes&territory=dep%3A84"),
        ("« incendie » seul (1)", "/?q=incendie&territory=dep%3A84"),
    ]


def test_a_word_that_finds_nothing_is_not_offered() -> None:
    words = [{"word": "bornes", "count": 19}, {"word": "incendie", "count": 0}]
    answer = {**NOTHING, "diagnosis": {**NOTHING["diagnosis"], "words": words}}
    assert [text for text, _ in offered(answer)] == ["« bornes » seul (19)"]


def test_what_is_not_found_can_be_said_as_a_need() -> None:
    (link,) = shown(NOTHING).cssselect(".empty a[href^='/signaler']")
    assert link.get("href") == "/signaler?besoin=bornes%20incendie"


def test_without_filters_and_map_beside_it_what_to_do_stands_at_the_margin() -> None:
    assert not shown(NOTHING).cssselect(".columns")


@pytest.mark.parametrize(("found", "text"), [([ITEM], "bornes incendies"), ([], "bornes incendie")])
def test_the_heading_names_the_text_that_the_results_are_for(
    found: list[dict[str, Any]], text: str
) -> None:
    """The corrected one where it finds something; else what was typed, which finds nothing."""
    total = {"value": len(found), "exact": True}
    answer = {**NOTHING, "items": found, "total": total, "correction": "bornes incendies"}
    page = shown(answer)
    assert page.findtext(".//h1").endswith(f"pour «\u00a0{text}\u00a0»")
    assert page.findtext(".//title").startswith(f"{text} : ")
    assert page.get_element_by_id("q").value == "bornes incendie"
