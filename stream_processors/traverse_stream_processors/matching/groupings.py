"""Groupings: what a proposed joint purchase says: members, sums, lots, threshold, coordinator.

Pure: from the facts of its members alone, all of which every reader of its layer may read.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date
from math import fsum
from typing import Final, NamedTuple

from traverse_schemas.decisions import GroupingStep
from traverse_schemas.grouping import (
    Coordinator,
    CrossedThreshold,
    Declined,
    Grouping,
    GroupingAct,
    GroupingLot,
    GroupingMember,
    GroupingState,
    grouping_id,
)
from traverse_schemas.reference.themes import THEMES
from traverse_schemas.reference.thresholds import crossed
from traverse_stream_processors.matching.facts import Facts
from traverse_stream_processors.matching.french import euros, listed, lower_first
from traverse_stream_processors.matching.groups import Key
from traverse_stream_processors.matching.joint import Together, when_in_words
from traverse_stream_processors.matching.purchases import Sort
from traverse_stream_processors.matching.territory import level_of
from traverse_stream_processors.matching.words import ENGAGED, Said

_WIDER: Final = ("epci", "department", "region")
_NAMED: Final = 4  # owners named in a reason
_FAR: Final = ("0001-01-01", "9999-12-31")
_SIGNED: Final = frozenset((GroupingStep.DELIBERATED, GroupingStep.CONSTITUTED))
_FORMAL: Final = _SIGNED | {GroupingStep.CONVENTION}


class Standing(NamedTuple):
    """What members say of a grouping: the words that count of each member, by record; and who it is
    not for."""

    words: Mapping[str, Sequence[Said]]
    declined: Sequence[Facts]


def grouping_of(
    key: Key,
    members: Sequence[Facts],
    bonds: Mapping[tuple[str, str], Together],
    standing: Standing,
    model: str,
) -> Grouping:
    """The grouping of these records, two owners at least. `bonds` are the joint pairs among them,
    the lesser id first."""
    ordered = sorted(members, key=_age)
    first = ordered[0]
    engaged = _engaged(ordered, standing)
    start = max(one.purchase.start for one in ordered if one.purchase)
    end = min(one.purchase.end for one in ordered if one.purchase)
    owners = list(dict.fromkeys(one.owner_name for one in ordered))
    amounts = _amount_of_owners(ordered)
    subject = _subject(ordered)
    found = Grouping(
        id=grouping_id(*key),
        layer=key.layer,
        state=_state(engaged),
        subject=subject,
        reason=_reason(subject, owners, start, end),
        # Exact, so that the order of the pairs does not matter.
        score=round(fsum(bond.score for bond in bonds.values()) / max(1, len(bonds)), 3),
        owners=len({one.owner for one in ordered}),
        members=[_member(one, standing.words.get(one.id, ())) for one in ordered],
        cpv=list(dict.fromkeys(code.ljust(8, "0") for one in ordered for code in one.cpv)),
        themes=list(dict.fromkeys(theme for one in ordered for theme in one.themes)),
        within=sorted(frozenset.intersection(*(one.within for one in ordered))),
        places=sorted({code for one in ordered for code in one.within}),
        window=_window(start, end),
        unknown_amounts=sum(one.amount is None for one in ordered),
        lots=_lots(ordered),
        coordinator=_coordinator(ordered),
        interested=len(engaged),
        acts=_acts(ordered, standing),
        declined=_declined(standing),
        model=model,
    )
    if amounts:
        found["total"] = round(fsum(amounts), 2)
        works = any(one.purchase and one.purchase.sort is Sort.WORKS for one in ordered)
        on = start if start != _FAR[0] else end if end != _FAR[1] else first.first_time[:10]
        row = crossed(amounts, works=works, on=date.fromisoformat(on))
        if row is not None:
            found["threshold"] = CrossedThreshold(
                code=row.code, amount=row.amount, label=row.label, source=row.source
            )
    return found


def _age(facts: Facts) -> tuple[str, str]:
    return (facts.first_time, facts.id)


def _engaged(members: Sequence[Facts], standing: Standing) -> dict[str, set[GroupingStep]]:
    """The owners that are interested, with all that they told of."""
    found: dict[str, set[GroupingStep]] = {}
    for one in members:
        steps = {said.step for said in standing.words.get(one.id, ()) if said.step in ENGAGED}
        if steps:
            found.setdefault(one.owner, set()).update(steps)
    return found


def _state(engaged: Mapping[str, set[GroupingStep]]) -> GroupingState:
    """How far a grouping has come. Each assembly deliberates for itself (CCP, art. L.2113-7; CGCT,
    art. L.2121-29), so that it is constituted only once all that are interested have."""
    if len(engaged) < 2:
        return "proposed"
    told = set().union(*engaged.values())
    if GroupingStep.CONSTITUTED in told and all(steps & _SIGNED for steps in engaged.values()):
        return "constituted"
    return "convention" if told & _FORMAL else "proposed"


def _acts(members: Sequence[Facts], standing: Standing) -> list[GroupingAct]:
    """The formal steps, in the order of their days."""
    acts = [
        GroupingAct(step=str(said.step), owner=one.owner_name, on=said.on or said.when[:10])
        for one in members
        for said in standing.words.get(one.id, ())
        if said.step in _FORMAL
    ]
    return sorted(acts, key=lambda act: (act["on"], act["owner"], act["step"]))


def _declined(standing: Standing) -> list[Declined]:
    found = {}
    for one in standing.declined:
        declined = Declined(owner=one.owner_name)
        if one.owner.isdigit():
            declined["siren"] = one.owner
        found[one.owner] = declined
    return [found[owner] for owner in sorted(found)]


def _amount_of_owners(members: Sequence[Facts]) -> list[float]:
    """What each owner will spend: the thresholds are those of a buyer's whole need."""
    sums: dict[str, float] = {}
    for one in members:
        if one.amount:
            sums[one.owner] = sums.get(one.owner, 0.0) + one.amount
    return list(sums.values())


