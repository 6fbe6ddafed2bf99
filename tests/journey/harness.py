"""A journey to test: fresh topics and indices, and the steps as processes, as an operator has them.

Nothing here sleeps: `wait_until` of the runner is the one place that waits, with a deadline.
"""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
from elasticsearch import Elasticsearch
from kafka import KafkaAdminClient, KafkaConsumer, TopicPartition

from tests.signing import members, signature
from traverse_infra.engines.waiting import wait_until
from traverse_infra.errors import EngineAwayError
from traverse_infra.indices import prepare_indices
from traverse_infra.log.reading import lags, read_topic, waiting
from traverse_infra.log.topics import apply_topics
from traverse_schemas.documents.index_mapping import ALIASES, PUBLIC_ALIAS
from traverse_schemas.log.identity import opportunity_id, partition_of, record_key
from traverse_schemas.log.message import LogMessage
from traverse_schemas.log.topics import (
    INBOUND,
    INSTITUTIONS,
    OPPORTUNITIES,
    PARTITIONS,
    REJECTED,
    TOPICS,
)
from traverse_schemas.registry.institutions import Institution, encode_institution
from traverse_schemas.signing.signatures import SIGNATURE_HEADER
from traverse_stream_processors.log import LogWriter, Message

PATIENCE = 180.0
"""Seconds after which a journey that has not come to rest is taken for stuck."""

RARELY = {"acknowledge_every": "1"}
"""A setting of workers that are killed or frozen: as seldom as they acknowledge by themselves, so
that they do more again."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A message for `traverse.inbound`, as any client could put it there."""

    value: bytes | None
    key: bytes | None
    partition: int
    headers: tuple[tuple[str, bytes | None], ...] = ()
    signed: bool = True


def sent(whole: dict[str, Any] | bytes, **changes: Any) -> Sent:
    """An event on the partition of its record; what is no event goes to partition 0."""
    if isinstance(whole, bytes):
        return Sent(**{"value": whole, "key": None, "partition": 0, **changes})
    key = record_key(str(whole.get("source")), str(whole.get("subject")))
    message = {
        "value": orjson.dumps(whole),
        "key": key.encode(),
        "partition": partition_of(key, PARTITIONS),
    }
    return Sent(**{**message, **changes})


def _headers(one: Sent) -> tuple[tuple[str, bytes | None], ...]:
    """With a signature of the source's institution, or of somebody's where it names none."""
    if not one.signed:
        return one.headers
    return (*one.headers, (SIGNATURE_HEADER, signature(one.value or b"")))


def drop_topics(kafka: str) -> None:
    """Delete what earlier tests wrote; the groups' positions go with it."""
    ours = {topic.name for topic in TOPICS}
    admin = KafkaAdminClient(bootstrap_servers=kafka)
    try:
        if found := ours & set(admin.list_topics()):
            admin.delete_topics(sorted(found))
        until(lambda: not ours & set(admin.list_topics()), "topics to go")
    finally:
        admin.close()


def all_topics(kafka: str) -> dict[str, str]:
    """Make the topics that are missing; the ids of all. Deleted ones may take a moment to go."""

    def applied() -> dict[str, str] | None:
        ids = apply_topics(kafka).ids
        return dict(ids) if len(ids) == len(TOPICS) else None

    ids = wait_until(applied, timeout=PATIENCE)
    assert ids is not None
    return ids


def all_indices(client: Elasticsearch, topic_id: str) -> None:
    """Make the indices of this generation of the topic; those of earlier ones, which a test that
    dropped the topics left behind, go."""
    left = [
        name
        for alias in ALIASES.values()
        for name, index in client.indices.get(index=f"{alias}-*", features="mappings").body.items()
        if index["mappings"]["_meta"]["topic_id"] != topic_id
    ]
    if left:
        client.indices.delete(index=left)
    prepare_indices(client, topic_id, begun=False)


