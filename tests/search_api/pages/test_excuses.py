"""Errors that no page foresaw: people are told what to do, programs get problem+json."""

from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient
from lxml import html

from tests.search_api.accounts.people import words_of
from traverse_search_api.app import create_app
from traverse_search_api.settings import SearchSettings

BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
AWAY = "http://127.0.0.1:1"


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    app = create_app(SearchSettings(elasticsearch=AWAY, as_of=""))

    @app.get("/casse")
    def broken() -> None:
        raise RuntimeError("le mot de passe est koala")

    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


@pytest.mark.parametrize(
    ("asked", "status", "title", "way"),
    [
        ("GET /nulle-part", 404, "Cette page n’existe pas", "cherchez ci-dessus"),
        ("GET /fiche/a/b", 404, "Cette page n’existe pas", "cherchez ci-dessus"),
        ("POST /tableau-de-bord", 405, "Cette page ne s’ouvre pas ainsi", "page précédente"),
        ("GET /casse?essai=1", 500, "Une erreur s’est produite", "réessayez"),
        ("GET /", 503, "Recherche indisponible", "réessayez"),
        ("GET /v1/opportunities.csv?q=a", 503, "Recherche indisponible", "réessayez"),
        ("GET /v1/opportunities.xlsx?territory=dep:99", 400, "Territoire inconnu", "par le nom"),
        ("GET /?kind=chose", 400, "Demande refusée", "Le filtre « Nature » n’admet pas « chose »"),
        ("GET /?territory=13001", 400, "Territoire à préciser", "territoires : choisissez."),
        ("GET /?territory=dep:99", 400, "Territoire inconnu", "par le nom d’une commune"),
    ],
)
def test_people_get_a_page_that_says_how_to_go_on(
    client: TestClient, asked: str, status: int, title: str, way: str
) -> None:
    answer = client.request(*asked.split(), headers=BROWSER)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy and "script" not in policy
    page = html.document_fromstring(answer.text)
    assert page.get("lang") == "fr"
    assert [one.text for one in page.cssselect("h1")] == [title]
    assert way in words_of(answer)
    assert page.cssselect("main a[href='/']") and page.cssselect("form[role=search]")
    for secret in ("koala", "RuntimeError", "Traceback", "127.0.0.1"):
        assert secret not in answer.text
    if status == 405:
        assert "GET" in answer.headers["allow"]
    if status >= 500:
        again = asked.partition(" ")[2]
        assert [one.get("href") for one in page.cssselect("main li a")] == [again]


@pytest.mark.parametrize("accept", ["*/*", "application/json", "application/problem+json", ""])
@pytest.mark.parametrize(
    ("path", "status"),
    [("/nulle-part", 404), ("/casse", 500), ("/v1/opportunities.csv", 503)],
)
def test_programs_get_problem_json(client: TestClient, path: str, status: int, accept: str) -> None:
    answer = client.get(path, headers={"Accept": accept})
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert "koala" not in answer.text


@pytest.mark.parametrize("path", ["/v1/nulle-part", "/v1/opportunities?kind=x", "/carte/zz.svg"])
def test_addresses_for_programs_answer_problems_to_browsers_too(
    client: TestClient, path: str
) -> None:
    answer = client.get(path, headers=BROWSER)
    assert answer.headers["content-type"] == "application/problem+json"


def test_an_address_that_leads_elsewhere_is_not_repeated(client: TestClient) -> None:
    """The way to try again is ours: `//exemple.org` would be another site."""
    app = client.app

    @app.get("//exemple.org")  # type: ignore[attr-defined, untyped-decorator]
    def broken() -> None:
        raise RuntimeError

    page = client.get("http://testserver//exemple.org", headers=BROWSER)
    assert page.status_code == 500
    assert "//exemple.org" not in page.text


def test_too_many_requests_are_told_to_people_too() -> None:
    settings = SearchSettings(elasticsearch=AWAY, as_of="", address_rate=1)
    with TestClient(create_app(settings)) as client:
        client.get("/nulle-part", headers=BROWSER)
        page = client.get("/nulle-part", headers=BROWSER)
        assert page.status_code == 429
        assert int(page.headers["retry-after"]) >= 1
        assert "réessayez dans une minute" in page.text
        program = client.get("/nulle-part")
        assert program.headers["content-type"] == "application/problem+json"


def test_the_drawing_beneath_a_map_may_be_kept_by_anybody(client: TestClient) -> None:
    answer = client.get("/carte/dep:13.svg", headers={"Cookie": "a=b"})
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "image/svg+xml"
    assert answer.headers["cache-control"] == "public, max-age=86400"
    for path in ("com:13055", "cp:13001", "zone:x", "dep:999"):
        assert client.get(f"/carte/{path}.svg").status_code == 404


def test_no_line_ends_before_a_colon_nor_within_quotes(client: TestClient) -> None:
    """What one may edit, and attributes, keep the spaces that they have."""
    page = client.get("/?q=a+:+%C2%AB+b+%C2%BB&kind=chose", headers=BROWSER)
    assert "«\u00a0Nature\u00a0» n’admet pas «\u00a0chose\u00a0»\u00a0: repartez" in page.text
    assert 'value="a : « b »"' in page.text
