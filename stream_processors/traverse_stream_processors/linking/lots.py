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

_STEM: Final = 6
_DIGITS: Final = re.compile(r"[0-9]+")


class LotScore(NamedTuple):
    """`score` from 0 to 1, and why, in French."""

    score: float
    reason: str


def lot_score(left: Features, right: Features) -> LotScore | None:
    """Whether two calls are lots of one procedure (art. L.2113-10); None when they are not.

    Certain: both name a lot, of another number, of one object or of one reference, at one time.
    Probable: the same object at one time, under references that follow one another.
    """
    if (
        left.kind != "call"
        or right.kind != "call"
        or left.audience != right.audience
        or left.subtype != right.subtype
        or not _same_owner(left, right)
        or not _at_one_time(left, right)
        or _of_other_years(left, right)
    ):
        return None
    alike = likeness(frozenset(left.words), frozenset(right.words))
    stem = _stem_of_both(left, right)
    if left.lots and right.lots:
        if set(left.lots) & set(right.lots):
            return None
        numbers = " et ".join(sorted((left.lots[0], right.lots[0]), key=_by_number))
        if alike >= 0.8 or (stem and alike >= 0.3):
            return LotScore(0.95, f"lots {numbers} d'une même consultation du même acheteur")
        return None
    if left.lots or right.lots or alike < 0.9 or not stem:
        return None
    return LotScore(
        0.8 if alike > 0.999 else 0.7,
        "lots probables : même acheteur, même objet, contrats de numéros voisins notifiés ensemble",
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


def _by_number(lot: str) -> tuple[int, str]:
    match = _DIGITS.match(lot)
    return (int(match[0]) if match else 0, lot)
