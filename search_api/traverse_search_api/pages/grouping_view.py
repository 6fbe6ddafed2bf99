"""« Mutualiser » as data: proposed groupings, what each member would buy, what comes next. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from traverse_search_api.pages import words


@dataclass(frozen=True, slots=True)
class MemberView:
    """One purchase of a grouping. `ours`: of the reader's institution."""

    record: str
    owner: str
    title: str
    address: str
    amount: str
    stance: str
    ours: bool


@dataclass(frozen=True, slots=True)
class GroupingView:
    """A proposed grouping."""

    id: str
    subject: str
    status: str
    reason: str
    members: list[MemberView]
    facts: list[tuple[str, str]]
    lots: list[str]
    law: str
    ours: bool


def grouping_view(grouping: Mapping[str, Any], siren: str) -> GroupingView:
    """A grouping of `GET /v1/groupings`, as somebody of an institution sees it."""
    members = [_member(member, siren) for member in grouping["members"]]
    return GroupingView(
        id=grouping["id"],
        subject=grouping["subject"],
        status=grouping["status_label"],
        reason=grouping["reason"],
        members=members,
        facts=list(_facts(grouping)),
        lots=[lot["title"] for lot in grouping["lots"]],
        law=grouping["law"],
        ours=any(member.ours for member in members),
    )


def _member(member: Mapping[str, Any], siren: str) -> MemberView:
    return MemberView(
        record=member["record"],
        owner=member["owner"],
        title=member["title"],
        address=f"/fiche/{member['record']}",
        amount=words.euros(member["amount"]) if member.get("amount") else "",
        stance=member.get("stance_label", ""),
        ours=bool(siren) and member.get("siren") == siren,
    )


def _facts(grouping: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    if grouping.get("total"):
        known = "au moins " if grouping["unknown_amounts"] else ""
        yield "Montant", f"{known}{words.euros(grouping['total'])}"
    left = grouping["days_left"]
    if left is not None:
        yield "Temps restant", words.count(left, "jour", "jours")
    threshold = grouping.get("threshold")
    if threshold:
        yield "Seuil atteint ensemble", threshold["label"]
    coordinator = grouping["coordinator"]
    yield "Coordonnateur pressenti", f"{coordinator['owner']} : {coordinator['reason']}"
    declined = grouping.get("declined")
    if declined:
        yield "Pas pour eux", ", ".join(one["owner"] for one in declined)
