"""Kafka as the gateway writes it: the one module of the gateway that knows aiokafka.

Events are packed into Kafka's own batches here, one a partition for all requests that wait: a
producer that takes them one by one has a future for each, and in pure Python the packing costs more
than reading the event.
"""

import asyncio
import logging
from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import (
    CorruptRecordException,
    InvalidTimestampError,
    KafkaConnectionError,
    KafkaError,
    KafkaTimeoutError,
    MessageSizeTooLargeError,
    ProducerClosed,
    RecordListTooLargeError,
    TopicAuthorizationFailedError,
    UnknownTopicOrPartitionError,
)

from traverse_producers.errors import (
    BrokerAwayError,
    BrokerRefusedError,
    EventRefusedError,
    PublishError,
)
from traverse_producers.gateway.journal import Entry, Outcome
from traverse_producers.transports.contract import Delivery
from traverse_schemas.log.engine_access import aiokafka_client
from traverse_schemas.log.identity import partition_of
from traverse_schemas.log.topics import INBOUND

_LOG = logging.getLogger(__name__)
_BATCH = 128 * 1024
"""Octets of one batch; an event that is larger has one to itself."""


class _Call:
    """One `write`: what is not known yet of its events."""

    def __init__(self, entries: Sequence[Entry], outcomes: list[Outcome | None]) -> None:
        self.entries = entries
        self.outcomes = outcomes
        self.left = len(entries)
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def settle(self, place: int, outcome: Outcome) -> None:
        if self.outcomes[place] is not None:  # given up, and then answered all the same
            return
        self.outcomes[place] = outcome
        self.left -= 1
        if self.left == 0 and not self.done.done():
            self.done.set_result(None)


_Places = list[tuple[_Call, int]]


class _Line:
    """What waits for one partition, and the task that writes it."""

    def __init__(self) -> None:
        self.waiting: _Places = []
        self.wanted = asyncio.Event()
        self.writer: asyncio.Task[None] | None = None


