"""Meetings: who stands where others look for them, and how crowded places are told apart. Pure.

Two sides meet: those that ask and those that are found. A corner is a place and a topic with what
stands there. Where too many of one side stand, they are told apart step by step, down to the
finest; one that is several things (a call by lots) goes down under each. Those of one step meet
among themselves. Of what nothing tells apart any more, the last of one side meet the other.

So what one record meets is bounded, however many others there are. Whether a corner is crowded and
who is last there depends on the set of records alone, so that who meets whom does not depend on
arrival.
"""

from bisect import bisect_left, insort
from collections.abc import Callable, Iterable, Sequence, Set
from typing import Final, NamedTuple, Protocol

CROWDED: Final = 40
"""More than this of what is found in one corner, and it is told apart."""

_ASKING: Final = 10
"""So many times more may ask there: each meets few, whom others ask too."""

_NOBODY: Final[Set[str]] = frozenset()


class Finer(Protocol):
    """What tells a record apart, the coarsest first: each step with those below it, or nothing. All
    records have as many steps."""

    @property
    def below(self) -> Sequence[tuple[str, "Finer"]]: ...


class Stand(NamedTuple):
    """Where a record stands and looks for others: under each of its topics at each of its places,
    each of them once. `asks` says on which side; whoever is found there meets those that ask."""

    places: Sequence[str]
    topics: Sequence[str]
    asks: bool


class _At(NamedTuple):
    """Where a corner is: under which topic, and by which steps one arrives there."""

    topic: str
    path: tuple[str, ...]


class _Corner:
    """Both sides under one topic. Where it is crowded, `finer` are the corners one step down and
    `many` how many of each side (found, asking) there are in all: nobody is held at every step of
    the way. Where nothing tells them apart any more, `order` are those of a crowded side by rank.
    """

    __slots__ = ("asking", "finer", "found", "many", "order")

    def __init__(self) -> None:
        # A set once somebody stands there: most corners have one side.
        self.asking: Set[str] = _NOBODY
        self.found: Set[str] = _NOBODY
        self.finer: dict[str, _Corner] | None = None
        self.many: list[int] | None = None
        self.order: list[list[tuple[str, str]] | None] | None = None

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

    def discard(self, identity: str, *, asks: bool) -> None:
        side = self.asking if asks else self.found
        if isinstance(side, set):
            side.discard(identity)

    def everybody(self) -> tuple[set[str], set[str]]:
        """Who is found and who asks, here and in all corners below."""
        found, asking = set(self.found), set(self.asking)
        for finer in (self.finer or {}).values():
            below = finer.everybody()
            found |= below[0]
            asking |= below[1]
        return found, asking


