"""How many events an institution may publish in a day (its quota), by whichever gateways.

Each request takes its events on `traverse.quotas`, one partition that all gateways read in the same
order: what was taken first counts first, as long as the day has as many left. So every gateway
comes to the same sums, and a restart forgets nothing. What is given back has a name, and counts
once, however often it had to be written. The day is that of Paris, from midnight to
midnight, so that an institution knows when it may go on. A repetition, and what was not accepted,
count for nothing. See docs/adr/0037-quotas.md.
"""

import asyncio
import logging
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime, time, timedelta
from time import monotonic
from typing import Final, NamedTuple
from uuid import uuid4
from zoneinfo import ZoneInfo

import orjson

from traverse_producers.gateway.errors import LogAwayError, QuotaSpentError
from traverse_schemas.clock import Clock
from traverse_schemas.compacted_table import Stored, TableError, TableLog

_LOG = logging.getLogger(__name__)
_PARIS = ZoneInfo("Europe/Paris")
_POLL = 0.2  # seconds that one read may wait: how long closing may take
_PAUSE = 1.0  # seconds before the topic is opened again after a failure
_LEAVE_TAKING = 2.0  # seconds
_WORKERS = 8  # claims under way at one time; they mostly wait
_MOST_UNDECIDED: Final = 10_000


class Taken(NamedTuple):
    """So many events of an institution's day; fewer than none are given back."""

    siren: str
    day: str
    events: int


class _Undecided:
    """A claim that has not been read back yet, and what comes of it."""

    def __init__(self, taken: Taken) -> None:
        self.taken = taken
        self.decided = threading.Event()
        self.left = 0
        """How many events the day had when it was its turn."""
        self.given_up = False


class _Day:
    """What was taken of one day, and the names of what was given back."""

    def __init__(self) -> None:
        self.sums: dict[str, int] = {}
        self.given_back: set[str] = set()


