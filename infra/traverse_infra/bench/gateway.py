"""The gateway: batches beside a bare kafka-python producer, single posts beside Kafka's word.

Keys and signatures are on: an institution with an API key, for which the gateway signs each event.
Both contenders write the same octets, turn by turn, until Kafka has confirmed all.
"""

import http.client
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from queue import SimpleQueue
from typing import Any

import orjson
import psutil
from kafka import KafkaProducer

from traverse_infra.bench.figures import latency_figures, schedule, spread
from traverse_infra.bench.home import Home
from traverse_infra.bench.load import Event, Load, octets_and_key, repeated
from traverse_infra.bench.plan import Plan
from traverse_infra.bench.throughput import BenchError
from traverse_infra.engines.ports import free_ports
from traverse_infra.members import add_member, open_registry
from traverse_schemas.clock import SystemClock
from traverse_schemas.collector import spare_what_stays
from traverse_schemas.records.codes import InstitutionKind
from traverse_schemas.registry.institutions import Role
from traverse_schemas.registry.membership import new_member

_BATCH = 100
_CLIENTS = 4
_TOPIC = "bench.gateway"
_PUBLISHER, _HOST = "180000010", "180000028"
"""Numbers of nobody that pass their check: who publishes, and who runs the gateway."""

Say = Callable[[str], None]


class _Gateway:
    """Where it answers, and with which key one publishes."""

    def __init__(self, port: int, api_key: str) -> None:
        self._port = port
        self._key = api_key

    def connection(self) -> http.client.HTTPConnection:
        """A connection that stays open."""
        return http.client.HTTPConnection("127.0.0.1", self._port, timeout=120)

    def post(self, connection: http.client.HTTPConnection, body: bytes, media_type: str) -> None:
        """POST /v1/events. Raises BenchError when not all is accepted."""
        headers = {"Authorization": f"Bearer {self._key}", "Content-Type": media_type}
        connection.request("POST", "/v1/events", body, headers)
        answer = connection.getresponse()
        said = answer.read()
        if answer.status != http.client.ACCEPTED:
            raise BenchError(f"La passerelle répond {answer.status} : {said[:300]!r}")


def gateway_figures(home: Home, plan: Plan, load: Load, say: Say) -> dict[str, Any]:
    """Rates in events a second and latencies in milliseconds. Raises BenchError."""
    events = _own(repeated(load.events))
    spare_what_stays()  # the bare producer would walk the events again and again
    home.make_topic(_TOPIC)
    port = next(iter(free_ports(1)))
    environment = {
        "TRAVERSE_GATEWAY_PORT": str(port),
        "TRAVERSE_GATEWAY_SIREN": _HOST,
        "TRAVERSE_GATEWAY_RATE": str(10**9),
        "TRAVERSE_GATEWAY_KAFKA_TIMEOUT": "60",
    }
    gateway = _Gateway(port, _members(home))
    with home.services(environment) as services:
        services.start("gateway", "serve", "gateway")
        services.await_answer(f"http://127.0.0.1:{port}/readyz", 60)
        _batches(gateway, list(islice(events, min(2000, plan.gateway_events))))
        process = psutil.Process(services.pid("gateway"))
        ours: list[float] = []
        bare: list[float] = []
        our_work = bare_work = 0.0
        for number in range(1, plan.turns + 1):
            say(f"Passerelle, tour {number} sur {plan.turns} : {plan.gateway_events} événements…")
            chosen = list(islice(events, plan.gateway_events))
            before = _processor(process)
            ours.append(_batches(gateway, chosen))
            our_work += _processor(process) - before
            rate, work = _produced(home.kafka, chosen)
            bare.append(rate)
            bare_work += work
        say(f"Passerelle, un événement à la fois, 50 par seconde pendant {plan.seconds:.0f} s…")
        due = schedule(50, plan.seconds)
        posts = _posts(gateway, list(islice(events, len(due))), due)
        acks = _acknowledgements(home.kafka, list(islice(events, len(due))), due)
        services.check()
    ratios = [mine / other for mine, other in zip(ours, bare, strict=True)]
    return {
        "events_per_s": spread(ours),
        "bare_producer_events_per_s": spread(bare),
        "ratio": spread(ratios),
        # What the machine's other work does not change: processor time, each by itself.
        "processor_us_per_event": our_work / (plan.turns * plan.gateway_events) * 1e6,
        "bare_processor_us_per_event": bare_work / (plan.turns * plan.gateway_events) * 1e6,
        "post_ms": latency_figures(posts),
        "kafka_ms": latency_figures(acks),
        "added_p95_ms": latency_figures(posts)["p95"] - latency_figures(acks)["p95"],
    }


