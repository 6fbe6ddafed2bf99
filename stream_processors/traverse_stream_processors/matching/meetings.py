"""Meetings: who stands where others look for them, and how crowded places are told apart. Pure.

Two sides meet: those that ask and those that are found. A corner is a place and a topic with what
stands there. Where too many of one side stand, they are told apart step by step, down to the
finest; one that is several things (a call by lots) goes down under each, and whoever looks for
them goes down too. Of what nothing tells apart any more, the last of one side meet the other.

Each side is counted and told apart for each audience by itself: whether two records meet is a
matter of records of their own audiences alone, so that what few may read hides nothing that others
see (decision 9). So what one record meets of one audience is bounded, however many others there
are. Who meets whom depends on the set of records alone, not on arrival.

Two meet where each finds the other. One way costs little to know; the other is asked of those
alone of which it matters.
"""

from collections.abc import Callable, Iterable, Sequence, Set
from typing import Final, NamedTuple

from traverse_stream_processors.matching.apart import Apart
from traverse_stream_processors.matching.sides import Finer, Side, Step

CROWDED: Final = 40
"""More than this of what is found in one corner, of one audience, and it is told apart."""


class Stand(NamedTuple):
    """Where a record stands and looks for others: under each of its topics at each of its places,
    each of them once; without a topic nowhere. `asks` says on which side; whoever is found there
    meets those that ask."""

    places: Sequence[str]
    topics: Sequence[str]
    asks: bool


class _Half(NamedTuple):
    """Whom a record finds (one that asks), or is found by (one that does not), in a corner where
    its own side is told `apart`: which of these it meets is not known yet."""

    seen: Set[str]
    sides: Sequence[Side]
    apart: Step
    asks: bool


class _ByTopic(dict[str, Finer]):
    """What tells a record apart under a topic, worked out once."""

    def __init__(self, finer: Callable[[str, str], Finer], identity: str) -> None:
        super().__init__()
        self._finer = finer
        self._identity = identity

    def __missing__(self, topic: str) -> Finer:
        found = self[topic] = self._finer(self._identity, topic)
        return found


def _all(those: Set[str]) -> Set[str]:
    return those


class Meetings:
    """Records by id under the topics of their places. Those that ask meet those that are found;
    where it is `mutual`, one another too.

    `audience` gives who may read a record, `finer` what tells it apart under a topic, `rank` what
    it comes by where nothing does: asked for again each time, of records that stand here and of one
    that leaves, and always the same. `tied` gives those that ask with which one that is found has
    something to do: of these alone it is told that they meet it no more (None: of all).
    """

    def __init__(
        self,
        audience: Callable[[str], str],
        finer: Callable[[str, str], Finer],
        rank: Callable[[str], str],
        crowded: int = CROWDED,
        tied: Callable[[str], Set[str]] | None = None,
        *,
        mutual: bool = False,
    ) -> None:
        self._audience = audience
        self._mutual = mutual
        self._apart = Apart(finer, rank, crowded, tied, mutual=mutual)
        self._places: dict[str, dict[str, tuple[Side, ...]]] = {}

    def add(self, identity: str, stands: Iterable[Stand]) -> set[str]:
        """Put a record where it stands; gives the asking ones that meet others now beyond this:
        fewer, never more."""
        disturbed: set[str] = set()
        audience, mutual, most = self._audience(identity), self._mutual, self._apart.most
        told = _ByTopic(self._apart.finer, identity)
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
                            self._go_down(side, side.apart, identity, told, disturbed, own=own)
                        elif len(side.own) > most[side.asks]:
                            comes = None if own else identity
                            self._apart.begin(side, sides, comes, disturbed)
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
        told = _ByTopic(self._apart.finer, identity)
        for places, topics, asks in stands:
            for place in places if topics else ():
                corners = self._places[place]
                for topic in topics:
                    sides = corners[topic]
                    for side in sides:
                        own = side.asks is asks and side.audience == audience
                        if side.apart is not None and (own or (asks and not side.asks)):
                            self._apart.leave(
                                side, side.apart, identity, told[topic], disturbed, own=own
                            )
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

    def met(
        self,
        identity: str,
        stands: Iterable[Stand],
        among: Callable[[Set[str]], Iterable[str]] = _all,
    ) -> set[str]:
        """Those that a record which stands there meets; itself too, where it is its own other
        side. `among` gives, of all that it may meet, those of which it is to be known."""
        told = _ByTopic(self._apart.finer, identity)
        sure: set[str] = set()
        halves: list[_Half] = []
        for places, topics, asks in stands:
            both = asks and self._mutual
            for place in places:
                corners = self._places.get(place)
                if corners is None:
                    continue
                for topic in topics:
                    sides = corners.get(topic, ())
                    for side in sides:
                        if side.apart is not None:
                            half = self._seen(sides, identity, told[topic], sure, asks=asks)
                            if half is not None:
                                halves.append(half)
                            break
                    else:
                        for side in sides:
                            if side.asks is not asks or both:
                                sure |= side.own
        seen = sure.union(*(half.seen for half in halves)) if halves else sure
        return {
            one
            for one in among(seen)
            if one in sure
            or any(one in half.seen and self._both(half, identity, told, one) for half in halves)
        }

    def _go_down(
        self,
        side: Side,
        apart: Step,
        identity: str,
        told: _ByTopic,
        disturbed: set[str],
        *,
        own: bool,
    ) -> None:
        """Put one where a side that it is of, or meets, is told apart."""
        if own:
            self._apart.stand(side, apart, identity, told[side.topic], disturbed)
        elif not side.asks:
            self._apart.look(side, apart, identity, told[side.topic], disturbed)

    def _seen(
        self, sides: Sequence[Side], identity: str, finer: Finer, sure: set[str], *, asks: bool
    ) -> _Half | None:
        """Whom one finds in a corner where a side is told apart. Where its own is not, all of these
        find it too: `sure` gets them."""
        audience = self._audience(identity)
        mine = next((it for it in sides if it.asks is asks and it.audience == audience), None)
        apart = None if mine is None else mine.apart
        seen = sure if apart is None else set()
        if apart is not None and not asks:
            # Who looks for it is known where it stands.
            seen.update(*(step.others for step in self._apart.stood_at(apart, identity, finer)))
            return _Half(seen, sides, apart, asks) if seen else None
        for side in sides:
            if side.asks is asks and not (asks and self._mutual):
                continue
            if side.apart is None:
                seen |= side.own
            else:
                steps = side.apart.led_to(finer, own=False)
                seen.update(*map(self._apart.last, steps))
        return _Half(seen, sides, apart, asks) if apart is not None and seen else None

    def _both(self, half: _Half, identity: str, told: _ByTopic, other: str) -> bool:
        """Whether of two in a corner, of which one finds the other, each does."""
        topic = half.sides[0].topic
        if half.asks:
            mine = self._apart.stood_at(half.apart, identity, told[topic])
            theirs = half.apart.led_to(self._apart.finer(other, topic), own=False)
            return any(step in mine for step in theirs)
        audience = self._audience(other)
        side = next(one for one in half.sides if one.asks and one.audience == audience)
        return side.apart is None or any(
            other in self._apart.last(step) for step in side.apart.led_to(told[topic], own=False)
        )
