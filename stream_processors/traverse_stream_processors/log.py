"""The log: the one module of this package that writes to and reads from Kafka (beside Faust).

Messages are packed into batches here, a partition at a time: sending them one by one costs ten
times the CPU, and a batch says the offset of each of its messages.
"""

import asyncio
from collections.abc import (
    AsyncGenerator,
    AsyncIterator,
    Awaitable,
    Callable,
    Iterator,
    Mapping,
    Sequence,
)
from contextlib import aclosing, contextmanager, suppress
from functools import partial
from typing import Any, NamedTuple, TypeVar

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition, errors
from aiokafka.errors import KafkaError
from tenacity import (
    AsyncRetrying,
    RetryCallState,
    retry_if_exception,
    wait_exponential_jitter,
)

from traverse_schemas.log.engine_access import aiokafka_client
from traverse_stream_processors.errors import LogRefusedError, WriterFencedError
from traverse_stream_processors.telemetry import logger

_T = TypeVar("_T")

_MAX_BATCH_BYTES = 512 * 1024
_MAX_REQUEST_BYTES = 4 * 1024 * 1024
_LONGEST_TRANSACTION_MS = 15 * 60 * 1000  # the most that a broker grants by default
_LOOK_MS = 50
"""A mark of a transaction is no message: at the end of a partition nothing else comes, and then a
look is over when this time is."""


class Message(NamedTuple):
    """A message to write: where, under which key, what, with which headers."""

    topic: str
    partition: int
    key: bytes
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = ()


class Stored(NamedTuple):
    """A message that was read back."""

    offset: int
    key: bytes
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]


class LogWriter:
    """Writes batches and waits until every replica in sync has them (acks=all, idempotent).

    When Kafka is away, `write` waits with growing pauses until it is back, and never drops; it
    raises LogRefusedError for what no waiting mends. A batch may then be written twice: every
    reader of ours bears that.

    With a `fence`, only one process writes under that name at a time (Kafka's transactional id):
    `start` ends what another left unfinished and shuts it out, and each `write` is a transaction.
    Who was shut out gets WriterFencedError, even when it was frozen meanwhile and knows nothing.
    """

    def __init__(self, bootstrap: str, fence: str | None = None) -> None:
        self._bootstrap = bootstrap
        self._fence = fence
        self._producer: AIOKafkaProducer | None = None

    async def start(self) -> None:
        """Connect, however long Kafka is away; must run in the event loop that will write."""
        await self.stop()
        with _told():
            self._producer = await _patiently(self._connected)

    async def _connected(self) -> AIOKafkaProducer:
        producer = AIOKafkaProducer(
            **aiokafka_client(self._bootstrap),
            acks="all",
            enable_idempotence=True,
            transactional_id=self._fence,
            # Kafka may be away for long; whoever takes over ends what is left open at once.
            transaction_timeout_ms=_LONGEST_TRANSACTION_MS,
            max_batch_size=_MAX_BATCH_BYTES,
            max_request_size=_MAX_REQUEST_BYTES,
            request_timeout_ms=20_000,
        )
        try:
            await producer.start()
        except BaseException:
            await producer.stop()
            raise
        return producer

    async def stop(self) -> None:
        if self._producer is not None:
            await self._producer.stop()
            self._producer = None

    async def write(self, messages: Sequence[Message]) -> list[int]:
        """Write all; give the offset of each, in the order of `messages`."""
        with _told():
            return await _patiently(partial(self._write_once, messages))

    async def _write_once(self, messages: Sequence[Message]) -> list[int]:
        producer = self._producer
        if producer is None:
            raise RuntimeError("LogWriter.write before start")
        if not messages:
            return []
        if self._fence is None:
            return await _send(producer, messages)
        async with producer.transaction():
            return await _send(producer, messages)


async def _send(producer: AIOKafkaProducer, messages: Sequence[Message]) -> list[int]:
    waiting: list[tuple[Any, list[int]]] = []
    for topic, partition, positions in _grouped(messages):
        batch = producer.create_batch()
        held: list[int] = []
        for position in positions:
            message = messages[position]
            packed = batch.append(
                key=message.key,
                value=message.value,
                timestamp=None,
                headers=list(message.headers),
            )
            if packed is None:
                sent = await producer.send_batch(batch, topic, partition=partition)
                waiting.append((sent, held))
                batch, held = producer.create_batch(), []
                batch.append(
                    key=message.key,
                    value=message.value,
                    timestamp=None,
                    headers=list(message.headers),
                )
            held.append(position)
        sent = await producer.send_batch(batch, topic, partition=partition)
        waiting.append((sent, held))
    offsets = [0] * len(messages)
    for sent, held in waiting:
        first = (await sent).offset
        for index, position in enumerate(held):
            offsets[position] = first + index
    return offsets


