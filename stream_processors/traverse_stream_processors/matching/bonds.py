"""Bonds: joint pairs, and the components and clusters that they come to, layer by layer. Pure.

Everything is a function of the set of pairs: a component that is too large is taken apart by
dropping the bonds that cross EPCIs, then communes, never by arrival.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Set
from types import MappingProxyType
from typing import Final, NamedTuple

from traverse_schemas.documents.grouping import readable
from traverse_stream_processors.matching.facts import Facts
from traverse_stream_processors.matching.french import day_of
from traverse_stream_processors.matching.joint import Together
from traverse_stream_processors.matching.layers import BASE
from traverse_stream_processors.matching.territory import level_of
from traverse_stream_processors.matching.words import CONFIRMED, DISMISSED, PROPOSED

LARGEST: Final = 64
"""A component with more records than this is taken apart by territory."""

_FINEST: Final = 2
_NO_PAIRS: Final[Mapping[str, Together]] = MappingProxyType({})


class _Edge(NamedTuple):
    """Where a pair counts: the finest step at which it does, and who may read the other end."""

    area: int
    audience: str


_NO_EDGES: Final[Mapping[str, _Edge]] = MappingProxyType({})


class Component(NamedTuple):
    """Records that are grouped together: `step` is how fine (0: over all bonds), `plain` says that
    it would be the same in every layer that all of one kind read."""

    members: set[str]
    step: int
    plain: bool


class Bonds:
    """The joint pairs, both ways, and which of them count in a layer. `spoken` are the records of
    which something was said of groupings: of these `is_out` says, with a layer, whether they are to
    be in none of its groupings."""

    def __init__(
        self,
        facts: Mapping[str, Facts],
        spoken: Set[str],
        is_out: Callable[[str, str], bool],
        largest: int = LARGEST,
    ) -> None:
        self._facts = facts
        self._spoken = spoken
        self._is_out = is_out
        self.largest = largest
        self._pairs: dict[str, dict[str, Together]] = {}
        self._edges: dict[str, dict[str, _Edge]] = {}
        self._any_named = False  # whether a record for named readers was ever tied

    def of(self, identity: str) -> Mapping[str, Together]:
        """What a record is joint with, by id."""
        return self._pairs.get(identity, _NO_PAIRS)

    def every(self) -> Iterator[tuple[str, str, Together]]:
        """Every pair once, the lesser id first."""
        for left, found in self._pairs.items():
            for right, bond in found.items():
                if left < right:
                    yield left, right, bond

    def tie(self, left: str, right: str, bond: Together) -> None:
        self._pairs.setdefault(left, {})[right] = bond
        self._pairs.setdefault(right, {})[left] = bond
        mine, theirs = self._facts[left], self._facts[right]
        area = _area(bond, mine, theirs)
        self._edges.setdefault(left, {})[right] = _Edge(area, theirs.audience)
        self._edges.setdefault(right, {})[left] = _Edge(area, mine.audience)
        if mine.audience not in BASE or theirs.audience not in BASE:
            self._any_named = True

    def untie(self, identity: str) -> dict[str, Together]:
        """Take away all bonds of a record; gives what they were."""
        gone = self._pairs.pop(identity, {})
        self._edges.pop(identity, None)
        for other in gone:
            del self._pairs[other][identity], self._edges[other][identity]
            if not self._pairs[other]:
                del self._pairs[other], self._edges[other]
        return gone

    def part(self, left: str, right: str) -> None:
        """Take away the bond of a pair."""
        for one, other in ((left, right), (right, left)):
            del self._pairs[one][other], self._edges[one][other]
            if not self._pairs[one]:
                del self._pairs[one], self._edges[one]

    def component(self, start: str, layer: str, large: dict[tuple[int, str], bool]) -> Component:
        """The component of a record in a layer, at the coarsest step at which it is small enough.
        `large` are the records known to be in too large a component at a step, and whether it was
        plain: it gets those that are found to be."""
        plain = True
        for step in range(_FINEST):
            known = large.get((step, start))
            if known is None:
                found = self.reach(start, layer, step)
                known = self.is_plain(found)
                if len(found) <= self.largest:
                    return Component(found, step, plain and known)
                large.update(((step, one), known) for one in found)
            plain = plain and known
        found = self.reach(start, layer, _FINEST, whole=True)
        return Component(found, _FINEST, plain and self.is_plain(found))

    def reach(self, start: str, layer: str, step: int, *, whole: bool = False) -> set[str]:
        """All that can be reached from one over bonds that count; unless the whole is asked for,
        it stops once there are more than `largest`: which ones these are means nothing then.

        In a layer of named readers one goes on only from records that are theirs alone: what is
        public is there for what stands beside them.
        """
        found = {start}
        waiting = [start]
        named = layer not in BASE
        while waiting:
            one = waiting.pop()
            for other, (area, theirs) in self._edges.get(one, _NO_EDGES).items():
                if other in found or area < step:
                    continue
                if theirs not in ("public", layer) and not readable(layer, theirs):
                    continue
                if named and layer not in (self._facts[one].audience, theirs):
                    continue
                if other in self._spoken and self._is_out(other, layer):
                    continue
                found.add(other)
                waiting.append(other)
            if not whole and len(found) > self.largest:
                break
        return found

    def named_beside(self, identity: str) -> set[str]:
        """The layers of named readers that the records beside a public one are of."""
        if not self._any_named:
            return set()
        edges = self._edges.get(identity, _NO_EDGES).values()
        return {edge.audience for edge in edges if edge.audience not in BASE}

    def is_plain(self, reached: Collection[str]) -> bool:
        """Whether what was reached in the widest layer is reached in every layer that all of one
        kind read: all of it is public, and nobody spoke of it or of what is beside it, which may be
        out of one layer and in another."""
        facts, spoken = self._facts, self._spoken
        if any(facts[one].audience != "public" for one in reached):
            return False
        return not spoken or all(
            one not in spoken and spoken.isdisjoint(self._edges.get(one, _NO_EDGES))
            for one in reached
        )

    def clusters(
        self,
        members: Iterable[str],
        step: int,
        fits: Callable[[str, str], bool],
        first: Set[Set[str]] = frozenset(),
    ) -> list[tuple[str, ...]]:
        """The groups within a component: pairs join by descending score, ties by id, and two groups
        only when each of one goes with each of the other: they are joint, or one owner's and `fits`
        says so. What people confirm, and pairs of `first`, join before what is proposed. Nothing
        else joins what was over before the newest was told of with what goes on. Sorted; those of
        one record left out."""
        inside = set(members)
        pairs = sorted(
            (_waits(left, right, bond, first), -bond.score, left, right)
            for left in inside
            for right, bond in self.of(left).items()
            if left < right and right in inside and self._edges[left][right].area >= step
        )
        fitting = self._fitting(inside, fits, first)
        # Of each record its group, and those that fit all of that.
        group = {one: ({one}, fitting[one]) for one in inside}
        for _, _, left, right in pairs:
            mine, theirs = group[left], group[right]
            if mine[0] is theirs[0] or not theirs[0] <= mine[1]:
                continue
            joined = (mine[0] | theirs[0], mine[1] & theirs[1])
            for one in joined[0]:
                group[one] = joined
        unique = {id(found): found for found, _ in group.values() if len(found) > 1}
        return sorted(tuple(sorted(found)) for found in unique.values())

    def _fitting(
        self, inside: set[str], fits: Callable[[str, str], bool], first: Set[Set[str]]
    ) -> dict[str, set[str]]:
        """For each record those inside with which it may be in one group: what it is joint with,
        and of its owner's what `fits`; both over, or neither, unless people want them together."""
        found = {}
        over = self._over(inside)
        by_owner: dict[str, list[str]] = {}
        for one in inside:
            bonds = self.of(one)
            found[one] = {
                other
                for other in inside & bonds.keys()
                if bonds[other].state != DISMISSED
                and (
                    (one in over) is (other in over) or not _waits(one, other, bonds[other], first)
                )
            }
            by_owner.setdefault(self._facts[one].owner, []).append(one)
        for owned in by_owner.values():
            for number, one in enumerate(owned):
                for other in owned[number + 1 :]:
                    alike = (one in over) is (other in over) or {one, other} in first
                    if alike and fits(one, other):
                        found[one].add(other)
                        found[other].add(one)
        return found

    def _over(self, inside: Collection[str]) -> set[str]:
        """Those whose last day, or the last on which they are worth showing, was before the day on
        which the newest of them was told of. That day has come for all of them, whatever day it is
        now."""
        facts = [self._facts[one] for one in inside]
        newest = day_of(max(one.first_time for one in facts))
        return {
            one.id
            for one in facts
            if (one.purchase is not None and one.purchase.end < newest)
            or (one.expires and one.expires < newest)
        }


def _waits(left: str, right: str, bond: Together, first: Set[Set[str]]) -> bool:
    return bond.state != CONFIRMED and not (first and {left, right} in first)


def _area(bond: Together, left: Facts, right: Facts) -> int:
    """The finest step at which a pair counts: 2 in one commune, or where people confirm it; 1 in
    one EPCI, else 0; below where they dismiss it."""
    if bond.state != PROPOSED:
        return _FINEST if bond.state == CONFIRMED else -1
    levels = {level_of(code) for code in left.within & right.within}
    return 2 if "com" in levels else 1 if "epci" in levels else 0
