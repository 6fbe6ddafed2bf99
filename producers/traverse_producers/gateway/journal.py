"""Writes events durably: hands them to a transport and awaits its acknowledgements.

What is under way is bounded, so that handing over never waits for room; without a connection
everything is refused at once, while a thread keeps trying to connect.
"""

import asyncio
import logging
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import NamedTuple, Protocol

from traverse_producers.errors import BrokerRefusedError, PublishError
from traverse_producers.gateway.errors import LogAwayError
from traverse_producers.transport import Delivery, Headers, Transport

_LOG = logging.getLogger(__name__)
_MOST_EVENTS = 4000  # below what the Kafka transport lets be under way before it waits
_MOST_OCTETS = 24 * 1024 * 1024
_FIRST_PAUSE, _LONGEST_PAUSE = 0.2, 5.0  # seconds between attempts to connect


class Log(Transport, Protocol):
    """A transport that can be asked whether its log is there."""

    def answers(self, timeout: float) -> bool:
        """Whether the log answers within `timeout` seconds."""
        ...


class Entry(NamedTuple):
    """One event to write: its record's key, its octets, the headers that go with it."""

    key: str
    octets: bytes
    headers: Headers


class Journal:
    """The log behind the gateway. `append` is for one event loop; the rest is thread-safe."""

    def __init__(self, connect: Callable[[], Log], *, timeout: float) -> None:
        """`connect` gives a connected transport or raises PublishError; `timeout`, in seconds,
        bounds each `append`."""
        self._connect = connect
        self._timeout = timeout
        self._transport: Log | None = None
        self._ended = threading.Event()
        self._wanted = threading.Event()
        self._lock = threading.Lock()
        self._events = 0
        self._octets = 0
        # One thread: events are handed over in the order of the calls.
        self._hand = ThreadPoolExecutor(1, thread_name_prefix="hand-over")
        self._connector = threading.Thread(target=self._keep_connected, daemon=True)

    def start(self) -> None:
        """Begin to connect, in the background."""
        self._wanted.set()
        self._connector.start()

    def close(self, timeout: float = 5) -> None:
        """Give what is under way `timeout` seconds, then release everything."""
        self._ended.set()
        self._wanted.set()
        self._hand.shutdown(wait=True)
        transport, self._transport = self._transport, None
        if transport is not None:
            transport.flush(timeout)
            transport.close(1)

    @property
    def connected(self) -> bool:
        """Whether there was an answer once, and no refusal for good since."""
        return self._transport is not None

    async def answers(self) -> bool:
        """Whether the log is there, asked of it within the timeout."""
        transport = self._transport
        return transport is not None and await asyncio.to_thread(transport.answers, self._timeout)

    async def append(self, entries: Sequence[Entry]) -> list[Delivery | PublishError]:
        """Write events, in order; for each its place on the log, or why there is none.

        Ends within the timeout; what is not confirmed by then is in doubt (LogAwayError), and may
        still come to be written.
        """
        transport = self._transport
        size = sum(len(entry.octets) for entry in entries)
        if transport is None or not self._take(len(entries), size):
            return [LogAwayError() for _ in entries]
        answers = _Answers(len(entries), asyncio.get_running_loop(), self._give_back)
        try:
            async with asyncio.timeout(self._timeout):
                self._hand.submit(self._hand_over, transport, entries, answers)
                await answers.complete.wait()
        except TimeoutError:
            _LOG.warning("log_slow events=%d", len(entries))
        outcomes = [LogAwayError() if each is None else each for each in answers.outcomes]
        if any(isinstance(each, BrokerRefusedError) for each in outcomes):
            self._reconnect(transport)
        return outcomes

    def _hand_over(
        self, transport: Transport, entries: Sequence[Entry], answers: "_Answers"
    ) -> None:
        for place, entry in enumerate(entries):
            try:
                future = transport.send(entry.key, entry.octets, entry.headers)
            except Exception as error:
                _LOG.exception("hand_over_failed")
                future = Future()
                future.set_exception(error)
            answers.follow(place, len(entry.octets), future)

    def _take(self, events: int, octets: int) -> bool:
        with self._lock:
            if self._events + events > _MOST_EVENTS or self._octets + octets > _MOST_OCTETS:
                return False
            self._events += events
            self._octets += octets
            return True

    def _give_back(self, octets: int) -> None:
        with self._lock:
            self._events -= 1
            self._octets -= octets

    def _reconnect(self, transport: Log) -> None:
        """A refusal is for good (topic missing, rights taken, a producer that is broken): only a
        new connection can be better."""
        with self._lock:
            if self._transport is not transport:
                return
            self._transport = None
        self._hand.submit(transport.close, 0)
        self._wanted.set()

    def _keep_connected(self) -> None:
        pause = _FIRST_PAUSE
        while True:
            self._wanted.wait()
            self._wanted.clear()
            if self._ended.is_set():
                return
            try:
                transport = self._connect()
            except PublishError as error:
                _LOG.warning("log_away detail=%s", error)
                self._wanted.set()
                self._ended.wait(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)
                continue
            if self._ended.is_set():
                transport.close(0)
                return
            self._transport = transport
            pause = _FIRST_PAUSE


class _Answers:
    """Collects the outcomes of one call, and wakes its event loop once: when all are there."""

    def __init__(
        self, count: int, loop: asyncio.AbstractEventLoop, give_back: Callable[[int], None]
    ) -> None:
        self.outcomes: list[Delivery | PublishError | None] = [None] * count
        self.complete = asyncio.Event()
        self._left = count
        self._loop = loop
        self._give_back = give_back
        self._lock = threading.Lock()
        if count == 0:
            self.complete.set()

    def follow(self, place: int, octets: int, future: Future[Delivery]) -> None:
        future.add_done_callback(lambda done: self._settle(place, octets, done))

    def _settle(self, place: int, octets: int, future: Future[Delivery]) -> None:
        self._give_back(octets)
        error = future.exception()
        with self._lock:
            if error is None:
                self.outcomes[place] = future.result()
            else:
                self.outcomes[place] = error if isinstance(error, PublishError) else LogAwayError()
            self._left -= 1
            last = self._left == 0
        if last:
            try:
                self._loop.call_soon_threadsafe(self.complete.set)
            except RuntimeError:
                return  # the loop is closed: nobody waits any more
