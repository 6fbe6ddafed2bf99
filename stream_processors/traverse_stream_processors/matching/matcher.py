"""Matcher: told of records one at a time; keeps answers, joint pairs and groupings up to date.

Everything here is a function of the set of facts that it was told (decision 7): a cache in memory,
rebuilt from the log. No I/O, no clock.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from traverse_schemas.grouping import Grouping
from traverse_stream_processors.matching.answers import MOST, Answer, answer
from traverse_stream_processors.matching.bonds import LARGEST, Bonds
from traverse_stream_processors.matching.facts import Facts
from traverse_stream_processors.matching.groupings import age, grouping_of
from traverse_stream_processors.matching.joint import LEAST_SUBJECT, Together, together
from traverse_stream_processors.matching.keys import (
    answer_keys,
    answer_refinements,
    joint_keys,
    joint_refinements,
)
from traverse_stream_processors.matching.layers import BASE, layers_of
from traverse_stream_processors.matching.meetings import CROWDED, Meetings
from traverse_stream_processors.matching.purchases import overlap
from traverse_stream_processors.matching.subject import alike


class Key(NamedTuple):
    """A grouping by its layer and its earliest member."""

    layer: str
    earliest: str


class Matcher:
    """Facts of the records that take part, and what they come to."""

    def __init__(self, model: str = "", crowded: int = CROWDED, largest: int = LARGEST) -> None:
        self._model = model
        self._facts: dict[str, Facts] = {}
        self._of_answers = Meetings(crowded)
        self._of_purchases = Meetings(crowded)
        self._answers: dict[str, dict[str, Answer]] = {}
        self._answered: dict[str, set[str]] = {}
        self._bonds = Bonds(self._facts, largest)
        self._groupings: dict[Key, tuple[str, ...]] = {}
        self._grouped: dict[str, dict[str, Key]] = {}
        self._changed_answers: set[tuple[str, str]] = set()
        self._changed_bonds: set[tuple[str, str]] = set()
        self._changed_groupings: set[Key] = set()

    def __len__(self) -> int:
        """How many records take part."""
        return len(self._facts)

    def get(self, identity: str) -> Facts | None:
        """The facts of a record that takes part."""
        return self._facts.get(identity)

    def put(self, identity: str, facts: Facts | None) -> set[str]:
        """Know a record by these facts (None: it takes no part). Gives the ids whose links may
        have changed."""
        known = self._facts.get(identity)
        if known is None and facts is None:
            return set()
        if known == facts:
            return set()
        touched = {identity}
        before = self._near([identity]) if known is not None else set()
        answer_again, joint_again = self._leave(known) if known is not None else (set(), set())
        gone_bonds = self._bonds.untie(identity)
        touched |= gone_bonds.keys() | self._forget_answers(identity)
        if facts is None:
            del self._facts[identity]
        else:
            self._facts[identity] = facts
            self._enter(facts, answer_again, joint_again)
        for one in sorted(answer_again):
            touched |= self._answer_anew(one)
        if facts is not None:
            touched |= self._answer_anew(identity)
        seeds = set(before)
        for one in sorted(joint_again):
            touched |= self._bond_anew(one, seeds)
        for pair in gone_bonds:
            self._changed_bonds.add(_ordered(identity, pair))
        if facts is not None:
            touched |= self._bond_anew(identity, seeds, before_known=True)
        if seeds or gone_bonds:
            self._regroup(seeds | gone_bonds.keys() | {identity})
        return touched

    def answers_to(self, need: str, *, public_only: bool = False) -> list[tuple[str, Answer]]:
        """The best answers to a need, by the ids of what answers, ties by id; of public ones only
        when so asked."""
        found = self._answers.get(need, {})
        ranked = sorted(found.items(), key=lambda item: (-item[1].score, item[0]))
        if public_only:
            ranked = [one for one in ranked if self._facts[one[0]].audience == "public"]
        return ranked[:MOST]

    def chosen(self, need: str) -> dict[str, Answer]:
        """The answers that are proposed: the best of the public ones, and the best of all, so that
        what few may read takes no place from what all may."""
        return dict([*self.answers_to(need, public_only=True), *self.answers_to(need)])

    def answered_by(self, offer: str) -> Iterator[tuple[str, Answer]]:
        """The needs to which something is proposed as an answer, in order of their ids."""
        for need in sorted(self._answered.get(offer, ())):
            found = self.chosen(need).get(offer)
            if found is not None:
                yield need, found

    def joint_with(self, identity: str) -> Mapping[str, Together]:
        """What a purchase could be made with, by id."""
        return self._bonds.of(identity)

    def every_answer(self) -> Iterator[tuple[str, str, Answer]]:
        """Every need with what is proposed to it."""
        for need in self._answers:
            for offer, found in self.chosen(need).items():
                yield need, offer, found

    def every_bond(self) -> Iterator[tuple[str, str, Together]]:
        """Every joint pair, the lesser id first."""
        return self._bonds.every()

    def every_grouping(self) -> Iterator[Key]:
        return iter(self._groupings)

    def grouping(self, key: Key) -> Grouping | None:
        """What a grouping says; None when there is none any more."""
        members = self._groupings.get(key)
        if members is None:
            return None
        bonds = {
            (left, right): bond
            for left in members
            for right, bond in self._bonds.of(left).items()
            if left < right and right in members
        }
        return grouping_of(key.layer, [self._facts[one] for one in members], bonds, self._model)

    def changed(self) -> tuple[set[tuple[str, str]], set[tuple[str, str]], set[Key]]:
        """(need, offer) pairs, joint pairs (lesser id first) and groupings that may have changed
        since this was last asked."""
        found = (self._changed_answers, self._changed_bonds, self._changed_groupings)
        self._changed_answers, self._changed_bonds, self._changed_groupings = set(), set(), set()
        return found

    def _leave(self, known: Facts) -> tuple[set[str], set[str]]:
        return (
            self._of_answers.remove(known.id, answer_keys(known)),
            self._of_purchases.remove(known.id, joint_keys(known)),
        )

    def _enter(self, facts: Facts, answer_again: set[str], joint_again: set[str]) -> None:
        keys = answer_keys(facts)
        if keys:
            answer_again |= self._of_answers.add(
                facts.id, keys, answer_refinements(facts), asks=facts.asks
            )
        if facts.purchase is not None:
            joint_again |= self._of_purchases.add(
                facts.id, joint_keys(facts), joint_refinements(facts), asks=_said(facts)
            )

    def _may_answer(self, facts: Facts) -> list[Facts]:
        """Those that a record meets: for a need what may answer it, and other firms' needs."""
        keys, refinements = answer_keys(facts), answer_refinements(facts)
        met: set[str] = set()
        if facts.asks:
            met |= self._of_answers.found(keys, refinements)
        if not facts.asks or facts.seeks is not None:
            met |= self._of_answers.asking(keys, refinements)
        met.discard(facts.id)
        return [self._facts[one] for one in met]

    def _may_join(self, facts: Facts) -> list[Facts]:
        """The purchases that one meets; two ends of contracts do not."""
        keys, refinements = joint_keys(facts), joint_refinements(facts)
        met = self._of_purchases.asking(keys, refinements)
        if _said(facts):
            met |= self._of_purchases.found(keys, refinements)
        met.discard(facts.id)
        return [self._facts[one] for one in met]

    def _forget_answers(self, identity: str) -> set[str]:
        """Take away all answers that a record gives or gets; gives those on the other side."""
        touched = set(self._answers.get(identity, ()))
        for offer in touched:
            self._changed_answers.add((identity, offer))
            self._drop_answered(offer, identity)
        self._answers.pop(identity, None)
        for need in self._answered.pop(identity, set()):
            before = self.chosen(need).keys()
            del self._answers[need][identity]
            if not self._answers[need]:
                del self._answers[need]
            self._tell(need, before ^ self.chosen(need).keys(), touched)
            touched.add(need)
            self._changed_answers.add((need, identity))
        return touched

    def _drop_answered(self, offer: str, need: str) -> None:
        needs = self._answered[offer]
        needs.discard(need)
        if not needs:
            del self._answered[offer]

    def _answer_anew(self, identity: str) -> set[str]:
        """Judge a record against its candidates, as need and as offer."""
        touched = self._forget_answers(identity)
        facts = self._facts[identity]
        for other in self._may_answer(facts):
            for need, offer in ((facts, other), (other, facts)):
                if not need.asks or not (offer.offers or offer.asks):
                    continue
                found = answer(need, offer)
                if found is None:
                    continue
                before = self.chosen(need.id).keys() if need is other else set()
                self._answers.setdefault(need.id, {})[offer.id] = found
                self._answered.setdefault(offer.id, set()).add(need.id)
                self._tell(need.id, before ^ self.chosen(need.id).keys(), touched)
        return touched

    def _tell(self, need: str, offers: Iterable[str], touched: set[str]) -> None:
        for offer in offers:
            self._changed_answers.add((need, offer))
            touched |= {need, offer}

    def _bond_anew(self, identity: str, seeds: set[str], *, before_known: bool = False) -> set[str]:
        """Judge a purchase against its candidates; `seeds` gets what may have to be regrouped."""
        if not before_known:
            seeds |= self._near([identity])
        touched = set()
        for other in self._bonds.untie(identity):
            self._changed_bonds.add(_ordered(identity, other))
            touched.add(other)
        facts = self._facts[identity]
        if facts.purchase is None:
            return touched
        found = [
            (other.id, bond)
            for other in self._may_join(facts)
            if (bond := together(facts, other)) is not None
        ]
        # As they stand without it: it may make a component too large.
        seeds |= self._near(other_id for other_id, _ in found)
        for other_id, bond in found:
            self._bonds.tie(identity, other_id, bond)
            self._changed_bonds.add(_ordered(identity, other_id))
            touched.add(other_id)
        return touched

    def _near(self, identities: Iterable[str]) -> set[str]:
        """All that are in a component with one of these, in any layer, where it is not too
        large."""
        found: set[str] = set()
        seen: set[tuple[str, str]] = set()
        for identity in identities:
            found.add(identity)
            for layer in self._layers(identity):
                if (layer, identity) in seen:
                    continue
                reached = self._bonds.reach(identity, layer, 0)
                seen |= {(layer, one) for one in reached}
                if len(reached) <= self._bonds.largest:
                    found |= reached
        return found

    def _layers(self, identity: str) -> set[str]:
        """The layers that a record has to do with: its own, and those of restricted records beside
        it."""
        facts = self._facts.get(identity)
        if facts is None:
            return set()
        layers = set(layers_of(facts.audience))
        if facts.audience == "public":
            for other in self._bonds.of(identity):
                layers.update(layers_of(self._facts[other].audience))
        return layers

    def _regroup(self, seeds: set[str]) -> None:
        """Form anew every grouping that one of these is, or was, in."""
        waiting = set(seeds)
        done: set[tuple[str, str]] = set()
        # What the public sees is most often what all layers hold.
        known: dict[tuple[frozenset[str], int], list[tuple[str, ...]]] = {}
        while waiting:
            identity = waiting.pop()
            layers = self._layers(identity) | self._grouped.get(identity, {}).keys()
            for layer in sorted(layers):
                if (layer, identity) in done:
                    continue
                if identity in self._facts and layer in self._layers(identity):
                    members, step = self._bonds.component(identity, layer)
                else:
                    members, step = {identity}, 0
                done |= {(layer, one) for one in members}
                former = {key for one in members if (key := self._grouped.get(one, {}).get(layer))}
                for key in former:
                    left = set(self._groupings[key]) - members
                    waiting |= {one for one in left if (layer, one) not in done}
                    self._disband(key)
                if len(members) > 1:
                    same = (frozenset(members), step)
                    if same not in known:
                        known[same] = self._bonds.clusters(members, step, self._fits)
                    for cluster in known[same]:
                        self._found(layer, cluster)

    def _fits(self, left: str, right: str) -> bool:
        """Whether two purchases may be in one grouping: joint; or of one owner, for the same thing
        at a time in common."""
        if right in self._bonds.of(left):
            return True
        mine, theirs = self._facts[left], self._facts[right]
        if mine.owner != theirs.owner or mine.purchase is None or theirs.purchase is None:
            return False
        same_time = overlap(mine.purchase, theirs.purchase) is not None
        return same_time and alike(mine, theirs).score >= LEAST_SUBJECT

    def _disband(self, key: Key) -> None:
        for one in self._groupings.pop(key):
            layers = self._grouped[one]
            del layers[key.layer]
            if not layers:
                del self._grouped[one]
        self._changed_groupings.add(key)

    def _found(self, layer: str, members: tuple[str, ...]) -> None:
        if all(self._facts[one].audience != layer for one in members) and layer not in BASE:
            return  # of public ones alone: it stands in the layers that all read
        key = Key(layer, min((self._facts[one] for one in members), key=age).id)
        self._groupings[key] = members
        for one in members:
            self._grouped.setdefault(one, {})[layer] = key
        self._changed_groupings.add(key)


def _said(facts: Facts) -> bool:
    """Whether somebody said that they will buy: the end of a contract is a guess."""
    return facts.purchase is not None and not facts.purchase.renewal


def _ordered(one: str, other: str) -> tuple[str, str]:
    return (one, other) if one < other else (other, one)
