"""History from a real Kafka: what is there when it is asked, after a restart and after an erasure
too."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from kafka import KafkaAdminClient, KafkaProducer
from kafka.admin import NewTopic
from tests.documents import SOURCE
from tests.engines import RunningEngines
from tests.search_api.history.test_history import event, key_of, stored

from traverse_search_api.errors import HistoryUnavailableError
from traverse_search_api.history.accepted_log import AcceptedLog

pytestmark = pytest.mark.engines


@pytest.fixture
def topic(engines: RunningEngines) -> Iterator[tuple[str, KafkaProducer]]:
    name = f"accepted-{uuid4().hex[:12]}"
    admin = KafkaAdminClient(bootstrap_servers=engines.kafka)
    admin.create_topics([NewTopic(name, 2, 1)], wait_for_metadata=True)
    producer = KafkaProducer(bootstrap_servers=engines.kafka, acks="all")
    yield name, producer
    producer.close()
    admin.delete_topics([name])
    admin.close()


async def told(log: AcceptedLog) -> list[str]:
    """The titles of the record's versions, once the log has been read."""
    while True:
        try:
            (found,) = await log.pointers([(SOURCE, "VOI-1")])
            kept = await log.events(found)
        except HistoryUnavailableError:  # a loaded machine: it reads on meanwhile
            continue
        return [kept[one].event["data"]["title"] for one in found]


def test_history_is_what_the_log_has_when_it_is_asked(
    engines: RunningEngines, topic: tuple[str, KafkaProducer], tmp_path: Path
) -> None:
    name, producer = topic
    events = [event("published", 1), event("updated", 2), event("updated", 3)]

    def write(key: bytes, value: bytes | None) -> None:
        producer.send(name, value, key=key, partition=1).get(20)

    async def asking() -> None:
        log = AcceptedLog(engines.kafka, tmp_path, name)
        assert await told(log) == []
        for _, key, value in stored(*events[:2]):
            write(key, value)
        assert await told(log) == ["Titre 1", "Titre 2"]
        await log.close()
        write(*stored(events[2])[0][1:])
        log = AcceptedLog(engines.kafka, tmp_path, name)
        assert await told(log) == ["Titre 1", "Titre 2", "Titre 3"]
        write(key_of(events[1]), None)  # erased
        assert await told(log) == ["Titre 1", "Titre 3"]
        await log.close()

    asyncio.run(asking())


def test_without_kafka_history_says_so() -> None:
    async def asking() -> None:
        log = AcceptedLog("127.0.0.1:1", None)
        with pytest.raises(HistoryUnavailableError):
            await log.pointers([(SOURCE, "x")])
        await log.close()

    asyncio.run(asking())
