"""Matcher: told of records and of people's words; keeps answers, joint pairs and groupings up to
date.

Everything here is a function of the set of facts and words that it was told (decision 7): a cache
in memory, rebuilt from the log. No I/O, no clock.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence, Set
from typing import Final

from traverse_schemas.decisions import Decision, DecisionKind
from traverse_schemas.documents.grouping import Grouping, readable
from traverse_stream_processors.linking.decisions import Saying
from traverse_stream_processors.matching.answering import Answering
from traverse_stream_processors.matching.answers import Answer
from traverse_stream_processors.matching.bonds import LARGEST, Bonds
from traverse_stream_processors.matching.facts import Facts
from traverse_stream_processors.matching.groupings import Standing, grouping_of
from traverse_stream_processors.matching.groups import Groups, Key
from traverse_stream_processors.matching.joining import Joining
from traverse_stream_processors.matching.joint import Together
from traverse_stream_processors.matching.keys import told_apart_alike
from traverse_stream_processors.matching.meetings import CROWDED
from traverse_stream_processors.matching.words import (
    DISMISSED,
    PROPOSED,
    GroupingWords,
    LinkWords,
)

_MOST_AFTER: Final = 8
"""Of a grouping, so many days on which records expire are looked ahead: from the next on, nothing
is left of it until something is told of it."""


class Matcher:
    """Facts of the records that take part, what people say of them, and what they come to."""

    def __init__(self, model: str = "", crowded: int = CROWDED, largest: int = LARGEST) -> None:
        self._model = model
        self._facts: dict[str, Facts] = {}
        self._link_words = LinkWords()
        self._grouping_words = GroupingWords()
        self._answering = Answering(self._facts, self._link_words, crowded)
        self._answers = self._answering.book
        self._bonds = Bonds(self._facts, self._grouping_words.records, self._is_out, largest)
        self._groups = Groups(self._facts, self._bonds, self._grouping_words)
        self._joining = Joining(
            self._facts,
            self._bonds,
            self._groups,
            self._link_words,
            self._grouping_words,
            crowded=crowded,
        )

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
        answering, joining = self._answering, self._joining
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
            if not stays:
                answer_again, joint_again = answering.leave(known), joining.leave(known)
            gone_bonds = joining.untie(identity)
            touched |= gone_bonds | self._answers.drop(identity)
        if facts is None:
            del self._facts[identity]
        else:
            self._facts[identity] = facts
            if not stays:
                answer_less, joint_less = answering.enter(facts), joining.enter(facts)
            touched |= answering.judge(facts)
        for one in sorted(answer_again):
            touched |= answering.again(one)
        # Whoever comes makes others meet fewer, never more: what they are to one another stays.
        for one in sorted(answer_less - answer_again):
            touched |= answering.part(one)
        for one in sorted(joint_again):
            touched |= joining.again(one, seeds)
        for one in sorted(joint_less - joint_again):
            touched |= joining.part(one, seeds)
        if facts is not None:
            touched |= joining.tie(facts, seeds)
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
                touched |= {one} | self._answering.again(one)
                if facts.purchase is not None:
                    touched |= self._joining.again(one, seeds)
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
                touched |= {one} | self._joining.again(one, seeds)
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
        return self._answers.changed(), self._joining.changed(), self._groups.changed()

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

    def _stays(self, known: Facts, facts: Facts) -> bool:
        """Whether a record stands where it stood, and comes there by what it came by."""
        return (
            told_apart_alike(known, facts)
            and self._answering.stands(known) == self._answering.stands(facts)
            and self._joining.stands(known) == self._joining.stands(facts)
        )

    def _known(self, identities: Iterable[str]) -> Iterator[Facts]:
        return (facts for one in identities if (facts := self._facts.get(one)) is not None)
