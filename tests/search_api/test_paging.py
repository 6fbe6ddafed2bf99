"""Snapshots are shared while the index stands still, and never handed out near their end."""

import asyncio
from dataclasses import dataclass

from traverse_search_api.paging import Snapshots


@dataclass
class Opener:
    """Numbers the snapshots that it opens."""

    opened: int = 0

    async def __call__(self) -> str:
        self.opened += 1
        return f"pit-{self.opened}"


def test_one_snapshot_serves_all_searches_of_one_state_of_the_index() -> None:
    """Or every search with a next page would leave one behind in Elasticsearch's memory."""
    opener = Opener()
    snapshots = Snapshots(lifetime=300, now=lambda: 0)

    async def three() -> list[str]:
        return [await snapshots.of(("a",), (("index", 7),), opener) for _ in range(3)]

    assert asyncio.run(three()) == ["pit-1"] * 3


def test_a_write_or_another_index_calls_for_a_new_snapshot() -> None:
    """The older one would miss what the first page has shown."""
    opener = Opener()
    snapshots = Snapshots(lifetime=300, now=lambda: 0)

    async def moving() -> list[str]:
        return [
            await snapshots.of(aliases, (view,), opener)
            for aliases, view in (
                (("a",), ("one", 7)), (("a",), ("one", 8)), (("a",), ("two", 8)),
                (("a", "b"), ("two", 8)), (("a",), ("two", 8)),
            )
        ]  # fmt: skip

    assert asyncio.run(moving()) == ["pit-1", "pit-2", "pit-3", "pit-4", "pit-3"]


def test_an_old_snapshot_is_not_handed_out() -> None:
    """Its reader must have half a life to ask for the next page."""
    opener = Opener()
    times = iter([0.0, 149.0, 151.0, 151.0])
    snapshots = Snapshots(lifetime=300, now=lambda: next(times))

    async def later() -> list[str]:
        return [await snapshots.of(("a",), (("index", 7),), opener) for _ in range(3)]

    assert asyncio.run(later()) == ["pit-1", "pit-1", "pit-2"]
