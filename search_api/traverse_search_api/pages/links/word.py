"""What an institution says of two records, from a click to events (`decisions.py`): that one
answers the other or not, that both are one purchase or not, or one record or not. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import product
from typing import Any, Final, NamedTuple

from traverse_schemas.decisions import DecisionKind, Word
from traverse_schemas.events import event_type
from traverse_schemas.log.identity import opportunity_id, utc_text
from traverse_schemas.signing.sources import siren_in
from traverse_search_api.errors import InvalidParameterError
from traverse_search_api.pages.need.form import source_of

MOST_PAIRS: Final = 50
"""Events of one click at most; by far most are one."""

SAID: Final[dict[Word, str]] = {
    Word.CONFIRMED: "Cela répond à notre besoin",
    Word.DISMISSED: "Pas pour nous",
    Word.SAME_AS: "C’est le même dossier",
    Word.NOT_SAME: "Ce n’est pas le même dossier",
    Word.WITHDRAWN: "Réponse reprise",
}

_SAME_PURCHASE: Final = "C’est le même achat"

TOLD: Final[dict[Word, str]] = {
    Word.CONFIRMED: "Confirmé par",
    Word.DISMISSED: "Écarté par",
    Word.SAME_AS: "Même dossier, selon",
    Word.NOT_SAME: "Pas le même dossier, selon",
}
"""The same, as others are told of it; the institution's name follows."""


class Matter(StrEnum):
    """What is spoken of; each has a subject of its own for the same two records."""

    ANSWER = "reponse"
    JOINT = "achat"
    SAME = "dossier"


_MATTERS: Final = {
    Word.CONFIRMED: (Matter.ANSWER, Matter.JOINT),
    Word.DISMISSED: (Matter.ANSWER, Matter.JOINT),
    Word.SAME_AS: (Matter.SAME,),
    Word.NOT_SAME: (Matter.SAME,),
    Word.WITHDRAWN: tuple(Matter),
}
"""What a word may be about: where a form does not say, the first."""


class Ref(NamedTuple):
    """A record by its identity."""

    source: str
    subject: str

    @property
    def id(self) -> str:
        return opportunity_id(self.source, self.subject)


class Said(NamedTuple):
    """What the institution said before, as a link tells it; the version is (sequence, time, id)."""

    source: str
    subject: str
    version: tuple[int, str, str]


def word_of(text: str) -> Word:
    """The word of a form. Raises InvalidParameterError."""
    try:
        return Word(text)
    except ValueError:
        raise InvalidParameterError(
            "mot", "Cette réponse n’existe pas : revenez à la fiche."
        ) from None


def matter_of(word: Word, text: str) -> Matter:
    """What a word is about; who takes one back says so. Raises InvalidParameterError."""
    may = _MATTERS[word]
    if text in may:
        return Matter(text)
    if word is Word.WITHDRAWN:
        raise InvalidParameterError("sujet", "Dites ce que vous reprenez : revenez à la fiche.")
    return may[0]


def said_of(word: Word, matter: Matter) -> str:
    """A word, as the button says it."""
    both = matter is Matter.JOINT and word is Word.CONFIRMED
    return _SAME_PURCHASE if both else SAID[word]


def records_of(document: Mapping[str, Any]) -> list[Ref]:
    """The records of an opportunity, the earliest first."""
    return [Ref(one["source"], one["subject"]) for one in document["sources"]]


def own_records(document: Mapping[str, Any], siren: str) -> list[Ref]:
    """Those for which an institution may speak, as far as the document tells: those that it
    publishes, and the one that names it as the owner. Whether a word counts is judged by the
    linking step; here it is who is asked for one."""
    records = records_of(document)
    found = [one for one in records if siren_in(one.source) == siren]
    if document.get("owner_siren") == siren:
        named = document.get("provenance", {}).get("owner_kind")
        owned = Ref(named["source"], named["subject"]) if named else records[0]
        if owned not in found:
            found.append(owned)
    return found


