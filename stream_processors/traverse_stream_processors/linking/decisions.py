"""Decisions: what people say of two records, and what of it is in force. Pure.

Either side can contest a merge; both sides together assert one. A side's word is that of the
owner of its record or of the institution that publishes it; what anybody else says of two records
is kept and counts for nothing, until it becomes a side.
"""

from collections.abc import Iterable, Iterator, Set
from typing import Any, Final, NamedTuple

from traverse_schemas.decisions import Decision, Word
from traverse_schemas.log.identity import Version
from traverse_schemas.signing.sources import parse_source
from traverse_stream_processors.linking.features import Features

_NOBODY: Final[frozenset[str]] = frozenset()


class _Said(NamedTuple):
    version: Version
    word: Word
    pair: tuple[str, str]
    siren: str


class Saying(NamedTuple):
    """The last word of an institution on two records, and under what it was said: who takes it
    back says so under the same source and subject."""

    source: str
    subject: str
    word: Word
    version: Version
    siren: str

    def shown(self) -> dict[str, Any]:
        """As a link of a document tells it, for the pages of who said it."""
        return {
            "source": self.source,
            "subject": self.subject,
            "word": str(self.word),
            "version": list(self.version),
        }


SAME: Final = frozenset((Word.SAME_AS, Word.NOT_SAME))
"""What is said of whether two records tell of one thing."""


class Decisions:
    """The last decision of each (source, subject), and the words of each institution by pair.

    Only words of the matter that is `counted` here say something; any other under the same subject
    takes back what was said. A join like the state of a record: the same whatever the order of
    arrival.
    """

    def __init__(self, counted: frozenset[Word] = SAME) -> None:
        self._counted = counted
        self._said: dict[tuple[str, str], _Said] = {}
        self._pairs: dict[tuple[str, str], set[tuple[str, str]]] = {}
        self._partners: dict[str, set[str]] = {}
        self._asserted: dict[tuple[str, str], set[str]] = {}

    def put(self, decision: Decision) -> set[str]:
        """Know a decision; gives the ids of the records that it concerns, or concerned; those
        too of one that is known, for it may be that nobody acted on it yet."""
        key = (decision["source"], decision["subject"])
        said = _Said(
            Version(*decision["version"]),  # type: ignore[arg-type]
            Word(decision["word"]),
            (min(decision["records"]), max(decision["records"])),
            parse_source(decision["source"]).siren,
        )
        known = self._said.get(key)
        touched = set(said.pair)
        if known is not None and known.version >= said.version:
            return touched
        if known is not None:
            touched |= set(known.pair)
            self._forget(key, known)
        self._said[key] = said
        if said.word in self._counted:
            self._pairs.setdefault(said.pair, set()).add(key)
            left, right = said.pair
            self._partners.setdefault(left, set()).add(right)
            self._partners.setdefault(right, set()).add(left)
            if said.word is Word.SAME_AS:
                self._asserted.setdefault((left, said.siren), set()).add(right)
                self._asserted.setdefault((right, said.siren), set()).add(left)
        return touched

    def partners(self, identity: str) -> Set[str]:
        """The records of which people said something together with this one."""
        return self._partners.get(identity, _NOBODY)

    def asserted(self, identity: str, speakers: Iterable[str]) -> Iterator[str]:
        """The records of which one of these institutions said that they are the same as this one:
        what others say of it, however much, is not looked at."""
        for siren in speakers:
            yield from self._asserted.get((identity, siren), ())

    def in_force(self, left: Features, right: Features) -> Word | None:
        """What holds of two records: NOT_SAME as soon as one side says so, SAME_AS when both sides
        do (one institution may be both), None otherwise."""
        words = self.words(left.id, right.id)
        sides = (left.speakers, right.speakers)
        mine = {words[siren] for siren in sides[0] if siren in words}
        theirs = {words[siren] for siren in sides[1] if siren in words}
        if Word.NOT_SAME in mine | theirs:
            return Word.NOT_SAME
        if Word.SAME_AS in mine and Word.SAME_AS in theirs:
            return Word.SAME_AS
        return None

    def words(self, left: str, right: str) -> dict[str, Word]:
        """The last word of each institution, by whatever subject it said it."""
        return {self._said[key].siren: self._said[key].word for key in self._keys(left, right)}

    def sayings(self, left: str, right: str, speakers: Set[str]) -> list[Saying]:
        """The same of some institutions, with what they said it under; by SIREN."""
        found = {}
        for key in self._keys(left, right):
            said = self._said[key]
            if said.siren in speakers:
                found[said.siren] = Saying(*key, said.word, said.version, said.siren)
        return [found[siren] for siren in sorted(found)]

    def _keys(self, left: str, right: str) -> list[tuple[str, str]]:
        """Under what something is said of two records, the earliest first. What one institution
        says under several subjects is ordered by time: a `sequence` orders the versions of one
        subject only. At one moment two of its systems may use one id: then by their names."""
        keys = self._pairs.get((min(left, right), max(left, right)), ())
        return sorted(
            keys, key=lambda key: (self._said[key].version.time, self._said[key].version, key)
        )

    def _forget(self, key: tuple[str, str], known: _Said) -> None:
        keys = self._pairs.get(known.pair)
        if keys is None:
            return
        keys.discard(key)
        if not any(
            self._said[other].siren == known.siren and self._said[other].word is Word.SAME_AS
            for other in keys
        ):
            for one, other in (known.pair, known.pair[::-1]):
                self._asserted.get((one, known.siren), set()).discard(other)
        if not keys:
            del self._pairs[known.pair]
            left, right = known.pair
            for one, other in ((left, right), (right, left)):
                self._partners[one].discard(other)
                if not self._partners[one]:
                    del self._partners[one]
