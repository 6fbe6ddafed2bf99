"""A transport in memory, for unit tests. It passes the contract suite that Kafka passes too."""

from concurrent.futures import Future
from zlib import crc32

import pytest

from traverse_producers.errors import BrokerAwayError
from traverse_producers.transports.contract import Delivery, Headers


class MemoryTransport:
    """Keeps what was sent, in order. `answer` False leaves every future undone until `close`."""

    def __init__(self, *, answer: bool = True, fail: Exception | None = None) -> None:
        self.sent: list[tuple[str, bytes, Headers]] = []
        self.closed = False
        self._answer = answer
        self._fail = fail
        self._open: list[Future[Delivery]] = []

    def send(self, key: str, octets: bytes, headers: Headers) -> Future[Delivery]:
        future: Future[Delivery] = Future()
        future.set_running_or_notify_cancel()
        if self.closed:
            future.set_exception(BrokerAwayError("mémoire"))
            return future
        self.sent.append((key, octets, headers))
        if self._fail is not None:
            future.set_exception(self._fail)
        elif self._answer:
            partition = crc32(key.encode()) % 4
            future.set_result(Delivery("traverse.inbound", partition, len(self.sent) - 1))
        else:
            self._open.append(future)
        return future

    def flush(self, timeout: float | None) -> None:
        """Everything is there already."""

    def close(self, timeout: float | None) -> None:
        self.closed = True
        for future in self._open:
            future.set_exception(BrokerAwayError("mémoire"))
        self._open.clear()


def opened_by_commands(monkeypatch: pytest.MonkeyPatch) -> MemoryTransport:
    """One transport that the commands open in Kafka's place, each time anew; nothing is signed."""
    transport = MemoryTransport()

    def opened(*_: object, **__: object) -> MemoryTransport:
        transport.closed = False
        return transport

    monkeypatch.setattr("traverse_producers.transports.kafka.KafkaTransport", opened)
    monkeypatch.setenv("TRAVERSE_SIGNATURES", "off")
    return transport
