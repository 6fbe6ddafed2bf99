"""The hub lets go of who does not read, holds up nobody else for it, and ends no stream without
saying why."""

import asyncio
from typing import Any

import pytest

from tests.documents import document
from traverse_schemas.clock import clock_from
from traverse_schemas.reference.territories import Territories
from traverse_search_api.access.reader import ANYBODY
from traverse_search_api.changes.change_log import Change
from traverse_search_api.changes.errors import ForgottenChangesError
from traverse_search_api.changes.position import Position, decode
from traverse_search_api.metrics import Metrics
from traverse_search_api.parameters import SearchParameters
from traverse_search_api.stream import hub as module
from traverse_search_api.stream.hub import Hub, StreamLimits
from traverse_search_api.stream.message import FAILED, OTHER_LOG, TOO_SLOW, Message, Refused
from traverse_search_api.words.synonym_book import SynonymBook

DOCUMENTS = [document(f"{number}", f"École {number}") for number in range(6)]
START = Position("g", (0,))


class Log:
    """Changes that come once they are told."""

    def __init__(self) -> None:
        self.changes: list[Change] = []

    async def end(self) -> Position:
        return START

    async def read(self, start: Position, wait: float) -> tuple[list[Change], Position]:
        await asyncio.sleep(min(wait, 0.01))
        (at,) = start.offsets
        return self.changes[at:], Position("g", (len(self.changes),))

    async def close(self) -> None: ...


class Index:
    """Shows every document."""

    def one(self, _: str) -> "Index":
        return self

    async def match(self, _: Any, **__: bool) -> dict[str, Any]:
        return {"hits": {"hits": [{"_source": one, "_version": 1} for one in DOCUMENTS]}}


def test_a_reader_that_is_too_slow_is_dropped_and_counted_and_no_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What had been kept for it comes first, then the end: it goes on from its last position."""
    monkeypatch.setattr(module, "_QUEUE", 4)
    log, metrics = Log(), Metrics()
    hub = Hub(
        live=log, past=log, indices=Index(), territories=Territories.load(),  # type: ignore[arg-type]
        synonyms=SynonymBook(), clock=clock_from("2026-03-12T10:00:00Z"), key=b"key",
        metrics=metrics, limits=StreamLimits(heartbeat=300),
    )  # fmt: skip

    async def both() -> None:
        asked = SearchParameters()
        slow = await hub.open(asked, ANYBODY, "192.0.2.1")
        quick = await hub.open(asked, ANYBODY, "192.0.2.2")
        for stream in (slow, quick):
            assert await anext(stream) is None
        # Both have joined once both wait.
        first = [asyncio.ensure_future(anext(stream)) for stream in (slow, quick)]
        for at, one in enumerate(DOCUMENTS):
            log.changes.append(Change(one["id"], "public", 1, 0, at))
            message = await asyncio.wait_for(first[1] if at == 0 else anext(quick), 30)
            assert isinstance(message, Message)
            assert message.change.id == one["id"]
        kept = [await first[0], *[message async for message in slow]]
        assert kept.pop() is TOO_SLOW
        told = [one.change.id for one in kept if isinstance(one, Message)]
        assert told == [one["id"] for one in DOCUMENTS[:5]]
        assert b"streams_dropped_total 1.0" in metrics.text()
        await hub.close()
        assert [message async for message in quick] == []

    asyncio.run(both())


KEPT = Position("g", (7,))
"""The oldest place of a log that has forgotten what came before."""
NOW = Position("g", (9,))


class Forgetful(Log):
    """Answers nothing until it breaks off; by then the end of the topic is `present`."""

    def __init__(self, error: Exception, present: Position = NOW) -> None:
        super().__init__()
        self.error = error
        self.present = present
        self.broken = False

    async def end(self) -> Position:
        return self.present if self.broken else START

    async def beginning(self) -> Position:
        return KEPT

    async def read(self, start: Position, wait: float) -> tuple[list[Change], Position]:
        await asyncio.sleep(min(wait, 0.01))
        if self.broken and start == START:
            raise self.error
        return [], start


def last_words(log: Forgetful) -> list[Any]:
    """What a stream hears that follows a log as it breaks off, and the first word of the next
    one."""
    hub = Hub(
        live=log, past=log, indices=Index(), territories=Territories.load(),  # type: ignore[arg-type]
        synonyms=SynonymBook(), clock=clock_from("2026-03-12T10:00:00Z"), key=b"key",
        metrics=Metrics(), limits=StreamLimits(heartbeat=300),
    )  # fmt: skip

    async def heard() -> list[Any]:
        stream = await hub.open(SearchParameters(), ANYBODY, "192.0.2.1")
        assert await anext(stream) is None
        waiting = asyncio.ensure_future(anext(stream))
        await asyncio.sleep(0)  # it joins the others
        log.broken = True
        async with asyncio.timeout(30):
            said: list[Any] = [await waiting, *[message async for message in stream]]
            following = await hub.open(SearchParameters(), ANYBODY, "192.0.2.1")
            said.append(await anext(following))
        await hub.close()
        return said

    return asyncio.run(heard())


def test_where_the_log_forgot_what_follows_its_own_place_its_streams_are_told_the_oldest() -> None:
    """It was away from Kafka for longer than changes are kept. Whoever comes then is served."""
    refused, following = last_words(Forgetful(ForgottenChangesError()))
    assert isinstance(refused, Refused)
    assert refused.oldest is not None
    assert decode(refused.oldest, b"key", NOW, KEPT) == KEPT
    assert "ne sont plus gardés" in refused.detail
    assert following is None


def test_where_the_log_is_another_one_by_then_that_is_told() -> None:
    """Its offsets begin anew: the hub's own place may lie beyond them."""
    log = Forgetful(ForgottenChangesError(), Position("other", (0,)))
    assert last_words(log) == [OTHER_LOG, None]


def test_a_failure_that_nobody_expected_is_told_to_its_streams() -> None:
    assert last_words(Forgetful(RuntimeError("secret"))) == [FAILED, None]
