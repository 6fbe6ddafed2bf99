"""Calendar: which purchases may have days in common. Pure."""

from collections.abc import Set
from typing import Final

from traverse_stream_processors.matching.purchases import FIRST_DAY, LAST_DAY, Purchase

_MOST: Final = 12
"""Quarters of a period that are kept apart: three years."""


class Calendar:
    """Purchases by id under each quarter in which they may be bought: two with a day in common have
    a quarter in common. Those of more quarters than are kept apart are beside all.

    Of all purchases near one most are over, or far ahead: to look at each costs more than to know
    it by its quarters.
    """

    def __init__(self) -> None:
        self._in: dict[int, set[str]] = {}
        self._long: set[str] = set()

    def put(self, identity: str, purchase: Purchase) -> None:
        quarters = _quarters(purchase)
        if quarters is None:
            self._long.add(identity)
        else:
            for quarter in quarters:
                self._in.setdefault(quarter, set()).add(identity)

    def drop(self, identity: str, purchase: Purchase) -> None:
        """Take away a purchase that was put so."""
        quarters = _quarters(purchase)
        if quarters is None:
            self._long.discard(identity)
        else:
            for quarter in quarters:
                here = self._in[quarter]
                here.discard(identity)
                if not here:
                    del self._in[quarter]

    def beside(self, purchase: Purchase, those: Set[str]) -> Set[str]:
        """Of those, all that may have a day in common with a purchase."""
        quarters = _quarters(purchase)
        if quarters is None:
            return those
        found = self._long & those
        for quarter in quarters:
            if quarter in self._in:
                found |= self._in[quarter] & those
        return found


def _quarters(purchase: Purchase) -> range | None:
    """The quarters of a period, counted from year 0; None: too many."""
    if purchase.start == FIRST_DAY or purchase.end == LAST_DAY:
        return None
    first, last = quarter_of(purchase.start), quarter_of(purchase.end)
    return range(first, last + 1) if last - first < _MOST else None


def quarter_of(day: str) -> int:
    """The quarter of a day (YYYY-MM-DD), counted from year 0."""
    return int(day[:4]) * 4 + (int(day[5:7]) - 1) // 3
