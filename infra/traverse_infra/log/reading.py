"""Reading the log from outside the processors: whole topics, and how far the steps have come."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from kafka import KafkaAdminClient, KafkaConsumer, TopicPartition
from kafka.admin import OffsetSpec
from kafka.errors import (
    AuthorizationError,
    CoordinatorLoadInProgressError,
    CoordinatorNotAvailableError,
    KafkaError,
    NotCoordinatorError,
    SaslAuthenticationFailedError,
    for_code,
)
from tenacity import retry, retry_if_exception_type, stop_after_delay, wait_exponential

from traverse_infra.errors import EngineAwayError, TopicError
from traverse_schemas.log.engine_access import EngineAccess, engine_access, kafka_client
from traverse_schemas.log.message import LogMessage
from traverse_schemas.log.topics import DECISIONS, INBOUND, RECORDS

GROUPS: Mapping[str, tuple[str, ...]] = {
    "traverse-validate": (INBOUND,),
    "traverse-index": (RECORDS, DECISIONS),
}
"""Consumer group of each step, and the topics it reads."""

_PATIENCE_MS = 10_000
_OLDEST_PATIENCE = 2.0  # seconds
_A_MESSAGE = 1024
"""Octets: Kafka sends one batch all the same, however large."""


def read_topic(
    bootstrap: str, topic: str, start: Mapping[int, int] | None = None
) -> Iterator[LogMessage]:
    """Every message of a topic, partition by partition, up to the end it has now.

    `start` gives the first offset of a partition; 0 where it says nothing. Raises EngineAwayError.
    """
    with _mapped(bootstrap):
        # What a writer that was shut out had not finished was never said.
        consumer = KafkaConsumer(
            **kafka_client(bootstrap),
            enable_auto_commit=False,
            isolation_level="read_committed",
        )
        try:
            for partition in sorted(consumer.partitions_for_topic(topic) or ()):
                where = TopicPartition(topic, partition)
                yield from _read_partition(consumer, where, (start or {}).get(partition, 0))
        finally:
            consumer.close()


class LogReader:
    """Reads on in a topic, from where it last was to its present end; keeps its connection."""

    def __init__(self, bootstrap: str, topic: str, start: Mapping[int, int]) -> None:
        """`start` gives the first offset of a partition; 0 where it says nothing."""
        self._bootstrap = bootstrap
        with _mapped(bootstrap):
            self._consumer = KafkaConsumer(
                **kafka_client(bootstrap),
                enable_auto_commit=False,
                isolation_level="read_committed",
            )
            self._where = [
                TopicPartition(topic, partition)
                for partition in sorted(self._consumer.partitions_for_topic(topic) or ())
            ]
            self._consumer.assign(self._where)
            firsts = self._consumer.beginning_offsets(self._where)
            for where in self._where:
                self._consumer.seek(where, max(start.get(where.partition, 0), firsts[where]))

    def news(self) -> Iterator[LogMessage]:
        """Everything up to the end that the topic has when this is called; those of a partition
        in its order. Raises EngineAwayError."""
        with _mapped(self._bootstrap):
            ends = self._consumer.end_offsets(self._where)
            while any(self._consumer.position(where) < ends[where] for where in self._where):
                # A mark of a transaction is no message: a short wait, then look again.
                for records in self._consumer.poll(timeout_ms=100, max_records=2000).values():
                    yield from map(_message, records)

    def close(self) -> None:
        self._consumer.close()


class Waiting(NamedTuple):
    """How far a step is behind in one partition of a topic that it reads: `start` is the offset
    that it reads next, `messages` how many it has not acknowledged (marks of transactions
    included)."""

    group: str
    topic: str
    partition: int
    start: int
    messages: int


def waiting(bootstrap: str, access: EngineAccess | None = None) -> list[Waiting]:
    """Every partition of every step, whether something waits there or not.

    `access`: who asks; by the environment when it is None. Raises EngineAwayError.
    """
    with _mapped(bootstrap):
        words = (access or engine_access()).kafka(bootstrap)
        admin = KafkaAdminClient(**words, bootstrap_timeout_ms=_PATIENCE_MS)
        try:
            committed = _committed(admin)
            found = []
            for group, topics in GROUPS.items():
                where = [
                    TopicPartition(described["name"], each["partition_index"])
                    for described in _described(admin, topics)
                    for each in described["partitions"]
                ]
                ends = admin.list_partition_offsets(dict.fromkeys(where, OffsetSpec.LATEST))
                starts = admin.list_partition_offsets(dict.fromkeys(where, OffsetSpec.EARLIEST))
                done = committed.get(group, {})
                for tp in where:
                    start = done[tp].offset if tp in done else starts[tp].offset
                    count = ends[tp].offset - start
                    found.append(Waiting(group, tp.topic, tp.partition, start, count))
            return found
        finally:
            admin.close()


def lags(bootstrap: str) -> dict[str, int]:
    """How many messages each step has not acknowledged yet, by consumer group.

    Raises EngineAwayError.
    """
    found = dict.fromkeys(GROUPS, 0)
    for one in waiting(bootstrap):
        found[one.group] += one.messages
    return found


def oldest_waiting(
    bootstrap: str, behind: Sequence[Waiting], access: EngineAccess | None = None
) -> dict[tuple[str, int], int]:
    """Kafka's timestamp (milliseconds) of the first message that waits, by topic and partition.

    Reads one message of each, for two seconds at most; what is not there by then is left out.
    Raises EngineAwayError.
    """
    where = {TopicPartition(one.topic, one.partition): one.start for one in behind if one.messages}
    if not where:
        return {}
    with _mapped(bootstrap):
        consumer = KafkaConsumer(
            **(access or engine_access()).kafka(bootstrap),
            enable_auto_commit=False,
            max_partition_fetch_bytes=_A_MESSAGE,
        )
        try:
            consumer.assign([*where])
            for tp, start in where.items():
                consumer.seek(tp, start)
            times: dict[tuple[str, int], int] = {}
            until = time.monotonic() + _OLDEST_PATIENCE
            while (left := until - time.monotonic()) > 0 and len(times) < len(where):
                for tp, records in consumer.poll(timeout_ms=int(left * 1000)).items():
                    times[tp.topic, tp.partition] = records[0].timestamp
                    consumer.pause(tp)
            return times
        finally:
            consumer.close()


# A broker that has just taken over a group reads what it remembered of it first: for a moment it
# cannot say, and it answers soon.
@retry(
    retry=retry_if_exception_type((CoordinatorLoadInProgressError, NotCoordinatorError)),
    wait=wait_exponential(multiplier=0.05, max=1),
    stop=stop_after_delay(_PATIENCE_MS / 1000),
    reraise=True,
)
def _committed(admin: KafkaAdminClient) -> dict[str, Any]:
    try:
        found: dict[str, Any] = admin.list_group_offsets(dict.fromkeys(GROUPS))
    except CoordinatorNotAvailableError:
        # A broker that is new has no group yet, nor the topic that remembers them.
        return {}
    return found


def _described(admin: KafkaAdminClient, topics: tuple[str, ...]) -> list[Any]:
    """The topics as the broker knows them. One that it does not know has no partition to count in:
    that is no end of the work."""
    found: list[Any] = admin.describe_topics(list(topics))
    for topic in found:
        if topic["error_code"]:
            raise for_code(topic["error_code"])(topic["name"])
    return found


def _read_partition(
    consumer: KafkaConsumer, where: TopicPartition, start: int
) -> Iterator[LogMessage]:
    consumer.assign([where])
    end = consumer.end_offsets([where])[where]
    consumer.seek(where, max(start, consumer.beginning_offsets([where])[where]))
    while consumer.position(where) < end:
        for record in consumer.poll(timeout_ms=500).get(where, ()):
            if record.offset < end:
                yield _message(record)


def _message(record: Any) -> LogMessage:
    return LogMessage(
        record.topic,
        record.partition,
        record.offset,
        record.timestamp,
        record.key or b"",
        record.value,
        dict(record.headers),
    )


@contextmanager
def _mapped(bootstrap: str) -> Iterator[None]:
    try:
        yield
    except (AuthorizationError, SaslAuthenticationFailedError) as error:
        raise TopicError(
            f"Kafka ({bootstrap}) ne laisse pas lire le journal ({type(error).__name__}) : voyez "
            "le compte et ses droits (TRAVERSE_KAFKA_USER)."
        ) from error
    except KafkaError as error:
        raise EngineAwayError("Kafka", bootstrap, type(error).__name__) from error
