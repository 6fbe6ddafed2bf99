"""A message of the log, for who reads it from outside the processors."""

from typing import NamedTuple


class LogMessage(NamedTuple):
    """A message as it lies on the log; `time` is Kafka's timestamp in milliseconds."""

    topic: str
    partition: int
    offset: int
    time: int
    key: bytes
    value: bytes | None
    headers: dict[str, bytes]
