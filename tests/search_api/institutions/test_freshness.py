"""How fresh each source is stands in every answer, and is asked now and then."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest

from traverse_search_api.access.reader import ANYBODY, Reader
from traverse_search_api.institutions.freshness import Freshness, Sources

MEMBER = Reader("211300553")
NOW = datetime(2026, 3, 12, 10, tzinfo=UTC)


class Engine:
    """Answers with the number of the question, once `free` is set."""

    def __init__(self) -> None:
        self.asked = 0
        self.free = asyncio.Event()
        self.seconds = 0.0

    async def __call__(self, _: Reader, body: dict[str, Any]) -> dict[str, Any]:
        self.asked += 1
        number = self.asked
        await self.free.wait()
        if number == 0:
            raise AssertionError(body)
        bucket = {"key": f"urn:{number}", "doc_count": 1, "last": {"value": 0}}
        alone: dict[str, Any] = {"beside": {"buckets": []}}
        return {"aggregations": {"sources": {"buckets": [bucket | alone]}}}


def names(sources: Sources) -> list[str]:
    return [one["source"] for one in sources]


def test_the_first_answers_have_it_too() -> None:
    """Many that come at once wait for one question; one that leaves spoils it for nobody."""

    async def asking() -> None:
        engine = Engine()
        freshness = Freshness(engine, lambda: engine.seconds)
        waiting = [asyncio.ensure_future(freshness.sources(ANYBODY, NOW)) for _ in range(5)]
        await asyncio.sleep(0)
        waiting[0].cancel()
        engine.free.set()
        assert [names(one) for one in await asyncio.gather(*waiting[1:])] == [["urn:1"]] * 4
        assert names(await freshness.sources(MEMBER, NOW)) == ["urn:2"]
        assert engine.asked == 2
        # A minute later it is asked again, and nobody waits for it.
        engine.seconds = 61
        engine.free.clear()
        for _ in range(2):
            assert names(await freshness.sources(ANYBODY, NOW)) == ["urn:1"]
            await asyncio.sleep(0)
        engine.free.set()
        await asyncio.sleep(0.01)
        assert names(await freshness.sources(ANYBODY, NOW)) == ["urn:3"]
        assert engine.asked == 3

    asyncio.run(asking())


def test_who_could_not_be_told_asks_again() -> None:
    async def asking() -> None:
        broken = True

        async def search(_: Reader, body: dict[str, Any]) -> dict[str, Any]:
            if broken:
                raise ValueError(body)
            return {}

        freshness = Freshness(search)
        with pytest.raises(ValueError, match="size"):
            await freshness.sources(ANYBODY, NOW)
        broken = False
        assert await freshness.sources(ANYBODY, NOW) == []

    asyncio.run(asking())
