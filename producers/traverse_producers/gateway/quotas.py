"""How many events an institution may publish in a day (its quota), by whichever gateways.

Each request takes its events on `traverse.quotas`, one partition that all gateways read in the same
order: what was taken first counts first, as long as the day has as many left. So every gateway
comes to the same sums, and a restart forgets nothing. What is given back has a name, and counts
once, however often it had to be written. The day is that of Paris, from midnight to
midnight, so that an institution knows when it may go on. A repetition, and what was not accepted,
count for nothing. While the log does not say what is left, events that a spool holds are taken on
trust: as far as was last known, each gateway its part. See docs/adr/0037-quotas.md.
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

from traverse_producers.gateway.errors import LogAwayError, QuotaSpentError
from traverse_producers.gateway.quota_debts import Debts
from traverse_producers.gateway.quota_sums import Claim, Sums, claim_of
from traverse_schemas.clock import Clock
from traverse_schemas.log.compacted_table import Stored, TableError, TableLog

_LOG = logging.getLogger(__name__)
_PARIS = ZoneInfo("Europe/Paris")
_POLL = 0.2  # seconds that one read may wait: how long closing may take
_PAUSE = 1.0  # seconds before the topic is opened again after a failure
_LEAVE_TAKING = 2.0  # seconds
_WORKERS = 8  # claims under way at one time; they mostly wait
_MOST_UNDECIDED: Final = 10_000


class Taken(NamedTuple):
    """So many events of an institution's day."""

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


class DayQuotas:
    """One gateway's reading of all claims. Safe to share between threads."""

    def __init__(self, log: TableLog, clock: Clock, *, patience: float, gateways: int = 1) -> None:
        """`patience`, in seconds, bounds how long taking may last; each of so many gateways takes
        its part on trust."""
        self._log = log
        self._clock = clock
        self._patience = patience
        self._gateways = gateways
        self._sums = Sums()
        self._undecided: dict[str, _Undecided] = {}
        self._debts = Debts()
        self._late: list[Taken] = []
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._tried = threading.Event()
        self._ready = False
        self._known = False
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
        taken = Taken(siren, self._today(), events)
        if not events:
            return taken
        # Who comes first after a start waits until the claims are read, or known to be away.
        self._tried.wait(deadline - monotonic())
        while self._ready:
            with self._lock:  # what was taken on trust and is not in the sums is taken as well
                most = per_day - max(0, self._debts.unread(siren, taken.day))
                left = most - self._sums.taken(siren, taken.day)
            if events > left:
                raise self._spent(per_day, left)
            # What was read meanwhile of our own counted twice against it: it asks again then.
            if events <= self._claimed(taken, most, deadline):
                return taken
        raise LogAwayError

    def take_on_trust(self, siren: str, per_day: int, events: int) -> Taken:
        """Take events while the log does not say what is left: as far as was last known, and this
        gateway's part of it; the log is told when it is back. Raises QuotaSpentError when the day
        had not as many, LogAwayError when only the part has not, or nothing was ever known."""
        taken = Taken(siren, self._today(), events)
        if not events:
            return taken
        if not self._known:
            raise LogAwayError
        with self._lock:
            known = per_day - self._sums.taken(siren, taken.day)
            unread = self._debts.unread(siren, taken.day)
            if events > known - unread:
                raise self._spent(per_day, known - unread)
            if events > known // self._gateways - unread:
                raise LogAwayError
            self._debts.add(siren, taken.day, events)
        return taken

    def left(self, siren: str, per_day: int) -> int:
        """How much its day has left, as far as has been read."""
        return per_day - self._sums.taken(siren, self._today())

    def give_back(self, taken: Taken, events: int) -> None:
        """So many of those that were taken were not accepted after all. Returns at once."""
        if events:
            with self._lock:
                self._debts.add(taken.siren, taken.day, -events)

    def _today(self) -> str:
        return self._clock.now().astimezone(_PARIS).date().isoformat()

    def _spent(self, per_day: int, left: int) -> QuotaSpentError:
        now = self._clock.now().astimezone(_PARIS)
        return QuotaSpentError(per_day, max(left, 0), _until_midnight(now))

    def _claimed(self, taken: Taken, most: int, deadline: float) -> int:
        """Write a claim to be one of so many events, and wait for its turn; how much the day had
        left then."""
        if monotonic() >= deadline:
            raise LogAwayError
        write = uuid4().hex
        claim = _Undecided(taken)
        with self._lock:
            self._undecided[write] = claim
            while len(self._undecided) > _MOST_UNDECIDED:
                del self._undecided[next(iter(self._undecided))]
        try:
            said = Claim(taken.day, taken.events, most)
            self._log.append(taken.siren, said.octets(), write, deadline - monotonic())
            claim.decided.wait(deadline - monotonic())
        except TableError as error:
            _LOG.warning("quotas_away detail=%s", error)
        with self._lock:
            if not claim.decided.is_set():
                # It may come to be written all the same, and is then given back.
                claim.given_up = True
                raise LogAwayError
        return claim.left

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
        sums = Sums()
        position = 0
        while not self._stop.is_set():
            found, position = self._log.read(_POLL)
            for stored in found:
                self._count(sums, stored)
            if position >= end and not self._ready:
                with self._lock:
                    self._sums = sums
                    self._settle_read()
                self._known = True
                self._said_away = False
                self._ready = True
                self._tried.set()
            if self._owes() and self._ready and (self._payment is None or self._payment.done()):
                # In another thread: what Kafka does not take must not keep from reading on.
                with suppress(RuntimeError):  # closing
                    self._payment = self._workers.submit(self._pay)

    def _count(self, sums: Sums, stored: Stored) -> None:
        """One message, in the order in which every gateway reads it."""
        said = claim_of(stored.value)
        if said is None:
            _LOG.error("quota_unreadable offset=%d", stored.offset)
            return
        with self._lock:
            left = sums.count(stored.key, stored.write, said)
            self._debts.was_read(stored.write)
            claim = self._undecided.pop(stored.write, None)
            if claim is not None:
                claim.left = left
                if not claim.given_up:
                    claim.decided.set()
                elif said.events <= left:
                    self._late.append(claim.taken)
            if sums is self._sums:
                self._settle_read()

    def _settle_read(self) -> None:
        """The sums have what was read of our own: it is owed no more, and what came too late is
        given back. Not before, for sums that are added up aside may never come to be the ones."""
        self._debts.forget_read()
        for taken in self._late:
            self._debts.add(taken.siren, taken.day, -taken.events)
        self._late.clear()

    def _forsaken(self, future: "Future[Taken]") -> None:
        if not future.cancelled() and future.exception() is None:
            taken = future.result()
            self.give_back(taken, taken.events)

    def _owes(self) -> bool:
        with self._lock:
            return self._debts.owes

    def _pay(self) -> None:
        """Write what is owed; what the log does not take is owed on."""
        try:
            while True:
                with self._lock:
                    debt = self._debts.next()
                if debt is None:
                    return
                said = Claim(debt.day, debt.events)
                self._log.append(debt.siren, said.octets(), debt.name, self._patience)
                with self._lock:
                    self._debts.was_written(debt.name)
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