class Meetings:
    """Records by id under the topics of their places. Those that ask meet those that are found;
    where it is `mutual`, one another too.

    `finer` gives what tells a record apart under a topic, `rank` what it comes by where nothing
    does: asked for again each time, of records that stand here and of one that leaves, and always
    the same.
    """

    def __init__(
        self,
        finer: Callable[[str, str], Finer],
        rank: Callable[[str], str],
        crowded: int = CROWDED,
        *,
        mutual: bool = False,
    ) -> None:
        self._finer = finer
        self._rank = rank
        self._crowded = crowded
        self._mutual = mutual
        # Of what is found, and of those that ask.
        self._most = (crowded, crowded if mutual else crowded * _ASKING)
        self._places: dict[str, dict[str, _Corner]] = {}

    def add(self, identity: str, stands: Iterable[Stand]) -> set[str]:
        """Put a record where it stands; gives the asking ones that meet others now beyond this:
        fewer, never more."""
        disturbed: set[str] = set()
        for places, topics, asks in stands:
            most, most_found = self._most[asks], self._crowded
            for place in places:
                corners = self._places.get(place)
                if corners is None:
                    corners = self._places[place] = {}
                for topic in topics:
                    corner = corners.get(topic)
                    if corner is None:
                        corner = corners[topic] = _Corner()
                    if corner.finer is None:
                        many = corner.add(identity, asks=asks)
                        if not (many > most and corner.asking) and not (
                            asks and len(corner.found) > most_found
                        ):
                            continue
                    finer = self._finer(identity, topic)
                    self._add(corner, identity, finer, _At(topic, ()), disturbed, asks=asks)
        disturbed.discard(identity)
        return disturbed

    def remove(self, identity: str, stands: Iterable[Stand]) -> set[str]:
        """Take away a record that stands there; gives the asking ones that meet others now beyond
        this."""
        disturbed: set[str] = set()
        for places, topics, asks in stands:
            for place in places:
                corners = self._places[place]
                for topic in topics:
                    corner = corners[topic]
                    if corner.finer is None and corner.order is None:
                        corner.discard(identity, asks=asks)
                    else:
                        self._remove(
                            corner, identity, self._finer(identity, topic), asks, disturbed
                        )
                    if corner.empty:
                        del corners[topic]
                if not corners:
                    del self._places[place]
        disturbed.discard(identity)
        return disturbed

    def met(self, identity: str, stands: Iterable[Stand]) -> set[str]:
        """Those that a record which stands there meets; itself too, where it is its own other
        side."""
        met: set[str] = set()
        for places, topics, asks in stands:
            asking = self._mutual or not asks
            for place in places:
                corners = self._places.get(place)
                if corners is None:
                    continue
                for topic in topics:
                    corner = corners.get(topic)
                    if corner is None:
                        continue
                    if corner.finer is not None or corner.order is not None:
                        self._meet(corner, identity, self._finer(identity, topic), asks, met)
                        continue
                    if asking:
                        met |= corner.asking
                    if asks:
                        met |= corner.found
        return met

    def _meet(
        self, corner: _Corner, identity: str, finer: Finer, asks: bool, met: set[str]
    ) -> None:
        if corner.finer is not None:
            for step, below in finer.below:
                if (down := corner.finer.get(step)) is not None:
                    self._meet(down, identity, below, asks, met)
        elif corner.order is None or identity in self._last(corner, asks=asks):
            if self._mutual or not asks:
                met |= self._last(corner, asks=True)
            if asks:
                met |= self._last(corner, asks=False)

    def _last(self, corner: _Corner, *, asks: bool) -> Set[str]:
        """Those of one side of a corner that meet others."""
        order = corner.order[asks] if corner.order is not None else None
        if order is None:
            return corner.asking if asks else corner.found
        return {one for _, one in order[-self._crowded :]}

    def _add(
        self,
        corner: _Corner,
        identity: str,
        finer: Finer,
        at: _At,
        disturbed: set[str],
        *,
        asks: bool,
    ) -> None:
        """Into a corner; `finer` are the steps below it."""
        if corner.finer is not None:
            self._go_down(corner, identity, finer, at, disturbed, asks=asks)
            return
        many = corner.add(identity, asks=asks)
        if not finer.below:
            if many > self._most[asks]:
                self._crowd(corner, identity, asks, disturbed)
        elif self._is_crowded(corner):
            disturbed |= corner.asking
            sides = ((True, corner.asking), (False, corner.found))
            corner.asking = corner.found = _NOBODY
            corner.finer, corner.many = {}, [0, 0]
            for side, those in sides:
                for one in those:
                    below = (
                        finer if one == identity else _below(self._finer(one, at.topic), at.path)
                    )
                    self._go_down(corner, one, below, at, disturbed, asks=side)

    def _is_crowded(self, corner: _Corner) -> bool:
        """Whether too many are in a corner. Where nobody asks nobody meets, and who is found there
        is not told apart before somebody does."""
        found, asking = self._most
        return len(corner.asking) > asking or (bool(corner.asking) and len(corner.found) > found)

    def _go_down(
        self,
        corner: _Corner,
        identity: str,
        finer: Finer,
        at: _At,
        disturbed: set[str],
        *,
        asks: bool,
    ) -> None:
        """Into a crowded corner, where its next steps lead."""
        if corner.finer is None or corner.many is None:
            raise TypeError("not crowded")
        corner.many[asks] += 1
        for step, below in finer.below:
            down = corner.finer.get(step)
            if down is None:
                down = corner.finer[step] = _Corner()
            self._add(down, identity, below, _At(at.topic, (*at.path, step)), disturbed, asks=asks)

    def _crowd(self, corner: _Corner, identity: str, asks: bool, disturbed: set[str]) -> None:
        """One more on a side of which only the last meet others; of those that ask all do, but
        where they meet one another."""
        if asks and not self._mutual:
            return
        if corner.order is None:
            corner.order = [None, None]
        order = corner.order[asks]
        if order is None:
            side = corner.asking if asks else corner.found
            order = corner.order[asks] = sorted((self._rank(one), one) for one in side)
        else:
            insort(order, (self._rank(identity), identity))
        _, out = order[-self._crowded - 1]
        if out != identity:
            disturbed |= {out} if asks else self._last(corner, asks=True)

    def _remove(
        self, corner: _Corner, identity: str, finer: Finer, asks: bool, disturbed: set[str]
    ) -> None:
        if corner.finer is None or corner.many is None:
            corner.discard(identity, asks=asks)
            if corner.order is not None and (order := corner.order[asks]) is not None:
                self._thin(corner, order, identity, asks, disturbed)
            return
        for step, below in finer.below:
            down = corner.finer[step]
            self._remove(down, identity, below, asks, disturbed)
            if down.empty:
                del corner.finer[step]
        corner.many[asks] -= 1
        if corner.many[False] <= self._most[False] and corner.many[True] <= self._most[True]:
            corner.found, corner.asking = corner.everybody()
            corner.finer = corner.many = None
            disturbed |= corner.asking

    def _thin(
        self,
        corner: _Corner,
        order: list[tuple[str, str]],
        identity: str,
        asks: bool,
        disturbed: set[str],
    ) -> None:
        """One less on a side of which only the last meet others."""
        place = bisect_left(order, (self._rank(identity), identity))
        outside = len(order) - self._crowded
        _, follows = order[outside - 1]
        del order[place]
        if place >= outside:
            disturbed |= {follows} if asks else self._last(corner, asks=True)
        if len(order) <= self._crowded and corner.order is not None:
            corner.order[asks] = None
            if corner.order == [None, None]:
                corner.order = None


def _below(finer: Finer, path: Iterable[str]) -> Finer:
    """What tells a record apart below these steps."""
    for step in path:
        finer = next(below for one, below in finer.below if one == step)
    return finer
