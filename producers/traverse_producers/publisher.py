"""The SDK: publish what an institution has, from Python.

    from traverse_producers.publisher import Publisher

    with Publisher("urn:siren:211300405") as publisher:
        publisher.publish("call", "VOIRIE-2026", {"title": "Réfection de la voirie", ...})

Leaving the `with` block waits until Kafka has everything, or raises UndeliveredError.
"""

from collections.abc import Callable
from concurrent.futures import Future
from datetime import date, datetime
from functools import partial
from pathlib import Path
from typing import Any, overload
from uuid import uuid4

from pydantic import BaseModel

from traverse_producers.event_builder import build_event
from traverse_producers.outbox.durable_queue import Limits
from traverse_producers.outbox.outbox import Outbox
from traverse_producers.sender import Sender
from traverse_producers.settings import PublishSettings
from traverse_producers.signing_keys import KeyFolder, Keys, OneKey, read_signer
from traverse_producers.transports.contract import Delivery, Transport
from traverse_producers.transports.kafka import KafkaTransport
from traverse_schemas.clock import Clock, SystemClock
from traverse_schemas.read_settings import read_settings
from traverse_schemas.signing.signatures import Signer
from traverse_schemas.signing.sources import parse_source

Data = dict[str, Any] | BaseModel


def _new_id() -> str:
    return str(uuid4())


def _keys(key: Signer | str | Path | bytes | None, siren: str, *, needed: bool) -> Keys | None:
    if key is None:
        settings = read_settings(PublishSettings)
        folder = KeyFolder(settings.keys)
        # A transport of the caller's own may lead to a gateway, which signs for who delegated.
        if settings.signatures == "off" or not (needed or folder.path(siren).exists()):
            return None
        return OneKey(folder.signer(siren))
    if isinstance(key, Signer):
        return OneKey(key)
    if isinstance(key, bytes):
        return OneKey(Signer.from_pem(key))
    return OneKey(read_signer(Path(key), siren))


class Publisher(Sender):
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
        key: Signer | str | Path | bytes | None = None,
        bootstrap: str = "127.0.0.1:9092",
        timeout: float = 30,
        transport: Transport | Callable[[], Transport] | None = None,
        outbox: str | Path | None = None,
        outbox_limits: Limits | None = None,
        outbox_patience: float = 0,
        clock: Clock | None = None,
        new_id: Callable[[], str] = _new_id,
    ) -> None:
        """`source` is `urn:siren:NNNNNNNNN[:system]` (InvalidSourceError); `timeout`, in seconds,
        bounds the delivery of one event. Raises BrokerAwayError when Kafka does not answer.

        `key` signs the events: a path to a private key in PEM, or its octets. Without, it is the
        one that `traverse institutions add` wrote (`TRAVERSE_HOME/keys/SIREN.pem`), unless
        TRAVERSE_SIGNATURES is `off`; with a `transport` of your own and no such file, nothing is
        signed here: a gateway signs for who delegated to it. Raises MissingKeyError,
        UnsafeKeyError, SigningKeyError.

        `outbox` is a file, made when there is none: each method then returns as soon as the event
        is on disk, Kafka may be away, and nothing is lost if this program dies. A full outbox (by
        `outbox_limits`) raises OutboxFullError, after `outbox_patience` seconds. The transport, if
        one is given, is then given as a function that opens it, as it may be opened again.
        """
        parsed = parse_source(source)
        self._source = parsed.urn
        keys = _keys(key, parsed.siren, needed=transport is None)
        self._clock = clock or SystemClock()
        self._new_id = new_id
        self.outbox: Outbox | None = None
        """The outbox, to ask for its state; None without one."""
        if outbox is None:
            carrying = transport() if callable(transport) else transport
            super().__init__(
                carrying or KafkaTransport(bootstrap, timeout=timeout), timeout=timeout, keys=keys
            )
            return
        if transport is not None and not callable(transport):
            raise TypeError("with an outbox, give a function that opens the transport")
        self.outbox = Outbox(
            outbox,
            transport or partial(KafkaTransport, bootstrap, timeout=timeout),
            limits=outbox_limits,
            patience=outbox_patience,
        )
        super().__init__(self.outbox, timeout=timeout, kept=self.outbox.path, keys=keys)

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
