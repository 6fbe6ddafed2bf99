"""The log's writers, over a producer that is no Kafka's: one partition cannot stop the others."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from aiokafka.producer.message_accumulator import BatchBuilder
from aiokafka.structs import RecordMetadata, TopicPartition

from traverse_infra.engines.waiting import wait_until
from traverse_producers.errors import BrokerRefusedError
from traverse_producers.gateway import kafka_log
from traverse_producers.gateway.journal import Entry, Journal, Outcome
from traverse_producers.gateway.kafka_log import KafkaLog
from traverse_producers.transport import Delivery
from traverse_schemas.identity import partition_of
from traverse_schemas.topics import INBOUND, PARTITIONS


class Leaderless:
    """A producer whose partition 0 takes nothing before `led`."""

    def __init__(self, **_: Any) -> None:
        self.led = asyncio.Event()
        self.ends = [0] * PARTITIONS

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

    async def appended(journal: Journal) -> Sequence[Outcome]:
        assert await asyncio.to_thread(wait_until, lambda: journal.connected, timeout=60)
        return await journal.append(entries(1))

    async def go() -> None:
        journal = Journal(connect, timeout=60)
        journal.start()
        assert {type(each) for each in await appended(journal)} == {BrokerRefusedError}
        outcomes: list[Outcome | None] = [None] * 10
        await opened[0].write(entries(1), outcomes)
        assert {type(each) for each in outcomes} == {BrokerRefusedError}
        assert {type(each) for each in await appended(journal)} == {Delivery}
        await journal.close()

    asyncio.run(go())
