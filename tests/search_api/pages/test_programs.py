"""« Pour les programmes »: what the OpenAPI description says, and nothing else."""

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from lxml import html

from traverse_search_api.app import create_app
from traverse_search_api.pages.programs.view import ProgramsView, programs_view
from traverse_search_api.settings import SearchSettings

ADDRESS = "https://traverse.example"


@pytest.fixture(scope="module")
def app() -> FastAPI:
    settings = SearchSettings(elasticsearch="http://127.0.0.1:1", public_address=ADDRESS)
    return create_app(settings)


@pytest.fixture(scope="module")
def description(app: FastAPI) -> dict[str, Any]:
    return app.openapi()


@pytest.fixture(scope="module")
def view(description: dict[str, Any]) -> ProgramsView:
    return programs_view(description, ADDRESS)


@pytest.fixture(scope="module")
def page(app: FastAPI) -> Iterator[html.HtmlElement]:
    with TestClient(app) as client:
        answer = client.get("/programmes")
        assert answer.status_code == 200
        yield html.fromstring(answer.text)


def test_every_route_of_the_description_is_on_the_page(
    description: dict[str, Any], page: html.HtmlElement
) -> None:
    routes = {
        f"{method.upper()} {path}"
        for path, methods in description["paths"].items()
        for method in methods
    }
    assert {one.text_content() for one in page.xpath("//h3/code")} == routes
    anchors = page.xpath("//@id")
    assert len(anchors) == len(set(anchors))


def test_every_parameter_of_a_route_is_told_where_it_is_or_among_those_of_a_search(
    description: dict[str, Any], view: ProgramsView
) -> None:
    filters = {one.name for one in view.filters}
    for call in (call for family in view.families for call in family.calls):
        told = description["paths"][call.path][call.method.lower()].get("parameters", [])
        own = {one.name for one in call.parameters}
        assert {one["name"] for one in told} <= own | (filters if call.searches else set())
        assert all(one.text for one in call.parameters), call.path


def test_a_command_can_be_pasted(view: ProgramsView) -> None:
    commands = {call.path: call.command for family in view.families for call in family.calls}
    assert commands["/v1/opportunities"] == (
        f"curl -G {ADDRESS}/v1/opportunities --data-urlencode 'q=école' "
        "--data-urlencode territory=dep:13"
    )
    assert commands["/v1/suggest"] == f"curl -G {ADDRESS}/v1/suggest --data-urlencode 'q=école'"
    assert commands["/v1/stream"].startswith(f"curl -N -G {ADDRESS}/v1/stream ")
    assert commands["/v1/opportunities/{identifier}/history"] == (
        f"curl {ADDRESS}/v1/opportunities/IDENTIFIER/history"
    )


def test_the_values_of_a_closed_list_are_shown_and_an_example(
    view: ProgramsView, page: html.HtmlElement
) -> None:
    by_name = {one.name: one for one in view.filters}
    assert by_name["kind"].values == "project, call, need"
    assert by_name["status"].values.endswith(" et 12 autres")
    assert "`" not in page.text_content()
    assert by_name["territory"].example == "dep:13"


def test_the_foot_of_every_page_leads_there(page: html.HtmlElement) -> None:
    (link,) = page.xpath("//footer//a")
    assert (link.text, link.get("href")) == ("Pour les programmes", "/programmes")
    assert page.xpath("//main//a[@href='/openapi.json']")
