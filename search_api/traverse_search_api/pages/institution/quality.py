"""How well an institution publishes: what its last publications have and lack, by rules of which
each is explained and can be mended. Pure.

The score is the mean of the rules that apply, by their weights. The weights are ours: what lets a
reader decide at once whether a publication is for them counts most (`docs/pages.md`).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from traverse_schemas.documents.status import french_day

Document = Mapping[str, Any]
Query = dict[str, Any]

SCANNED: Final = 500
"""The last publications, which are read for the score: one question, whatever there is in all."""

REFUSALS: Final = "refus"
REFUSALS_COUNTED: Final = 100
REFUSAL_DAYS: Final = 30
_REFUSAL_WEIGHT: Final = 5

FIELDS: Final = [
    "id", "kind", "subtype", "title", "cpv", "amount", "deadline", "url", "actions", "contact",
    "place", "owner_kind", "flags", "state", "outcome", "stage", "notified", "end_max",
    "published_at", "updated_at", "sources",
]  # fmt: skip
"""What the rules read; a description is long, and only asked whether it is there."""

_DESCRIBED: Final = "described"
_IN_TIME: Final = timedelta(days=15)
_WIDE: Final = frozenset({"region", "state"})
_PURCHASES: Final = frozenset({"purchase", "purchase_programme", "contract", "concession"})
_ANSWERED_AT: Final = frozenset({"respond", "apply", "procedure"})
_HOUR_UNKNOWN: Final = "deadline_hour_unknown"  # has a rule of its own

Noun = tuple[str, str]
_PUBLICATION: Final = ("publication", "publications")
_CALL: Final = ("consultation ouverte", "consultations ouvertes")
_PURCHASE: Final = ("achat", "achats")


@dataclass(frozen=True, slots=True)
class Rule:
    """`applies` to a document at an instant, and then `holds` or not. `without` says what is
    missing after a count of `noun`; `mend` how to have it, `field` where the schema has it."""

    name: str
    weight: int
    label: str
    noun: Noun
    without: str
    mend: str
    applies: Callable[[Document, datetime], bool]
    holds: Callable[[Document, datetime], bool]
    field: str = ""


def _always(_: Document, __: datetime) -> bool:
    return True


def _open_call(one: Document, at: datetime) -> bool:
    """A call that can be answered now; one that is only announced has no deadline yet."""
    return _dated_call(one, at) and _instant(one["deadline"]["until"]) > at


def _purchase(one: Document, _: datetime) -> bool:
    return one["subtype"] in _PURCHASES


def _costs(one: Document, _: datetime) -> bool:
    return one["kind"] in {"call", "project"}


def _local(one: Document, _: datetime) -> bool:
    """What a region or the State publishes may well be for the whole of it."""
    return one["owner_kind"] not in _WIDE


def _dated_call(one: Document, _: datetime) -> bool:
    return one["kind"] == "call" and one.get("deadline") is not None


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _announced_in_time(one: Document, _: datetime) -> bool:
    return _instant(one["deadline"]["until"]) - _instant(one["published_at"]) >= _IN_TIME


def _precise(one: Document, _: datetime) -> bool:
    return any(code.startswith(("com:", "epci:", "zone:", "cp:")) for code in one["place"])


RULES: Final = (
    Rule(
        "description", 15, "Une description", _PUBLICATION, "sans description",
        "Dites en quelques phrases ce qui est fait, acheté ou cherché.",
        _always, lambda one, _: bool(one.get(_DESCRIBED)), "description",
    ),
    Rule(
        "echeance", 15, "L’heure de l’échéance", _CALL, "sans heure d’échéance",
        "Donnez l’heure limite de remise, pas le jour seul.",
        _open_call, lambda one, _: one["deadline"]["precision"] != "day",
        "deadlines, « 2026-04-02T12:00 »",
    ),
    Rule(
        "cpv", 10, "Des codes CPV", _PURCHASE, "sans code CPV",
        "Donnez au moins le code CPV principal : c’est par lui que les entreprises et les autres "
        "acheteurs vous trouvent.",
        _purchase, lambda one, _: bool(one.get("cpv")), "cpv",
    ),
    Rule(
        "montant", 10, "Un montant", ("marché ou projet", "marchés ou projets"), "sans montant",
        "Donnez une estimation ou un maximum.",
        _costs, lambda one, _: one.get("amount") is not None, "amounts",
    ),
    Rule(
        "lien", 10, "Un lien vers l’original", _PUBLICATION, "sans lien",
        "Donnez l’adresse de la page d’origine.",
        _always, lambda one, _: bool(one.get("url")), "url",
    ),
    Rule(
        "reponse", 10, "Une adresse où répondre", _CALL, "sans adresse de réponse",
        "Donnez l’adresse où répondre ou candidater.",
        _open_call,
        lambda one, _: any(each.get("kind") in _ANSWERED_AT for each in one.get("actions") or ()),
        "actions, « respond » ou « apply »",
    ),
    Rule(
        "contact", 5, "Un contact professionnel", ("publication en cours", "publications en cours"),
        "sans contact",
        "Donnez l’adresse d’un service plutôt que d’une personne.",
        lambda one, _: one["state"] == "active", lambda one, _: bool(one.get("contact")),
        "contact",
    ),
    Rule(
        "lieu", 10, "Un lieu précis", _PUBLICATION, "situées au département ou plus largement",
        "Donnez la commune ou l’intercommunalité.",
        _local, _precise, "place, « com:13055 » ou « epci:… »",
    ),
    Rule(
        "doutes", 5, "Rien de douteux", _PUBLICATION, "avec un doute sur qui achète",
        "Vérifiez le SIREN et le nom de qui achète : l’un des deux n’est pas connu.",
        _always, lambda one, _: not set(one.get("flags") or ()) - {_HOUR_UNKNOWN},
    ),
    Rule(
        "avance", 5, "Annoncé 15 jours avant l’échéance", ("consultation", "consultations"),
        "annoncées moins de 15 jours avant l’échéance",
        "Publiez dès que la consultation est lancée, et annoncez-la avant : petites entreprises et "
        "voisins ont besoin de temps.",
        _dated_call, _announced_in_time,
    ),
)  # fmt: skip
"""In the order of the page. With the refusals, their weights sum up to 100."""


@dataclass(frozen=True, slots=True)
class Mark:
    """What a rule found: of `count` publications that it is about, `missing` do not hold it."""

    name: str
    label: str
    weight: int
    count: int
    missing: int
    sentence: str
    mend: str


@dataclass(frozen=True, slots=True)
class Quality:
    """`score` from 0 to 100, None where nothing is published; the marks of the rules that apply."""

    score: int | None
    marks: tuple[Mark, ...]
    scanned: int

    @property
    def lacking(self) -> list[Mark]:
        """The rules that something lacks: what weighs most on the score first."""
        found = [mark for mark in self.marks if mark.missing]
        return sorted(found, key=lambda mark: -mark.weight * mark.missing / mark.count)

    @property
    def whole(self) -> list[Mark]:
        """The rules that all hold."""
        return [mark for mark in self.marks if not mark.missing]


def quality_body() -> Query:
    """What to ask of the index, and in which order: the last publications."""
    return {
        "size": SCANNED,
        "sort": [{"updated_at": "desc"}, {"id": "asc"}],
        "_source": FIELDS,
        "track_total_hits": False,
    }


def described() -> Query:
    """The clause that tells by its name which publications have a description."""
    has = {"exists": {"field": "description", "_name": _DESCRIBED}}
    return {"bool": {"should": [{"match_all": {}}, has]}}


def documents_of(found: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The publications of the answer, each with whether it has a description."""
    return [
        {**hit["_source"], _DESCRIBED: _DESCRIBED in hit.get("matched_queries", ())}
        for hit in found.get("hits", {}).get("hits", ())
    ]


