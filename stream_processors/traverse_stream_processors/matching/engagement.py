"""Engagement: how far the buyers of a proposed grouping have come, and which of them are its
members by then. Pure.

Code de la commande publique, art. L.2113-7: the agreement is signed by the members of the grouping.
Each assembly deliberates for itself (CGCT, art. L.2121-29), so that nobody commits another, and who
has not signed is no member of what others have signed.
"""

from collections.abc import Iterable, Mapping, Sequence, Set
from typing import Final, NamedTuple

from traverse_schemas.decisions import GroupingStep
from traverse_schemas.documents.grouping import GroupingState
from traverse_stream_processors.matching.words import ENGAGED, Said

FORMAL: Final = ENGAGED - {GroupingStep.INTERESTED}
"""The steps after interest."""

_SIGNED: Final = GroupingStep.CONSTITUTED
_ORDER: Final = tuple(GroupingStep)


class Engagement(NamedTuple):
    """`members` are the owners of which the grouping is by now, None while it is of all to whom it
    is proposed; `interested` is how many said that they are."""

    state: GroupingState
    members: Set[str] | None
    interested: int


def engagement_of(words: Mapping[str, Sequence[Said]]) -> Engagement:
    """How far a grouping has come, by what each owner said that counts.

    It is proposed to all. Once two or more are interested and one of them told of a formal step, it
    is of those who did (of all that are interested, as long as only one did). It is constituted
    once two or more have signed, and is of those who did: when each says that it spoke is its own
    claim, so whoever has not signed holds nobody back.
    """
    said = {owner: [one for one in found if one.step in ENGAGED] for owner, found in words.items()}
    engaged = {owner for owner, found in said.items() if found}
    formal = {owner for owner in engaged if any(one.step in FORMAL for one in said[owner])}
    signed = {owner for owner in formal if any(one.step is _SIGNED for one in said[owner])}
    if len(signed) > 1:
        return Engagement("constituted", signed, len(engaged))
    if formal and len(engaged) > 1:
        return Engagement("convention", formal if len(formal) > 1 else engaged, len(engaged))
    return Engagement("proposed", None, len(engaged))


def furthest(words: Iterable[Said]) -> Said | None:
    """The step that an owner has come to, of what it said; None where it said nothing."""
    return max(words, key=lambda said: (_ORDER.index(said.step), said), default=None)
