"""Pages on a real Elasticsearch: no repeat and no hole while documents arrive and change."""

import orjson
import pytest

from tests.documents import document
from tests.search_api.conftest import CURSOR_KEY, Service
from traverse_search_api.access.sealed import unseal

pytestmark = pytest.mark.engines

COUNT = 23


def school(number: int, title: str = "Rénovation d'école") -> dict[str, object]:
    words = "école " * (number % 5)
    return document(
        f"s{number}",
        f"{title} {words}",
        amount=float(number % 7),
        published_at=f"2026-02-{number % 20 + 1:02}T00:00:00.000000Z",
    )


@pytest.fixture(scope="module", autouse=True)
def _documents(service: Service) -> None:
    service.add(*(school(number) for number in range(COUNT)))


@pytest.mark.parametrize("sort", ["relevance", "published", "amount", "deadline"])
def test_pages_neither_repeat_nor_miss_while_documents_arrive(service: Service, sort: str) -> None:
    """Between pages: better ones arrive, which shifts every score, and shown ones are updated.
    What comes before somebody turns to the second page is shown; what comes later is not."""
    before = {one["id"] for one in service.ask(q="école", size=100)["items"]}
    seen: list[str] = []
    cursor = ""
    for page in range(100):
        if page == 1:
            before = {one["id"] for one in service.ask(q="école", size=100)["items"]}
        answer = service.ask(q="école", size=4, sort=sort, cursor=cursor)
        seen += [item["id"] for item in answer["items"]]
        assert answer["total"] == {"value": len(before), "exact": True}
        arriving = 1000 + 10 * page + 100 * len(sort)
        if page < 3:
            service.add(
                *(school(arriving + extra, "École école école") for extra in range(3)),
                school(page % COUNT, "École mise à jour"),
            )
        if answer["next"] is None:
            break
        cursor = answer["next"]
    assert len(seen) == len(set(seen))
    assert set(seen) == before


def test_pages_are_the_whole_in_the_same_order(service: Service) -> None:
    """When nothing arrives, pages put together are one big page."""
    whole = [item["id"] for item in service.ask(q="école", size=100, sort="amount")["items"]]
    paged: list[str] = []
    cursor = ""
    while len(paged) < len(whole):
        answer = service.ask(q="école", size=7, sort="amount", cursor=cursor)
        paged += [item["id"] for item in answer["items"]]
        cursor = answer["next"] or ""
    assert paged[: len(whole)] == whole


@pytest.mark.parametrize("sort", ["relevance", "amount"])
def test_each_page_explains_its_items_where_it_is_asked_to(service: Service, sort: str) -> None:
    """As one big page explains them, whatever the pages before were asked for."""
    asked = {"q": "école", "sort": sort}
    whole = service.ask(**asked, size=100, explain=True)["items"]
    explained = {one["id"]: one["explanation"] for one in whole}
    assert all(one["text"] for one in explained.values())
    cursor = service.ask(**asked, size=4)["next"]
    for _ in range(2):
        answer = service.ask(**asked, size=4, explain=True, cursor=cursor)
        assert len(answer["items"]) == 4
        for item in answer["items"]:
            assert item["explanation"] == explained[item["id"]]
        cursor = answer["next"]
    plain = service.ask(**asked, size=4, cursor=cursor)["items"]
    assert plain and all("explanation" not in item for item in plain)


def test_a_cursor_of_another_search_is_refused(service: Service) -> None:
    """Its place means nothing there."""
    cursor = service.ask(q="école", size=4)["next"]
    answer = service.client.get("/v1/opportunities", params={"q": "mairie", "cursor": cursor})
    assert answer.status_code == 400
    assert "autre recherche" in answer.json()["detail"]


def test_a_cursor_whose_snapshot_is_gone_is_a_410(service: Service) -> None:
    """The sentence says to search again."""
    first = service.ask(q="école", size=4)["next"]
    cursor = service.ask(q="école", size=4, cursor=first)["next"]
    service.elasticsearch.close_point_in_time(id=snapshot_of(cursor))
    answer = service.client.get(
        "/v1/opportunities", params={"q": "école", "size": 4, "cursor": cursor}
    )
    assert answer.status_code == 410
    assert "a expiré" in answer.json()["detail"]


def test_who_does_not_turn_the_page_leaves_no_snapshot_behind(service: Service) -> None:
    """They hold memory in Elasticsearch, and each is a question more."""

    def contexts() -> int:
        stats = service.elasticsearch.nodes.stats(metric="indices", index_metric="search")
        return sum(one["indices"]["search"]["open_contexts"] for one in stats["nodes"].values())

    before = contexts()
    for _ in range(5):
        service.add(school(999))
        assert service.ask(q="école", size=4)["next"] is not None
    assert contexts() == before


def snapshot_of(cursor: str) -> str:
    """The point in time that a cursor names."""
    payload = unseal(cursor, CURSOR_KEY.encode(), b"cursor")
    return str(orjson.loads(payload or b"")["snapshot"])
