"""Link: from records and the groups they form to what each opportunity's id holds. Pure.

Every record has an id, and each id holds one thing: the document of the opportunity whose earliest
member it is, or a stub that says into which one it was merged, or a stub of what was withdrawn.
"""

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from traverse_schemas.decisions import Word
from traverse_schemas.documents.document import (
    PUBLIC_INDEX,
    OpportunityMessage,
    SourceRef,
    Stub,
    index_of,
)
from traverse_schemas.log.record_state import Life, RecordState
from traverse_stream_processors.linking.decisions import Saying
from traverse_stream_processors.linking.ended import Document, ended_lots
from traverse_stream_processors.linking.fitting import fitting
from traverse_stream_processors.linking.judge import LinkType, explain
from traverse_stream_processors.linking.linker import Group, Linker
from traverse_stream_processors.linking.merge import merge, outlook_of
from traverse_stream_processors.linking.procedure import procedure
from traverse_stream_processors.matching.facts import Outlook

_MOST_LINKS = 10
"""Links shown of one opportunity: the surest, ties by id."""


def form(state: RecordState) -> OpportunityMessage | None:
    """The opportunity of one record that stands alone; None while nothing was ever said that
    people could see.

    A withdrawn record becomes a stub in every index that held it. A record that changed audience
    leaves a stub in the index it left.
    """
    document = document_of(state)
    if document is not None:
        return _message(state, document)
    if not state["indices"]:
        return None
    where = PUBLIC_INDEX if PUBLIC_INDEX in state["indices"] else state["indices"][0]
    return OpportunityMessage(
        id=state["id"],
        index=where,
        stubs=[index for index in state["indices"] if index != where],
        document=Stub(id=state["id"], stub=True),
    )


class Gathered:
    """A group with what its records say, put together once however often it is asked.

    `states` has every member's."""

    def __init__(self, group: Group, states: Mapping[str, RecordState], linker: Linker) -> None:
        self.group = group
        self.states = states
        self._linker = linker

    @cached_property
    def _told(self) -> list[list[Document]]:
        """What the records of each thing say."""
        return [
            [document for one in thing if (document := document_of(self.states[one])) is not None]
            for thing in self.group.things
        ]

    @cached_property
    def _whole(self) -> Document:
        things = list(map(merge, self._told))
        if len(things) == 1:
            return things[0]
        numbers = (_lot_number(thing, self._linker) for thing in self.group.things)
        return procedure(list(zip(things, numbers, strict=True)))

    def outlooks(self) -> dict[str, Outlook | None]:
        """What it comes to for each of its members, None where that is what it says itself. What a
        member tells of is over when its opportunity is; one lot of several when that lot is."""
        if len(self.group.members) == 1:
            return {self.group.head: None}
        things = list(map(outlook_of, self._told))
        if len(things) > 1:
            closed, expires = self._whole["state"] == "closed", self._whole.get("expires", "")
            ended = ended_lots([self._whole])
            things = [
                one._replace(over=one.over or closed, expires=expires, ended_lots=ended)
                for one in things
            ]
        return {
            document["id"]: None if outlook == outlook_of([document]) else outlook
            for outlook, documents in zip(things, self._told, strict=True)
            for document in documents
        }

    def form(self, heads: Mapping[str, str]) -> list[OpportunityMessage]:
        """What the ids of its members hold: the opportunity, and stubs that lead to it. `heads` is
        the head of every record that a member is linked to."""
        group, states, linker = self.group, self.states, self._linker
        document = {**self._whole, "id": group.head, "links": _links(group, linker, heads)}
        if len(group.members) > 1:
            document["merged"] = _reasons(group, states, linker)
            document = fitting(document)
        messages = [_message(states[group.head], document)]
        for one in group.members:
            if one != group.head:
                stub = Stub(id=one, stub=True, merged_into=group.head)
                messages.append(_message(states[one], stub, index_of(document["visibility"])))
        return messages


def document_of(state: RecordState) -> Document | None:
    """What one record alone says, as a document; None when it says nothing or is withdrawn."""
    said, life = state["content"], state["life"]
    if said is None or (life is not None and life["state"] == "withdrawn"):
        return None
    content = said["content"]
    updated = max(said["version"][1], life["version"][1] if life else "")
    source = SourceRef(source=state["source"], subject=state["subject"], updated_at=str(updated))
    if "url" in content:
        source["url"] = content["url"]
    document: Document = {
        **content,
        "id": state["id"],
        "stub": False,
        "state": "active",
        "published_at": state["first_time"],
        "updated_at": updated,
        "sources": [source],
        "links": [],
    }
    if life is not None and life["state"] == "closed":
        document.update(_closing(document, life))
    return document


