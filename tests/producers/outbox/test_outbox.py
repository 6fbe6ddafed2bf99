"""The outbox: `publish` returns when the event is on disk, and nothing that it took is lost."""

import json
import logging
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from itertools import count
from pathlib import Path

import pytest
from kafka import KafkaConsumer, TopicPartition

from tests.engines import RunningEngines
from tests.producers.memory_transport import MemoryTransport
from tests.stream_processors.factory import CCI, call_data
from traverse_infra.engines.waiting import wait_until
from traverse_infra.log.topics import apply_topics
from traverse_producers.errors import (
    BrokerAwayError,
    EventRefusedError,
    OutboxError,
    OutboxFullError,
    ParkedError,
    PublisherClosedError,
    StillQueuedError,
)
from traverse_producers.outbox.durable_queue import Limits
from traverse_producers.outbox.durable_queue_file import DeliveryTurn
from traverse_producers.outbox.outbox import Outbox
from traverse_producers.publisher import Publisher
from traverse_producers.transports.contract import Delivery, Headers, Transport
from traverse_producers.transports.kafka import KafkaTransport
from traverse_schemas.log.identity import record_key
from traverse_schemas.log.pauses import Pauses

QUICK = Pauses(first=0.001, longest=0.01)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "outbox"


def unreachable() -> Transport:
    raise BrokerAwayError("essai")


def publisher(
    path: Path, transport: Callable[[], Transport], *, timeout: float = 30, patience: float = 0
) -> Publisher:
    ids = count(1)
    return Publisher(
        CCI,
        transport=transport,
        outbox=path,
        outbox_patience=patience,
        timeout=timeout,
        new_id=lambda: f"id-{next(ids)}",
    )


def test_publishing_needs_no_network(path: Path) -> None:
    """The broker is away all along: publishing and closing are no errors, and the next program
    delivers, in order, the very octets."""
    with publisher(path, unreachable, timeout=0.01) as said:
        futures = [said.publish("call", f"R-{n % 3}", call_data()) for n in range(9)]
    assert all(isinstance(one.exception(), StillQueuedError) for one in futures)
    transport = MemoryTransport()
    with publisher(path, lambda: transport) as again:
        assert again.outbox is not None
        outbox = again.outbox
        assert wait_until(lambda: outbox.state().waiting == 0, timeout=60)
    sent = [json.loads(octets) for _, octets, _ in transport.sent]
    for reference in ("R-0", "R-1", "R-2"):
        ids = [int(one["id"].split("-")[1]) for one in sent if one["subject"] == reference]
        assert ids == sorted(ids)
        assert len(ids) == 3
    assert dict(transport.sent[0][2]) == {"content-type": b"application/cloudevents+json"}
    assert transport.closed


def test_the_callers_thread_does_not_wait_for_a_transport_that_hangs(path: Path) -> None:
    hanging = threading.Event()

    def hang() -> Transport:
        hanging.wait(60)
        raise BrokerAwayError("essai")

    said = publisher(path, hang)
    for number in range(20):
        said.publish("call", f"R-{number}", call_data())
    assert said.outbox is not None
    assert said.outbox.state().waiting == 20
    hanging.set()
    said.close(timeout=0)


def test_futures_and_flush_tell_of_deliveries(path: Path) -> None:
    with publisher(path, MemoryTransport) as said:
        future = said.publish("call", "R-1", call_data())
        assert future.result(60).topic == "traverse.inbound"
        said.publish("call", "R-2", call_data())
        said.flush()
        assert said.outbox is not None
        assert said.outbox.state()[:2] == (0, 0)


def test_flush_says_what_still_waits_and_where(path: Path) -> None:
    said = publisher(path, unreachable)
    said.publish("call", "R-1", call_data())
    with pytest.raises(StillQueuedError, match=f"1 événement.*{path}"):
        said.flush(timeout=0.01)
    assert said.outbox is not None
    outbox = said.outbox
    assert wait_until(lambda: outbox.state().trouble, timeout=60) == str(BrokerAwayError("essai"))
    said.close(timeout=0)


class Choosy(MemoryTransport):
    """Refuses the events of one record for good."""

    def send(self, key: str, octets: bytes, headers: Headers) -> Future[Delivery]:
        if "BAD" not in key:
            return super().send(key, octets, headers)
        refused: Future[Delivery] = Future()
        refused.set_exception(EventRefusedError("Trop grand pour Kafka."))
        return refused


