"""Joining: which purchases could be made together, kept up to date as records come and go. Pure.

Whatever people said something of is judged, wherever it stands.
"""

from collections.abc import Mapping, Set

from traverse_stream_processors.matching.bonds import Bonds
from traverse_stream_processors.matching.calendar import Calendar
from traverse_stream_processors.matching.facts import Facts
from traverse_stream_processors.matching.groups import Groups
from traverse_stream_processors.matching.joint import Together, bond, partners
from traverse_stream_processors.matching.keys import (
    LastStands,
    by_subject_and_time,
    joint_stands,
    rank_of_purchase,
)
from traverse_stream_processors.matching.layers import narrowest
from traverse_stream_processors.matching.meetings import Meetings
from traverse_stream_processors.matching.words import (
    CONFIRMED,
    PROPOSED,
    GroupingWords,
    LinkWords,
)


class Joining:
    """Purchases, by `facts` that its owner keeps, and their `bonds`; `stands` tells where
    one stands. `seeds` gets what may have to be grouped anew."""

    def __init__(
        self,
        facts: Mapping[str, Facts],
        bonds: Bonds,
        groups: Groups,
        words: LinkWords,
        grouping_words: GroupingWords,
        *,
        crowded: int,
    ) -> None:
        self._facts = facts
        self._bonds = bonds
        self._groups = groups
        self._words = words
        self._grouping_words = grouping_words
        self._meetings = Meetings(
            lambda one: facts[one].audience,
            lambda one, topic: by_subject_and_time(facts[one], topic),
            lambda one: rank_of_purchase(facts[one]),
            crowded,
            lambda one: bonds.of(one).keys(),
            mutual=True,
        )
        self._calendar = Calendar()
        self._changed: set[tuple[str, str]] = set()
        self.stands = LastStands(joint_stands)

    def changed(self) -> set[tuple[str, str]]:
        """The pairs that may have changed since this was last asked, the lesser id first."""
        found, self._changed = self._changed, set()
        return found

    def leave(self, known: Facts) -> set[str]:
        """Take a purchase from where it stands; gives those that meet others now."""
        if known.purchase is not None:
            self._calendar.drop(known.id, known.purchase)
        return self._meetings.remove(known.id, self.stands(known))

    def enter(self, facts: Facts) -> set[str]:
        """Put a purchase where it stands; gives those that meet fewer others now."""
        if facts.purchase is not None:
            self._calendar.put(facts.id, facts.purchase)
        return self._meetings.add(facts.id, self.stands(facts))

    def again(self, identity: str, seeds: set[str]) -> set[str]:
        """Judge a purchase again; gives the ids whose links may have changed."""
        seeds |= self._groups.near([identity])
        return self.untie(identity) | self.tie(self._facts[identity], seeds)

    def untie(self, identity: str) -> set[str]:
        """End the bonds of a record; gives those it had them with."""
        gone = self._bonds.untie(identity).keys()
        self._changed |= {_ordered(identity, other) for other in gone}
        return set(gone)

    def tie(self, facts: Facts, seeds: set[str]) -> set[str]:
        """Judge a purchase that has no bonds; gives those it has them with now."""
        purchase = facts.purchase
        if purchase is None:
            return set()
        spoken = self._said_with(facts.id)
        found: dict[str, Together] = {}

        def judged(those: Set[str]) -> Set[str]:
            near = self._calendar.beside(purchase, those)
            for theirs in partners(facts, map(self._facts.get, near)):
                state = self._state(facts, theirs) if theirs.id in spoken else PROPOSED
                tie = bond(facts, theirs, state)
                if tie is not None:
                    found[theirs.id] = tie
            return found.keys()

        met = self._meetings.met(facts.id, self.stands(facts), judged)
        if spoken:
            judged(spoken)
            met |= spoken
        tied = found.keys() & met
        if not tied:
            return set()
        # As they stand without it: it may make a component too large.
        seeds |= self._groups.near(tied)
        for other in tied:
            self._bonds.tie(facts.id, other, found[other])
            self._changed.add(_ordered(facts.id, other))
        return tied

    def part(self, identity: str, seeds: set[str]) -> set[str]:
        """End the bonds of a purchase with those that it does not meet any more; gives the ids
        whose links changed."""
        joint = self._bonds.of(identity).keys()
        if not joint:
            return set()
        stands = self.stands(self._facts[identity])
        met = self._meetings.met(identity, stands, lambda seen: joint & seen)
        lost = joint - met - self._said_with(identity)
        if lost:
            seeds |= self._groups.near([identity])
        for other in lost:
            self._bonds.part(identity, other)
            self._changed.add(_ordered(identity, other))
        return {identity, *lost} if lost else set()

    def _said_with(self, identity: str) -> Set[str]:
        """The purchases of which people said something together with one, or in one grouping."""
        partners = self._words.partners(identity)
        if not self._grouping_words.records:
            return partners
        return partners | self._grouping_words.fellows(identity)

    def _state(self, left: Facts, right: Facts) -> str:
        """What people say of two purchases; who is interested in one grouping confirms it, where
        all that may read both purchases may read of that grouping."""
        words = self._grouping_words
        state = self._words.of_joint(left, right)
        if state == PROPOSED:
            layer = narrowest(left.audience, right.audience)
            if words.anchors(left, layer) & words.anchors(right, layer):
                return CONFIRMED
        return state


def _ordered(one: str, other: str) -> tuple[str, str]:
    return (one, other) if one < other else (other, one)
