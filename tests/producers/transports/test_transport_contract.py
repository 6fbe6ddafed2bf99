"""What every transport promises: the same suite on memory, on disk, over HTTP and on Kafka."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from typing import NamedTuple

import pytest
from kafka import KafkaConsumer, TopicPartition

from tests.engines import RunningEngines
from tests.producers.gateway.serving import KEY, NOW
from tests.producers.http_gateways import real_gateway, scripted_gateway
from tests.producers.memory_transport import MemoryTransport
from tests.stream_processors.factory import CCI, call_data, event
from traverse_infra.log.topics import apply_topics
from traverse_producers.errors import PublishError
from traverse_producers.gateway.journal import Journal
from traverse_producers.gateway.kafka_log import KafkaLog
from traverse_producers.outbox.outbox import Outbox
from traverse_producers.publisher import Publisher
from traverse_producers.transports.contract import Transport
from traverse_producers.transports.http import HttpTransport
from traverse_producers.transports.kafka import KafkaTransport
from traverse_schemas.clock import FixedClock
from traverse_schemas.log.identity import partition_of, record_key


class Way(NamedTuple):
    """A way to the log: how to open it, and what has arrived, in order per record."""

    open: Callable[[], Transport]
    arrived: Callable[[], list[bytes]]
    tells_places: bool = True


WAYS = [
    "memory",
    "outbox",
    "http",
    "gateway",
    pytest.param("kafka", marks=pytest.mark.engines),
    pytest.param("gateway-kafka", marks=pytest.mark.engines),
    pytest.param("outbox-kafka", marks=pytest.mark.engines),
]


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Way]:
    with ExitStack() as stack:
        if request.param.endswith("kafka"):
            engines: RunningEngines = request.getfixturevalue("engines")
            apply_topics(engines.kafka)
        yield _way(request.param, tmp_path, stack, lambda: engines.kafka)


def _way(name: str, folder: Path, stack: ExitStack, kafka: Callable[[], str]) -> Way:
    memory = MemoryTransport()

    def in_memory() -> list[bytes]:
        return [octets for _, octets, _ in memory.sent]

    if name == "memory":
        return Way(lambda: memory, in_memory)
    if name == "outbox":
        return Way(lambda: Outbox(folder / "outbox", lambda: memory), in_memory)
    if name == "http":
        scripted = stack.enter_context(scripted_gateway())
        return Way(
            lambda: HttpTransport(scripted.url, KEY), lambda: scripted.taken, tells_places=False
        )
    if name == "gateway":
        url, log = stack.enter_context(real_gateway())
        return Way(
            lambda: HttpTransport(url, KEY),
            lambda: [octets for _, octets, _ in log.sent],
            tells_places=False,
        )
    begins = log_ends(kafka())

    def on_kafka() -> list[bytes]:
        return log_since(kafka(), begins)

    if name == "gateway-kafka":
        url, _ = stack.enter_context(
            real_gateway(journal=Journal(lambda: KafkaLog(kafka()), timeout=30))
        )
        return Way(lambda: HttpTransport(url, KEY), on_kafka, tells_places=False)
    if name == "outbox-kafka":
        return Way(lambda: Outbox(folder / "outbox", lambda: KafkaTransport(kafka())), on_kafka)
    return Way(lambda: KafkaTransport(kafka()), on_kafka)


def _places(consumer: KafkaConsumer) -> list[TopicPartition]:
    numbers = consumer.partitions_for_topic("traverse.inbound") or ()
    return [TopicPartition("traverse.inbound", number) for number in sorted(numbers)]


def log_ends(kafka: str) -> dict[TopicPartition, int]:
    consumer = KafkaConsumer(bootstrap_servers=kafka)
    ends: dict[TopicPartition, int] = consumer.end_offsets(_places(consumer))
    consumer.close()
    return ends


def log_since(kafka: str, begins: dict[TopicPartition, int]) -> list[bytes]:
    ends = log_ends(kafka)
    consumer = KafkaConsumer(bootstrap_servers=kafka)
    consumer.assign(list(begins))
    for place, offset in begins.items():
        consumer.seek(place, offset)
    found: list[bytes] = []
    while any(consumer.position(place) < ends[place] for place in begins):
        for messages in consumer.poll(timeout_ms=1000).values():
            found += [message.value for message in messages]
    consumer.close()
    return found


def publisher(transport: Transport) -> Publisher:
    ids = count(1)
    return Publisher(
        CCI, transport=transport, clock=FixedClock(NOW), new_id=lambda: f"id-{next(ids)}"
    )


def test_every_future_ends_with_a_place_on_the_log(way: Way) -> None:
    said = publisher(way.open())
    futures = [said.publish("call", f"R-{number}", call_data()) for number in range(50)]
    said.flush()
    assert all(future.done() for future in futures)
    for number, future in enumerate(futures):
        delivery = future.result()
        assert delivery.topic == "traverse.inbound"
        if way.tells_places:
            assert delivery.partition == partition_of(record_key(CCI, f"R-{number}"), 4)
    if way.tells_places:
        assert len({future.result() for future in futures}) == 50
    said.close()
    arrived = [json.loads(octets)["subject"] for octets in way.arrived()]
    assert sorted(arrived) == sorted(f"R-{number}" for number in range(50))


def test_events_of_one_record_keep_their_order(way: Way) -> None:
    said = publisher(way.open())
    for number in range(60):
        said.publish("call", "R-1", call_data(), sequence=number)
        said.publish("call", f"R-{number % 5 + 2}", call_data())
    said.close()
    order = [json.loads(octets) for octets in way.arrived()]
    assert [one["sequence"] for one in order if one["subject"] == "R-1"] == list(range(60))


def test_the_octets_arrive_as_they_were(way: Way) -> None:
    """Blanks and escapes included, as far as the way is not a test's own."""
    octets = json.dumps(event(time="2026-11-20T10:00:00Z", subject="é"), indent=2).encode()
    with publisher(way.open()) as said:
        said.send(octets)
    (arrived,) = way.arrived()
    assert json.loads(arrived) == json.loads(octets)


def test_threads_share_a_publisher(way: Way) -> None:
    said = publisher(way.open())

    def speak(name: str) -> None:
        for number in range(25):
            said.publish("call", f"{name}-{number}", call_data())

    threads = [threading.Thread(target=speak, args=(name,)) for name in "ABCD"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    said.close()  # raises if one of the hundred were missing
    assert len(way.arrived()) == 100


def test_an_event_handed_over_cannot_be_cancelled(way: Way) -> None:
    """A cancelled future would say that the event is not on its way, and it is."""
    with publisher(way.open()) as said:
        assert not said.publish("call", "R-1", call_data()).cancel()


def test_close_leaves_no_future_open(way: Way) -> None:
    """Without any time to deliver, each future still ends: with its place, or with why not."""
    carrying = way.open()
    octets = json.dumps(event()).encode()
    futures = [carrying.send("k", octets, ()) for _ in range(200)]
    carrying.close(0)
    assert all(isinstance(future.exception(10), PublishError | None) for future in futures)


def test_after_close_nothing_is_taken_silently(way: Way) -> None:
    """An event that comes too late ends with an error, at once or in its future."""
    carrying = way.open()
    carrying.close(1)
    carrying.close(1)
    with pytest.raises(PublishError):
        carrying.send("k", json.dumps(event()).encode(), ()).result(60)
