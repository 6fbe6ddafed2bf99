"""The gateway on a real Kafka: what 202 means, and what happens while Kafka is away."""

import json
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic
from typing import Any

import httpx
import pytest
from kafka import KafkaConsumer, TopicPartition

from tests.engines import engine_settings
from tests.producers.gateway.serving import (
    BATCH,
    KEY,
    SIGNER,
    STRUCTURED,
    TOWN_KEY,
    registry,
    town,
)
from tests.serving import served
from tests.stream_processors.factory import call_data, event, octets
from traverse_infra.engines.install import install
from traverse_infra.engines.java import find_java
from traverse_infra.engines.kafka_engine import KafkaEngine
from traverse_infra.engines.ports import free_ports
from traverse_infra.engines.process import stop
from traverse_infra.engines.waiting import wait_until
from traverse_infra.log.topics import apply_topics
from traverse_producers.errors import BrokerAwayError
from traverse_producers.gateway.app import create_app
from traverse_producers.gateway.journal import Journal
from traverse_producers.gateway.kafka_log import KafkaLog
from traverse_producers.gateway.server import server_of
from traverse_producers.gateway.settings import GatewaySettings
from traverse_producers.gateway.spool import SpooledJournal
from traverse_producers.outbox.durable_queue import Limits
from traverse_producers.receipts.follow import Follower
from traverse_producers.transports.kafka import KafkaTransport
from traverse_schemas.log.identity import partition_of, record_key
from traverse_schemas.log.topics import INBOUND, PARTITIONS
from traverse_schemas.registry.institutions import Quota
from traverse_schemas.registry.registry import LiveRegistry, institutions_table
from traverse_schemas.signing.signatures import SIGNATURE_HEADER, verify

pytestmark = pytest.mark.engines


TRANSPORT = 30.0
"""Seconds that the transport itself would wait for Kafka: whoever answers sooner by far did not."""

TOWN = town(quota=Quota(events_per_day=5))


class OwnKafka:
    """A Kafka that these tests may stop: nobody else's."""

    def __init__(self, engine: KafkaEngine, start: Any) -> None:
        self.address = engine.address
        self._engine = engine
        self._start = start

    def start(self) -> None:
        self._start()
        assert wait_until(self._engine.ready, timeout=120)

    def send(self, number: signal.Signals) -> None:
        process = self._engine.find()
        assert process is not None
        process.send_signal(number)
        if number is signal.SIGKILL:
            process.wait(20)


@pytest.fixture(scope="module")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnKafka]:
    settings = engine_settings(tmp_path_factory.mktemp("kafka"))
    java = find_java(settings)
    installation = install(settings.engines_folder, java, lambda _: None)
    port, inner_port = free_ports(2)
    engine = KafkaEngine(settings.home / "kafka", port, inner_port, "300m")
    engine.folder.mkdir(parents=True)
    engine.prepare(installation, java)
    own = OwnKafka(engine, lambda: engine.launch(installation, java))
    try:
        own.start()
        apply_topics(own.address)
        with institutions_table(own.address) as institutions:
            institutions.wait(60)
            for one in (*registry().view().institutions.values(), TOWN):
                institutions.put(one.siren, one, timeout=60)
        yield own
    finally:
        stop(engine.processes())


@contextmanager
def running(kafka: str, home: Any, **more: Any) -> Iterator[httpx.Client]:
    """The gateway as it is served, in a thread."""
    settings = GatewaySettings(home=home, kafka=kafka, **more)
    direct = Journal(
        lambda: KafkaLog(kafka, timeout=TRANSPORT), timeout=settings.gateway_kafka_timeout
    )
    journal: Journal | SpooledJournal = direct
    if settings.gateway_spool:
        limits = Limits(octets=settings.gateway_spool)
        journal = SpooledJournal(direct, home / "spool", lambda: KafkaTransport(kafka), limits)
    with institutions_table(kafka) as institutions:
        app = create_app(
            settings,
            journal=journal,
            registry=LiveRegistry(institutions),
            follow=Follower(kafka, home),
            signer=SIGNER,
        )
        with (
            served(server_of(app, settings)) as address,
            httpx.Client(
                base_url=address, headers={"authorization": f"Bearer {KEY}"}, timeout=60
            ) as client,
        ):
            assert wait_until(lambda: answers(client, "/healthz") == 200, timeout=60)
            yield client


