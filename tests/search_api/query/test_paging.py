"""Snapshots are shared where none is missed, and never handed out near their end."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from typing import Any, cast

import pytest

from tests.documents import document
from traverse_schemas.clock import FixedClock
from traverse_schemas.reference.territories import Territories
from traverse_search_api.access.reader import ANYBODY
from traverse_search_api.errors import TooLongError
from traverse_search_api.institutions.freshness import Freshness
from traverse_search_api.parameters import SearchParameters
from traverse_search_api.query.paging import Snapshots
from traverse_search_api.search import Searcher
from traverse_search_api.words.synonym_book import SynonymBook


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


@dataclass
class Live:
    """An index that is asked in the very moment in which somebody else opens a snapshot."""

    meanwhile: Callable[[], Any]
    read_from: list[str] = field(default_factory=list)
    aliases: tuple[str, ...] = ("a",)

    def of(self, _: Any) -> "Live":
        return self

    async def search(self, body: dict[str, Any], **_: Any) -> dict[str, Any]:
        if "pit" in body:
            self.read_from.append(body["pit"]["id"])
        else:
            await self.meanwhile()
        hits = [{"_source": document(f"{n}", "Voirie"), "sort": [n]} for n in range(2)]
        return {"hits": {"hits": hits, "total": {"value": 2, "relation": "eq"}}}

    async def open_snapshot(self, _: str) -> str:
        return "later"


def searcher_over(index: Any, snapshots: Snapshots, **more: Any) -> Searcher:
    """A search over an index."""

    async def nothing(*_: Any) -> dict[str, Any]:
        return {}

    return Searcher(
        indices=cast(Any, index), snapshots=snapshots, territories=Territories.load(),
        clock=FixedClock(datetime(2026, 3, 12, tzinfo=UTC)), cursor_key=b"key", keep_alive="5m",
        synonyms=SynonymBook(None), freshness=Freshness(nothing), **more,
    )  # fmt: skip


class Empty:
    """An index that finds nothing: asked again and again, each time it answers in time."""

    def __init__(self) -> None:
        self.asked = 0
        self.aliases = ("a",)

    def of(self, _: Any) -> "Empty":
        return self

    whole = of

    async def search(self, _: dict[str, Any], **__: Any) -> dict[str, Any]:
        self.asked += 1
        if self.asked > 1:
            await asyncio.Event().wait()
        return {"hits": {"hits": [], "total": {"value": 0, "relation": "eq"}}}


class TimedOut(Empty):
    """An index of which something timed out by a bound of its own."""

    async def search(self, _: dict[str, Any], **__: Any) -> dict[str, Any]:
        raise TimeoutError("another's")


@pytest.mark.parametrize("ask", ["search", "settled"])
def test_all_questions_of_a_search_together_have_a_bound(ask: str) -> None:
    """Corrected, relaxed, looked at for why nothing is found: ten seconds each come to a minute."""
    index = Empty()
    searcher = searcher_over(index, Snapshots(lifetime=300), longest=0.05)
    asked = SearchParameters(q="gymnase")

    async def asking() -> None:
        async with asyncio.timeout(60):
            if ask == "search":
                await searcher.search(asked, ANYBODY)
            else:
                await searcher.settled(asked, searcher.as_of(None), ANYBODY)

    with pytest.raises(TooLongError):
        asyncio.run(asking())
    assert index.asked > 1


@pytest.mark.parametrize("ask", ["search", "settled"])
def test_only_the_bound_of_a_search_makes_it_too_long(ask: str) -> None:
    """Any other thing that timed out within it is told as what it is."""
    searcher = searcher_over(TimedOut(), Snapshots(lifetime=300), longest=60)
    asked = SearchParameters(q="gymnase")
    asking = (
        searcher.search(asked, ANYBODY)
        if ask == "search"
        else searcher.settled(asked, searcher.as_of(None), ANYBODY)
    )
    with pytest.raises(TimeoutError, match="another's"):
        asyncio.run(cast(Any, asking))


def test_a_snapshot_opened_while_the_first_page_was_read_does_not_serve_it() -> None:
    """It may lack what that page counted: a document that was refreshed in between."""
    seconds = count(1.0)
    snapshots = Snapshots(lifetime=300, now=lambda: next(seconds))
    live = Live(lambda: snapshots.of(("a",), 0.0, opener))
    opener = Opener()

    searcher = searcher_over(live, snapshots)

    async def two_pages() -> None:
        asked = SearchParameters(size=1)
        first = await searcher.search(asked, ANYBODY)
        await searcher.search(asked.model_copy(update={"cursor": first["next"]}), ANYBODY)

    asyncio.run(two_pages())
    assert (opener.opened, live.read_from) == (1, ["later"])
