"""The SDK: publish what an institution has, from Python.

    from traverse_producers.publisher import Publisher

    with Publisher("urn:siren:211300405") as publisher:
        publisher.publish("call", "VOIRIE-2026", {"title": "Réfection de la voirie", ...})

Leaving the `with` block waits until Kafka has everything, or raises UndeliveredError.
"""

import threading
from collections.abc import Callable
from concurrent.futures import Future, wait
from datetime import date, datetime
from time import monotonic
from types import TracebackType
from typing import Any, Self, overload
from uuid import uuid4

from pydantic import BaseModel

from traverse_producers.errors import PublisherClosedError, UndeliveredError
from traverse_producers.event_builder import build_event, check_event, octets_of
from traverse_producers.kafka_transport import KafkaTransport
from traverse_producers.transport import Delivery, Transport
from traverse_schemas.clock import Clock, SystemClock
from traverse_schemas.events import CONTENT_TYPE
from traverse_schemas.identity import record_key
from traverse_schemas.sources import parse_source

_HEADERS = (("content-type", CONTENT_TYPE.encode()),)
_LEAVE_TAKING = 1.0  # seconds that the connection may take to close once all is settled
Data = dict[str, Any] | BaseModel


def _new_id() -> str:
    return str(uuid4())


class Publisher:
    """Publishes the events of one source. Safe to share between threads.

    Each method checks the event by its schema at once (InvalidEventError, EventTooLargeError) and
    returns a future of its Delivery; a future that fails holds a PublishError. Events of one
    record arrive in the order of the calls. Sending an event again with the same id changes
    nothing, so what is in doubt may be sent again.
    """

    def __init__(
        self,
        source: str,
        *,
        bootstrap: str = "127.0.0.1:9092",
        timeout: float = 30,
        transport: Transport | None = None,
        clock: Clock | None = None,
        new_id: Callable[[], str] = _new_id,
    ) -> None:
        """`source` is `urn:siren:NNNNNNNNN[:system]` (InvalidSourceError); `timeout`, in seconds,
        bounds the delivery of one event. Raises BrokerAwayError when Kafka does not answer."""
        self._source = parse_source(source).urn
        self._timeout = timeout
        self._clock = clock or SystemClock()
        self._new_id = new_id
        self._transport = transport or KafkaTransport(bootstrap, timeout=timeout)
        self._order = threading.Lock()
        self._lock = threading.Lock()
        self._pending: set[Future[Delivery]] = set()
        self._failed = 0
        self._closed = False

    def publish(
        self,
        kind: str,
        reference: str,
        data: Data,
        *,
        event_id: str | None = None,
        time: datetime | None = None,
        sequence: int | None = None,
    ) -> Future[Delivery]:
        """A record is there: `data` is the whole of it, `reference` your own name for it."""
        return self._say(
            kind, "published", reference, data, event_id=event_id, time=time, sequence=sequence
        )

    def update(
        self,
        kind: str,
        reference: str,
        data: Data,
        *,
        event_id: str | None = None,
        time: datetime | None = None,
        sequence: int | None = None,
    ) -> Future[Delivery]:
        """A record has changed: `data` is the whole of it again, with the `reason`."""
        return self._say(
            kind, "updated", reference, data, event_id=event_id, time=time, sequence=sequence
        )

    def close_record(
        self,
        kind: str,
        reference: str,
        outcome: str,
        *,
        on: date | None = None,
        event_id: str | None = None,
        time: datetime | None = None,
        sequence: int | None = None,
        **details: Any,
    ) -> Future[Delivery]:
        """A record has ended with an `outcome` (awarded, met, completed…); `details` are further
        fields of the closing: `reason`, `record`, and for calls `lots`, `holders`, `amount`."""
        data: dict[str, Any] = {"outcome": outcome, **details}
        if on is not None:
            data["on"] = on.isoformat()
        return self._say(
            kind, "closed", reference, data, event_id=event_id, time=time, sequence=sequence
        )

    def withdraw(
        self,
        kind: str,
        reference: str,
        reason: str = "error",
        *,
        event_id: str | None = None,
        time: datetime | None = None,
        sequence: int | None = None,
    ) -> Future[Delivery]:
        """A record was published in error, or must be erased (`reason`: error, erasure). What is
        only over, or given up, is closed instead."""
        data = {"reason": reason}
        return self._say(
            kind, "withdrawn", reference, data, event_id=event_id, time=time, sequence=sequence
        )

    def send(self, event: dict[str, Any] | bytes) -> Future[Delivery]:
        """A ready CloudEvent in structured mode. Octets travel as they are."""
        octets = event if isinstance(event, bytes) else octets_of(event)
        checked = check_event(octets)
        return self._send(record_key(checked.source, checked.subject), octets)

    def flush(self, timeout: float | None = None) -> None:
        """Wait until everything that was sent is delivered.

        Raises UndeliveredError when `timeout` seconds (the publisher's own by default) were not
        enough, or when deliveries failed since the last flush.
        """
        with self._lock:
            pending = set(self._pending)
        deadline = monotonic() + (self._timeout if timeout is None else timeout)
        self._transport.flush(max(0.0, deadline - monotonic()))
        waiting = wait(pending, max(0.0, deadline - monotonic())).not_done
        with self._lock:
            failed, self._failed = self._failed, 0
        if waiting or failed:
            raise UndeliveredError(len(waiting) + failed)

    @overload
    def close(self, *, timeout: float | None = None) -> None: ...

    @overload
    def close(
        self, kind: str, reference: str, outcome: str, **details: Any
    ) -> Future[Delivery]: ...

    def close(
        self,
        kind: str | None = None,
        reference: str | None = None,
        outcome: str | None = None,
        *,
        timeout: float | None = None,
        **details: Any,
    ) -> Future[Delivery] | None:
        """With a kind, a reference and an outcome: `close_record`. With nothing: end this
        publisher; flush (within `timeout` seconds), then release the connection. Ending twice is
        fine. Raises UndeliveredError."""
        record = (kind, reference, outcome)
        if record == (None, None, None) and not details:
            self._end(timeout)
            return None
        if kind is None or reference is None or outcome is None or timeout is not None:
            raise TypeError("close() takes kind, reference and outcome, or nothing but a timeout")
        return self.close_record(kind, reference, outcome, **details)

    def _end(self, timeout: float | None) -> None:
        with self._order:
            if self._closed:
                return
            self._closed = True
        try:
            self.flush(timeout)
        finally:
            # What flush could not wait for gets no second time: its futures fail now.
            self._transport.close(_LEAVE_TAKING)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _say(
        self,
        kind: str,
        action: str,
        reference: str,
        data: Data,
        *,
        event_id: str | None,
        time: datetime | None,
        sequence: int | None,
    ) -> Future[Delivery]:
        event = build_event(
            source=self._source,
            kind=kind,
            action=action,
            reference=reference,
            data=data,
            event_id=event_id or self._new_id(),
            time=time or self._clock.now(),
            sequence=sequence,
        )
        return self.send(event)

    def _send(self, key: str, octets: bytes) -> Future[Delivery]:
        # One lock for the hand-over, so that two threads' events of one record keep their order;
        # another for the books: the hand-over may wait for room, which deliveries make.
        with self._order:
            if self._closed:
                raise PublisherClosedError
            future = self._transport.send(key, octets, _HEADERS)
            # Still under the first lock: who closes afterwards must see it among the pending.
            with self._lock:
                self._pending.add(future)
        future.add_done_callback(self._settled)
        return future

    def _settled(self, future: Future[Delivery]) -> None:
        with self._lock:
            self._pending.discard(future)
            if future.exception() is not None:
                self._failed += 1