def answers(client: httpx.Client, path: str) -> int:
    try:
        return client.get(path).status_code
    except httpx.HTTPError:
        return 0


def of_the_town(client: httpx.Client, *names: str) -> int:
    """The status of a request with these events of an institution that has a quota of a day."""
    said = [event(source=f"urn:siren:{TOWN.siren}", subject=name) for name in names]
    headers = {"content-type": BATCH, "authorization": f"Bearer {TOWN_KEY}"}
    return client.post("/v1/events", json=said, headers=headers).status_code


def connected(client: httpx.Client) -> bool:
    """What the gateway shows, which it found out by itself: nobody asks Kafka for it."""
    return "traverse_gateway_kafka_connected 1.0" in client.get("/metrics").text


def post(client: httpx.Client, content: Any, content_type: str = STRUCTURED) -> httpx.Response:
    return client.post(
        "/v1/events", content=octets(content), headers={"content-type": content_type}
    )


def on_the_log(kafka: str) -> list[Any]:
    """Everything on the inbound topic, partition by partition."""
    consumer = KafkaConsumer(bootstrap_servers=kafka, consumer_timeout_ms=5000)
    try:
        places = [TopicPartition(INBOUND, number) for number in range(PARTITIONS)]
        consumer.assign(places)
        ends = consumer.end_offsets(places)
        consumer.seek_to_beginning()
        messages: list[Any] = []
        while any(consumer.position(place) < ends[place] for place in places):
            for found in consumer.poll(1000).values():
                messages.extend(found)
        return messages
    finally:
        consumer.close()


def test_202_means_that_kafka_has_it(kafka: OwnKafka, tmp_path: Any) -> None:
    with running(kafka.address, tmp_path, gateway_kafka_timeout=30) as client:
        assert wait_until(lambda: answers(client, "/readyz") == 200, timeout=60)
        one = json.dumps(event(subject="HAVE-1"), indent=2).encode()
        said = client.post("/v1/events", content=one, headers={"content-type": STRUCTURED})
        assert said.status_code == 202, said.text
        batch = [event(subject="HAVE-2", id=f"b-{number}") for number in range(200)]
        assert post(client, batch, BATCH).status_code == 202
        put = client.put("/v1/records/call/HAVE-3", json=call_data())
        assert put.status_code == 202, put.text
        found = [each for each in on_the_log(kafka.address) if b"HAVE-" in each.key]
        assert [each.value for each in found if each.key.endswith(b"HAVE-1")] == [one]
        ordered = [json.loads(each.value)["id"] for each in found if each.key.endswith(b"HAVE-2")]
        assert ordered == [each["id"] for each in batch]
        assert [json.loads(each.value)["id"] for each in found if b"HAVE-3" in each.key] == [
            put.json()["id"]
        ]
        key = record_key("urn:siren:181300013", "HAVE-1")
        assert {each.partition for each in found if each.key.decode() == key} == {
            partition_of(key, PARTITIONS)
        }
        assert ("content-type", STRUCTURED.encode()) in found[0].headers
        for each in found:
            assert verify(each.value, dict(each.headers)[SIGNATURE_HEADER], SIGNER.x)


