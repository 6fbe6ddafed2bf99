"""Groups: which purchases stand together in a grouping, layer by layer, and by which record each
grouping is named. Pure.

Kept up to date one change at a time; a function of the facts, the bonds and people's words alone.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from typing import NamedTuple

from traverse_schemas.documents.grouping import anchor_of
from traverse_stream_processors.matching.bonds import Bonds, Component
from traverse_stream_processors.matching.facts import Facts
from traverse_stream_processors.matching.joint import LEAST_SUBJECT
from traverse_stream_processors.matching.layers import BASE, layers_of
from traverse_stream_processors.matching.purchases import overlap
from traverse_stream_processors.matching.subject import alike_from
from traverse_stream_processors.matching.words import GroupingWords


class Key(NamedTuple):
    """A grouping by its layer and the record that it is named by."""

    layer: str
    anchor: str


class Groups:
    """The groupings of every layer, as sets of records."""

    def __init__(self, facts: Mapping[str, Facts], bonds: Bonds, words: GroupingWords) -> None:
        self._facts = facts
        self._bonds = bonds
        self._words = words
        self._groupings: dict[Key, tuple[str, ...]] = {}
        self._grouped: dict[str, dict[str, Key]] = {}
        self._changed: dict[Key, tuple[str, ...]] = {}

    def __iter__(self) -> Iterator[Key]:
        return iter(self._groupings)

    def members(self, key: Key) -> tuple[str, ...] | None:
        """The records of a grouping; None when there is none of that name."""
        return self._groupings.get(key)

    def changed(self) -> dict[Key, tuple[str, ...]]:
        """The groupings that may have changed since this was last asked, with those who were in
        them before."""
        found, self._changed = self._changed, {}
        return found

    def successors(self, layer: str, members: Iterable[str]) -> list[Key]:
        """The groupings in which these records are now, that of most of them first, ties by
        name."""
        keys = Counter(key for one in members if (key := self._grouped.get(one, {}).get(layer)))
        return sorted(keys, key=lambda key: (-keys[key], key))

    def note(self, identities: Iterable[str]) -> None:
        """The groupings that these are in may have changed."""
        for one in identities:
            for key in self._grouped.get(one, {}).values():
                self._changed.setdefault(key, self._groupings[key])

    def near(self, identities: Iterable[str]) -> set[str]:
        """All that are in a component with one of these, in any layer, where it is not too
        large."""
        found: set[str] = set()
        seen: set[tuple[str, str]] = set()
        for identity in identities:
            found.add(identity)
            plain = False
            for layer in self._layers(identity):
                if (layer, identity) in seen or (plain and layer in BASE):
                    continue
                reached = self._bonds.reach(identity, layer, 0)
                plain = plain or (layer == BASE[-1] and self._bonds.is_plain(reached))
                layers = BASE if plain else (layer,)
                seen.update((it, one) for it in layers for one in reached)
                if len(reached) <= self._bonds.largest:
                    found |= reached
        return found

    def regroup(self, seeds: Iterable[str], dirty: Set[str]) -> None:
        """Form anew every grouping that one of these is, or was, in; and those that were named
        together with them. What has the same members as before is as it was, unless one is `dirty`:
        something of it, of its bonds or of what was said changed."""
        before: dict[Key, tuple[str, ...]] = {}
        formed: dict[str, list[tuple[str, ...]]] = {}
        waiting = {it for one in seeds for it in (one, *self._words.fellows(one))}
        done: set[tuple[str, str]] = set()
        large: dict[str, dict[tuple[int, str], bool]] = {}
        # What the public sees is most often what all layers hold.
        known: dict[tuple[frozenset[str], int, frozenset[frozenset[str]]], list[tuple[str, ...]]]
        known = {}
        while waiting:
            identity = waiting.pop()
            shared: Component | None = None
            own = self._layers(identity)
            for layer in sorted({*own, *self._grouped.get(identity, ())}, key=_widest_first):
                if (layer, identity) in done:
                    continue
                if layer not in own:
                    found = Component({identity}, 0, plain=False)
                elif shared is not None and layer in BASE:
                    found = shared
                else:
                    found = self._bonds.component(identity, layer, large.setdefault(layer, {}))
                    shared = found if layer == BASE[-1] and found.plain else None
                members, step = found.members, found.step
                done |= {(layer, one) for one in members}
                former = {key for one in members if (key := self._grouped.get(one, {}).get(layer))}
                for key in former:
                    left = set(self._groupings[key]) - members
                    waiting |= {one for one in left if (layer, one) not in done}
                    before[key] = self._disband(key)
                for one in members:
                    if self._words.speaks_of(one):
                        fellows = self._words.fellows(one)
                        waiting |= {it for it in fellows if (layer, it) not in done}
                if len(members) > 1:
                    first = self._said_together(members, layer)
                    same = (frozenset(members), step, first)
                    if same not in known:
                        known[same] = self._bonds.clusters(members, step, self._fits, first)
                    formed.setdefault(layer, []).extend(
                        one for one in known[same] if self._is_of(layer, one)
                    )
        founded = {
            key for layer, clusters in formed.items() for key in self._found(layer, clusters)
        }
        self._note(before, founded, dirty)

    def _note(
        self, before: Mapping[Key, tuple[str, ...]], founded: Set[Key], dirty: Set[str]
    ) -> None:
        for key in before.keys() | founded:
            former, members = before.get(key), self._groupings.get(key)
            if former != members or not dirty.isdisjoint(members or ()):
                self._changed.setdefault(key, former or ())

    def _layers(self, identity: str) -> list[str]:
        """The layers that a record has to do with, the widest first: its own, and those of
        restricted records beside it; but those of whose groupings its owner wants none."""
        facts = self._facts.get(identity)
        if facts is None:
            return []
        layers = set(layers_of(facts.audience))
        if facts.audience == "public":
            layers |= self._bonds.named_beside(identity)
        if self._words.speaks_of(identity):
            layers = {one for one in layers if not self._words.is_out(facts, one)}
        return sorted(layers, key=_widest_first)

    def _said_together(self, members: Iterable[str], layer: str) -> frozenset[frozenset[str]]:
        """The pairs whose owners are interested in the same grouping: they join before others."""
        by_anchor: dict[str, set[str]] = {}
        for one in members:
            if self._words.speaks_of(one):
                for anchor in self._words.anchors(self._facts[one], layer):
                    by_anchor.setdefault(anchor, set()).add(one)
        return frozenset(
            frozenset((one, other))
            for found in by_anchor.values()
            for one in found
            for other in found
            if one < other
        )

    def _fits(self, left: str, right: str) -> bool:
        """Whether two purchases of one owner may be in one grouping: for the same thing, at a time
        in common."""
        mine, theirs = self._facts[left], self._facts[right]
        if mine.purchase is None or theirs.purchase is None:
            return False
        if overlap(mine.purchase, theirs.purchase) is None:
            return False
        subject = alike_from(mine, theirs, LEAST_SUBJECT)
        return subject is not None and subject.score >= LEAST_SUBJECT

    def _is_of(self, layer: str, members: Iterable[str]) -> bool:
        """Whether a layer of named readers adds anything: what is public alone stands in the layers
        that all read."""
        return layer in BASE or any(self._facts[one].audience == layer for one in members)

    def _disband(self, key: Key) -> tuple[str, ...]:
        members = self._groupings.pop(key)
        for one in members:
            layers = self._grouped[one]
            del layers[key.layer]
            if not layers:
                del self._grouped[one]
        return members

    def _found(self, layer: str, clusters: Sequence[tuple[str, ...]]) -> Iterator[Key]:
        place = {one: number for number, members in enumerate(clusters) for one in members}
        for number, members in enumerate(clusters):
            key = Key(layer, self._anchor(layer, number, members, place))
            self._groupings[key] = members
            for one in members:
                self._grouped.setdefault(one, {})[layer] = key
            yield key

    def _anchor(
        self, layer: str, number: int, members: Iterable[str], place: Mapping[str, int]
    ) -> str:
        """The record that names a grouping: that of the id of which its members first spoke, as
        long as no other grouping has a better claim to it; else its earliest member, needs that
        somebody said before ends of contracts."""
        spoken = [one for one in members if self._words.speaks_of(one)]
        named = sorted(
            said for one in spoken for said in self._words.named(self._facts[one], layer)
        )
        for anchor in dict.fromkeys(anchor_of(said.grouping) for said in named):
            if self._holder(layer, anchor, place) == number:
                return anchor
        return min((self._facts[one] for one in members), key=age_of).id

    def _holder(self, layer: str, anchor: str, place: Mapping[str, int]) -> int | None:
        """Which grouping has the best claim to an id: the one that the record of its name is in,
        else the one in which it was spoken of first. Whatever was said of it is formed anew
        together."""
        if anchor in place:
            return place[anchor]
        said = sorted(
            said
            for one in self._words.fellows(anchor)
            if one in place
            for said in self._words.named(self._facts[one], layer)
            if anchor_of(said.grouping) == anchor
        )
        return place[said[0].record] if said else None


def _widest_first(layer: str) -> tuple[bool, str]:
    return (layer != BASE[-1], layer)


def age_of(facts: Facts) -> tuple[bool, str, str]:
    """Which member names a grouping: the earliest need, by first event time, then id."""
    renewal = facts.purchase is not None and facts.purchase.renewal
    return (renewal, facts.first_time, facts.id)
