"""The log's writers, over a producer that is no Kafka's: one partition cannot stop the others."""

import asyncio
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from aiokafka.producer.message_accumulator import BatchBuilder
from aiokafka.structs import RecordMetadata, TopicPartition

from tests.producers.gateway.serving import BATCH, MemoryLog, serving
from tests.stream_processors.factory import CCI, event
from traverse_infra.engines.waiting import wait_until
from traverse_producers.errors import BrokerAwayError, BrokerRefusedError
from traverse_producers.gateway import journal, kafka_log
from traverse_producers.gateway.journal import Entry, Journal, Outcome
from traverse_producers.gateway.kafka_log import KafkaLog
from traverse_producers.gateway.spool import SpooledJournal
from traverse_producers.outbox.durable_queue import Limits
from traverse_producers.transports.contract import Delivery
from traverse_schemas.log.identity import partition_of, record_key
from traverse_schemas.log.topics import INBOUND, PARTITIONS


class Leaderless:
    """A producer whose partition 0 takes nothing before `led`."""

    def __init__(self, **_: Any) -> None:
        self.led = asyncio.Event()
        self.ends = [0] * PARTITIONS

    @property
    def client(self) -> "Leaderless":
        return self

    async def fetch_all_metadata(self) -> None:
        """The brokers answer."""

    async def start(self) -> None:
        pass

    async def stop(self) -> None:
        pass

    async def partitions_for(self, topic: str) -> set[int]:
        return set(range(PARTITIONS))

    def create_batch(self) -> BatchBuilder:
        return BatchBuilder(128 * 1024, 0)

    async def send_batch(self, batch: BatchBuilder, topic: str, *, partition: int) -> Any:
        if partition == 0:
            await self.led.wait()
        sent = asyncio.get_running_loop().create_future()
        first = self.ends[partition]
        self.ends[partition] += batch.record_count()
        where = TopicPartition(topic, partition)
        sent.set_result(RecordMetadata(topic, partition, where, first, 0, 0, 0))
        return sent


def entries(*partitions: int) -> list[Entry]:
    """Ten for each."""
    keys = [f"R-{number}" for number in range(500)]
    return [
        Entry(key, b"x" * 3000, [])
        for partition in partitions
        for key in [key for key in keys if partition_of(key, PARTITIONS) == partition][:10]
    ]


def of_partition(partition: int) -> dict[str, Any]:
    """An event of a record that stands there."""
    names = (f"R-{number}" for number in range(50))
    wanted = next(
        one for one in names if partition_of(record_key(CCI, one), PARTITIONS) == partition
    )
    return event(subject=wanted)


def test_a_partition_without_a_leader_holds_up_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kafka_log, "AIOKafkaProducer", Leaderless)

    async def go() -> None:
        log = KafkaLog("127.0.0.1:1")
        await log.open()
        producer: Leaderless = log._producer
        outcomes: list[Outcome | None] = [None] * 20
        waiting = asyncio.create_task(log.write(entries(0, 1), outcomes))
        await asyncio.sleep(0)
        later: list[Outcome | None] = [None] * 20
        async with asyncio.timeout(60):
            await log.write(entries(1, 2), later)
        places = [each for each in later if isinstance(each, Delivery)]
        assert [each.offset for each in places] == [*range(10, 20), *range(10)]
        assert not waiting.done()
        assert outcomes[:10] == [None] * 10
        producer.led.set()
        async with asyncio.timeout(60):
            await waiting
        assert outcomes[:10] == [Delivery(INBOUND, 0, number) for number in range(10)]
        await log.close(1)

    asyncio.run(go())


