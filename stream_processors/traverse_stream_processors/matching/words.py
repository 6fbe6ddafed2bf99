"""Words: what people say of answers, of joint purchases and of groupings, and what of it counts.

Pure. A join like the state of a record: the same whatever the order of arrival. Who may speak is
judged by the records, which may come after the word.
"""

from bisect import bisect_left
from collections.abc import Iterator, Sequence, Set
from itertools import islice
from typing import Final, NamedTuple

from traverse_schemas.decisions import Decision, GroupingStep, Word
from traverse_schemas.documents.grouping import anchor_of, layer_tag, readable_tags, tag_of
from traverse_schemas.log.identity import Version
from traverse_schemas.signing.sources import parse_source
from traverse_stream_processors.linking.decisions import Decisions, Saying
from traverse_stream_processors.matching.facts import Facts
from traverse_stream_processors.matching.french import day_of

PROPOSED: Final = "proposed"
CONFIRMED: Final = "confirmed"
DISMISSED: Final = "dismissed"

PROPOSALS: Final = frozenset((Word.CONFIRMED, Word.DISMISSED))
"""What is said of whether the platform is right to bring two records together."""

ENGAGED: Final = frozenset(
    (
        GroupingStep.INTERESTED,
        GroupingStep.CONVENTION,
        GroupingStep.DELIBERATED,
        GroupingStep.CONSTITUTED,
    )
)
"""Whoever tells of a later step is interested."""

_ENDS: Final = frozenset((GroupingStep.NOT_INTERESTED, GroupingStep.WITHDRAWN))


class LinkWords:
    """What is said of two records that may answer one another, or be bought together."""

    def __init__(self) -> None:
        self._decisions = Decisions(PROPOSALS)

    def put(self, decision: Decision) -> set[str]:
        """Know a decision; gives the ids of the records that it concerns, or concerned."""
        return self._decisions.put(decision)

    def partners(self, identity: str) -> Set[str]:
        """The records of which people said something together with this one, as they are at any
        moment."""
        return self._decisions.partners(identity)

    def sayings(self, left: Facts, right: Facts) -> list[Saying]:
        """The words that count of two records: those of their sides."""
        return self._decisions.sayings(left.id, right.id, left.sides | right.sides)

    def of_answer(self, need: Facts, offer: Facts) -> str:
        """The state of an answer: dismissed as soon as one side says so, confirmed when the side
        in need says so."""
        return self._state(need, offer, both=False)

    def of_joint(self, left: Facts, right: Facts) -> str:
        """The state of a joint purchase: dismissed as soon as one side says so, confirmed when
        both do."""
        return self._state(left, right, both=True)

    def _state(self, left: Facts, right: Facts, *, both: bool) -> str:
        words = self._decisions.words(left.id, right.id)
        if not words:
            return PROPOSED
        mine = {words[siren] for siren in left.sides if siren in words}
        theirs = {words[siren] for siren in right.sides if siren in words}
        if Word.DISMISSED in mine | theirs:
            return DISMISSED
        confirmed = Word.CONFIRMED in mine and (not both or Word.CONFIRMED in theirs)
        return CONFIRMED if confirmed else PROPOSED


class Said(NamedTuple):
    """One word on a grouping: `version` orders the words of one subject, `when` (UTC text) those of
    several. `on` is the day of a formal step, or ""."""

    when: str
    version: Version
    step: GroupingStep
    record: str
    grouping: str
    siren: str
    on: str

    @property
    def day(self) -> str:
        """The day of the step, else that on which it was said."""
        return self.on or day_of(self.when)


