"""A table on a log in memory: the contract, and what goes wrong."""

from collections.abc import Callable
from threading import Event

import pytest

from tests.schemas.memory_log import MemoryTableLog, MemoryTopic
from tests.schemas.table_contract import PATIENCE, TableContract, decode, encode
from traverse_infra.engines.waiting import wait_until
from traverse_schemas.log.compacted_table import (
    CompactedTable,
    Stored,
    TableAwayError,
    TableLog,
    WriteUnconfirmedError,
)


class TestInMemory(TableContract):
    @pytest.fixture
    def new_log(self) -> Callable[[], TableLog]:
        topic = MemoryTopic()
        return lambda: MemoryTableLog(topic)


@pytest.fixture
def topic() -> MemoryTopic:
    return MemoryTopic()


def table_on(topic: MemoryTopic) -> CompactedTable[str]:
    return CompactedTable(MemoryTableLog(topic), encode=encode, decode=decode)


def test_the_wait_is_bounded_and_may_be_taken_up_again(topic: MemoryTopic) -> None:
    """Kafka away at the start: a sentence, no endless wait; and the table is there once it is."""
    topic.write("a", b"1")
    topic.away = True
    with table_on(topic) as table:
        with pytest.raises(TableAwayError):
            table.wait(0.05)
        assert not table.ready
        topic.away = False
        table.wait(PATIENCE)
        assert table.get("a") == "1"


def test_a_write_that_the_log_refuses_changes_nothing(topic: MemoryTopic) -> None:
    with table_on(topic) as table:
        table.wait(PATIENCE)
        topic.away = True
        with pytest.raises(TableAwayError):
            table.put("a", "1")
        assert table.get("a") is None


def test_a_write_that_does_not_come_back_is_told(topic: MemoryTopic) -> None:
    class Silent(MemoryTableLog):
        def append(self, key: str, value: bytes | None, write: str, timeout: float) -> None:
            pass

    with CompactedTable(Silent(topic), encode=encode, decode=decode) as table:
        table.wait(PATIENCE)
        with pytest.raises(WriteUnconfirmedError):
            table.put("a", "1", 0.05)


def test_a_topic_made_anew_is_read_anew(topic: MemoryTopic) -> None:
    """Rows of the old one go; no older state of a row is seen in between."""
    topic.write("a", b"1")
    topic.write("b", b"1")
    with table_on(topic) as table:
        table.wait(PATIENCE)
        with topic.changed:
            topic.messages[:] = [Stored(0, "a", b"2", "")]
            # The reader's next answer has an offset that it had already.
            topic.messages += [Stored(0, "a", b"2", "")] * 2
            topic.changed.notify_all()
        assert wait_until(lambda: dict(table.rows()) == {"a": "2"}, timeout=PATIENCE)


def test_closing_does_not_wait_for_a_log_that_does_not_answer(topic: MemoryTopic) -> None:
    """What was being opened is closed by its own thread once the log answers."""
    asked, answered, closed = Event(), Event(), Event()

    class Slow(MemoryTableLog):
        def open(self) -> int:
            asked.set()
            assert answered.wait(PATIENCE)
            return super().open()

        def close(self) -> None:
            super().close()
            closed.set()

    table = CompactedTable(Slow(topic), encode=encode, decode=decode)
    table.start()
    assert asked.wait(PATIENCE)
    table.close()
    assert not closed.is_set()
    answered.set()
    assert closed.wait(PATIENCE)