def test_kafka_that_stands_still_is_told_in_time_and_waited_for(
    kafka: OwnKafka, tmp_path: Any
) -> None:
    with (
        running(kafka.address, tmp_path / "a", gateway_kafka_timeout=1.8) as client,
        running(kafka.address, tmp_path / "b", gateway_spool=1 << 20) as spooling,
    ):
        still = event(subject="STILL-1")
        assert wait_until(lambda: post(client, still).status_code == 202, timeout=60)
        assert wait_until(lambda: of_the_town(spooling, "STILL-3") == 202, timeout=60)
        assert connected(client)
        kafka.send(signal.SIGSTOP)
        try:
            assert wait_until(lambda: not connected(client), timeout=60)
            begin = monotonic()
            refused = post(client, event(subject="STILL-2"))
            took = monotonic() - begin
            assert refused.status_code == 503
            assert refused.headers["retry-after"] == "2"
            # The machine may be loaded.
            assert took < TRANSPORT / 2, took
            assert answers(client, "/readyz") == 503
            assert answers(client, "/healthz") == 200
            # Where there is a spool: as many as the day had left when that was last read.
            assert wait_until(lambda: not connected(spooling), timeout=60)
            assert of_the_town(spooling, "STILL-4", "STILL-5", "STILL-6") == 202
            assert of_the_town(spooling, "STILL-7", "STILL-8") == 429
            assert spooling.get("/readyz").json() == {"status": "ok", "kafka": "away"}
        finally:
            kafka.send(signal.SIGCONT)
        assert wait_until(lambda: connected(client), timeout=120)
        assert wait_until(lambda: connected(spooling), timeout=120)
        assert of_the_town(spooling, "STILL-7", "STILL-8") == 429
        assert wait_until(lambda: of_the_town(spooling, "STILL-9") == 202, timeout=60)
        assert wait_until(lambda: answers(client, "/readyz") == 200, timeout=120)
        assert wait_until(
            lambda: post(client, event(subject="STILL-2")).status_code == 202, timeout=60
        )
        expected = {record_key("urn:siren:181300013", f"STILL-{n}") for n in (1, 2)} | {
            record_key(f"urn:siren:{TOWN.siren}", f"STILL-{n}") for n in (3, 4, 5, 6, 9)
        }
        assert wait_until(
            lambda: expected <= {each.key.decode() for each in on_the_log(kafka.address)},
            timeout=60,
        )


def test_what_expired_while_kafka_was_killed_ends_nothing(kafka: OwnKafka) -> None:
    """What was under way is told as undelivered in time; what comes later goes on by itself."""
    transport = KafkaTransport(kafka.address, timeout=10)
    transport.send("key", b"before", ()).result(60)
    kafka.send(signal.SIGSTOP)
    cut_off = transport.send("key", b"cut off", ())
    # Sent, and not answered: killed at this moment.
    in_flight = transport._producer._sender._in_flight_batches
    assert wait_until(lambda: any(list(in_flight.values())), timeout=60)
    kafka.send(signal.SIGKILL)
    with pytest.raises(BrokerAwayError):
        cut_off.result(60)
    kafka.start()
    assert wait_until(lambda: transport.answers(10), timeout=120)
    assert transport.send("key", b"after", ()).result(60).topic == INBOUND
    transport.close(5)


def test_kafka_killed_is_told_and_taken_up_again(kafka: OwnKafka, tmp_path: Any) -> None:
    """Also by a gateway that is started while Kafka is away; every 202 is on the log."""
    accepted: list[str] = []

    def say(client: httpx.Client, name: str) -> bool:
        done = post(client, event(subject=name)).status_code == 202
        if done:
            accepted.append(name)
        return done

    with running(kafka.address, tmp_path / "a", gateway_kafka_timeout=1.8) as before:
        assert wait_until(lambda: say(before, "KILL-1"), timeout=60)
        kafka.send(signal.SIGKILL)
        refused = post(before, event(subject="KILL-2"))
        assert refused.status_code == 503
        with running(kafka.address, tmp_path / "b", gateway_kafka_timeout=1.8) as born:
            begin = monotonic()
            # It has not read the registry yet: nobody is known to it.
            assert post(born, event(subject="KILL-3")).status_code == 503
            assert monotonic() - begin < TRANSPORT / 2
            kafka.start()
            assert wait_until(lambda: say(born, "KILL-4"), timeout=120)
            assert wait_until(lambda: say(before, "KILL-5"), timeout=120)
    keys = {each.key.decode().split()[-1] for each in on_the_log(kafka.address)}
    assert {"KILL-1", "KILL-4", "KILL-5"} == set(accepted)
    assert set(accepted) <= keys
