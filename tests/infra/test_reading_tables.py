"""A command that cannot read a table says so once."""

import pytest

from tests.schemas.memory_log import MemoryTableLog, MemoryTopic
from traverse_infra.reading_tables import read_whole
from traverse_schemas.log.compacted_table import CompactedTable, TableAwayError, logger


def test_kafka_that_is_away_is_raised_and_not_logged_besides(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("traverse_infra.reading_tables._PATIENCE", 0.5)
    topic = MemoryTopic()
    topic.away = True
    table: CompactedTable[str] = CompactedTable(
        MemoryTableLog(topic), encode=str.encode, decode=bytes.decode
    )
    with pytest.raises(TableAwayError, match="est absent"), read_whole(table):
        pytest.fail("nothing was read")
    assert not caplog.records
    logger.warning("a service is told")
    assert [one.message for one in caplog.records] == ["a service is told"]