def _grouped(messages: Sequence[Message]) -> list[tuple[str, int, list[int]]]:
    groups: dict[tuple[str, int], list[int]] = {}
    for position, message in enumerate(messages):
        groups.setdefault((message.topic, message.partition), []).append(position)
    return [(topic, partition, positions) for (topic, partition), positions in groups.items()]


# What no waiting mends: access, sizes, and a producer that the broker no longer knows; the next
# process has a new one.
_FENCED = (errors.InvalidProducerEpoch, errors.ProducerFenced)
_LASTING = (
    *_FENCED,
    errors.ClusterAuthorizationFailedError,
    errors.TopicAuthorizationFailedError,
    errors.MessageSizeTooLargeError,
    errors.OutOfOrderSequenceNumber,
    errors.ProducerClosed,
    errors.RecordListTooLargeError,
    errors.SaslAuthenticationFailed,
    errors.UnknownProducerId,
)


@contextmanager
def _told() -> Iterator[None]:
    """What no waiting mends, as a sentence for who runs the step."""
    try:
        yield
    except _FENCED as error:
        raise WriterFencedError(
            "Un autre processus a pris la relève de celui-ci, qui n'écrit plus rien : c'est "
            "sans gravité, et il peut être relancé pour attendre à son tour."
        ) from error
    except KafkaError as error:
        raise LogRefusedError(
            f"Kafka refuse d'écrire ({type(error).__name__}) et attendre n'y changera rien : "
            "vérifiez les droits du compte et la taille des topics, puis relancez "
            "« traverse work »."
        ) from error


def _passes(error: BaseException) -> bool:
    """Whether waiting may mend it.

    An error of no kind is aiokafka's word that its sender has ended: from then on the producer says
    so again at each write, for ever.
    """
    known = isinstance(error, KafkaError | asyncio.TimeoutError)
    return known and not isinstance(error, _LASTING) and type(error) is not KafkaError


def _say_waiting(attempt: RetryCallState) -> None:
    error = attempt.outcome.exception() if attempt.outcome else None
    logger.warning(
        "Kafka ne répond pas (%s) : nouvel essai dans %.1f s, rien n'est perdu.",
        type(error).__name__,
        attempt.next_action.sleep if attempt.next_action else 0,
    )


async def _patiently(ask: Callable[[], Awaitable[_T]]) -> _T:
    """What Kafka answers in the end: while it is away, it is asked again, for ever."""
    async for attempt in AsyncRetrying(
        retry=retry_if_exception(_passes),
        wait=wait_exponential_jitter(multiplier=0.2, max=15, jitter=0.1),
        before_sleep=_say_waiting,
        reraise=True,
    ):
        with attempt:
            return await ask()
    raise AssertionError("unreachable: the retries never end")


async def _consumer(bootstrap: str, isolation_level: str = "read_committed") -> AIOKafkaConsumer:
    """A consumer that has reached Kafka, for reading places of its own choice."""
    consumer = AIOKafkaConsumer(
        **aiokafka_client(bootstrap),
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        isolation_level=isolation_level,
        max_partition_fetch_bytes=_MAX_REQUEST_BYTES,
    )
    try:
        await consumer.start()
    except BaseException:
        await _end(consumer)
        raise
    return consumer


async def _end(consumer: AIOKafkaConsumer) -> None:
    """Stop a consumer, whether Kafka is there or not.

    While it is away, aiokafka (0.14) cancels fetches of its own that wait to be tried again, and
    their cancellation comes out of its `stop` as if the caller were cancelled; it then leaves its
    connections open. In a task of its own it reaches nobody.
    """
    stopping = asyncio.ensure_future(consumer.stop())
    await asyncio.wait([stopping])
    if stopping.cancelled():
        await consumer._client.close()
    else:
        stopping.result()


async def read_partition(
    bootstrap: str, topic: str, partition: int, start: int
) -> AsyncGenerator[list[Stored], None]:
    """Everything of a partition from offset `start` to its present end, in chunks.

    An offset before the first kept one begins at the first kept one. Raises LogShrunkError when
    `start` lies beyond the end: the topic is not the one that was read before.
    """
    consumer = await _patiently(partial(_consumer, bootstrap))
    try:
        where = TopicPartition(topic, partition)
        consumer.assign([where])
        end = (await _patiently(partial(consumer.end_offsets, [where])))[where]
        if start > end:
            raise LogShrunkError(topic, partition)
        first = (await _patiently(partial(consumer.beginning_offsets, [where])))[where]
        consumer.seek(where, max(start, first))
        while await consumer.position(where) < end:
            found = await consumer.getmany(where, timeout_ms=_LOOK_MS, max_records=5000)
            yield [
                Stored(record.offset, record.key or b"", record.value, tuple(record.headers))
                for record in found.get(where, ())
                if record.offset < end
            ]
    finally:
        await _end(consumer)


