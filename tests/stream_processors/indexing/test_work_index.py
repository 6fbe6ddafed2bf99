"""In which order the index step tells what became of a batch, and what it writes as it takes
over."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.stream_processors.matching.factory import reader, state
from traverse_schemas.log.topics import GROUPINGS, LINKS, REJECTED
from traverse_stream_processors.indexing import work as work_index
from traverse_stream_processors.indexing.bulk import Refused
from traverse_stream_processors.indexing.index import Operation
from traverse_stream_processors.indexing.work import IndexWork
from traverse_stream_processors.likeness.model import base_model
from traverse_stream_processors.linking.linker import Linker
from traverse_stream_processors.linking.opportunities import Opportunities
from traverse_stream_processors.linking.shelf import Shelf
from traverse_stream_processors.log import Message, Stored
from traverse_stream_processors.matching.matches import Matches


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

    async def write(
        self, operations: Sequence[Operation], _: Any = None, *, refresh: bool = False
    ) -> list[Refused]:
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


class Refreshes:
    """Takes all, and remembers whether it was to be shown at once."""

    def __init__(self) -> None:
        self.asked: list[bool] = []

    async def write(
        self, _: Sequence[Operation], __: Any = None, *, refresh: bool = False
    ) -> list[Refused]:
        self.asked.append(refresh)
        return []


def test_few_documents_are_shown_before_they_are_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many wait for the index's own refresh."""
    index = Refreshes()
    given: dict[str, Any] = {"teller": Told(), "bulk": index, "writer": None}
    work = IndexWork(bootstrap="127.0.0.1:1", opportunities=Any, verified=False, **given)  # type: ignore[arg-type]

    async def nothing(*_: Any) -> dict[Any, bytes]:
        return {}

    monkeypatch.setattr(work_index, "read_at", nothing)
    for size in (1, work_index._FEW - 1, work_index._FEW):
        documents = [work_index._read(written(f"d{n}", n), 0) for n in range(size)]
        asyncio.run(work._index(documents))
    assert index.asked == [True, True, False]


class Log:
    """What was written, by topic and key; and how much at once."""

    def __init__(self) -> None:
        self.topics: dict[str, dict[bytes, Stored]] = {LINKS: {}, GROUPINGS: {}}
        self.sizes: list[int] = []

    async def write(self, messages: Sequence[Message]) -> list[int]:
        self.sizes.append(len(messages))
        for one in messages:
            stored = Stored(0, one.key, one.value, ())
            self.topics[one.topic][bytes([one.partition]) + one.key] = stored
        return []

    async def read(
        self, _: str, topic: str, partition: int, start: int
    ) -> AsyncIterator[list[Stored]]:
        start_of = bytes([partition])
        yield [one for key, one in self.topics[topic].items() if key.startswith(start_of)]


def test_who_takes_over_writes_the_links_that_are_missing_in_portions(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """And nothing of what is on the log already."""
    known = Opportunities(Linker(), Shelf(tmp_path), Matches(base_model(), reader()))
    states = [
        state("N", "Défibrillateurs", owner=town, cpv=["33182100"], window={"from": "2027-02-01"})
        for town in ("Gardanne", "Aix", "Marseille")
    ]
    known.put_records(
        [
            (f"{one['source']} {one['subject']}", at, orjson.dumps(one))
            for at, one in enumerate(states)
        ]
    )
    log = Log()
    given: dict[str, Any] = {"teller": log, "bulk": Index(), "writer": log}
    work = IndexWork(bootstrap="", opportunities=known, verified=False, **given)
    monkeypatch.setattr(work_index, "read_partition", log.read)
    monkeypatch.setattr(work_index, "_PORTION", 2)
    asyncio.run(work._write_links())
    assert log.sizes == [2, 1, 2, 1]  # three pairs, then the groupings of three layers
    assert {one.key.count(b" ") for one in log.topics[LINKS].values()} == {2}
    asyncio.run(work._write_links())
    assert log.sizes == [2, 1, 2, 1]
    gone = states[0]
    known.put_records([(f"{gone['source']} {gone['subject']}", 9, None)])
    asyncio.run(work._write_links())
    links = [one.value for one in log.topics[LINKS].values()]
    assert links.count(None) == 2
    assert len(links) == 3


def written(name: str, offset: int) -> Stored:
    value = {"id": name, "index": "public", "stubs": [], "document": {"id": name, "stub": True}}
    return Stored(offset, name.encode(), orjson.dumps(value), ())


class Held:
    """An index that holds the first versions up to one."""

    def __init__(self, upto: int) -> None:
        self.upto = upto
        self.taken: list[str] = []

    async def write(
        self,
        operations: Sequence[Operation],
        held: set[Operation] | None = None,
        *,
        refresh: bool = False,
    ) -> list[Refused]:
        for one in operations:
            version = orjson.loads(one.action)["index"]["version"]
            if version > self.upto:
                self.taken.append(one.id)
            elif held is not None:
                held.add(one)
        return []


class Told:
    """The changes that were told."""

    def __init__(self) -> None:
        self.ids: list[str] = []

    async def write(self, messages: Sequence[Message]) -> list[int]:
        self.ids += [one.key.decode() for one in messages]
        return []


LAST = Stored(3, b"b", b'{"id":"b","partition":0,"version":1}', ())


@pytest.mark.parametrize(
    ("last", "upto", "told"),
    [
        ({0: LAST}, 1, ["c", "d"]),  # the last word is kept: what came after it is told
        ({0: None}, 3, []),  # a quiet week went by: nothing of what is old is told
        ({0: None}, 2, ["d"]),  # what had not reached the index is told all the same
        ({}, -1, ["a", "b", "c", "d"]),  # nothing was ever told
    ],
)
def test_who_takes_over_tells_what_is_new_and_after_a_quiet_week_no_more(
    monkeypatch: pytest.MonkeyPatch, last: dict[int, Stored | None], upto: int, told: list[str]
) -> None:
    """The log of changes keeps seven days: that it is empty does not say that nothing was told."""
    log = [written(name, offset) for offset, name in enumerate("abcd")]

    async def read(_: str, __: str, partition: int, start: int) -> AsyncIterator[list[Stored]]:
        yield [one for one in log if partition == 0 and one.offset >= start]

    async def last_messages(_: str, __: str) -> dict[int, Stored | None]:
        return last

    async def nothing(*_: Any) -> dict[Any, bytes]:
        return {}

    monkeypatch.setattr(work_index, "read_partition", read)
    monkeypatch.setattr(work_index, "last_messages", last_messages)
    monkeypatch.setattr(work_index, "read_at", nothing)
    index, teller = Held(upto), Told()
    given: dict[str, Any] = {"teller": teller, "bulk": index, "writer": None}
    work = IndexWork(bootstrap="", opportunities=Any, verified=False, **given)  # type: ignore[arg-type]
    asyncio.run(work._index_what_is_written())
    assert teller.ids == told
    assert index.taken == told
