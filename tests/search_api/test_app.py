"""Without Elasticsearch: every error is a problem+json in French, with no traceback."""

import json
import re
from collections.abc import Iterator
from datetime import datetime

import pytest
from fastapi.testclient import TestClient

from traverse_search_api.app import create_app
from traverse_search_api.settings import SearchSettings

_PARAMETERS = """
    q kind status theme cpv subtype institution institution_kind territory reach as_of near radius
    deadline_from deadline_to published_from published_to amount_min amount_max sort size cursor
    facets literal as_typed explain
"""
_MANY_NAMES = "&".join(f"institution={number}{'+b' * 9}" for number in range(101))


@pytest.fixture
def client() -> Iterator[TestClient]:
    """A service whose Elasticsearch is away: nothing listens on port 1."""
    settings = SearchSettings(elasticsearch="http://127.0.0.1:1", as_of="")
    with TestClient(create_app(settings), raise_server_exceptions=False) as client:
        yield client


@pytest.mark.parametrize("path", ["/v1/opportunities?q=x", "/v1/opportunities/abcdefgh", "/readyz"])
def test_elasticsearch_away_is_a_503_with_retry_after(client: TestClient, path: str) -> None:
    """The caller is told to come back, and no cause leaks."""
    answer = client.get(path)
    assert answer.status_code == 503
    assert answer.headers["content-type"] == "application/problem+json"
    assert int(answer.headers["retry-after"]) > 0
    assert "momentanément indisponible" in answer.json()["detail"]
    assert "127.0.0.1" not in answer.text


def test_an_export_that_cannot_begin_gives_its_place_back(client: TestClient) -> None:
    """A caller has two: the third is told of Elasticsearch too, not to wait for itself."""
    assert [client.get("/v1/opportunities.csv").status_code for _ in range(3)] == [503] * 3


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("/nope", 404, "n’existe pas"),
        ("/v1/opportunities?kind=x", 422, "kind : « x » n’est pas admis"),
        (f"/v1/opportunities?q={'a+' * 101}", 422, "q : plus de 100 mots"),
        (f"/v1/opportunities?{_MANY_NAMES}", 422, "ces noms ; donnez-en moins, ou des SIREN"),
        ("/v1/opportunities?size=many", 422, "nombre entier"),
        ("/v1/opportunities?territoire=13", 422, "n’existe pas ; peut-être territory."),
        ("/v1/stream?statut=open", 422, "n’existe pas ; peut-être status."),
        ("/v1/opportunities?xyz=1", 422, "n’existe pas ; voyez /openapi.json"),
        ("/v1/opportunities?as_typed=oui", 422, "écrivez true ou false"),
        ("/v1/opportunities?territory=93", 400, "dep:93"),
        ("/v1/opportunities?territory=com:00000", 400, "n’est pas un territoire"),
        ("/v1/opportunities?cursor=zzz", 400, "Ce curseur"),
        ("/v1/opportunities?sort=distance", 400, "near=latitude,longitude"),
        ("/v1/stream?as_of=2026-03-01", 400, "retirez as_of"),
        ("/v1/opportunities/x?as_of=hier", 400, "n’est pas une date"),
    ],
)
def test_a_mistake_is_a_problem_in_french(
    client: TestClient, path: str, status: int, words: str
) -> None:
    """One sentence that names what to mend (RFC 9457)."""
    answer = client.get(path)
    problem = answer.json()
    assert (answer.status_code, problem["status"]) == (status, status)
    assert answer.headers["content-type"] == "application/problem+json"
    assert words in problem["detail"]
    assert problem["title"] and problem["type"] == "about:blank"


def test_an_ambiguous_territory_offers_its_choices(client: TestClient) -> None:
    """A program can show them without reading the sentence."""
    choices = client.get("/v1/opportunities?territory=13001").json()["choices"]
    assert choices[0] == {"code": "com:13001", "label": "Aix-en-Provence"}
    assert choices[1]["code"] == "cp:13001"


@pytest.mark.parametrize(
    ("method", "path", "takes"),
    [
        ("POST", "/v1/opportunities", "GET, HEAD"),
        ("PUT", "/v1/groupings/x", "GET, HEAD"),
        ("POST", "/v1/opportunities.csv", "GET, HEAD"),
    ],
)
def test_another_method_is_a_405_problem(
    client: TestClient, method: str, path: str, takes: str
) -> None:
    """Which says what the address takes (RFC 9110, 15.5.6)."""
    answer = client.request(method, path)
    assert (answer.status_code, answer.headers["allow"]) == (405, takes)
    assert answer.json()["title"] == "Méthode refusée"
    assert answer.json()["detail"] == f"Cette adresse ne prend pas {method}, mais {takes}."


