"""Several institutions tell of one thing: one opportunity, on the real engines."""

import time
from functools import partial
from typing import Any

import pytest
from elasticsearch import AsyncElasticsearch
from starlette.testclient import TestClient

from tests.journey.harness import Journey, sent, until
from tests.journey.traces import Traces
from tests.stream_processors.factory import CCI, call_data, event
from traverse_schemas.documents.index_mapping import PUBLIC_ALIAS
from traverse_schemas.log.identity import opportunity_id
from traverse_schemas.log.receipts import End
from traverse_search_api.app import create_app
from traverse_search_api.settings import SearchSettings

pytestmark = pytest.mark.engines

OWNER = "urn:siren:211300405"
SOON = 5.0
"""Seconds in which what two institutions publish together is one opportunity in the search."""


def pair(number: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """One call, told in the same second by its owner and by the chamber."""
    data = {
        "title": f"Réfection du pont n° {number} sur la Durance",
        "deadlines": [{"at": f"2027-02-{number:02}T12:00"}],
        "url": f"https://exemple.fr/ponts/{number}",
    }
    time = "2026-11-20T10:00:00Z"
    own = event(id=f"o-{number}", source=OWNER, subject=f"2026-PONT-{number:03}", time=time,
                data=call_data(**data))  # fmt: skip
    relayed = event(id=f"r-{number}", source=f"{CCI}:boamp", subject=f"26-{112200 + number}",
                    time=time, data=call_data(**data, description=None))  # fmt: skip
    return own, relayed


def said(word: str, number: int, source: str = OWNER, day: int = 21) -> dict[str, Any]:
    own, relayed = pair(number)
    records = [{name: one[name] for name in ("source", "subject")} for one in (own, relayed)]
    return event(word, kind="link", id=f"{word}-{number}-{source}-{day}", source=source,
                 subject=f"D-{number}", time=f"2026-11-{day}T10:00:00Z",
                 data={"records": records})  # fmt: skip


def ids(number: int) -> tuple[str, str]:
    """The id that the two records have together, and the one that leads to it."""
    first, second = sorted(opportunity_id(one["source"], one["subject"]) for one in pair(number))
    return first, second


def found(journey: Journey, number: int) -> list[dict[str, Any]]:
    documents = (journey.document(one) for one in pair(number))
    return [one for one in documents if one is not None and not one["stub"]]


def test_one_call_of_two_institutions_is_one_opportunity(flowing: Journey) -> None:
    flowing.publish(*pair(1))
    (one,) = found(flowing, 1)
    head, other = ids(1)
    assert one["id"] == head
    assert {source["source"] for source in one["sources"]} == {OWNER, f"{CCI}:boamp"}
    assert one["provenance"]["description"]["source"] == OWNER
    assert one["merged"][0]["reason"].startswith("Même dossier")
    client = AsyncElasticsearch(flowing.elasticsearch)
    with TestClient(create_app(SearchSettings(), client=client)) as http:
        answer = http.get(f"/v1/opportunities/{other}?as_of=2026-11-26", follow_redirects=False)
        assert answer.status_code == 301
        assert answer.headers["location"] == f"/v1/opportunities/{head}?as_of=2026-11-26"
        assert http.get(f"/v1/opportunities/{other}").json()["id"] == head


def test_published_by_two_institutions_in_one_second_it_is_soon_one(flowing: Journey) -> None:
    """Two publishers that know nothing of one another; one opportunity, in the search, within
    5 s. The times are printed, and the least of three counts: the machine may be loaded."""

    def one_of_both(number: int) -> bool:
        with flowing.client() as client:
            query = {"terms": {"id": ids(number)}}
            hits = client.search(index=PUBLIC_ALIAS, query=query)["hits"]["hits"]
        shown = [hit["_source"] for hit in hits if not hit["_source"]["stub"]]
        return [len(document["sources"]) for document in shown] == [2]

    spent = []
    for number in (4, 5, 6):
        own, relayed = pair(number)
        started = time.monotonic()
        flowing.send([sent(own)])
        flowing.send([sent(relayed)])
        until(partial(one_of_both, number), "one opportunity of two records")
        spent.append(time.monotonic() - started)
    print(f"\none opportunity of two institutions after {spent} s")  # noqa: T201
    assert min(spent) < SOON


def test_a_contested_merge_is_undone_and_the_old_ids_come_back(flowing: Journey) -> None:
    flowing.publish(*pair(2))
    word = said("not_same", 2)
    flowing.publish(word)
    assert Traces(flowing).end(OWNER, word["id"]) == End.COUNTED
    assert {one["id"] for one in found(flowing, 2)} == set(ids(2))
    flowing.publish(said("withdrawn", 2, day=22))
    assert [one["id"] for one in found(flowing, 2)] == [ids(2)[0]]


def test_a_withdrawn_member_leaves_the_others(flowing: Journey) -> None:
    own, relayed = pair(3)
    flowing.publish(own, relayed)
    flowing.publish({**own, "id": "o-3-w", "type": "fr.traverse.call.withdrawn.v1",
                     "time": "2026-11-21T10:00:00Z", "data": {"reason": "error"}})  # fmt: skip
    (one,) = found(flowing, 3)
    assert one["id"] == opportunity_id(relayed["source"], relayed["subject"])
    assert [source["source"] for source in one["sources"]] == [relayed["source"]]
