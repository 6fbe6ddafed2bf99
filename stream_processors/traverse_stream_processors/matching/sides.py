"""Sides: those of one audience that ask at a corner, or that are found there, and the steps by
which they are told apart where they are many. Pure."""

from collections.abc import Sequence, Set
from typing import Final, Protocol

NOBODY: Final[Set[str]] = frozenset()


class Finer(Protocol):
    """What tells a record apart, the coarsest first: each step with those below it, or nothing. All
    records have as many steps, and one at least."""

    @property
    def below(self) -> Sequence[tuple[str, "Finer"]]: ...

    @property
    def looks(self) -> Sequence[tuple[str, "Finer"]]:
        """Where it looks for others, mostly where it stands itself."""
        ...


class Step:
    """Those of a side and, where they are found, of `others` those that look there. Where it is
    crowded, `finer` are those one step down and `many` how many of the side there are in all:
    nobody is held at every step of the way. Where nothing tells them apart any more, `order` are
    those of the side by rank.
    """

    __slots__ = ("finer", "many", "order", "others", "own")

    def __init__(self) -> None:
        # A set once somebody stands there.
        self.own: Set[str] = NOBODY
        self.others: Set[str] = NOBODY
        self.finer: dict[str, Step] | None = None
        self.many = 0
        self.order: list[tuple[str, str]] | None = None

    @property
    def empty(self) -> bool:
        return not self.own and not self.others and not self.finer

    def add(self, identity: str, *, own: bool) -> None:
        those = self.own if own else self.others
        if isinstance(those, set):
            those.add(identity)
        elif own:
            self.own = {identity}
        else:
            self.others = {identity}

    def discard(self, identity: str, *, own: bool) -> None:
        those = self.own if own else self.others
        if isinstance(those, set):
            those.discard(identity)

    def everybody(self, *, own: bool) -> set[str]:
        """Of the side, or of the others, here and at all steps below."""
        found = set(self.own if own else self.others)
        for below in (self.finer or {}).values():
            found |= below.everybody(own=own)
        return found

    def led_to(self, finer: Finer, *, own: bool) -> list["Step"]:
        """Where these steps lead one of the side or one that looks there, as far down as it is told
        apart."""
        found: list[Step] = []
        waiting = [(self, finer)]
        while waiting:
            step, here = waiting.pop()
            if step.finer is None:
                found.append(step)
                continue
            for name, below in here.below if own else here.looks:
                if (down := step.finer.get(name)) is not None:
                    waiting.append((down, below))
        return found


class Side:
    """Those of one audience that ask in a corner, or that are found there: `own`, or the steps by
    which they are told `apart`. Most corners have one side and few on it."""

    __slots__ = ("apart", "asks", "audience", "own", "topic")

    def __init__(self, audience: str, topic: str, first: str, *, asks: bool) -> None:
        self.audience = audience
        self.topic = topic
        self.asks = asks
        self.own = {first}
        self.apart: Step | None = None

    def everybody(self) -> set[str]:
        return self.own if self.apart is None else self.apart.everybody(own=True)
