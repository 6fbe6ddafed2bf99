"""The page of one opportunity as data for its template. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from traverse_schemas.documents.status import Status
from traverse_schemas.french.numbers import euros
from traverse_schemas.log.identity import opportunity_id
from traverse_schemas.reference.territories import Territories
from traverse_schemas.signing.sources import siren_in
from traverse_search_api import labels
from traverse_search_api.pages import words
from traverse_search_api.pages.contact_view import ContactView, contact_view
from traverse_search_api.pages.groupings.view import facts_of, hint_of
from traverse_search_api.pages.links.view import NOTHING_SAID, SideLink, Spoken, Talk, label_of
from traverse_search_api.pages.lot_table import OUTCOME_LABELS, LotTable, listed, lot_table, names

_NATURES: Final = {"works": "Travaux", "supplies": "Fournitures", "services": "Services"}
AMOUNT_LABELS: Final = {
    "estimate": "Montant estimé",
    "maximum": "Montant maximum",
    "awarded": "Montant attribué",
    "subsidy": "Subvention",
    "cost": "Coût",
}
_TAXES: Final = {"excluded": " HT", "included": " TTC"}
_ACTIONS: Final = {
    "respond": "Répondre",
    "apply": "Candidater",
    "contact": "Contacter",
    "procedure": "Faire la démarche",
}
_ANSWERS: Final = frozenset({"respond", "apply"})
_OVER: Final = frozenset(
    {
        Status.UNDER_REVIEW,
        Status.AWARDED,
        Status.RUNNING,
        Status.ENDED,
        Status.WITHOUT_AWARD,
        Status.DELIVERED,
        Status.MET,
        Status.ABANDONED,
    }
)
"""The statuses of what nobody can answer any more."""


@dataclass(frozen=True, slots=True)
class Action:
    """What a reader can do, and where."""

    label: str
    address: str


@dataclass(frozen=True, slots=True)
class SourceView:
    """Who said it, under which reference, and when last."""

    name: str
    subject: str
    updated: str
    address: str
    talk: Talk | None


@dataclass(frozen=True, slots=True)
class LinkView:
    """Another opportunity: what it is to this one, and why."""

    label: str
    title: str
    address: str
    reason: str
    state: str
    talk: Talk | None


@dataclass(frozen=True, slots=True)
class GroupingView:
    """A grouping that this purchase is in, or could join: how far it has come, and what each
    member says."""

    status: str
    reason: str
    members: list[tuple[str, str]]
    others: list[tuple[str, str]]
    facts: list[str]
    machine: str


@dataclass(frozen=True, slots=True)
class RecordView:
    """The whole page. `advice` says what is left to do where nothing is said of how to answer."""

    title: str
    kind: str
    status: str
    status_code: str
    owner: str
    deadlines: list[str]
    facts: list[tuple[str, str]]
    actions: list[Action]
    contact: ContactView | None
    advice: str
    paragraphs: list[str]
    lots: LotTable
    sources: list[SourceView]
    links: list[LinkView]
    aside: list[SideLink]
    groupings: list[GroupingView]
    changes: str
    machine: str
    language: str


def record_view(
    document: Mapping[str, Any],
    as_of: datetime,
    territories: Territories,
    groupings: Iterable[Mapping[str, Any]] = (),
    spoken: Spoken = NOTHING_SAID,
) -> RecordView:
    """The page of a whole opportunity (`Searcher.detail`) at an instant; `groupings` are those that
    it is in, as the search shows them; `spoken` what its reader may say of its links."""
    owners = [one["name"] for one in document["institutions"] if one["role"] == "owner"]
    return RecordView(
        title=document["title"],
        kind=document["kind_label"],
        status=document["status_label"],
        status_code=document["status"],
        owner=", ".join(owners),
        deadlines=_deadlines(document, as_of),
        facts=list(_facts(document, territories)),
        actions=_actions(document, as_of),
        contact=contact_view(document.get("contact", {})),
        advice=_advice(document, as_of, ", ".join(owners)),
        paragraphs=[text for text in document.get("description", "").split("\n") if text.strip()],
        lots=lot_table(document.get("lots", []), as_of),
        sources=_sources(document, spoken),
        links=[_link(link, spoken.talks) for link in document["links"] if link.get("reason")],
        aside=spoken.aside,
        groupings=[_grouping(each) for each in groupings],
        changes=f"/fiche/{document['id']}/changements",
        machine=f"/v1/opportunities/{document['id']}",
        language=document.get("language", "fr"),
    )


def _deadlines(document: Mapping[str, Any], as_of: datetime) -> list[str]:
    """The one to answer by, in a sentence; where there are others, each with what it is for."""
    found, last = document["deadlines"], document.get("deadline")
    if last and len(found) == 1:
        told = words.deadline(last, as_of)
        return [told[0].upper() + told[1:]]
    return words.deadlines(found, as_of)


def _facts(document: Mapping[str, Any], territories: Territories) -> Iterable[tuple[str, str]]:
    """Label and value of what is known, in the order in which people ask."""
    yield from _subject(document, territories)
    yield from _contract(document)
    for each in document.get("financing", []):
        amount = f" ({euros(each['amount'])})" if each.get("amount") else ""
        yield "Financement", f"{each['funder']}{amount}"
    if document.get("references"):
        yield "Références", listed(document["references"])
    published, updated = (words.day_of(document[name]) for name in ("published_at", "updated_at"))
    yield "Publié le", published
    if updated != published:
        yield "Mis à jour le", updated


def _subject(document: Mapping[str, Any], territories: Territories) -> Iterable[tuple[str, str]]:
    yield "Lieu", listed(labels.territory_label(code, territories) for code in document["place"])
    if document["theme_labels"]:
        yield "Thèmes", ", ".join(document["theme_labels"])
    for amount in document.get("amounts", []):
        label = AMOUNT_LABELS.get(amount["kind"], "Montant")
        yield label, euros(amount["value"]) + _TAXES.get(amount.get("tax", ""), "")
    if document.get("nature"):
        yield "Nature", _NATURES.get(document["nature"], document["nature"])
    if document.get("procedure"):
        yield "Procédure", document["procedure"]
    if document.get("cpv"):
        yield (
            "Achat (CPV)",
            listed(f"{labels.cpv_label(code)} ({code})" for code in document["cpv"]),
        )


def _contract(document: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    if document.get("window"):
        yield "Période", words.period(document["window"])
    if document.get("duration_months"):
        yield "Durée", f"{document['duration_months']} mois"
    if document.get("notified"):
        yield "Notifié le", words.day_of(document["notified"])
    # Durations count renewals: the end is a range (docs/domain.md).
    ends = [words.day_of(document[name]) for name in ("end_min", "end_max") if document.get(name)]
    if len(set(ends)) > 1:
        yield "Fin du contrat", f"entre le {ends[0]} et le {ends[1]}"
    elif ends:
        yield "Fin du contrat", f"au plus tard le {ends[0]}"
    if document.get("outcome"):
        yield "Issue", OUTCOME_LABELS.get(document["outcome"], document["outcome"])
    if document.get("holders"):
        yield "Titulaires", names(document["holders"])


def _actions(document: Mapping[str, Any], as_of: datetime) -> list[Action]:
    over = _is_over(document, as_of)
    found = [
        Action(each.get("label") or _ACTIONS.get(each["kind"], "Voir"), each["url"])
        for each in document.get("actions", [])
        if not (over and each["kind"] in _ANSWERS)
    ]
    if document.get("url"):
        found.append(Action("Voir la publication d’origine", document["url"]))
    return found


def _advice(document: Mapping[str, Any], as_of: datetime, owner: str) -> str:
    answerable = document["kind"] in ("need", "call") and not _is_over(document, as_of)
    if not answerable or not owner or any(map(document.get, ("actions", "url", "contact"))):
        return ""
    return f"Cette publication ne dit pas à qui répondre : adressez-vous à {owner}."


def _is_over(document: Mapping[str, Any], as_of: datetime) -> bool:
    """Whether an answer would come too late: by its status, or by its deadline."""
    last = document.get("deadline")
    late = last is not None and datetime.fromisoformat(last["until"]) <= as_of
    return late or document["status"] in _OVER


def _link(link: Mapping[str, Any], talks: Mapping[tuple[str, str], Talk]) -> LinkView:
    state = link.get("state", "")
    ends = " ; fin de contrat, besoin non confirmé" if link.get("renewal") else ""
    return LinkView(
        label=label_of(link),
        title=", ".join(filter(None, (link.get("title"), link.get("owner")))),
        address=f"/fiche/{link['id']}",
        reason=f"{link['reason']}{ends}",
        state=link["state_label"] if state in ("confirmed", "expired") else "",
        talk=talks.get((link["type"], link["id"])),
    )


def _grouping(grouping: Mapping[str, Any]) -> GroupingView:
    return GroupingView(
        status=grouping["status_label"],
        reason=grouping["reason"],
        members=[_member(one) for one in grouping["members"]],
        others=[_member(one) for one in grouping["others"]],
        facts=[*(f"{label} : {value}" for label, value in facts_of(grouping)), grouping["law"]],
        machine=f"/v1/groupings/{grouping['id']}",
    )


def _member(member: Mapping[str, Any]) -> tuple[str, str]:
    """A purchase in words, and what its owner says of the grouping."""
    hint = hint_of(member)
    whole = f"{member['owner']} : {member['title']}" + (f" ({hint})" if hint else "")
    return whole, member.get("stance_label", "")


def _sources(document: Mapping[str, Any], spoken: Spoken) -> list[SourceView]:
    names = {one["siren"]: one["name"] for one in document["institutions"] if one.get("siren")}
    return [
        SourceView(
            name=names.get(siren_in(each["source"]), each["source"]),
            subject=each["subject"],
            updated=words.day_of(each["updated_at"]),
            address=each.get("url", ""),
            talk=spoken.contests.get(opportunity_id(each["source"], each["subject"])),
        )
        for each in document["sources"]
    ]