def test_a_partition_that_stands_still_is_refused_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """However much comes for it, the others have their own room, and its share is all it takes."""
    monkeypatch.setattr(kafka_log, "AIOKafkaProducer", Leaderless)
    monkeypatch.setattr(journal, "_MOST_EVENTS", 20)
    log = KafkaLog("127.0.0.1:1")
    still, moving = of_partition(0), of_partition(1)
    under = Journal(lambda: log, timeout=0.1)
    with serving(journal=under) as gateway:
        assert wait_until(lambda: under.connected, timeout=60)
        for _ in range(3):
            answer = gateway.post([still, moving] * 15, BATCH)
            assert answer.status_code == 207
            assert {item["code"] for item in answer.json()["items"][::2]} == {503}
            assert {item["code"] for item in answer.json()["items"][1::2]} == {202}
        assert under._lines[0].events == 15
        for _ in range(6):
            refused = gateway.post(still)
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "2")
        assert under._lines[0].events == 20
        assert gateway.post([moving] * 30, BATCH).status_code == 202
        assert gateway.client.portal is not None
        gateway.client.portal.call(log._producer.led.set)
        assert wait_until(lambda: gateway.post(still).status_code == 202, timeout=60)
    assert {line.octets for line in under._lines.values()} == {0}


def test_a_partition_that_stands_still_fills_a_spool_with_its_own_events_alone(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """What is for the others goes straight to Kafka; the same record's goes behind its own."""
    monkeypatch.setattr(kafka_log, "AIOKafkaProducer", Leaderless)
    still, moving = of_partition(0), of_partition(1)
    log = KafkaLog("127.0.0.1:1")
    direct = Journal(lambda: log, timeout=0.1)
    never = partial(MemoryLog, answer=False)
    under = SpooledJournal(direct, tmp_path / "spool", never, Limits(messages=3))
    with serving(journal=under) as gateway:
        assert wait_until(lambda: under.connected, timeout=60)
        assert gateway.post([still, moving], BATCH).status_code == 202
        assert (under.waiting, log._producer.ends[1]) == (1, 1)
        assert gateway.post([moving, still, moving], BATCH).status_code == 202
        assert (under.waiting, log._producer.ends[1]) == (2, 3)
        assert direct._lines[0].events == 1  # the second one waits on disk only
        assert gateway.post([still] * 2, BATCH).status_code == 503
        assert gateway.post(moving).status_code == 202
        assert gateway.client.portal is not None
        gateway.client.portal.call(log._producer.led.set)


def test_a_writer_that_ends_is_told_and_the_log_opened_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    opened: list[KafkaLog] = []

    class Broken(Leaderless):
        def create_batch(self) -> BatchBuilder:
            if len(opened) == 1:
                raise MemoryError
            return super().create_batch()

    monkeypatch.setattr(kafka_log, "AIOKafkaProducer", Broken)

    def connect() -> KafkaLog:
        opened.append(KafkaLog("127.0.0.1:1"))
        return opened[-1]

    async def appended(under: Journal) -> Sequence[Outcome]:
        assert await asyncio.to_thread(wait_until, lambda: under.connected, timeout=60)
        return await under.append(entries(1))

    async def go() -> None:
        under = Journal(connect, timeout=60)
        under.start()
        assert {type(each) for each in await appended(under)} == {BrokerRefusedError}
        outcomes: list[Outcome | None] = [None] * 10
        await opened[0].write(entries(1), outcomes)
        assert {type(each) for each in outcomes} == {BrokerRefusedError}
        assert {type(each) for each in await appended(under)} == {Delivery}
        await under.close()

    asyncio.run(go())


def test_who_waits_is_told_when_the_client_stumbles_at_its_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Else its share of what may be under way would be taken for ever."""

    class Stumbling(Leaderless):
        async def stop(self) -> None:
            raise RuntimeError

    monkeypatch.setattr(kafka_log, "AIOKafkaProducer", Stumbling)

    async def go() -> None:
        log = KafkaLog("127.0.0.1:1")
        await log.open()
        outcomes: list[Outcome | None] = [None] * 10
        waiting = asyncio.create_task(log.write(entries(0), outcomes))
        await asyncio.sleep(0)
        with pytest.raises(RuntimeError):
            await log.close(0)
        async with asyncio.timeout(60):
            await waiting
        assert {type(each) for each in outcomes} == {BrokerAwayError}

    asyncio.run(go())