def _member(facts: Facts, words: Sequence[Said]) -> GroupingMember:
    purchase = facts.purchase
    member = GroupingMember(
        record=facts.id,
        owner=facts.owner_name,
        owner_kind=facts.owner_kind,
        title=facts.title,
        territory=facts.territory,
        window=_window(purchase.start, purchase.end) if purchase else {},
        renewal=bool(purchase and purchase.renewal),
    )
    if facts.owner.isdigit():
        member["siren"] = facts.owner
    if facts.amount:
        member["amount"] = facts.amount
    if words:
        member["stance"] = str(words[-1].step)
        member["stance_on"] = words[-1].on or words[-1].when[:10]
    return member


def _window(start: str, end: str) -> dict[str, str]:
    ends = (("from", start), ("to", end))
    return {name: day for name, day in ends if day not in _FAR}


def _subject(members: Sequence[Facts]) -> str:
    """What they share, in words: the label of the commonest code, else the commonest theme."""
    labels = Counter(one.texts.labels[0] for one in members if one.texts.labels)
    if labels:
        return min(labels, key=lambda label: (-labels[label], label))
    themes = Counter(theme for one in members for theme in one.themes)
    if themes:
        slug = min(themes, key=lambda theme: (-themes[theme], theme))
        return THEMES.get(slug, slug)
    return members[0].title


def _reason(subject: str, owners: Sequence[str], start: str, end: str) -> str:
    named = list(owners[:_NAMED])
    if len(owners) > _NAMED:
        rest = len(owners) - _NAMED
        named.append("un autre" if rest == 1 else f"{rest} autres")
    when = when_in_words(start, end)
    return f"{listed(named)} ont besoin de la même chose ({lower_first(subject)})" + (
        f", {when}" if when else ""
    )


def _lots(members: Sequence[Facts]) -> list[GroupingLot]:
    """A lot for each thing; for each member where there is one thing only, so that local firms can
    still answer."""
    by_code: dict[str, list[Facts]] = {}
    for one in members:
        by_code.setdefault(one.cpv[0] if one.cpv else "", []).append(one)
    if len(by_code) > 1:
        return [_lot(_lot_title(found), code, found) for code, found in sorted(by_code.items())]
    code = next(iter(by_code))
    places: dict[str, list[Facts]] = {}
    for one in members:
        places.setdefault(one.territory, []).append(one)
    return [_lot(place, code, found) for place, found in sorted(places.items())]


def _lot_title(members: Sequence[Facts]) -> str:
    return members[0].texts.labels[0] if members[0].texts.labels else members[0].title


def _lot(title: str, code: str, members: Sequence[Facts]) -> GroupingLot:
    lot = GroupingLot(title=title, members=[one.id for one in members])
    if code:
        lot["cpv"] = code.ljust(8, "0")
    amounts = [one.amount for one in members if one.amount]
    if amounts:
        lot["amount"] = round(sum(amounts), 2)
    return lot


def _coordinator(members: Sequence[Facts]) -> Coordinator:
    """Who could coordinate: the smallest institution that covers all the others, else the one that
    will spend most."""
    for kind in _WIDER:
        for one in members:
            area = {code for code in one.place if level_of(code) in ("epci", "dep", "reg")}
            if one.owner_kind == kind and all(not area.isdisjoint(it.within) for it in members):
                reason = "son territoire couvre celui de tous les membres"
                if kind == "epci":
                    reason += (
                        " ; elle n'agit gratuitement que si ses statuts le prévoient "
                        "(CGCT, art. L.5211-4-4)"
                    )
                return _named(one, reason)
    most = min(members, key=lambda one: (-(one.amount or 0.0), one.id))
    if most.amount:
        return _named(most, f"son besoin est le plus important ({euros(most.amount)})")
    return _named(members[0], "son besoin a été publié le premier")


def _named(facts: Facts, reason: str) -> Coordinator:
    found = Coordinator(owner=facts.owner_name, reason=reason)
    if facts.owner.isdigit():
        found["siren"] = facts.owner
    return found