class GroupingWords:
    """What members say of groupings, each of its own record. Of each subject it holds the words
    from the last one that ended what was said before: that can count no more, whatever comes."""

    def __init__(self) -> None:
        self._told: dict[tuple[str, str], list[Said]] = {}
        self._said: dict[tuple[str, str], Sequence[Said]] = {}
        self._of_record: dict[str, set[tuple[str, str]]] = {}
        self._of_anchor: dict[str, set[tuple[str, str]]] = {}

    def __len__(self) -> int:
        """How many words it holds."""
        return sum(map(len, self._told.values()))

    @property
    def records(self) -> Set[str]:
        """The records of which something was said, by whomever, as they are at any moment."""
        return self._of_record.keys()

    def put(self, decision: Decision) -> set[str]:
        """Know a decision; gives the ids of the records that it concerns, or concerned."""
        key = (decision["source"], decision["subject"])
        version = Version(*decision["version"])  # type: ignore[arg-type]
        said = Said(
            version.time,
            version,
            GroupingStep(decision["word"]),
            decision["records"][0],
            decision["grouping"],
            parse_source(decision["source"]).siren,
            decision.get("on", ""),
        )
        told = self._told.setdefault(key, [])
        at = bisect_left(told, version, key=_version)
        if at < len(told) and told[at].version == version:
            return {said.record}
        told.insert(at, said)
        del told[: _last_end(told, at)]
        known, now = self._said.get(key, ()), _counting(told)
        if now != known:
            for one in known[-1:]:
                _drop(self._of_record, one.record, key)
                _drop(self._of_anchor, anchor_of(one.grouping), key)
            self._said[key] = now
            for one in now[-1:]:
                self._of_record.setdefault(one.record, set()).add(key)
                self._of_anchor.setdefault(anchor_of(one.grouping), set()).add(key)
        return {said.record, *(one.record for one in known)}

    def of(self, facts: Facts, layer: str) -> list[Said]:
        """What counts of what was said of a record in the groupings that a layer may read, the
        earliest first: the words of its owner, from the last time that it was not interested."""
        keys = self._of_record.get(facts.id)
        if not keys:
            return []
        tags = readable_tags(layer)
        said = sorted(
            one
            for key in keys
            for one in self._said[key]
            if one.siren == facts.speaker and tag_of(one.grouping) in tags
        )
        refusals = [at for at, one in enumerate(said) if one.step is GroupingStep.NOT_INTERESTED]
        if not refusals:
            return said
        return said[refusals[-1] :] if refusals[-1] == len(said) - 1 else said[refusals[-1] + 1 :]

    def is_out(self, facts: Facts, layer: str) -> bool:
        """Whether its owner does not want it bought with others: not interested, by the last word.
        It is in no other grouping of those readers either, until that word is taken back."""
        said = self.of(facts, layer)
        return bool(said) and said[-1].step is GroupingStep.NOT_INTERESTED

    def named(self, facts: Facts, layer: str) -> list[Said]:
        """The words by which a record is in groupings of this very layer, the earliest first."""
        tag = layer_tag(layer)
        return [
            one
            for one in self.of(facts, layer)
            if one.step in ENGAGED and tag_of(one.grouping) == tag
        ]

    def anchors(self, facts: Facts, layer: str) -> frozenset[str]:
        """The records by which the groupings are named that this one's owner is interested in."""
        return frozenset(
            anchor_of(one.grouping) for one in self.of(facts, layer) if one.step in ENGAGED
        )

    def speaks_of(self, identity: str) -> bool:
        """Whether anything was said of a record in a grouping, or of the grouping that it names."""
        return identity in self._of_record or identity in self._of_anchor

    def fellows(self, identity: str) -> set[str]:
        """The records of which something was said in groupings that are named by this one, or that
        words of this one name; and those by which they are named."""
        keys = self._of_record.get(identity, ())
        anchors = {anchor_of(self._said[key][-1].grouping) for key in keys}
        named = {*anchors, identity}
        keys = {key for one in named for key in self._of_anchor.get(one, ())}
        records = {self._said[key][-1].record for key in keys}
        return (records | anchors) - {identity}

    def refusing(self, anchor: str) -> Iterator[str]:
        """The records of which was said, of the grouping that this one names, that it is not for
        them; whether that counts is for `is_out`."""
        for key in self._of_anchor.get(anchor, ()):
            last = self._said[key][-1]
            if last.step is GroupingStep.NOT_INTERESTED:
                yield last.record


def _version(said: Said) -> Version:
    return said.version


def _last_end(told: Sequence[Said], at: int) -> int:
    """Where the last word is before which none counts: one that takes back or declines, or is of
    another record or grouping than the next. Only the one that came, at `at`, makes that
    different: itself, or what is beside it."""
    for here in (at + 1, at, at - 1):
        if 0 < here < len(told) and (
            told[here].step in _ENDS
            or any(_about(one) != _about(told[here]) for one in told[here + 1 : here + 2])
        ):
            return here
    return 0


def _counting(told: Sequence[Said]) -> Sequence[Said]:
    """What counts of what is held of one subject, in the order of its versions: each step that was
    told of since it was last taken back or declined, when it was first, with the day that it was
    last given; of the record and grouping that the last word names. The earliest first."""
    first, last = told[0], told[-1]
    ended = first.step is GroupingStep.WITHDRAWN or _about(first) != _about(last)
    found: dict[GroupingStep, Said] = {}
    days: dict[GroupingStep, str] = {}
    for one in islice(told, int(ended), None):
        found.setdefault(one.step, one)
        if one.on:
            days[one.step] = one.on
    return [one._replace(on=days.get(one.step, "")) for one in found.values()]


def _about(said: Said) -> tuple[str, str]:
    return said.record, said.grouping


def _drop(index: dict[str, set[tuple[str, str]]], name: str, key: tuple[str, str]) -> None:
    keys = index.get(name)
    if keys is not None:
        keys.discard(key)
        if not keys:
            del index[name]
