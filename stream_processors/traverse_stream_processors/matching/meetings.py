"""Meetings: who stands where others look for them, and how crowded places are told apart. Pure.

Two sides meet: those that ask and those that are found. A corner is a place and a topic with what
stands there; where too many of one side stand, those of the same refinement (CPV group, class,
code, month) meet among themselves, down to the finest; what is still too many there does not meet.
Whether a corner is crowded depends on the set of records alone, so that who meets whom does not
depend on arrival.
"""

from collections.abc import Iterable, Sequence, Set
from typing import Final, NamedTuple

CROWDED: Final = 40
"""More than this of one side in one corner, and the next refinement is used."""

_NOBODY: Final[Set[str]] = frozenset()


class Stand(NamedTuple):
    """Where a record stands and looks for others: under each of its topics at each of its places.
    `refinements` tell it from others there, the coarsest first: the same wherever it stands.
    `asks` says on which side; whoever is found there meets those that ask."""

    places: Sequence[str]
    topics: Sequence[str]
    refinements: tuple[str, ...]
    asks: bool


class _Corner:
    """Both sides under one topic. Where it is crowded, `finer` are the corners one step down,
    `asking` and `found` those alone whom nothing tells apart any more, and `many` how many of each
    side (found, asking) there are in all: nobody is held at every step of the way."""

    __slots__ = ("asking", "finer", "found", "many")

    def __init__(self) -> None:
        # A set once somebody stands there: most corners have one side.
        self.asking: Set[str] = _NOBODY
        self.found: Set[str] = _NOBODY
        self.finer: dict[str, _Corner] | None = None
        self.many: list[int] | None = None

    @property
    def empty(self) -> bool:
        return not self.asking and not self.found and not self.finer

    def add(self, identity: str, *, asks: bool) -> int:
        """How many stand on its side then, of those whom this corner itself holds."""
        side = self.asking if asks else self.found
        if isinstance(side, set):
            side.add(identity)
            return len(side)
        if asks:
            self.asking = {identity}
        else:
            self.found = {identity}
        return 1

    def discard(self, identity: str, *, asks: bool) -> bool:
        """Whether it was on that side."""
        side = self.asking if asks else self.found
        if isinstance(side, set) and identity in side:
            side.remove(identity)
            return True
        return False

    def everybody(self) -> tuple[set[str], set[str]]:
        """Who asks and who is found, here and in all corners below."""
        asking, found = set(self.asking), set(self.found)
        for finer in (self.finer or {}).values():
            below = finer.everybody()
            asking |= below[0]
            found |= below[1]
        return asking, found


class Meetings:
    """Records by id under the topics of their places. Those that ask meet those that are found;
    where it is `mutual`, one another too."""

    def __init__(self, crowded: int = CROWDED, *, mutual: bool = False) -> None:
        self._crowded = crowded
        self._mutual = mutual
        self._places: dict[str, dict[str, _Corner]] = {}
        self._refinements: dict[str, tuple[str, ...]] = {}

    def add(self, identity: str, stands: Iterable[Stand]) -> set[str]:
        """Put a record where it stands; gives the asking ones that meet others now beyond this."""
        disturbed: set[str] = set()
        for places, topics, refinements, asks in stands:
            self._refinements[identity] = refinements
            for place in places:
                corners = self._places.get(place)
                if corners is None:
                    corners = self._places[place] = {}
                for topic in topics:
                    corner = corners.get(topic)
                    if corner is None:
                        corner = corners[topic] = _Corner()
                    if corner.finer is not None or corner.add(identity, asks=asks) > self._crowded:
                        self._add(corner, identity, 0, asks, disturbed)
        disturbed.discard(identity)
        return disturbed

    def remove(self, identity: str, stands: Iterable[Stand]) -> set[str]:
        """Take a record away; gives the asking ones that meet others now beyond this."""
        disturbed: set[str] = set()
        for stand in stands:
            for place in stand.places:
                corners = self._places.get(place, {})
                for topic in stand.topics:
                    corner = corners.get(topic)
                    if corner is not None:
                        self._remove(corner, identity, 0, stand, disturbed)
                        if corner.empty:
                            del corners[topic]
                if not corners:
                    self._places.pop(place, None)
        self._refinements.pop(identity, None)
        disturbed.discard(identity)
        return disturbed

    def met(self, stands: Iterable[Stand]) -> set[str]:
        """Those that a record which stands there meets; itself too, where it is its own other
        side."""
        met: set[str] = set()
        for places, topics, refinements, asks in stands:
            asking = self._mutual or not asks
            for place in places:
                corners = self._places.get(place)
                if corners is None:
                    continue
                for topic in topics:
                    corner = corners.get(topic)
                    if corner is not None and corner.finer is not None:
                        corner = self._below(corner, refinements)
                    if corner is not None:
                        if asking:
                            met |= corner.asking
                        if asks:
                            met |= corner.found
        return met

    def _below(self, corner: _Corner, refinements: Sequence[str]) -> _Corner | None:
        below: _Corner | None = corner
        for refinement in refinements:
            if below is None or below.finer is None:
                return below
            below = below.finer.get(refinement)
        return below if below is None or below.finer is None else None

    def _add(
        self, corner: _Corner, identity: str, step: int, asks: bool, disturbed: set[str]
    ) -> None:
        if corner.finer is not None:
            self._go_down(corner, identity, step, asks, disturbed)
        elif corner.add(identity, asks=asks) > self._crowded:
            disturbed |= corner.asking
            sides = ((True, corner.asking), (False, corner.found))
            corner.asking = corner.found = _NOBODY
            corner.finer, corner.many = {}, [0, 0]
            for side, those in sides:
                for one in those:
                    self._go_down(corner, one, step, side, disturbed)

    def _go_down(
        self, corner: _Corner, identity: str, step: int, asks: bool, disturbed: set[str]
    ) -> None:
        """Into a crowded corner, where its next refinement says."""
        if corner.finer is None or corner.many is None:
            raise TypeError("not crowded")
        corner.many[asks] += 1
        refinements = self._refinements[identity]
        if step >= len(refinements):
            corner.add(identity, asks=asks)
            return
        finer = corner.finer.get(refinements[step])
        if finer is None:
            finer = corner.finer[refinements[step]] = _Corner()
        self._add(finer, identity, step + 1, asks, disturbed)

    def _remove(
        self, corner: _Corner, identity: str, step: int, stand: Stand, disturbed: set[str]
    ) -> bool:
        """Whether it was here."""
        if corner.finer is None or corner.many is None:
            return corner.discard(identity, asks=stand.asks)
        if step >= len(stand.refinements):
            was = corner.discard(identity, asks=stand.asks)
        elif (finer := corner.finer.get(stand.refinements[step])) is not None:
            was = self._remove(finer, identity, step + 1, stand, disturbed)
            if finer.empty:
                del corner.finer[stand.refinements[step]]
        else:
            return False
        if was:
            corner.many[stand.asks] -= 1
            if max(corner.many) <= self._crowded:
                corner.asking, corner.found = corner.everybody()
                corner.finer = corner.many = None
                disturbed |= corner.asking
        return was
