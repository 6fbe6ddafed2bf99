"""Lots: which records are parts of one procedure rather than one thing told twice. Pure.

Same buyer and object is not yet a lot: contracts of one object are also framework agreements that
come back each year, or one contract told twice. Numbered lots are certain; what only looks like a
set of lots is probable: it is linked and told so, never joined.
"""

import re
from datetime import date
from typing import Final, NamedTuple

from traverse_stream_processors.linking.features import Features
from traverse_stream_processors.linking.words import likeness

PROBABLE: Final = 0.6
"""From this score on two records are shown as lots of one procedure."""

CERTAIN: Final = 0.9
"""From this score on they are one opportunity that lists its lots."""

_TOGETHER: Final = 92
"""Days between the notifications of the lots of one procedure."""

_ANSWERED: Final = 400
"""Days from the deadline of a call to the contracts that come of it."""

_STEM: Final = 6
_DIGITS: Final = re.compile(r"[0-9]+")


class LotScore(NamedTuple):
    """`score` from 0 to 1, and why, in French."""

    score: float
    reason: str


def other_parts(left: Features, right: Features) -> bool:
    """Whether both name parts, and other ones: another lot, another stage of an operation."""
    if left.lots and right.lots and set(left.lots).isdisjoint(right.lots):
        return True
    return bool(left.phases and right.phases) and any(
        mine and theirs and mine.isdisjoint(theirs)
        for mine, theirs in zip(_by_stage(left), _by_stage(right), strict=True)
    )


def lot_score(left: Features, right: Features) -> LotScore | None:
    """Whether two calls are lots of one procedure (art. L.2113-10), or one is a lot of the other;
    None when they are not.

    Certain: both name a lot, of another number, of one object or of one reference, at one time; or
    one names a lot, and the other is the whole by its reference. Probable: the same object at one
    time, under references that follow one another.
    """
    if (
        left.kind != "call"
        or right.kind != "call"
        or left.audience != right.audience
        or left.subtype != right.subtype
        or not _same_owner(left, right)
        or _of_other_years(left, right)
    ):
        return None
    if bool(left.lots) != bool(right.lots):
        return _of_the_whole(left, right)
    if not _at_one_time(left, right):
        return None
    alike = likeness(frozenset(left.words), frozenset(right.words))
    stem = _stem_of_both(left, right)
    if left.lots:
        if set(left.lots) & set(right.lots):
            return None
        numbers = " et ".join(sorted((left.lots[0], right.lots[0]), key=by_number))
        if alike >= 0.8 or ((stem or _share_a_reference(left, right)) and alike >= 0.3):
            return LotScore(0.95, f"lots {numbers} d'une même consultation du même acheteur")
        return None
    if alike < 0.9 or not stem:
        return None
    return LotScore(
        0.8 if alike > 0.999 else 0.7,
        "lots probables : même acheteur, même objet, contrats de numéros voisins notifiés ensemble",
    )


def part_of_whole(left: Features, right: Features) -> str | None:
    """Of two records that are alike: why one is a lot of the other, in French; None where it need
    not be. One names a lot, the other none, and they do not tell of one contract of one time: a
    title may have been cut short."""
    if left.kind != "call" or bool(left.lots) == bool(right.lots):
        return None
    if bool(left.notified) == bool(right.notified):
        return None
    lot = (left.lots or right.lots)[0]
    return f"lot {lot} d'une consultation du même acheteur"


def _of_the_whole(left: Features, right: Features) -> LotScore | None:
    """The whole procedure and a lot of it: of one reference, of an object that is near enough, and
    in time."""
    if not _share_a_reference(left, right) or not _follow(left, right):
        return None
    if likeness(frozenset(left.words), frozenset(right.words)) < 0.5:
        return None
    lot = (left.lots or right.lots)[0]
    return LotScore(0.95, f"lot {lot} d'une consultation du même acheteur, même référence")


def _follow(left: Features, right: Features) -> bool:
    """Whether a call and a contract are near enough in time, or two of one sort are."""
    opened, signed = left.deadline or right.deadline, left.notified or right.notified
    if not (left.notified and right.notified) and not (left.deadline and right.deadline):
        return not (opened and signed) or _days(opened, signed) <= _ANSWERED
    return _at_one_time(left, right)


def _share_a_reference(left: Features, right: Features) -> bool:
    return not set(left.references).isdisjoint(right.references)


def _by_stage(one: Features) -> tuple[set[str], set[str]]:
    return (
        {phase for phase in one.phases if phase.startswith("tranche")},
        {phase for phase in one.phases if phase.startswith("phase")},
    )


def _same_owner(left: Features, right: Features) -> bool:
    if left.owner and right.owner:
        return left.owner == right.owner
    return bool(left.owner_name) and left.owner_name == right.owner_name


def _at_one_time(left: Features, right: Features) -> bool:
    if left.notified and right.notified:
        return _days(left.notified, right.notified) <= _TOGETHER
    if left.deadline and right.deadline:
        return left.deadline == right.deadline
    return False


def _of_other_years(left: Features, right: Features) -> bool:
    return bool(left.years and right.years and not set(left.years) & set(right.years))


def _days(left: str, right: str) -> int:
    return abs((date.fromisoformat(left[:10]) - date.fromisoformat(right[:10])).days)


def _stem_of_both(left: Features, right: Features) -> bool:
    """Whether two references of one length differ only towards their end."""
    for mine in left.references:
        for theirs in right.references:
            if mine != theirs and len(mine) == len(theirs):
                shared = next(i for i, char in enumerate(mine) if char != theirs[i])
                if shared >= _STEM and shared >= len(mine) // 2:
                    return True
    return False


def by_number(lot: str) -> tuple[int, str]:
    """The order of lots by their numbers: 2 before 10."""
    match = _DIGITS.match(lot)
    return (int(match[0]) if match else 0, lot)
