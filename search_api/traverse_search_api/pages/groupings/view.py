"""« Mutualiser » as data: proposed groupings, what each member would buy, what comes next. Pure."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from traverse_schemas.french.numbers import euros
from traverse_search_api.pages import words

TAXES: Final = {"excluded": " HT", "included": " TTC", "mixed": " (HT et TTC mêlés)"}
_STEPS: Final = {
    "convention": "propose une convention",
    "deliberated": "a délibéré",
    "constituted": "a signé",
}


@dataclass(frozen=True, slots=True)
class MemberView:
    """One purchase of a grouping. `ours`: of the reader's institution; `hint` says how much is
    known of it."""

    record: str
    owner: str
    title: str
    address: str
    amount: str
    hint: str
    stance: str
    ours: bool


@dataclass(frozen=True, slots=True)
class GroupingView:
    """A proposed grouping; `others` could join it."""

    id: str
    subject: str
    status: str
    reason: str
    members: list[MemberView]
    others: list[MemberView]
    facts: list[tuple[str, str]]
    lots: list[str]
    law: str
    ours: bool


def _numbered(siren: str) -> str:
    return f"SIREN {siren}"


def grouping_view(
    grouping: Mapping[str, Any], siren: str, name_of: Callable[[str], str] = _numbered
) -> GroupingView:
    """A grouping of `GET /v1/groupings`, as somebody of an institution sees it; `name_of` gives
    the name of another."""
    members = [_member(member, siren, name_of) for member in grouping["members"]]
    others = [_member(member, siren, name_of) for member in grouping.get("others", ())]
    return GroupingView(
        id=grouping["id"],
        subject=grouping["subject"],
        status=grouping["status_label"],
        reason=grouping["reason"],
        members=members,
        others=others,
        facts=list(facts_of(grouping)),
        lots=[lot["title"] for lot in grouping["lots"]],
        law=grouping["law"],
        ours=any(member.ours for member in (*members, *others)),
    )


def _member(member: Mapping[str, Any], siren: str, name_of: Callable[[str], str]) -> MemberView:
    return MemberView(
        record=member["record"],
        owner=member["owner"],
        title=member["title"],
        address=f"/fiche/{member['record']}",
        amount=amount_of(member),
        hint=hint_of(member, name_of),
        stance=member.get("stance_label", ""),
        ours=bool(siren) and member.get("siren") == siren,
    )


def amount_of(member: Mapping[str, Any]) -> str:
    """What one purchase is worth; "" where that is not known."""
    amount = member.get("amount")
    return f"{euros(amount)}{TAXES.get(member.get('tax', ''), '')}" if amount else ""


def hint_of(member: Mapping[str, Any], name_of: Callable[[str], str] = _numbered) -> str:
    """Who says that a buyer needs it, where it is another; that it is guessed, or counted already;
    "" for a need that the buyer said itself."""
    by = f"d’après {name_of(member['source'])}" if "source" in member else ""
    return ", ".join(filter(None, (_known_of(member), by)))


def _known_of(member: Mapping[str, Any]) -> str:
    if not member.get("counted", True):
        return "fin de contrat, déjà compté dans le besoin"
    if member.get("guess", member.get("renewal")):
        return "fin de contrat, besoin non confirmé"
    return "fin de contrat" if member.get("renewal") else ""


def facts_of(grouping: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    """Label and value of what a grouping comes to."""
    if grouping.get("total"):
        yield "Montant", _total(grouping)
    left = grouping["days_left"]
    if left is not None:
        until = grouping.get("window", {}).get("to")
        last = f", jusqu’au {words.planned_day(date.fromisoformat(until))}" if until else ""
        yield "Temps restant", f"{words.count(left, 'jour', 'jours')}{last}"
    if threshold := grouping.get("threshold"):
        yield "Seuil atteint ensemble", _threshold(threshold)
    coordinator = grouping["coordinator"]
    yield "Coordonnateur pressenti", f"{coordinator['owner']} : {coordinator['reason']}"
    if acts := grouping.get("acts"):
        yield (
            "Étapes",
            " ; ".join(
                f"{act['owner']} {_STEPS[act['step']]}, le {words.day_of(act['on'])}"
                for act in acts
            ),
        )
    if declined := grouping.get("declined"):
        yield "Pas pour eux", ", ".join(one["owner"] for one in declined)


def _total(grouping: Mapping[str, Any]) -> str:
    least = "au moins " if grouping["unknown_amounts"] else ""
    total = f"{least}{euros(grouping['total'])}"
    total += TAXES.get(grouping.get("total_tax", ""), "")
    if guessed := grouping.get("guessed"):
        total += f", dont {euros(guessed)} de contrats qui se terminent (besoin non confirmé)"
    return total


def _threshold(threshold: Mapping[str, Any]) -> str:
    said = str(threshold["label"])
    if threshold.get("taxed"):
        said += ", d’après des montants TTC ou sans mention de taxe, ramenés hors taxes à 20 %"
    if threshold.get("guessed"):
        said += ", si les contrats qui se terminent sont renouvelés ensemble"
    return f"{said} ({threshold['source']})"
