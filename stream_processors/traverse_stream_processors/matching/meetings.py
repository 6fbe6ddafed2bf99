"""Meetings: who stands where others look for them, and how crowded places are told apart. Pure.

Two sides meet: those that ask and those that are found. A corner is a place and a topic with what
stands there. Where too many of one side stand, they are told apart step by step, down to the
finest; one that is several things (a call by lots) goes down under each, and whoever looks for
them goes down too. Of what nothing tells apart any more, the last of one side meet the other.

Each side is counted and told apart for each audience by itself: whether two records meet is a
matter of records of their own audiences alone, so that what few may read hides nothing that others
see (decision 9). So what one record meets of one audience is bounded, however many others there
are. Who meets whom depends on the set of records alone, not on arrival.
"""

from bisect import bisect_left, insort
from collections.abc import Callable, Iterable, Sequence, Set
from typing import Final, NamedTuple

from traverse_stream_processors.matching.sides import NOBODY, Finer, Side, Step

CROWDED: Final = 40
"""More than this of what is found in one corner, of one audience, and it is told apart."""

_ASKING: Final = 10
"""So many times more may ask there: each meets few, whom others ask too."""


class Stand(NamedTuple):
    """Where a record stands and looks for others: under each of its topics at each of its places,
    each of them once; without a topic nowhere. `asks` says on which side; whoever is found there
    meets those that ask."""

    places: Sequence[str]
    topics: Sequence[str]
    asks: bool


