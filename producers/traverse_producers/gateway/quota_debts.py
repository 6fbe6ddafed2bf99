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
        self.read = False


class Debts:
    """As many as there are institutions and days, and those under way."""

    def __init__(self) -> None:
        self._debts: dict[str, Debt] = {}

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
        """The sum of what nobody has read yet."""
        return sum(debt.events for debt in self._of(siren, day) if not debt.read)

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
        self._mark(name, written=True)

    def was_read(self, name: str) -> None:
        """It is in the sums, be it one of ours."""
        self._mark(name, read=True)

    def _mark(self, name: str, *, written: bool = False, read: bool = False) -> None:
        debt = self._debts.get(name)
        if debt is None:
            return
        debt.written = debt.written or written
        debt.read = debt.read or read
        if debt.written and debt.read:
            del self._debts[name]

    def _of(self, siren: str, day: str) -> Iterator[Debt]:
        return (one for one in self._debts.values() if (one.siren, one.day) == (siren, day))
