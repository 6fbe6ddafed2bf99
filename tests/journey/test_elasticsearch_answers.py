"""What Elasticsearch may answer to a bulk, and what comes of it: nothing is ever lost."""

import re
from collections.abc import Iterator

import orjson
import pytest
from elasticsearch import Elasticsearch

from tests.engines import RunningEngines
from tests.journey.harness import Journey, Worker, sent, until
from tests.journey.proxy import Answer, Proxy, proxying
from tests.signing import CCI
from tests.stream_processors.factory import call_data, event
from traverse_producers.receipts.desk import Desk
from traverse_producers.receipts.follow import Follower
from traverse_schemas.documents.index_mapping import PUBLIC_ALIAS
from traverse_schemas.log.receipts import SIREN_HEADER

pytestmark = pytest.mark.engines

EXIT_STOPPED = 70
_PAUSE = re.compile(r"nouvel essai dans ([0-9.]+) s")


@pytest.fixture(scope="module")
def proxy(engines: RunningEngines) -> Iterator[Proxy]:
    """Between the workers and the real Elasticsearch."""
    with proxying(engines.elasticsearch) as one:
        yield one


@pytest.fixture(scope="module")
def through(
    engines: RunningEngines, proxy: Proxy, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Journey]:
    """A journey whose workers speak to Elasticsearch through the proxy; they are at work."""
    home = tmp_path_factory.mktemp("through") / "home"
    one = Journey(engines.kafka, engines.elasticsearch, home, workers_elasticsearch=proxy.url)
    one.begin()
    one.start()
    yield one
    one.stop()


@pytest.fixture(autouse=True)
def passing(proxy: Proxy) -> None:
    """Each test begins with a proxy that passes everything on."""
    proxy.instead = lambda _: None
    proxy.bulks.clear()


def index_of(journey: Journey) -> Worker:
    """The index step at work."""
    return next(worker for worker in journey.workers if worker.step == "index")


def pauses(words: str) -> list[float]:
    return [float(found) for found in _PAUSE.findall(words)]


@pytest.mark.parametrize(
    "busy",
    [
        Answer(429),
        Answer(503),
        Answer(502, b"<html><h1>Bad Gateway</h1></html>", "text/html"),
    ],
    ids=["429", "503", "a gateway's page"],
)
def test_a_busy_engine_is_asked_again_with_growing_pauses(
    through: Journey, proxy: Proxy, busy: Answer
) -> None:
    before = len(pauses(index_of(through).words))
    proxy.instead = lambda _: busy if len(proxy.bulks) <= 3 else None
    whole = event(id=f"busy-{before}", subject=f"BUSY-{before}")
    through.publish(whole)
    assert through.document(whole) is not None
    waited = pauses(index_of(through).words)[before:]
    assert len(waited) == 3
    assert waited[-1] > waited[0]
    assert through.rejections() == []


def test_items_that_are_refused_for_a_moment_are_sent_again_alone(
    through: Journey, proxy: Proxy
) -> None:
    """The first items of a bulk get a 429, the others are done: only the first come again."""
    numbers = range(40)
    messages = [sent(event(id=f"m-{n}", subject=f"MOMENT-{n}")) for n in numbers]
    together = [one for one in messages if one.partition == 0]  # in one bulk
    sent_ids: list[list[str]] = []

    def first_are_busy(body: bytes) -> Answer | None:
        ids = [orjson.loads(line)["index"]["_id"] for line in body.splitlines()[::2]]
        sent_ids.append(ids)
        if len(sent_ids) > 1:
            return None
        items = [{"index": {"status": 429 if n < 2 else 201}} for n in range(len(ids))]
        return Answer(200, orjson.dumps({"errors": True, "items": items}))

    proxy.instead = first_are_busy
    through.stop_step("index")
    through.send(together)
    until(lambda: not through.lag("traverse-validate"), "validating")
    through.start("index")
    through.settle()
    assert len(sent_ids[0]) == len(together) > 2
    assert sent_ids[1:] == [sent_ids[0][:2]]


