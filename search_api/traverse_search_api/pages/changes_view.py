"""« Ce qui a changé »: the versions of an opportunity in words. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from traverse_schemas.documents.status import STATUS_LABELS, Status
from traverse_schemas.french.numbers import euros
from traverse_schemas.reference.territories import Territories
from traverse_schemas.signing.sources import siren_in
from traverse_schemas.visibility import VISIBILITY_LABELS, Visibility
from traverse_search_api import labels
from traverse_search_api.deadlines import KIND_LABELS, PARIS, told_deadline
from traverse_search_api.pages import words
from traverse_search_api.pages.lot_table import OUTCOME_LABELS
from traverse_search_api.pages.record_view import AMOUNT_LABELS

_DAYS: Final = {
    "notified": "Notifié le",
    "end_min": "Fin du contrat, au plus tôt",
    "end_max": "Fin du contrat, au plus tard",
    "expires": "Valable jusqu’au",
    "published_on": "Publié le",
    "on": "Clos le",
}
_REWRITTEN: Final = {
    "description": "la description",
    "lots": "les lots",
    "holders": "les titulaires",
    "actions": "les liens pour répondre",
    "url": "l’adresse de la publication",
    "contact": "le contact",
    "audience": "les destinataires",
    "references": "les références",
    "themes": "les thèmes",
    "cpv": "les codes d’achat (CPV)",
    "financing": "le financement",
}
_NOTHING: Final = "non précisé"
_SAME: Final = "Rien n’y change."
_ALONE: Final = "Rien n’a changé depuis."


@dataclass(frozen=True, slots=True)
class VersionView:
    """One version: what was done, by whom and when; and each change in a line."""

    heading: str
    lines: list[str]


def changes_view(history: Mapping[str, Any], territories: Territories) -> list[VersionView]:
    """The versions of `history_of`, the last first. What the first one of a record said is its
    page, and no change: where it is the only one, that is said. The hour is told of versions of
    one day, the reference where several records are one thing."""
    items = history["items"]
    alone = [_ALONE] if len(items) == 1 and history["complete"] else []
    days = Counter(words.day_of(one["at"]) for one in items)
    several = len({(one["source"], one["subject"]) for one in items}) > 1
    return [
        VersionView(
            heading=_heading(one, timed=days[words.day_of(one["at"])] > 1, named=several),
            lines=alone if _begins(one) else list(_lines(one["changes"], territories)) or [_SAME],
        )
        for one in items
    ]


def _heading(version: Mapping[str, Any], *, timed: bool, named: bool) -> str:
    when = words.day_of(version["at"])
    if timed:
        when += f" à {words.hour(datetime.fromisoformat(version['at']).astimezone(PARIS))}"
    by = version["by"] or f"l’institution {siren_in(version['source'])}"
    reference = f" (référence {version['subject']})" if named else ""
    return f"{version['action_label']} le {when} par {by}{reference}"


def _begins(version: Mapping[str, Any]) -> bool:
    changed = {each["field"]: each for each in version["changes"]}
    return changed.get("title", {"before": ""}).get("before") is None


def _lines(changes: Iterable[Mapping[str, Any]], territories: Territories) -> Iterable[str]:
    rewritten = []
    for each in changes:
        name, before, after = each["field"], each.get("before"), each.get("after")
        if name == "deadlines":
            yield from _by_kind(_deadlines(before), _deadlines(after))
        elif name == "amounts":
            yield from _by_kind(_amounts(before), _amounts(after))
        elif (told := _value(name, before, after, territories)) is not None:
            yield told
        else:
            rewritten.append(_REWRITTEN.get(name, "d’autres précisions"))
    if rewritten:
        yield f"Modifié aussi : {', '.join(dict.fromkeys(rewritten))}"


def _value(name: str, before: Any, after: Any, territories: Territories) -> str | None:
    """A field that is told by its value; None for another."""
    match name:
        case "title":
            return _instead("Intitulé", *(one and f"« {one} »" for one in (before, after)))
        case "stage":
            return _instead(
                "État", *(one and STATUS_LABELS[Status(one)] for one in (before, after))
            )
        case "outcome":
            told = (one and OUTCOME_LABELS.get(one, one) for one in (before, after))
            return _instead("Issue", *told)
        case "visibility":
            told = (one and VISIBILITY_LABELS[Visibility(one)] for one in (before, after))
            return _instead("Visibilité", *told)
        case "window":
            return _instead("Période", *(one and words.period(one) for one in (before, after)))
        case "duration_months":
            return _instead("Durée", *(one and f"{one} mois" for one in (before, after)))
        case "amount":
            sums = (one and euros(one["value"]) for one in (before, after))
            return _instead("Montant attribué", *sums)
        case "place":
            told = (
                one and ", ".join(labels.territory_label(code, territories) for code in one[:6])
                for one in (before, after)
            )
            return _instead("Lieu", *told)
        case _ if name in _DAYS:
            return _instead(_DAYS[name], *(one and words.day_of(one) for one in (before, after)))
    return None


def _deadlines(said: Any) -> dict[str, str]:
    found = [told_deadline(one) for one in said or () if isinstance(one, dict)]
    return {KIND_LABELS.get(one["kind"], "Échéance"): words.moment(one) for one in found}


def _amounts(said: Any) -> dict[str, str]:
    return {
        AMOUNT_LABELS.get(one.get("kind", ""), "Montant"): euros(one["value"])
        for one in said or ()
        if isinstance(one, dict)
    }


def _by_kind(before: Mapping[str, str], after: Mapping[str, str]) -> Iterable[str]:
    for label in dict.fromkeys([*after, *before]):
        if before.get(label) != after.get(label):
            yield _instead(label, before.get(label), after.get(label))


def _instead(label: str, before: str | None, after: str | None) -> str:
    if not before:
        return f"{label} : {after or _NOTHING}"
    return f"{label} : {after or _NOTHING}, au lieu de : {before}"
