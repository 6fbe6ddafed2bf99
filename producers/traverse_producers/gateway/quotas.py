"""How many events an institution may publish in a day (its quota): counted on this machine's disk.

The day is that of Paris, from midnight to midnight, so that an institution knows when it may go
on. A repetition, and what was not accepted, count for nothing. Each gateway counts for itself; a
restart forgets nothing. See docs/adr/0037-quotas.md.
"""

import threading
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

from traverse_producers.gateway.errors import QuotaSpentError
from traverse_producers.gateway.local_file import open_file
from traverse_schemas.clock import Clock

_PARIS = ZoneInfo("Europe/Paris")
_TABLE = """
create table if not exists published (
    siren text not null, day text not null, events integer not null, primary key (siren, day)
) without rowid
"""


class Taken(NamedTuple):
    """So many events of an institution's day."""

    siren: str
    day: str
    events: int


class DayQuotas:
    """The counts of one gateway. Safe to share between threads; each call is one transaction."""

    def __init__(self, path: Path, clock: Clock) -> None:
        """Opens or makes the file."""
        self._clock = clock
        self._lock = threading.Lock()
        self._database = open_file(path, _TABLE)

    def close(self) -> None:
        """Release the file."""
        with self._lock:
            self._database.close()

    def take(self, siren: str, per_day: int, events: int) -> Taken:
        """Count events of which the institution may publish `per_day` today. Raises
        QuotaSpentError when they are more than what is left, and then counts none."""
        now = self._clock.now().astimezone(_PARIS)
        day = now.date().isoformat()
        with self._lock, self._database:
            self._database.execute("begin immediate")
            self._database.execute("delete from published where day < ?", (day,))
            row = self._database.execute(
                "select events from published where siren = ? and day = ?", (siren, day)
            ).fetchone()
            left = per_day - (int(row[0]) if row else 0)
            if events > left:
                raise QuotaSpentError(per_day, max(left, 0), _until_midnight(now))
            self._database.execute(
                "insert into published values (?, ?, ?) "
                "on conflict (siren, day) do update set events = events + excluded.events",
                (siren, day, events),
            )
        return Taken(siren, day, events)

    def give_back(self, taken: Taken, events: int) -> None:
        """So many of those that were taken were not accepted after all."""
        if not events:
            return
        with self._lock:
            self._database.execute(
                "update published set events = max(0, events - ?) where siren = ? and day = ?",
                (events, taken.siren, taken.day),
            )


def _until_midnight(now: datetime) -> float:
    """Seconds; 23 or 25 hours' worth on the days when the clocks change."""
    midnight = datetime.combine(now.date() + timedelta(days=1), time(), _PARIS)
    return midnight.timestamp() - now.timestamp()
