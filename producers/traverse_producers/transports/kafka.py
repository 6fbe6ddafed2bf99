"""The Kafka transport: the one module of this package that knows kafka-python."""

import threading
from concurrent.futures import Future
from functools import partial
from typing import Any

from kafka.errors import (
    IllegalStateError,
    InvalidRecordError,
    KafkaError,
    KafkaTimeoutError,
    MessageSizeTooLargeError,
    RetriableError,
    TopicAuthorizationFailedError,
    UnknownTopicOrPartitionError,
)

from traverse_producers.errors import (
    BrokerAwayError,
    BrokerRefusedError,
    EventRefusedError,
    PublishError,
)
from traverse_producers.room import Room
from traverse_producers.transports.contract import Delivery, Headers
from traverse_schemas.log.engine_access import EngineAccess, engine_access
from traverse_schemas.log.identity import partition_of
from traverse_schemas.log.kafka_producer import idempotent_producer
from traverse_schemas.log.topics import INBOUND, MAX_EVENT_BYTES

# What may be under way; `send` waits when it is more, so that memory stays bounded.
_MOST_EVENTS = 5000
_MOST_OCTETS = 64 * MAX_EVENT_BYTES

# Whoever types a wrong address, or forgot to start Kafka, is told before losing patience.
_FIRST_ANSWER_MS = 10_000
_STILL_THERE = 5.0  # seconds for a broker that had answered to do so again


class KafkaTransport:
    """Idempotent, acks=all, keyed by record: per record, what was sent first is first on the log.

    Raises BrokerAwayError when no broker answers within the timeout (seconds), BrokerRefusedError
    when it does not have the topic.
    """

    def __init__(
        self, bootstrap: str, *, timeout: float = 30, access: EngineAccess | None = None
    ) -> None:
        """`access`: who publishes, for a Kafka that asks; by the environment when it is None."""
        self._bootstrap = bootstrap
        self._timeout = timeout
        self._room = Room(_MOST_EVENTS, _MOST_OCTETS)
        milliseconds = int(timeout * 1000)
        try:
            self._producer = idempotent_producer(
                **(access or engine_access()).kafka(bootstrap),
                linger_ms=5,
                batch_size=128 * 1024,
                bootstrap_timeout_ms=min(milliseconds, _FIRST_ANSWER_MS),
                max_block_ms=milliseconds,
                request_timeout_ms=milliseconds,
                delivery_timeout_ms=milliseconds + 5,
                # The broker has its own limit; ours is checked before.
                max_request_size=4 * MAX_EVENT_BYTES,
            )
        except KafkaTimeoutError as error:
            raise BrokerAwayError(bootstrap) from error
        except KafkaError as error:
            raise self._mapped(error) from error
        except ValueError as error:  # an address whose port is no number
            raise BrokerAwayError(bootstrap) from error
        try:
            self._partitions = len(self._known_partitions())
        except PublishError:
            self.close(0)
            raise

    def send(self, key: str, octets: bytes, headers: Headers) -> Future[Delivery]:
        """See Transport.send. An empty key lets the broker's partitioner choose."""
        future: Future[Delivery] = Future()
        future.set_running_or_notify_cancel()  # from here on it cannot be cancelled
        if not self._room.take(len(octets), self._timeout):
            future.set_exception(BrokerAwayError(self._bootstrap))
            return future
        future.add_done_callback(lambda _: self._room.give_back(len(octets)))
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
        """See Transport.flush."""
        try:
            self._producer.flush(timeout=timeout)
        except KafkaTimeoutError:
            return  # the futures that are not done tell which

    def close(self, timeout: float | None) -> None:
        """See Transport.close."""
        try:
            self._producer.close(timeout=timeout)
        except KafkaTimeoutError:
            # Its close flushes first, and gives up with its thread still at work when that takes
            # too long. Only the sender itself can then fail what is left, and end.
            self._producer._sender.force_close()
            self._producer._sender.join(self._timeout)

    def answers(self, timeout: float) -> bool:
        """Whether a broker answers within `timeout` seconds; asks it, whatever is cached."""
        succeeded: bool = self._asked(timeout).succeeded()
        return succeeded

    def _asked(self, timeout: float) -> Any:
        """kafka-python's future of what a broker says of the topic, once `timeout` seconds are over
        or it is done."""
        answered = threading.Event()
        future = self._producer._metadata.request_update()
        future.add_both(lambda _: answered.set())
        self._producer._sender.wakeup()
        answered.wait(timeout)
        return future

    def _known_partitions(self) -> set[int]:
        try:
            known: set[int] | None = self._producer.partitions_for(INBOUND)
        except KafkaTimeoutError as error:
            # Of a topic that is not there too: kafka-python waits for it to come.
            found = self._asked(_STILL_THERE).exception
            if isinstance(found, UnknownTopicOrPartitionError):
                raise self._mapped(found) from error
            raise BrokerAwayError(self._bootstrap) from error
        except KafkaError as error:
            raise self._mapped(error) from error
        if not known:
            raise self._mapped(UnknownTopicOrPartitionError())
        return known

    def _mapped(self, error: BaseException) -> PublishError:
        """Every error of kafka-python becomes one of ours here, and nowhere else."""
        if isinstance(error, UnknownTopicOrPartitionError):
            return BrokerRefusedError(
                f"Le topic {INBOUND} n'existe pas sur {self._bootstrap} : lancez « traverse up »."
            )
        if isinstance(error, MessageSizeTooLargeError):
            return EventRefusedError(
                "Kafka refuse l'événement, trop grand : donnez les pièces par leur adresse."
            )
        if isinstance(error, InvalidRecordError):
            return EventRefusedError(
                f"Kafka refuse l'événement, qu'il ne peut pas lire ({error}) : publiez-le de "
                "nouveau, puis prévenez l'exploitant si cela dure."
            )
        if isinstance(error, TopicAuthorizationFailedError):
            return BrokerRefusedError(
                f"Kafka refuse l'écriture sur {INBOUND} : vérifiez le compte de l'institution."
            )
        if isinstance(error, RetriableError | IllegalStateError):  # the latter: closed before
            return BrokerAwayError(self._bootstrap)
        return BrokerRefusedError(
            f"Kafka refuse l'événement ({type(error).__name__}) : réessayez, puis prévenez "
            "l'exploitant si cela dure."
        )


def _delivered(future: Future[Delivery], metadata: object) -> None:
    where = metadata
    future.set_result(Delivery(where.topic, where.partition, where.offset))  # type: ignore[attr-defined]
