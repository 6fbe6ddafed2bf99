"""The log of changes (`traverse.changes`): the one module of this package that knows Kafka.

kafka-python blocks, so it works in a thread of its own; one consumer, one call at a time.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Final, NamedTuple, TypeVar

import orjson
from kafka import KafkaConsumer, TopicPartition
from kafka.errors import OffsetOutOfRangeError

from traverse_schemas.log.engine_access import kafka_client
from traverse_schemas.log.topics import CHANGES
from traverse_search_api.changes.errors import ForgottenChangesError, StreamUnavailableError
from traverse_search_api.changes.position import Position
from traverse_search_api.engines.log_topic import describe_topic, or_anew

_FIRST_ANSWER_MS: Final = 1500
"""A caller is told within two seconds that Kafka is away."""

_MOST: Final = 500

Result = TypeVar("Result")


class Change(NamedTuple):
    """One message of `traverse.changes`: which document changed, and where the message lies.

    `held` names the index that now holds it, `version` the version that a search will show. What
    was not `shown` is a stub, and was one: nobody can miss it.
    """

    id: str
    held: str
    version: int
    partition: int
    offset: int
    shown: bool = True


class ChangeLog:
    """Reads `traverse.changes` from any position. Raises StreamUnavailableError."""

    def __init__(self, bootstrap: str, topic: str = CHANGES) -> None:
        self._bootstrap = bootstrap
        self._topic = topic
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="changes")
        self._consumer: KafkaConsumer | None = None
        self._partitions: tuple[TopicPartition, ...] = ()
        self._at: Position | None = None

    async def end(self) -> Position:
        """The position after the last change of now. Looks at the topic's generation anew."""
        return await self._run(self._end)

    async def beginning(self) -> Position:
        """The position of the oldest change that is kept."""
        return await self._run(self._beginning)

    async def at(self, moment: datetime) -> Position:
        """The position of the first change at or after a moment (aware)."""
        return await self._run(lambda: self._since(moment))

    async def read(self, start: Position, wait: float) -> tuple[list[Change], Position]:
        """Some changes from `start` on, waiting so many seconds for the first, and where they end.

        Those of one partition are in the order of the log. Raises ForgottenChangesError where the
        log does not hold what comes after `start`.
        """
        return await self._run(lambda: self._read(start, int(wait * 1000)))

    async def close(self) -> None:
        """Release the connection."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._drop)
        self._thread.shutdown(wait=False)

    async def _run(self, work: Callable[[], Result]) -> Result:
        def guarded() -> Result:
            with or_anew(self._drop, StreamUnavailableError):
                return work()

        return await asyncio.get_running_loop().run_in_executor(self._thread, guarded)

    def _end(self) -> Position:
        topic = describe_topic(self._bootstrap, self._topic, _FIRST_ANSWER_MS)
        if topic is None:
            raise StreamUnavailableError
        self._partitions = topic.partitions
        consumer = self._connected()
        consumer.assign(self._partitions)
        self._at = None
        return self._position(topic.id, consumer.end_offsets(self._partitions))

    def _beginning(self) -> Position:
        generation = self._end().generation
        return self._position(generation, self._connected().beginning_offsets(self._partitions))

    def _since(self, moment: datetime) -> Position:
        end = self._end()
        milliseconds = max(0, int(moment.timestamp() * 1000))  # Kafka knows no earlier time
        found = self._connected().offsets_for_times(dict.fromkeys(self._partitions, milliseconds))
        return end._replace(
            offsets=tuple(
                found[where].offset if found.get(where) else end.offsets[where.partition]
                for where in self._partitions
            )
        )

    def _read(self, start: Position, wait_ms: int) -> tuple[list[Change], Position]:
        consumer = self._connected()
        if self._at != start:
            consumer.assign(self._partitions)
            for where in self._partitions:
                consumer.seek(where, start.offsets[where.partition])
        try:
            polled = consumer.poll(timeout_ms=wait_ms, max_records=_MOST)
        except OffsetOutOfRangeError as error:
            self._at = None
            raise ForgottenChangesError from error
        changes = [
            _change(record.value, where.partition, record.offset)
            for where in self._partitions
            for record in polled.get(where, ())
            if record.value
        ]
        # Not the last message's offset: marks of transactions take offsets too.
        self._at = start._replace(
            offsets=tuple(consumer.position(where) for where in self._partitions)
        )
        return changes, self._at

    def _position(self, generation: str, offsets: dict[TopicPartition, int]) -> Position:
        return Position(generation, tuple(offsets[where] for where in self._partitions))

    def _connected(self) -> KafkaConsumer:
        if self._consumer is None:
            self._consumer = KafkaConsumer(
                **kafka_client(self._bootstrap),
                enable_auto_commit=False,
                # What a reader asks for and the log no longer holds is an error to see, not a
                # place to begin again in silence.
                auto_offset_reset="none",
                isolation_level="read_committed",
                bootstrap_timeout_ms=_FIRST_ANSWER_MS,
            )
            self._at = None
        return self._consumer

    def _drop(self) -> None:
        consumer, self._consumer, self._at = self._consumer, None, None
        if consumer is not None:
            consumer.close(autocommit=False)


def _change(octets: bytes, partition: int, offset: int) -> Change:
    value = orjson.loads(octets)
    shown = value.get("shown", True)
    return Change(value["id"], value["index"], int(value["version"]), partition, offset, shown)
