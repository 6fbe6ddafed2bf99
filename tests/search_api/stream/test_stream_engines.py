"""Streams over a real Kafka and a real Elasticsearch, through a real HTTP server."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Iterator
from datetime import datetime
from typing import Any

import httpx
import pytest

from tests.documents import document, stub
from tests.engines import RunningEngines
from tests.search_api.stream.flow import (
    AS_OF,
    CCI,
    PATIENCE,
    REGISTRY,
    TOWN,
    Flow,
    Reader,
    as_member,
    flowing,
    served,
)
from traverse_infra.engines.waiting import wait_until
from traverse_schemas.clock import clock_from
from traverse_schemas.documents.document import INDICES
from traverse_schemas.reference.territories import Territories
from traverse_search_api.access.reader import ANYBODY
from traverse_search_api.changes.change_log import ChangeLog
from traverse_search_api.changes.position import decode, encode
from traverse_search_api.engines.elasticsearch_client import Indices, connect
from traverse_search_api.matching.searches import Search, Searches
from traverse_search_api.metrics import Metrics
from traverse_search_api.parameters import SearchParameters
from traverse_search_api.settings import SearchSettings
from traverse_search_api.stream.hub import Hub, StreamLimits
from traverse_search_api.stream.message import Message, Refused
from traverse_search_api.words.synonym_book import SynonymBook

pytestmark = pytest.mark.engines


@pytest.fixture(scope="module")
def flow(engines: RunningEngines) -> Iterator[Flow]:
    with flowing(engines) as made:
        yield made


def test_a_stream_tells_what_its_search_would_find(flow: Flow) -> None:
    with (
        Reader(flow.address, {"q": "voirie"}) as roads,
        Reader(flow.address, {"territory": "dep:83"}) as var,
    ):
        flow.write(document("s1", "Réfection de la voirie"))
        flow.write(document("s2", "Cantine scolaire"))
        flow.write(document("s3", "Entretien des voiries", place=["com:83137"]), partition=1)
        assert sorted(roads.titles(2)) == ["Entretien des voiries", "Réfection de la voirie"]
        assert var.titles(1) == ["Entretien des voiries"]


def test_a_stream_tells_what_its_reader_may_read_until_the_key_is_revoked(flow: Flow) -> None:
    """Of what is for others neither the coming nor the going."""
    asked = {"q": "patinoire"}
    with (
        Reader(flow.address, asked) as anybody,
        Reader(flow.address, asked, as_member(CCI)) as chamber,
        Reader(flow.address, asked, as_member(TOWN)) as town,
    ):
        shared = document("pa1", "Patinoire partagée", visibility="members")
        bought = document("pa2", "Patinoire achetée", visibility="buyers")
        named = document("pa3", "Patinoire confiée", visibility="restricted", audience=[TOWN])
        other = document("pa4", "Patinoire d’ailleurs", visibility="restricted", audience=["1"])
        for one in (other, named, bought, shared):
            flow.write(one, held=one["visibility"])
        # Of several changes of a document that come at once the last is told: one after the other.
        assert town.titles(3) == ["Patinoire confiée", "Patinoire achetée", "Patinoire partagée"]
        flow.move(bought | {"visibility": "members"}, held="members", left="buyers")
        assert chamber.titles(2) == ["Patinoire partagée", "Patinoire achetée"]
        assert town.titles(4)[3] == "Patinoire achetée"
        flow.move(shared | {"visibility": "buyers"}, held="buyers", left="members")
        assert town.titles(5)[4] == "Patinoire partagée"
        for one in (other, named):
            flow.write({"id": one["id"], "stub": True}, held="restricted")
        flow.write(document("pa5", "Patinoire ouverte"))
        assert town.titles(7)[5:] == [named["id"], "Patinoire ouverte"]
        assert chamber.titles(4)[2:] == [shared["id"], "Patinoire ouverte"]
        assert anybody.titles(1) == ["Patinoire ouverte"]
        REGISTRY.rows[TOWN] = REGISTRY.rows[TOWN].model_copy(
            update={"revoked_at": datetime.fromisoformat(AS_OF)}
        )
        flow.write(document("pa6", "Patinoire fermée"))
        assert wait_until(lambda: not town.open, timeout=PATIENCE)
        assert [one["event"] for one in town.lines[7:]] == ["refused"]
        assert "position" not in town.lines[7] and "clé" in town.lines[7]["data"]["detail"]
        assert anybody.titles(2)[1] == chamber.titles(5)[4] == "Patinoire fermée"
    refused = httpx.get(f"{flow.address}/v1/stream", params=asked, headers=as_member(TOWN))
    assert refused.status_code == 401
    # A position is a place in the log: whoever brings another's is told what is for them.
    with Reader(flow.address, asked, {"last-event-id": town.lines[0]["position"]}) as stranger:
        flow.write(document("pa7", "Patinoire rouverte"))
        told = ["Patinoire ouverte", "Patinoire fermée", "Patinoire rouverte"]
        assert stranger.titles(3) == told
        assert len(stranger.lines) == 3


def test_a_red_index_is_said_at_once_and_streams_go_on_after_it_without_a_gap(flow: Flow) -> None:
    """Nothing is restarted: what was told meanwhile comes when the index is back."""
    first, last = document("r1", "Passerelle 1"), document("r2", "Passerelle 2")
    asked = {"q": "passerelle"}
    with Reader(flow.address, asked) as reader:
        flow.write(first)
        assert reader.titles(1) == ["Passerelle 1"]
        flow.put(last)
        with flow.red():
            flow.tell(last["id"])
            begun = time.monotonic()
            paths = (
                "v1/opportunities?q=x", f"v1/opportunities/{first['id']}", "readyz",
                "v1/opportunities.csv", "v1/opportunities/map", "v1/suggest?q=pas",
            )  # fmt: skip
            answers = {
                path: httpx.get(f"{flow.address}/{path}", timeout=PATIENCE) for path in paths
            }
            assert {path: one.status_code for path, one in answers.items()} == dict.fromkeys(
                paths, 503
            )
            assert all(int(one.headers["retry-after"]) > 0 for one in answers.values())
            # Two seconds each on a calm machine; the timeouts of a search are ten.
            assert time.monotonic() - begun < 30
            place = reader.lines[0]["position"]
            with Reader(flow.address, asked, {"last-event-id": place}) as again:
                assert again.open
        with Reader(flow.address, asked, {"last-event-id": place}) as again:
            assert again.titles(1) == reader.titles(2)[1:] == ["Passerelle 2"]
        assert wait_until(
            lambda: httpx.get(f"{flow.address}/readyz", timeout=PATIENCE).status_code == 200,
            timeout=PATIENCE,
        )
    assert [line["event"] for line in reader.lines] == ["opportunity", "opportunity"]


def test_who_breaks_off_goes_on_without_gap_or_repetition(flow: Flow) -> None:
    with Reader(flow.address, {"q": "piscine"}) as before:
        for number in range(3):
            flow.write(document(f"p{number}", f"Piscine {number}"))
        before.titles(3)
        place = before.lines[1]["position"]
    for number in range(3, 6):
        flow.write(document(f"p{number}", f"Piscine {number}"))
    with Reader(flow.address, {"q": "piscine"}, {"last-event-id": place}) as after:
        flow.write(document("p6", "Piscine 6"))
        assert after.titles(5) == [f"Piscine {number}" for number in range(2, 7)]


def test_another_process_goes_on_where_the_first_stopped(
    flow: Flow, engines: RunningEngines
) -> None:
    """Its memory is empty: it reads the log. Positions of one are good for the other."""
    key = "the same for both"
    settings = SearchSettings(
        elasticsearch=engines.elasticsearch, kafka=engines.kafka, cursor_key=key
    )
    with served(settings, flow.name) as first, Reader(first, {"q": "gymnase"}) as before:
        for number in range(2):
            flow.write(document(f"g{number}", f"Gymnase {number}"))
        before.titles(2)
        place = before.lines[0]["position"]
    flow.write(document("g2", "Gymnase 2"), partition=1)
    with (
        served(settings, flow.name) as second,
        Reader(second, {"q": "gymnase"}, {"last-event-id": place}) as after,
    ):
        assert sorted(after.titles(2)) == ["Gymnase 1", "Gymnase 2"]


def test_since_goes_back_to_a_moment(flow: Flow) -> None:
    """One before Kafka's own time is the beginning."""
    flow.write(document("m1", "Médiathèque"))
    for since in ("2020-01-01", "1950-01-01"):
        with Reader(flow.address, {"q": "médiathèque", "since": since}) as reader:
            assert reader.titles(1) == ["Médiathèque"]