class DayQuotas:
    """One gateway's reading of all claims. Safe to share between threads."""

    def __init__(self, log: TableLog, clock: Clock, *, patience: float) -> None:
        """`patience`, in seconds, bounds how long taking may last."""
        self._log = log
        self._clock = clock
        self._patience = patience
        self._counts: dict[str, _Day] = {}
        self._undecided: dict[str, _Undecided] = {}
        self._owed: dict[str, Taken] = {}
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._tried = threading.Event()
        self._ready = False
        self._said_away = False
        self._thread = threading.Thread(target=self._follow, name="quotas", daemon=True)
        # Of its own: what waits for Kafka here must not keep others from a thread.
        self._workers = ThreadPoolExecutor(_WORKERS, "quotas")
        self._payment: Future[None] | None = None

    def start(self) -> None:
        """Begin to read the claims, in a thread."""
        self._thread.start()

    def close(self) -> None:
        """Stop following, and release the connections."""
        self._stop.set()
        self._workers.shutdown(wait=False, cancel_futures=True)
        if self._thread.is_alive():
            self._thread.join(_LEAVE_TAKING)
            self._pay()
        self._log.end()

    @property
    def ready(self) -> bool:
        """Whether all claims have been read."""
        return self._ready

    async def taken(self, siren: str, per_day: int, events: int, seconds: float) -> Taken:
        """See `take`; ends within so many seconds, whatever the log does."""
        future = self._workers.submit(self.take, siren, per_day, events, monotonic() + seconds)
        try:
            async with asyncio.timeout(seconds):
                return await asyncio.wrap_future(future)
        except BaseException as error:
            # Nobody waits for it any more: what it takes all the same is given back.
            future.add_done_callback(self._forsaken)
            if isinstance(error, TimeoutError):
                raise LogAwayError from None
            raise

    def take(self, siren: str, per_day: int, events: int, deadline: float | None = None) -> Taken:
        """Take events of which the institution may publish `per_day` today. Raises QuotaSpentError
        when they are more than what is left, LogAwayError when the log does not say before the
        deadline (of `monotonic`); none count then."""
        deadline = monotonic() + self._patience if deadline is None else deadline
        now = self._clock.now().astimezone(_PARIS)
        taken = Taken(siren, now.date().isoformat(), events)
        if not events:
            return taken
        # Who comes first after a start waits until the claims are read, or known to be away.
        self._tried.wait(deadline - monotonic())
        if not self._ready:
            raise LogAwayError
        left = self.left(siren, per_day)
        if events <= left:
            left = self._claimed(taken, per_day, deadline)
        if events > left:
            raise QuotaSpentError(per_day, max(left, 0), _until_midnight(now))
        return taken

    def left(self, siren: str, per_day: int) -> int:
        """How much its day has left, as far as has been read."""
        day = self._clock.now().astimezone(_PARIS).date().isoformat()
        return per_day - self._counts.get(day, _Day()).sums.get(siren, 0)

    def give_back(self, taken: Taken, events: int) -> None:
        """So many of those that were taken were not accepted after all. Returns at once."""
        if events:
            with self._lock:
                self._owe(taken, events)

    def _claimed(self, taken: Taken, per_day: int, deadline: float) -> int:
        """Write a claim, and wait for its turn; how much the day had left then."""
        if monotonic() >= deadline:
            raise LogAwayError
        write = uuid4().hex
        claim = _Undecided(taken)
        with self._lock:
            self._undecided[write] = claim
            while len(self._undecided) > _MOST_UNDECIDED:
                del self._undecided[next(iter(self._undecided))]
        try:
            self._append(taken, write, deadline - monotonic(), per_day)
            claim.decided.wait(deadline - monotonic())
        except TableError as error:
            _LOG.warning("quotas_away detail=%s", error)
        with self._lock:
            if not claim.decided.is_set():
                # It may come to be written all the same, and is then given back.
                claim.given_up = True
                raise LogAwayError
        return claim.left

    def _append(self, taken: Taken, write: str, seconds: float, per_day: int | None = None) -> None:
        said = {"day": taken.day, "events": taken.events, "of": per_day}
        self._log.append(taken.siren, orjson.dumps(said), write, seconds)

    def _follow(self) -> None:
        """The thread: open, read on, and after a failure open again."""
        while not self._stop.is_set():
            try:
                self._read_on(self._log.open())
            except TableError as error:
                if not self._said_away:
                    _LOG.warning("quotas_away detail=%s", error)
                self._said_away = True
            except Exception:
                _LOG.exception("quotas_failed")
            self._ready = False
            self._tried.set()
            with suppress(TableError):
                self._log.close()
            self._stop.wait(_PAUSE)

    def _read_on(self, end: int) -> None:
        """Add up the topic anew, aside, then follow it."""
        counts: dict[str, _Day] = {}
        position = 0
        while not self._stop.is_set():
            found, position = self._log.read(_POLL)
            for stored in found:
                self._count(counts, stored)
            if position >= end and not self._ready:
                self._counts = counts
                self._said_away = False
                self._ready = True
                self._tried.set()
            if self._owed and self._ready and (self._payment is None or self._payment.done()):
                # In another thread: what Kafka does not take must not keep from reading on.
                with suppress(RuntimeError):  # closing
                    self._payment = self._workers.submit(self._pay)

    def _count(self, counts: dict[str, _Day], stored: Stored) -> None:
        """One message, in the order in which every gateway reads it."""
        try:
            said = orjson.loads(stored.value or b"")
            day, events, of = str(said["day"]), int(said["events"]), said["of"]
            most = None if of is None else int(of)
        except (ValueError, KeyError, TypeError):
            _LOG.error("quota_unreadable offset=%d", stored.offset)
            return
        of_day = counts.setdefault(day, _Day())
        before = of_day.sums.get(stored.key, 0)
        left = events if most is None else most - before
        if most is None and stored.write in of_day.given_back:
            return
        if most is None:
            of_day.given_back.add(stored.write)
        if events <= left:
            of_day.sums[stored.key] = max(0, before + events)
        for old in sorted(counts)[:-2]:
            del counts[old]
        with self._lock:
            claim = self._undecided.pop(stored.write, None)
            if claim is None:
                return
            claim.left = left
            if not claim.given_up:
                claim.decided.set()
            elif events <= left:
                self._owe(claim.taken, events)

    def _forsaken(self, future: "Future[Taken]") -> None:
        if not future.cancelled() and future.exception() is None:
            taken = future.result()
            self.give_back(taken, taken.events)

    def _owe(self, taken: Taken, events: int) -> None:
        """Name what is to be given back, once for all attempts; under the lock."""
        self._owed[uuid4().hex] = taken._replace(events=-events)

    def _pay(self) -> None:
        """Give back what is owed; what the log does not take is owed on."""
        with self._lock:
            owed = list(self._owed.items())
        try:
            for write, taken in owed:
                self._append(taken, write, self._patience)
                with self._lock:
                    self._owed.pop(write, None)
        except TableError as error:
            _LOG.warning("quotas_away detail=%s", error)
            self._stop.wait(_PAUSE)


def _until_midnight(now: datetime) -> float:
    """Seconds; 23 or 25 hours' worth on the days when the clocks change."""
    midnight = datetime.combine(now.date() + timedelta(days=1), time(), _PARIS)
    return midnight.timestamp() - now.timestamp()


def yesterday(now: datetime) -> datetime:
    """The beginning of the day before: older claims say nothing of today."""
    day = now.astimezone(_PARIS).date() - timedelta(days=1)
    return datetime.combine(day, time(), _PARIS)
