"""Opportunities: from what changed to the messages that must be written. No Kafka here.

Holds the linker and the shelf together: both are told of the same records and decisions. What is
to be written is compared with what was last written, so that a repetition writes nothing.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from hashlib import blake2b
from itertools import chain
from typing import Any, Final, NamedTuple

import orjson

from traverse_schemas.decisions import Decision
from traverse_schemas.documents.document import OpportunityMessage
from traverse_schemas.log.identity import opportunity_of
from traverse_schemas.log.record_state import RecordState
from traverse_stream_processors.likeness.model import base_model
from traverse_stream_processors.linking.features import features_of
from traverse_stream_processors.linking.judge import explain
from traverse_stream_processors.linking.link import Gathered, form
from traverse_stream_processors.linking.linker import Group, Linker
from traverse_stream_processors.linking.shelf import Shelf, Written
from traverse_stream_processors.matching.facts import Outlook
from traverse_stream_processors.matching.matches import Matches, MatchMessage
from traverse_stream_processors.receipts import Fate

_PORTION: Final = 2000
"""Groups whose states are held at once when all are looked at."""


class Formed(NamedTuple):
    """What one id is to hold: `document` is the JSON of the message's document, `octets` the whole
    message's; `written` is for the shelf once the log has it. `shown`: it held a document before,
    or holds one now."""

    message: OpportunityMessage
    document: bytes
    octets: bytes
    written: Written
    shown: bool = True


class LinkMessage(NamedTuple):
    """A message of `traverse.links`: `value` is None when the two are nothing to one another."""

    key: str
    value: bytes | None


class Opportunities:
    """Told of records and decisions; gives what ids hold now and did not before."""

    def __init__(self, linker: Linker, shelf: Shelf, matches: Matches | None = None) -> None:
        self._linker = linker
        self._shelf = shelf
        self._matches = matches or Matches(base_model())
        self._groupings: list[MatchMessage] = []
        self._heads: dict[str, str] = {}
        self._fresh: dict[str, RecordState] = {}
        self._told: dict[str, RecordState] = {}
        # Of records whose opportunity says otherwise than they do, what it says.
        self._outlooks: dict[str, Outlook] = {}

    def put_records(self, records: Sequence[tuple[str, int, bytes | None]]) -> set[str]:
        """Know messages of `traverse.records`: (key, offset, JSON or None). Gives the ids that may
        hold something else now. An older state than the one that is known changes nothing."""
        ids = [opportunity_of(key) for key, _, _ in records]
        known = self._shelf.offsets(set(ids))
        last = {
            identity: (offset, value)
            for identity, (_, offset, value) in zip(ids, records, strict=True)
            if offset >= known.get(identity, -1)
        }
        touched = set(ids)
        kept: list[tuple[str, int, bytes]] = []
        self._fresh, self._told = {}, {}
        keys = dict(zip(ids, (key for key, _, _ in records), strict=True))
        for identity, (offset, value) in last.items():
            state: RecordState | None = None if value is None else orjson.loads(value)
            if state is not None:
                # One text for all that knows the record by it, and for all of one day.
                state["id"], state["first_time"] = identity, _once(state["first_time"])
            touched |= self._linker.put(identity, features_of(state) if state else None)
            touched |= self._matches.put(identity, state, self._outlooks.get(identity))
            if value is not None and state is not None:
                kept.append((identity, offset, value))
                self._fresh[identity] = self._told[keys[identity]] = state
            elif identity in known:
                kept.append((identity, offset, self._hollow(identity)))
        self._shelf.put_states(kept)
        return touched

    def _hollow(self, identity: str) -> bytes:
        """What remains of a record that is gone for good: where its id was ever known."""
        state: RecordState = orjson.loads(self._shelf.states([identity])[identity])
        return orjson.dumps({**state, "content": None, "life": None})

    def put_decisions(self, decisions: Iterable[bytes]) -> set[str]:
        """Know messages of `traverse.decisions`; gives the ids that may hold something else."""
        touched: set[str] = set()
        for octets in decisions:
            decision: Decision = orjson.loads(octets)
            if "grouping" not in decision:
                touched |= self._linker.decide(decision)
            touched |= self._matches.decide(decision)
        return touched

    def put_written(self, messages: Iterable[tuple[str, bytes]]) -> None:
        """Know messages of `traverse.opportunities`: (id, octets)."""
        self._shelf.put_written(written_of(identity, octets) for identity, octets in messages)

    def everything_linked(self) -> set[str]:
        """The ids of all records that are something to others, or were last written so: what has to
        be looked at when it is not known how far another process came."""
        grouped = {*self._linker.linked(), *self._shelf.linked(), *self._outlooks}
        grouped |= self._matches.placed()
        groups = self._linker.groups(grouped)
        for start in range(0, len(groups), _PORTION):
            portion = groups[start : start + _PORTION]
            self._look_ahead(self._gather(portion, self._states(_members(portion))))
        return grouped | set(self._matches.linked())

    def form(self, touched: Iterable[str]) -> list[Formed]:
        """What these ids, all that are grouped with them, and all that lead to one that moved, hold
        now and did not when they were last written."""
        reached = self._reached(set(touched))
        groups = self._linker.groups(reached)
        states = self._states(_members(groups))
        heads = _heads(groups)
        gathered = self._gather(groups, states)
        # What an opportunity comes to may take its records from those that they answer.
        if beside := self._look_ahead(gathered) - heads.keys():
            reached |= beside
            groups += self._linker.groups(beside)
            heads = _heads(groups)
        written = self._shelf.written(reached | heads.keys())
        # Those that lead to a record which is in another opportunity now lead elsewhere.
        moved = [one for one, head in heads.items() if _head_of(one, written) != head]
        self._matches.moved(moved)
        following = {other for one in moved for other in self._led_to(one)}
        if following := following - heads.keys():
            groups += self._linker.groups(following)
            heads = _heads(groups)
        self._heads = heads
        ids = reached | heads.keys()
        states |= self._states(ids - states.keys())
        gathered += self._gather(groups[len(gathered) :], states)
        ends = heads | self._heads_of_ends(heads)
        messages: list[OpportunityMessage] = []
        for one in gathered:
            formed = one.form(ends)
            formed[0]["document"]["links"] += self._matches.links(  # type: ignore[typeddict-item]
                one.group.members, lambda one: ends.get(one, one)
            )
            messages += formed
        for identity in sorted(ids - heads.keys()):
            state = states.get(identity)
            if state is not None and (gone := form(state)) is not None:
                messages.append(gone)
        written |= self._shelf.written(ids - written.keys())
        found = [_formed(message) for message in messages]
        return [
            one._replace(shown=not one.message["document"]["stub"] or _had_document(before))
            for one in found
            if _is_news(one, before := written.get(one.message["id"]))
        ]

    def _gather(self, groups: Iterable[Group], states: Mapping[str, RecordState]) -> list[Gathered]:
        return [Gathered(group, states, self._linker) for group in groups]

    def _look_ahead(self, gathered: Iterable[Gathered]) -> set[str]:
        """Let matching know which records are of one opportunity, and what that comes to where it
        is not what they say; gives the ids whose links may have changed."""
        touched: set[str] = set()
        known = self._outlooks
        for each in gathered:
            members = each.group.members
            for one in members:
                head = each.group.head if len(members) > 1 else None
                touched |= self._matches.place(one, head)
            for one, outlook in each.outlooks().items():
                if outlook != known.get(one):
                    touched |= self._matches.put(one, each.states[one], outlook)
                    if outlook is None:
                        del known[one]
                    else:
                        known[one] = outlook
        return touched

    def _heads_of_ends(self, heads: Mapping[str, str]) -> dict[str, str]:
        """The opportunities of the records that links of these lead to."""
        ends = {other for one in heads for other in self._led_to(one)} - heads.keys()
        return self._linker.heads(ends)

    def _led_to(self, identity: str) -> set[str]:
        """The records that links of any type lead to from this one, or may."""
        linker = self._linker
        return {
            *linker.links(identity),
            *linker.spoken_with(identity),
            *self._matches.reached(identity),
        }

    def told(self) -> Mapping[str, RecordState]:
        """The states that `put_records` was last told and took, by key."""
        return self._told

    def fates(self, keys: Sequence[str]) -> dict[str, Fate]:
        """What the records with these keys came to when `form` was last asked. Nothing of those
        that never showed anything."""
        ids = {key: opportunity_of(key) for key in keys}
        gone = self._shelf.states([one for one in ids.values() if one not in self._heads])
        found: dict[str, Fate] = {}
        for key, identity in ids.items():
            head = self._heads.get(identity)
            if head is not None:
                found[key] = Fate(head, stub=False)
            elif identity in gone and orjson.loads(gone[identity])["indices"]:
                found[key] = Fate(identity, stub=True)
        return found

    def links(self) -> list[LinkMessage]:
        """The links that changed since this was last asked."""
        changed = self._linker.changed_links()
        found = [self._link(left, right) for left, right in sorted(changed)]
        matched, groupings = self._matches.changed(self._linker.heads)
        self._groupings += groupings
        return [*found, *(LinkMessage(*one) for one in matched)]

    def groupings(self) -> list[LinkMessage]:
        """The groupings that changed, among what `links` last looked at."""
        found, self._groupings = self._groupings, []
        return [LinkMessage(*one) for one in found]

    def missing_links(self, written: Mapping[str, bytes]) -> Iterator[LinkMessage]:
        """The links that are not `written` (digests of their messages by key) as they are now, and
        the ends of those that are none any more."""
        self._linker.changed_links()
        for key in written:
            left, _, right = key.partition(" ")
            # Keys of answers and joint purchases have a third word.
            if " " not in right and right not in self._linker.links(left):
                yield LinkMessage(key, None)
        links = (self._link(left, right) for (left, right), _ in self._linker.every_link())
        matched = (LinkMessage(*one) for one in self._matches.every_link(written))
        for one in chain(links, matched):
            if one.value is None or digest_of(one.value) != written.get(one.key):
                yield one

    def missing_groupings(self, written: Mapping[str, bytes]) -> list[LinkMessage]:
        """The same of groupings; `written` are the messages by key."""
        found = self._matches.every_grouping(written, self._linker.heads)
        return [LinkMessage(*one) for one in found if one.value != written.get(one.key)]

    def remember(self, formed: Iterable[Formed]) -> None:
        """These are on the log now."""
        self._shelf.put_written(one.written for one in formed)

    def refused(self, identities: Iterable[str]) -> None:
        """The index took not what was written under these ids: when next something is said of
        them, they are written again, whether or not it changes them."""
        self._shelf.doubt_written(identities)

    def _states(self, ids: Iterable[str]) -> dict[str, RecordState]:
        """The states of these records; those that were just told need not be read again."""
        fresh = self._fresh
        found = {one: fresh[one] for one in ids if one in fresh}
        stored = self._shelf.states([one for one in ids if one not in fresh])
        found.update((identity, orjson.loads(octets)) for identity, octets in stored.items())
        return found

    def _reached(self, touched: set[str]) -> set[str]:
        """With all that were last written into the same opportunities: they have to be told when
        one of them leaves."""
        written = self._shelf.written(touched)
        heads = {one.head or one.id for one in written.values()}
        return touched | heads | self._shelf.together(heads)

    def _link(self, left: str, right: str) -> LinkMessage:
        key = f"{left} {right}"
        judgement = self._linker.links(left).get(right)
        if judgement is None:
            return LinkMessage(key, None)
        book = self._linker.book
        value = {
            "type": str(judgement.type),
            "records": [left, right],
            "score": judgement.score,
            "joins": judgement.joins,
            "audience": book.at_id(left).audience,
            "reason": explain(book.at_id(left), book.at_id(right), judgement),
        }
        return LinkMessage(key, orjson.dumps(value))


@lru_cache(maxsize=10_000)
def _once(text: str) -> str:
    """One object for all records that were first told at one moment: a feed tells days."""
    return text


def _members(groups: Iterable[Group]) -> set[str]:
    return {one for group in groups for one in group.members}


def _heads(groups: Iterable[Group]) -> dict[str, str]:
    return {one: group.head for group in groups for one in group.members}


def _head_of(identity: str, written: Mapping[str, Written]) -> str:
    """In which opportunity a record was last written; its own where it never was."""
    known = written.get(identity)
    return (known.head if known else None) or identity


def digest_of(octets: bytes) -> bytes:
    """What tells whether a message is the one that was written before."""
    return blake2b(octets, digest_size=8).digest()


def written_of(identity: str, octets: bytes) -> Written:
    """What the shelf keeps of a message of `traverse.opportunities`."""
    digest = digest_of(octets)
    # Most messages say nothing of others: a look at the octets spares reading them.
    if b'"merged_into":"' not in octets and b'"merged":[' not in octets:
        if b'"links":[{' not in octets:
            return Written(identity, digest, None, linked=False)
        return Written(identity, digest, None, linked=True)
    document: Any = orjson.loads(octets)["document"]
    head = document.get("merged_into")
    return Written(identity, digest, head, linked=True)


def _formed(message: OpportunityMessage) -> Formed:
    document = orjson.dumps(message["document"])
    octets = orjson.dumps({**message, "document": orjson.Fragment(document)})
    return Formed(message, document, octets, written_of(message["id"], octets))


def _had_document(written: Written | None) -> bool:
    """Whether an id last held something of its own."""
    return written is not None and written.head is None


def _is_news(formed: Formed, written: Written | None) -> bool:
    return written is None or written.digest != formed.written.digest
