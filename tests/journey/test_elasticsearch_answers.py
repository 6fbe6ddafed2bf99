"""What Elasticsearch may answer to a bulk, and what comes of it: nothing is ever lost."""

import re
from collections.abc import Iterator

import orjson
import pytest

from tests.journey.harness import Journey, sent, until
from tests.journey.proxy import Answer, Proxy, proxying
from tests.stream_processors.factory import call_data, event
from traverse_schemas.index_mapping import PUBLIC_ALIAS
from traverse_schemas.topics import REJECTED

pytestmark = pytest.mark.engines

EXIT_STOPPED = 70
_PAUSE = re.compile(r"nouvel essai dans ([0-9.]+) s")


@pytest.fixture
def proxy(journey: Journey) -> Iterator[Proxy]:
    """Between the workers and the real Elasticsearch."""
    with proxying(journey.elasticsearch) as one:
        yield one


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
    journey: Journey, proxy: Proxy, busy: Answer
) -> None:
    proxy.instead = lambda _: busy if len(proxy.bulks) <= 4 else None
    whole = event(subject="BUSY")
    index = journey.start("validate", "index", elasticsearch=proxy.url)[1]
    journey.publish(whole)
    assert journey.document(whole) is not None
    waited = pauses(index.words)
    assert len(waited) == 4
    assert waited[-1] > waited[0]
    assert journey.rejections() == []


def test_items_that_are_refused_for_a_moment_are_sent_again_alone(
    journey: Journey, proxy: Proxy
) -> None:
    """One item of the bulk gets a 429, the others are done: only that one comes again."""
    events = [event(id=f"m-{n}", subject=f"MOMENT-{n}") for n in range(5)]

    def first_item_busy(body: bytes) -> Answer | None:
        if len(proxy.bulks) > 1:
            return None
        count = len(body.splitlines()) // 2
        items = [{"index": {"status": 429 if n < count else 201}} for n in range(count)]
        return Answer(200, orjson.dumps({"errors": True, "items": items}))

    proxy.instead = first_item_busy
    journey.send([sent(whole) for whole in events])
    journey.start(elasticsearch=proxy.url)
    journey.settle()
    assert all(journey.document(whole) for whole in events)


def test_a_document_that_is_refused_is_rejected_alone(journey: Journey) -> None:
    """A date that no calendar has passes the record's schema of an older index: the strict mapping
    refuses it; its batch goes on."""
    good = [event(id=f"d-{n}", subject=f"BATCH-{n}") for n in range(5)]
    bad = event(id="d-bad", subject="BATCH-BAD", data=call_data(notified="2026-01-31"))
    with journey.client() as client:
        # An index whose mapping takes no such field, as one that another version made.
        name = next(iter(client.indices.get_alias(name=PUBLIC_ALIAS)))
        before = client.indices.get(index=name)[name]
        mappings = before["mappings"]
        mappings["properties"]["notified"] = {"type": "boolean"}
        client.indices.delete(index=name)
        client.indices.create(
            index=name, mappings=mappings, aliases={PUBLIC_ALIAS: {"is_write_index": True}}
        )
    journey.send([sent(whole) for whole in (*good[:3], bad, *good[3:])])
    journey.start()
    journey.settle()
    assert all(journey.document(whole) for whole in good)
    assert journey.document(bad) is None
    (refused,) = journey.read(REJECTED)
    assert refused.headers["reason"] == b"document_refused"
    assert orjson.loads(refused.value or b"")["notified"] == "2026-01-31"
    assert refused.headers["sentence"].decode().startswith("Elasticsearch refuse le document")


@pytest.mark.parametrize("status", [401, 403, 404])
def test_what_no_waiting_mends_stops_the_step_with_a_sentence(
    journey: Journey, proxy: Proxy, status: int
) -> None:
    """Nothing is acknowledged; once it is mended and the step started again, all is there."""
    whole = event(subject="STOPPED")
    proxy.instead = lambda _: Answer(status)
    _, index = journey.start("validate", "index", elasticsearch=proxy.url)
    journey.send([sent(whole)])
    assert index.left() == EXIT_STOPPED
    last = index.words.strip().splitlines()[-1]
    assert "« traverse work »" in last
    assert "Traceback" not in index.words
    proxy.instead = lambda _: None
    journey.workers.remove(index)
    journey.start("index", elasticsearch=proxy.url)
    journey.settle()
    assert journey.document(whole) is not None


def test_an_alias_that_is_gone_stops_the_step_until_it_is_made_again(journey: Journey) -> None:
    """Without `require_alias` Elasticsearch would make an index of that name by itself."""
    _, index = journey.start()
    first, second = event(id="a-1", subject="ALIAS-1"), event(id="a-2", subject="ALIAS-2")
    journey.publish(first)
    with journey.client() as client:
        name = next(iter(client.indices.get_alias(name=PUBLIC_ALIAS)))
        client.indices.delete_alias(index=name, name=PUBLIC_ALIAS)
        journey.send([sent(second)])
        assert index.left() == EXIT_STOPPED
        assert f"L'index {PUBLIC_ALIAS} n'existe pas" in index.words
        assert not client.indices.exists(index=PUBLIC_ALIAS)
        client.indices.put_alias(index=name, name=PUBLIC_ALIAS, is_write_index=True)
    journey.workers.remove(index)
    journey.up()
    journey.start("index")
    journey.settle()
    assert journey.document(first) is not None
    assert journey.document(second) is not None


def test_a_batch_of_large_documents_is_sent_in_requests_that_the_engine_takes(
    journey: Journey, proxy: Proxy
) -> None:
    """Elasticsearch refuses a request of 100 MB for good; a batch can hold more."""
    lots = [{"number": str(number), "description": "x" * 50_000} for number in range(9)]
    events = [
        event(id=f"l-{n}", subject=f"LARGE-{n}", data=call_data(lots=lots)) for n in range(60)
    ]
    journey.send([sent(whole) for whole in events])
    journey.start("validate")
    until(lambda: not journey.lag("traverse-validate"), "validate done")
    journey.start("index", elasticsearch=proxy.url)
    journey.settle()
    assert max(map(len, proxy.bulks)) < 16 * 1024 * 1024
    assert all(journey.document(whole) for whole in events)
