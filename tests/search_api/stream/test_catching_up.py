"""A stream that catches up says meanwhile that its line lives."""

import asyncio
import json
from collections.abc import AsyncIterator, Collection, Sequence
from typing import Any

import pytest

from tests.documents import document
from traverse_schemas.clock import clock_from
from traverse_schemas.reference.territories import Territories
from traverse_search_api.access.reader import ANYBODY
from traverse_search_api.changes.change_log import Change
from traverse_search_api.changes.errors import ForgottenChangesError
from traverse_search_api.changes.position import Position, decode, encode
from traverse_search_api.metrics import Metrics
from traverse_search_api.parameters import SearchParameters
from traverse_search_api.stream.hub import Hub, StreamLimits
from traverse_search_api.stream.message import NO_MORE_RIGHTS, Form, Message, Refused
from traverse_search_api.words.synonym_book import SynonymBook

ONE = document("A", "École")
KEY = b"a key of the tests"
PATIENCE = 60.0


class Log:
    """A topic of one partition with one change."""

    async def end(self) -> Position:
        return Position("generation", (1,))

    async def beginning(self) -> Position:
        return Position("generation", (0,))

    async def read(self, start: Position, wait: float) -> tuple[list[Change], Position]:
        if start.offsets == (0,):
            return [Change(ONE["id"], "public", 1, 0, 0)], await self.end()
        await asyncio.sleep(wait)
        return [], start

    async def close(self) -> None: ...


class Index:
    """Has taken the document, and does not show it to searches before `shown`."""

    def __init__(self) -> None:
        self.shown = False
        self.asked = asyncio.Event()

    def one(self, _: str) -> "Index":
        return self

    async def match(self, body: dict[str, Any], **_: bool) -> dict[str, Any]:
        self.asked.set()
        if not self.shown:
            return {}
        if "aggs" not in body:
            return {"hits": {"hits": [{"_source": ONE, "_version": 1}]}}
        (key,) = body["aggs"]["matched"]["filters"]["filters"]
        ids = {"doc_count": 1, "ids": {"buckets": [{"key": ONE["id"]}]}}
        return {"aggregations": {"matched": {"buckets": {key: ids}}}}

    async def versions(self, identifiers: Sequence[str]) -> dict[str, int]:
        return dict.fromkeys(identifiers, 1)


def hub_over(index: Index, heartbeat: float) -> Hub:
    return Hub(
        live=Log(), past=Log(), indices=index,  # type: ignore[arg-type]
        territories=Territories.load(), synonyms=SynonymBook(),
        clock=clock_from("2026-03-12T10:00:00Z"), key=KEY, metrics=Metrics(),
        limits=StreamLimits(heartbeat=heartbeat),
    )  # fmt: skip


async def opened(
    hub: Hub, still: Collection[object] = (1,)
) -> AsyncIterator[Message | Refused | None]:
    """A stream that comes back from before the one change; its reader is one while `still` is not
    empty."""
    last = encode(Position("generation", (0,)), KEY)
    return await hub.open(
        SearchParameters(q="école"), ANYBODY, "127.0.0.1", last=last, still=lambda: bool(still)
    )


def test_it_beats_until_a_late_document_shows() -> None:
    """And then tells of it, and goes on beating."""

    async def heard() -> list[Message | Refused | None]:
        index = Index()
        hub = hub_over(index, heartbeat=0.01)
        told = await opened(hub)
        said = []
        async with asyncio.timeout(PATIENCE):
            async for each in told:
                said.append(each)
                index.shown = len(said) > 4
                if any(said) and said[-1] is None:
                    break
        await hub.close()
        return said

    said = asyncio.run(heard())
    (message,) = (each for each in said if isinstance(each, Message))
    assert message.change.id == ONE["id"]
    assert said.index(message) > 4


def test_a_position_that_expires_meanwhile_is_told_with_the_oldest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The log forgot what follows while the stream waited for its turn: it will not come back."""

    async def forgotten(*_: Any) -> Any:
        raise ForgottenChangesError

    monkeypatch.setattr(Log, "read", forgotten)

    async def ended() -> list[Message | Refused | None]:
        hub = hub_over(Index(), heartbeat=60)
        async with asyncio.timeout(PATIENCE):
            said = [each async for each in await opened(hub)]
        await hub.close()
        return said

    connected, refused = asyncio.run(ended())
    assert connected is None
    assert isinstance(refused, Refused)
    assert "oldest" in json.loads(refused.octets(Form.NDJSON))["data"]
    oldest = Position("generation", (0,))
    assert refused.oldest is not None
    assert decode(refused.oldest, KEY, Position("generation", (1,)), oldest) == oldest


def test_who_may_not_read_any_more_is_not_kept_waiting() -> None:
    """A key that is revoked while its stream catches up ends it at the next beat, and says so."""

    async def ended() -> list[Message | Refused | None]:
        hub, reader = hub_over(Index(), heartbeat=0.01), [1]
        said = []
        async with asyncio.timeout(PATIENCE):
            async for each in await opened(hub, reader):
                said.append(each)
                reader.clear()
        await hub.close()
        return said

    assert asyncio.run(ended()) == [None, NO_MORE_RIGHTS]


def test_who_goes_meanwhile_leaves_nothing_behind() -> None:
    """No task that looks for the document for ever."""

    async def left() -> int:
        index = Index()
        hub = hub_over(index, heartbeat=60)
        told = await opened(hub)
        assert await anext(told) is None
        waiting = asyncio.ensure_future(anext(told))
        await asyncio.wait_for(index.asked.wait(), PATIENCE)
        waiting.cancel()
        await asyncio.wait((waiting,))
        await hub.close()
        return len(asyncio.all_tasks()) - 1

    assert asyncio.run(left()) == 0


def test_who_leaves_before_the_first_message_gives_its_place_back() -> None:
    async def leaving() -> None:
        hub = Hub(
            live=Log(), past=Log(), indices=Index(),  # type: ignore[arg-type]
            territories=Territories.load(), synonyms=SynonymBook(),
            clock=clock_from("2026-03-12T10:00:00Z"), key=KEY, metrics=Metrics(),
            limits=StreamLimits(most_per_address=1),
        )  # fmt: skip
        for _ in range(3):
            told = await opened(hub)
            await told.aclose()  # type: ignore[attr-defined]
        await hub.close()

    asyncio.run(leaving())
