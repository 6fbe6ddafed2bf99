"""A step goes on as soon as its buffer has room, drops nothing, and knows what waits."""

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import faust
import pytest
from aiokafka.util import commit_structure_validate
from faust.types import TP

from traverse_stream_processors.fetching import fetch_promptly, waiting

PARTITION = "partition"


def next_records(folder: Path, monkeypatch: pytest.MonkeyPatch, full_for: int) -> list[float]:
    """What the consumer sleeps while its partitions stay paused for so many looks."""

    async def wait() -> list[float]:
        app = fetch_promptly(faust.App("fetching-test", broker="kafka://x:1", datadir=folder))
        consumer: Any = app.consumer
        consumer.flow_active = True
        slept: list[float] = []

        async def sleep(seconds: float) -> None:
            slept.append(seconds)

        async def getmany(**_: Any) -> dict[Any, Any]:
            return {}

        monkeypatch.setattr(consumer, "sleep", sleep)
        monkeypatch.setattr(consumer, "_getmany", getmany)
        monkeypatch.setattr(
            consumer,
            "_get_active_partitions",
            lambda: {PARTITION} if len(slept) >= full_for else set(),
        )
        _, active = await consumer._wait_next_records(1.0)
        assert active == ({PARTITION} if sum(slept) < 1 else set())
        return slept

    return asyncio.run(wait())


def test_a_buffer_that_empties_is_seen_in_milliseconds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Paused for three looks, the consumer sleeps three hundredths of a second."""
    assert sum(next_records(tmp_path, monkeypatch, full_for=3)) == pytest.approx(0.03)


def test_a_buffer_with_room_costs_no_sleep(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is paused: records are asked for at once."""
    assert next_records(tmp_path, monkeypatch, full_for=0) == []


def test_a_buffer_that_stays_full_falls_back_to_fausts_own_wait(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The wait is bounded: Faust's loop sees to a stop or a rebalance in between."""
    slept = next_records(tmp_path, monkeypatch, full_for=10_000)
    assert slept[-1] == 1
    assert len(slept) == 101


COMMITTED, FRESH = TP("topic", 0), TP("topic", 1)


class Thread:
    """Kafka as Faust's consumer asks for it, with a message in each of two partitions: of the
    first something was committed, of the second nothing. The partitions change hands meanwhile."""

    def __init__(self, consumer: Any) -> None:
        self.consumer = consumer
        self.positions = {COMMITTED: 7, FRESH: 0}

    def assignment(self) -> set[TP]:
        return set(self.positions)

    async def getmany(self, *_: Any) -> dict[TP, list[object]]:
        for tp in self.positions:
            self.positions[tp] += 1
        self.consumer.stop_flow()
        return {tp: [object()] for tp in self.positions}

    async def seek_to_committed(self) -> dict[TP, int | None]:
        self.positions[COMMITTED] = 7  # as aiokafka does: the other one is left where it is
        return {COMMITTED: 7, FRESH: None}

    async def seek_to_beginning(self, *partitions: Any) -> None:
        for one in partitions:
            self.positions[TP(*one)] = 0


def test_what_is_dropped_while_partitions_change_hands_is_read_again(tmp_path: Path) -> None:
    """Also where nothing was committed yet."""

    async def dropped() -> None:
        app = fetch_promptly(faust.App("dropping-test", broker="kafka://x:1", datadir=tmp_path))
        consumer: Any = app.consumer
        consumer._thread = thread = Thread(consumer)
        consumer._set_active_tps(thread.assignment())
        assert [one async for one in consumer.getmany(1.0)] == []
        assert thread.positions == {COMMITTED: 7, FRESH: 0}

    asyncio.run(dropped())


HERE = TP("topic", 0)


def test_a_commit_that_comes_too_late_ends_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its partitions went to another process while it waited for its turn."""

    async def committed() -> None:
        app = fetch_promptly(faust.App("commit-test", broker="kafka://x:1", datadir=tmp_path))
        consumer: Any = app.consumer
        thread = consumer._thread
        crashes: list[BaseException] = []

        async def commit(offsets: Any) -> None:
            commit_structure_validate(offsets)  # as aiokafka does

        async def crash(reason: BaseException) -> None:
            crashes.append(reason)

        monkeypatch.setattr(thread, "_consumer", SimpleNamespace(commit=commit, assignment=set))
        monkeypatch.setattr(thread, "crash", crash)
        assert not await thread._commit({HERE: 5})
        monkeypatch.setattr(thread._consumer, "assignment", lambda: {HERE})
        assert await thread._commit({HERE: 5})
        assert not crashes

    asyncio.run(committed())


def counted(folder: Path, end: int, committed: int, read: int, **more: int) -> int:
    """What waits in a partition: this process has it since `committed` stood there."""

    async def asked() -> int:
        app = faust.App("waiting-test", broker="kafka://x:1", datadir=folder)
        consumer: Any = app.consumer
        app.monitor.on_tp_commit({HERE: more.get("before", committed)})

        async def seek_to_committed() -> dict[TP, int]:
            return {HERE: committed}

        async def highwaters(*_: TP) -> dict[TP, int]:
            return {HERE: end}

        async def position(_: TP) -> int:
            return more.get("position", end)

        consumer._thread = SimpleNamespace(
            assignment=lambda: {HERE},
            seek_to_committed=seek_to_committed,
            highwaters=highwaters,
            position=position,
        )
        await consumer.perform_seek()
        consumer._read_offset[HERE] = read
        return await waiting(app)

    return asyncio.run(asked())


def test_what_another_did_meanwhile_does_not_wait(tmp_path: Path) -> None:
    """This process had the partition before: what it committed then says nothing any more."""
    assert counted(tmp_path, end=500, committed=500, read=500, before=100) == 0


def test_the_marker_of_a_transaction_does_not_wait(tmp_path: Path) -> None:
    """Who publishes in transactions leaves one after the last message."""
    assert counted(tmp_path, end=11, committed=10, read=9) == 0
    assert counted(tmp_path, end=11, committed=10, read=10) == 0  # nothing read since the start


def test_what_was_not_acknowledged_or_not_fetched_waits(tmp_path: Path) -> None:
    assert counted(tmp_path, end=20, committed=10, read=19) == 10
    assert counted(tmp_path, end=20, committed=10, read=9, position=10) == 10
