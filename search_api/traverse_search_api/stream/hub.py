"""The hub: reads the changes once for all streams, and gives each what its filter passes.

A stream first catches up by itself, from its position to where the hub stands, then joins the
others. Each has a queue of bounded length: who does not read fast enough is dropped, and comes
back with its Last-Event-ID; the others never wait.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, TypeVar

from traverse_schemas.clock import Clock
from traverse_schemas.reference.territories import Territories
from traverse_search_api.access.rates import caller_of
from traverse_search_api.access.reader import Reader
from traverse_search_api.changes.change_log import Change, ChangeLog
from traverse_search_api.changes.errors import (
    ExpiredStreamError,
    ForgottenChangesError,
    StreamUnavailableError,
)
from traverse_search_api.changes.position import Position, decode, encode
from traverse_search_api.changes.recent import Recent
from traverse_search_api.engines.elasticsearch_client import Indices
from traverse_search_api.errors import (
    RefusedQueryError,
    SearchUnavailableError,
    TooManyStreamsError,
)
from traverse_search_api.matching.looked import Seen, late_in, ready
from traverse_search_api.matching.searches import Search, Searches, search_of
from traverse_search_api.metrics import Metrics
from traverse_search_api.parameters import SearchParameters
from traverse_search_api.stream.listener import Listener, Mark
from traverse_search_api.stream.lookout import Lookout
from traverse_search_api.stream.message import (
    FAILED,
    NO_MORE_RIGHTS,
    OTHER_LOG,
    REFUSED_SEARCH,
    TOO_SLOW,
    Message,
    Refused,
    Tellings,
    ended_by,
)
from traverse_search_api.stream.place import Place, Seated
from traverse_search_api.words.synonym_book import SynonymBook

_LOG = logging.getLogger(__name__)

_QUEUE: Final = 500
"""Messages that may wait for one slow reader before it is dropped."""

_BATCH: Final = 200
_LATE: Final = 2.0  # seconds after which a document that does not show is asked for by its id
_WAIT: Final = 0.2
_LOOK_AGAIN: Final = 0.1
_PAUSE: Final = 1.0
_CATCH_UPS: Final = 8
_GENERATION_EVERY: Final = 30.0

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class StreamLimits:
    """How many streams at once, in all, for one address, for one institution's keys; `heartbeat`
    in seconds."""

    most: int = 5000
    most_per_address: int = 20
    most_per_key: int = 100
    heartbeat: float = 15


@dataclass(slots=True)
class _Group:
    """Streams with the same search: matched once."""

    search: Search
    streams: set[Listener] = field(default_factory=set)


class Hub:
    """All streams of one process over one reading of `traverse.changes`."""

    def __init__(
        self,
        *,
        live: ChangeLog,
        past: ChangeLog,
        indices: Indices,
        territories: Territories,
        synonyms: SynonymBook,
        clock: Clock,
        key: bytes,
        metrics: Metrics,
        limits: StreamLimits,
    ) -> None:
        """`live` and `past` read the same topic over a connection each; `key` seals positions."""
        self._live, self._past = live, past
        self._searches = Searches(territories, synonyms)
        self._lookout = Lookout(self._searches, indices, clock)
        self._clock = clock
        self._key = key
        self._metrics = metrics
        self._limits = limits
        self._groups: dict[str, _Group] = {}
        self._callers: Counter[str] = Counter()
        self._told: Position | None = None
        self._read_to: Position | None = None
        self._pending: list[tuple[Change, float]] = []
        self._doubted: Seen = {}  # the last look, where something is overdue
        self._recent = Recent()
        self._catching_up = asyncio.Semaphore(_CATCH_UPS)
        self._starting = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None

    async def open(
        self,
        parameters: SearchParameters,
        reader: Reader,
        address: str,
        *,
        last: str | None = None,
        since: datetime | None = None,
        still: Callable[[], bool] = lambda: True,
    ) -> AsyncIterator[Message | Refused | None]:
        """A stream of what `parameters` find for a reader, from a position, a moment, or now; None
        is a heartbeat. It ends when it is read too slowly, when its reader is not `still` that one,
        when its search is refused, the log is another one or keeps no more what follows, or when
        the hub fails, each of which is `Refused` in the end, or when the service stops.

        Raises, before the first message: InvalidParameterError, InvalidStreamPositionError,
        ExpiredStreamError, TooManyStreamsError, StreamUnavailableError.
        """
        search = search_of(parameters, reader)
        self._searches.asks(search, self._clock.now())  # whoever asks wrongly is told at once
        if self._callers.total() >= self._limits.most:
            raise TooManyStreamsError(self._limits.most)
        limits = self._limits
        most = limits.most_per_key if reader.is_member else limits.most_per_address
        caller = caller_of(reader, address)
        if self._callers[caller] >= most:
            raise TooManyStreamsError(most)
        self._callers[caller] += 1
        place = Place(lambda: self._leave(caller))
        try:
            position = await self._start_of(last, since)
        except BaseException:
            place.leave()
            raise
        return Seated(self._follow(search, place, position, still), place)

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
        self,
        search: Search,
        place: Place,
        position: Position,
        still: Callable[[], bool],
    ) -> AsyncGenerator[Message | Refused | None, None]:
        stream = Listener(position)
        self._metrics.streams.inc()
        loop = asyncio.get_running_loop()
        try:
            stream.heard = loop.time()
            yield None  # the reader knows at once that it is connected
            while not self._join(search, stream, position):
                if self._told is not None and self._told.generation != position.generation:
                    yield OTHER_LOG
                    return
                async with _done_beside(self._catch_up(search, stream, position)) as step:
                    while not await stream.sees(step, self._limits.heartbeat):
                        if not still():
                            yield NO_MORE_RIGHTS
                            return
                        stream.heard = loop.time()
                        yield None
                    try:
                        told, position = step.result()
                    except (RefusedQueryError, ExpiredStreamError) as error:
                        yield ended_by(error)
                        return
                for message in told:
                    if not still():
                        yield NO_MORE_RIGHTS
                        return
                    stream.heard = loop.time()
                    yield message
            stream.beat(self._limits.heartbeat)
            while (said := await stream.queue.get()) is not Mark.END:
                if not still():
                    yield NO_MORE_RIGHTS
                    return
                stream.heard = loop.time()
                yield said if isinstance(said, Message | Refused) else None
                if isinstance(said, Refused):
                    return
        finally:
            if stream.timer is not None:
                stream.timer.cancel()
            self._metrics.streams.dec()
            self._part(search.key, stream)
            place.leave()

    def _join(self, search: Search, stream: Listener, position: Position) -> bool:
        """Join the others, unless something lies between this stream and the hub."""
        told = self._told
        if told is None or told.generation != position.generation or not position.reaches(told):
            return False
        group = self._groups.get(search.key)
        if group is None:
            group = self._groups[search.key] = _Group(search)
            self._searches.put(search, self._clock.now())
        stream.start = position
        group.streams.add(stream)
        return True

    async def _catch_up(
        self, search: Search, stream: Listener, position: Position
    ) -> tuple[list[Message], Position]:
        """What there is to say of some of what lies between a position and the hub's, and where
        that ends; nothing, and the same place, where that cannot be told now. Raises
        RefusedQueryError, ExpiredStreamError."""
        try:
            async with self._catching_up:
                return await self._missed(search, stream, position)
        except (StreamUnavailableError, SearchUnavailableError) as error:
            _LOG.warning("stream_waits cause=%s", error)
            await asyncio.sleep(_PAUSE)
            return [], position

    async def _missed(
        self, search: Search, stream: Listener, position: Position
    ) -> tuple[list[Message], Position]:
        goal = await self._present()
        found, reached = self._recent.between(position, goal), goal
        if found is None:
            try:
                read, end = await self._past.read(position, _WAIT)
            except ForgottenChangesError:
                oldest = await self._past.beginning()
                raise ExpiredStreamError(encode(oldest, self._key)) from None
            found, reached = _until(read, goal), _least(end, goal)
        cut = len(found) > _BATCH
        found = found[:_BATCH]
        seen = await self._lookout.for_one(found, search)
        refused: set[Change] = set()
        while late_in(seen) - refused:
            await asyncio.sleep(_LOOK_AGAIN)
            seen = await self._lookout.for_one(found, search)
            refused = await self._lookout.refused(seen)
        told = Tellings(found, seen, position, self._clock.now(), self._key)
        messages = []
        for message in told.messages(search.key, search.reader, stream.named):
            stream.told(message)
            messages.append(message)
        # Who is ahead of the hub in one partition stays there, or it would hear twice.
        return messages, told.end if cut else _most(position, reached)

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
        self._doubted = {}
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
                self._told = None
                self._end_all(FAILED)
                return

    async def _check_generation(self) -> None:
        end = await self._past.end()
        if self._told is not None and end.generation != self._told.generation:
            self._end_all(OTHER_LOG)
            self._begin(end)

    async def _begin_anew(self) -> None:
        """Where the log keeps no more what follows the hub's own place (it was away from Kafka for
        longer than that): its streams are told from where on it does, and the hub goes on from the
        end."""
        end, oldest = await self._past.end(), await self._past.beginning()
        _LOG.warning("stream_position_expired")
        same = self._told is not None and self._told.generation == end.generation
        expired = ended_by(ExpiredStreamError(encode(oldest, self._key)))
        self._end_all(expired if same else OTHER_LOG)
        self._begin(end)
        # A log that forgets faster than it is read is not asked at once.
        await asyncio.sleep(_PAUSE)

    async def _step(self) -> None:
        if self._read_to is None or self._told is None:
            raise StreamUnavailableError
        loop = asyncio.get_running_loop()
        if len(self._pending) < _BATCH:
            wait = _LOOK_AGAIN if self._pending else _WAIT
            try:
                changes, self._read_to = await self._live.read(self._read_to, wait)
            except ForgottenChangesError:
                await self._begin_anew()
                return
            self._pending += [(change, loop.time()) for change in changes]
        if not self._pending:
            self._told = self._read_to
            return
        batch = [change for change, _ in self._pending[:_BATCH]]
        refused = await self._lookout.refused(self._doubted) if self._doubted else set()
        # No await from here on: who joined is in what was seen, or joins after it was told.
        seen = await self._lookout.for_all(batch)
        self._end_refused()
        late = late_in(seen)
        old = loop.time() - _LATE
        overdue = {change for change, came in self._pending[:_BATCH] if came < old}
        self._doubted = seen if overdue & late else {}
        self._tell(ready(batch, late - (refused & overdue)), seen)

    def _tell(self, changes: Sequence[Change], seen: Seen) -> None:
        """Give every stream its messages. No await in here: who joins sees all of it, or none."""
        if self._told is None or not changes:
            return
        told = Tellings(changes, seen, self._told, self._clock.now(), self._key)
        self._told = told.end
        done = set(changes)
        self._pending = [each for each in self._pending if each[0] not in done]
        self._recent.add(changes)
        for key, group in list(self._groups.items()):
            reader = group.search.reader
            if reader.is_member:
                for stream in list(group.streams):
                    self._give(key, stream, told.messages(key, reader, stream.named))
            elif wanted := told.messages(key, reader, ()):
                for stream in list(group.streams):
                    self._give(key, stream, wanted)

    def _give(self, key: str, stream: Listener, told: Sequence[Message]) -> None:
        for message in told:
            change = message.change
            if change.offset < stream.start.offsets[change.partition]:
                continue  # it came back ahead of this hub
            if stream.queue.qsize() >= _QUEUE:
                self._metrics.streams_dropped.inc()
                self._part(key, stream)
                stream.queue.put_nowait(TOO_SLOW)
                return
            stream.told(message)
            stream.queue.put_nowait(message)

    def _part(self, key: str, stream: Listener) -> None:
        group = self._groups.get(key)
        if group is not None:
            group.streams.discard(stream)
            if not group.streams:
                del self._groups[key]
                self._searches.drop(key)

    def _end_refused(self) -> None:
        """End the streams whose search Elasticsearch does not take."""
        for key, group in list(self._groups.items()):
            if key not in self._searches:
                for stream in group.streams:
                    stream.queue.put_nowait(REFUSED_SEARCH)
                del self._groups[key]

    def _end_all(self, why: Refused | Mark = Mark.END) -> None:
        for group in self._groups.values():
            for stream in group.streams:
                stream.queue.put_nowait(why)
        self._groups.clear()
        self._searches.clear()

    def _leave(self, caller: str) -> None:
        self._callers[caller] -= 1
        if self._callers[caller] <= 0:
            del self._callers[caller]


@asynccontextmanager
async def _done_beside(work: Coroutine[Any, Any, Result]) -> AsyncIterator[asyncio.Task[Result]]:
    """The work as a task, which ends when whoever waits for it does."""
    task = asyncio.ensure_future(work)
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.wait((task,))


def _until(changes: Sequence[Change], goal: Position) -> list[Change]:
    return [change for change in changes if change.offset < goal.offsets[change.partition]]


def _most(one: Position, other: Position) -> Position:
    pairs = zip(one.offsets, other.offsets, strict=True)
    return one._replace(offsets=tuple(max(pair) for pair in pairs))


def _least(one: Position, other: Position) -> Position:
    pairs = zip(one.offsets, other.offsets, strict=True)
    return one._replace(offsets=tuple(min(pair) for pair in pairs))
