"""Matches: from records to the links that their opportunities show, and the messages to write.

Holds a matcher and a reader of facts together. No Kafka here. What is to be written is what changed
since it was last asked; a process that takes over asks for everything, and ends what is no more.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from typing import Any, Final, NamedTuple

import orjson

from traverse_schemas.decisions import Decision, DecisionKind, Word
from traverse_schemas.documents.grouping import Grouping, GroupingMessage, grouping_id, records_of
from traverse_schemas.log.record_state import RecordState
from traverse_stream_processors.likeness.model import Model
from traverse_stream_processors.linking.decisions import Saying
from traverse_stream_processors.matching.answers import Answer, reason_for_offer
from traverse_stream_processors.matching.facts import Facts, Outlook, Reader
from traverse_stream_processors.matching.groups import Key
from traverse_stream_processors.matching.joint import Together
from traverse_stream_processors.matching.matcher import Matcher
from traverse_stream_processors.matching.shown import rank, shown
from traverse_stream_processors.matching.words import DISMISSED

ANSWERS: Final = "answers"
JOINT: Final = "joint"

Heads = Callable[[Iterable[str]], Mapping[str, str]]
"""Gives the opportunities of those records that are in another's."""


def _alone(_: Iterable[str]) -> Mapping[str, str]:
    return {}


class MatchMessage(NamedTuple):
    """A message of a topic: `value` is None when there is nothing under the key any more."""

    key: str
    value: bytes | None


