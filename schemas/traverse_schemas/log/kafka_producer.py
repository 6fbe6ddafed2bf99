"""kafka-python's idempotent producer, mended where it would stand still for ever.

When a batch expires that was sent once and not answered (Kafka was killed, and is back later than
the delivery timeout), the producer forgets its producer id, and must ask for another before it
sends anything more. In kafka-python 3.0.12 it never asks: its state still says that it has one.
From then on every event is taken, and none is ever sent, nor fails. Java's producer had the same
fault (KAFKA-7737) and mended it so: to forget the id is to be uninitialised again.
"""

from collections.abc import Callable
from typing import Any

from kafka import KafkaProducer
from kafka.producer.transaction_manager import TransactionState


def idempotent_producer(**words: Any) -> Any:
    """A KafkaProducer with these words, acks=all, that goes on after whatever outage."""
    producer = KafkaProducer(**words, acks="all", enable_idempotence=True)
    manager: Any = producer._transaction_manager
    manager.reset_producer_id = _forgetting(manager, manager.reset_producer_id)
    return producer


def _forgetting(manager: Any, reset: Callable[[], None]) -> Callable[[], None]:
    def wholly() -> None:
        # Called by the sender's thread alone, between two requests for an id.
        reset()
        manager._current_state = TransactionState.UNINITIALIZED

    return wholly