class Meetings:
    """Records by id under the topics of their places. Those that ask meet those that are found;
    where it is `mutual`, one another too.

    `audience` gives who may read a record, `finer` what tells it apart under a topic, `rank` what
    it comes by where nothing does: asked for again each time, of records that stand here and of one
    that leaves, and always the same.
    """

    def __init__(
        self,
        audience: Callable[[str], str],
        finer: Callable[[str, str], Finer],
        rank: Callable[[str], str],
        crowded: int = CROWDED,
        *,
        mutual: bool = False,
    ) -> None:
        self._audience = audience
        self._finer = finer
        self._rank = rank
        self._crowded = crowded
        self._mutual = mutual
        # Of what is found, and of those that ask.
        self._most = (crowded, crowded if mutual else crowded * _ASKING)
        self._places: dict[str, dict[str, tuple[Side, ...]]] = {}

    def add(self, identity: str, stands: Iterable[Stand]) -> set[str]:
        """Put a record where it stands; gives the asking ones that meet others now beyond this:
        fewer, never more."""
        disturbed: set[str] = set()
        audience, mutual = self._audience(identity), self._mutual
        for places, topics, asks in stands:
            for place in places if topics else ():
                corners = self._places.get(place)
                if corners is None:
                    corners = self._places[place] = {}
                for topic in topics:
                    sides = corners.get(topic)
                    if sides is None:
                        corners[topic] = (Side(audience, topic, identity, asks=asks),)
                        continue
                    mine = None
                    for side in sides:
                        own = side.asks is asks and side.audience == audience
                        if own:
                            mine = side
                            if side.apart is None:
                                side.own.add(identity)
                        elif side.asks is asks and not (asks and mutual):
                            continue
                        if side.apart is not None:
                            self._go_down(side, side.apart, identity, disturbed, own=own)
                        elif len(side.own) > self._most[side.asks]:
                            comes = None if own else identity
                            self._tell_apart(side, sides, comes, disturbed)
                    if mine is None:
                        mine = Side(audience, topic, identity, asks=asks)
                        corners[topic] = (*sides, mine)
        disturbed.discard(identity)
        return disturbed

    def remove(self, identity: str, stands: Iterable[Stand]) -> set[str]:
        """Take away a record that stands there; gives the asking ones that meet others now beyond
        this."""
        disturbed: set[str] = set()
        audience = self._audience(identity)
        for places, topics, asks in stands:
            for place in places if topics else ():
                corners = self._places[place]
                for topic in topics:
                    sides = corners[topic]
                    for side in sides:
                        own = side.asks is asks and side.audience == audience
                        if side.apart is not None and (own or self._meet(side, asks=asks)):
                            finer = self._finer(identity, topic)
                            for way in self._ways(side, own=own):
                                self._remove(side, side.apart, identity, finer, disturbed, own=way)
                            if side.apart.finer is None:
                                side.own, side.apart = side.apart.everybody(own=True), None
                        elif own:
                            side.own.discard(identity)
                        if own and side.apart is None and not side.own:
                            sides = tuple(one for one in sides if one is not side)
                    if sides:
                        corners[topic] = sides
                    else:
                        del corners[topic]
                if not corners:
                    del self._places[place]
        disturbed.discard(identity)
        return disturbed

    def met(self, identity: str, stands: Iterable[Stand]) -> set[str]:
        """Those that a record which stands there meets; itself too, where it is its own other
        side."""
        met: set[str] = set()
        audience = self._audience(identity)
        for places, topics, asks in stands:
            both = asks and self._mutual
            for place in places:
                corners = self._places.get(place)
                if corners is None:
                    continue
                for topic in topics:
                    sides = corners.get(topic)
                    if sides is None:
                        continue
                    apart, told = None, False
                    for side in sides:
                        if side.apart is not None:
                            told = True
                            if side.asks is asks and side.audience == audience:
                                apart = side.apart
                    if not told:
                        for side in sides:
                            if side.asks is not asks or both:
                                met |= side.own
                        continue
                    seen = self._seen(sides, identity, topic, asks)
                    if apart is not None and seen:
                        seen &= self._seen_from(apart, identity, topic)
                    met |= seen
        return met

    def _seen(self, sides: Iterable[Side], identity: str, topic: str, asks: bool) -> set[str]:
        """Whom one finds where it looks."""
        seen: set[str] = set()
        for side in sides:
            if self._meet(side, asks=asks):
                if side.apart is None:
                    seen |= side.own
                else:
                    for step in side.apart.led_to(self._finer(identity, topic), own=False):
                        seen |= self._last(step)
        return seen

    def _seen_from(self, apart: Step, identity: str, topic: str) -> set[str]:
        """Who finds one that is told apart."""
        looking: set[str] = set()
        for step in apart.led_to(self._finer(identity, topic), own=True):
            last = self._last(step)
            if step.order is None or identity in last:
                looking |= step.others
        return looking

    def _meet(self, side: Side, *, asks: bool) -> bool:
        """Whether those of a side meet those that ask, or that are found."""
        return side.asks is not asks or (asks and self._mutual)

    def _ways(self, side: Side, *, own: bool) -> tuple[bool, ...]:
        """As what one goes down a side: as one of it, as one that looks there, or both."""
        if own and side.asks and self._mutual:
            return (True, False)
        return (own,)

    def _last(self, step: Step) -> Set[str]:
        """Those of a side that meet others."""
        if step.order is None:
            return step.own
        return {one for _, one in step.order[-self._crowded :]}

    def _tell_apart(
        self, side: Side, sides: Iterable[Side], comes: str | None, disturbed: set[str]
    ) -> None:
        """A side that is crowded, once somebody is there who meets it: those on other sides, and
        the one that comes to these."""
        others = {
            one for other in sides if self._meet(other, asks=side.asks) for one in other.everybody()
        }
        if comes is not None:
            others.add(comes)
        if others:
            step = side.apart = Step()
            step.own, step.others, side.own = side.own, others, set()
            self._split(side, step, (), disturbed)

    def _split(self, side: Side, step: Step, path: tuple[str, ...], disturbed: set[str]) -> None:
        """Tell those of a step apart, which one reaches by a path."""
        disturbed |= step.own if side.asks else step.others
        both = ((True, step.own), (False, step.others))
        step.own = step.others = NOBODY
        step.finer, step.many = {}, 0
        for own, those in both:
            for one in those:
                finer = _below(self._finer(one, side.topic), path, own=own)
                self._add(side, step, one, finer, disturbed, path=path, own=own)

    def _go_down(
        self, side: Side, apart: Step, identity: str, disturbed: set[str], *, own: bool
    ) -> None:
        finer = self._finer(identity, side.topic)
        for way in self._ways(side, own=own):
            self._add(side, apart, identity, finer, disturbed, own=way)

    def _add(
        self,
        side: Side,
        step: Step,
        identity: str,
        finer: Finer,
        disturbed: set[str],
        *,
        path: tuple[str, ...] = (),
        own: bool,
    ) -> None:
        """Into what is told apart, at a step which one reaches by a path."""
        if step.finer is not None:
            step.many += own
            for name, below in finer.below if own else finer.looks:
                down = step.finer.get(name)
                if down is None:
                    down = step.finer[name] = Step()
                down_path = (*path, name)
                self._add(side, down, identity, below, disturbed, path=down_path, own=own)
            return
        step.add(identity, own=own)
        if len(step.own) <= self._most[side.asks]:
            return
        if not finer.below:
            if own:
                self._crowd(side, step, identity, disturbed)
        elif step.others:
            self._split(side, step, path, disturbed)

    def _crowd(self, side: Side, step: Step, identity: str, disturbed: set[str]) -> None:
        """One more of those of which only the last meet others; of those that ask all do, but where
        they meet one another."""
        if side.asks and not self._mutual:
            return
        if step.order is None:
            step.order = sorted((self._rank(one), one) for one in step.own)
        else:
            insort(step.order, (self._rank(identity), identity))
        _, out = step.order[-self._crowded - 1]
        if out != identity:
            disturbed |= {out} if side.asks else step.others

    def _remove(
        self,
        side: Side,
        step: Step,
        identity: str,
        finer: Finer,
        disturbed: set[str],
        *,
        own: bool,
    ) -> None:
        if step.finer is None:
            step.discard(identity, own=own)
            if own and step.order is not None:
                self._thin(side, step, step.order, identity, disturbed)
            return
        for name, below in finer.below if own else finer.looks:
            down = step.finer.get(name)
            if down is None:
                continue  # one that asks and is found looks there twice, and has left already
            self._remove(side, down, identity, below, disturbed, own=own)
            if down.empty:
                del step.finer[name]
        step.many -= own
        if step.many <= self._most[side.asks]:
            step.own, step.others = step.everybody(own=True), step.everybody(own=False)
            step.finer = None
            disturbed |= step.own if side.asks else step.others

    def _thin(
        self,
        side: Side,
        step: Step,
        order: list[tuple[str, str]],
        identity: str,
        disturbed: set[str],
    ) -> None:
        """One less of those of which only the last meet others."""
        place = bisect_left(order, (self._rank(identity), identity))
        outside = len(order) - self._crowded
        _, follows = order[outside - 1]
        del order[place]
        if place >= outside:
            disturbed |= {follows} if side.asks else step.others
        if len(order) <= self._crowded:
            step.order = None


def _below(finer: Finer, path: Iterable[str], *, own: bool) -> Finer:
    """What tells a record apart below these steps."""
    for step in path:
        steps = finer.below if own else finer.looks
        finer = next(below for one, below in steps if one == step)
    return finer
