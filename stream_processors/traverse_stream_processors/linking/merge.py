"""Merge: the one document of several records of one thing, each field with where it comes from.

Whose thing it is, most institutions say; of as many, those that do not speak for themselves: nobody
takes a thing over by calling it their own. The winner of a field: what the owner says of its own
thing, before what others relay, and what names another owner last; then the more precise; then the
more recent; then the lesser id, so that nothing is left to chance. What the others say otherwise is
kept beside it as claims. Lots, deadlines and the awards of several notices are put together from
all who tell of them (`ended.py`). Pure.
"""

from collections.abc import Callable, Iterable, Sequence, Set
from typing import Any, Final

import orjson

from traverse_stream_processors.linking.ended import (
    Document,
    awards_of_lots,
    ended_lots,
    holders_of,
    joined_deadlines,
    joined_lots,
    sum_of,
)
from traverse_stream_processors.matching.facts import ENDED_STAGES, Outlook

# Fields that are taken from one record together, by the first of them.
_TOGETHER: Final[tuple[tuple[str, ...], ...]] = (
    ("owner_kind", "owner_siren", "owner_id"),
    ("title", "language"),
    ("place", "within", "covers", "territory", "place_names", "location"),
    ("cpv", "cpv_within", "cpv_labels"),
    ("amount", "amounts"),
    ("deadline", "deadlines"),
    ("state", "outcome", "closed_on"),
)
# Fields that say nothing of the thing, that all records of one thing share, or that have a rule of
# their own.
_APART: Final = frozenset(
    {
        "id", "stub", "kind", "subtype", "visibility", "audience", "institutions", "references",
        "flags", "sources", "links", "published_at", "updated_at", "provenance",
        "expires",
    }
)  # fmt: skip
_FLAG_OF_FIELD: Final = {
    "deadline_hour_unknown": "deadline",
    "owner_number_invalid": "owner_kind",
    "owner_name_unknown": "owner_kind",
}
_LEVELS: Final = ("fr", "reg", "dep", "zone", "epci", "cp", "com")
_AMOUNTS: Final = ("subsidy", "cost", "maximum", "estimate", "awarded")
_CLAIM_LENGTH: Final = 500
_CLAIM_OCTETS: Final = 2000
_MOST_CLAIMS: Final = 20
_MOST_REFERENCES: Final = 100


def merge(documents: Sequence[Document], before: Set[str] = frozenset()) -> Document:
    """One document of those of several records (each as `link.document_of` makes it), by the rule
    above. The id is the caller's to set. What those with the ids `before` say goes first, but how
    the thing ended.

    `provenance` says of each field which source it comes from and when that source said it, with
    the other sources' claims where they differ.
    """
    if len(documents) == 1:
        return dict(documents[0])
    by_id = sorted(documents, key=_id)
    ordered = sorted(by_id, key=lambda one: one["published_at"])
    owner = _owner(ordered)
    merged: Document = {name: ordered[0][name] for name in ("id", "stub", "kind", "subtype")}
    provenance: dict[str, Any] = {}
    winners: dict[str, Document] = {}
    ranks = _Ranks(owner, before, ordered)
    for fields in _groups(ordered):
        field = fields[0]
        having = [one for one in ordered if field in one]
        # Of those that rank alike max() takes the first: the lesser id.
        winner = max((one for one in by_id if field in one), key=ranks.of(field))
        winners[field] = winner
        merged.update({name: winner[name] for name in fields if name in winner})
        provenance[field] = _provenance(field, winner, having)
    for field, joined in (("lots", joined_lots), ("deadlines", joined_deadlines)):
        if field in merged:
            first = winners.get(field) or winners["deadline"]
            others = ranks.best_first(field, by_id)
            merged[field] = joined([first, *(one for one in others if one is not first)])
    awards = awards_of_lots(ranks.best_first("holders", by_id))
    if len(awards) > 1 and merged.get("outcome") == "awarded":
        if holders := holders_of(awards):
            merged["holders"] = holders
        merged["closed_on"] = max(one["closed_on"] for one in awards)
        if winners.get("amount") in awards:
            merged |= sum_of(awards)
    if expires := _expires(ordered, owner):
        merged["expires"] = expires
    merged["visibility"] = ordered[0]["visibility"]
    if "audience" in ordered[0]:
        merged["audience"] = ordered[0]["audience"]
    merged["institutions"] = _institutions(winners["owner_kind"], ordered)
    if references := _union(ordered, "references")[:_MOST_REFERENCES]:
        merged["references"] = references
    if flags := _flags(winners, ordered):
        merged["flags"] = flags
    merged["sources"] = [source for one in ordered for source in one["sources"]]
    merged["links"] = []
    merged["published_at"] = ordered[0]["published_at"]
    merged["updated_at"] = max(one["updated_at"] for one in ordered)
    merged["provenance"] = provenance
    return merged


