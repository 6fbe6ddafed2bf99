"""Clusters: from pairs and people's word to opportunities. Pure, and in no order but its own.

Pairs join by descending score, ties by id. A union that would put two records together of which
people said that they are not the same is refused. So the result is a function of the set of
records, pairs and words, whatever came first (decision 7).
"""

from collections.abc import Callable, Iterable, Sequence, Set
from typing import NamedTuple


class Pair(NamedTuple):
    """Two records by id, `left` before `right`, and how surely they belong together.

    `asserted`: people said so, which is stronger than any score.
    """

    left: str
    right: str
    score: float
    asserted: bool = False


def clusters(
    groups: Iterable[Sequence[str]], pairs: Iterable[Pair], apart: Set[tuple[str, str]]
) -> list[tuple[str, ...]]:
    """The groups that these groups of records come to when pairs join them; each sorted by id, in
    order. `apart` are the pairs (lesser id first) that must not be together."""
    group: dict[str, list[str]] = {}
    for members in groups:
        joined = list(members)
        for one in joined:
            group[one] = joined
    for left, right, _, _ in sorted(pairs, key=_order):
        mine, theirs = group[left], group[right]
        if mine is theirs or (apart and _crosses(mine, theirs, apart)):
            continue
        joined = mine + theirs
        for one in joined:
            group[one] = joined
    unique = {id(members): members for members in group.values()}
    return sorted(tuple(sorted(members)) for members in unique.values())


def component(start: str, neighbours: Callable[[str], Iterable[str]], most: int) -> set[str]:
    """All records that can be reached from one over pairs; `most` + 1 of them when there are more:
    which, is of no meaning."""
    found = {start}
    waiting = [start]
    while waiting:
        for other in neighbours(waiting.pop()):
            if other not in found:
                found.add(other)
                waiting.append(other)
                if len(found) > most:
                    return found
    return found


def _order(one: Pair) -> tuple[bool, float, str, str]:
    return (not one.asserted, -one.score, one.left, one.right)


def _crosses(mine: Iterable[str], theirs: Sequence[str], apart: Set[tuple[str, str]]) -> bool:
    return any((min(a, b), max(a, b)) in apart for a in mine for b in theirs)
