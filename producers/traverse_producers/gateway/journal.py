"""Writes events durably: hands them to the log and awaits its acknowledgements.

What is under way is bounded, so that handing over never waits for room, and each line of the log
has its own bound: one that stands still refuses what is for it, and for nobody else. Without a
connection everything is refused at once, while a task keeps trying to connect.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable, Coroutine, Sequence
from time import monotonic
from typing import Any, NamedTuple, Protocol

from traverse_producers.errors import BrokerRefusedError, PublishError
from traverse_producers.gateway.errors import LogAwayError
from traverse_producers.transports.contract import Delivery, Headers
from traverse_schemas.errors import TraverseError

_LOG = logging.getLogger(__name__)
# What may be under way on one line. One that is idle takes any request, however large.
_MOST_EVENTS = 2000
_MOST_OCTETS = 8 * 1024 * 1024
_GLANCE = 1.0  # seconds between two looks whether the log is there
_FIRST_PAUSE, _LONGEST_PAUSE = 0.2, 5.0  # seconds between attempts to connect

Outcome = Delivery | PublishError


class Entry(NamedTuple):
    """One event to write: its record's key, its octets, the headers that go with it."""

    key: str
    octets: bytes
    headers: Headers


class Log(Protocol):
    """Where events are written; for one event loop. What was handed over first is first on the log,
    record by record."""

    async def open(self) -> None:
        """Connect. Raises PublishError."""
        ...

    def line(self, key: str) -> int:
        """The line on which this key's events stand: each moves on by itself."""
        ...

    async def write(self, entries: Sequence[Entry], outcomes: list[Outcome | None]) -> None:
        """Write all. Puts into `outcomes`, at each entry's place and as soon as it is known, where
        it lies or why it does not; ends when all are known, however long that takes."""
        ...

    async def answers(self, seconds: float) -> bool:
        """Whether the log answers within so long."""
        ...

    async def close(self, seconds: float) -> None:
        """Give what is under way so long, then release the connections; what is not confirmed by
        then has failed."""
        ...


class _UnderWay:
    """What is under way on one line."""

    def __init__(self) -> None:
        self.events = 0
        self.octets = 0

    def take(self, events: int, octets: int) -> bool:
        """Whether there is room; it is taken then."""
        if self.events and (
            self.events + events > _MOST_EVENTS or self.octets + octets > _MOST_OCTETS
        ):
            return False
        self.events += events
        self.octets += octets
        return True

    def give_back(self, events: int, octets: int) -> None:
        self.events -= events
        self.octets -= octets


class _Part(NamedTuple):
    """What one `append` writes on one line: its places among the entries, what is known of each,
    and the task that writes."""

    places: list[int]
    known: list[Outcome | None]
    writing: asyncio.Task[None]


