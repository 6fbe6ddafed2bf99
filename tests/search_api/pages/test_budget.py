"""The fullest page of results that a search can give stays light."""

import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

from fastapi import Request

from tests.documents import deadline, document
from traverse_schemas.documents.status import Status
from traverse_schemas.records.codes import InstitutionKind
from traverse_schemas.reference.cpv import cpv_label
from traverse_schemas.reference.territories import Territories
from traverse_schemas.reference.themes import THEMES
from traverse_search_api import labels
from traverse_search_api.access.reader import ANYBODY
from traverse_search_api.answers.items import item_of
from traverse_search_api.pages.address import given
from traverse_search_api.pages.files_view import files_view
from traverse_search_api.pages.render import Renderer
from traverse_search_api.pages.search_view import search_view
from traverse_search_api.pages.territory_map.view import map_view
from traverse_search_api.parameters import SearchParameters, Subtype

NOW = datetime(2026, 3, 12, tzinfo=UTC)
TABLES = Territories.load()
BUDGET = 100_000  # octets, of a page without its map
LONG = "Travaux de réfection de la voirie communale et de ses dépendances, "
FOUND = "<mark>Travaux</mark> de réfection de la <mark>voirie</mark> communale et dépendances"


def fullest_item(number: int) -> dict[str, Any]:
    """With a long title, the longest excerpts, and everything that a result shows."""
    made = document(
        f"D{number}",
        LONG * 3,
        description=LONG * 20,
        deadline=deadline("2026-04-02T10:00:00Z"),
        amount=1_200_000.0,
        themes=list(THEMES)[:6],
        owner="Communauté de communes du Pays des Sorgues et des Monts de Vaucluse",
    )
    marked = {"title": [FOUND * 3], "description": [FOUND * 2, FOUND * 2]}
    return item_of({"_source": made, "highlight": marked}, NOW, ANYBODY)


def place_label(code: str) -> str:
    return labels.territory_label(code, TABLES)


def counts(codes: Iterable[str], label: Callable[[str], str]) -> list[dict[str, Any]]:
    return [{"value": code, "label": label(code), "count": 12_345} for code in codes]


def fullest_answer() -> dict[str, Any]:
    divisions = (f"{number:02}000000" for number in range(3, 99))
    subtypes = [str(code) for kind in Subtype.__args__ for code in kind]
    return {
        "total": {"value": 100_000, "exact": False},
        "items": [fullest_item(number) for number in range(20)],
        "facets": {
            "kind": counts(("call", "need", "project"), labels.kind_label),
            "status": counts([status.value for status in Status], labels.status_label),
            "theme": counts(THEMES, labels.theme_label),
            "territory": counts([row.code for row in TABLES.departments()], place_label),
            "subtype": counts(subtypes, labels.subtype_label),
            "institution_kind": counts(list(InstitutionKind), labels.institution_kind_label),
            "cpv": counts([code for code in divisions if cpv_label(code)], labels.cpv_label),
            "part": counts([row.code for row in TABLES.regions()], place_label),
        },
        "next": "x" * 400,
        "understood": [],
        "correction": None,
        "relaxed": None,
        "diagnosis": None,
    }


def test_the_fullest_page_of_results_is_under_100_kb_without_its_map() -> None:
    parameters = SearchParameters.model_validate(
        {"q": "réfection de voirie et trottoirs", "kind": ["call"], "theme": ["voirie"]}
    )
    answer = fullest_answer()
    view = search_view(parameters, answer, NOW, TABLES)
    drawn = map_view(answer, given(parameters), TABLES)
    scope = {"type": "http", "method": "GET", "path": "/", "query_string": b"", "headers": []}
    files = files_view(parameters, found=True, member=True)
    page = Renderer().page(
        Request(scope), "search.html", view=view, map=drawn, files=files, query=parameters.q
    )
    octets = bytes(page.body)
    # What it should hold is there.
    assert octets.count(b"<article>") == 20
    assert octets.count(b"<circle") >= 13
    bare = re.sub(rb'<section id="carte".*?</section>', b"", octets, flags=re.DOTALL)
    assert len(bare) < BUDGET
    assert len(octets) - len(bare) < 20_000
