"""A service that is started again after a quiet week tells nobody of what is old."""

from pathlib import Path

import pytest
from kafka import KafkaAdminClient, KafkaConsumer, TopicPartition

from tests.engines import RunningEngines
from tests.journey.harness import Journey, until
from tests.journey.history import Mixed
from traverse_schemas.log.topics import CHANGES, PARTITIONS

pytestmark = pytest.mark.engines

WHERE = [TopicPartition(CHANGES, number) for number in range(PARTITIONS)]


def test_after_a_quiet_week_a_restart_tells_nothing_of_the_stock(
    engines: RunningEngines, tmp_path: Path
) -> None:
    """The log of changes keeps seven days, and is empty then; what comes next is told."""
    history = Mixed(seed=11, size=120)
    journey = Journey(engines.kafka, engines.elasticsearch, tmp_path / "quiet")
    journey.begin()
    journey.start()
    try:
        journey.send(history.messages[:100])
        journey.settle()
        journey.stop()
        admin = KafkaAdminClient(bootstrap_servers=engines.kafka)
        admin.delete_records(dict.fromkeys(WHERE, -1))
        admin.close()
        before = ends(engines.kafka)
        assert sum(before) > 0
        journey.start("validate")
        (index,) = journey.start("index")
        until(lambda: "Cette étape relie désormais" in index.words, "the step to lead")
        assert ends(engines.kafka) == before
        journey.send(history.messages[100:])
        journey.settle()
        assert sum(ends(engines.kafka)) > sum(before)
    finally:
        journey.stop()


def ends(bootstrap: str) -> list[int]:
    """The end of each partition of the log of changes."""
    consumer = KafkaConsumer(bootstrap_servers=bootstrap)
    try:
        found = consumer.end_offsets(WHERE)
    finally:
        consumer.close()
    return [found[where] for where in WHERE]