def outlook_of(documents: Sequence[Document]) -> Outlook:
    """What `merge` of these makes of whether the thing is over, of its deadline and of how long it
    is shown, without the rest."""
    ordered = sorted(sorted(documents, key=_id), key=lambda one: one["published_at"])
    owner = _owner(ordered)
    ranks = _Ranks(owner, frozenset(), ordered)

    def won(field: str) -> Any:
        having = sorted((one for one in documents if field in one), key=_id)
        return max(having, key=ranks.of(field))[field] if having else None

    over = won("state") == "closed" or won("stage") in ENDED_STAGES
    return Outlook(over, won("deadline"), _expires(ordered, owner) or "", ended_lots(documents))


def _id(one: Document) -> str:
    return str(one["id"])


def _groups(documents: Iterable[Document]) -> list[tuple[str, ...]]:
    """The fields that these have, as they are taken together: a group begins with the first that
    any of them has."""
    names = {name for one in documents for name in one}
    together = [tuple(name for name in fields if name in names) for fields in _TOGETHER]
    single = sorted(names - {name for fields in _TOGETHER for name in fields} - _APART)
    return [*filter(None, together), *((name,) for name in single)]


def _owner(ordered: Iterable[Document]) -> str:
    """The SIREN of whose thing it is, "" where nobody names one. Not by time alone: an event is
    dated by whoever sends it."""
    told_by: dict[str, set[str]] = {}
    for one in ordered:
        if siren := one.get("owner_siren"):
            told_by.setdefault(siren, set()).add(_speaker(one))
    # Of those that rank alike max() takes the first: the earliest.
    return max(told_by, key=lambda it: (len(told_by[it]), it not in told_by[it]), default="")


def _speaker(one: Document) -> str:
    """The SIREN of the institution that says it."""
    source: str = one["sources"][0]["source"]
    return source[10:19]


class _Ranks:
    """Whose word on a field goes before whose: the greater rank wins."""

    def __init__(self, owner: str, before: Set[str], documents: Iterable[Document]) -> None:
        self._owner = owner
        self._before = before
        # The last word of the owner on its own thing.
        self._last_word = max(
            (one["updated_at"] for one in documents if self._is_own(one)), default=""
        )

    def of(self, field: str) -> Callable[[Document], tuple[Any, ...]]:
        precision = _PRECISIONS.get(field, _no_precision)

        def rank(one: Document) -> tuple[Any, ...]:
            own = self._is_own(one)
            if field == "state":
                # How a thing ended is known to whoever tells of its end: an owner that published
                # the call and said nothing since does not contradict it.
                first: tuple[Any, ...] = (precision(one) if self._ends(one, own) else 0, own)
            else:
                first = (one["id"] in self._before, own, precision(one))
            return (self._agrees(one), *first, one["updated_at"])

        return rank

    def best_first(self, field: str, documents: Sequence[Document]) -> list[Document]:
        """The documents as they rank for a field; those without it last, in their order."""
        having = sorted(
            (one for one in documents if field in one), key=self.of(field), reverse=True
        )
        return [*having, *(one for one in documents if field not in one)]

    def _agrees(self, one: Document) -> bool:
        return bool(one.get("owner_siren", self._owner) == self._owner)

    def _is_own(self, one: Document) -> bool:
        return self._agrees(one) and _speaker(one) == self._owner

    def _ends(self, one: Document, own: bool) -> bool:
        """Whether it is an end that counts: whoever has a holder to name knows of one; that nothing
        came of a thing its owner knows better, who has spoken of it since."""
        return one["state"] == "closed" and (
            own or one.get("outcome") == "awarded" or one["updated_at"] > self._last_word
        )