def _message(state: RecordState, document: Any, index: str | None = None) -> OpportunityMessage:
    """`stubs`: the other indices that this very id was ever in hold nothing but that it existed;
    where it leads to now is for those who may read it."""
    where = index or index_of(document["visibility"])
    return OpportunityMessage(
        id=state["id"],
        index=where,
        stubs=[other for other in state["indices"] if other != where],
        document=document,
    )


def _lot_number(thing: tuple[str, ...], linker: Linker) -> str | None:
    """The lot that a thing is; None: it is the whole procedure."""
    for one in thing:
        if lots := linker.book.at_id(one).lots:
            return lots[0]
    return None


def _links(group: Group, linker: Linker, heads: Mapping[str, str]) -> list[dict[str, object]]:
    """What this opportunity is to others: to each the surest link, with the reason. Where people
    spoke of two, what they `said`, for its sides: that they are not the same, which takes the link
    away from everybody else's sight; or that they are, which the other side has yet to say."""
    members = set(group.members)
    best: dict[str, tuple[float, str, str]] = {}
    for one in members:
        for other, judgement in linker.links(one).items():
            head = heads[other]
            if other not in members:
                best[head] = max(best.get(head, (0.0, "", "")), (judgement.score, one, other))
    chosen = sorted(best, key=lambda head: (-best[head][0], head))[:_MOST_LINKS]
    found = [_link(linker, best[head][1], best[head][2], head) for head in chosen]
    spoken = _spoken(group.members, members, linker, heads)
    return _with_words(found, spoken) if spoken else found


def _spoken(
    ordered: list[str], members: set[str], linker: Linker, heads: Mapping[str, str]
) -> dict[str, list[Saying]]:
    """What counts of what people said of these records and of others, by where those are. Of nearly
    all, nothing."""
    found: dict[str, list[Saying]] = {}
    for one in ordered:
        for other in sorted(linker.spoken_with(one) - members):
            if said := linker.sayings(one, other):
                found.setdefault(heads[other], []).extend(said)
    return found


def _with_words(
    links: list[dict[str, object]], spoken: Mapping[str, list[Saying]]
) -> list[dict[str, object]]:
    same = {str(link["id"]): link for link in links if link["type"] == LinkType.SAME}
    found = list(links)
    for head in sorted(spoken)[:_MOST_LINKS]:
        words = {one.word for one in spoken[head]}
        link = same.get(head)
        if link is None and Word.NOT_SAME in words:
            continue  # what nobody would have joined
        if link is None:
            link = {"type": str(LinkType.SAME), "id": head, "score": 0.0, "state": "asserted"}
            link["reason"] = "une seule des deux institutions l'a déclaré"
            found.append(link)
        link["said"] = [one.shown() for one in spoken[head]]
        if Word.NOT_SAME in words:
            link["state"] = "dismissed"
    return found


def _link(linker: Linker, one: str, other: str, head: str) -> dict[str, object]:
    judgement = linker.links(one)[other]
    return {
        "type": str(judgement.type),
        "id": head,
        "score": judgement.score,
        "reason": explain(linker.book.at_id(one), linker.book.at_id(other), judgement),
    }


def _reasons(
    group: Group, states: Mapping[str, RecordState], linker: Linker
) -> list[dict[str, object]]:
    """Why the records of a group are together: for each but the head, its surest link inside."""
    members = set(group.members)
    found: list[dict[str, object]] = []
    for one in sorted(members - {group.head}):
        inside = [
            (judgement.score, other)
            for other, judgement in linker.links(one).items()
            if other in members and judgement.joins
        ]
        entry: dict[str, object] = {
            "source": states[one]["source"],
            "subject": states[one]["subject"],
            "id": one,
        }
        if inside:
            _, other = max(inside)
            judgement = linker.links(one)[other]
            entry |= {
                "type": str(judgement.type),
                "score": judgement.score,
                "with": other,
                "reason": explain(linker.book.at_id(one), linker.book.at_id(other), judgement),
            }
        else:
            entry |= {"type": "same", "score": 1.0, "reason": "Les institutions l'ont déclaré."}
        found.append(entry)
    return found


def _closing(document: Document, life: Life) -> Document:
    """How it ended, laid over what was said: outcome, holders, the awarded sum, each lot."""
    closing: Document = {
        "state": "closed",
        "outcome": life["outcome"],
        "closed_on": life["closed_on"],
    }
    if "holders" in life:
        closing["holders"] = life["holders"]
    if "amount" in life:
        closing["amount"] = life["amount"]["value"]
        closing["amounts"] = [*document.get("amounts", []), life["amount"]]
    if "lots" in life:
        ended = {lot["number"]: lot for lot in life["lots"]}
        lots = [{**lot, **ended.pop(lot["number"], {})} for lot in document.get("lots", [])]
        closing["lots"] = [*lots, *ended.values()]
    return closing
