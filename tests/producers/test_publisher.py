"""The publisher: checks at once, loses nothing, says what went wrong in one sentence."""

import json
import socket
from datetime import UTC, datetime
from decimal import Decimal
from itertools import count

import pytest
from kafka import KafkaConsumer, TopicPartition

from tests.engines import RunningEngines
from tests.producers.memory_transport import MemoryTransport
from tests.stream_processors.factory import CCI, call_data, event
from traverse_infra.log.topics import apply_topics
from traverse_producers.errors import (
    BrokerAwayError,
    BrokerRefusedError,
    EventTooLargeError,
    InvalidEventError,
    PublisherClosedError,
    UndeliveredError,
)
from traverse_producers.publisher import Publisher
from traverse_producers.transports.contract import Transport
from traverse_producers.transports.kafka import KafkaTransport
from traverse_schemas.clock import FixedClock
from traverse_schemas.errors import InvalidSourceError
from traverse_schemas.log.identity import record_key
from traverse_schemas.records.models import Call

NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)


def publisher(transport: Transport) -> Publisher:
    ids = count(1)
    return Publisher(
        CCI, transport=transport, clock=FixedClock(NOW), new_id=lambda: f"id-{next(ids)}"
    )


def test_each_method_makes_the_event_of_its_name() -> None:
    transport = MemoryTransport()
    with publisher(transport) as said:
        said.publish("call", "R-1", call_data())
        said.update("call", "R-1", call_data(reason="extension"), sequence=2)
        said.close("call", "R-1", "awarded", on=NOW.date())
        said.withdraw("call", "R-1")
    events = [json.loads(octets) for _, octets, _ in transport.sent]
    assert [one["type"].split(".")[3] for one in events] == [
        "published",
        "updated",
        "closed",
        "withdrawn",
    ]
    assert events[0]["time"] == "2026-11-24T09:00:00+00:00"
    assert events[1]["sequence"] == 2
    assert events[2]["data"] == {"outcome": "awarded", "on": "2026-11-24"}
    assert {key for key, _, _ in transport.sent} == {record_key(CCI, "R-1")}
    assert transport.closed


def test_octets_given_are_octets_sent() -> None:
    transport = MemoryTransport()
    octets = json.dumps(event(), indent=3).encode()
    with publisher(transport) as said:
        said.send(octets)
    assert transport.sent[0][1] == octets


def test_a_wrong_event_is_told_at_once_with_its_place() -> None:
    with publisher(MemoryTransport()) as said:
        with pytest.raises(InvalidEventError, match="title") as caught:
            said.publish("call", "R-1", call_data(title=None))
        assert caught.value.problems[0].pointer == "/data/title"
        with pytest.raises(InvalidEventError, match="type"):
            said.publish("rumour", "R-1", {})
        with pytest.raises(InvalidEventError, match="JSON"):
            said.send(b"{")


def test_ten_megabytes_are_refused_before_they_travel() -> None:
    transport = MemoryTransport()
    with publisher(transport) as said, pytest.raises(EventTooLargeError, match="512 Kio"):
        said.publish("call", "R-1", call_data(description="x" * 10_000_000))
    assert transport.sent == []


def test_dates_decimals_and_models_become_json() -> None:
    """A dict may hold what Python has for dates and euros, and whole models."""
    transport = MemoryTransport()
    record = Call.model_validate_json(json.dumps(call_data()))
    with publisher(transport) as said:
        amount = {"value": Decimal("1234.56"), "kind": "estimate"}
        said.publish("call", "R-1", call_data(published_on=NOW.date(), amounts=[amount]))
        said.publish("call", "R-2", record)
        said.close("call", "R-3", "awarded", record=record)
    data = [json.loads(octets)["data"] for _, octets, _ in transport.sent]
    assert data[0]["published_on"] == "2026-11-24"
    assert data[0]["amounts"][0]["value"] == 1234.56
    assert data[1] == call_data()
    assert data[2]["record"] == call_data()


