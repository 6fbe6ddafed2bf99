"""The Kafka log under a CompactedTable: the one module of this package that knows kafka-python."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError, KafkaTimeoutError, TopicAuthorizationFailedError

from traverse_schemas.log.compacted_table import WRITE_HEADER, Stored, TableAwayError
from traverse_schemas.log.engine_access import engine_access, kafka_client
from traverse_schemas.log.kafka_producer import idempotent_producer

_FIRST_ANSWER_MS = 5_000
_OTHER_ACCOUNT = (
    "prenez un compte qui en a le droit (« operator » a tous les droits ; en local, chargez "
    "secure/secrets/operator.env)"
)


class KafkaTableLog:
    """A compacted topic of one partition. Nothing is opened before `open` or `append`."""

    def __init__(
        self, bootstrap: str, topic: str, *, since: Callable[[], float] | None = None
    ) -> None:
        """`since` says at each opening from which moment on (seconds since 1970) messages are
        wanted, for a topic of which the older ones are of no use; all are where it is left out."""
        self._bootstrap = bootstrap
        self._topic = topic
        self._since = since
        self._where = TopicPartition(topic, 0)
        self._consumer: Any = None
        self._producer: Any = None
        self._asking: Any = None
        self._lock = threading.Lock()

    @property
    def name(self) -> str:
        return self._topic

    def open(self) -> int:
        """See TableLog.open."""
        with self._mapped():
            self._consumer = self._new_consumer()
            if not self._consumer.partitions_for_topic(self._topic):
                raise TableAwayError(self._missing())
            self._consumer.assign([self._where])
            end: int = self._consumer.end_offsets([self._where])[self._where]
            if self._since is None:
                self._consumer.seek_to_beginning(self._where)
            else:
                moment = {self._where: int(self._since() * 1000)}
                # Nothing since then up to `end`; what has come meanwhile is after that.
                found = self._consumer.offsets_for_times(moment)[self._where]
                self._consumer.seek(self._where, end if found is None else found.offset)
            return end

    def read(self, timeout: float) -> tuple[list[Stored], int]:
        """See TableLog.read."""
        with self._mapped():
            milliseconds = int(timeout * 1000)
            found = self._consumer.poll(timeout_ms=milliseconds).get(self._where, ())
            position = self._consumer.position(self._where, timeout_ms=milliseconds)
            return [_stored(record) for record in found], position or 0

    def append(self, key: str, value: bytes | None, write: str, timeout: float) -> None:
        """See TableLog.append."""
        with self._mapped():
            self._writer(timeout).send(
                self._topic,
                key=key.encode(),
                value=value,
                partition=0,
                headers=[(WRITE_HEADER, write.encode())],
            ).get(timeout)

    def last(self) -> int:
        """See TableLog.last."""
        # A consumer of its own: the reader's is not to be shared between threads.
        with self._mapped(), self._lock:
            if self._asking is None:
                self._asking = self._new_consumer()
            end: int = self._asking.end_offsets([self._where])[self._where]
            return end

    def close(self) -> None:
        """See TableLog.close."""
        consumer, self._consumer = self._consumer, None
        if consumer is not None:
            with self._mapped():
                consumer.close()

    def end(self) -> None:
        """See TableLog.end."""
        with self._lock:
            producer, self._producer = self._producer, None
            asking, self._asking = self._asking, None
        if producer is not None:
            producer.close(timeout=1)
        if asking is not None:
            asking.close()

    def _new_consumer(self) -> Any:
        return KafkaConsumer(
            **kafka_client(self._bootstrap),
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            bootstrap_timeout_ms=_FIRST_ANSWER_MS,
            allow_auto_create_topics=False,
        )

    def _writer(self, timeout: float) -> Any:
        # While Kafka is away one connects, and the others wait no longer than they may.
        if not self._lock.acquire(timeout=max(timeout, 0)):
            raise KafkaTimeoutError
        try:
            if self._producer is None:
                self._producer = idempotent_producer(
                    **kafka_client(self._bootstrap),
                    bootstrap_timeout_ms=_FIRST_ANSWER_MS,
                    max_block_ms=_FIRST_ANSWER_MS,
                )
            return self._producer
        finally:
            self._lock.release()

    def _missing(self) -> str:
        """Of a topic that an account may not see, Kafka says what it says of one that is not
        there."""
        account = engine_access().kafka_user
        seen = f", ou le compte « {account} » ne peut pas le voir" if account else ""
        other = f", ou {_OTHER_ACCOUNT}" if account else ""
        return (
            f"Le topic {self._topic} n'existe pas sur {self._bootstrap}{seen} : créez-le avec "
            f"« traverse up »{other}."
        )

    @contextmanager
    def _mapped(self) -> Iterator[None]:
        try:
            yield
        except TopicAuthorizationFailedError as error:
            raise TableAwayError(
                f"Le compte « {engine_access().kafka_user or 'sans nom'} » n'a pas ce droit sur "
                f"{self._topic} ({self._bootstrap}) : {_OTHER_ACCOUNT}."
            ) from error
        except (KafkaError, ValueError) as error:  # ValueError: a port that is no number
            raise TableAwayError(
                f"Kafka ({self._bootstrap}) ne donne pas {self._topic} ({type(error).__name__}) : "
                "vérifiez qu'il tourne (« traverse status ») et les droits du compte."
            ) from error


def _stored(record: Any) -> Stored:
    write = dict(record.headers).get(WRITE_HEADER) or b""
    key = (record.key or b"").decode(errors="replace")
    return Stored(record.offset, key, record.value, write.decode(errors="replace"))
