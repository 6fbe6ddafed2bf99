"""Exports, likeness, suggestions, the map, and every documented example, on a real engine."""

import csv
import io
import json
import re
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from tests.documents import SOURCE, deadline, document, stub
from tests.search_api.conftest import Service
from traverse_search_api.exports.formats import Form

pytestmark = pytest.mark.engines

PAGE = (Path(__file__).parents[3] / "docs" / "search.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^(/v1/\S.*)$", PAGE, flags=re.MULTILINE)
SILENT = "urn:siren:775665011"
MANY = [document(f"m{n}", f"Marché de voirie {n}", amount=float(n)) for n in range(1_200)]
OTHERS = [
    document("school", "Rénovation énergétique de l'école Jean-Moulin", cpv=["45214200"],
             description="Isolation des façades et remplacement des chaudières."),
    document("like", "Isolation et chaudières de l'école des Lilas", cpv=["45214200"],
             description="Rénovation énergétique, isolation des façades."),
    document("other", "Fourniture de repas", cpv=["55523100"]),
    document("lyon", "Rénovation du gymnase", place=["com:69123"], owner="Ville de Lyon",
             deadline=deadline("2026-03-20T11:00:00.000Z")),
    document("dry", "Sécheresse", published_at="2024-03-10T08:00:00.000000Z"),
    document("new", "Étude des sols", description="Après la sécheresse.",
             published_at="2026-03-10T08:00:00.000000Z",
             sources=[{"source": SOURCE, "subject": "new",
                       "updated_at": "2026-03-10T08:00:00.000000Z"}]),
    document("both", "Fourrière", sources=[
        {"source": SOURCE, "subject": "both", "updated_at": "2026-03-01T08:00:00.000000Z"},
        {"source": SILENT, "subject": "f1", "updated_at": "2024-05-06T08:00:00.000000Z"},
    ]),
    document("expired", "Fourrière", expires="2025-01-01", sources=[
        {"source": "urn:siren:123456782", "subject": "e", "updated_at": "2024-05-06T08:00:00Z"},
    ]),
    document("hidden", "Rénovation énergétique cachée", visibility="buyers"),
    stub("gone"),
]  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def _documents(service: Service) -> None:
    service.add(*MANY, *OTHERS)


def get(service: Service, path: str, **parameters: Any) -> Any:
    answer = service.client.get(path, params=parameters)
    assert answer.status_code == 200, answer.text
    return answer


def test_an_export_has_everything_once_beyond_a_page(service: Service) -> None:
    """The same number as the search says, in its order, no document twice."""
    for text in ("voirie", "voirke"):  # corrected as the search is
        lines = get(service, "/v1/opportunities.ndjson", q=text, sort="amount").text.splitlines()
        subjects = [json.loads(line)["sources"][0]["subject"] for line in lines]
        assert subjects == [f"m{n}" for n in reversed(range(1_200))]


@pytest.mark.parametrize("form", list(Form))
def test_every_form_takes_the_filters_of_the_search(service: Service, form: Form) -> None:
    """And never holds what a search would not show."""
    answer = get(service, f"/v1/opportunities.{form}", q="rénovation", territory="dep:69")
    assert f"traverse.{form}" in answer.headers["content-disposition"]
    if form is not Form.XLSX:
        assert "gymnase" in answer.text
        assert "cachée" not in answer.text and "école" not in answer.text


def test_a_refused_parameter_is_a_problem_before_any_octet(service: Service) -> None:
    answer = service.client.get("/v1/opportunities.csv", params={"kind": "x"})
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
    assert service.client.get("/v1/opportunities.pdf").status_code == 404


def test_a_feed_has_the_last_published_first_whatever_host_was_asked(service: Service) -> None:
    """By relevance, what is new might never be among the first hundred."""
    path, asked = "/v1/opportunities.rss", {"q": "sécheresse"}
    answer = service.client.get(path, params=asked, headers={"host": "ailleurs.example"})
    found = etree.fromstring(answer.content)
    assert [one.text for one in found.iterfind(".//item/title")] == ["Étude des sols", "Sécheresse"]
    assert "ailleurs" not in answer.text
    (address, *_) = [one.text or "" for one in found.iterfind(".//item/link")]
    assert address.startswith("http://127.0.0.1:8000/fiche/")
    told = etree.fromstring(get(service, path, **asked, sort="relevance").content)
    assert told.findtext(".//item/title") == "Sécheresse"
    tag = {"if-none-match": answer.headers["etag"]}
    again = service.client.get(path, params=asked, headers=tag)
    assert (again.status_code, again.content) == (304, b"")


def test_a_csv_of_nothing_has_its_headers(service: Service) -> None:
    text = get(service, "/v1/opportunities.csv", q="zyzzyva").content.decode("utf-8-sig")
    assert len(list(csv.reader(io.StringIO(text), delimiter=";"))) == 1


def test_what_is_alike_comes_first_and_never_itself(service: Service) -> None:
    (school,) = service.ask(q="Jean-Moulin")["items"]
    found = get(service, f"/v1/opportunities/{school['id']}/similar").json()["items"]
    subjects = [item["sources"][0]["subject"] for item in found]
    assert subjects[0] == "like"
    assert not {"school", "hidden", "other", "gone"} & set(subjects)
    assert service.client.get("/v1/opportunities/nowhere/similar").status_code == 404


