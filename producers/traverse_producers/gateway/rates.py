"""How many events an institution may send: a sliding minute, in memory."""

import threading
import time

from limits import RateLimitItem, RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter

from traverse_producers.gateway.errors import TooFastError


class Rates:
    """Counts events by institution; each of several gateways counts for itself, and takes its part
    of the rate. Safe to share between threads."""

    def __init__(self, per_minute: int, *, gateways: int = 1) -> None:
        """`per_minute` holds for who has no rate of its own."""
        self._usual = per_minute
        self._gateways = gateways
        self._limiter = SlidingWindowCounterRateLimiter(MemoryStorage())
        self._lock = threading.Lock()

    @property
    def usual(self) -> int:
        """The rate of who has none of its own."""
        return self._usual

    def check(self, siren: str, rate: int | None) -> None:
        """Raises TooFastError when not one event more may come: before its body is read."""
        item = self._item(rate)
        with self._lock:
            if not self._limiter.test(item, siren):
                raise self._too_fast(item, siren)

    def count(self, siren: str, rate: int | None, events: int) -> None:
        """Count the events of one request. Raises TooFastError, and then counts none.

        A request of more events than the whole rate passes when nothing else was sent: it could
        never pass otherwise.
        """
        item = self._item(rate)
        with self._lock:
            if events and not self._limiter.hit(item, siren, cost=min(events, item.amount)):
                raise self._too_fast(item, siren)

    def _item(self, rate: int | None) -> RateLimitItem:
        return RateLimitItemPerMinute(max(1, (rate or self._usual) // self._gateways))

    def _too_fast(self, item: RateLimitItem, siren: str) -> TooFastError:
        reset = self._limiter.get_window_stats(item, siren).reset_time
        return TooFastError(item.amount, self._gateways, reset - time.time())
