"""Groupings: what a proposed joint purchase says: members, sums, lots, threshold, coordinator.

Pure: from the facts of its members alone, all of which every reader of its layer may read.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence, Set
from math import fsum
from typing import Final, NamedTuple

from traverse_schemas.documents.grouping import (
    Coordinator,
    Declined,
    Grouping,
    GroupingAct,
    GroupingLot,
    GroupingMember,
    grouping_id,
)
from traverse_schemas.french.numbers import euros
from traverse_schemas.reference.themes import THEMES
from traverse_stream_processors.matching.engagement import FORMAL, engagement_of, furthest
from traverse_stream_processors.matching.facts import Facts
from traverse_stream_processors.matching.french import day_of, listed, lower_first
from traverse_stream_processors.matching.groups import Key
from traverse_stream_processors.matching.joint import Together, when_in_words
from traverse_stream_processors.matching.members import Member, members_of
from traverse_stream_processors.matching.sums import common_tax, sums_of
from traverse_stream_processors.matching.territory import level_of
from traverse_stream_processors.matching.words import Said

_WIDER: Final = ("epci", "department", "region")
_NAMED: Final = 4  # owners named in a reason
_FAR: Final = ("0001-01-01", "9999-12-31")


class Standing(NamedTuple):
    """What members say of a grouping: the words that count of each member, by record; and who it is
    not for."""

    words: Mapping[str, Sequence[Said]]
    declined: Sequence[Facts]


def grouping_of(
    key: Key,
    records: Sequence[Facts],
    bonds: Mapping[tuple[str, str], Together],
    standing: Standing,
    model: str,
    *,
    head_of: Callable[[str], str] = str,
) -> Grouping | None:
    """The grouping of these records; None where they come to the purchases of fewer than two
    owners. `bonds` are the joint pairs among them, the lesser id first; `head_of` gives the
    opportunity of a record."""
    whole = _standing_in(records, standing, head_of)
    words: dict[str, list[Said]] = {}
    for one in whole:
        words.setdefault(one.facts.owner, []).extend(one.words)
    engagement = engagement_of(words)
    inside = [it for it in whole if _is_member(it, engagement.members)]
    counted = [one for one in inside if one.counts]
    purchases = [one.facts for one in counted]
    if len({one.owner for one in purchases}) < 2:
        return None
    said = [one.facts for one in counted if not one.guess] or purchases
    ids = {one.id for one in purchases}
    start = max(one.purchase.start for one in purchases if one.purchase)
    end = min(one.purchase.end for one in purchases if one.purchase)
    all_count = len(ids) == len(records)
    scores = [bond.score for pair, bond in bonds.items() if all_count or ids.issuperset(pair)]
    subject = _subject(purchases)
    return Grouping(
        id=grouping_id(*key),
        layer=key.layer,
        state=engagement.state,
        subject=subject,
        reason=_reason(subject, counted, start, end),
        # Exact, so that the order of the pairs does not matter.
        score=round(fsum(scores) / max(1, len(scores)), 3),
        owners=len({one.owner for one in purchases}),
        members=[_member(one) for one in inside],
        others=[_member(one) for one in whole if not _is_member(one, engagement.members)],
        cpv=list(dict.fromkeys(code.ljust(8, "0") for one in purchases for code in one.cpv)),
        themes=list(dict.fromkeys(theme for one in purchases for theme in one.themes)),
        within=sorted(frozenset.intersection(*(one.within for one in purchases))),
        places=sorted({code for one in purchases for code in one.within}),
        window=_window(start, end),
        lots=_lots(purchases),
        coordinator=_coordinator(said, purchases),
        interested=engagement.interested,
        acts=_acts(whole),
        declined=_declined(standing),
        model=model,
        # Sums are all that this adds: the rest of what is not required the matcher knows.
        **sums_of(counted, _day_of(start, end, purchases)),  # type: ignore[typeddict-item]
    )


def _standing_in(
    records: Sequence[Facts], standing: Standing, head_of: Callable[[str], str]
) -> list[Member]:
    """The purchases, but those of which another record's owner said that it is not for it."""
    gone = {(head_of(one.id), one.speaker) for one in standing.declined}
    there = [one for one in records if (head_of(one.id), one.speaker) not in gone]
    return members_of(there, standing.words, head_of)


def _is_member(one: Member, owners: Set[str] | None) -> bool:
    return owners is None or one.facts.owner in owners