def test_refused_events_are_parked_and_shown(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    said = publisher(path, Choosy)
    bad = said.publish("call", "BAD", call_data())
    said.publish("call", "R-1", call_data())
    with pytest.raises(ParkedError, match=f"1 événement.*traverse outbox show {path}"):
        said.close()
    assert isinstance(bad.exception(), EventRefusedError)
    assert "Trop grand pour Kafka." in caplog.text
    with Outbox(path, unreachable) as left:
        (parked,) = left.parked()
        assert (parked.message.key, parked.sentence) == (
            record_key(CCI, "BAD"),
            "Trop grand pour Kafka.",
        )
        assert left.state().waiting == 0


def test_a_full_outbox_says_so_at_once_or_after_a_bounded_wait(path: Path) -> None:
    with Outbox(path, unreachable, limits=Limits(messages=2)) as outbox:
        outbox.send("a", b"1", ())
        outbox.send("a", b"2", ())
        with pytest.raises(OutboxFullError, match="2 événements"):
            outbox.send("a", b"3", ())
    with (
        Outbox(path, unreachable, limits=Limits(messages=2), patience=0.05) as outbox,
        pytest.raises(OutboxFullError),
    ):
        outbox.send("a", b"3", ())


def test_who_waits_for_room_gets_it_from_deliveries(path: Path) -> None:
    with Outbox(path, MemoryTransport, limits=Limits(messages=5), patience=60) as outbox:
        futures = [outbox.send(f"k{number}", b"x", ()) for number in range(200)]
        assert all(future.exception(60) is None for future in futures)


def test_two_on_one_file_one_delivers_for_both(path: Path) -> None:
    """The second hears what became of its events from the file, and takes over in the end."""
    first, second = MemoryTransport(), MemoryTransport()
    one = Outbox(path, lambda: first)
    one.send("a", b"1", ()).result(60)
    two = Outbox(path, lambda: second)
    assert two.send("b", b"2", ()).result(60) == Delivery("traverse.inbound", 1, 1)
    assert [octets for _, octets, _ in first.sent] == [b"1", b"2"]
    one.close(5)
    two.send("b", b"3", ()).result(60)
    assert [octets for _, octets, _ in second.sent] == [b"3"]
    two.close(5)


def test_another_processs_refusal_is_heard_too(path: Path) -> None:
    one = Outbox(path, Choosy)
    one.send("a", b"1", ()).result(60)
    two = Outbox(path, unreachable)
    assert str(two.send("BAD", b"2", ()).exception(60)) == "Trop grand pour Kafka."
    two.close(0)
    one.close(0)


def test_threads_share_an_outbox(path: Path) -> None:
    transport = MemoryTransport()
    with publisher(path, lambda: transport) as said:

        def speak(name: str) -> None:
            for number in range(20):
                said.publish("call", name, call_data(), sequence=number)

        threads = [threading.Thread(target=speak, args=(name,)) for name in "ABCD"]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    sent = [json.loads(octets) for _, octets, _ in transport.sent]
    assert len(sent) == 80
    for name in "ABCD":
        order = [one["sequence"] for one in sent if one["subject"] == name]
        assert order == list(range(20))


def test_an_error_in_the_thread_is_logged_and_outlived(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever a transport raises: the events stay, and leave when it has come to its senses."""
    tries = count()

    def mad() -> Transport:
        if next(tries) < 2:
            raise ZeroDivisionError
        return MemoryTransport()

    with caplog.at_level(logging.ERROR), Outbox(path, mad, pauses=QUICK) as outbox:
        outbox.send("a", b"1", ()).result(60)
    assert "ZeroDivisionError" in caplog.text


def test_a_damaged_outbox_is_told_when_the_publisher_is_made(path: Path) -> None:
    path.write_bytes(b"SQLite format 3\0" + b"?" * 5000)
    with pytest.raises(OutboxError, match="de côté"):
        publisher(path, MemoryTransport)


def test_after_close_nothing_is_taken(path: Path) -> None:
    outbox = Outbox(path, MemoryTransport)
    outbox.close(1)
    outbox.close(1)
    with pytest.raises(PublisherClosedError):
        outbox.send("a", b"1", ())


def test_a_transport_that_cannot_be_opened_again_is_a_mistake(path: Path) -> None:
    with pytest.raises(TypeError, match="function"):
        Publisher(CCI, transport=MemoryTransport(), outbox=path)


def killed(folder: Path, seed: int, rounds: int) -> dict[str, int]:
    done = subprocess.run(
        [sys.executable, "-m", "tests.producers.killed_outbox", folder, str(seed), str(rounds)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    counts = json.loads(done.stdout)
    assert counts["promised"] > rounds
    return dict(counts["kills"])


def test_killed_at_any_instruction_nothing_promised_is_lost(tmp_path: Path) -> None:
    """Fifty programs on one file; most are killed between two instructions, of Python or of
    SQLite. What `send` returned for is delivered, in order per record."""
    kills = killed(tmp_path, 20261124, 50)
    assert sum(kills.values()) >= 25
    assert all(kills.values())


@pytest.mark.engines
def test_killed_at_three_hundred_instructions(tmp_path: Path) -> None:
    """The same, longer than a unit test may take."""
    assert sum(killed(tmp_path, 7, 300).values()) >= 150


PROGRAM = """
import sys
from tests.stream_processors.factory import CCI, call_data
from traverse_producers.publisher import Publisher
publisher = Publisher(CCI, outbox=sys.argv[1], bootstrap=sys.argv[2])
for number in range(int(sys.argv[3]), 100_000):
    event_id = f"{sys.argv[4]}-{number}"
    publisher.publish("call", f"{sys.argv[4]}-{number % 7}", call_data(), event_id=event_id)
    print(event_id, flush=True)
"""


@pytest.fixture
def kafka(engines: RunningEngines) -> Iterator[str]:
    apply_topics(engines.kafka)
    yield engines.kafka


@pytest.mark.engines
def test_a_killed_program_on_a_real_kafka(tmp_path: Path, kafka: str) -> None:
    """A program that publishes is killed three times; a last one delivers what is left."""
    path, name = tmp_path / "outbox", f"KILL-{tmp_path.name}"
    promised: list[str] = []
    for enough in (40, 90, 200):
        command = [sys.executable, "-c", PROGRAM, str(path), kafka, str(len(promised)), name]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
            assert child.stdout is not None
            for line in child.stdout:
                promised.append(line.strip())
                if len(promised) == enough:
                    child.kill()
    with Publisher(CCI, outbox=path, bootstrap=kafka) as last:
        last.publish("call", f"{name}-last", call_data()).result(60)
        assert last.outbox is not None
        outbox = last.outbox
        assert wait_until(lambda: outbox.state().waiting == 0, timeout=60)
    came = ids_on(kafka, name)
    assert set(promised) <= set(came)
    order: dict[int, list[int]] = {}
    for event_id in dict.fromkeys(came):
        number = int(event_id.rsplit("-", 1)[1])
        order.setdefault(number % 7, []).append(number)
    assert all(numbers == sorted(numbers) for numbers in order.values())


@pytest.mark.engines
def test_kafka_comes_after_the_program_on_the_same_outbox(path: Path, kafka: str) -> None:
    """A wrong address at first: events wait; with the right one they leave."""
    with Publisher(CCI, outbox=path, bootstrap="127.0.0.1:1", timeout=0.2) as said:
        said.publish("call", "LATE", call_data(), event_id=f"late-{path}")
    with Publisher(CCI, outbox=path, bootstrap=kafka) as again:
        assert again.outbox is not None
        outbox = again.outbox
        assert wait_until(lambda: outbox.state().waiting == 0, timeout=60)
    assert ids_on(kafka, f"late-{path}")
    turn = DeliveryTurn(path)
    assert turn.take()
    turn.give_up()


def ids_on(kafka: str, beginning: str) -> list[str]:
    """The ids on `traverse.inbound` that begin so, in order per partition.

    Other tests write there too, and not all that they write is an event.
    """
    consumer = KafkaConsumer(bootstrap_servers=kafka, auto_offset_reset="earliest")
    places = [
        TopicPartition("traverse.inbound", number)
        for number in consumer.partitions_for_topic("traverse.inbound") or ()
    ]
    consumer.assign(places)
    ends = consumer.end_offsets(places)
    found: list[str] = []
    mark = json.dumps(beginning).strip('"').encode()
    while any(consumer.position(place) < ends[place] for place in places):
        for messages in consumer.poll(timeout_ms=1000).values():
            ids = [json.loads(it.value)["id"] for it in messages if mark in it.value]
            found += [event_id for event_id in ids if event_id.startswith(beginning)]
    consumer.close()
    return found


@pytest.mark.engines
def test_an_outbox_delivers_at_a_useful_pace(path: Path, kafka: str) -> None:
    """Two thousand events that waited leave within the patience of a test (figures are printed
    by the benchmark, not judged here)."""
    with Outbox(path, unreachable) as before:
        for number in range(2000):
            before.send(f"pace {number}", json.dumps({"id": "pace"}).encode(), ())
    with Outbox(path, lambda: KafkaTransport(kafka)) as outbox:
        assert wait_until(lambda: outbox.state().waiting == 0, timeout=120)