@pytest.mark.parametrize(
    ("value", "said"),
    [(object(), "forme en JSON"), (float("nan"), "NaN"), ("\ud800", "moitié de caractère")],
)
def test_what_has_no_form_in_json_is_a_sentence(value: object, said: str) -> None:
    """No TypeError and no UnicodeError reaches a partner."""
    with (
        publisher(MemoryTransport()) as publishing,
        pytest.raises(InvalidEventError, match=said),
    ):
        publishing.publish("call", "R-1", call_data(title=value))


def test_close_by_keywords_closes_the_record_and_not_the_publisher() -> None:
    """`close(kind=…)` speaks of a record; half of its words are a mistake of the program."""
    transport = MemoryTransport()
    said = publisher(transport)
    said.close(kind="call", reference="R-1", outcome="awarded", reason="Offre retenue")
    assert json.loads(transport.sent[0][1])["data"]["reason"] == "Offre retenue"
    with pytest.raises(TypeError):
        said.close("call", "R-1")  # type: ignore[call-overload]
    assert not transport.closed
    said.close()


def test_a_source_that_fails_luhn_is_refused_when_the_publisher_is_made() -> None:
    with pytest.raises(InvalidSourceError, match="Luhn"):
        Publisher("urn:siren:181300015", transport=MemoryTransport())


def test_flush_says_how_many_are_in_doubt() -> None:
    said = publisher(MemoryTransport(answer=False))
    said.publish("call", "R-1", call_data())
    said.publish("call", "R-2", call_data())
    with pytest.raises(UndeliveredError, match="2 événement"):
        said.flush(timeout=0.01)


def test_a_delivery_that_failed_is_told_by_future_and_flush() -> None:
    said = publisher(MemoryTransport(fail=BrokerAwayError("127.0.0.1:1")))
    future = said.publish("call", "R-1", call_data())
    assert isinstance(future.exception(), BrokerAwayError)
    with pytest.raises(UndeliveredError):
        said.close()


def test_after_close_nothing_is_taken_silently() -> None:
    said = publisher(MemoryTransport())
    said.close()
    said.close()
    with pytest.raises(PublisherClosedError):
        said.publish("call", "R-1", call_data())


def test_kafka_away_is_one_sentence_within_the_timeout() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: nobody else can answer there
        port = taken.getsockname()[1]
        with pytest.raises(BrokerAwayError, match="traverse up"):
            Publisher(CCI, bootstrap=f"127.0.0.1:{port}", timeout=1)


def test_an_address_that_is_none_is_one_sentence() -> None:
    """A slip of the pen in TRAVERSE_KAFKA shows neither a traceback nor another error."""
    with pytest.raises(BrokerAwayError, match="TRAVERSE_KAFKA"):
        Publisher(CCI, bootstrap="127.0.0.1:port", timeout=1)


@pytest.mark.engines
def test_a_topic_that_is_not_there_names_the_command(
    engines: RunningEngines, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A broker without our topics is told apart from a broker that is away."""
    monkeypatch.setattr("traverse_producers.transports.kafka.INBOUND", "traverse.nowhere")
    with pytest.raises(BrokerRefusedError, match="n'existe pas"):
        KafkaTransport(engines.kafka, timeout=10)


@pytest.mark.engines
def test_the_log_holds_the_very_octets_and_the_content_type(engines: RunningEngines) -> None:
    apply_topics(engines.kafka)
    octets = json.dumps(event(subject="OCTETS"), indent=2).encode()
    with Publisher(CCI, bootstrap=engines.kafka) as said:
        delivery = said.send(octets).result(30)
    consumer = KafkaConsumer(bootstrap_servers=engines.kafka)
    where = TopicPartition(delivery.topic, delivery.partition)
    consumer.assign([where])
    consumer.seek(where, delivery.offset)
    found = consumer.poll(timeout_ms=10_000, max_records=1)[where][0]
    consumer.close()
    assert found.value == octets
    assert found.key.decode() == record_key(CCI, "OCTETS")
    assert dict(found.headers)["content-type"] == b"application/cloudevents+json"