@pytest.mark.parametrize(
    "path", ["/healthz", "/v1/opportunities?q=x", "/v1/opportunities.csv", "/"]
)
def test_head_is_answered_as_get_without_its_content(client: TestClient, path: str) -> None:
    """Programs that watch a service or look at a file before they take it ask so."""
    told, whole = client.head(path), client.get(path)
    assert (told.status_code, told.content) == (whole.status_code, b"")
    assert told.headers["content-type"] == whole.headers["content-type"]


def test_the_service_lives_while_elasticsearch_is_away(client: TestClient) -> None:
    """Liveness must not restart a service that only waits; metrics count by route."""
    client.get("/v1/opportunities?q=x")
    assert client.get("/healthz").json() == {"status": "ok"}
    metrics = client.get("/metrics").text
    assert 'traverse_search_requests_total{route="/v1/opportunities",status="503"} 1.0' in metrics


def test_the_description_names_every_parameter_of_the_contract(client: TestClient) -> None:
    """Integrators read /openapi.json."""
    operation = client.get("/openapi.json").json()["paths"]["/v1/opportunities"]["get"]
    names = {parameter["name"] for parameter in operation["parameters"]}
    assert names == set(_PARAMETERS.split())


class BrokenClock:
    """Fails where nothing is expected to."""

    def now(self) -> datetime:
        raise RuntimeError("secret")


def test_operations_have_titles_in_french_and_names_that_clients_can_call(
    client: TestClient,
) -> None:
    """Generators of clients make methods of the names."""
    paths = client.get("/openapi.json").json()["paths"]
    calls = [call for path in paths.values() for call in path.values()]
    names = [call["operationId"] for call in calls]
    assert len(names) == len(set(names))
    assert {"search_opportunities", "suggest", "export_csv_opportunities_csv"} <= {*names}
    assert all(re.fullmatch("[a-z_]+", name) and "v1" not in name for name in names)
    titles = {call["operationId"]: call["summary"] for call in calls}
    assert titles["search_opportunities"].startswith("Cherche parmi les publications de toutes")
    assert titles["export_csv_opportunities_csv"] == "La recherche, entière, en CSV"
    assert all(" " in title and "\n" not in title for title in titles.values())


def test_what_nobody_expected_is_a_500_without_its_cause() -> None:
    """The cause is in the service's log, not in the answer."""
    settings = SearchSettings(elasticsearch="http://127.0.0.1:1")
    app = create_app(settings, clock=BrokenClock())
    with TestClient(app, raise_server_exceptions=False) as client:
        answer = client.get("/v1/opportunities")
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert "secret" not in answer.text


@pytest.mark.parametrize("identifier", ["%2E%2E", "%2E", "a" * 5000, "%00"])
def test_what_is_no_identifier_is_asked_of_nobody(client: TestClient, identifier: str) -> None:
    """Elasticsearch, which is away here, took `..` for the index itself."""
    assert client.get(f"/v1/opportunities/{identifier}").status_code == 404


