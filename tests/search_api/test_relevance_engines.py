"""Relevance on the real records: the judged set as a gate, and what must not matter."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from statistics import mean
from typing import Any
from uuid import uuid4

import pytest
from elasticsearch import Elasticsearch
from elasticsearch.helpers import bulk

from tests.engines import RunningEngines
from tests.search_api.conftest import Service, serving
from tests.search_api.judgement import judged_queries, ndcg, reference_of
from tests.search_api.real_documents import real_documents
from traverse_schemas.french.analysis import STOP_WORDS, analysis
from traverse_search_api import search
from traverse_search_api.query import breadth

pytestmark = [pytest.mark.engines, pytest.mark.realdata, pytest.mark.long]

GATE = 0.85
SHOWN = 50
BY_TITLES = 0.85
# What a plain search would be: French as everybody sets it up, one field, words joined by OR.
_PLAIN: dict[str, Any] = {
    "settings": {
        "number_of_shards": 1,
        "number_of_replicas": 0,
        "analysis": {
            "filter": {
                "elision": analysis()["filter"]["french_elision"],
                "stop": {"type": "stop", "stopwords": list(STOP_WORDS)},
                "stem": {"type": "stemmer", "language": "light_french"},
            },
            "analyzer": {
                "plain": {
                    "tokenizer": "standard",
                    "filter": ["elision", "lowercase", "stop", "stem"],
                }
            },
        },
    },
    "mappings": {
        "properties": {
            "text": {"type": "text", "analyzer": "plain"},
            "reference": {"type": "keyword"},
        }
    },
}


@pytest.fixture(scope="module")
def documents(shared_data: Path) -> list[dict[str, Any]]:
    """All real records, as the stream would index them."""
    return list(real_documents(shared_data))


@pytest.fixture(scope="module")
def real(engines: RunningEngines, documents: list[dict[str, Any]]) -> Iterator[Service]:
    """The service over them, in December 2023."""
    with serving(engines, "2023-12-01T12:00:00Z") as service:
        service.add(*documents)
        yield service


@pytest.fixture(scope="module")
def plain(engines: RunningEngines, documents: list[dict[str, Any]]) -> Iterator[Any]:
    """The ranking of the plain search, as a function of the query."""
    name = f"plain-{uuid4().hex[:12]}"
    client = Elasticsearch(engines.elasticsearch, request_timeout=120)
    client.indices.create(index=name, **_PLAIN)
    bulk(client, ({"_index": name, "_source": _plain_document(one)} for one in documents))
    client.indices.refresh(index=name)

    def rank(query: str) -> list[str]:
        found = client.search(index=name, query={"match": {"text": query}}, size=10)
        return [hit["_source"]["reference"] for hit in found["hits"]["hits"]]

    yield rank
    client.indices.delete(index=name)
    client.close()


def _plain_document(document: dict[str, Any]) -> dict[str, str]:
    parts = [
        document["title"],
        document.get("description", ""),
        *(institution["name"] for institution in document["institutions"]),
        *document["place_names"],
        *document.get("cpv_labels", ()),
    ]
    return {"text": "\n".join(parts), "reference": reference_of(document)}


def ranked(service: Service, query: str) -> list[str]:
    return [reference_of(item) for item in service.ask(q=query, size=10, facets="none")["items"]]


def test_the_judged_set_passes_its_gate(real: Service, plain: Any) -> None:
    """nDCG@10 over all judged queries, and well above a plain French search of the same records."""
    queries = judged_queries()
    ours = {query: ndcg(ranked(real, query), grades) for query, grades in queries.items()}
    theirs = {query: ndcg(plain(query), grades) for query, grades in queries.items()}
    worst = sorted(ours, key=lambda query: ours[query])[:10]
    figures = f"Traverse {mean(ours.values()):.3f}, match français {mean(theirs.values()):.3f}"
    print(figures, [(query, round(ours[query], 2)) for query in worst])  # noqa: T201
    assert mean(ours.values()) >= GATE, figures
    assert mean(ours.values()) > mean(theirs.values()) + 0.1, figures


def test_titles_alone_rank_nearly_as_well(real: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """As where very many are found: every judged query taken for a broad one; and its pages go on
    in the same order."""
    monkeypatch.setattr(breadth, "LARGE", 0)
    monkeypatch.setattr(search, "BROAD", -1)
    queries = judged_queries()
    found = mean(ndcg(ranked(real, query), grades) for query, grades in queries.items())
    print(f"par les titres seuls {found:.3f}")  # noqa: T201
    assert found >= BY_TITLES
    whole = real.ask(q="rénovation énergétique", size=40, facets="none")["items"]
    first = real.ask(q="rénovation énergétique", size=15, facets="none")
    monkeypatch.setattr(search, "BROAD", 10_000)  # what is decided for the first holds for all
    pages = [*first["items"]]
    following = first["next"]
    while len(pages) < len(whole):
        page = real.ask(q="rénovation énergétique", size=15, facets="none", cursor=following)
        pages += page["items"]
        following = page["next"]
    assert [one["id"] for one in pages][: len(whole)] == [one["id"] for one in whole]


@pytest.mark.parametrize(
    "filters", [{}, {"status": "awarded"}, {"territory": "reg:93", "kind": "call"}]
)
def test_what_is_asked_in_two_parts_is_counted_as_in_one(
    real: Service, monkeypatch: pytest.MonkeyPatch, filters: dict[str, str]
) -> None:
    """Broad searches with facets: totals and counts of the whole, results of the first part."""
    asked = {"q": "travaux voirie", "size": 15, **filters}
    usual = real.ask(**asked, facets="kind,status,theme,territory,cpv")
    monkeypatch.setattr(breadth, "LARGE", 0)
    monkeypatch.setattr(search, "BROAD", -1)
    parts = real.ask(**asked, facets="kind,status,theme,territory,cpv")
    assert parts["total"] == usual["total"]
    assert parts["total"]["value"] > 0
    assert parts["facets"] == usual["facets"]
    titles = real.ask(**asked, facets="none")
    assert [one["id"] for one in parts["items"]] == [one["id"] for one in titles["items"]]
    assert bool(parts["next"]) == bool(titles["next"])


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("renovation energetique ecoles", "rénovation énergétique d'une école"),
        ("l'éclairage public", "éclairage public"),
        ("franche comté", "Franche-Comté"),
        ("FRANCHE COMTE", "franche-comté"),
        ("vidéosurveillance des massifs", "vidéo surveillance des massifs"),
        (
            "plan climat air energie territorial loutre",
            "Plan Climat Air-Énergie Territorial loutre",
        ),
    ],
)
def test_what_does_not_matter_changes_nothing(real: Service, one: str, other: str) -> None:
    """Accents, case, plurals, elisions, hyphens and small words: the same first ten."""
    assert set(ranked(real, one)) == set(ranked(real, other)) > set()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("vidéosurveillance", "vidéoprotection"),
        ("bornes de recharge", "IRVE"),
        ("salle multisport", "gymnase"),
        ("PCAET", "plan climat air énergie territorial"),
    ],
)
def test_words_of_the_trade_find_the_same(real: Service, one: str, other: str) -> None:
    """Whoever types one word finds all that the other finds."""

    def found(query: str) -> set[str]:
        export = real.client.get("/v1/opportunities.ndjson", params={"q": query})
        return {json.loads(line)["id"] for line in export.text.splitlines()}

    assert found(one) >= found(other) > set()


@pytest.mark.parametrize(
    "query", ["vaisseau spatial koala", "zyzzyva", "kjhgf qsdfg", '"organisateur"', "🦄 ?"]
)
def test_nonsense_finds_nothing(real: Service, query: str) -> None:
    """And the answer says why; an exact form is not its stem."""
    answer = real.ask(q=query)
    assert answer["total"]["value"] == 0
    assert answer["diagnosis"]["sentence"].endswith(".")


def _texts(service: Service, query: str) -> list[str]:
    items = service.ask(q=query, size=SHOWN, facets="none")["items"]
    found = []
    for item in items:
        detail = service.client.get(f"/v1/opportunities/{item['id']}").json()
        found.append(f"{detail['title']} {detail.get('description', '')}".lower())
    return found


def test_words_of_one_stem_but_another_sense_stay_apart(real: Service) -> None:
    """`précarité` is no `répartition`; of the hundred that say collecte and déchets, most of the
    first ones do so in their texts and not only in the label of their CPV code."""
    poverty = _texts(real, "précarité")
    assert poverty and all("carit" in text for text in poverty)
    waste = _texts(real, "collecte des déchets")
    assert len(waste) == SHOWN
    said = [text for text in waste if "collect" in text and re.search("d[ée]chet", text)]
    assert len(said) >= 35


def test_a_typo_is_corrected_openly_and_one_can_insist(real: Service) -> None:
    """« Résultats pour vidéosurveillance »; `as_typed` searches the text as it stands."""
    answer = real.ask(q="vidéosurvaillance")
    assert answer["correction"] == "vidéosurveillance"
    assert answer["total"]["value"] > 0
    insisted = real.ask(q="vidéosurvaillance", as_typed=True)
    assert (insisted["correction"], insisted["total"]["value"]) == (None, 0)


def test_a_word_written_joined_or_apart_is_the_same(real: Service) -> None:
    """franchecomté is franche comté, said as a correction; « skate park » is skatepark."""
    answer = real.ask(q="franchecomté")
    assert answer["correction"] == "franche comté"
    assert ranked(real, "skate park")[:5] and set(ranked(real, "skate park")) == set(
        ranked(real, "skatepark")
    )
