"""The log of accepted events, as history asks it: the events of some records, by their places.

Nothing is read before the first question. Each question first reads on to the end that the log has
then, so that what was published or erased before it counts. kafka-python blocks: one thread of its
own, one call at a time.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import groupby
from pathlib import Path
from time import monotonic
from typing import Any, Final, NamedTuple, TypeVar

import orjson
from kafka import KafkaConsumer, TopicPartition

from traverse_schemas.log.engine_access import kafka_client
from traverse_schemas.log.topics import ACCEPTED
from traverse_search_api.engines.log_topic import describe_topic, or_anew
from traverse_search_api.errors import HistoryUnavailableError
from traverse_search_api.history.pointers import Pointer, Pointers

_FIRST_ANSWER_MS: Final = 1500
_READING: Final = 1.5  # seconds of reading on that a caller waits for
_MOST: Final = 2000
_FETCH: Final = 5.0  # seconds for the events themselves

Result = TypeVar("Result")


class Kept(NamedTuple):
    """An accepted event as the log has it."""

    event: dict[str, Any]
    headers: Mapping[str, str]


class AcceptedLog:
    """Reads `traverse.accepted`. Raises HistoryUnavailableError."""

    def __init__(self, bootstrap: str, folder: Path | None, topic: str = ACCEPTED) -> None:
        """Pointers lie in `folder`, or in memory."""
        self._bootstrap = bootstrap
        self._folder = folder
        self._topic = topic
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="history")
        self._consumer: KafkaConsumer | None = None
        self._pointers: Pointers | None = None
        self._partitions: tuple[TopicPartition, ...] = ()
        self._next: dict[int, int] = {}
        self._ended = False

    async def pointers(self, records: Iterable[tuple[str, str]]) -> list[list[Pointer]]:
        """Where the events of each record (source, subject) lie, in the order of its versions."""
        wanted = list(records)
        return await self._run(lambda: self._found(wanted))

    async def events(self, pointers: Iterable[Pointer]) -> dict[Pointer, Kept]:
        """The events that still lie there."""
        wanted = list(pointers)
        return await self._run(lambda: self._fetched(wanted))

    async def close(self) -> None:
        """Release everything."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._end)
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def _run(self, work: Callable[[], Result]) -> Result:
        def guarded() -> Result:
            with or_anew(self._drop, HistoryUnavailableError):
                return work()

        return await asyncio.get_running_loop().run_in_executor(self._thread, guarded)

    def _found(self, records: list[tuple[str, str]]) -> list[list[Pointer]]:
        pointers = self._read_on()
        return [pointers.of(source, subject) for source, subject in records]

    def _read_on(self) -> Pointers:
        """Read to the present end, for as long as a caller waits; beyond, reading goes on without
        one, and the caller comes back."""
        consumer = self._connected()
        pointers = self._pointers
        if pointers is None:
            raise HistoryUnavailableError
        until = monotonic() + _READING
        ends = consumer.end_offsets(self._partitions)
        consumer.assign(self._partitions)
        for where in self._partitions:
            consumer.seek(where, self._next[where.partition])
        while any(consumer.position(where) < ends[where] for where in self._partitions):
            if monotonic() > until:
                self._thread.submit(self._go_on)
                raise HistoryUnavailableError
            for where, records in consumer.poll(timeout_ms=200, max_records=_MOST).items():
                following = consumer.position(where)
                messages = ((one.offset, one.key or b"", one.value) for one in records)
                pointers.put(where.partition, messages, {where.partition: following})
                self._next[where.partition] = following
        return pointers

    def _go_on(self) -> None:
        if self._ended:
            return
        try:
            with or_anew(self._drop, HistoryUnavailableError):
                self._read_on()
        except HistoryUnavailableError:
            return  # it has been submitted again, or Kafka is away and the next caller sees it

    def _fetched(self, pointers: list[Pointer]) -> dict[Pointer, Kept]:
        consumer = self._connected()
        until = monotonic() + _FETCH
        found: dict[Pointer, Kept] = {}
        ordered = sorted(set(pointers), key=lambda one: (one.partition, one.offset))
        for partition, group in groupby(ordered, key=lambda one: one.partition):
            where = TopicPartition(self._topic, partition)
            consumer.assign([where])
            for one in group:
                if consumer.position(where) != one.offset:
                    consumer.seek(where, one.offset)
                while consumer.position(where) <= one.offset:
                    if monotonic() > until:
                        raise HistoryUnavailableError
                    # Compaction may have taken it: then a later one comes, and the position moves.
                    for record in consumer.poll(timeout_ms=500, max_records=1).get(where, ()):
                        if record.offset == one.offset and record.value:
                            found[one] = Kept(orjson.loads(record.value), _headers(record.headers))
        return found

    def _connected(self) -> KafkaConsumer:
        if self._consumer is None:
            topic = describe_topic(self._bootstrap, self._topic, _FIRST_ANSWER_MS)
            if topic is None:
                raise HistoryUnavailableError
            self._partitions = topic.partitions
            if self._pointers is None:
                self._pointers = Pointers(self._folder)
            begun = self._pointers.begin(topic.id)
            self._consumer = KafkaConsumer(
                **kafka_client(self._bootstrap),
                enable_auto_commit=False,
                auto_offset_reset="earliest",
                isolation_level="read_committed",
                bootstrap_timeout_ms=_FIRST_ANSWER_MS,
            )
            self._next = {one.partition: begun.get(one.partition, 0) for one in self._partitions}
        return self._consumer

    def _drop(self) -> None:
        consumer, self._consumer = self._consumer, None
        if consumer is not None:
            consumer.close(autocommit=False)

    def _end(self) -> None:
        self._ended = True
        self._drop()
        if self._pointers is not None:
            self._pointers.close()
            self._pointers = None


def _headers(given: Iterable[tuple[str, bytes]]) -> dict[str, str]:
    return {name: value.decode(errors="replace") for name, value in given}
