"""Which topic of the log this is by now: its id, which tells one generation from the next, and its
partitions."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from kafka import KafkaAdminClient, TopicPartition
from kafka.errors import KafkaError

from traverse_schemas.log.engine_access import kafka_client
from traverse_search_api.errors import SearchError


class LogTopic(NamedTuple):
    """A topic as Kafka describes it."""

    id: str
    partitions: tuple[TopicPartition, ...]


@contextmanager
def or_anew(drop: Callable[[], None], unavailable: type[SearchError]) -> Iterator[None]:
    """Kafka's errors become ours here; what was connected is dropped, and the next call connects
    anew."""
    try:
        yield
    except KafkaError as error:
        drop()
        raise unavailable from error


def describe_topic(bootstrap: str, topic: str, patience: int) -> LogTopic | None:
    """The topic, None where Kafka has it not; `patience` is how many milliseconds Kafka may take to
    answer at all. Raises KafkaError."""
    admin = KafkaAdminClient(**kafka_client(bootstrap), bootstrap_timeout_ms=patience)
    try:
        described = admin.describe_topics([topic])[0]
    finally:
        admin.close()
    if described["error_code"]:
        return None
    numbers = range(len(described["partitions"]))
    return LogTopic(
        str(described["topic_id"]), tuple(TopicPartition(topic, number) for number in numbers)
    )