def test_a_search_that_elasticsearch_refuses_ends_alone(
    flow: Flow, monkeypatch: pytest.MonkeyPatch
) -> None:
    asks = Searches.asks

    def asked(self: Searches, search: Search, now: datetime) -> dict[str, Any]:
        if search.parameters.q == '"pont levant"':
            return {"no_such_query": {}}
        return asks(self, search, now)

    monkeypatch.setattr(Searches, "asks", asked)
    with (
        Reader(flow.address, {"q": '"pont suspendu"'}) as good,
        Reader(flow.address, {"q": '"pont levant"'}) as refused,
    ):
        flow.write(document("p1", "Pont suspendu"))
        assert good.titles(1) == ["Pont suspendu"]
        # Judged here, a document without these words is none of its; of this one it must be asked.
        flow.write(document("p2", "Pont levant et pont suspendu"))
        assert good.titles(2) == ["Pont suspendu", "Pont levant et pont suspendu"]
        assert wait_until(lambda: not refused.open, timeout=PATIENCE)
        assert [one["event"] for one in refused.lines] == ["refused"]
        assert good.open


def test_a_withdrawal_is_told_and_a_private_document_is_not(flow: Flow) -> None:
    shown = document("w1", "Théâtre municipal")
    with Reader(flow.address, {"q": "théâtre"}) as reader:
        flow.tell("private-one", held="buyers")
        flow.write(shown)
        reader.titles(1)
        flow.write(stub("w1"))
        assert reader.titles(2) == ["Théâtre municipal", shown["id"]]
        assert reader.lines[1]["event"] == "gone"


