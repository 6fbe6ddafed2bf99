"""How many events an institution may publish in a day (its quota), by whichever gateways.

Each request takes its events on `traverse.quotas`, one partition that all gateways read in the same
order: what was taken first counts first, as long as the day has as many left. So every gateway
comes to the same sums, and a restart forgets nothing. The day is that of Paris, from midnight to
midnight, so that an institution knows when it may go on. A repetition, and what was not accepted,
count for nothing. See docs/adr/0037-quotas.md.
"""

import logging
import threading
from contextlib import suppress
from datetime import datetime, time, timedelta
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
_FIRST = 10.0  # seconds for which the first opening of the topic is awaited
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


class DayQuotas:
    """One gateway's reading of all claims. Safe to share between threads; nothing is opened before
    somebody takes of a quota."""

    def __init__(self, log: TableLog, clock: Clock, *, patience: float) -> None:
        """`patience`, in seconds, bounds how long a claim waits for the log."""
        self._log = log
        self._clock = clock
        self._patience = patience
        self._counts: dict[str, dict[str, int]] = {}
        self._undecided: dict[str, _Undecided] = {}
        self._owed: list[Taken] = []
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._tried = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="quotas", daemon=True)

    def close(self) -> None:
        """Stop following, and release the connections."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(self._patience + 5)
            with suppress(TableError):
                self._pay()
        self._log.end()

    def take(self, siren: str, per_day: int, events: int) -> Taken:
        """Take events of which the institution may publish `per_day` today. Raises QuotaSpentError
        when they are more than what is left, LogAwayError when the log does not say in time; none
        count then."""
        now = self._clock.now().astimezone(_PARIS)
        taken = Taken(siren, now.date().isoformat(), events)
        if not events:
            return taken
        left = per_day - self._counts.get(taken.day, {}).get(siren, 0)
        if events <= left:
            left = self._claimed(taken, per_day)
        if events > left:
            raise QuotaSpentError(per_day, max(left, 0), _until_midnight(now))
        return taken

    def give_back(self, taken: Taken, events: int) -> None:
        """So many of those that were taken were not accepted after all. Returns at once."""
        if events:
            with self._lock:
                self._owed.append(taken._replace(events=-events))

    def _claimed(self, taken: Taken, per_day: int) -> int:
        """Write a claim, and wait for its turn; how much the day had left then."""
        write = uuid4().hex
        claim = _Undecided(taken)
        with self._lock:
            if self._thread.ident is None:
                self._thread.start()
            self._undecided[write] = claim
            while len(self._undecided) > _MOST_UNDECIDED:
                del self._undecided[next(iter(self._undecided))]
        try:
            # Who comes first after a start waits until the log is opened, or known to be away.
            self._tried.wait(_FIRST)
            self._append(taken, write, per_day)
            claim.decided.wait(self._patience)
        except TableError as error:
            _LOG.warning("quotas_away detail=%s", error)
        with self._lock:
            if not claim.decided.is_set():
                # It may come to be written all the same, and is then given back.
                claim.given_up = True
                raise LogAwayError
        return claim.left

    def _append(self, taken: Taken, write: str, per_day: int | None = None) -> None:
        said = {"day": taken.day, "events": taken.events, "of": per_day}
        self._log.append(taken.siren, orjson.dumps(said), write, self._patience)

    def _follow(self) -> None:
        """The thread: open, read on, and after a failure open again."""
        while not self._stop.is_set():
            try:
                end = self._log.open()
                self._tried.set()
                self._read_on(end)
            except TableError as error:
                _LOG.warning("quotas_away detail=%s", error)
                self._stop.wait(_PAUSE)
            except Exception:
                _LOG.exception("quotas_failed")
                self._stop.wait(_PAUSE)
            finally:
                self._tried.set()
                self._log.close()

    def _read_on(self, end: int) -> None:
        """Add up the topic anew, aside, then follow it."""
        counts: dict[str, dict[str, int]] = {}
        position = 0
        while not self._stop.is_set():
            found, position = self._log.read(_POLL)
            for stored in found:
                self._count(counts, stored)
            if position >= end:
                self._counts = counts
                self._pay()

    def _count(self, counts: dict[str, dict[str, int]], stored: Stored) -> None:
        """One message, in the order in which every gateway reads it."""
        try:
            said = orjson.loads(stored.value or b"")
            day, events, of = str(said["day"]), int(said["events"]), said["of"]
        except (ValueError, KeyError, TypeError):
            _LOG.error("quota_unreadable offset=%d", stored.offset)
            return
        of_day = counts.setdefault(day, {})
        before = of_day.get(stored.key, 0)
        left = events if of is None else int(of) - before
        if events <= left:
            of_day[stored.key] = max(0, before + events)
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
                self._owed.append(claim.taken._replace(events=-events))

    def _pay(self) -> None:
        """Give back what is owed; what the log does not take is owed on."""
        while self._owed:
            self._append(self._owed[0], uuid4().hex)
            with self._lock:
                del self._owed[0]


def _until_midnight(now: datetime) -> float:
    """Seconds; 23 or 25 hours' worth on the days when the clocks change."""
    midnight = datetime.combine(now.date() + timedelta(days=1), time(), _PARIS)
    return midnight.timestamp() - now.timestamp()
