"""The Kafka transport: the one module of this package that knows kafka-python."""

from concurrent.futures import Future
from functools import partial
from threading import BoundedSemaphore

from kafka import KafkaProducer
from kafka.errors import (
    KafkaError,
    KafkaTimeoutError,
    MessageSizeTooLargeError,
    RetriableError,
    TopicAuthorizationFailedError,
    UnknownTopicOrPartitionError,
)

from traverse_producers.errors import BrokerAwayError, BrokerRefusedError, PublishError
from traverse_producers.transport import Delivery, Headers
from traverse_schemas.identity import partition_of
from traverse_schemas.topics import INBOUND, MAX_EVENT_BYTES

_MOST_UNDER_WAY = 5000  # events; `send` waits when they are more: memory stays bounded


class KafkaTransport:
    """Idempotent, acks=all, keyed by record: per record, what was sent first is first on the log.

    Raises BrokerAwayError when no broker answers within the timeout.
    """

    def __init__(self, bootstrap: str, *, timeout: float = 30) -> None:
        self._bootstrap = bootstrap
        self._timeout = timeout
        self._room = BoundedSemaphore(_MOST_UNDER_WAY)
        milliseconds = int(timeout * 1000)
        try:
            self._producer = KafkaProducer(
                bootstrap_servers=bootstrap.split(","),
                acks="all",
                enable_idempotence=True,
                linger_ms=5,
                batch_size=128 * 1024,
                max_block_ms=milliseconds,
                request_timeout_ms=milliseconds,
                delivery_timeout_ms=milliseconds + 5,
                # The broker has its own limit; ours is checked before.
                max_request_size=4 * MAX_EVENT_BYTES,
            )
            partitions = self._producer.partitions_for(INBOUND)
        except KafkaTimeoutError as error:
            raise BrokerAwayError(bootstrap) from error
        except KafkaError as error:
            raise self._mapped(error) from error
        if not partitions:
            self._producer.close(timeout=0)
            raise self._mapped(UnknownTopicOrPartitionError())
        self._partitions = len(partitions)

    def send(self, key: str, octets: bytes, headers: Headers) -> Future[Delivery]:
        """See Transport.send. An empty key lets the broker's partitioner choose."""
        future: Future[Delivery] = Future()
        if not self._room.acquire(timeout=self._timeout):
            future.set_exception(BrokerAwayError(self._bootstrap))
            return future
        future.add_done_callback(lambda _: self._room.release())
        try:
            pending = self._producer.send(
                INBOUND,
                key=key.encode() if key else None,
                value=octets,
                headers=list(headers),
                partition=partition_of(key, self._partitions) if key else None,
            )
        except KafkaError as error:
            future.set_exception(self._mapped(error))
            return future
        pending.add_callback(partial(_delivered, future))
        pending.add_errback(lambda error: future.set_exception(self._mapped(error)))
        return future

    def flush(self, timeout: float | None) -> None:
        try:
            self._producer.flush(timeout=timeout)
        except KafkaTimeoutError:
            return  # the futures that are not done tell which

    def close(self, timeout: float | None) -> None:
        self._producer.close(timeout=timeout)

    def _mapped(self, error: BaseException) -> PublishError:
        """Every error of kafka-python becomes one of ours here, and nowhere else."""
        if isinstance(error, UnknownTopicOrPartitionError):
            return BrokerRefusedError(
                f"Le topic {INBOUND} n'existe pas sur {self._bootstrap} : lancez « traverse up »."
            )
        if isinstance(error, MessageSizeTooLargeError):
            return BrokerRefusedError(
                "Kafka refuse l'événement, trop grand : donnez les pièces par leur adresse."
            )
        if isinstance(error, TopicAuthorizationFailedError):
            return BrokerRefusedError(
                f"Kafka refuse l'écriture sur {INBOUND} : vérifiez le compte de l'institution."
            )
        if isinstance(error, RetriableError):
            return BrokerAwayError(self._bootstrap)
        return BrokerRefusedError(
            f"Kafka refuse l'événement ({type(error).__name__}) : réessayez, puis prévenez "
            "l'exploitant si cela dure."
        )


def _delivered(future: Future[Delivery], metadata: object) -> None:
    where = metadata
    future.set_result(Delivery(where.topic, where.partition, where.offset))  # type: ignore[attr-defined]