def test_a_document_that_never_shows_holds_nothing_up_for_long(flow: Flow) -> None:
    with Reader(flow.address, {"q": "crèche"}) as reader:
        flow.version += 1
        flow.tell("refused-by-elasticsearch")
        flow.write(document("c1", "Crèche"))
        assert reader.titles(1) == ["Crèche"]


def test_server_sent_events_carry_the_position_as_their_id(flow: Flow) -> None:
    with httpx.stream(
        "GET", f"{flow.address}/v1/stream", params={"q": "aqueduc"}, timeout=PATIENCE
    ) as answer:
        assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
        lines = answer.iter_lines()
        assert next(lines) == ": battement"
        flow.write(document("a1", "Aqueduc"))
        said = [line for line in _until_data(lines) if line and not line.startswith(":")]
    assert [line.partition(":")[0] for line in said] == ["id", "event", "data"]


def _until_data(lines: Iterator[str]) -> Iterator[str]:
    for line in lines:
        yield line
        if line.startswith("data"):
            return


def test_a_forged_position_is_refused(flow: Flow) -> None:
    answer = httpx.get(f"{flow.address}/v1/stream", headers={"last-event-id": "forged"})
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_position_that_is_kept_no_more_is_answered_with_the_oldest_to_take_up(flow: Flow) -> None:
    """As after a week: the log begins later, and so does whoever goes on from what it still has."""
    asked = {"q": "belvédère"}
    with Reader(flow.address, asked) as reader:
        flow.write(document("b1", "Belvédère 1"))
        reader.titles(1)
        place = reader.lines[0]["position"]
    flow.write(document("b2", "Belvédère 2"))
    flow.write(document("b3", "Belvédère 3"), partition=1)
    flow.forget()
    headers = {"last-event-id": place}
    answer = httpx.get(f"{flow.address}/v1/stream", params=asked, headers=headers, timeout=PATIENCE)
    assert (answer.status_code, answer.json()["title"]) == (410, "Position expirée")
    oldest = {"last-event-id": answer.json()["oldest"]}
    with Reader(flow.address, asked, oldest) as reader:
        flow.write(document("b4", "Belvédère 4"))
        assert reader.titles(2) == ["Belvédère 3", "Belvédère 4"]


