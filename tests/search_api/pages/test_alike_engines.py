"""What is shown beside a need that is read over: needs around its place that may be the same."""

from datetime import datetime

import pytest

from tests.documents import document
from tests.search_api.conftest import AS_OF, Service
from traverse_schemas.reference.territories import Territories
from traverse_search_api.pages.need.alike import alike_titles, waiting_around

pytestmark = pytest.mark.engines

TABLES = Territories.load()
NOW = datetime.fromisoformat(AS_OF)
AIX = "com:13001"


@pytest.fixture(scope="module")
def filled(service: Service) -> Service:
    need = {"kind": "need", "subtype": "purchase"}
    service.add(
        document("stades", "Défibrillateurs pour les stades et marchés", place=[AIX], **need),
        document("departement", "Défibrillateurs des gymnases", place=["dep:13"], **need),
        document("gap", "Défibrillateurs du gymnase", place=["com:05061"], **need),
        document("var", "Défibrillateurs du gymnase", place=["dep:83"], **need),
        document("projet", "Défibrillateurs du gymnase", place=[AIX], kind="project"),
        document("ecoles", "Nettoyage des écoles et des crèches", place=[AIX], **need),
    )
    return service


def alike(service: Service, title: str) -> list[str]:
    """The subjects of what is shown beside a need of Aix, in order."""
    query = {
        "bool": {"must": [alike_titles(title)], "filter": waiting_around(AIX, NOW, TABLES)},
    }
    found = service.elasticsearch.search(index=service.index, query=query)
    return [hit["_source"]["sources"][0]["subject"] for hit in found["hits"]["hits"]]


def test_one_word_in_two_is_enough_and_the_departments_need_counts(filled: Service) -> None:
    assert alike(filled, "Défibrillateur pour le gymnase") == ["departement", "stades"]


def test_of_more_words_two_in_three_are_asked(filled: Service) -> None:
    assert alike(filled, "Nettoyage des crèches municipales") == ["ecoles"]
    assert alike(filled, "Peinture des crèches municipales") == []
