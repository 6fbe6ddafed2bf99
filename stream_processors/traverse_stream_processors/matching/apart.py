"""Apart: how those of a side that is crowded are told apart, step by step. Pure.

Of a side that is found, each step also knows who looks there: to them it is told that others come
between. Of a side that asks nobody needs to know.
"""

from bisect import bisect_left, insort
from collections.abc import Callable, Collection, Iterable, Iterator, Set
from typing import Final

from traverse_stream_processors.matching.sides import NOBODY, Finer, Side, Step

_ASKING: Final = 10
"""So many times more may ask in one place: each meets few, whom others ask too."""


class Apart:
    """Tells the records of sides apart by what is `finer` of each under a topic, down to the last
    step, and there by `rank`. `disturbed` gets the asking ones that meet others than before, beside
    the one that comes or goes: of a side that asks its own, else those that look there."""

    def __init__(
        self,
        finer: Callable[[str, str], Finer],
        rank: Callable[[str], str],
        crowded: int,
        tied: Callable[[str], Set[str]] | None,
        *,
        mutual: bool,
    ) -> None:
        """Where it is `mutual`, those that ask meet one another too. `tied` gives those that ask
        with which one that is found has something to do: nobody else misses it (None: anybody)."""
        self.finer = finer
        self._tied = tied
        self._rank = rank
        self._crowded = crowded
        self._mutual = mutual
        # How many may stand on a side that is found, and on one that asks.
        self.most = (crowded, crowded if mutual else crowded * _ASKING)

    def begin(
        self, side: Side, sides: Iterable[Side], comes: str | None, disturbed: set[str]
    ) -> None:
        """Tell a side that is crowded apart, once somebody is there who meets it: those on other
        sides, and the one that comes to these."""
        mutual = side.asks and self._mutual
        meeting = [other for other in sides if other.asks is not side.asks or mutual]
        if not meeting and comes is None:
            return
        step = side.apart = Step()
        step.own, side.own = side.own, set()
        if not side.asks:
            others = {one for other in meeting for one in other.everybody()}
            step.others = others if comes is None else others | {comes}
        self._split(side, step, (), disturbed)

    def last(self, step: Step) -> Collection[str]:
        """Those of a side that meet others, where one comes to at a step."""
        if step.order is None:
            return step.own
        return [one for _, one in step.order[-self._crowded :]]

    def among_last(self, steps: Iterable[Step], identity: str) -> list[Step]:
        """Of the steps where one of a side stands, those where others meet it."""
        return [step for step in steps if step.order is None or identity in self.last(step)]

    def stand(
        self,
        side: Side,
        step: Step,
        identity: str,
        finer: Finer,
        disturbed: set[str],
        *,
        path: tuple[str, ...] = (),
    ) -> list[Step]:
        """Put one of a side below a step, to which a path leads; gives where it stands then."""
        reached: list[Step] = []
        for at, here, way in _ends(step, finer, path, own=True):
            at.add(identity, own=True)
            if len(at.own) > self.most[side.asks]:
                if not here.below:
                    self._crowd(side, at, identity, disturbed)
                elif side.asks or at.others:
                    self._split(side, at, way, disturbed)
            reached += (at,) if at.finer is None else at.led_to(here, own=True)
        return reached

    def look(
        self,
        side: Side,
        step: Step,
        identity: str,
        finer: Finer,
        disturbed: set[str],
        *,
        path: tuple[str, ...] = (),
    ) -> list[Step]:
        """Know one that asks where it looks for those that are found, below a step; gives where it
        finds them then."""
        reached: list[Step] = []
        for at, here, way in _ends(step, finer, path, own=False):
            at.add(identity, own=False)
            if len(at.own) > self.most[side.asks] and here.below:
                self._split(side, at, way, disturbed)
            reached += (at,) if at.finer is None else at.led_to(here, own=False)
        return reached

    def leave(
        self,
        side: Side,
        step: Step,
        identity: str,
        finer: Finer,
        disturbed: set[str],
        *,
        own: bool,
    ) -> None:
        """Take away one of a side, or one that looks there."""
        if step.finer is None:
            step.discard(identity, own=own)
            if own and step.order is not None:
                self._thin(side, step, step.order, identity, disturbed)
            return
        for name, below in finer.below if own else finer.looks:
            down = step.finer.get(name)
            if down is None:
                continue  # one that asks and is found looks there twice, and has left already
            self.leave(side, down, identity, below, disturbed, own=own)
            if down.empty:
                del step.finer[name]
        step.many -= own
        if step.many <= self.most[side.asks]:
            step.own, step.others = step.everybody(own=True), step.everybody(own=False)
            step.finer = None
            disturbed |= step.own if side.asks else step.others

    def _split(self, side: Side, step: Step, path: tuple[str, ...], disturbed: set[str]) -> None:
        """Tell those of a step apart, to which a path leads."""
        own, others = step.own, step.others
        disturbed |= own if side.asks else self._who_miss(own, others)
        step.own = step.others = NOBODY
        step.finer, step.many = {}, 0
        for one in own:
            finer = _below(self.finer(one, side.topic), path, own=True)
            self.stand(side, step, one, finer, disturbed, path=path)
        for one in others:
            finer = _below(self.finer(one, side.topic), path, own=False)
            self.look(side, step, one, finer, disturbed, path=path)

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
            disturbed |= {out} if side.asks else self._who_miss((out,), step.others)

    def _who_miss(self, those: Iterable[str], others: Set[str]) -> Set[str]:
        """Who of others may have something to do with one of those."""
        if self._tied is None:
            return others
        return {one for it in those for one in self._tied(it) if one in others}

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


def _ends(
    step: Step, finer: Finer, path: tuple[str, ...], *, own: bool
) -> Iterator[tuple[Step, Finer, tuple[str, ...]]]:
    """Where one of a side, or one that looks there, comes to below a step to which a path leads:
    each such step, made where nobody came before, what tells it apart below, and the path there.
    Steps on the way count one of the side more."""
    waiting = [(step, finer, path)]
    while waiting:
        at, here, way = waiting.pop()
        if at.finer is None:
            yield at, here, way
            continue
        at.many += own
        for name, below in here.below if own else here.looks:
            down = at.finer.get(name)
            if down is None:
                down = at.finer[name] = Step()
            waiting.append((down, below, (*way, name)))


def _below(finer: Finer, path: Iterable[str], *, own: bool) -> Finer:
    """What tells a record apart where a path leads."""
    for step in path:
        steps = finer.below if own else finer.looks
        finer = next(below for one, below in steps if one == step)
    return finer
