"""A table on a real Kafka: the contract, and a broker that is not there."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import sleep, time
from uuid import uuid4

import pytest
from kafka import KafkaAdminClient
from kafka.admin import NewTopic

from tests.engines import RunningEngines
from tests.schemas.table_contract import PATIENCE, TableContract, decode, encode
from traverse_infra.engines.ports import free_ports
from traverse_infra.engines.waiting import wait_until
from traverse_schemas.log.compacted_table import CompactedTable, TableAwayError, TableLog
from traverse_schemas.log.compacted_topic import KafkaTableLog


@contextmanager
def closing_log(log: TableLog) -> Iterator[TableLog]:
    try:
        yield log
    finally:
        log.end()


def read_all(log: TableLog) -> list[str]:
    """The keys from where the log opens to its end."""
    end, position = log.open(), -1
    found: list[str] = []
    while position < end:
        some, position = log.read(1)
        found += [stored.key for stored in some]
    log.close()
    return found


@pytest.mark.engines
class TestOnKafka(TableContract):
    @pytest.fixture
    def topic(self, engines: RunningEngines) -> str:
        name = f"test.table.{uuid4().hex}"
        admin = KafkaAdminClient(bootstrap_servers=engines.kafka)
        try:
            topic = NewTopic(name, 1, 1, topic_configs={"cleanup.policy": "compact"})
            admin.create_topics([topic], wait_for_metadata=True)
        finally:
            admin.close()
        return name

    @pytest.fixture
    def new_log(self, engines: RunningEngines, topic: str) -> Callable[[], TableLog]:
        return lambda: KafkaTableLog(engines.kafka, topic)

    def test_reading_may_begin_at_a_moment(self, engines: RunningEngines, topic: str) -> None:
        moment = time() + 3600

        def since() -> float:
            return moment

        with closing_log(KafkaTableLog(engines.kafka, topic, since=since)) as log:
            assert read_all(log) == []
            log.append("a", b"1", "", PATIENCE)
            assert read_all(log) == []
            sleep(0.05)
            moment = time()
            log.append("b", b"2", "", PATIENCE)
            assert read_all(log) == ["b"]
            moment = 0.0
            assert read_all(log) == ["a", "b"]

    def test_a_topic_that_is_not_there_is_named(self, engines: RunningEngines) -> None:
        log = KafkaTableLog(engines.kafka, "test.nothing")
        with CompactedTable(log, encode=encode, decode=decode) as table:

            def said() -> bool:
                with pytest.raises(TableAwayError) as told:
                    table.wait(0.2)
                return "test.nothing n'existe pas" in str(told.value)

            assert wait_until(said, timeout=PATIENCE)


def test_a_broker_that_is_away_is_told_in_time() -> None:
    log = KafkaTableLog(f"127.0.0.1:{next(iter(free_ports(1)))}", "traverse.institutions")
    with CompactedTable(log, encode=encode, decode=decode) as table:
        with pytest.raises(TableAwayError):
            table.wait(0.5)
        with pytest.raises(TableAwayError, match="Kafka"):
            table.put("a", "1", 1)
