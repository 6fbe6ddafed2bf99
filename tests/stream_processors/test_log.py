"""What the writer of the log waits out, and what ends the process."""

import asyncio
from collections.abc import Sequence
from typing import Any, ClassVar

import pytest
from aiokafka import TopicPartition, errors

from traverse_stream_processors import log
from traverse_stream_processors.errors import LogRefusedError
from traverse_stream_processors.log import Follower, LogWriter, Message, read_partition


class Producer:
    """Fails as often as it is told, then takes everything."""

    def __init__(self, *failures: Exception) -> None:
        self.failures = list(failures)

    def create_batch(self) -> Any:
        return self

    def append(self, **_: Any) -> object:
        return object()

    async def send_batch(self, *_: Any, **__: Any) -> Any:
        if self.failures:
            raise self.failures.pop()
        done: asyncio.Future[Any] = asyncio.Future()
        done.set_result(self)
        return done

    offset = 7


def write(producer: Producer) -> list[int]:
    writer = LogWriter("127.0.0.1:1")
    writer._producer = producer
    return asyncio.run(writer.write([Message("topic", 0, b"key", b"value")]))


def test_a_broker_that_is_away_is_waited_for() -> None:
    assert write(Producer(errors.KafkaConnectionError(), errors.RequestTimedOutError())) == [7]


@pytest.mark.parametrize(
    "ended",
    [
        errors.KafkaError("Unexpected error during batch delivery"),
        errors.OutOfOrderSequenceNumber(),
        errors.TopicAuthorizationFailedError(),
    ],
)
def test_a_producer_that_has_ended_is_not_asked_for_ever(ended: Exception) -> None:
    """Its own process can only leave, and be started anew with another."""
    with pytest.raises(LogRefusedError):
        write(Producer(ended))


class Connecting:
    """A producer that cannot connect as often as `failures` says."""

    failures: ClassVar[list[Exception]] = []
    stopped = 0

    def __init__(self, **_: Any) -> None: ...

    async def start(self) -> None:
        if self.failures:
            raise self.failures.pop()

    async def stop(self) -> None:
        Connecting.stopped += 1


def test_a_broker_that_is_away_as_a_step_takes_over_is_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each attempt that failed gives back what it held."""
    monkeypatch.setattr(log, "AIOKafkaProducer", Connecting)
    monkeypatch.setattr(Connecting, "failures", [errors.KafkaConnectionError()])
    monkeypatch.setattr(Connecting, "stopped", 0)
    asyncio.run(LogWriter("127.0.0.1:1", fence="name").start())
    assert Connecting.stopped == 1


def test_an_account_that_may_not_write_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log, "AIOKafkaProducer", Connecting)
    monkeypatch.setattr(Connecting, "failures", [errors.ClusterAuthorizationFailedError()])
    with pytest.raises(LogRefusedError, match="vérifiez les droits"):
        asyncio.run(LogWriter("127.0.0.1:1").start())


class Unreachable:
    """A consumer whose broker is away: it cancels a fetch of its own as it stops."""

    closed = 0

    def __init__(self) -> None:
        self._client = self

    async def stop(self) -> None:
        fetch = asyncio.ensure_future(asyncio.sleep(60))
        fetch.cancel()
        await fetch

    async def close(self) -> None:
        Unreachable.closed += 1


def test_a_consumer_that_stops_while_kafka_is_away_cancels_nobody_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """And gives its connections back; the next reading opens new ones."""
    monkeypatch.setattr(Unreachable, "closed", 0)

    async def closed() -> None:
        follower = Follower("127.0.0.1:1", ("topic",), 1)
        monkeypatch.setattr(follower, "_consumer", Unreachable())
        await follower.close()
        await follower.close()

    asyncio.run(closed())
    assert Unreachable.closed == 1


class Marked:
    """A partition that ends with the mark of a transaction: one place more, and no message."""

    def __init__(self) -> None:
        self.waited = 0
        self._at, self._end = 0, 1

    def assign(self, _: Any) -> None: ...

    def seek(self, _: Any, offset: int) -> None:
        self._at = offset

    async def beginning_offsets(self, where: Sequence[TopicPartition]) -> dict[TopicPartition, int]:
        return dict.fromkeys(where, 0)

    async def end_offsets(self, where: Sequence[TopicPartition]) -> dict[TopicPartition, int]:
        return dict.fromkeys(where, self._end)

    async def position(self, _: Any) -> int:
        return self._at

    async def getmany(self, *_: Any, timeout_ms: int, **__: Any) -> dict[TopicPartition, Any]:
        self.waited += timeout_ms
        self._at = self._end
        return {}

    async def stop(self) -> None: ...


def test_behind_the_last_message_nothing_is_awaited_for_long(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A step that takes over reads many partitions, and each may end with a mark."""
    marked = Marked()

    async def consumer(*_: Any) -> Marked:
        return marked

    monkeypatch.setattr(log, "_consumer", consumer)

    async def read() -> list[Any]:
        alone = [one async for chunk in read_partition("", "topic", 0, 0) for one in chunk]
        return [*alone, *[chunk async for chunk in Follower("", ("topic",), 1).news({})]]

    assert asyncio.run(read()) == []
    assert marked.waited <= 200