@pytest.mark.parametrize("as_of", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_a_date_that_no_zone_computes_is_refused(client: TestClient, as_of: str) -> None:
    answer = client.get("/v1/opportunities/abcdefgh", params={"as_of": as_of})
    assert answer.status_code == 400
    assert answer.json()["parameter"] == "as_of"


def test_pages_go_out_compressed_to_who_asks_but_not_to_somebody(client: TestClient) -> None:
    """With a secret of theirs in it, the length of a page could tell it."""

    def encoding(path: str, **headers: str) -> str | None:
        headers = {"accept": "text/html", "accept-encoding": "gzip", **headers}
        answer = client.get(path, headers=headers)
        assert len(answer.content) > 1000
        found: str | None = answer.headers.get("content-encoding")
        return found

    assert (encoding("/"), encoding("/static/style.css")) == ("gzip", "gzip")
    assert encoding("/", cookie="anything=x") is None
    assert encoding("/static/style.css", cookie="anything=x") == "gzip"
    assert encoding("/", **{"accept-encoding": "identity"}) is None
    whole = client.get("/static/style.css", headers={"accept-encoding": "gzip"})
    again = client.get("/static/style.css", headers={"if-none-match": whole.headers["etag"]})
    assert whole.headers["etag"].startswith("W/")
    assert (again.status_code, "accept-encoding" in again.headers["vary"].lower()) == (304, True)


def test_the_description_says_what_everything_is(client: TestClient) -> None:
    """Who writes a client reads nothing else: each parameter, each error and the key are told."""
    description = client.get("/openapi.json").json()
    calls = [
        (f"{method.upper()} {path}", call)
        for path, methods in description["paths"].items()
        for method, call in methods.items()
    ]
    silent = [
        f"{name} {parameter['name']}"
        for name, call in calls
        for parameter in call.get("parameters", ())
        if not (parameter.get("description") or parameter["schema"].get("description"))
    ]
    assert silent == []
    answers = [
        (name, int(status), answer)
        for name, call in calls
        for status, answer in call["responses"].items()
        if int(status) >= 400 and call["tags"] != ["exploitation"]
    ]
    for name, status, answer in answers:
        schema = answer["content"]["application/problem+json"]["schema"]
        assert {"title", "status", "detail"} <= schema["properties"].keys(), name
        assert ("Retry-After" in answer.get("headers", {})) == (status in (429, 503)), name
    assert description["components"]["securitySchemes"]["bearer"]["scheme"] == "bearer"
    assert description["security"] == [{}, {"bearer": []}]
    groupings = description["paths"]["/v1/groupings"]["get"]["responses"]["200"]["content"]
    assert {"total", "items", "next"} == groupings["application/json"]["schema"][
        "properties"
    ].keys()


def test_a_stream_is_not_offered_what_it_does_not_heed(client: TestClient) -> None:
    """Its order is that of the changes, and it has no pages."""
    call = client.get("/openapi.json").json()["paths"]["/v1/stream"]["get"]
    names = {parameter["name"] for parameter in call["parameters"]}
    assert {"q", "territory", "since", "last-event-id"} <= names
    assert not names & {"sort", "size", "cursor", "facets", "explain", "as_of"}


SITE = {"origin": "https://www.commune.example"}


@pytest.mark.parametrize("path", ["/v1/opportunities?q=x", "/v1/nothing", "/openapi.json"])
def test_the_scripts_of_any_site_read_what_anybody_reads(client: TestClient, path: str) -> None:
    """Errors too, with when to come back; never with the cookies of who is signed in."""
    headers = client.get(path, headers={**SITE, "cookie": "session=x"}).headers
    assert headers["access-control-allow-origin"] in ("*", SITE["origin"])
    assert "Retry-After" in headers["access-control-expose-headers"]
    assert "access-control-allow-credentials" not in headers


@pytest.mark.parametrize(
    ("method", "asked", "status"),
    [
        ("GET", "last-event-id", 200),
        ("GET", "authorization", 400),  # a key in a page is everybody's
        ("POST", "content-type", 400),
    ],
)
def test_a_script_of_another_site_reads_and_does_no_more(
    client: TestClient, method: str, asked: str, status: int
) -> None:
    wanted = {"access-control-request-method": method, "access-control-request-headers": asked}
    assert client.options("/v1/stream", headers={**SITE, **wanted}).status_code == status


def test_pages_are_not_for_the_scripts_of_other_sites(client: TestClient) -> None:
    assert "access-control-allow-origin" not in client.get("/connexion", headers=SITE).headers


def test_who_asks_too_often_reads_why_on_any_site() -> None:
    """The limit stands inside of it."""
    settings = SearchSettings(elasticsearch="http://127.0.0.1:1", address_rate=1)
    with TestClient(create_app(settings)) as client:
        client.get("/v1/nothing")
        answer = client.get("/v1/nothing", headers=SITE)
    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (429, "*")


def test_a_header_that_is_refused_is_named(client: TestClient) -> None:
    """As a parameter is, and not by where it stands in a request."""
    answer = client.get("/v1/stream", headers={"last-event-id": "x" * 3000})
    assert answer.status_code == 422
    assert answer.json()["detail"].startswith("last-event-id : ce texte dépasse 2000")


def test_the_description_is_in_french(client: TestClient) -> None:
    """The words of our code are for who reads that."""
    english = re.compile(r"\b(the|of|what|which|with|and|is)\b")
    told = json.dumps(client.get("/openapi.json").json(), ensure_ascii=False)
    said = re.findall(r'"(?:description|summary)": "((?:[^"\\]|\\.)*)"', told)
    assert len(said) > 100
    assert [text for text in said if english.search(text)] == []