def quality(
    documents: Sequence[Document], as_of: datetime, refused: int | None, accepted: int
) -> Quality:
    """The score. `refused` events of the last days, against the publications `accepted` in the
    same time; None when it is not known: the rule is then left out."""
    marks = [_mark(rule, documents, as_of) for rule in RULES]
    if refused is not None:
        marks.append(_refusals(refused, accepted))
    marks = [mark for mark in marks if mark.count]
    weight = sum(mark.weight for mark in marks)
    held = sum(mark.weight * (mark.count - mark.missing) / mark.count for mark in marks)
    # Rounded down: 100 is for who lacks nothing. The sum of fractions may fall short by a hair.
    score = int(100 * held / weight + 1e-9) if weight and documents else None
    return Quality(score, tuple(marks), len(documents))


def lacking(name: str, documents: Sequence[Document], as_of: datetime) -> list[Document]:
    """The publications that do not hold a rule, in their order; none for a rule that is none."""
    rules = [rule for rule in RULES if rule.name == name]
    return [
        one
        for rule in rules
        for one in documents
        if rule.applies(one, as_of) and not rule.holds(one, as_of)
    ]


def refusals_since(items: Sequence[Mapping[str, Any]], now: datetime) -> int:
    """How many of these refusals, as the gateway lists them, are of the last days."""
    first = french_day(now - timedelta(days=REFUSAL_DAYS)).isoformat()
    return sum(str(item["at"]) >= first for item in items)


def rule_named(name: str) -> Rule | None:
    """The rule of that name."""
    return next((rule for rule in RULES if rule.name == name), None)


def _mark(rule: Rule, documents: Sequence[Document], as_of: datetime) -> Mark:
    about = [one for one in documents if rule.applies(one, as_of)]
    missing = sum(not rule.holds(one, as_of) for one in about)
    sentence = f"{missing}\u00a0{rule.noun[missing > 1]} {_agreeing(rule.without, missing)}"
    return Mark(rule.name, rule.label, rule.weight, len(about), missing, sentence, rule.mend)


def _agreeing(words: str, count: int) -> str:
    """« annoncées », « annoncée » for one."""
    if count > 1:
        return words
    first, _, rest = words.partition(" ")
    return f"{first.removesuffix('s') if first.endswith('ées') else first} {rest}"


def _refusals(refused: int, accepted: int) -> Mark:
    more = "au moins " if refused >= REFUSALS_COUNTED else ""
    events = "événements refusés" if refused > 1 else "événement refusé"
    return Mark(
        REFUSALS, "Peu de refus", _REFUSAL_WEIGHT, refused + accepted, refused,
        f"{more}{refused}\u00a0{events} ces {REFUSAL_DAYS} derniers jours",
        "Corrigez la cause dite à chaque refus, puis rejouez : plus haut sur cette page.",
    )  # fmt: skip
