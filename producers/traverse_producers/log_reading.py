"""Reading the log: the module of this package that knows kafka-python's consumer."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from threading import Lock
from typing import Self

from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError

from traverse_producers.errors import BrokerAwayError
from traverse_schemas.log.engine_access import kafka_client
from traverse_schemas.log.message import LogMessage

_CHUNK = 5000
_POLL_MS = 500


class LogReader:
    """Reads topics from given offsets on, one caller at a time. Raises BrokerAwayError."""

    def __init__(self, bootstrap: str, *, patience: float = 30) -> None:
        """`patience`: seconds for which Kafka may take to answer at all."""
        self._bootstrap = bootstrap
        self._lock = Lock()
        with self._mapped():
            self._consumer = KafkaConsumer(
                **kafka_client(bootstrap),
                enable_auto_commit=False,
                bootstrap_timeout_ms=int(1000 * patience),
            )

    def close(self) -> None:
        with self._lock:
            self._consumer.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def ends(self, topic: str) -> dict[int, int]:
        """The offset after the last message of each partition; {} for a topic that is not."""
        with self._lock, self._mapped():
            partitions = self._consumer.partitions_for_topic(topic) or ()
            where = [TopicPartition(topic, partition) for partition in partitions]
            found = self._consumer.end_offsets(where) if where else {}
            return {tp.partition: offset for tp, offset in found.items()}

    def read(self, topic: str, starts: Mapping[int, int]) -> Iterator[list[LogMessage]]:
        """Every message from `starts` (offset by partition) up to the present end, in chunks of
        one partition."""
        for partition, end in sorted(self.ends(topic).items()):
            start = starts.get(partition, 0)
            if start < end:
                yield from self._read(TopicPartition(topic, partition), start, end)

    def at(self, topic: str, partition: int, offset: int) -> LogMessage | None:
        """The message at one place; None when it is not kept any more."""
        end = self.ends(topic).get(partition, 0)
        if offset >= end:
            return None
        for chunk in self._read(TopicPartition(topic, partition), offset, offset + 1):
            return chunk[0] if chunk else None
        return None

    def _read(self, where: TopicPartition, start: int, end: int) -> Iterator[list[LogMessage]]:
        with self._lock, self._mapped():
            self._consumer.assign([where])
            self._consumer.seek(where, max(start, self._consumer.beginning_offsets([where])[where]))
            position = self._consumer.position(where)
        while position < end:
            with self._lock, self._mapped():
                polled = self._consumer.poll(timeout_ms=_POLL_MS, max_records=_CHUNK)
                position = self._consumer.position(where)
            yield [_message(each) for each in polled.get(where, ()) if each.offset < end]

    @contextmanager
    def _mapped(self) -> Iterator[None]:
        try:
            yield
        except (KafkaError, ValueError) as error:
            raise BrokerAwayError(self._bootstrap) from error


def _message(record: object) -> LogMessage:
    return LogMessage(
        record.topic,  # type: ignore[attr-defined]
        record.partition,  # type: ignore[attr-defined]
        record.offset,  # type: ignore[attr-defined]
        record.timestamp,  # type: ignore[attr-defined]
        record.key or b"",  # type: ignore[attr-defined]
        record.value,  # type: ignore[attr-defined]
        dict(record.headers),  # type: ignore[attr-defined]
    )
