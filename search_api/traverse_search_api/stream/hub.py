"""The hub: reads the changes once for all streams, and gives each what its filter passes.

A stream first catches up by itself, from its position to where the hub stands, then joins the
others. Each has a queue of bounded length: who does not read fast enough is dropped, and comes
back with its Last-Event-ID; the others never wait.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from collections.abc import Set as AbstractSet
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from traverse_schemas.clock import Clock
from traverse_schemas.reference.territories import Territories
from traverse_search_api.cursor import fingerprint
from traverse_search_api.elasticsearch_client import PublicIndex
from traverse_search_api.errors import (
    SearchUnavailableError,
    StreamUnavailableError,
    TooManyStreamsError,
)
from traverse_search_api.metrics import Metrics
from traverse_search_api.parameters import SearchParameters
from traverse_search_api.stream.change_log import Change, ChangeLog
from traverse_search_api.stream.matching import (
    Looked,
    matching_body,
    read_matching,
    ready,
    stream_filter,
)
from traverse_search_api.stream.message import Message, messages
from traverse_search_api.stream.position import Position, decode
from traverse_search_api.stream.recent import Recent
from traverse_search_api.synonym_book import SynonymBook

_LOG = logging.getLogger(__name__)

_QUEUE: Final = 500
"""Messages that may wait for one slow reader before it is dropped."""

_BATCH: Final = 200
_FILTERS: Final = 1000  # in one search; more streams take several
_FILTER_AGE: Final = timedelta(seconds=60)  # what "open" means moves on with the clock
_LATE: Final = 2.0  # seconds after which a document that does not show is asked for by its id
_WAIT: Final = 0.2
_LOOK_AGAIN: Final = 0.1
_PAUSE: Final = 1.0
_CATCH_UPS: Final = 8
_GENERATION_EVERY: Final = 30.0

Query = dict[str, Any]


@dataclass(frozen=True, slots=True)
class StreamLimits:
    """How many streams at once, in all and for one address; `heartbeat` in seconds."""

    most: int = 5000
    most_per_address: int = 20
    heartbeat: float = 15


@dataclass(eq=False, slots=True)
class _Reader:
    """One stream; `start` is where it joined."""

    start: Position
    queue: asyncio.Queue[Message | None] = field(default_factory=lambda: asyncio.Queue(_QUEUE + 1))


@dataclass(slots=True)
class _Group:
    """Streams with the same search: matched once."""

    parameters: SearchParameters
    query: Query
    made: datetime
    readers: set[_Reader] = field(default_factory=set)


class Hub:
    """All streams of one process over one reading of `traverse.changes`."""

    def __init__(
        self,
        *,
        live: ChangeLog,
        past: ChangeLog,
        index: PublicIndex,
        territories: Territories,
        synonyms: SynonymBook,
        clock: Clock,
        key: bytes,
        metrics: Metrics,
        limits: StreamLimits,
    ) -> None:
        """`live` and `past` read the same topic over a connection each; `key` seals positions."""
        self._live, self._past = live, past
        self._index = index
        self._territories = territories
        self._synonyms = synonyms
        self._clock = clock
        self._key = key
        self._metrics = metrics
        self._limits = limits
        self._groups: dict[str, _Group] = {}
        self._addresses: Counter[str] = Counter()
        self._told: Position | None = None
        self._read_to: Position | None = None
        self._pending: list[tuple[Change, float]] = []
        self._recent = Recent()
        self._catching_up = asyncio.Semaphore(_CATCH_UPS)
        self._starting = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None

    async def open(
        self,
        parameters: SearchParameters,
        address: str,
        *,
        last: str | None = None,
        since: datetime | None = None,
    ) -> AsyncIterator[Message | None]:
        """A stream of what `parameters` find, from a position, a moment, or now; None is a
        heartbeat. It ends when its reader is too slow, or the service stops.

        Raises, before the first message: InvalidParameterError, InvalidStreamPositionError,
        ExpiredStreamError, TooManyStreamsError, StreamUnavailableError.
        """
        query = self._query(parameters)
        if self._addresses.total() >= self._limits.most:
            raise TooManyStreamsError(self._limits.most)
        if self._addresses[address] >= self._limits.most_per_address:
            raise TooManyStreamsError(self._limits.most_per_address)
        self._addresses[address] += 1
        try:
            position = await self._start_of(last, since)
        except BaseException:
            self._leave(address)
            raise
        return self._follow(parameters, query, address, position)

    async def close(self) -> None:
        """End all streams and release the connections."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        self._end_all()
        await self._live.close()
        await self._past.close()

    # One stream

    async def _start_of(self, last: str | None, since: datetime | None) -> Position:
        present = await self._present()
        if last is not None:
            end, oldest = await self._past.end(), await self._past.beginning()
            return decode(last, self._key, end, oldest)
        return present if since is None else await self._past.at(since)

    async def _follow(
        self, parameters: SearchParameters, query: Query, address: str, position: Position
    ) -> AsyncIterator[Message | None]:
        key = fingerprint(parameters)
        reader: _Reader | None = None
        self._metrics.streams.inc()
        try:
            yield None  # the reader knows at once that it is connected
            while (reader := self._join(key, parameters, query, position)) is None:
                try:
                    async with self._catching_up:
                        told, position = await self._catch_up(key, query, position)
                except (StreamUnavailableError, SearchUnavailableError) as error:
                    _LOG.warning("stream_waits cause=%s", error)
                    await asyncio.sleep(_PAUSE)
                    told = [None]
                for message in told:
                    yield message
            while True:
                try:
                    async with asyncio.timeout(self._limits.heartbeat):
                        given = await reader.queue.get()
                except TimeoutError:
                    yield None
                    continue
                if given is None:
                    return
                yield given
        finally:
            self._metrics.streams.dec()
            if reader is not None:
                self._part(key, reader)
            self._leave(address)

    def _join(
        self, key: str, parameters: SearchParameters, query: Query, position: Position
    ) -> _Reader | None:
        """Join the others, unless something lies between this stream and the hub."""
        if self._told is None or not position.reaches(self._told):
            return None
        group = self._groups.get(key)
        if group is None:
            group = self._groups[key] = _Group(parameters, query, self._clock.now())
        reader = _Reader(position)
        group.readers.add(reader)
        return reader

    async def _catch_up(
        self, key: str, query: Query, position: Position
    ) -> tuple[list[Message | None], Position]:
        """Some of what lies between a position and the hub's."""
        goal = await self._present()
        found, reached = self._recent.between(position, goal), goal
        if found is None:
            read, end = await self._past.read(position, _WAIT)
            found, reached = _until(read, goal), _least(end, goal)
        cut = len(found) > _BATCH
        found = found[:_BATCH]
        looked = await self._look(found, {key: query})
        refused: set[Change] = set()
        while looked.late - refused:
            await asyncio.sleep(_LOOK_AGAIN)
            looked = await self._look(found, {key: query})
            refused = await self._refused(looked.late)
        told, after = messages(found, looked, position, self._clock.now(), self._key)
        return [one for one in told if _wanted(one, looked, key)], after if cut else reached

    # All of them

    async def _present(self) -> Position:
        """Where the hub stands; starts it for the first stream. Raises StreamUnavailableError."""
        async with self._starting:
            if self._task is None or self._task.done():
                self._begin(await self._live.end())
                self._task = asyncio.create_task(self._run())
        if self._told is None:
            raise StreamUnavailableError
        return self._told

    def _begin(self, position: Position) -> None:
        self._told = self._read_to = position
        self._pending.clear()
        self._recent.begin(position)

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        checked = loop.time()
        while True:
            try:
                await self._step()
                if loop.time() - checked > _GENERATION_EVERY:
                    checked = loop.time()
                    await self._check_generation()
            except (StreamUnavailableError, SearchUnavailableError) as error:
                # Streams stay open, with their heartbeats; nothing is skipped.
                _LOG.warning("stream_waits cause=%s", error)
                await asyncio.sleep(_PAUSE)
            except Exception:
                # Readers come back with their position, and the next one starts the hub anew.
                _LOG.exception("stream_failed")
                self._end_all()
                return

    async def _check_generation(self) -> None:
        end = await self._past.end()
        if self._told is not None and end.generation != self._told.generation:
            self._end_all()
            self._begin(end)

    async def _step(self) -> None:
        if self._read_to is None or self._told is None:
            raise StreamUnavailableError
        loop = asyncio.get_running_loop()
        if len(self._pending) < _BATCH:
            wait = _LOOK_AGAIN if self._pending else _WAIT
            changes, self._read_to = await self._live.read(self._read_to, wait)
            self._pending += [(change, loop.time()) for change in changes]
        if not self._pending:
            self._told = self._read_to
            return
        batch = [change for change, _ in self._pending[:_BATCH]]
        looked = await self._look_for_all(batch)
        old = loop.time() - _LATE
        overdue = {change for change, came in self._pending[:_BATCH] if came < old}
        refused = await self._refused(looked.late & overdue)
        self._tell(ready(batch, looked.late - refused), looked)

    async def _refused(self, late: AbstractSet[Change]) -> set[Change]:
        """Those that no refresh of the index will show: Elasticsearch does not have them, because
        it refused the document."""
        if not late:
            return set()
        held = await self._index.versions(sorted({change.id for change in late}))
        return {change for change in late if held.get(change.id, -1) < change.version}

    async def _look_for_all(self, changes: Sequence[Change]) -> Looked:
        now = self._clock.now()
        for group in self._groups.values():
            if now - group.made > _FILTER_AGE:
                group.query, group.made = self._query(group.parameters), now
        looked = Looked({}, frozenset(), frozenset(), {})
        asked: set[str] = set()
        while True:
            # Who joins while Elasticsearch is asked must be asked for as well.
            filters = {key: g.query for key, g in self._groups.items() if key not in asked}
            if asked and not filters:
                return looked
            more = await self._look(changes, filters)
            looked = more._replace(
                matched={**looked.matched, **more.matched}, late=looked.late | more.late
            )
            asked |= filters.keys()
            if not filters:
                return looked

    def _tell(self, changes: Sequence[Change], looked: Looked) -> None:
        """Give every stream its messages. No await in here: who joins sees all of it, or none."""
        if self._told is None or not changes:
            return
        told, self._told = messages(changes, looked, self._told, self._clock.now(), self._key)
        done = set(changes)
        self._pending = [each for each in self._pending if each[0] not in done]
        self._recent.add(changes)
        for key, group in list(self._groups.items()):
            wanted = [one for one in told if _wanted(one, looked, key)]
            for reader in list(group.readers) if wanted else ():
                self._give(key, reader, wanted)

    def _give(self, key: str, reader: _Reader, told: Sequence[Message]) -> None:
        for message in told:
            change = message.change
            if change.offset < reader.start.offsets[change.partition]:
                continue  # it came back ahead of this hub
            if reader.queue.qsize() >= _QUEUE:
                self._metrics.streams_dropped.inc()
                self._part(key, reader)
                reader.queue.put_nowait(None)
                return
            reader.queue.put_nowait(message)

    async def _look(self, changes: Sequence[Change], filters: dict[str, Query]) -> Looked:
        """What the index says of the changes. Raises SearchUnavailableError."""
        looked = Looked({}, frozenset(), frozenset(), {})
        if not changes:
            return looked
        keys = list(filters)
        for start in range(0, max(1, len(keys)), _FILTERS):
            part = {key: filters[key] for key in keys[start : start + _FILTERS]}
            found = read_matching(changes, await self._index.match(matching_body(changes, part)))
            looked = found._replace(
                matched={**looked.matched, **found.matched}, late=looked.late | found.late
            )
        return looked

    def _part(self, key: str, reader: _Reader) -> None:
        group = self._groups.get(key)
        if group is not None:
            group.readers.discard(reader)
            if not group.readers:
                del self._groups[key]

    def _end_all(self) -> None:
        for group in self._groups.values():
            for reader in group.readers:
                with suppress(asyncio.QueueFull):
                    reader.queue.put_nowait(None)
        self._groups.clear()

    def _leave(self, address: str) -> None:
        self._addresses[address] -= 1
        if self._addresses[address] <= 0:
            del self._addresses[address]

    def _query(self, parameters: SearchParameters) -> Query:
        meanings = self._synonyms.meanings()
        return stream_filter(parameters, self._clock.now(), self._territories, meanings)


def _wanted(message: Message, looked: Looked, key: str) -> bool:
    """What is gone is told to all: whether a filter found it once can no longer be asked."""
    return message.name == "gone" or message.change.id in looked.matched.get(key, ())


def _until(changes: Sequence[Change], goal: Position) -> list[Change]:
    return [change for change in changes if change.offset < goal.offsets[change.partition]]


def _least(one: Position, other: Position) -> Position:
    pairs = zip(one.offsets, other.offsets, strict=True)
    return one._replace(offsets=tuple(min(pair) for pair in pairs))
