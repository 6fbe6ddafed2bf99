"""The outbox: a transport that keeps events on disk until another transport has delivered them.

    with Publisher("urn:siren:211300405", outbox="traverse.outbox") as publisher: ...

`send` returns once the event is on disk, and never waits for the network: a thread of its own
delivers, whatever comes in between. What a process could not deliver, the next one that opens the
file does. Several processes may share a file: one of them delivers for all.
"""

import logging
import secrets
import threading
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import NamedTuple, Self

from traverse_producers.errors import (
    EventRefusedError,
    OutboxError,
    PublisherClosedError,
    PublishError,
    StillQueuedError,
)
from traverse_producers.outbox.deliverer import Answer, Deliverer
from traverse_producers.outbox.durable_queue import DurableQueue, Limits, Message, Parked, Queued
from traverse_producers.outbox.durable_queue_file import DeliveryTurn
from traverse_producers.transports.contract import Delivery, Headers, Transport
from traverse_schemas.log.pauses import Pauses

_LOG = logging.getLogger("traverse.outbox")
_PATIENCE = 2.0  # seconds that the thread may take to end
_GLANCE = 0.5  # seconds between two looks at what other processes put, or answered


class OutboxState(NamedTuple):
    """How an outbox is. `trouble`: why it does not deliver, as a sentence; None when it does."""

    waiting: int
    parked: int
    octets: int
    trouble: str | None


class Outbox:
    """A Transport on disk, in front of the one that `open_transport` opens (its thread does: the
    broker may be away when the program starts). Safe to share between threads; not across a fork.

    Raises OutboxError when the file cannot be used.
    """

    def __init__(
        self,
        path: str | Path,
        open_transport: Callable[[], Transport],
        *,
        limits: Limits | None = None,
        patience: float = 0,
        pauses: Pauses | None = None,
    ) -> None:
        """`patience`: seconds that `send` waits for room in a full outbox before it raises
        OutboxFullError."""
        self.path = Path(path)
        self._patience = patience
        self._writer = secrets.token_hex(8)
        self._queue = DurableQueue(self.path, limits=limits)
        self._turn = DeliveryTurn(self.path)
        self._books = threading.Lock()
        self._open: dict[int, Future[Delivery]] = {}
        self._early: dict[int, Answer] = {}  # answers that came before `put` returned
        self._news = threading.Event()
        self._ending = threading.Event()
        self._leave_taking = 0.0
        self._deliverer = Deliverer(
            self._queue,
            open_transport,
            writer=self._writer,
            told=self._told,
            wake=self._news.set,
            pauses=pauses,
        )
        self._thread = threading.Thread(target=self._work, name="traverse-outbox", daemon=True)
        self._thread.start()

    def send(self, key: str, octets: bytes, headers: Headers) -> Future[Delivery]:
        """See Transport.send. The event is on disk when this returns; raises OutboxFullError, and
        OutboxError when the disk does not take it: then it is not in the outbox."""
        if self._ending.is_set():
            raise PublisherClosedError
        (position,) = self._queue.put(
            [Message(key, octets, tuple(headers))], writer=self._writer, patience=self._patience
        )
        future: Future[Delivery] = Future()
        future.set_running_or_notify_cancel()
        with self._books:
            early = self._early.pop(position, None)
            if early is None:
                self._open[position] = future
        if early is not None:
            _settle(future, early)
        self._news.set()
        return future

    def flush(self, timeout: float | None) -> None:
        """See Transport.flush: nothing to push, the thread is at it all the time."""

    def close(self, timeout: float | None) -> None:
        """See Transport.close. What is not delivered stays on disk, and its future fails with
        StillQueuedError: the next who opens this file delivers it."""
        self._leave_taking = timeout or 0.0
        self._ending.set()
        self._news.set()
        # A thread that is still looking for the broker ends when it has looked.
        self._thread.join(self._leave_taking + _PATIENCE)
        self._queue.close()
        with self._books:
            left, self._open = self._open, {}
        for future in left.values():
            future.set_exception(StillQueuedError(self.path, 1))
        if left:
            _LOG.warning("%s", StillQueuedError(self.path, len(left)))

    def state(self) -> OutboxState:
        """What waits, what was refused, and what is in the way."""
        counts = self._queue.counts()
        trouble = self._deliverer.trouble
        return OutboxState(*counts, str(trouble) if trouble else None)

    def parked(self, most: int = 100) -> list[Parked]:
        """The events that were refused for good, oldest first, with why."""
        return self._queue.parked(most)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close(0)

    def _work(self) -> None:
        """The thread: deliver, or listen while another process does."""
        while not self._ending.is_set():
            self._news.clear()
            self._news.wait(self._step())
        self._deliverer.end(self._leave_taking)
        self._turn.give_up()

    def _step(self) -> float:
        """Seconds until there is more to do, if nothing comes before."""
        try:
            if not self._turn.held:
                self._turn.take()
                # Also when the turn has just come: whoever had it may have left answers.
                self._hear()
        except OutboxError as error:
            self._deliverer.stumble(error)
        if not self._turn.held:
            return _GLANCE
        pause = self._deliverer.turn()
        return _GLANCE if pause is None else min(pause, _GLANCE)

    def _hear(self) -> None:
        """The answers to our events that another process left for us."""
        for position, answer in self._queue.answers(self._writer):
            self._answer(position, EventRefusedError(answer) if isinstance(answer, str) else answer)

    def _told(self, queued: Queued, answer: Answer) -> None:
        if isinstance(answer, EventRefusedError):
            _LOG.warning("%s : %s", queued.message.key, answer)
        if queued.writer == self._writer:
            self._answer(queued.position, answer)

    def _answer(self, position: int, answer: Answer) -> None:
        with self._books:
            future = self._open.pop(position, None)
            if future is None:
                self._early[position] = answer
        if future is not None:
            _settle(future, answer)


def _settle(future: Future[Delivery], answer: Answer) -> None:
    if isinstance(answer, PublishError):
        future.set_exception(answer)
    else:
        future.set_result(answer)
