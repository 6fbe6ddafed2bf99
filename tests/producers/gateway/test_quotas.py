"""Quotas of a day over several gateways: the sum holds, whoever asks first and whoever dies."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest

from tests.engines import RunningEngines
from tests.producers.gateway.serving import (
    BATCH,
    TOWN_KEY,
    MemoryLog,
    memory_journal,
    nowhere,
    serving,
    town,
)
from tests.producers.gateway.serving import Gateway as Publishing
from tests.schemas.memory_log import MemoryTableLog, MemoryTopic
from tests.stream_processors.factory import event
from traverse_infra.engines.waiting import wait_until
from traverse_infra.log.topics import apply_topics
from traverse_producers.gateway.errors import LogAwayError, QuotaSpentError
from traverse_producers.gateway.quota_sums import MOST_NAMES, Claim, Sums
from traverse_producers.gateway.quotas import DayQuotas
from traverse_producers.gateway.spool import SpooledJournal
from traverse_producers.outbox.durable_queue import Limits
from traverse_schemas.clock import FixedClock
from traverse_schemas.log.compacted_table import Stored, TableAwayError, TableLog
from traverse_schemas.log.compacted_topic import KafkaTableLog
from traverse_schemas.log.topics import QUOTAS
from traverse_schemas.registry.institutions import Quota

NOON = FixedClock(datetime(2026, 11, 24, 11, tzinfo=UTC))
SIREN = "181300013"
Gateway = Callable[[], DayQuotas]


@contextmanager
def following(log: TableLog, patience: float = 60, gateways: int = 1) -> Iterator[DayQuotas]:
    with closing(DayQuotas(log, NOON, patience=patience, gateways=gateways)) as quotas:
        quotas.start()
        yield quotas


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
        yield lambda: stack.enter_context(following(log()))


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
    with following(log, patience=0.05) as quotas:
        assert wait_until(lambda: quotas.ready, timeout=60)
        with pytest.raises(LogAwayError):
            quotas.take(SIREN, 10, 10)
        log.away = False
        for message in log.kept:
            topic.write(*message)
        assert wait_until(lambda: len(topic.messages) == 2, timeout=60)
    with following(MemoryTableLog(topic)) as later:
        assert later.take(SIREN, 10, 10).events == 10


def test_what_is_no_claim_is_passed_over() -> None:
    topic = MemoryTopic()
    for junk in (None, b"{", b"[]", b'{"day":1}', b'{"day":"x","events":"y","of":1}'):
        topic.write(SIREN, junk)
    with following(MemoryTableLog(topic)) as quotas:
        assert quotas.take(SIREN, 1, 1).events == 1


def has_left(quotas: DayQuotas, events: int) -> bool:
    return quotas.left(SIREN, 10) == events


class WritesTwice(MemoryTableLog):
    """Writes twice what is given back: the first time nobody heard that it was written."""

    def append(self, key: str, value: bytes | None, write: str, timeout: float) -> None:
        super().append(key, value, write, timeout)
        if b'"of":null' in (value or b""):
            super().append(key, value, write, timeout)


def test_what_is_given_back_twice_counts_once_for_every_gateway() -> None:
    topic = MemoryTopic()
    with following(WritesTwice(topic)) as quotas, following(MemoryTableLog(topic)) as other:
        quotas.give_back(quotas.take(SIREN, 10, 10), 2)
        assert wait_until(lambda: len(topic.messages) == 3, timeout=60)
        assert len({message.write for message in topic.messages}) == 2
        for one in (quotas, other):
            assert wait_until(partial(has_left, one, 2), timeout=60)
        assert other.take(SIREN, 10, 2).events == 2
    with following(MemoryTableLog(topic)) as later, pytest.raises(QuotaSpentError):
        later.take(SIREN, 10, 1)


def test_what_is_to_be_given_back_is_one_sum_while_kafka_is_away() -> None:
    """However many requests it was: nothing grows with them, and one message says it."""
    topic = MemoryTopic()
    log = SlowLog(topic)
    log.away = False
    with following(log) as quotas:
        taken = quotas.take(SIREN, 5000, 5000)
        log.away = True
        for _ in range(1000):
            quotas.give_back(taken, 2)
        assert wait_until(lambda: bool(log.kept), timeout=60)
        for _ in range(1000):
            quotas.give_back(taken, 2)
        log.away = False
        assert wait_until(lambda: quotas.left(SIREN, 5000) == 4000, timeout=60)
    assert len(topic.messages) == 3


def test_the_names_of_what_counts_once_are_bounded() -> None:
    """The last ones are known; one from before them counts again, and no more memory is used."""
    sums = Sums()
    sums.count(SIREN, "claim", Claim("2026-11-24", 50_000, 50_000))
    for number in range(MOST_NAMES + 100):
        for _ in range(2):
            sums.count(SIREN, f"n{number}", Claim("2026-11-24", -1))
    left = 50_000 - MOST_NAMES - 100
    assert sums.taken(SIREN, "2026-11-24") == left
    sums.count(SIREN, "n100", Claim("2026-11-24", -1))
    assert sums.taken(SIREN, "2026-11-24") == left
    sums.count(SIREN, "n99", Claim("2026-11-24", -1))
    assert sums.taken(SIREN, "2026-11-24") == left - 1
    assert len(sums._days["2026-11-24"].names) == MOST_NAMES


def spooling(path: Path, most: int = 1000) -> SpooledJournal:
    return SpooledJournal(memory_journal(nowhere), path / "file", nowhere, Limits(messages=most))


def statuses(gateway: Publishing, *sizes: int) -> list[int]:
    """What requests of so many new events are answered."""
    return [
        gateway.post([event(id=f"{size}-{place}-{n}") for n in range(size)], BATCH).status_code
        for place, size in enumerate(sizes)
    ]


def test_with_a_spool_what_the_day_has_left_is_taken_while_kafka_is_away(tmp_path: Path) -> None:
    """As last known; counted as soon as the log is back, for every gateway."""
    topic = MemoryTopic()
    log = SlowLog(topic)
    day = {"quota": Quota(events_per_day=20)}
    with following(MemoryTableLog(topic)) as before:
        before.take(SIREN, 20, 10)
    with serving(chamber=day, journal=spooling(tmp_path, most=9), claims_log=log) as gateway:
        assert wait_until(lambda: statuses(gateway, 4) == [202], timeout=60)
        assert statuses(gateway, 7, 4) == [429, 202]
        # The same again fills the disk as well; and what a full one does not take is given back.
        assert statuses(gateway, 4, 2, 1) == [429, 503, 202]
        assert "il lui en reste 1 " in gateway.post([event()] * 2, BATCH).json()["detail"]
        log.away = False
        with following(MemoryTableLog(topic)) as later:
            assert wait_until(lambda: later.left(SIREN, 20) == 1, timeout=60)
    # While Kafka is known to be away it is not asked.
    assert all(b'"of":null' in (value or b"") for _, value, _ in log.kept)


def test_what_the_log_does_not_say_in_time_is_taken_on_trust(tmp_path: Path) -> None:
    """Kafka takes events, and its topic of quotas does not answer."""
    topic, written = MemoryTopic(), MemoryLog()
    log = SlowLog(topic)
    journal = SpooledJournal(
        memory_journal(lambda: written), tmp_path / "file", lambda: written, Limits()
    )
    with serving(
        chamber={"quota": Quota(events_per_day=3)}, journal=journal, claims_log=log
    ) as gateway:
        assert wait_until(lambda: journal.connected, timeout=60)
        assert wait_until(lambda: statuses(gateway, 2) == [202], timeout=60)
        assert statuses(gateway, 3) == [429]
        assert any(b'"of":3' in (value or b"") for _, value, _ in log.kept)
        assert wait_until(lambda: len(written.sent) == 2, timeout=60)


def test_a_gateway_that_knows_nothing_yet_trusts_nobody(tmp_path: Path) -> None:
    topic = MemoryTopic()
    topic.away = True
    day = {"quota": Quota(events_per_day=20)}
    with serving(chamber=day, journal=spooling(tmp_path), claims=topic) as gateway:
        refused = gateway.post(event())
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "2")


def test_each_gateway_trusts_its_part_alone() -> None:
    with following(MemoryTableLog(MemoryTopic()), gateways=4) as quotas:
        quotas.take(SIREN, 10, 2)
        quotas.take_on_trust(SIREN, 10, 2)
        with pytest.raises(LogAwayError):
            quotas.take_on_trust(SIREN, 10, 1)
        with pytest.raises(QuotaSpentError):
            quotas.take_on_trust(SIREN, 10, 9)


class KeepsDebts(MemoryTableLog):
    """Takes claims, and nothing that counts in any case."""

    def append(self, key: str, value: bytes | None, write: str, timeout: float) -> None:
        if b'"of":null' in (value or b""):
            raise TableAwayError("Kafka (mémoire) est absent : attendez.")
        super().append(key, value, write, timeout)


def test_what_was_taken_on_trust_is_taken_before_anybody_reads_it() -> None:
    with following(KeepsDebts(MemoryTopic())) as quotas:
        assert quotas.take(SIREN, 10, 2).events == 2
        quotas.take_on_trust(SIREN, 10, 3)
        with pytest.raises(QuotaSpentError, match="il lui en reste 5 "):
            quotas.take(SIREN, 10, 6)
        assert quotas.take(SIREN, 10, 5).events == 5


class DebtFirst(MemoryTableLog):
    """Writes what counts in any case just before the first claim."""

    def __init__(self, topic: MemoryTopic) -> None:
        super().__init__(topic)
        self.asked = threading.Event()

    def append(self, key: str, value: bytes | None, write: str, timeout: float) -> None:
        if b'"of":null' in (value or b""):
            assert self.asked.wait(60)
        else:
            self.asked.set()
            assert wait_until(lambda: bool(self._topic.messages), timeout=60)
        super().append(key, value, write, timeout)


def test_what_was_taken_on_trust_does_not_count_twice_against_a_claim() -> None:
    """The claim did without it, and found it among what was taken: it asks again."""
    topic = MemoryTopic()
    with following(DebtFirst(topic)) as quotas:
        assert wait_until(lambda: quotas.ready, timeout=60)
        quotas.take_on_trust(SIREN, 10, 3)
        assert quotas.take(SIREN, 10, 7).events == 7
        with pytest.raises(QuotaSpentError, match="il lui en reste 0 "):
            quotas.take(SIREN, 10, 1)
    assert len(topic.messages) == 3


class LostAgain(MemoryTableLog):
    """Loses the connection once what was taken on trust is written, and then comes to no end."""

    def __init__(self, topic: MemoryTopic) -> None:
        super().__init__(topic)
        self.lost = False
        self.opened = 0
        self.reads = 0

    def open(self) -> int:
        self.lost = False
        self.opened += 1
        self.reads = 0
        return super().open() + (self.opened > 1)

    def read(self, timeout: float) -> tuple[list[Stored], int]:
        found = super().read(0.01)
        if self.lost:
            raise TableAwayError("Kafka (mémoire) est absent : attendez.")
        self.reads += 1
        return found

    def append(self, key: str, value: bytes | None, write: str, timeout: float) -> None:
        self.lost = self.opened == 1
        super().append(key, value, write, timeout)


def test_what_is_read_aside_is_owed_until_the_sums_have_it() -> None:
    topic = MemoryTopic()
    log = LostAgain(topic)
    with following(log) as quotas:
        assert wait_until(lambda: quotas.ready, timeout=60)
        quotas.take_on_trust(SIREN, 10, 3)
        assert wait_until(lambda: log.opened > 1 and log.reads > 1, timeout=60)
        with pytest.raises(QuotaSpentError, match="il lui en reste 7 "):
            quotas.take_on_trust(SIREN, 10, 8)
        topic.write("211300553", Claim("2026-11-24", 1, 5).octets())
        assert wait_until(lambda: quotas.ready and has_left(quotas, 7), timeout=60)
        assert quotas.take(SIREN, 10, 7).events == 7
    assert len(topic.messages) == 3  # written once, for it was seen


class StuckLog(MemoryTableLog):
    """Kafka away: nothing that is appended comes back before the end."""

    def __init__(self, topic: MemoryTopic) -> None:
        super().__init__(topic)
        self.end_of_it = threading.Event()
        self.stuck = 0

    def append(self, key: str, value: bytes | None, write: str, timeout: float) -> None:
        self.stuck += 1
        self.end_of_it.wait(600)
        super().append(key, value, write, timeout)


def test_who_has_a_quota_does_not_hold_up_anybody_while_kafka_is_away() -> None:
    """Not one answer waits until Kafka's client gives up, which here it does not."""
    other, topic = town(), MemoryTopic()
    log = StuckLog(topic)
    day = {"quota": Quota(events_per_day=50)}
    with serving(chamber=day, timeout=1.5, claims_log=log, others=[other]) as gateway:
        with ThreadPoolExecutor(10) as many:
            asked = [many.submit(gateway.post, event(id=f"q-{n}")) for n in range(10)]
            assert wait_until(lambda: log.stuck > 0, timeout=60)
            theirs = {"authorization": f"Bearer {TOWN_KEY}"}
            own = event(source=f"urn:siren:{other.siren}")
            assert gateway.post(own, **theirs).status_code == 202
            assert {each.result().status_code for each in asked} == {503}
        log.end_of_it.set()
        # What came to be taken all the same is given back.
        with following(MemoryTableLog(topic)) as later:
            assert wait_until(
                lambda: len(topic.messages) > 1 and later.left(SIREN, 50) == 50, timeout=60
            )
    assert len(gateway.written) == 1