class Matches:
    """Told of records; gives the links of any, and what changed on the topics."""

    def __init__(self, model: Model, reader: Reader | None = None) -> None:
        """`reader`: one of this model that is at hand."""
        self._reader = reader or Reader(model)
        self._matcher = Matcher(model.version)
        self._model = model.version

    def put(
        self, identity: str, state: RecordState | None, outlook: Outlook | None = None
    ) -> set[str]:
        """Know a record by its state, and by the outlook of its opportunity where that is not its
        own; gives the ids whose links may have changed."""
        facts = None if state is None else self._reader.read(state, outlook)
        return self._matcher.put(identity, facts)

    def decide(self, decision: Decision) -> set[str]:
        """Know what people say of two records or of a grouping; gives the ids whose links may have
        changed."""
        kind = DecisionKind.GROUPING if "grouping" in decision else DecisionKind.LINK
        return self._matcher.decide(decision, kind)

    def links(self, members: Iterable[str], head_of: Callable[[str], str]) -> list[dict[str, Any]]:
        """The links that the opportunity of these records shows: what answers its needs, the needs
        it answers, purchases it could be made with. `head_of` gives the opportunity of a record.

        A link shows only to those who may read both ends: on a public document only public ends
        stand; elsewhere each end tells its `audience`. A link of which people spoke tells what they
        `said`; one that they dismissed, of any two records of the two opportunities, is there with
        that state for its sides alone to see. The other end of a joint purchase says whether it is
        a contract that ends (`renewal`), of which nobody said a need.
        """
        # Two that tell the same are told apart by their ids, never by which came first.
        inside = sorted(members)
        own = {head_of(one) for one in inside}
        best: dict[tuple[str, str], dict[str, Any]] = {}
        ends: dict[tuple[str, str], tuple[str, str]] = {}
        for one in inside:
            for link in sorted(self._links_of(one), key=_other):
                other, link["id"] = link["id"], head_of(link["id"])
                place = (link["type"], link["id"])
                known = best.get(place)
                if link["id"] not in own and (known is None or rank(link) < rank(known)):
                    best[place], ends[place] = link, (one, other)
        for head, said in self._spoken(inside, head_of).items():
            for matter in (ANSWERS, JOINT):
                if (spoken := best.get((matter, head))) is not None:
                    spoken["said"] = [one.shown() for one in said]
                    if any(one.word is Word.DISMISSED for one in said):
                        spoken["state"] = DISMISSED
        found = sorted(shown(best.values()), key=rank)
        for link in found:
            if link.get("role") == "offer":
                offer, need = ends[link["type"], link["id"]]
                link["reason"] = self._reason_for_offer(need, offer, link["reason"])
        return found

    def linked(self) -> Iterator[str]:
        """The ids of all records that are something to another."""
        for left, right, _ in (*self._pairs(), *self._bonds()):
            yield from (left, right)

    def reached(self, identity: str) -> set[str]:
        """The records that this one's links lead to, and those whose links lead to it, whoever may
        read them."""
        return {
            *self._matcher.chosen(identity),
            *(need for need, _ in self._matcher.answered_by(identity)),
            *self._matcher.joint_with(identity),
            *self._matcher.spoken_with(identity),
        }

    def placed(self) -> Set[str]:
        """The records that are known to be in opportunities of several."""
        return self._matcher.placed()

    def place(self, identity: str, head: str | None) -> set[str]:
        """Know the opportunity of a record by its head, None where it is alone in it: of what
        answers a need, each opportunity counts once. Gives the ids whose links may have changed."""
        return self._matcher.place(identity, head)

    def moved(self, identities: Iterable[str]) -> None:
        """These records are in other opportunities now than they were."""
        self._matcher.moved(identities)

    def changed(self, heads: Heads = _alone) -> tuple[list[MatchMessage], list[MatchMessage]]:
        """The messages of links and of groupings that changed since this was last asked; `heads`
        gives the opportunities of records, of which each counts once in a grouping."""
        answers, bonds, groupings = self._matcher.changed()
        links = [self._answer_message(need, offer) for need, offer in sorted(answers)]
        links += [self._joint_message(left, right) for left, right in sorted(bonds)]
        return links, self._grouping_messages(groupings, heads)

    def every_link(self, written: Iterable[str]) -> Iterator[MatchMessage]:
        """All links, and the ends of those that are `written` (their keys) and are none any more.
        Keys of links that are not ours are left alone."""
        self._matcher.changed()
        for key in written:
            left, _, rest = key.partition(" ")
            right, _, kind = rest.partition(" ")
            if kind == ANSWERS and self._matcher.answer(left, right) is None:
                yield MatchMessage(key, None)
            if kind == JOINT and right not in self._matcher.joint_with(left):
                yield MatchMessage(key, None)
        for need, offer, _ in self._pairs():
            yield self._answer_message(need, offer)
        for left, right, _ in self._bonds():
            yield self._joint_message(left, right)

    def every_grouping(
        self, written: Mapping[str, bytes], heads: Heads = _alone
    ) -> list[MatchMessage]:
        """All groupings, and where the members are of those that are `written` (the messages by
        key) and are none any more: or their ends, of what led to them too."""
        every = self._grouping_messages(dict.fromkeys(self._matcher.every_grouping(), ()), heads)
        # What came to be of one purchase is none any more.
        found = [one for one in every if one.value is not None]
        there = {one.key for one in found}
        leads: dict[str, str] = {}
        for key, octets in written.items():
            if key in there:
                continue
            message: GroupingMessage = orjson.loads(octets)
            if "moved_to" in message:
                leads[key] = message["moved_to"]
                continue
            members = records_of(message["grouping"])
            found.append(ended := self._moved(message["id"], message["layer"], members, heads))
            if ended.value is not None:
                leads[key] = orjson.loads(ended.value)["moved_to"]
        return [*found, *(MatchMessage(key, None) for key in leads if not _lead(key, leads, there))]

    def _pairs(self) -> Iterator[tuple[str, str, Answer]]:
        return self._matcher.every_answer()

    def _bonds(self) -> Iterator[tuple[str, str, Together]]:
        return self._matcher.every_bond()

    def _spoken(
        self, members: Iterable[str], head_of: Callable[[str], str]
    ) -> dict[str, list[Saying]]:
        """What counts of what people said of these records and of those of another opportunity, by
        the id of that one. Of nearly all, nothing."""
        found: dict[str, list[Saying]] = {}
        for one in members:
            for other in sorted(self._matcher.spoken_with(one)):
                if said := self._matcher.sayings(one, other):
                    found.setdefault(head_of(other), []).extend(said)
        return found

    def _links_of(self, identity: str) -> Iterator[dict[str, Any]]:
        mine = self._matcher.get(identity)
        if mine is None:
            return
        for other in self._matcher.spoken_with(identity):
            for role, pair in (("need", (identity, other)), ("offer", (other, identity))):
                if (dismissed := self._matcher.dismissed(*pair)) is not None:
                    yield from self._link(mine, other, ANSWERS, role, dismissed)
        for other, answer in self._matcher.chosen(identity).items():
            yield from self._link(mine, other, ANSWERS, "need", answer)
        for other, answer in self._matcher.answered_by(identity):
            yield from self._link(mine, other, ANSWERS, "offer", answer)
        for other, bond in self._matcher.joint_with(identity).items():
            yield from self._link(mine, other, JOINT, "", bond)

    def _link(
        self, mine: Facts, other: str, kind: str, role: str, found: Answer | Together
    ) -> Iterator[dict[str, Any]]:
        """One link as a document shows it; `role` says which side of an answer this record is."""
        theirs = self._matcher.get(other)
        if theirs is None or (mine.audience == "public" and theirs.audience != "public"):
            return
        link: dict[str, Any] = {
            "type": kind,
            "id": other,
            "title": theirs.title,
            "owner": theirs.owner_name,
            "score": found.score,
            "reason": found.reason,
            "state": found.state,
            "audience": theirs.audience,
        }
        if role:
            link["role"] = role
        if kind == JOINT and theirs.purchase is not None and theirs.purchase.renewal:
            link["renewal"] = True
        until = found.until
        if until and not until.startswith("9999"):
            link["until"] = until
        yield link

    def _reason_for_offer(self, need: str, offer: str, reason: str) -> str:
        asked, offered = self._matcher.get(need), self._matcher.get(offer)
        if asked is None or offered is None:
            return reason
        return reason_for_offer(asked, offered, reason)

    def _answer_message(self, need: str, offer: str) -> MatchMessage:
        key = f"{need} {offer} {ANSWERS}"
        found = self._matcher.answer(need, offer)
        if found is None:
            return MatchMessage(key, None)
        more = {"until": found.until} if found.until else {}
        return self._message(key, ANSWERS, (need, offer), found, more)

    def _joint_message(self, left: str, right: str) -> MatchMessage:
        key = f"{left} {right} {JOINT}"
        found = self._matcher.joint_with(left).get(right)
        if found is None:
            return MatchMessage(key, None)
        more: dict[str, Any] = {"window": [found.start, found.end]}
        if found.expires:
            more["until"] = found.until
        return self._message(key, JOINT, (left, right), found, more)

    def _message(
        self,
        key: str,
        kind: str,
        ends: tuple[str, str],
        found: Answer | Together,
        more: Mapping[str, Any],
    ) -> MatchMessage:
        sides = [self._matcher.get(one) for one in ends]
        value = {
            "type": kind,
            "records": list(ends),
            "score": found.score,
            "state": found.state,
            "audience": [side.audience for side in sides if side is not None],
            "reason": found.reason,
            "model": self._model,
            **more,
        }
        return MatchMessage(key, orjson.dumps(value))

    def _grouping_messages(
        self, keys: Mapping[Key, Sequence[str]], heads: Heads
    ) -> list[MatchMessage]:
        return [self._grouping_message(key, keys[key], heads) for key in sorted(keys)]

    def _grouping_message(self, key: Key, members: Sequence[str], heads: Heads) -> MatchMessage:
        """What a grouping says, or where most of its former members are."""
        identity = grouping_id(*key)
        grouping = self._grouping(key, heads)
        if grouping is None:
            return self._moved(identity, key.layer, members, heads)
        message = GroupingMessage(id=identity, layer=key.layer, grouping=grouping)
        return MatchMessage(identity, orjson.dumps(message))

    def _grouping(self, key: Key, heads: Heads) -> Grouping | None:
        known = heads(self._matcher.grouped(key))
        return self._matcher.grouping(key, lambda one: known.get(one, one))

    def _moved(
        self, identity: str, layer: str, members: Iterable[str], heads: Heads
    ) -> MatchMessage:
        """Where most of the members are of what is no grouping any more: in one that there is."""
        for key in self._matcher.successors(layer, members):
            if self._grouping(key, heads) is not None:
                message = GroupingMessage(id=identity, layer=layer, moved_to=grouping_id(*key))
                return MatchMessage(identity, orjson.dumps(message))
        return MatchMessage(identity, None)


def _lead(key: str, leads: Mapping[str, str], there: Set[str]) -> bool:
    """Whether a way that leads from one to another ends at one that is there."""
    passed = set()
    while key in leads and key not in passed:
        passed.add(key)
        key = leads[key]
    return key in there


def _other(link: dict[str, Any]) -> str:
    return str(link["id"])
