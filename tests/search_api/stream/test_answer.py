"""A stream as an answer: it goes on while its reader takes what comes, and no longer."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from traverse_schemas.web.http_methods import AnswerHead
from traverse_search_api.stream.answer import StreamAnswer
from traverse_search_api.stream.message import HEARTBEAT, Form
from traverse_search_api.web import patient_answer


class Told:
    """Heartbeats, as many as are wanted; remembers that it was ended."""

    def __init__(self, beats: int) -> None:
        self.beats = beats
        self.ended = False

    async def __aiter__(self) -> AsyncIterator[None]:
        for _ in range(self.beats):
            yield None

    async def aclose(self) -> None:
        self.ended = True


async def never() -> Any:
    """The reader stays connected."""
    await asyncio.Event().wait()


async def written(told: Any, taken: int) -> list[dict[str, Any]]:
    """What went out to a reader that takes so many pieces, then stands still."""
    sent: list[dict[str, Any]] = []

    async def send(message: Any) -> None:
        if len(sent) == taken:
            await asyncio.Event().wait()
        sent.append(message)

    await StreamAnswer(told, Form.NDJSON)({"type": "http"}, never, send)
    return sent


def test_a_stream_is_written_to_its_end() -> None:
    told = Told(2)
    start, *beats, end = asyncio.run(written(told, 99))
    assert start["status"] == 200
    assert [one["body"] for one in beats] == [HEARTBEAT[Form.NDJSON]] * 2
    assert end == {"type": "http.response.body", "body": b"", "more_body": False}
    assert told.ended


def test_a_reader_that_stands_still_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its answer is left unfinished, which the server closes, and its place is free again."""
    monkeypatch.setattr(patient_answer, "_STANDS_STILL", 0.02)
    monkeypatch.setattr(patient_answer, "_LOOK_EVERY", 0.01)
    told = Told(99)
    sent = asyncio.run(asyncio.wait_for(written(told, 3), 30))
    assert len(sent) == 3
    assert told.ended


def test_who_asks_for_the_headers_of_a_stream_gets_them_and_no_more() -> None:
    """HEAD (RFC 9110, 9.3.2): the stream, which has no end, is not kept open for it."""
    told: Any = Told(10**9)
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def asked() -> None:
        head = {"type": "http", "method": "HEAD"}
        async with asyncio.timeout(30):
            await AnswerHead(StreamAnswer(told, Form.EVENTS))(head, never, send)

    asyncio.run(asked())
    start, end = sent
    assert (b"content-type", b"text/event-stream; charset=utf-8") in start["headers"]
    assert end == {"type": "http.response.body", "body": b"", "more_body": False}
    assert told.ended
