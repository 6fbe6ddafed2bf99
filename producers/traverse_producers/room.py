"""Room for what is under way: so many events, so many octets, and who comes next waits."""

from threading import Condition


class Room:
    """Bounds what is under way. Safe to share between threads."""

    def __init__(self, events: int, octets: int) -> None:
        self._events = events
        self._octets = octets
        self._changed = Condition()

    def take(self, size: int, timeout: float) -> bool:
        """Take room for one event of `size` octets; False when none is free within `timeout` s.

        An event larger than the whole room would wait for ever: callers check sizes before.
        """
        with self._changed:
            free = self._changed.wait_for(
                lambda: self._events > 0 and self._octets >= size, timeout
            )
            if free:
                self._events -= 1
                self._octets -= size
            return free

    def give_back(self, size: int) -> None:
        """The event is settled: its room is free again."""
        with self._changed:
            self._events += 1
            self._octets += size
            self._changed.notify_all()