class Journal:
    """The log behind the gateway, for one event loop."""

    def __init__(self, connect: Callable[[], Log], *, timeout: float) -> None:
        """`connect` gives a log to open, or raises PublishError; `timeout`, in seconds, bounds each
        `append`."""
        self._connect = connect
        self._timeout = timeout
        self._log: Log | None = None
        self._wanted = asyncio.Event()
        self._lines: defaultdict[int, _UnderWay] = defaultdict(_UnderWay)
        # The loop itself keeps only a weak hold on its tasks.
        self._tasks: set[asyncio.Task[None]] = set()
        self._connector: asyncio.Task[None] | None = None
        self._watcher: asyncio.Task[None] | None = None
        self._answers = True

    def start(self) -> None:
        """Begin to connect, and to look whether the log is there, in the background of the running
        loop."""
        self._wanted.set()
        self._connector = asyncio.create_task(self._keep_connected())
        self._watcher = asyncio.create_task(self._keep_watch())

    async def close(self, seconds: float = 5) -> None:
        """Give what is under way so long, then release everything."""
        behind = {task for task in (self._connector, self._watcher) if task is not None}
        for task in behind:
            task.cancel()
        if behind:
            await asyncio.wait(behind)
        log, self._log = self._log, None
        if log is not None:
            await log.close(seconds)
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=1)

    @property
    def connected(self) -> bool:
        """Whether the log answered when it was last asked, which is a moment ago."""
        return self._log is not None and self._answers

    async def answers(self) -> bool:
        """Whether the log is there, asked of it within the timeout."""
        log = self._log
        if log is None:
            return False
        try:
            there = await log.answers(self._timeout)
        except Exception:
            _LOG.exception("log_unasked")
            there = False
        if log is self._log and there is not self._answers:
            _LOG.warning("log_answers %s", "again" if there else "no_more")
            self._answers = there
        return there

    async def append(
        self, entries: Sequence[Entry], deadline: float | None = None
    ) -> list[Outcome]:
        """Write events, in order per record; for each its place on the log, or why there is none.
        What is for one line is taken whole or not at all.

        Ends within the timeout, or at the deadline (of `monotonic`) where that is sooner; what is
        not confirmed by then is in doubt (LogAwayError), and may still come to be written.
        """
        log = self._log
        parts = [] if log is None else self._hand_over(log, entries)
        if parts:
            left = self._timeout if deadline is None else deadline - monotonic()
            await asyncio.wait(
                {part.writing for part in parts}, timeout=min(self._timeout, max(left, 0))
            )
        outcomes: list[Outcome] = [LogAwayError() for _ in entries]
        for part in parts:
            if not part.writing.done():
                _LOG.warning("log_slow events=%d", len(part.places))
            for place, known in zip(part.places, part.known, strict=True):
                if known is not None:
                    outcomes[place] = known
        if log is not None and any(isinstance(each, BrokerRefusedError) for each in outcomes):
            self._reconnect(log)
        return outcomes

    def _hand_over(self, log: Log, entries: Sequence[Entry]) -> list[_Part]:
        """Begin to write what there is room for, line by line."""
        lines: defaultdict[int, list[int]] = defaultdict(list)
        for place, entry in enumerate(entries):
            lines[log.line(entry.key)].append(place)
        parts = []
        for number, places in lines.items():
            under_way = self._lines[number]
            some = [entries[place] for place in places]
            size = sum(len(entry.octets) for entry in some)
            if not under_way.take(len(some), size):
                _LOG.warning("line_full line=%d events=%d", number, len(some))
                continue
            known: list[Outcome | None] = [None] * len(some)
            # A task of its own: whoever waits may give up, and what was handed over goes on.
            writing = self._task(self._write(log, some, known, under_way, size))
            parts.append(_Part(places, known, writing))
        return parts

    async def _write(
        self,
        log: Log,
        entries: Sequence[Entry],
        known: list[Outcome | None],
        under_way: _UnderWay,
        size: int,
    ) -> None:
        try:
            await log.write(entries, known)
        except Exception:
            _LOG.exception("hand_over_failed")
        finally:
            under_way.give_back(len(entries), size)

    def _reconnect(self, log: Log) -> None:
        """A refusal is for good (topic missing, rights taken, a producer that is broken): only a
        new connection can be better."""
        if self._log is log:
            self._log = None
            self._task(log.close(0))
            self._wanted.set()

    def _task(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _keep_watch(self) -> None:
        """A connection that ends is noticed by who uses it, one that is silent by who asks."""
        while True:
            await asyncio.sleep(_GLANCE)
            await self.answers()

    async def _keep_connected(self) -> None:
        pause = _FIRST_PAUSE
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            try:
                log = self._connect()
                await log.open()
            except Exception as error:
                expected = isinstance(error, TraverseError)
                _LOG.warning("log_away detail=%s", error, exc_info=None if expected else error)
                self._wanted.set()
                await asyncio.sleep(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)
            else:
                self._log, self._answers = log, True
                pause = _FIRST_PAUSE
