"""In which order the index step tells what became of a batch."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from traverse_schemas.topics import REJECTED
from traverse_stream_processors import work_index
from traverse_stream_processors.bulk import Refused
from traverse_stream_processors.index import Operation
from traverse_stream_processors.log import Message
from traverse_stream_processors.work_index import IndexWork


class KilledError(Exception):
    """The process ended here."""


class Teller:
    """Writes once, and the process ends."""

    def __init__(self) -> None:
        self.written: list[str] = []

    async def write(self, messages: Sequence[Message]) -> list[int]:
        if self.written:
            raise KilledError
        self.written = [one.topic for one in messages]
        return []


class Index:
    """Refuses every document."""

    async def write(self, operations: Sequence[Operation]) -> list[Refused]:
        return [Refused(one, "too deep") for one in operations]


def test_a_refusal_is_told_before_the_change(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of which a change was told, nobody brings to the index again: killed between the two, it
    would never be told."""
    teller = Teller()
    given: dict[str, Any] = {"teller": teller, "bulk": Index(), "writer": None}
    work = IndexWork(bootstrap="127.0.0.1:1", opportunities=Any, verified=False, **given)  # type: ignore[arg-type]
    monkeypatch.setattr(
        work_index, "operations", lambda *_: [Operation("id", "public", b"", b"{}")]
    )
    message: Any = {"id": "id", "index": "public", "stubs": [], "document": {"stub": False}}
    with pytest.raises(KilledError):
        asyncio.run(work._index([work_index._Indexed(message, b"{}", 0, 7)]))
    assert teller.written == [REJECTED]
