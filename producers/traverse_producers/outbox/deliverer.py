"""Takes messages from a durable queue to a transport: in order per key, for as long as it takes.

Of each key at most one message is under way, so whatever fails or is cut off, a later message of a
record is never delivered before an earlier one. What follows a failure:

- the event itself is refused (EventRefusedError), or damaged on disk: it is parked with why, and
  the later ones of its record go on (each carries the whole record: none needs the one before);
- the broker is away (BrokerAwayError), or refuses one record after the other: everything waits,
  with growing pauses, and the connection is made anew;
- one record alone fails, or is not confirmed while others are (a partition that stands still): it
  waits, with growing pauses of its own, and the others go on.
"""

import logging
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from time import monotonic

from traverse_producers.errors import (
    BrokerAwayError,
    EventRefusedError,
    OutboxError,
    PublishError,
)
from traverse_producers.outbox.durable_queue import DurableQueue, Queued
from traverse_producers.transports.contract import Delivery, Transport
from traverse_schemas.log.pauses import Pauses

_LOG = logging.getLogger("traverse.outbox")
_MOST_EVENTS = 500  # under way at once
_MOST_OCTETS = 16 << 20
_LEAVE_TAKING = 1.0  # seconds that a connection may take to close
# Records that are remembered to have failed: those of one partition, when the outbox is full.
_MOST_ALONE = 30_000
_NOT_ITS_FAULT = 3  # records that fail one after the other: the fault is not theirs
_DAMAGED = (
    "L'événement a été abîmé sur le disque pendant qu'il attendait : vérifiez le disque, puis "
    "publiez le dossier de nouveau."
)

Answer = Delivery | PublishError
Told = Callable[[Queued, Answer], None]


@dataclass(slots=True)
class _Held:
    """How often in a row something failed, and when it may be tried again."""

    failures: int = 0
    until: float = 0.0

    def fail(self, now: float, pauses: Pauses) -> None:
        self.failures += 1
        self.until = now + pauses.after(self.failures)