def test_suggestions_of_each_kind(service: Service) -> None:
    """Titles, institutions, places and themes that begin so; never a hidden one."""
    assert get(service, "/v1/suggest", q="gymn").json()["titles"][0]["title"] == (
        "Rénovation du gymnase"
    )
    found = get(service, "/v1/suggest", q="marsei").json()
    assert found["places"][0] == {"code": "com:13055", "label": "Marseille (13)"}
    assert found["institutions"][0]["name"] == "Ville de Marseille"
    assert get(service, "/v1/suggest", q="voir").json()["themes"][0]["theme"] == "voirie"
    assert get(service, "/v1/suggest", q="cach").json()["titles"] == []
    assert get(service, "/v1/suggest", q="x").json()["titles"] == []


def test_a_town_or_an_institution_is_corrected_too(service: Service) -> None:
    """No title and no description names this one."""
    answer = service.ask(q="marsaille")
    assert (answer["correction"], answer["total"]["value"] > 0) == ("marseille", True)
    assert service.ask(q="marsaille", as_typed="true")["total"]["value"] == 0


def test_the_map_counts_what_the_search_finds(service: Service) -> None:
    """Tiles of a web map; inside of the box only."""
    whole = get(service, "/v1/opportunities/map", q="rénovation", zoom=6).json()
    assert whole["total"] == service.ask(q="rénovation")["total"]["value"]
    assert sum(tile["count"] for tile in whole["tiles"]) == whole["total"]
    assert whole["complete"] is True
    lyon = get(service, "/v1/opportunities/map", bbox="4.5,45.5,5.2,46", zoom=9).json()
    assert lyon["total"] == 1
    refused = service.client.get("/v1/opportunities/map", params={"bbox": "1,2,3"})
    assert refused.status_code == 422
    assert "ouest,sud,est,nord" in refused.json()["detail"]


@pytest.mark.parametrize("example", EXAMPLES)
def test_each_example_of_the_page_is_answered(service: Service, example: str) -> None:
    """What the documentation shows works."""
    assert service.client.get(example).status_code == 200


def test_the_page_has_examples() -> None:
    assert len(EXAMPLES) >= 8


def test_a_filter_that_hides_everything_is_named(service: Service) -> None:
    """Which filter it was, and what there would be without it."""
    answer = service.ask(q="gymnase", territory="dep:13", reach="within", kind="call")
    diagnosis = answer["diagnosis"]
    assert [one["parameter"] for one in diagnosis["without"]] == ["territory"]
    assert diagnosis["without"][0]["count"] == 1
    assert "Bouches-du-Rhône" in diagnosis["sentence"]
    assert {one["parameter"] for one in answer["filters"]} == {"territory", "kind"}


@pytest.mark.parametrize(
    ("typed", "sentence", "ways"),
    [
        (
            "gymnase clôture demain",
            "« clôture demain » (échéance du 13/03/2026 au 13/03/2026) écarte tout : "
            "sans « clôture demain », 1 résultat.",
            [("gymnase", 1)],
        ),
        (
            '"gymnase rénovation"',
            "Ces mots ne se suivent nulle part sous cette forme exacte : sans guillemets, "
            "1 résultat.",
            [("gymnase rénovation", 1)],
        ),
        (
            "gymnase -rénovation",
            "Ce qui est exclu écarte tout : sans rien exclure, 1 résultat.",
            [("gymnase", 1)],
        ),
        ("de la", "Rien à chercher dans ce texte : écrivez au moins un mot.",
         []),
        ("75101", "Aucune publication ne correspond à « 75101 » (Paris 1er Arrondissement (code "
         "INSEE)) : ôtez-le.", []),
        ("repas zyzzyva", "Aucune publication ne contient « zyzzyva » : vérifiez l’orthographe.",
         []),
    ],
)  # fmt: skip
def test_what_would_bring_results_back_is_said(
    service: Service, typed: str, sentence: str, ways: list[tuple[str, int]]
) -> None:
    """And asking that gives so many."""
    diagnosis = service.ask(q=typed)["diagnosis"]
    assert diagnosis["sentence"] == sentence
    assert [(one["value"], one["count"]) for one in diagnosis["without"]] == ways
    for text, count in ways:
        assert service.ask(q=text)["total"]["value"] == count


def test_a_filter_is_to_blame_for_a_text_that_had_to_be_corrected(service: Service) -> None:
    """The correction is said, and the filter."""
    answer = service.ask(q="gymnaze", territory="13", reach="within", amount_max=1000)
    assert (answer["correction"], answer["items"]) == ("gymnase", [])
    labels = ["Bouches-du-Rhône", "montant jusqu’à 1\u202f000\u00a0€"]
    assert [one["label"] for one in answer["filters"]] == labels
    assert answer["diagnosis"]["without_filters"] == 1


def test_the_freshness_of_each_source_is_said(service: Service) -> None:
    """Its own last word, whoever else says the same things; of what is shown."""
    first, second = service.ask(q="voirie")["freshness"]
    assert (first["source"], first["updated_at"]) == (SOURCE, "2026-03-10T08:00:00.000Z")
    assert second == {"source": SILENT, "count": 1, "updated_at": "2024-05-06T08:00:00.000Z"}


def test_an_explanation_names_what_gave_how_much(service: Service) -> None:
    """The parts of the text, and the factors: open here."""
    (item,) = service.ask(q="gymnase", explain=True)["items"]
    assert item["explanation"]["score"] > 0
    assert "mots du titre et dérivés" in {one["part"] for one in item["explanation"]["text"]}
    assert "ouvert" in {one["part"] for one in item["explanation"]["factors"]}


def test_the_nearest_comes_first(service: Service) -> None:
    """A commune's query: what lies in it, then what lies farther and covers it."""
    service.add(
        document("fr", "Aide à la mobilité", place=["fr"]),
        document("reg", "Aide à la mobilité", place=["reg:84"]),
        document("com", "Aide à la mobilité", place=["com:69123"]),
    )
    assert service.subjects(q="aide mobilité", territory="com:69123") == ["com", "reg", "fr"]
