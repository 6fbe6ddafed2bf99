"""Lasting: of what is proposed to one, the best that are open, whenever one looks. Pure.

What is open is judged when asked (decision 0019), and here is no clock: so something is left out
only where enough that is better stays open as long. Which month it ends in is what counts: calls
that come one after the other, each open some days longer than the last, would else all stand.
"""

from bisect import bisect_left, insort
from collections.abc import Iterable, Sequence
from heapq import heappush, heappushpop
from typing import Final, NamedTuple

MOST: Final = 10
"""Of one kind, for one audience, this many of the best that are open in any month."""

MOST_KEPT: Final = 50
"""And all months together so many at most: as many of the best of each as there is room for."""

_MONTH: Final = 7  # characters of a moment
_NEVER: Final = "9999"


class Place(NamedTuple):
    """Where one stands: the better the less. `month` is the last in which it is open."""

    worse: float
    id: str
    month: str


def place_of(score: float, identity: str, until: str) -> Place:
    """The place of something by its score, ties by id; `until` is a day or a moment, or ""."""
    return Place(-score, identity, last_month(until))


def last_month(until: str) -> str:
    """The month of a day or a moment; of "", which is none, one that does not come."""
    return until[:_MONTH] or _NEVER


def lasting(ranked: Iterable[Place]) -> list[Place]:
    """Of these, the best first, each that fewer than MOST better ones are open as long as."""
    longest: list[str] = []  # the months of the MOST so far that are open longest
    found = []
    for one in ranked:
        if len(longest) < MOST:
            heappush(longest, one.month)
        elif longest[0] < one.month:
            heappushpop(longest, one.month)
        else:
            continue
        found.append(one)
    return found


def enter(found: list[Place], one: Place) -> bool:
    """Put one more among those that `lasting` left, which gives what it would of all. False: it is
    left out, and nothing else changes."""
    better = sum(1 for other in found if other < one and other.month >= one.month)
    if better >= MOST:
        return False
    insort(found, one)
    found[:] = lasting(found)
    return True


def kept(found: Sequence[Place]) -> Sequence[Place]:
    """Those that are kept of what `lasting` left, the best first: the best that is open in each
    month, then the next, as long as there is room; of the last of these those open longest."""
    if len(found) <= MOST_KEPT:
        return found
    better: list[str] = []  # the months of those so far that are open longest
    turns: list[tuple[int, Place]] = []
    for one in found:
        turns.append((len(better) - bisect_left(better, one.month), one))
        insort(better, one.month)
        del better[:-MOST]
    # Sorting is stable: of those that end in one month the best.
    turns.sort(key=lambda it: it[1].month, reverse=True)
    turns.sort(key=lambda it: it[0])
    return sorted(one for _, one in turns[:MOST_KEPT])