def test_a_document_that_is_refused_is_rejected_alone(through: Journey) -> None:
    """The index takes no such field, as one that another version made: its batch goes on. Its
    institution sees its event as it sent it; replayed when the index is mended, it is there."""
    good = [event(id=f"d-{n}", subject=f"BATCH-{n}") for n in range(5)]
    bad = event(id="d-bad", subject="BATCH-BAD", data=call_data(notified="2026-01-31"))
    with through.client() as client:
        name = next(iter(client.indices.get_alias(name=PUBLIC_ALIAS)))
        mappings = client.indices.get(index=name)[name]["mappings"]
        mappings["properties"]["notified"] = {"type": "boolean"}
        other = f"{name}-other"
        client.indices.create(index=other, mappings=mappings)
        point(client, name, other)
        try:
            through.publish(*good[:3], bad, *good[3:])
            assert all(through.document(whole) for whole in good)
            assert through.document(bad) is None
        finally:
            point(client, other, name)
            client.indices.delete(index=other)
    (refused,) = through.rejections()
    assert refused.headers["reason"] == b"document_refused"
    assert orjson.loads(refused.value or b"") == bad
    assert refused.headers[SIREN_HEADER] == CCI.encode()
    assert refused.headers["sentence"].decode().startswith("Elasticsearch refuse le document")
    follower = Follower(through.kafka, through.home)
    follower.catch_up()
    desk = Desk(follower, through.kafka)
    (item,) = desk.rejections(CCI, None, 10)["items"]
    assert (item["event_id"], item["reason"]) == ("d-bad", "document_refused")
    through.publish(orjson.loads(desk.replay(CCI, item["id"], None).octets))
    assert through.document(bad) is not None


def point(client: Elasticsearch, before: str, after: str) -> None:
    """Let the public alias lead to another index, at once."""
    client.indices.update_aliases(
        actions=[
            {"remove": {"index": before, "alias": PUBLIC_ALIAS}},
            {"add": {"index": after, "alias": PUBLIC_ALIAS, "is_write_index": True}},
        ]
    )


def test_what_no_waiting_mends_stops_the_step_with_a_sentence(
    through: Journey, proxy: Proxy
) -> None:
    """Not allowed: nothing is acknowledged; mended and started again, all is there."""
    whole = event(id="stopped", subject="STOPPED")
    proxy.instead = lambda _: Answer(403)
    index = index_of(through)
    through.send([sent(whole)])
    assert index.left() == EXIT_STOPPED
    assert "(réponse 403)" in index.words.strip().splitlines()[-1]
    assert "Traceback" not in index.words
    assert through.lag("traverse-index") > 0
    proxy.instead = lambda _: None
    through.workers.remove(index)
    through.start("index")
    through.settle()
    assert through.document(whole) is not None


def test_an_alias_that_is_gone_stops_the_step_until_it_is_made_again(through: Journey) -> None:
    """Without `require_alias` Elasticsearch would make an index of that name by itself."""
    index = index_of(through)
    whole = event(id="a-2", subject="ALIAS-2")
    with through.client() as client:
        name = next(iter(client.indices.get_alias(name=PUBLIC_ALIAS)))
        client.indices.delete_alias(index=name, name=PUBLIC_ALIAS)
        through.send([sent(whole)])
        assert index.left() == EXIT_STOPPED
        assert f"L'index {PUBLIC_ALIAS} n'est plus dans Elasticsearch" in index.words
        assert not client.indices.exists(index=PUBLIC_ALIAS)
        client.indices.put_alias(index=name, name=PUBLIC_ALIAS, is_write_index=True)
    through.workers.remove(index)
    through.start("index")
    through.settle()
    assert through.document(whole) is not None


def test_a_batch_of_large_documents_is_sent_in_requests_that_the_engine_takes(
    through: Journey, proxy: Proxy
) -> None:
    """Elasticsearch refuses a request of 100 MB for good, and a batch can hold more."""
    lots = [{"number": str(number), "description": "x" * 50_000} for number in range(9)]
    events = [
        event(id=f"l-{n}", subject=f"LARGE-{n}", data=call_data(lots=lots)) for n in range(40)
    ]
    through.stop_step("index")
    through.send([sent(whole) for whole in events])
    until(lambda: not through.lag("traverse-validate"), "validating")
    through.start("index")
    through.settle()
    assert max(map(len, proxy.bulks)) < 9 * 1024 * 1024
    assert all(through.document(whole) for whole in events)
