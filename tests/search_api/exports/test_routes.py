"""An export as an answer: its pages, its place, and what its reader sees when it fails midway."""

import asyncio
import weakref
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from typing import Any, cast

import pytest

from tests.documents import document
from tests.search_api.stream.test_answer import never
from traverse_search_api.access.reader import ANYBODY
from traverse_search_api.errors import (
    ExpiredCursorError,
    TooManyExportsError,
    TooManyRowsError,
)
from traverse_search_api.exports.pages import export_pages
from traverse_search_api.exports.places import Places
from traverse_search_api.parameters import SearchParameters
from traverse_search_api.search import Searcher
from traverse_search_api.text.plan import TextPlan
from traverse_search_api.web import file_answer, patient_answer
from traverse_search_api.web.file_answer import FileAnswer
from traverse_search_api.words.typed_words import TypedWords

NOW = datetime(2026, 3, 12, 10, tzinfo=UTC)
PLAN = TextPlan(TypedWords(), (), "")


class Hit(dict[str, Any]):
    """A hit of which one can tell whether it is still held."""


class ManyHits:
    """An index with so many documents: gives them a page at a time, from one point in time."""

    def __init__(self, count: int, broken_at: int | None = None) -> None:
        self.count = count
        self.broken_at = broken_at
        self.open: list[str] = []
        self.held = self.most_held = 0
        self.source = document("one", "Voirie")

    def of(self, _: Any) -> "ManyHits":
        return self

    async def open_snapshot(self, _: str) -> str:
        self.open.append("pit")
        return "pit"

    async def close_snapshot(self, identifier: str) -> None:
        self.open.remove(identifier)

    async def search(self, body: dict[str, Any], **_: Any) -> dict[str, Any]:
        start = body.get("search_after", [0])[0]
        if start == self.broken_at:
            raise ExpiredCursorError
        hits = [self._hit(at) for at in range(start, min(start + body["size"], self.count))]
        found: dict[str, Any] = {"hits": {"hits": hits}}
        if body["track_total_hits"]:
            found["hits"]["total"] = {"value": min(self.count, body["track_total_hits"])}
        return found

    def _hit(self, at: int) -> Hit:
        hit = Hit(_source=self.source | {"id": f"{at}"}, sort=[at + 1])
        self.held += 1
        self.most_held = max(self.most_held, self.held)
        weakref.finalize(hit, self._let_go)
        return hit

    def _let_go(self) -> None:
        self.held -= 1


def pages_of(index: ManyHits, most: int | None = None) -> Any:
    """The pages of an export over that index."""
    searcher = cast(Searcher, Few(index))
    return export_pages(searcher, SearchParameters(), ANYBODY, most)


class Few:
    """What an export needs of the searcher."""

    territories = None

    def __init__(self, index: ManyHits) -> None:
        self.indices = index

    def as_of(self, _: str | None) -> Any:
        return NOW

    async def settled(self, *_: Any) -> Any:
        return PLAN


def test_an_export_of_any_length_holds_a_page_or_two() -> None:
    """Beyond Elasticsearch's window of 10,000 too, and its point in time is given back."""
    index = ManyHits(12_250)

    async def read() -> list[str]:
        async with pages_of(index) as pages:
            return [item["id"] async for page in pages for item in page]

    assert asyncio.run(read()) == [f"{at}" for at in range(12_250)]
    assert index.most_held <= 1000
    assert not index.open


def test_what_a_workbook_cannot_hold_is_said_and_not_cut() -> None:
    index = ManyHits(1001)

    async def ask(most: int) -> None:
        async with pages_of(index, most):
            assert index.open

    asyncio.run(ask(1001))
    with pytest.raises(TooManyRowsError, match=r"plus de 1\u202f000 résultats.*csv"):
        asyncio.run(ask(1000))
    assert not index.open


def answered(index: ManyHits, taken: int, places: Places) -> list[dict[str, Any]]:
    """What goes out of an export to a reader that takes so many messages, then stands still."""
    sent: list[dict[str, Any]] = []

    async def send(message: Any) -> None:
        if len(sent) == taken:
            await asyncio.Event().wait()
        await asyncio.sleep(0)
        sent.append(message)

    async def pieces(items: Any) -> AsyncGenerator[bytes, None]:
        async for page in items:
            yield b"x" * 200 * len(page)

    async def answer() -> None:
        async with AsyncExitStack() as held:
            await held.enter_async_context(places.taken("somebody"))
            items = await held.enter_async_context(pages_of(index))
            made = FileAnswer(pieces(items), "text/csv", {}, held.pop_all())
        await made({"type": "http"}, never, send)

    try:
        asyncio.run(asyncio.wait_for(answer(), 60))
    except ExpiredCursorError as error:
        sent.append({"raised": error})
    return sent


def test_what_fails_midway_is_left_unfinished() -> None:
    """Without its end (RFC 9112, 7.1: the last chunk) a reader knows that it has not all."""
    index, places = ManyHits(1_500, broken_at=1_000), Places(most=1)
    *sent, last = answered(index, 99, places)
    assert isinstance(last["raised"], ExpiredCursorError)
    assert sum(len(one.get("body", b"")) for one in sent) == 200_000
    assert all(one["more_body"] for one in sent[1:])
    assert not index.open
    sent = answered(ManyHits(1_500), 99, places)
    assert sent[-1]["more_body"] is False


def test_who_stands_still_gives_back_place_and_point_in_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whoever reads a file slowly, but reads, goes on: it is sent in small pieces."""
    monkeypatch.setattr(patient_answer, "_STANDS_STILL", 0.02)
    monkeypatch.setattr(patient_answer, "_LOOK_EVERY", 0.01)
    places = Places(most=1, most_each=1, patience=0.01)
    for _ in range(2):
        index = ManyHits(1_500)
        start, *sent = answered(index, 4, places)
        assert (start["status"], len(sent)) == (200, 3)
        assert max(len(one["body"]) for one in sent) == 65_536
        assert not index.open


def test_who_reads_for_longer_than_a_file_may_take_is_given_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Piece after piece, each in time: without an end its point in time would be held for days."""
    monkeypatch.setattr(file_answer, "_LONGEST", 0.05)
    monkeypatch.setattr(patient_answer, "_LOOK_EVERY", 0.01)
    index = ManyHits(1_000_000)
    sent = answered(index, 1_000_000, Places(most=1))
    assert sent[0]["status"] == 200
    assert all(one["more_body"] for one in sent[1:])
    assert not index.open


def test_a_caller_has_two_places_and_all_together_have_some() -> None:
    """Who comes too soon waits a little, and is then told to come back."""

    async def crowd() -> None:
        places = Places(most=3, patience=0.01)
        async with places.taken("a"), places.taken("a"):
            with pytest.raises(TooManyExportsError, match=r"^2 exports"):
                await places.taken("a").__aenter__()
            async with places.taken("b"):
                with pytest.raises(TooManyExportsError, match=r"^3 exports"):
                    await places.taken("c").__aenter__()
        async with places.taken("c"), places.taken("c"), places.taken("a"):
            pass
        patient = Places(most=1, patience=60)
        async with patient.taken("a"):
            waiting = asyncio.create_task(patient.taken("b").__aenter__())
            await asyncio.sleep(0)
        await waiting

    asyncio.run(crowd())