def pairs_of(
    matter: Matter,
    mine: Mapping[str, Any],
    theirs: Mapping[str, Any],
    named: str,
    siren: str,
) -> list[tuple[Ref, Ref]]:
    """The pairs of records that a word is said of; none where the institution is no side.

    An answer is between two opportunities: one pair of their records says it. That two are the same
    or not is a matter of records: `named` is the one of `theirs` that is meant, of a document that
    has both. That two are one purchase is said of all pairs, since each may bring them together.
    Raises InvalidParameterError when they are too many for a click.
    """
    ours, others = own_records(mine, siren), own_records(theirs, siren)
    if matter is not Matter.SAME and (mine["id"] == theirs["id"] or not (ours or others)):
        return []
    if matter is Matter.ANSWER:
        return [((ours or records_of(mine))[0], (others or records_of(theirs))[0])]
    left, right = records_of(mine), records_of(theirs)
    if mine["id"] == theirs["id"]:
        right = [one for one in right if one.id == named]
        left = [one for one in left if one not in right]
    spoken = {*ours, *others}
    found = [
        pair
        for pair in product(left, right)
        if matter is Matter.JOINT or not spoken.isdisjoint(pair)
    ]
    if len(found) > MOST_PAIRS:
        raise InvalidParameterError(
            "avec",
            f"Ces fiches réunissent trop de publications pour le dire d’un clic (plus de "
            f"{MOST_PAIRS} paires) : demandez à qui publie pour votre institution "
            "de le dire depuis son logiciel.",
        )
    return found


def said_by(
    document: Mapping[str, Any], other: str, matter: Matter, siren: str
) -> list[dict[str, Any]]:
    """What an institution said of an opportunity and another, as the link between them tells it,
    the last first."""
    found = [
        said
        for link in document.get("links", ())
        if link["id"] == other and matter_of_link(link) is matter
        for said in link.get("said", ())
        if siren_in(said["source"]) == siren
    ]
    return sorted(found, key=lambda said: tuple(said["version"]), reverse=True)


def matter_of_link(link: Mapping[str, Any]) -> Matter | None:
    """What people may say of a link."""
    return {"answers": Matter.ANSWER, "joint": Matter.JOINT, "same": Matter.SAME}.get(link["type"])


def word_events(
    word: Word,
    matter: Matter,
    pairs: Sequence[tuple[Ref, Ref]],
    known: Iterable[Said],
    *,
    siren: str,
    now: datetime,
    ids: Iterable[str],
) -> list[dict[str, Any]]:
    """The CloudEvents of a word. Of two records an institution has one word here: the last. Taken
    back is also what it said elsewhere (`known`), under what it said it."""
    known = list(known)
    places = {(source_of(siren), _subject(matter, *pair)): pair for pair in pairs}
    if word is Word.WITHDRAWN and pairs:
        places |= {(one.source, one.subject): pairs[0] for one in known}
    sequence = max((one.version[0] for one in known), default=0)
    return [
        {
            "specversion": "1.0",
            "id": event_id,
            "source": source,
            "type": event_type(DecisionKind.LINK, word),
            "subject": subject,
            "time": utc_text(_after(known, now)),
            "datacontenttype": "application/json",
            **({"sequence": sequence} if sequence else {}),
            "data": {"records": [one._asdict() for one in pair]},
        }
        for ((source, subject), pair), event_id in zip(places.items(), ids, strict=False)
    ]


def _subject(matter: Matter, one: Ref, other: Ref) -> str:
    return f"{matter}-{min(one.id, other.id)}-{max(one.id, other.id)}"


def _after(known: Iterable[Said], now: datetime) -> datetime:
    """Now, or right after what was said before: the clocks of two machines may differ."""
    last = max((datetime.fromisoformat(one.version[1]) for one in known), default=now)
    return max(now, last + timedelta(microseconds=1)) if last >= now else now
