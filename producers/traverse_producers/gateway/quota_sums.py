"""Adds up what was taken of quotas, message by message of `traverse.quotas`. Pure.

Whoever reads the same messages in the same order comes to the same sums: each gateway does.
"""

from collections import OrderedDict
from typing import Final, NamedTuple

import orjson

_DAYS = 2  # today, and what comes late of yesterday
MOST_NAMES: Final = 10_000
"""Of a day. A gateway writes one such message after the other and, where it is in doubt, the same
once more before it goes on: a name that others have written so many after is not repeated. Were it
all the same, it would count twice for that institution's day, by every gateway alike; no event is
lost or doubled for it, since validate alone decides what counts."""


class Claim(NamedTuple):
    """So many events of a day. With `of`, what the day may have, it counts where as many are left;
    else it counts in any case, once by its name: given back (fewer than none), or on trust."""

    day: str
    events: int
    of: int | None = None

    def octets(self) -> bytes:
        """As it is written."""
        return orjson.dumps(self._asdict())


def claim_of(octets: bytes | None) -> Claim | None:
    """The claim of a message; None when it is none."""
    try:
        said = orjson.loads(octets or b"")
        of = said["of"]
        return Claim(str(said["day"]), int(said["events"]), None if of is None else int(of))
    except (ValueError, KeyError, TypeError):
        return None


class _Day:
    """What was taken of one day, and the last names of what counts in any case."""

    def __init__(self) -> None:
        self.sums: dict[str, int] = {}
        self.names: OrderedDict[str, None] = OrderedDict()


class Sums:
    """What was taken of the last days, by institution."""

    def __init__(self) -> None:
        self._days: dict[str, _Day] = {}

    def taken(self, siren: str, day: str) -> int:
        """How many events of a day."""
        of_day = self._days.get(day)
        return of_day.sums.get(siren, 0) if of_day else 0

    def count(self, siren: str, name: str, claim: Claim) -> int:
        """The next message; how many events the day had left for it (as many as it asks, where it
        counts in any case)."""
        of_day = self._days.setdefault(claim.day, _Day())
        before = of_day.sums.get(siren, 0)
        left = claim.events if claim.of is None else claim.of - before
        repeated = claim.of is None and name in of_day.names
        if claim.events <= left and not repeated:
            of_day.sums[siren] = max(0, before + claim.events)
        if claim.of is None and not repeated:
            of_day.names[name] = None
            if len(of_day.names) > MOST_NAMES:
                of_day.names.popitem(last=False)
        for old in sorted(self._days)[:-_DAYS]:
            del self._days[old]
        return left
