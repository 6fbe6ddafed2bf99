"""The spool: events on this machine's disk while Kafka is away, where the operator wants it.

What Kafka does not confirm in time is queued (fsynced) and answered as accepted; as long as events
of a record are queued, what comes of it goes behind them, so that records keep their order. The
others go straight to Kafka while that is there: a partition that stands still fills the disk with
its own events alone. A thread delivers in order as soon as Kafka is back. The queue is that of the
SDK's outbox.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from traverse_producers.errors import EventRefusedError, OutboxError, PublishError
from traverse_producers.gateway.errors import LogAwayError
from traverse_producers.gateway.journal import Entry, Journal, Outcome
from traverse_producers.outbox.durable_queue import DurableQueue, Limits, Message
from traverse_producers.outbox.outbox import Outbox
from traverse_producers.transports.contract import Delivery, Transport
from traverse_schemas.log.pauses import Pauses
from traverse_schemas.log.topics import INBOUND

_LOG = logging.getLogger(__name__)
_QUEUED: Final = Delivery(INBOUND, -1, -1)
"""On disk here; where on the log it will lie is not known yet."""
_LONGEST_PAUSE = 5.0


class SpooledJournal:
    """A journal that says yes while Kafka is away, until its disk space is used up."""

    def __init__(
        self, journal: Journal, path: Path, open_transport: Callable[[], Transport], limits: Limits
    ) -> None:
        """`path` is the spool's file, `open_transport` gives the connection by which it is emptied.
        Raises OutboxError when the file cannot be used."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self._journal = journal
        self._path = path
        self._open_transport = open_transport
        self._limits = limits
        self._queue = DurableQueue(path, limits=limits)
        self._outbox: Outbox | None = None

    def start(self) -> None:
        """Begin to connect, and to deliver what an earlier process left."""
        self._outbox = Outbox(
            self._path,
            self._open_transport,
            limits=self._limits,
            pauses=Pauses(longest=_LONGEST_PAUSE),
        )
        self._journal.start()

    async def close(self, seconds: float = 5) -> None:
        """Release everything; what is queued stays for the next process."""
        await self._journal.close(seconds)
        if self._outbox is not None:
            await asyncio.to_thread(self._outbox.close, 1)
        self._queue.close()

    @property
    def connected(self) -> bool:
        """See Journal.connected."""
        return self._journal.connected

    @property
    def waiting(self) -> int:
        """How many events wait on disk."""
        return self._queue.counts().waiting

    async def answers(self) -> bool:
        """Whether events can be taken: by Kafka, or by the disk."""
        return await self._journal.answers() or await asyncio.to_thread(self._writable)

    async def append(
        self, entries: Sequence[Entry], deadline: float | None = None
    ) -> list[Outcome]:
        """See Journal.append; what Kafka does not confirm in time is on disk instead."""
        if not entries:
            return []
        if not self._journal.connected:
            return await self.keep(entries)
        behind = await asyncio.to_thread(self._behind, {each.key for each in entries})
        straight = [place for place, each in enumerate(entries) if each.key not in behind]
        written = await self._journal.append([entries[place] for place in straight], deadline)
        outcomes: list[Outcome] = [LogAwayError() for _ in entries]
        for place, outcome in zip(straight, written, strict=True):
            outcomes[place] = outcome
        # What is in doubt is queued too: the log counts an event once, however often it comes. What
        # Kafka refuses for good is not: whoever sent it would not hear of it.
        late = [
            place
            for place, outcome in enumerate(outcomes)
            if isinstance(outcome, PublishError) and not isinstance(outcome, EventRefusedError)
        ]
        if late:
            queued = await asyncio.to_thread(self._queue_all, [entries[place] for place in late])
            for place, outcome in zip(late, queued, strict=True):
                outcomes[place] = outcome
        return outcomes

    async def keep(self, entries: Sequence[Entry]) -> list[Outcome]:
        """Queue events without asking Kafka: all of them or none."""
        return await asyncio.to_thread(self._queue_all, entries)

    def _queue_all(self, entries: Sequence[Entry]) -> list[Outcome]:
        """All of them or none."""
        messages = [Message(each.key, each.octets, tuple(each.headers)) for each in entries]
        try:
            self._queue.put(messages)
        except OutboxError as error:
            _LOG.error("spool_refuses detail=%s", error)
            return [LogAwayError() for _ in entries]
        return [_QUEUED for _ in entries]

    def _behind(self, keys: set[str]) -> frozenset[str]:
        """The records of which something is queued. A disk that cannot be read stops nobody whom
        Kafka takes: versions of a record have an order of their own."""
        try:
            return self._queue.waiting_of(keys) if self.waiting else frozenset()
        except OutboxError as error:
            _LOG.error("spool_unread detail=%s", error)
            return frozenset()

    def _writable(self) -> bool:
        try:
            return self._queue.has_room()
        except OutboxError:
            return False
