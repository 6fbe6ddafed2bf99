"""What the gateway's log promises: the same suite on memory and on Kafka."""

import asyncio
from collections.abc import Callable
from typing import NamedTuple

import pytest

from tests.engines import RunningEngines
from tests.producers.gateway.serving import MemoryLog, TransportLog
from tests.producers.transports.test_transport_contract import log_ends, log_since
from traverse_infra.log.topics import apply_topics
from traverse_producers.gateway.journal import Entry, Log, Outcome
from traverse_producers.gateway.kafka_log import KafkaLog
from traverse_producers.transports.contract import Delivery
from traverse_schemas.log.identity import partition_of
from traverse_schemas.log.topics import INBOUND, MAX_EVENT_BYTES, PARTITIONS


class Under(NamedTuple):
    """A log, and what has arrived on it, in order per record."""

    log: Callable[[], Log]
    arrived: Callable[[], list[bytes]]


@pytest.fixture(params=["memory", pytest.param("kafka", marks=pytest.mark.engines)])
def under(request: pytest.FixtureRequest) -> Under:
    if request.param == "memory":
        memory = MemoryLog()
        return Under(lambda: TransportLog(memory), lambda: [sent[1] for sent in memory.sent])
    engines: RunningEngines = request.getfixturevalue("engines")
    apply_topics(engines.kafka)
    begins = log_ends(engines.kafka)
    return Under(lambda: KafkaLog(engines.kafka), lambda: log_since(engines.kafka, begins))


def entry(record: str, number: int, size: int = 0) -> Entry:
    octets = b"%s %d %s" % (record.encode(), number, b"x" * size)
    return Entry(record, octets, [("content-type", b"text")])


async def written(log: Log, entries: list[Entry]) -> list[Outcome | None]:
    outcomes: list[Outcome | None] = [None] * len(entries)
    await log.write(entries, outcomes)
    return outcomes


def test_many_calls_at_once_keep_the_order_of_each_record_and_tell_every_place(
    under: Under,
) -> None:
    """More than one batch of Kafka's holds, and events that fill one by themselves."""
    calls = [
        [
            *(entry(f"R-{record}", 100 * call + number) for number in range(60) for record in "ab"),
            entry("R-large", call, MAX_EVENT_BYTES),
            *(entry("R-long", 100 * call + number, 3000) for number in range(60)),
        ]
        for call in range(4)
    ]

    async def all_of_it() -> list[list[Outcome | None]]:
        log = under.log()
        await log.open()
        assert await log.answers(60)
        assert await written(log, []) == []
        outcomes = await asyncio.gather(*(written(log, call) for call in calls))
        await log.close(60)
        return outcomes

    outcomes = asyncio.run(all_of_it())
    places = [each for call in outcomes for each in call if isinstance(each, Delivery)]
    assert len(set(places)) == sum(map(len, calls))
    for call, said in zip(calls, outcomes, strict=True):
        for one, place in zip(call, said, strict=True):
            assert isinstance(place, Delivery)
            assert place.topic == INBOUND
            assert place.partition == partition_of(one.key, PARTITIONS)
    arrived = under.arrived()
    for record in ("R-a", "R-b", "R-large", "R-long"):
        expected = [one.octets for call in calls for one in call if one.key == record]
        assert [each for each in arrived if each.startswith(b"%s " % record.encode())] == expected


def test_closing_leaves_nobody_waiting(under: Under) -> None:
    """Without any time to deliver, each event still has its end."""

    async def cut_off() -> list[Outcome | None]:
        log = under.log()
        await log.open()
        writing = asyncio.create_task(written(log, [entry("R", number) for number in range(500)]))
        await asyncio.sleep(0)
        await log.close(0)
        return await asyncio.wait_for(writing, 60)

    assert None not in asyncio.run(cut_off())