def _members(home: Home) -> str:
    """Enrol both institutions; the publisher's API key."""
    now = SystemClock().now()
    host = new_member(
        siren=_HOST, name="Passerelle", kind=InstitutionKind.OTHER, now=now, roles=[Role.GATEWAY]
    )
    publisher = new_member(
        siren=_PUBLISHER, name="Mesure", kind=InstitutionKind.OTHER, now=now, delegated=True
    )
    with open_registry(home.kafka) as table:
        add_member(table, home.settings.keys, host, now)
        return add_member(table, home.settings.keys, publisher, now).api_key.secret


def _own(events: Iterator[Event]) -> Iterator[Event]:
    """The events as the publisher's own, each with an id of its own."""
    for number, event in enumerate(events):
        system = f"b{number // 100_000}"
        yield {**event, "source": f"urn:siren:{_PUBLISHER}:{system}", "id": f"g{number}"}


def _batches(gateway: _Gateway, events: Sequence[Event]) -> float:
    """Events a second, by some clients at once, each with batches of a hundred."""
    bodies: SimpleQueue[bytes] = SimpleQueue()
    for start in range(0, len(events), _BATCH):
        bodies.put(orjson.dumps(events[start : start + _BATCH]))

    # As many takes as puts: a client that finds nothing left would wait for ever.
    count = min(_CLIENTS, bodies.qsize())
    shares = [bodies.qsize() // count + (place < bodies.qsize() % count) for place in range(count)]

    def send_share(share: int) -> None:
        connection = gateway.connection()
        for _ in range(share):
            gateway.post(connection, bodies.get(), "application/cloudevents-batch+json")
        connection.close()

    begin = time.perf_counter()
    with ThreadPoolExecutor(count) as clients:
        list(clients.map(send_share, shares))
    return len(events) / (time.perf_counter() - begin)


def _processor(process: psutil.Process) -> float:
    """Seconds of processor time that a process has taken."""
    times = process.cpu_times()
    return times.user + times.system


def _produced(kafka: str, events: Sequence[Event]) -> tuple[float, float]:
    """Events a second of a bare producer (no check, no signature, no HTTP), and the seconds of
    processor time that it took."""
    messages = [octets_and_key(event) for event in events]
    producer = _producer(kafka, linger_ms=5)
    producer.partitions_for(_TOPIC)
    begin, work = time.perf_counter(), time.process_time()
    sent = [producer.send(_TOPIC, octets, key) for octets, key in messages]
    producer.flush()
    taken, work = time.perf_counter() - begin, time.process_time() - work
    if not all(each.succeeded() for each in sent):
        raise BenchError("Kafka n'a pas confirmé tout ce que le producteur nu a envoyé.")
    producer.close()
    return len(events) / taken, work


def _posts(gateway: _Gateway, events: Sequence[Event], due: Sequence[float]) -> list[float]:
    """Seconds from due to answered, one event a request, on an open schedule."""
    connections: SimpleQueue[http.client.HTTPConnection] = SimpleQueue()
    for _ in range(2 * _CLIENTS):
        connections.put(gateway.connection())
    taken: list[float] = []

    def post(event: Event, moment: float) -> None:
        connection = connections.get()
        gateway.post(connection, orjson.dumps(event), "application/cloudevents+json")
        connections.put(connection)
        taken.append(time.monotonic() - moment)

    with ThreadPoolExecutor(2 * _CLIENTS) as clients:
        begin = time.monotonic() + 0.1
        pending = []
        for event, moment in zip(events, due, strict=True):
            time.sleep(max(0.0, begin + moment - time.monotonic()))
            pending.append(clients.submit(post, event, begin + moment))
        for each in pending:
            each.result()
    return taken


def _acknowledgements(kafka: str, events: Sequence[Event], due: Sequence[float]) -> list[float]:
    """Seconds from due to Kafka's acknowledgement, of a producer that waits for no other event."""
    producer = _producer(kafka, linger_ms=0)
    producer.partitions_for(_TOPIC)
    taken: list[float] = []
    all_there = threading.Event()
    begin = time.monotonic() + 0.1

    def confirmed(moment: float) -> None:
        taken.append(time.monotonic() - moment)
        if len(taken) == len(due):
            all_there.set()

    for event, moment in zip(events, due, strict=True):
        time.sleep(max(0.0, begin + moment - time.monotonic()))
        octets, key = octets_and_key(event)
        at = begin + moment
        producer.send(_TOPIC, octets, key).add_callback(lambda _, at=at: confirmed(at))
    producer.flush()
    if not all_there.wait(60):
        raise BenchError("Kafka n'a pas confirmé tout ce que le producteur nu a envoyé.")
    producer.close()
    return taken


def _producer(kafka: str, linger_ms: int) -> KafkaProducer:
    return KafkaProducer(
        bootstrap_servers=kafka,
        acks="all",
        enable_idempotence=True,
        linger_ms=linger_ms,
        batch_size=128 * 1024,
    )
