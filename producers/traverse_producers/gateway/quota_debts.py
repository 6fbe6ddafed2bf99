"""What a gateway still has to write of quotas: events given back, and those taken on trust.

One sum for each institution's day, until writing it is tried: from then on it keeps its name and
its number, so that it counts once, however often it has to be written. Whoever calls holds a lock.
"""

from collections.abc import Iterator
from uuid import uuid4


class Debt:
    """So many events of an institution's day; fewer than none are given back."""

    def __init__(self, siren: str, day: str) -> None:
        self.name = uuid4().hex
        self.siren = siren
        self.day = day
        self.events = 0
        self.tried = False
        self.written = False


class Debts:
    """As many as there are institutions and days, and those under way."""

    def __init__(self) -> None:
        self._debts: dict[str, Debt] = {}
        self._read: set[str] = set()

    def add(self, siren: str, day: str, events: int) -> None:
        """So many more."""
        debt = next((one for one in self._of(siren, day) if not one.tried), None)
        if debt is None:
            debt = Debt(siren, day)
            self._debts[debt.name] = debt
        debt.events += events
        if not debt.events:
            del self._debts[debt.name]

    def unread(self, siren: str, day: str) -> int:
        """The sum of what the sums do not have yet."""
        return sum(debt.events for debt in self._of(siren, day))

    @property
    def owes(self) -> bool:
        """Whether there is something to write."""
        return any(not debt.written for debt in self._debts.values())

    def next(self) -> Debt | None:
        """The first that is not written; it does not change any more."""
        for debt in self._debts.values():
            if not debt.written:
                debt.tried = True
                return debt
        return None

    def was_written(self, name: str) -> None:
        """The log has confirmed it."""
        if name in self._debts:
            self._debts[name].written = True

    def was_read(self, name: str) -> None:
        """It was found on the log, be it one of ours: it is not written again."""
        if name in self._debts:
            self.was_written(name)
            self._read.add(name)

    def forget_read(self) -> None:
        """What was read is in the sums now."""
        for name in self._read:
            del self._debts[name]
        self._read.clear()

    def _of(self, siren: str, day: str) -> Iterator[Debt]:
        return (one for one in self._debts.values() if (one.siren, one.day) == (siren, day))
