"""What a side of a link sees of it and may say, on the page of a record and in « Mon
institution ». Pure."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple

from traverse_schemas.decisions import Word
from traverse_schemas.signing.sources import siren_in
from traverse_search_api.access.reader import Reader
from traverse_search_api.answers.items import links_of_sides
from traverse_search_api.answers.links import FOR_SIDES
from traverse_search_api.pages.links.word import (
    TOLD,
    Matter,
    matter_of_link,
    own_records,
    records_of,
    said_by,
    said_of,
)

LINK_LABELS: Final = {
    "same:": "Même dossier",
    "lot:": "Lots probables",
    "answers:need": "Peut répondre à ce besoin",
    "answers:offer": "Peut répondre à",
    "joint:": "Achat à mutualiser",
}
"""What a link is called, by its type and by which side of it the reader looks from."""

SHOWN: Final = 20
"""Links of one kind in « Mon institution »."""


class Button(NamedTuple):
    """One thing to say. `plain`: beside what is expected rather."""

    word: str
    label: str
    plain: bool


class Side(NamedTuple):
    """Who looks: `siren` their institution, `may` whether they may speak for it here, `name_of`
    gives the name of an institution."""

    siren: str
    may: bool
    name_of: Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Talk:
    """What a side may say of two records, and what was said: `words` name who said what. `record`
    and `other` are the ids of both."""

    record: str
    other: str
    matter: str
    words: list[str]
    buttons: list[Button]


@dataclass(frozen=True, slots=True)
class SideLink:
    """A link of one's own opportunity. `own` and `own_address` are for a list of several."""

    type: str
    label: str
    title: str
    address: str
    reason: str
    state: str
    state_code: str
    own: str
    own_address: str
    talk: Talk


def side_links(
    document: Mapping[str, Any], as_of: datetime, reader: Reader, side: Side
) -> list[SideLink]:
    """The links of an opportunity of which people of an institution may say something; none where
    it is no side of the opportunity."""
    if not own_records(document, side.siren):
        return []
    return [
        _side_link(document, link, side)
        for link in links_of_sides(dict(document), as_of, reader)
        if matter_of_link(link) is not None
    ]


def _side_link(document: Mapping[str, Any], link: Mapping[str, Any], side: Side) -> SideLink:
    state = link.get("state", "")
    return SideLink(
        type=link["type"],
        label=label_of(link),
        title=", ".join(filter(None, (link.get("title"), link.get("owner")))),
        address=f"/fiche/{link['id']}",
        reason=link["reason"],
        state=link.get("state_label", ""),
        state_code=state,
        own=document["title"],
        own_address=f"/fiche/{document['id']}",
        talk=_talk(document, link, side),
    )


def label_of(link: Mapping[str, Any]) -> str:
    """What a link is called."""
    return LINK_LABELS.get(f"{link['type']}:{link.get('role', '')}", str(link["type"]))


def _talk(document: Mapping[str, Any], link: Mapping[str, Any], side: Side) -> Talk:
    matter = matter_of_link(link) or Matter.ANSWER
    mine = said_by(document, link["id"], matter, side.siren)
    words = [
        f"{TOLD[Word(said['word'])]} {side.name_of(siren_in(said['source']))}"
        for said in link.get("said", ())
    ]
    return Talk(
        record=document["id"],
        other=link["id"],
        matter=matter,
        words=list(dict.fromkeys(words)),
        buttons=list(_buttons(link, matter, bool(mine))) if side.may else [],
    )


def _buttons(link: Mapping[str, Any], matter: Matter, spoke: bool) -> Iterable[Button]:
    """What may be said next. Only the side in need says that its need is answered; that two
    purchases are one, both sides do."""
    state = link.get("state", "")
    if not spoke and state != "expired":
        if matter is Matter.SAME:
            if state != "dismissed":
                yield _button(Word.SAME_AS, matter)
                yield _button(Word.NOT_SAME, matter, plain=True)
        elif state != "dismissed":
            asked = matter is Matter.JOINT or link.get("role") == "need"
            if asked and state != "confirmed":
                yield _button(Word.CONFIRMED, matter)
            yield _button(Word.DISMISSED, matter, plain=True)
    if spoke:
        yield Button(Word.WITHDRAWN, "Reprendre notre réponse", plain=True)


def _button(word: Word, matter: Matter, *, plain: bool = False) -> Button:
    return Button(word, said_of(word, matter), plain)


def contests(document: Mapping[str, Any], side: Side) -> dict[str, Talk]:
    """How each publication of a merged opportunity is told to be of another thing, by the
    publication's id; none where the institution is no side, or there is but one."""
    records = records_of(document)
    if not side.may or len(records) < 2 or not own_records(document, side.siren):
        return {}
    button = [_button(Word.NOT_SAME, Matter.SAME, plain=True)]
    return {
        one.id: Talk(
            next(other.id for other in records if other != one), one.id, Matter.SAME, [], button
        )
        for one in records
    }


class Spoken(NamedTuple):
    """What a reader may say on the page of a record: of its links, by their type and id; of those
    that only the sides see (`aside`); of its publications, by their ids."""

    talks: Mapping[tuple[str, str], Talk]
    aside: list[SideLink]
    contests: Mapping[str, Talk]


NOTHING_SAID: Final = Spoken({}, [], {})
"""Who is no side of a record says nothing of it."""


def spoken_of(document: Mapping[str, Any], as_of: datetime, reader: Reader, side: Side) -> Spoken:
    """What people of an institution may say of an opportunity's links and publications."""
    links = side_links(document, as_of, reader, side)
    return Spoken(
        {(one.type, one.talk.other): one.talk for one in links if one.state_code not in FOR_SIDES},
        [one for one in links if one.state_code in FOR_SIDES],
        contests(document, side),
    )


class AnswersView(NamedTuple):
    """The answers of an institution's publications: what waits for its word or for the other
    side's, what is confirmed, what was set aside."""

    proposed: list[SideLink]
    confirmed: list[SideLink]
    dismissed: list[SideLink]


def answers_view(
    documents: Iterable[Mapping[str, Any]], as_of: datetime, reader: Reader, side: Side
) -> AnswersView:
    """The links of these documents, in their order, the first of each kind; joint purchases last,
    since « Mutualiser » has them too."""
    found = [
        link
        for document in documents
        for link in side_links(document, as_of, reader, side)
        if link.state_code != "expired"
    ]
    found.sort(key=lambda link: link.type == "joint")
    return AnswersView(
        [one for one in found if one.state_code in ("proposed", "asserted", "")][:SHOWN],
        [one for one in found if one.state_code == "confirmed"][:SHOWN],
        [one for one in found if one.state_code == "dismissed"][:SHOWN],
    )
