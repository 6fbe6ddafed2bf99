"""Matcher: told of records and of people's words; keeps answers, joint pairs and groupings up to
date.

Everything here is a function of the set of facts and words that it was told (decision 7): a cache
in memory, rebuilt from the log. No I/O, no clock.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence, Set
from typing import Final

from traverse_schemas.decisions import Decision, DecisionKind
from traverse_schemas.grouping import Grouping, readable
from traverse_stream_processors.linking.decisions import Saying
from traverse_stream_processors.matching.answer_book import AnswerBook
from traverse_stream_processors.matching.answers import Answer, answer
from traverse_stream_processors.matching.bonds import LARGEST, Bonds
from traverse_stream_processors.matching.facts import Facts
from traverse_stream_processors.matching.groupings import Standing, grouping_of
from traverse_stream_processors.matching.groups import Groups, Key
from traverse_stream_processors.matching.joint import Together, bond, partners
from traverse_stream_processors.matching.keys import (
    answer_stands,
    by_subject,
    by_subject_and_time,
    joint_stands,
    rank_of_answer,
    rank_of_purchase,
    told_apart_alike,
)
from traverse_stream_processors.matching.layers import narrowest
from traverse_stream_processors.matching.meetings import CROWDED, Meetings, Stand
from traverse_stream_processors.matching.words import (
    CONFIRMED,
    DISMISSED,
    PROPOSED,
    GroupingWords,
    LinkWords,
)

_MOST_AFTER: Final = 8
"""Of a grouping, so many days on which records expire are looked ahead: from the next on, nothing
is left of it until something is told of it."""

_Stands = tuple[Stand, ...]


class Matcher:
    """Facts of the records that take part, what people say of them, and what they come to."""

    def __init__(self, model: str = "", crowded: int = CROWDED, largest: int = LARGEST) -> None:
        self._model = model
        self._facts: dict[str, Facts] = {}
        facts = self._facts
        self._of_answers = Meetings(
            lambda one: facts[one].audience,
            lambda one, topic: by_subject(facts[one], topic),
            lambda one: rank_of_answer(facts[one]),
            crowded,
        )
        self._of_purchases = Meetings(
            lambda one: facts[one].audience,
            lambda one, topic: by_subject_and_time(facts[one], topic),
            lambda one: rank_of_purchase(facts[one]),
            crowded,
            mutual=True,
        )
        self._link_words = LinkWords()
        self._grouping_words = GroupingWords()
        self._answers = AnswerBook()
        self._bonds = Bonds(self._facts, self._grouping_words.records, self._is_out, largest)
        self._groups = Groups(self._facts, self._bonds, self._grouping_words)
        self._changed_bonds: set[tuple[str, str]] = set()
        self._last: tuple[Facts | None, _Stands, _Stands] = (None, (), ())

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
        if known == facts:
            return set()
        # Whose word counts of it is known by its facts, and shows with whatever was named with it.
        touched = {identity, *self._link_words.partners(identity)}
        seeds: set[str] = set()
        answer_again: set[str] = set()
        joint_again: set[str] = set()
        gone_bonds: set[str] = set()
        answer_less: set[str] = set()
        joint_less: set[str] = set()
        # Who is told otherwise and stands where it stood changes nothing between others.
        stays = known is not None and facts is not None and self._stays(known, facts)
        if known is not None:
            seeds |= self._seeds([identity])
            answer_again, joint_again = (set(), set()) if stays else self._leave(known)
            gone_bonds = self._untie(identity)
            touched |= gone_bonds | self._answers.drop(identity)
        if facts is None:
            del self._facts[identity]
        else:
            self._facts[identity] = facts
            answer_less, joint_less = (set(), set()) if stays else self._enter(facts)
            touched |= self._answer_anew(facts)
        for one in sorted(answer_again):
            touched |= self._answers.drop(one) | self._answer_anew(self._facts[one])
        # Whoever comes makes others meet fewer, never more: what they are to one another stays.
        for one in sorted(answer_less - answer_again):
            if self._answers.knows(one):
                touched |= self._answers.keep(one, self._may_answer(self._facts[one]))
        for one in sorted(joint_again):
            touched |= self._bond_anew(one, seeds)
        for one in sorted(joint_less - joint_again):
            touched |= self._part(one, seeds)
        if facts is not None:
            touched |= self._tie(facts, seeds)
        if seeds or gone_bonds or self._grouping_words.speaks_of(identity):
            # What is said of a record shows in the grouping that it is not in, too.
            fellows = self._grouping_words.fellows(identity)
            dirty = {identity, *joint_again, *joint_less, *fellows}
            self._groups.regroup(seeds | gone_bonds | {identity}, dirty)
        return touched

    def decide(self, decision: Decision, kind: DecisionKind) -> set[str]:
        """Know what people say; gives the ids whose links may have changed. A word on a grouping
        changes no link of its own."""
        if kind is DecisionKind.GROUPING:
            return self._decide_grouping(decision)
        touched: set[str] = set()
        seeds: set[str] = set()
        pair = self._link_words.put(decision)
        for one in sorted(pair):
            facts = self._facts.get(one)
            if facts is not None:
                touched |= {one} | self._answers.drop(one) | self._answer_anew(facts)
                if facts.purchase is not None:
                    touched |= self._bond_anew(one, seeds)
        if seeds:
            self._groups.regroup(seeds, pair)
        return touched

    def _decide_grouping(self, decision: Decision) -> set[str]:
        """Whoever was named together, before and after, may stand otherwise now."""
        concerned = set(decision["records"])
        seeds = self._seeds(concerned)
        for one in sorted(self._grouping_words.put(decision)):
            concerned.add(one)
            seeds |= self._seeds([one])
        touched: set[str] = set()
        for one in sorted(concerned):
            facts = self._facts.get(one)
            if facts is not None and facts.purchase is not None:
                touched |= {one} | self._bond_anew(one, seeds)
        self._groups.regroup(seeds, seeds)
        return touched

    def chosen(self, need: str) -> Mapping[str, Answer]:
        """The answers that are proposed to a need, or confirmed, by the ids of what answers."""
        return self._answers.chosen(need)

    def answer(self, need: str, offer: str) -> Answer | None:
        """An answer that is proposed, confirmed or dismissed."""
        found = self._answers.chosen(need).get(offer)
        if found is not None:
            return found
        judged = self._answers.get(need, offer)
        return judged if judged is not None and judged.state != PROPOSED else None

    def spoken_with(self, identity: str) -> Set[str]:
        """The records of which people said something together with this one; mostly none."""
        return self._link_words.partners(identity)

    def sayings(self, identity: str, other: str) -> list[Saying]:
        """What counts of what people said of two records; nothing where one takes no part."""
        mine, theirs = self._facts.get(identity), self._facts.get(other)
        return [] if mine is None or theirs is None else self._link_words.sayings(mine, theirs)

    def dismissed(self, need: str, offer: str) -> Answer | None:
        """An answer that people dismissed."""
        found = self._answers.get(need, offer)
        return found if found is not None and found.state == DISMISSED else None

    def answered_by(self, offer: str) -> Iterator[tuple[str, Answer]]:
        """The needs to which something is proposed as an answer, in order of their ids."""
        return self._answers.to(offer)

    def joint_with(self, identity: str) -> Mapping[str, Together]:
        """What a purchase could be made with, by id; what was dismissed too."""
        return self._bonds.of(identity)

    def every_answer(self) -> Iterator[tuple[str, str, Answer]]:
        """Every need with what is proposed to it, or was dismissed."""
        return self._answers.every()

    def every_bond(self) -> Iterator[tuple[str, str, Together]]:
        """Every joint pair, the lesser id first."""
        return self._bonds.every()

    def every_grouping(self) -> Iterator[Key]:
        return iter(self._groups)

    def successors(self, layer: str, members: Iterable[str]) -> list[Key]:
        """The groupings in which these records are now, that of most of them first."""
        return self._groups.successors(layer, members)

    def grouped(self, key: Key) -> Sequence[str]:
        """The records of a grouping; none when there is none any more."""
        return self._groups.members(key) or ()

    def placed(self) -> Set[str]:
        """The records that are known to be in opportunities of several."""
        return self._answers.placed()

    def place(self, identity: str, head: str | None) -> set[str]:
        """Know the opportunity of a record by its head, None where it is alone in it; gives the ids
        whose links may have changed."""
        return self._answers.place(identity, head)

    def moved(self, identities: Iterable[str]) -> None:
        """These records are in other opportunities now: their groupings may count otherwise."""
        self._groups.note(identities)

    def grouping(self, key: Key, head_of: Callable[[str], str] = str) -> Grouping | None:
        """What a grouping says; None when there is none any more. `head_of` gives the opportunity
        of a record: those of one count once."""
        members = self._groups.members(key)
        if members is None:
            return None
        return self._grouping(key, members, head_of, _MOST_AFTER)

    def _grouping(
        self, key: Key, members: Collection[str], head_of: Callable[[str], str], most_after: int
    ) -> Grouping | None:
        """What a grouping of these members says, and what it is, so many times at most, after each
        day on which some of them expire."""
        bonds = {
            (left, right): tie
            for left in members
            for right, tie in self._bonds.of(left).items()
            if left < right and right in members
        }
        facts = [self._facts[one] for one in members]
        found = grouping_of(
            key, facts, bonds, self._standing(key, facts), self._model, head_of=head_of
        )
        days = [one.expires for one in facts if one.expires]
        if found is not None and days:
            found["expires"] = min(days)
            left = [one.id for one in facts if one.expires != found["expires"]]
            after = self._grouping(key, left, head_of, most_after - 1) if most_after else None
            if after is not None:
                found["after"] = after
        return found

    def changed(
        self,
    ) -> tuple[set[tuple[str, str]], set[tuple[str, str]], dict[Key, tuple[str, ...]]]:
        """(need, offer) pairs, joint pairs (lesser id first) and groupings, with who was in them,
        that may have changed since this was last asked."""
        bonds, self._changed_bonds = self._changed_bonds, set()
        return self._answers.changed(), bonds, self._groups.changed()

    def _standing(self, key: Key, members: Iterable[Facts]) -> Standing:
        """What counts of what was said of a grouping; who declined shows to who may read both."""
        words = self._grouping_words
        declined = [
            facts
            for facts in self._known(words.refusing(key.anchor))
            if readable(key.layer, facts.audience) and words.is_out(facts, key.layer)
        ]
        said = {one.id: words.of(one, key.layer) for one in members if words.speaks_of(one.id)}
        return Standing(said, declined)

    def _is_out(self, identity: str, layer: str) -> bool:
        return self._grouping_words.is_out(self._facts[identity], layer)

    def _seeds(self, identities: Iterable[str]) -> set[str]:
        """What may have to be grouped anew when these change: all beside them, and all that is
        named together with them."""
        named = {it for one in identities for it in (one, *self._grouping_words.fellows(one))}
        return self._groups.near(named)

    def _stands(self, facts: Facts) -> tuple[_Stands, _Stands]:
        """Where a record stands to answer or be answered, and to be bought with: asked several
        times in turn of the one that comes."""
        if self._last[0] is not facts:
            self._last = (facts, answer_stands(facts), joint_stands(facts))
        return self._last[1], self._last[2]

    def _stays(self, known: Facts, facts: Facts) -> bool:
        """Whether a record stands where it stood, and comes there by what it came by."""
        return told_apart_alike(known, facts) and self._stands(known) == self._stands(facts)

    def _leave(self, known: Facts) -> tuple[set[str], set[str]]:
        answers, joint = self._stands(known)
        return (
            self._of_answers.remove(known.id, answers),
            self._of_purchases.remove(known.id, joint),
        )

    def _enter(self, facts: Facts) -> tuple[set[str], set[str]]:
        """Put a record where it meets others; gives those that meet fewer others now, to answer or
        to be bought with."""
        answers, joint = self._stands(facts)
        return self._of_answers.add(facts.id, answers), self._of_purchases.add(facts.id, joint)

    def _may_answer(self, facts: Facts) -> set[str]:
        """Those that may answer a record, or that it may answer; and those of which people said
        something together with it."""
        met = self._of_answers.met(facts.id, self._stands(facts)[0])
        met |= self._link_words.partners(facts.id)
        met.discard(facts.id)
        return met

    def _may_join(self, facts: Facts) -> set[str]:
        """The purchases that one meets; two ends of contracts mostly do not."""
        met = self._of_purchases.met(facts.id, self._stands(facts)[1])
        met |= self._said_with(facts.id)
        met.discard(facts.id)
        return met

    def _said_with(self, identity: str) -> Set[str]:
        """The purchases of which people said something together with one, or in one grouping."""
        partners = self._link_words.partners(identity)
        if not self._grouping_words.records:
            return partners
        return partners | self._grouping_words.fellows(identity)

    def _known(self, identities: Iterable[str]) -> Iterator[Facts]:
        return (facts for one in identities if (facts := self._facts.get(one)) is not None)

    def _answer_anew(self, facts: Facts) -> set[str]:
        """Judge a record of which no answer is known against its candidates, as need and as
        offer."""
        touched: set[str] = set()
        if not (facts.asks or facts.offers):
            return touched
        spoken = self._link_words.partners(facts.id)
        firm = facts.seeks is not None
        found: dict[str, Answer] = {}
        for other in self._known(self._may_answer(facts)):
            said = other.id in spoken
            # A need answers another only where both are of firms, or people say so.
            needs = facts.asks and other.asks and (said or (firm and other.seeks is not None))
            if needs or (facts.asks and other.offers):
                given = self._judge(facts, other, said=said)
                if given is not None:
                    found[other.id] = given
            if needs or (other.asks and facts.offers):
                given = self._judge(other, facts, said=said)
                if given is not None:
                    touched |= self._answers.put(other.id, facts.id, given)
        return touched | self._answers.put_all(facts.id, found)

    def _judge(self, need: Facts, offer: Facts, *, said: bool) -> Answer | None:
        state = self._link_words.of_answer(need, offer) if said else PROPOSED
        return answer(need, offer, state)

    def _bond_anew(self, identity: str, seeds: set[str]) -> set[str]:
        """Judge a purchase again; `seeds` gets what may have to be regrouped."""
        seeds |= self._groups.near([identity])
        return self._untie(identity) | self._tie(self._facts[identity], seeds)

    def _part(self, identity: str, seeds: set[str]) -> set[str]:
        """End the bonds of a purchase with those that it does not meet any more."""
        if not self._bonds.of(identity):
            return set()
        lost = self._bonds.of(identity).keys() - self._may_join(self._facts[identity])
        if lost:
            seeds |= self._groups.near([identity])
        for other in lost:
            self._bonds.part(identity, other)
            self._changed_bonds.add(_ordered(identity, other))
        return {identity, *lost} if lost else set()

    def _untie(self, identity: str) -> set[str]:
        gone = self._bonds.untie(identity).keys()
        self._changed_bonds |= {_ordered(identity, other) for other in gone}
        return set(gone)

    def _tie(self, facts: Facts, seeds: set[str]) -> set[str]:
        """Judge a purchase that has no bonds; `seeds` gets what may have to be regrouped."""
        if facts.purchase is None:
            return set()
        spoken = self._said_with(facts.id)
        found = []
        met = map(self._facts.get, self._may_join(facts))
        for theirs in partners(facts, met):
            state = self._state_of_joint(facts, theirs) if theirs.id in spoken else PROPOSED
            tie = bond(facts, theirs, state)
            if tie is not None:
                found.append((theirs.id, tie))
        if not found:
            return set()
        # As they stand without it: it may make a component too large.
        seeds |= self._groups.near(other for other, _ in found)
        for other, tie in found:
            self._bonds.tie(facts.id, other, tie)
            self._changed_bonds.add(_ordered(facts.id, other))
        return {other for other, _ in found}

    def _state_of_joint(self, left: Facts, right: Facts) -> str:
        """What people say of two purchases; who is interested in one grouping confirms it, where
        all that may read both purchases may read of that grouping."""
        words = self._grouping_words
        state = self._link_words.of_joint(left, right)
        if state == PROPOSED:
            layer = narrowest(left.audience, right.audience)
            if words.anchors(left, layer) & words.anchors(right, layer):
                return CONFIRMED
        return state


def _ordered(one: str, other: str) -> tuple[str, str]:
    return (one, other) if one < other else (other, one)
