"""How events travel: what a transport must do, whichever it is."""

from collections.abc import Sequence
from concurrent.futures import Future
from typing import NamedTuple, Protocol

Headers = Sequence[tuple[str, bytes]]


class Delivery(NamedTuple):
    """An event is durable: where it lies on the log; -1 where the way there does not tell."""

    topic: str
    partition: int
    offset: int


class Transport(Protocol):
    """Carries octets to `traverse.inbound`, in order per record.

    `send` returns at once, or waits a bounded time when too much is under way. The future ends
    with a Delivery once every replica in sync has the event, or with a PublishError; what is not
    taken at all may raise it at once. It cannot be cancelled: what was handed over is on its way.
    """

    def send(self, key: str, octets: bytes, headers: Headers) -> Future[Delivery]:
        """Send one event; `key` is its record's key (traverse_schemas.log.identity.record_key)."""
        ...

    def flush(self, timeout: float | None) -> None:
        """Push out what waits. Everything may still fail: the futures tell."""
        ...

    def close(self, timeout: float | None) -> None:
        """Release the connections within about `timeout` seconds. No future stays open: what is
        not delivered by then fails."""
        ...
