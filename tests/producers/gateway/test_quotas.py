"""Quotas of a day over several gateways: the sum holds, whoever asks first and whoever dies."""

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from datetime import UTC, datetime

import pytest

from tests.engines import RunningEngines
from tests.schemas.memory_log import MemoryTableLog, MemoryTopic
from traverse_infra.engines.waiting import wait_until
from traverse_infra.topics import apply_topics
from traverse_producers.gateway.errors import LogAwayError, QuotaSpentError
from traverse_producers.gateway.quotas import DayQuotas
from traverse_schemas.clock import FixedClock
from traverse_schemas.compacted_table import TableAwayError, TableLog
from traverse_schemas.compacted_topic import KafkaTableLog
from traverse_schemas.topics import QUOTAS

NOON = FixedClock(datetime(2026, 11, 24, 11, tzinfo=UTC))
SIREN = "181300013"
Gateway = Callable[[], DayQuotas]


@pytest.fixture(params=["memory", pytest.param("kafka", marks=pytest.mark.engines)])
def gateway(request: pytest.FixtureRequest) -> Iterator[Gateway]:
    """Opens as many gateways as are asked for, over one log."""
    topic = MemoryTopic()

    def log() -> TableLog:
        return MemoryTableLog(topic)

    if request.param == "kafka":
        engines: RunningEngines = request.getfixturevalue("engines")
        apply_topics(engines.kafka)

        def log() -> TableLog:
            return KafkaTableLog(engines.kafka, QUOTAS)

    with ExitStack() as stack:
        yield lambda: stack.enter_context(closing(DayQuotas(log(), NOON, patience=60)))


def test_many_at_once_get_no_more_than_the_day_has(gateway: Gateway) -> None:
    """What is left is always given to who comes last with as little."""
    gateways = [gateway() for _ in range(3)]
    granted: list[int] = []

    def ask(quotas: DayQuotas) -> None:
        for _ in range(10):
            try:
                granted.append(quotas.take(SIREN, 50, 3).events)
            except QuotaSpentError:
                return

    threads = [threading.Thread(target=ask, args=(one,)) for one in gateways for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(granted) == 48
    assert gateways[0].take(SIREN, 50, 2).events == 2
    for one in (*gateways, gateway()):
        with pytest.raises(QuotaSpentError, match="il lui en reste 0"):
            one.take(SIREN, 50, 1)
    assert gateway().take("211300553", 5, 5).events == 5  # another's day is its own


def test_what_is_given_back_another_gateway_may_take(gateway: Gateway) -> None:
    one, other, siren = gateway(), gateway(), "211300405"
    one.give_back(one.take(siren, 10, 10), 4)

    def granted() -> bool:
        try:
            return other.take(siren, 10, 4).events == 4
        except QuotaSpentError:
            return False

    assert wait_until(granted, timeout=60)
    with pytest.raises(QuotaSpentError):
        one.take(siren, 10, 1)


class SlowLog(MemoryTableLog):
    """Keeps what is appended to itself, and writes it later: Kafka away, and back."""

    def __init__(self, topic: MemoryTopic) -> None:
        super().__init__(topic)
        self.kept: list[tuple[str, bytes | None, str]] = []
        self.away = True

    def append(self, key: str, value: bytes | None, write: str, timeout: float) -> None:
        if self.away:
            self.kept.append((key, value, write))
            raise TableAwayError("Kafka (mémoire) est absent : attendez.")
        super().append(key, value, write, timeout)


def test_a_claim_that_comes_too_late_is_given_back() -> None:
    topic = MemoryTopic()
    log = SlowLog(topic)
    with closing(DayQuotas(log, NOON, patience=0.05)) as quotas:
        with pytest.raises(LogAwayError):
            quotas.take(SIREN, 10, 10)
        log.away = False
        for message in log.kept:
            topic.write(*message)
        assert wait_until(lambda: len(topic.messages) == 2, timeout=60)
    with closing(DayQuotas(MemoryTableLog(topic), NOON, patience=60)) as later:
        assert later.take(SIREN, 10, 10).events == 10


def test_what_is_no_claim_is_passed_over() -> None:
    topic = MemoryTopic()
    for junk in (None, b"{", b"[]", b'{"day":1}', b'{"day":"x","events":"y","of":1}'):
        topic.write(SIREN, junk)
    with closing(DayQuotas(MemoryTableLog(topic), NOON, patience=60)) as quotas:
        assert quotas.take(SIREN, 1, 1).events == 1