class Worker:
    """One step as a process; its words are kept in `log`."""

    def __init__(self, step: str, environment: dict[str, str], log: Path) -> None:
        self.step = step
        self.log = log
        with log.open("ab") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "traverse_infra.cli", "work", "--step", step],
                env={**os.environ, **environment},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
            )

    def kill(self) -> None:
        """SIGKILL: no good-bye, nothing flushed."""
        self.process.kill()
        self.process.wait()

    def stop(self) -> None:
        """SIGTERM, as `traverse work` does; SIGKILL when that takes too long."""
        self.process.send_signal(signal.SIGCONT)
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.kill()

    def left(self, timeout: float = PATIENCE) -> int:
        """The exit code, once it has left by itself."""
        return self.process.wait(timeout)

    @property
    def words(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")


@dataclass
class Journey:
    """Topics and indices of its own, and the workers that a test starts on them."""

    kafka: str
    elasticsearch: str
    home: Path
    workers_elasticsearch: str = ""
    """Where the workers are sent instead, when something stands between."""
    workers: list[Worker] = field(default_factory=list)

    def begin(self) -> None:
        """Topics and indices as new; the groups' positions go with the topics."""
        drop_topics(self.kafka)
        self.up()
        until(lambda: not any(one.start for one in waiting(self.kafka)), "positions to go")

    def up(self) -> None:
        """What `traverse up` does once the engines answer: topics and indices that are missing."""

        ids = all_topics(self.kafka)
        with self.client() as client:
            all_indices(client, ids[OPPORTUNITIES])
        self.register(*members())

    def register(self, *institutions: Institution) -> None:
        """Put institutions into the registry."""
        self.write(
            Message(INSTITUTIONS, 0, one.siren.encode(), encode_institution(one))
            for one in institutions
        )

    def client(self) -> Elasticsearch:
        return Elasticsearch(self.elasticsearch, request_timeout=30)

    def start(self, *steps: str, **settings: str) -> list[Worker]:
        """Start steps (both by default) with more settings, like `batch_size="50"`."""
        self.home.mkdir(parents=True, exist_ok=True)
        given = {
            "home": str(self.home),
            "kafka": self.kafka,
            "elasticsearch": self.workers_elasticsearch or self.elasticsearch,
            "session_timeout": "6",  # the least that Kafka takes: a killed worker is missed sooner
            # A test that waits until all is acknowledged waits so long for each step.
            "acknowledge_every": "0.1",
            **settings,
        }
        environment = {f"TRAVERSE_{name.upper()}": value for name, value in given.items()}
        started = [
            Worker(step, environment, self.home / f"{step}-{len(self.workers)}.log")
            for step in steps or ("validate", "index")
        ]
        self.workers += started
        return started

    def stop_step(self, step: str) -> None:
        """End the workers of one step, in good order."""
        for worker in [one for one in self.workers if one.step == step]:
            worker.stop()
            self.workers.remove(worker)

    def stop(self) -> None:
        """End every worker; first those that were told nothing yet."""
        for worker in self.workers:
            if worker.process.poll() is None:
                worker.process.send_signal(signal.SIGCONT)
                worker.process.terminate()
        for worker in self.workers:
            worker.stop()
        self.workers.clear()

    def send(self, messages: Iterable[Sent]) -> None:
        """Put messages on `traverse.inbound`, in their order, and wait for the broker."""
        ordered = [
            # What others may send, no message of ours would be: no key, headers without value.
            Message(INBOUND, one.partition, one.key, one.value, _headers(one))  # type: ignore[arg-type]
            for one in messages
        ]
        self.write(ordered)

    def write(self, messages: Iterable[Message]) -> None:
        """Put messages on the log, and wait for the broker."""
        ordered = list(messages)

        async def write() -> None:
            # Not kafka-python: it sends no header and no message without a value.
            writer = LogWriter(self.kafka)
            await writer.start()
            try:
                await writer.write(ordered)
            finally:
                await writer.stop()

        asyncio.run(write())

    def publish(self, *events: dict[str, Any]) -> None:
        """Send events and wait until both steps have done with them."""
        self.send([sent(whole) for whole in events])
        self.settle()

    def settle(self, timeout: float = PATIENCE) -> None:
        """Wait until every step has acknowledged all it has; refresh the indices."""
        last: dict[str, int] = {}

        def at_rest() -> bool:
            for worker in self.workers:
                code = worker.process.poll()
                assert code in (None, -signal.SIGKILL), f"{worker.step} left:\n{worker.words}"
            with suppress(EngineAwayError):
                last.update(lags(self.kafka))
                return not any(last.values())
            return False

        if not wait_until(at_rest, timeout=timeout):
            words = "\n".join(worker.words[-2000:] for worker in self.workers)
            raise AssertionError(f"not at rest after {timeout} s: {last}\n{words}")
        with self.client() as client:
            client.indices.refresh(index=list(ALIASES.values()))

    def lag(self, group: str) -> int:
        """How many messages the group of a step has not acknowledged."""
        return lags(self.kafka)[group]

    def read(self, topic: str) -> list[LogMessage]:
        """Everything that is on a topic."""
        return list(read_topic(self.kafka, topic))

    def rejections(self) -> list[LogMessage]:
        """The rejected messages; a repetition after a restart has the same `origin`."""
        return list({one.headers["origin"]: one for one in self.read(REJECTED)}.values())

    def document(self, whole: dict[str, Any], alias: str = PUBLIC_ALIAS) -> dict[str, Any] | None:
        """The document of an event's record with its version, None where there is none."""
        identity = opportunity_id(whole["source"], whole["subject"])
        with self.client() as client:
            answer = client.options(ignore_status=404).get(index=alias, id=identity).body
        if not answer.get("found"):
            return None
        return {**answer["_source"], "_version": answer["_version"]}


def until(probe: Callable[[], Any], what: str, timeout: float = PATIENCE) -> None:
    """Wait for something to be so, or fail saying what was awaited."""
    assert wait_until(lambda: bool(probe()), timeout=timeout), f"waited in vain for: {what}"


class Ends:
    """How many messages a topic ever had, asked often."""

    def __init__(self, bootstrap: str, topic: str) -> None:
        self._consumer = KafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False)
        self._where = [TopicPartition(topic, number) for number in range(PARTITIONS)]

    def count(self) -> int:
        return sum(self._consumer.end_offsets(self._where).values())

    def close(self) -> None:
        self._consumer.close()


def kinds_of(messages: Sequence[LogMessage]) -> list[str]:
    """The types of the events on a topic."""
    return [orjson.loads(message.value or b"{}").get("type", "") for message in messages]