class Deliverer:
    """One thread calls `turn`, again and again, while it has the queue's DeliveryTurn.

    `told` hears what became of each message, after the queue has it on disk; `wake` is called,
    from the transport's threads, when there is something for `turn` to do.
    """

    def __init__(
        self,
        queue: DurableQueue,
        open_transport: Callable[[], Transport],
        *,
        writer: str,
        told: Told,
        wake: Callable[[], None],
        pauses: Pauses | None = None,
        now: Callable[[], float] = monotonic,
    ) -> None:
        self._queue = queue
        self._open_transport = open_transport
        self._writer = writer
        self._told = told
        self._wake = wake
        self._pauses = pauses or Pauses()
        self._now = now
        self._transport: Transport | None = None
        self._settled: SimpleQueue[tuple[Queued, Future[Delivery]]] = SimpleQueue()
        self._unmarked: list[tuple[Queued, Answer]] = []
        self._scanned = 0  # every message up to here is delivered, or its key is in the books
        self._busy: dict[str, Queued] = {}  # what is under way, by key
        self._confirmed = 0  # how many were, ever
        self._begun: dict[str, int] = {}  # of what is under way: how many there were then
        self._behind: set[str] = set()  # keys that may have more before `_scanned`
        self._held: dict[str, _Held] = {}  # keys that failed
        self._failing: set[str] = set()  # keys that failed since anything was delivered
        self._all = _Held()  # the pause of everything
        self.trouble: PublishError | None = None
        """Why nothing, or not everything, is being delivered; None when all goes well."""

    def turn(self) -> float | None:
        """Do all that can be done now. Gives the seconds after which there is more to do of
        itself; None when only a new message, or an answer, will bring work."""
        try:
            return self._turn()
        except Exception as error:
            # Whatever it was, the books may be half done: read the queue again, after a pause.
            self.stumble(error)
            return max(0.0, self._all.until - self._now())

    def stumble(self, error: Exception) -> None:
        """Something failed that is nobody's event: everything waits a while."""
        if not isinstance(error, PublishError):
            _LOG.exception("delivering failed, and begins again", exc_info=error)
        self.trouble = _ours(error)
        self._pause(self._now())

    def _turn(self) -> float | None:
        self._take_answers()
        now = self._now()
        if now < self._all.until:
            return self._all.until - now
        if not self._mark() or not self._connect():
            return max(0.0, self._all.until - now)
        # What failed takes half of the room: it may fail again, and slowly.
        again = _MOST_EVENTS // 2 - sum(key in self._held for key in self._busy)
        if again > 0:
            for key in [key for key, held in self._held.items() if held.until <= now]:
                if again > 0 and key not in self._busy and self._has_room():
                    self._send_next(key, 0)
                    again -= 1
        self._scan()
        # Those whose time has come and found no room are taken up with the next answer.
        if again <= 0:
            return None
        return min(
            (held.until - now for held in self._held.values() if held.until > now), default=None
        )

    def end(self, timeout: float) -> None:
        """Stop: what is under way gets `timeout` seconds to be answered; the rest stays queued."""
        self._disconnect(timeout)
        self._take_answers()
        self._mark()

    def _take_answers(self) -> None:
        now = self._now()
        with suppress(Empty):
            while True:
                queued, future = self._settled.get_nowait()
                key = queued.message.key
                del self._busy[key]
                before = self._begun.pop(key)
                error = future.exception()
                if error is None:
                    self._confirmed += 1
                    self._unmarked.append((queued, future.result()))
                elif isinstance(error, EventRefusedError):
                    self._unmarked.append((queued, error))
                else:
                    self._keep(key, error, now, others=self._confirmed > before)
                    continue
                self._held.pop(key, None)
                self._failing.clear()
                self._all.failures = 0
        self._mark()

    def _keep(self, key: str, error: BaseException, now: float, *, others: bool) -> None:
        """The message stays in the queue: when will it be tried again? `others` were confirmed
        since it was sent."""
        self.trouble = _ours(error)
        self._behind.add(key)
        if isinstance(error, BrokerAwayError):
            many = len(self._held) >= _MOST_ALONE and key not in self._held
            if others and not many and not error.retry_after:
                self._held.setdefault(key, _Held()).fail(now, self._pauses)
                return
            self._pause(now)
            self._all.until = max(self._all.until, now + error.retry_after)
            if not many:  # afterwards it has half of the room, and who comes next the other half
                held = self._held.setdefault(key, _Held())
                held.until = max(held.until, self._all.until)
            return
        self._failing.add(key)
        self._held.setdefault(key, _Held()).fail(now, self._pauses)
        if len(self._failing) >= _NOT_ITS_FAULT:
            self._failing.clear()
            self._pause(now)
            self._disconnect(_LEAVE_TAKING)

    def _pause(self, now: float) -> None:
        """Everything waits, once for all the failures of one moment; then the queue is read from
        its beginning again."""
        if now >= self._all.until:
            self._all.fail(now, self._pauses)
        self._scanned = 0
        self._behind.clear()

    def _mark(self) -> bool:
        """Write down what was answered, then tell. False when the disk would not have it: nothing
        more is sent then, or it would be sent again and again."""
        if not self._unmarked:
            return True
        answers = self._unmarked
        try:
            self._queue.settle(
                [(queued, answer) for queued, answer in answers if isinstance(answer, Delivery)],
                [(queued, str(answer)) for queued, answer in answers if _is_error(answer)],
                writer=self._writer,
            )
        except OutboxError as error:
            self.stumble(error)
            return False
        self._unmarked = []
        if not self._held:
            self.trouble = None
        for queued, answer in answers:
            self._told(queued, answer)
        for queued, _ in answers:
            if queued.message.key in self._behind and self._transport is not None:
                self._send_next(queued.message.key, queued.position)
        return True

    def _connect(self) -> bool:
        if self._transport is None:
            try:
                self._transport = self._open_transport()
            except PublishError as error:
                self.stumble(error)
                return False
        return True

    def _disconnect(self, timeout: float) -> None:
        transport, self._transport = self._transport, None
        if transport is not None:
            transport.flush(timeout)
            transport.close(_LEAVE_TAKING)

    def _has_room(self) -> bool:
        octets = sum(len(queued.message.octets) for queued in self._busy.values())
        return len(self._busy) < _MOST_EVENTS and octets < _MOST_OCTETS

    def _scan(self) -> None:
        """Go on from where the queue was read to, while there is room under way."""
        while self._has_room():
            some = self._queue.after(
                self._scanned, most=_MOST_EVENTS - len(self._busy), octets=_MOST_OCTETS
            )
            if not some:
                return
            for queued in some:
                self._scanned = queued.position
                key = queued.message.key
                if key in self._busy or key in self._held:
                    self._behind.add(key)
                else:
                    self._send(queued)

    def _send_next(self, key: str, after: int) -> None:
        """Send the key's next message, if there is one that the scan went past."""
        queued = self._queue.next_of(key, after)
        if queued is None:
            self._behind.discard(key)
            self._held.pop(key, None)
        else:
            self._send(queued)

    def _send(self, queued: Queued) -> None:
        assert self._transport is not None  # noqa: S101 - `turn` connects first
        self._busy[queued.message.key] = queued
        self._begun[queued.message.key] = self._confirmed
        message = queued.message
        try:
            if not queued.sound:
                raise EventRefusedError(_DAMAGED)
            future = self._transport.send(message.key, message.octets, message.headers)
        except Exception as error:  # a transport tells by its futures; take it the same way
            future = Future()
            future.set_exception(error)
        future.add_done_callback(lambda done: self._answered(queued, done))

    def _answered(self, queued: Queued, future: Future[Delivery]) -> None:
        self._settled.put((queued, future))
        self._wake()


def _is_error(answer: Answer) -> bool:
    return isinstance(answer, PublishError)


def _ours(error: BaseException) -> PublishError:
    return error if isinstance(error, PublishError) else PublishError(str(error))
