"""Reads and followers, in sums: over several processes, through outages, and of nobody."""

import asyncio
from datetime import UTC, date, datetime
from itertools import count
from pathlib import Path

from tests.documents import document
from tests.schemas.memory_log import MemoryTopic
from tests.search_api.conftest import sums_on
from traverse_search_api.access.reader import ANYBODY, Reader
from traverse_search_api.alerts.ledger import Batch, Ledger, followers_in
from traverse_search_api.institutions.readership import (
    FOLLOWED,
    Counts,
    FollowedSums,
    ReadCounts,
    Readership,
    few,
    institutions_of,
    told,
)

TOWN, FEED = "211300553", "130002199"
READ = document(
    "R",
    "Voirie",
    sources=[
        {"source": f"urn:siren:{FEED}:decp", "subject": "R", "updated_at": "2026-03-01T08:00:00Z"}
    ],
)


class Clock:
    def __init__(self) -> None:
        self.at = datetime(2026, 3, 12, 10, tzinfo=UTC)

    def now(self) -> datetime:
        return self.at


def process(topic: MemoryTopic, clock: Clock, name: str) -> Readership:
    return Readership(sums_on(topic), clock, new_id=lambda: name)


def test_processes_add_up_and_a_sum_that_is_written_again_counts_once() -> None:
    topic, clock = MemoryTopic(), Clock()

    async def journey() -> None:
        one, other = process(topic, clock, "one"), process(topic, clock, "other")
        for _ in range(3):
            one.read(READ, ANYBODY)
            await one.write()
        other.read(READ, Reader(TOWN))  # its own: counts for the feed alone
        await other.write()
        await other.close()
        again = process(topic, clock, "again")
        assert await again.of(TOWN) == ReadCounts(3, 0, 0)
        assert await again.of(FEED) == ReadCounts(4, 0, 0)
        await one.close()
        await again.close()

    asyncio.run(journey())


def test_what_is_not_written_yet_is_told_and_written_when_kafka_is_back() -> None:
    topic, clock = MemoryTopic(), Clock()

    async def journey() -> None:
        one = process(topic, clock, "one")
        assert await one.of(TOWN) == ReadCounts(0, 0, 0)
        one.read(READ, ANYBODY)
        assert await one.of(TOWN) == ReadCounts(1, 0, 0)
        topic.away = True
        await one.write()
        assert topic.messages == []
        one.read(READ, ANYBODY)
        topic.away = False
        # The day has changed meanwhile: yesterday's are written as yesterday's.
        clock.at = datetime(2026, 3, 13, 10, tzinfo=UTC)
        one.read(READ, ANYBODY)
        await one.close()
        assert sorted(message.key for message in topic.messages) == [
            "2026-03-12 one",
            "2026-03-13 one",
        ]
        again = process(topic, clock, "two")  # after a restart
        assert await again.of(TOWN) == ReadCounts(3, 0, 0)
        await again.close()

    asyncio.run(journey())


def test_nothing_is_opened_where_nobody_read_and_nobody_asked() -> None:
    topic = MemoryTopic()
    topic.away = True

    async def journey() -> None:
        one = process(topic, Clock(), "one")
        one.start()
        one.read(READ, ANYBODY)
        await one.close()
        assert not one._started

    asyncio.run(journey())


def test_sums_are_of_thirty_days_and_the_thirty_before() -> None:
    days = [date(2026, 3, 12), date(2026, 2, 11), date(2026, 2, 10), date(2026, 1, 12)]
    days += [date(2026, 1, 11), date(2026, 3, 13)]
    numbers = count(1)
    rows = {f"{day} p": Counts(day=day, sums={TOWN: next(numbers)}) for day in days}
    rows[FOLLOWED] = Counts(day=days[-2], sums={TOWN: 7})
    assert told(TOWN, rows, date(2026, 3, 12)) == ReadCounts(1 + 2, 3 + 4, 7)


def test_a_row_holds_a_day_and_sums_and_nothing_of_anybody() -> None:
    assert institutions_of(READ) == {TOWN, FEED}
    assert set(Counts.model_fields) == {"day", "sums"}
    assert [few(number) for number in (0, 4, 5, 1204)] == [
        "moins de 5",
        "moins de 5",
        "5",
        "1\u202f204",
    ]


def test_followers_are_written_when_they_change_and_once_a_day() -> None:
    topic = MemoryTopic()
    with sums_on(topic) as rows:
        sums = FollowedSums(rows)
        sums.write({TOWN: 2}, date(2026, 3, 12))
        sums.write({TOWN: 2}, date(2026, 3, 12))
        assert len(topic.messages) == 1
        sums.write({TOWN: 2}, date(2026, 3, 13))
        sums.write({TOWN: 3}, date(2026, 3, 13))
        assert rows.get(FOLLOWED) == Counts(day=date(2026, 3, 13), sums={TOWN: 3})


def test_who_follows_is_counted_by_institution_beside_the_notifier(tmp_path: Path) -> None:
    path = tmp_path / "notify.sqlite"
    ledger = Ledger(path)
    owners = {"a": FEED, "b": "213000011", "own": TOWN}
    records = [f"urn:siren:{TOWN}:x A", f"urn:siren:{TOWN} B", f"urn:siren:{FEED} C"]
    told = [(record, name) for record in records for name in owners]
    ledger.write(Batch({}, {}, [*told, (records[0], "deleted")], ()))
    assert followers_in(path, owners) == {TOWN: 2, FEED: 2}
    ledger.close()