def test_a_position_that_expires_while_a_stream_catches_up_ends_it_with_the_oldest(
    flow: Flow,
) -> None:
    """Not heartbeats for ever, as for a log that is away: what it waits for will not come."""
    client = connect(flow.elasticsearch_address, 10)
    aliases = {index: f"{flow.name}-{index}" for index in INDICES}
    asked = SearchParameters(q="campanile")

    async def said() -> list[Message | Refused | None]:
        hub = Hub(
            live=ChangeLog(flow.kafka, flow.name), past=ChangeLog(flow.kafka, flow.name),
            indices=Indices(client, client, aliases), territories=Territories.load(),
            synonyms=SynonymBook(), clock=clock_from(AS_OF), key=b"key", metrics=Metrics(),
            limits=StreamLimits(heartbeat=0.01),
        )  # fmt: skip
        past = ChangeLog(flow.kafka, flow.name)
        place = encode(await past.end(), b"key")
        flow.write(document("k1", "Campanile 1"))
        flow.write(document("k2", "Campanile 2"))
        late = await hub.open(asked, ANYBODY, "192.0.2.1", last=place)
        # It begins to catch up when it is first read.
        flow.forget()
        heard = [each async for each in _bounded(late)]
        assert isinstance(heard[-1], Refused)
        assert heard[-1].oldest is not None
        oldest = decode(heard[-1].oldest, b"key", await past.end(), await past.beginning())
        assert oldest == await past.beginning()
        again = await hub.open(asked, ANYBODY, "192.0.2.1", last=heard[-1].oldest)
        flow.write(document("k3", "Campanile 3"))
        async for each in _bounded(again):
            if isinstance(each, Message):
                assert each.change.id == document("k3", "Campanile 3")["id"]
                break
        await hub.close()
        await past.close()
        await client.close()
        return heard

    assert asyncio.run(said())[0] is None


async def _bounded(told: AsyncIterator[Any]) -> AsyncIterator[Any]:
    """What a stream says, for as long as a test waits."""
    async with asyncio.timeout(PATIENCE):
        async for each in told:
            yield each


def test_one_address_may_open_so_many_streams_and_gets_them_back(flow: Flow) -> None:
    readers = [Reader(flow.address, {"q": f"mot{number}"}) for number in range(8)]
    for reader in readers:
        reader.__enter__()
    answer = httpx.get(f"{flow.address}/v1/stream")
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "2")
    for reader in readers:
        reader.__exit__()

    def opens() -> bool:
        with httpx.stream("GET", f"{flow.address}/v1/stream", timeout=PATIENCE) as answer:
            return answer.status_code == 200

    assert wait_until(opens, timeout=PATIENCE)


def test_without_kafka_the_stream_says_so_at_once(engines: RunningEngines) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        nobody = f"127.0.0.1:{closed.getsockname()[1]}"
    settings = SearchSettings(elasticsearch=engines.elasticsearch, kafka=nobody)
    with served(settings, "any") as address:
        answer = httpx.get(f"{address}/v1/stream", timeout=PATIENCE)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
