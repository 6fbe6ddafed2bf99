"""Linker: the book, the judged pairs and people's words, and the groups that they come to.

Everything here is a function of the set of records and decisions that it was told (decision 7),
kept up to date one change at a time: a cache in memory, rebuilt from the log. No I/O, no clock.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from traverse_schemas.decisions import Decision, Word
from traverse_stream_processors.linking.blocks import CROWDED
from traverse_stream_processors.linking.book import Book
from traverse_stream_processors.linking.clusters import Pair, clusters, component
from traverse_stream_processors.linking.decisions import Decisions
from traverse_stream_processors.linking.features import Features
from traverse_stream_processors.linking.judge import Judgement, LinkType, judge


class Group(NamedTuple):
    """The records of one opportunity. `head` is the earliest member: its id is the opportunity's.

    `things` are the members that tell of one thing each: one thing, or the lots of a procedure.
    """

    head: str
    things: tuple[tuple[str, ...], ...]

    @property
    def members(self) -> list[str]:
        return [one for thing in self.things for one in thing]


class Linker:
    """Told of records and decisions; tells which ids are touched, and the groups of any."""

    def __init__(self, crowded: int = CROWDED) -> None:
        self.book = Book(crowded)
        self._decisions = Decisions()
        self._links: dict[str, dict[str, Judgement]] = {}
        self._changed: dict[tuple[str, str], Judgement | None] = {}

    def put(self, identity: str, features: Features | None) -> set[str]:
        """Know a record by these features (None: it says nothing any more). Gives the ids whose
        opportunity or links may have changed."""
        if self.book.get(identity) == features:
            return {identity}
        touched = {identity, *self._links.get(identity, ()), *self._decisions.partners(identity)}
        placed = self.book.put(identity, features)
        self._replace(identity, features, placed.candidates)
        touched |= self._links.get(identity, {}).keys()
        for other in placed.disturbed:
            before = self._links.get(other.id, {}).keys()
            self._replace(other.id, other, self.book.candidates(other))
            after = self._links.get(other.id, {}).keys()
            if before != after:
                touched |= {other.id, *(before ^ after)}
        return touched

    def decide(self, decision: Decision) -> set[str]:
        """Know what people say; gives the ids whose opportunity may have changed."""
        return self._decisions.put(decision)

    def links(self, identity: str) -> Mapping[str, Judgement]:
        """What a record is to others, by their ids."""
        return self._links.get(identity, {})

    def changed_links(self) -> dict[tuple[str, str], Judgement | None]:
        """The links that were made, judged anew or (None) undone since this was last asked, by
        their two ids, the lesser first."""
        changed, self._changed = self._changed, {}
        return changed

    def every_link(self) -> Iterator[tuple[tuple[str, str], Judgement]]:
        """Every link, by its two ids, the lesser first."""
        for left, found in self._links.items():
            for right, judgement in found.items():
                if left < right:
                    yield (left, right), judgement

    def linked(self) -> Iterator[str]:
        """The ids of all records that are something to another."""
        return iter(self._links)

    def groups(self, identities: Iterable[str]) -> list[Group]:
        """The groups of these records and of every record that they reach over links."""
        left = {one for one in identities if one in self.book}
        found: list[Group] = []
        while left:
            members = component(left.pop(), self._neighbours)
            left -= members
            found += self._groups(members)
        return found

    def _groups(self, members: set[str]) -> Iterator[Group]:
        if len(members) == 1:
            (one,) = members
            yield Group(one, ((one,),))
            return
        apart: set[tuple[str, str]] = set()
        same: list[Pair] = []
        lots: list[Pair] = []
        for left in members:
            mine = self.book.at_id(left)
            for right, judgement in self._links.get(left, {}).items():
                if left < right and judgement.joins:
                    pair = Pair(left, right, judgement.score)
                    (same if judgement.type is LinkType.SAME else lots).append(pair)
            for right in self._decisions.partners(left):
                if left < right and (theirs := self.book.get(right)) is not None:
                    word = self._word(mine, theirs)
                    if word is Word.NOT_SAME:
                        apart.add((left, right))
                    elif word is Word.SAME_AS:
                        same.append(Pair(left, right, 1.0, asserted=True))
        things = clusters([(one,) for one in members], same, apart)
        by_member = {one: thing for thing in things for one in thing}
        for group in clusters(things, lots, apart):
            inside = sorted(
                {by_member[one] for one in group}, key=lambda it: min(map(self._age, it))
            )
            yield Group(min(group, key=self._age), tuple(inside))

    def _word(self, left: Features, right: Features) -> Word | None:
        """People's word on two records that one opportunity could hold: never of two audiences or
        kinds."""
        word = self._decisions.in_force(left, right)
        if word is Word.SAME_AS and (left.audience, left.kind) != (right.audience, right.kind):
            return None
        return word

    def _age(self, identity: str) -> tuple[str, str]:
        """The earliest member gives its id: by first event time, then hash (the id is one)."""
        return (self.book.at_id(identity).first_time, identity)

    def _neighbours(self, identity: str) -> Iterable[str]:
        yield from self._links.get(identity, ())
        for other in self._decisions.partners(identity):
            if other in self.book:
                yield other

    def _replace(
        self, identity: str, features: Features | None, candidates: Iterable[Features]
    ) -> None:
        """Judge a record anew against its candidates."""
        for other in self._links.pop(identity, {}):
            self._changed[_ordered(identity, other)] = None
            theirs = self._links[other]
            del theirs[identity]
            if not theirs:
                del self._links[other]
        if features is None:
            return
        found = {
            other.id: judgement
            for other in candidates
            if (judgement := judge(features, other)) is not None
        }
        if found:
            self._links[identity] = found
            for other_id, judgement in found.items():
                self._changed[_ordered(identity, other_id)] = judgement
                self._links.setdefault(other_id, {})[identity] = judgement


def _ordered(one: str, other: str) -> tuple[str, str]:
    return (one, other) if one < other else (other, one)
