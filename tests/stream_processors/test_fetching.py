"""A step goes on as soon as its buffer has room."""

import asyncio
from pathlib import Path
from typing import Any

import faust
import pytest

from traverse_stream_processors.fetching import fetch_promptly

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
