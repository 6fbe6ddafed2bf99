"""Linker: the book, the judged pairs and people's words, and the groups that they come to.

Everything here is a function of the set of records and decisions that it was told (decision 7),
kept up to date one change at a time: a cache in memory, rebuilt from the log. No I/O, no clock.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from itertools import combinations, product
from typing import Final, NamedTuple

from traverse_schemas.decisions import Decision, Word
from traverse_stream_processors.linking.blocks import CROWDED
from traverse_stream_processors.linking.book import Book
from traverse_stream_processors.linking.clusters import Pair, clusters, component
from traverse_stream_processors.linking.decisions import Decisions, Saying
from traverse_stream_processors.linking.features import Features
from traverse_stream_processors.linking.judge import Judgement, LinkType, judge
from traverse_stream_processors.linking.lots import other_parts

MOST_MEMBERS: Final = 200
"""Records that joins hold together, directly or by way of others, are one opportunity at most up to
here. More of them are no opportunity but a feed gone wrong, or hostile: each then stands alone, the
links stay. Seven times the largest of the real files."""


class Group(NamedTuple):
    """The records of one opportunity. `head` is the earliest member: its id is the opportunity's.

    `things` are the members that tell of one thing each: one thing, or the lots of a procedure and
    perhaps the whole of it.
    """

    head: str
    things: tuple[tuple[str, ...], ...]

    @property
    def members(self) -> list[str]:
        return [one for thing in self.things for one in thing]


class Linker:
    """Told of records and decisions; tells which ids are touched, and the groups of any."""

    def __init__(self, crowded: int = CROWDED, most_members: int = MOST_MEMBERS) -> None:
        self.book = Book(crowded)
        self._most_members = most_members
        # As `groups` last found them: those of which all can be one, and those that are too many.
        self._whole: set[str] = set()
        self._scattered: set[str] = set()
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

    def spoken_with(self, identity: str) -> Set[str]:
        """The records of which people said whether they are the same as this one; of nearly all,
        none."""
        return self._decisions.partners(identity)

    def sayings(self, left: str, right: str) -> list[Saying]:
        """What counts of what people said of two records that one opportunity could hold."""
        mine, theirs = self.book.get(left), self.book.get(right)
        if mine is None or theirs is None:
            return []
        if (mine.audience, mine.kind) != (theirs.audience, theirs.kind):
            return []
        return self._decisions.sayings(left, right, mine.speakers | theirs.speakers)

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
        """The groups of these records, of every record that joins hold together with them, and of
        those that were held together and are too many now (`MOST_MEMBERS`)."""
        left = set(identities)
        gone = {one for one in left if one not in self.book}
        left -= gone
        self._whole -= gone
        self._scattered -= gone
        found: list[Group] = []
        while left:
            start = left.pop()
            members = component(start, self._joined, self._most_members)
            if len(members) <= self._most_members:
                self._whole |= members
                self._scattered -= members
                found += self._groups(members)
            else:
                members = self._scatter(start, members)
                found += [Group(one, ((one,),)) for one in members]
            left -= members
        return found

    def heads(self, identities: Iterable[str]) -> dict[str, str]:
        """In which opportunity (by its head) each of these records is, as far as `groups` was asked
        of all that changed."""
        found = {}
        for one in identities:
            if one not in found and one in self.book:
                # Those that are too many are not looked at anew for each that leads to them.
                alone = one in self._scattered
                for group in [Group(one, ((one,),))] if alone else self.groups([one]):
                    found.update(dict.fromkeys(group.members, group.head))
        return found

    def _scatter(self, start: str, reached: set[str]) -> set[str]:
        """Too many hang together: of them, the one that was asked for and all that were thought to
        be few. The others have been told of already, or will be asked for themselves."""
        found = {start} | (reached & self._whole)
        waiting = [*reached]
        while waiting:
            for other in self._joined(waiting.pop()):
                if other in self._whole and other not in found:
                    found.add(other)
                    waiting.append(other)
        self._whole -= found
        self._scattered |= found
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
            for right in self._decisions.partners(left) & members:
                if left < right:
                    word = self._word(mine, self.book.at_id(right))
                    if word is Word.NOT_SAME:
                        apart.add((left, right))
                    elif word is Word.SAME_AS:
                        same.append(Pair(left, right, 1.0, asserted=True))
        asserted = [one for one in same if one.asserted]
        apart |= self._claimed_by_two(members, asserted)
        same, of_wholes = self._without_wholes(same)
        things = clusters([(one,) for one in members], same, apart | self._other_parts(members))
        by_member = {one: thing for thing in things for one in thing}
        for group in clusters(things, lots + of_wholes, apart):
            inside = sorted(
                {by_member[one] for one in group}, key=lambda it: min(map(self._age, it))
            )
            yield Group(min(group, key=self._age), tuple(inside))

    def _other_parts(self, members: Iterable[str]) -> set[tuple[str, str]]:
        """The pairs of records that name other lots, or other stages of an operation: no third
        record makes one thing of them."""
        named: dict[tuple[tuple[str, ...], tuple[str, ...]], list[str]] = {}
        for one in members:
            mine = self.book.at_id(one)
            if mine.lots or mine.phases:
                named.setdefault((mine.lots, mine.phases), []).append(one)
        return {
            _ordered(left, right)
            for mine, theirs in combinations(named.values(), 2)
            if other_parts(self.book.at_id(mine[0]), self.book.at_id(theirs[0]))
            for left, right in product(mine, theirs)
        }

    def _without_wholes(self, same: Sequence[Pair]) -> tuple[list[Pair], list[Pair]]:
        """The pairs that may make one thing, and those of a whole procedure with a lot of it: of a
        record that names no lot and looks the same as records of several."""
        lots: dict[str, dict[str, tuple[str, ...]]] = {}
        for pair in same:
            mine, theirs = self.book.at_id(pair.left), self.book.at_id(pair.right)
            if bool(mine.lots) != bool(theirs.lots) and not pair.asserted:
                whole, lot = (theirs, mine) if mine.lots else (mine, theirs)
                lots.setdefault(whole.id, {})[lot.id] = lot.lots
        wholes = {
            one: of_it
            for one, of_it in lots.items()
            if any(set(a).isdisjoint(b) for a, b in combinations(set(of_it.values()), 2))
        }
        of_wholes = {
            pair
            for pair in same
            if pair.right in wholes.get(pair.left, ()) or pair.left in wholes.get(pair.right, ())
        }
        return [pair for pair in same if pair not in of_wholes], list(of_wholes)

    def _claimed_by_two(
        self, members: Iterable[str], asserted: Iterable[Pair]
    ) -> set[tuple[str, str]]:
        """The pairs of records that two institutions each call their own: one of them may only have
        copied the other's number, so both have to say that they are one thing. What they say of one
        such pair goes for all their records here."""
        owners: dict[str, list[str]] = {}
        for one in sorted(members):
            if owner := self._own(one):
                owners.setdefault(owner, []).append(one)
        agreed = {frozenset((self._own(one.left), self._own(one.right))) for one in asserted}
        return {
            _ordered(left, right)
            for mine, theirs in combinations(owners, 2)
            if frozenset((mine, theirs)) not in agreed
            for left, right in product(owners[mine], owners[theirs])
        }

    def _own(self, identity: str) -> str:
        """The institution that calls the record its own; "" where another tells of it."""
        one = self.book.at_id(identity)
        return one.owner if one.owner == one.source_siren else ""

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

    def _joined(self, identity: str) -> Iterable[str]:
        """The records that this one is joined to, by score or by people's word."""
        for other, judgement in self._links.get(identity, {}).items():
            if judgement.joins:
                yield other
        mine = self.book.at_id(identity)
        for other in self._decisions.asserted(identity, mine.speakers):
            theirs = self.book.get(other)
            if theirs is not None and self._word(mine, theirs) is Word.SAME_AS:
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
