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
from traverse_producers.transport import Delivery
from traverse_schemas.engine_access import aiokafka_client
from traverse_schemas.identity import partition_of
from traverse_schemas.topics import INBOUND

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
        self.outcomes[place] = outcome
        self.left -= 1
        if self.left == 0 and not self.done.done():
            self.done.set_result(None)


_Places = list[tuple[_Call, int]]


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
        self._partitions = 0
        self._calls: list[_Call] = []
        self._open: set[_Call] = set()
        self._wanted = asyncio.Event()
        self._writer: asyncio.Task[None] | None = None

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
                self._partitions = len(await self._producer.partitions_for(INBOUND))
        except BaseException as error:
            await self._release(0)
            if isinstance(error, KafkaError | TimeoutError):
                raise self._mapped(error) from error
            raise
        self._writer = asyncio.create_task(self._write_on())

    async def write(self, entries: Sequence[Entry], outcomes: list[Outcome | None]) -> None:
        """See Log.write."""
        if not entries:
            return
        call = _Call(entries, outcomes)
        self._open.add(call)
        self._calls.append(call)
        self._wanted.set()
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
        if self._writer is not None:
            if self._open and seconds:
                await asyncio.wait({each.done for each in self._open}, timeout=seconds)
            self._writer.cancel()
            await asyncio.wait({self._writer})
        await self._release(seconds)
        for call in list(self._open):
            for place, outcome in enumerate(call.outcomes):
                if outcome is None:
                    call.settle(place, BrokerAwayError(self._bootstrap))

    async def _write_on(self) -> None:
        """The task: all that waits, packed together, again and again. While Kafka has not taken one
        batch of a partition, the next one fills."""
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            calls, self._calls = self._calls, []
            for partition, batch, places in self._packed(calls):
                try:
                    sent = await self._producer.send_batch(batch, INBOUND, partition=partition)
                except Exception as error:
                    self._failed(places, error)
                else:
                    sent.add_done_callback(partial(self._settled, partition, places))

    def _packed(self, calls: Sequence[_Call]) -> Iterator[tuple[int, Any, _Places]]:
        """Batches with their partition and whose events they hold, in order."""
        filling: dict[int, tuple[Any, _Places]] = {}
        for call in calls:
            for place, entry in enumerate(call.entries):
                partition = partition_of(entry.key, self._partitions)
                batch, places = filling.get(partition) or (self._producer.create_batch(), [])
                if not _added(batch, entry):
                    yield partition, batch, places
                    batch, places = self._producer.create_batch(), []
                    _added(batch, entry)
                places.append((call, place))
                filling[partition] = batch, places
        for partition, (batch, places) in filling.items():
            yield partition, batch, places

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
        return BrokerRefusedError(
            f"Kafka refuse l'événement ({type(error).__name__}) : réessayez, puis prévenez "
            "l'exploitant si cela dure."
        )


def _added(batch: Any, entry: Entry) -> bool:
    """Whether there was room; there always is in an empty batch."""
    packed = batch.append(
        timestamp=None, key=entry.key.encode(), value=entry.octets, headers=list(entry.headers)
    )
    return packed is not None
