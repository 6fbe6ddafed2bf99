"""Delivers what waited, with signatures that hold now: the gateway's key may have changed since."""

from concurrent.futures import Future

from traverse_producers.gateway.vouching import Vouching
from traverse_producers.signing_keys import siren_of
from traverse_producers.transports.contract import Delivery, Headers, Transport
from traverse_schemas.clock import Clock
from traverse_schemas.signing.signatures import SIGNATURE_HEADER


class VouchedTransport:
    """A transport that looks at each signature before the event leaves."""

    def __init__(self, transport: Transport, vouching: Vouching, clock: Clock) -> None:
        """Over the one by which events leave; it is closed with this one."""
        self._transport = transport
        self._vouching = vouching
        self._clock = clock

    def send(self, key: str, octets: bytes, headers: Headers) -> Future[Delivery]:
        """See Transport.send. Raises GatewayKeyError, RegistryUnreadError: it has to wait."""
        siren = siren_of(key.partition(" ")[0])  # of a record's key: its source, and its subject
        now = self._clock.now()
        vouched = [
            (name, self._vouching.renewed(octets, value, siren, now))
            if name == SIGNATURE_HEADER
            else (name, value)
            for name, value in headers
        ]
        return self._transport.send(key, octets, vouched)

    def flush(self, timeout: float | None) -> None:
        """See Transport.flush."""
        self._transport.flush(timeout)

    def close(self, timeout: float | None) -> None:
        """See Transport.close."""
        self._transport.close(timeout)
