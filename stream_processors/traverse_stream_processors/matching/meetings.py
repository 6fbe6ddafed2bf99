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


class _Sight:
    """What a record sees where it stands: those that it meets for `sure`, and in corners where its
    own side is told apart those that it may meet."""

    __slots__ = ("halves", "identity", "sure", "told")

    def __init__(self, identity: str, told: _ByTopic) -> None:
        self.identity = identity
        self.told = told
        self.sure: set[str] = set()
        self.halves: list[_Half] = []


_Reached = dict[Side, Sequence[Step]]
_NOWHERE: Final[_Reached] = {}


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
        # What the one that came last sees: it is asked for next.
        self._fresh: _Sight | None = None

    def add(self, identity: str, stands: Sequence[Stand]) -> set[str]:
        """Put a record where it stands; gives the asking ones that meet others now beyond this:
        fewer, never more."""
        disturbed: set[str] = set()
        sight = _Sight(identity, _ByTopic(self._apart.finer, identity))
        for places, topics, asks in stands:
            for place in places if topics else ():
                corners = self._places.get(place)
                if corners is None:
                    corners = self._places[place] = {}
                for topic in topics:
                    sides = corners.get(topic, ())
                    corners[topic] = self._put(sides, topic, sight, disturbed, asks=asks)
        # One that asks and is found in one place may crowd those whom it saw there.
        places = [place for stand in stands for place in stand.places]
        self._fresh = sight if len(set(places)) == len(places) else None
        disturbed.discard(identity)
        return disturbed

    def _put(
        self,
        sides: tuple[Side, ...],
        topic: str,
        sight: _Sight,
        disturbed: set[str],
        *,
        asks: bool,
    ) -> tuple[Side, ...]:
        """Put a record in a corner; gives the sides that are there then."""
        identity, most = sight.identity, self._apart.most
        audience = self._audience(identity)
        reached, stands = _NOWHERE, False
        for side in sides:
            own = side.asks is asks and side.audience == audience
            if own:
                stands = True
                if side.apart is None:
                    side.own.add(identity)
            elif side.asks is asks and not (asks and self._mutual):
                continue
            if side.apart is not None:
                if own or not side.asks:
                    put = self._apart.stand if own else self._apart.look
                    steps = put(side, side.apart, identity, sight.told[topic], disturbed)
                    reached = {**reached, side: steps}
            elif len(side.own) > most[side.asks]:
                self._apart.begin(side, sides, None if own else identity, disturbed)
        if not stands:
            sides = (*sides, Side(audience, topic, identity, asks=asks))
        self._look(sides, topic, sight, reached, asks=asks)
        return sides

    def remove(self, identity: str, stands: Iterable[Stand]) -> set[str]:
        """Take away a record that stands there; gives the asking ones that meet others now beyond
        this."""
        disturbed: set[str] = set()
        self._fresh = None
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
        stands: Sequence[Stand],
        among: Callable[[Set[str]], Iterable[str]] = _all,
    ) -> set[str]:
        """Those that a record which stands there meets; itself too, where it is its own other
        side. `among` gives, of all that it may meet, those of which it is to be known."""
        sight = self._fresh
        if sight is None or sight.identity != identity:
            sight = self._sight(identity, stands)
        sure, halves = sight.sure, sight.halves
        return {
            one
            for one in among(sure.union(*(half.seen for half in halves)) if halves else sure)
            if one in sure
            or any(one in half.seen and self._both(half, sight, one) for half in halves)
        }

    def _sight(self, identity: str, stands: Iterable[Stand]) -> _Sight:
        sight = _Sight(identity, _ByTopic(self._apart.finer, identity))
        for places, topics, asks in stands:
            for place in places:
                corners = self._places.get(place)
                if corners is not None:
                    for topic in topics:
                        sides = corners.get(topic, ())
                        self._look(sides, topic, sight, _NOWHERE, asks=asks)
        return sight

    def _look(
        self, sides: Sequence[Side], topic: str, sight: _Sight, reached: _Reached, *, asks: bool
    ) -> None:
        """Look around in a corner; `reached` are the steps that one is known to come to."""
        both = asks and self._mutual
        for side in sides:
            if side.apart is not None:
                break
        else:
            for side in sides:
                if side.asks is not asks or both:
                    sight.sure |= side.own
            return
        audience = self._audience(sight.identity)
        finer = sight.told[topic]
        mine = next((it for it in sides if it.asks is asks and it.audience == audience), None)
        apart = None if mine is None else mine.apart
        seen = sight.sure if apart is None else set()
        if mine is not None and apart is not None and not asks:
            # Who looks for it is known where it stands.
            steps = reached.get(mine) or apart.led_to(finer, own=True)
            known = self._apart.among_last(steps, sight.identity)
            seen.update(*(step.others for step in known))
        else:
            for side in sides:
                if side.asks is asks and not both:
                    continue
                if side.apart is None:
                    seen |= side.own
                else:
                    looked = None if side is mine else reached.get(side)
                    looked = looked or side.apart.led_to(finer, own=False)
                    seen.update(*map(self._apart.last, looked))
        if apart is not None and seen:
            sight.halves.append(_Half(seen, sides, apart, asks))

    def _both(self, half: _Half, sight: _Sight, other: str) -> bool:
        """Whether of two in a corner, of which one finds the other, each does."""
        topic = half.sides[0].topic
        finer = sight.told[topic]
        if half.asks:
            steps = half.apart.led_to(finer, own=True)
            mine = self._apart.among_last(steps, sight.identity)
            theirs = half.apart.led_to(self._apart.finer(other, topic), own=False)
            return any(step in mine for step in theirs)
        audience = self._audience(other)
        side = next(one for one in half.sides if one.asks and one.audience == audience)
        return side.apart is None or any(
            other in self._apart.last(step) for step in side.apart.led_to(finer, own=False)
        )
