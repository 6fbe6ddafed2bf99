"""Judge: what two records are to one another, how surely, and why. Pure.

Only what is sure joins records into one opportunity; the rest is a link that people see.
"""

from enum import StrEnum
from typing import Final, NamedTuple

from traverse_stream_processors.linking import same
from traverse_stream_processors.linking.features import Features
from traverse_stream_processors.linking.lots import CERTAIN, PROBABLE, lot_score, part_of_whole
from traverse_stream_processors.linking.same import Aspect, aspects


class LinkType(StrEnum):
    """The types of links that this package finds (`docs/domain.md`)."""

    SAME = "same"
    LOT = "lot"


class Judgement(NamedTuple):
    """`joins`: sure enough to make one opportunity of both."""

    type: LinkType
    score: float
    joins: bool


# Told first to last; what only weighs a little is not told.
_TOLD: Final = (
    Aspect.GLOBAL_REFERENCE,
    Aspect.REFERENCE,
    Aspect.NEXT_REFERENCE,
    Aspect.ADDRESS,
    Aspect.OWNER,
    Aspect.TITLE,
    Aspect.CLOSE_TITLE,
    Aspect.DEADLINE,
    Aspect.NOTIFIED,
    Aspect.AMOUNT,
    Aspect.HOLDERS,
    Aspect.WINDOW,
    Aspect.CPV,
    Aspect.PLACE,
)
_MOST_TOLD: Final = 4


def judge(left: Features, right: Features) -> Judgement | None:
    """What two records are to one another; None when they are nothing. Symmetric."""
    sure = same.score(left, right, least=same.SAME)
    if sure >= same.SAME:
        if part_of_whole(left, right):
            return Judgement(LinkType.LOT, round(sure, 4), joins=True)
        return Judgement(LinkType.SAME, round(sure, 4), joins=True)
    if left.kind != "call":
        return None
    lot = lot_score(left, right)
    if lot is None or lot.score < PROBABLE:
        return None
    return Judgement(LinkType.LOT, lot.score, joins=lot.score >= CERTAIN)


def explain(left: Features, right: Features, judgement: Judgement) -> str:
    """Why, as one French sentence."""
    if judgement.type is LinkType.LOT:
        lot = lot_score(left, right)
        reason = lot.reason if lot else part_of_whole(left, right) or "lots d'une consultation"
        return f"{reason[0].upper()}{reason[1:]}."
    found = {aspect for aspect, points in aspects(left, right) if points > 0}
    told = [aspect.value for aspect in _TOLD if aspect in found][:_MOST_TOLD]
    return f"Même dossier : {', '.join(told)}."