def _day_of(start: str, end: str, purchases: Sequence[Facts]) -> str:
    """The day whose law is asked: when the common period begins, else ends, else when the first
    purchase was told of."""
    if start != _FAR[0]:
        return start
    return end if end != _FAR[1] else day_of(min(one.first_time for one in purchases))


def _acts(members: Sequence[Member]) -> list[GroupingAct]:
    """The formal steps, in the order of their days, each once."""
    acts = {
        (said.day, one.facts.owner_name, str(said.step))
        for one in members
        for said in one.words
        if said.step in FORMAL
    }
    return [GroupingAct(step=step, owner=owner, on=on) for on, owner, step in sorted(acts)]


def _declined(standing: Standing) -> list[Declined]:
    found = {}
    for one in standing.declined:
        declined = Declined(owner=one.owner_name)
        if one.owner.isdigit():
            declined["siren"] = one.owner
        found[one.owner] = declined
    return [found[owner] for owner in sorted(found)]


def _member(one: Member) -> GroupingMember:
    facts = one.facts
    purchase = facts.purchase
    member = GroupingMember(
        record=facts.id,
        owner=facts.owner_name,
        owner_kind=facts.owner_kind,
        title=facts.title,
        territory=facts.territory,
        window=_window(purchase.start, purchase.end) if purchase else {},
        renewal=bool(purchase and purchase.renewal),
        guess=one.guess,
        counted=one.counts,
    )
    if one.copies:
        member["copies"] = list(one.copies)
    if facts.owner.isdigit():
        member["siren"] = facts.owner
    if facts.source_siren != facts.owner:
        member["source"] = facts.source_siren
    if facts.amount:
        member["amount"] = facts.amount
        member["tax"] = purchase.tax if purchase else "unknown"
    if (said := furthest(one.words)) is not None:
        member["stance"] = str(said.step)
        member["stance_on"] = said.day
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


def _reason(subject: str, members: Sequence[Member], start: str, end: str) -> str:
    """Who needs it, by their own word; and whose contract for it ends, of which nothing else is
    known."""
    said = list(dict.fromkeys(one.facts.owner_name for one in members if not one.guess))
    guessed = list(dict.fromkeys(one.facts.owner_name for one in members if one.guess))
    parts = []
    thing = lower_first(subject)
    if len(said) > 1:
        parts.append(f"{_named_first(said)} ont besoin de la même chose ({thing})")
    elif said:
        parts.append(f"{said[0]} a un besoin ({thing})")
    if guessed:
        ends = "un contrat du même achat se termine chez"
        parts.append(f"{ends} {_named_first(guessed)}, sans besoin déclaré")
    when = when_in_words(start, end)
    return " ; ".join(parts) + (f", {when}" if when else "")


def _named_first(owners: Sequence[str]) -> str:
    named = list(owners[:_NAMED])
    if len(owners) > _NAMED:
        rest = len(owners) - _NAMED
        named.append("un autre" if rest == 1 else f"{rest} autres")
    return listed(named)


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
    priced = [one for one in members if one.amount]
    if priced:
        lot["amount"] = round(fsum(one.amount or 0.0 for one in priced), 2)
        lot["tax"] = common_tax(priced)
    return lot


def _coordinator(said: Sequence[Facts], members: Sequence[Facts]) -> Coordinator:
    """Who could coordinate, of those who said a need: the smallest institution that covers all
    members, else the one that will spend most."""
    for kind in _WIDER:
        for one in said:
            area = {code for code in one.place if level_of(code) in ("epci", "dep", "reg")}
            if one.owner_kind == kind and all(not area.isdisjoint(it.within) for it in members):
                reason = "son territoire couvre celui de tous les membres"
                if kind == "epci":
                    reason += (
                        " ; elle n'agit gratuitement que si ses statuts le prévoient "
                        "(CGCT, art. L.5211-4-4)"
                    )
                return _named(one, reason)
    most = min(said, key=lambda one: (-(one.amount or 0.0), one.id))
    if most.amount:
        return _named(most, f"son besoin est le plus important ({euros(most.amount)})")
    return _named(said[0], "son besoin a été publié le premier")


def _named(facts: Facts, reason: str) -> Coordinator:
    found = Coordinator(owner=facts.owner_name, reason=reason)
    if facts.owner.isdigit():
        found["siren"] = facts.owner
    return found
