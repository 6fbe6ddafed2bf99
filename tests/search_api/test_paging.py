"""Snapshots are shared where none is missed, and never handed out near their end."""

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


def asked(snapshots: Snapshots, opener: Opener, *asked: tuple[str, float]) -> list[str]:
    """The snapshots for searches of these indices, first asked for then."""

    async def each() -> list[str]:
        return [await snapshots.of(tuple(of), since, opener) for of, since in asked]

    return asyncio.run(each())


def test_one_snapshot_serves_all_searches_from_before_it() -> None:
    """Or every search of which the second page is read would leave one behind."""
    snapshots = Snapshots(lifetime=300, now=lambda: 10.0)
    found = asked(snapshots, Opener(), ("a", 1.0), ("a", 9.0), ("a", 0.0))
    assert found == ["pit-1"] * 3


def test_a_later_search_or_another_index_calls_for_a_new_snapshot() -> None:
    """The older one would miss what was there when the first page was shown."""
    times = iter([10.0, 20.0, 20.0, 20.0, 20.0])
    snapshots = Snapshots(lifetime=300, now=lambda: next(times))
    found = asked(snapshots, Opener(), ("a", 1.0), ("a", 11.0), ("ab", 1.0), ("a", 12.0))
    assert found == ["pit-1", "pit-2", "pit-3", "pit-2"]


def test_an_old_snapshot_is_not_handed_out() -> None:
    """Its reader must have half a life to ask for the next page."""
    times = iter([1.0, 150.0, 152.0, 152.0])
    snapshots = Snapshots(lifetime=300, now=lambda: next(times))
    found = asked(snapshots, Opener(), ("a", 0.0), ("a", 0.0), ("a", 0.0))
    assert found == ["pit-1", "pit-1", "pit-2"]