async def read_at(
    bootstrap: str, topic: str, places: Sequence[tuple[int, int]]
) -> dict[tuple[int, int], Stored]:
    """The messages at these places (partition, offset), of those that are still kept. For few."""
    found: dict[tuple[int, int], Stored] = {}
    for partition in {partition for partition, _ in places}:
        wanted = {offset for one, offset in places if one == partition}
        chunks = read_partition(bootstrap, topic, partition, min(wanted))
        with suppress(LogShrunkError):
            async with aclosing(chunks):
                async for chunk in chunks:
                    found.update(
                        ((partition, one.offset), one) for one in chunk if one.offset in wanted
                    )
                    if chunk and chunk[-1].offset >= max(wanted):
                        break
    return found


class Follower:
    """Reads on in several topics, from where it last was to their present ends.

    Keeps one connection between readings. Not for who reads little and seldom: `read_partition`.
    """

    def __init__(self, bootstrap: str, topics: Sequence[str], partitions: int) -> None:
        self._bootstrap = bootstrap
        self._where = [
            TopicPartition(topic, each) for topic in topics for each in range(partitions)
        ]
        self._consumer: AIOKafkaConsumer | None = None

    async def news(
        self, start: Mapping[tuple[str, int], int]
    ) -> AsyncIterator[tuple[str, int, list[Stored]]]:
        """Chunks of (topic, partition, messages). `start` says from where (0 where it says
        nothing) when this was closed since the last reading. Raises LogShrunkError when a topic
        ends before that."""
        consumer = self._consumer or await self._open(start)
        ends = await _patiently(partial(consumer.end_offsets, self._where))
        left = set()
        for where in self._where:
            position = await consumer.position(where)
            if position > ends[where]:
                raise LogShrunkError(where.topic, where.partition)
            if position < ends[where]:
                left.add(where)
        while left:
            found = await consumer.getmany(*left, timeout_ms=_LOOK_MS, max_records=5000)
            for where, records in found.items():
                yield (
                    where.topic,
                    where.partition,
                    [
                        Stored(one.offset, one.key or b"", one.value, tuple(one.headers))
                        for one in records
                    ],
                )
            left = {each for each in left if await consumer.position(each) < ends[each]}

    async def close(self) -> None:
        """Close the connection; the next reading begins where `start` says."""
        consumer, self._consumer = self._consumer, None
        if consumer is not None:
            await _end(consumer)

    async def _open(self, start: Mapping[tuple[str, int], int]) -> AIOKafkaConsumer:
        consumer = await _patiently(partial(_consumer, self._bootstrap))
        self._consumer = consumer
        consumer.assign(self._where)
        firsts = await _patiently(partial(consumer.beginning_offsets, self._where))
        for where in self._where:
            consumer.seek(where, max(start.get((where.topic, where.partition), 0), firsts[where]))
        return consumer


async def last_messages(bootstrap: str, topic: str) -> dict[int, Stored | None]:
    """The last message of each partition that ever had one, None where none is kept any more; of a
    topic written without transactions."""
    consumer = await _patiently(partial(_consumer, bootstrap, "read_uncommitted"))
    try:
        numbers = consumer.partitions_for_topic(topic)
        if numbers is None:
            # The client asks about topics when it first assigns them.
            consumer.assign([TopicPartition(topic, 0)])
            await _patiently(partial(consumer.end_offsets, [TopicPartition(topic, 0)]))
            numbers = consumer.partitions_for_topic(topic) or {0}
        where = [TopicPartition(topic, number) for number in sorted(numbers)]
        consumer.assign(where)
        ends = await _patiently(partial(consumer.end_offsets, where))
        begins = await _patiently(partial(consumer.beginning_offsets, where))
        found: dict[int, Stored | None] = {}
        for each in where:
            if ends[each] > begins[each]:
                consumer.seek(each, ends[each] - 1)
                record = await consumer.getone(each)
                found[each.partition] = Stored(
                    record.offset, record.key or b"", record.value, tuple(record.headers)
                )
            elif ends[each]:
                found[each.partition] = None
        return found
    finally:
        await _end(consumer)


class LogShrunkError(Exception):
    """The topic ends before what was already read of it: it was recreated, or lost its tail."""
