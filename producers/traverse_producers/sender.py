"""Sends ready events, of any source: checked at once, counted until each is settled."""

import threading
from concurrent.futures import Future, wait
from pathlib import Path
from time import monotonic
from types import TracebackType
from typing import Any, Self

from traverse_producers.errors import (
    ParkedError,
    PublisherClosedError,
    StillQueuedError,
    UndeliveredError,
)
from traverse_producers.event_builder import check_event, octets_of
from traverse_producers.signing_keys import Keys, siren_of
from traverse_producers.transports.contract import Delivery, Headers, Transport
from traverse_schemas.events import CONTENT_TYPE
from traverse_schemas.log.identity import record_key
from traverse_schemas.signing.signatures import SIGNATURE_HEADER

_HEADERS = (("content-type", CONTENT_TYPE.encode()),)
_LEAVE_TAKING = 1.0  # seconds that the connection may take to close once all is settled


class Sender:
    """Sends ready events through a transport. Safe to share between threads.

    Leaving its `with` block flushes and closes. `Publisher` is the one for an institution's code.
    """

    def __init__(
        self,
        transport: Transport,
        *,
        timeout: float = 30,
        kept: Path | None = None,
        keys: Keys | None = None,
    ) -> None:
        """`timeout`, in seconds, bounds `flush` and `close` unless they are given their own.
        `kept`: the file in which the transport keeps what is not delivered, if it does. `keys`
        sign each event for its source's institution; without, none is signed."""
        self._keys = keys
        self._transport = transport
        self._timeout = timeout
        self._kept = kept
        self._order = threading.Lock()
        self._lock = threading.Lock()
        self._pending: set[Future[Delivery]] = set()
        self._failed = 0
        self._closed = False

    def send(self, event: dict[str, Any] | bytes) -> Future[Delivery]:
        """A ready CloudEvent in structured mode. Octets travel as they are, and signed.

        Raises InvalidEventError, EventTooLargeError, MissingKeyError.
        """
        octets = event if isinstance(event, bytes) else octets_of(event)
        checked = check_event(octets)
        headers: Headers = _HEADERS
        signer = self._keys.signer(siren_of(checked.source)) if self._keys else None
        if signer is not None:
            headers = (*_HEADERS, (SIGNATURE_HEADER, signer.sign(octets)))
        return self._send(record_key(checked.source, checked.subject), octets, headers)

    def flush(self, timeout: float | None = None) -> None:
        """Wait until everything that was sent is delivered.

        Raises UndeliveredError when `timeout` seconds (the publisher's own by default) were not
        enough, or when deliveries failed since the last flush; with an outbox, its
        StillQueuedError or ParkedError.
        """
        with self._lock:
            pending = set(self._pending)
        deadline = monotonic() + (self._timeout if timeout is None else timeout)
        self._transport.flush(max(0.0, deadline - monotonic()))
        waiting = wait(pending, max(0.0, deadline - monotonic())).not_done
        with self._lock:
            failed, self._failed = self._failed, 0
        if self._kept is None:
            if waiting or failed:
                raise UndeliveredError(len(waiting) + failed)
        elif failed:
            raise ParkedError(self._kept, failed)
        elif waiting:
            raise StillQueuedError(self._kept, len(waiting))

    def close(self, *, timeout: float | None = None) -> None:
        """Flush (within `timeout` seconds), then release the connection. Closing twice is fine.

        Raises UndeliveredError; whatever it says, no future stays open. With an outbox, what is
        not delivered by then stays on disk, and that is no error.
        """
        self._end(timeout)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end(None)

    def _end(self, timeout: float | None) -> None:
        with self._order:
            if self._closed:
                return
            self._closed = True
        try:
            self.flush(timeout)
        except StillQueuedError:
            pass  # safe on disk, which was the promise; the outbox logs it
        finally:
            # What flush could not wait for gets no second time: its futures fail now.
            self._transport.close(_LEAVE_TAKING)

    def _send(self, key: str, octets: bytes, headers: Headers) -> Future[Delivery]:
        # One lock for the hand-over, so that two threads' events of one record keep their order;
        # another for the books: the hand-over may wait for room, which deliveries make.
        with self._order:
            if self._closed:
                raise PublisherClosedError
            future = self._transport.send(key, octets, headers)
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
