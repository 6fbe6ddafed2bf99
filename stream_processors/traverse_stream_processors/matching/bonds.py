"""Bonds: joint pairs, and the components and clusters that they come to, layer by layer. Pure.

Everything is a function of the set of pairs: a component that is too large is taken apart by
dropping the bonds that cross EPCIs, then communes, never by arrival.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from typing import Final

from traverse_schemas.grouping import readable
from traverse_stream_processors.matching.facts import Facts
from traverse_stream_processors.matching.joint import Together
from traverse_stream_processors.matching.layers import BASE
from traverse_stream_processors.matching.territory import level_of
from traverse_stream_processors.matching.words import CONFIRMED, PROPOSED

LARGEST: Final = 64
"""A component with more records than this is taken apart by territory."""

_FINEST: Final = 2


class Bonds:
    """The joint pairs, both ways, and which of them count in a layer. `is_out` says of a record
    and a layer that it is to be in none of its groupings."""

    def __init__(
        self,
        facts: Mapping[str, Facts],
        is_out: Callable[[str, str], bool],
        largest: int = LARGEST,
    ) -> None:
        self._facts = facts
        self._is_out = is_out
        self.largest = largest
        self._pairs: dict[str, dict[str, Together]] = {}
        self._areas: dict[str, dict[str, int]] = {}  # the finest step at which each pair counts

    def of(self, identity: str) -> Mapping[str, Together]:
        """What a record is joint with, by id."""
        return self._pairs.get(identity, {})

    def every(self) -> Iterator[tuple[str, str, Together]]:
        """Every pair once, the lesser id first."""
        for left, found in self._pairs.items():
            for right, bond in found.items():
                if left < right:
                    yield left, right, bond

    def tie(self, left: str, right: str, bond: Together) -> None:
        self._pairs.setdefault(left, {})[right] = bond
        self._pairs.setdefault(right, {})[left] = bond
        area = _area(bond, self._facts[left], self._facts[right])
        self._areas.setdefault(left, {})[right] = area
        self._areas.setdefault(right, {})[left] = area

    def untie(self, identity: str) -> dict[str, Together]:
        """Take away all bonds of a record; gives what they were."""
        gone = self._pairs.pop(identity, {})
        self._areas.pop(identity, None)
        for other in gone:
            del self._pairs[other][identity], self._areas[other][identity]
            if not self._pairs[other]:
                del self._pairs[other], self._areas[other]
        return gone

    def component(self, start: str, layer: str) -> tuple[set[str], int]:
        """The records that are grouped together with one in a layer, at the coarsest step at which
        they are few enough; and that step (0: all bonds)."""
        for step in range(_FINEST):
            found = self.reach(start, layer, step)
            if len(found) <= self.largest:
                return found, step
        return self.reach(start, layer, _FINEST, whole=True), _FINEST

    def reach(self, start: str, layer: str, step: int, *, whole: bool = False) -> set[str]:
        """All that can be reached from one over bonds that count; unless the whole is asked for,
        it stops once there are more than `largest`."""
        found = {start}
        waiting = [start]
        while waiting and (whole or len(found) <= self.largest):
            one = waiting.pop()
            for other in self.neighbours(one, layer, step):
                if other not in found:
                    found.add(other)
                    waiting.append(other)
        return found

    def neighbours(self, identity: str, layer: str, step: int) -> Iterator[str]:
        """Over which bonds one goes on. In a layer of named readers only from records that are
        theirs alone: what is public is there for what stands beside them."""
        own = self._facts[identity].audience
        named = layer not in BASE
        for other, area in self._areas.get(identity, {}).items():
            theirs = self._facts[other].audience
            if area < step or not readable(layer, theirs) or self._is_out(other, layer):
                continue
            if not named or layer in (own, theirs):
                yield other

    def clusters(
        self,
        members: Iterable[str],
        step: int,
        fits: Callable[[str, str], bool],
        first: Set[Set[str]] = frozenset(),
    ) -> list[tuple[str, ...]]:
        """The groups within a component: pairs join by descending score, ties by id, and two groups
        only when each of one `fits` each of the other; what people confirm, and pairs of `first`,
        before what is proposed. Sorted; those of one record left out."""
        inside = set(members)
        pairs = sorted(
            (bond.state != CONFIRMED and {left, right} not in first, -bond.score, left, right)
            for left in inside
            for right, bond in self.of(left).items()
            if left < right and right in inside and self._areas[left][right] >= step
        )
        group: dict[str, list[str]] = {one: [one] for one in inside}
        for _, _, left, right in pairs:
            mine, theirs = group[left], group[right]
            if mine is theirs or not all(fits(one, two) for one in mine for two in theirs):
                continue
            joined = mine + theirs
            for one in joined:
                group[one] = joined
        unique = {id(found): found for found in group.values() if len(found) > 1}
        return sorted(tuple(sorted(found)) for found in unique.values())


def _area(bond: Together, left: Facts, right: Facts) -> int:
    """The finest step at which a pair counts: 2 in one commune, or where people confirm it; 1 in
    one EPCI, else 0; below where they dismiss it."""
    if bond.state != PROPOSED:
        return _FINEST if bond.state == CONFIRMED else -1
    levels = {level_of(code) for code in left.within & right.within}
    return 2 if "com" in levels else 1 if "epci" in levels else 0