class KafkaLog:
    """See Log; idempotent, acks=all, keyed by record. Opened once.

    What it began to send when Kafka went away is delivered when that is back, however late: an
    idempotent producer may not leave out what it has numbered.
    """

    def __init__(self, bootstrap: str, *, timeout: float = 10) -> None:
        """`timeout`, in seconds, bounds one request to Kafka, and the connecting."""
        self._bootstrap = bootstrap
        self._timeout = timeout
        self._producer: Any = None
        self._lines: list[_Line] = []
        self._open: set[_Call] = set()
        self._broken: PublishError | None = None

    async def open(self) -> None:
        """See Log.open. Raises BrokerAwayError, BrokerRefusedError."""
        self._producer = AIOKafkaProducer(
            **aiokafka_client(self._bootstrap),
            acks="all",
            enable_idempotence=True,
            max_batch_size=_BATCH,
            request_timeout_ms=int(self._timeout * 1000),
        )
        try:
            # A topic that is missing is known to be after one timeout.
            async with asyncio.timeout(2 * self._timeout):
                await self._producer.start()
                partitions = len(await self._producer.partitions_for(INBOUND))
        except BaseException as error:
            await self._release(0)
            if isinstance(error, KafkaError | TimeoutError):
                raise self._mapped(error) from error
            raise
        self._lines = [_Line() for _ in range(partitions)]
        for partition, line in enumerate(self._lines):
            line.writer = asyncio.create_task(self._write_on(partition, line))
            line.writer.add_done_callback(self._ended)

    def line(self, key: str) -> int:
        """See Log.line: its partition."""
        return partition_of(key, len(self._lines))

    async def write(self, entries: Sequence[Entry], outcomes: list[Outcome | None]) -> None:
        """See Log.write."""
        if not entries:
            return
        if self._broken is not None:
            outcomes[:] = [self._broken] * len(entries)
            return
        lines = [self._lines[self.line(each.key)] for each in entries]
        call = _Call(entries, outcomes)
        self._open.add(call)
        for place, line in enumerate(lines):
            line.waiting.append((call, place))
            line.wanted.set()
        try:
            await call.done
        finally:
            self._open.discard(call)

    async def answers(self, seconds: float) -> bool:
        """See Log.answers; it is asked, whatever is cached."""
        try:
            async with asyncio.timeout(seconds):
                await self._producer.client.fetch_all_metadata()
        except (KafkaError, TimeoutError):
            return False
        return True

    async def close(self, seconds: float) -> None:
        """See Log.close."""
        if self._open and seconds:
            await asyncio.wait({each.done for each in self._open}, timeout=seconds)
        writers = {line.writer for line in self._lines if line.writer is not None}
        for writer in writers:
            writer.cancel()
        if writers:
            await asyncio.wait(writers)
        try:
            await self._release(seconds)
        finally:  # whoever waits is told, whatever the client stumbles over
            self._give_up(BrokerAwayError(self._bootstrap))

    async def _write_on(self, partition: int, line: _Line) -> None:
        """The task of a partition: all that waits, packed together, again and again. While Kafka
        has not taken one batch, the next one fills; a partition that nobody leads holds up no
        other."""
        while True:
            await line.wanted.wait()
            line.wanted.clear()
            waiting, line.waiting = line.waiting, []
            for batch, places in self._packed(waiting):
                try:
                    sent = await self._producer.send_batch(batch, INBOUND, partition=partition)
                except Exception as error:
                    self._failed(places, error)
                else:
                    sent.add_done_callback(partial(self._settled, partition, places))

    def _ended(self, writer: asyncio.Task[None]) -> None:
        """Without one of its writers the log is of no use: a refusal has another one opened."""
        if writer.cancelled():
            return
        error = writer.exception()
        _LOG.error("log_failed", exc_info=error)
        self._broken = _refused(type(error).__name__)
        self._give_up(self._broken)

    def _give_up(self, outcome: PublishError) -> None:
        """Whatever is not known yet has come to this."""
        for call in list(self._open):
            for place in range(len(call.entries)):
                call.settle(place, outcome)

    def _packed(self, waiting: _Places) -> Iterator[tuple[Any, _Places]]:
        """Batches of one partition, with whose events they hold, in order."""
        batch: Any = self._producer.create_batch()
        places: _Places = []
        for call, place in waiting:
            if not _added(batch, call.entries[place]):
                yield batch, places
                batch, places = self._producer.create_batch(), []
                _added(batch, call.entries[place])
            places.append((call, place))
        if places:
            yield batch, places

    def _settled(self, partition: int, places: _Places, sent: asyncio.Future[Any]) -> None:
        if sent.cancelled():
            self._failed(places, KafkaConnectionError())
            return
        error = sent.exception()
        if error is not None:
            self._failed(places, error)
            return
        first = sent.result().offset
        for index, (call, place) in enumerate(places):
            call.settle(place, Delivery(INBOUND, partition, first + index))

    def _failed(self, places: _Places, error: BaseException) -> None:
        if not isinstance(error, KafkaError | TimeoutError):
            _LOG.error("log_failed", exc_info=error)
        mapped = self._mapped(error)
        for call, place in places:
            call.settle(place, mapped)

    async def _release(self, seconds: float) -> None:
        producer = self._producer
        try:
            async with asyncio.timeout(max(seconds, 0.1)):
                await producer.stop()
        except (KafkaError, TimeoutError):
            # Its stop flushes first, and would wait for Kafka as long as that is away.
            task = producer._sender.sender_task
            if task is not None:
                task.cancel()
                await asyncio.wait({task}, timeout=self._timeout)
            producer._message_accumulator.fail_all(KafkaConnectionError())
            with suppress(KafkaError):
                await producer.client.close()

    def _mapped(self, error: BaseException) -> PublishError:
        """Every error of aiokafka becomes one of ours here, and nowhere else."""
        if isinstance(error, UnknownTopicOrPartitionError):
            return BrokerRefusedError(
                f"Le topic {INBOUND} n'existe pas sur {self._bootstrap} : lancez « traverse up »."
            )
        if isinstance(error, MessageSizeTooLargeError | RecordListTooLargeError):
            return EventRefusedError(
                "Kafka refuse l'événement, trop grand : donnez les pièces par leur adresse."
            )
        if isinstance(error, CorruptRecordException | InvalidTimestampError):
            return EventRefusedError(
                f"Kafka refuse l'événement, qu'il ne peut pas lire ({error}) : publiez-le de "
                "nouveau, puis prévenez l'exploitant si cela dure."
            )
        if isinstance(error, TopicAuthorizationFailedError):
            return BrokerRefusedError(
                f"Kafka refuse l'écriture sur {INBOUND} : vérifiez le compte de l'institution."
            )
        passing = isinstance(error, TimeoutError | KafkaTimeoutError | ProducerClosed)
        if passing or getattr(error, "retriable", False):
            return BrokerAwayError(self._bootstrap)
        # An error of no kind is aiokafka's word that its sender has ended.
        return _refused(type(error).__name__)


def _refused(why: str) -> BrokerRefusedError:
    return BrokerRefusedError(
        f"Kafka refuse l'événement ({why}) : réessayez, puis prévenez l'exploitant si cela dure."
    )


def _added(batch: Any, entry: Entry) -> bool:
    """Whether there was room; there always is in an empty batch."""
    packed = batch.append(
        timestamp=None, key=entry.key.encode(), value=entry.octets, headers=list(entry.headers)
    )
    return packed is not None