def _expires(documents: Sequence[Document], owner: str) -> str | None:
    """Until when it is worth showing: what the owner says of its own thing, who may say nothing of
    it; else when all say so, the latest. Nobody takes away what another shows."""
    own = [one for one in documents if one.get("owner_siren") == owner and _speaker(one) == owner]
    said = [one.get("expires", "") for one in own or documents]
    return max(said) if all(said) else None


def _provenance(field: str, winner: Document, having: Sequence[Document]) -> dict[str, Any]:
    found = said_by(winner)
    claims = [
        {**said_by(one), "value": _short(one[field])}
        for one in having
        if one is not winner and one[field] != winner[field]
    ][:_MOST_CLAIMS]
    return {**found, "claims": claims} if claims else found


def said_by(one: Document) -> dict[str, Any]:
    """Who says what a document of one record says, and since when."""
    source = one["sources"][0]
    return {"source": source["source"], "subject": source["subject"], "at": source["updated_at"]}


def _short(value: Any) -> Any:
    """A claim to read, not a second record: long texts are cut, long lists left where they are."""
    if isinstance(value, str):
        return value if len(value) <= _CLAIM_LENGTH else value[:_CLAIM_LENGTH] + "…"
    if isinstance(value, list | dict) and len(orjson.dumps(value)) > _CLAIM_OCTETS:
        return None
    return value


def _institutions(owner: Document, documents: Sequence[Document]) -> list[dict[str, Any]]:
    """The owner, the owners that others name, then who says it; each once."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    claimed = sorted(documents, key=lambda one: one is not owner)
    for role in ("owner", "source"):
        for one in claimed:
            for institution in one["institutions"]:
                if institution["role"] == role:
                    key = institution.get("siren") or institution["name"]
                    found.setdefault((role, key), institution)
    owners = {key for role, key in found if role == "owner"}
    return [one for (role, key), one in found.items() if role == "owner" or key not in owners]


def _union(documents: Iterable[Document], field: str) -> list[Any]:
    return list(dict.fromkeys(value for one in documents for value in one.get(field, ())))


def _flags(winners: dict[str, Document], documents: Sequence[Document]) -> list[str]:
    """A flag goes with the field that it warns of."""
    return [
        flag
        for flag in _union(documents, "flags")
        if (field := _FLAG_OF_FIELD.get(flag)) is None
        or flag in winners.get(field, {}).get("flags", ())
    ]


def _no_precision(_: Document) -> int:
    return 0


def _place_precision(one: Document) -> int:
    level = one["place"][0].partition(":")[0]
    return _LEVELS.index(level) if level in _LEVELS else 0


def _amount_precision(one: Document) -> int:
    kinds = [part["kind"] for part in one.get("amounts", ()) if part["value"] == one["amount"]]
    return max((_AMOUNTS.index(kind) for kind in kinds if kind in _AMOUNTS), default=-1)


_PRECISIONS: Final[dict[str, Callable[[Document], Any]]] = {
    "owner_kind": lambda one: ("owner_siren" in one, "owner_id" in one),
    "title": lambda one: min(len(one["title"]), 150),
    "description": lambda one: len(one["description"]),
    "place": _place_precision,
    "cpv": lambda one: sum(len(code.rstrip("0")) for code in one["cpv"][:3]),
    "amount": _amount_precision,
    "deadline": lambda one: one["deadline"]["precision"] != "day",
    "lots": lambda one: (len(one["lots"]), sum(len(lot) for lot in one["lots"])),
    "holders": lambda one: sum("id" in holder for holder in one["holders"]),
    "state": lambda one: 2 if one.get("outcome") == "awarded" else 1,
}
