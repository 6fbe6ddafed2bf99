"""Joint: whether two purchases of different buyers could be made together, and why. Pure.

A groupement de commandes is between buyers subject to the Code de la commande publique (art.
L.2113-6); firms and federations are bidders and stay out.
"""

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Final, NamedTuple

from traverse_stream_processors.linking.words import likeness as shared_words
from traverse_stream_processors.matching.answers import subject_in_words
from traverse_stream_processors.matching.facts import Facts
from traverse_stream_processors.matching.french import day, day_of
from traverse_stream_processors.matching.purchases import Purchase, overlap
from traverse_stream_processors.matching.subject import alike_from
from traverse_stream_processors.matching.territory import neighbours
from traverse_stream_processors.matching.words import CONFIRMED, PROPOSED

LEAST: Final = 0.62
"""A pair below this score is not proposed."""

LEAST_SUBJECT: Final = 0.6
SURE_NEAR: Final = 0.7
"""Without two codes texts are at least this near; chosen on one half of the judged set."""

_SURE_WORDS: Final = 0.3
_BUYERS: Final = frozenset({"region", "department", "epci", "commune", "chamber", "state", "other"})


class Together(NamedTuple):
    """`score` is 0 to 1; `start` and `end` are the first and last day in common (ISO; "" where
    open); `reason` is one French sentence; `state` what people say of it (`words.LinkWords`);
    `expires` the last day on which both records are worth showing, or ""."""

    score: float
    start: str
    end: str
    reason: str
    state: str = PROPOSED
    expires: str = ""

    @property
    def until(self) -> str:
        """The last day on which it can be proposed, or ""."""
        return min(filter(None, (self.end, self.expires)), default="")


def together(left: Facts, right: Facts, state: str = PROPOSED) -> Together | None:
    """How well two purchases go together; None when they do not. Some 10 microseconds.

    The same for both orders of the two. Where both sides confirm, only what the law and the
    calendar ask is asked: buyers, one sort of purchase, days in common.
    """
    if not any(partners(left, (right,))):
        return None
    return bond(left, right, state)


def bond(left: Facts, right: Facts, state: str) -> Together | None:
    """As `together`, of two that are `partners`."""
    if (right.first_time, right.id) < (left.first_time, left.id):
        left, right = right, left
    found = _judged(left, right)
    if found is not None:
        return found if state == PROPOSED else found._replace(state=state)
    if state != CONFIRMED or left.purchase is None or right.purchase is None:
        return None
    shared = overlap(left.purchase, right.purchase)
    said = f"même achat (« {left.title} »), d'après les deux acheteurs"
    expires = _until_both_are_shown(left, right)
    return None if shared is None else Together(LEAST, *shared, said, state, expires)


def partners(facts: Facts, others: Iterable[Facts | None]) -> Iterator[Facts]:
    """Of these the purchases that law and calendar let be made with one: another buyer's, of one
    sort, with days in common. Two ends of contracts are two guesses: somebody has to say a need
    first. What had expired before the other was told of never stood beside it."""
    mine, owner = facts.purchase, facts.owner
    if mine is None or facts.owner_kind not in _BUYERS:
        return
    start, end, renewal, sort, _ = mine
    for one in others:
        if one is None or (theirs := one.purchase) is None:
            continue
        first, last, guessed, kind, _ = theirs  # most are over, or far ahead
        if (
            last >= start
            and first <= end
            and not (renewal and guessed)
            and kind is sort
            and one.owner != owner
            and one.owner_kind in _BUYERS
            and not (facts.expires and facts.expires < day_of(one.first_time))
            and not (one.expires and one.expires < day_of(facts.first_time))
        ):
            yield one


def _unlike(left: Facts, right: Facts) -> bool:
    """Whether codes or words tell at once that two purchases are of different things."""
    if left.cpv and right.cpv:
        return _divisions(left.cpv).isdisjoint(_divisions(right.cpv))
    # Without two codes the words must be both alike and the same.
    mine, theirs = left.texts.words, right.texts.words
    return mine.isdisjoint(theirs) or round(shared_words(mine, theirs), 3) < _SURE_WORDS


@lru_cache(maxsize=50_000)
def _divisions(codes: tuple[str, ...]) -> frozenset[str]:
    """The first two digits of each."""
    return frozenset(code[:2] for code in codes)


def _judged(left: Facts, right: Facts) -> Together | None:
    """By subject and territory, the earlier of the two first; what costs least is asked first."""
    if _unlike(left, right):
        return None
    near = neighbours(left, right)
    if near is None:
        return None
    subject = alike_from(left, right, LEAST_SUBJECT)
    if subject is None or subject.score < LEAST_SUBJECT:
        return None
    if not (left.cpv and right.cpv) and subject.near < SURE_NEAR:
        return None
    mine, theirs = left.purchase, right.purchase
    shared = overlap(mine, theirs) if mine and theirs else None
    if mine is None or theirs is None or shared is None:
        return None
    sure = 0.85 if mine.renewal or theirs.renewal else 1.0
    score = round(sure * (0.6 * subject.score + 0.25 * near.score + 0.15 * _share(mine, theirs)), 3)
    if score < LEAST:
        return None
    words = (subject_in_words(left, subject), near.words, when_in_words(*shared))
    expires = _until_both_are_shown(left, right)
    return Together(score, *shared, ", ".join(filter(None, words)), expires=expires)


def _until_both_are_shown(left: Facts, right: Facts) -> str:
    return min(filter(None, (left.expires, right.expires)), default="")


def when_in_words(start: str, end: str) -> str:
    """`"entre le 1er mars et le 30 avril 2027"`; "" where both ends are open."""
    opened, closed = not start.startswith("0001"), not end.startswith("9999")
    if opened and closed:
        return f"entre le {day(start)} et le {day(end)}"
    if opened:
        return f"à partir du {day(start)}"
    return f"avant le {day(end)}" if closed else ""


def _share(left: Purchase, right: Purchase) -> float:
    """How much of the shorter period is common to both."""
    shared = overlap(left, right)
    if shared is None:
        return 0.0
    shorter = min(_days(left.start, left.end), _days(right.start, right.end))
    return min(1.0, (1 + _days(*shared)) / (1 + shorter))


def _days(start: str, end: str) -> int:
    """About how many days lie between, without the calendar: months of 30."""
    year, month, first = (int(part) for part in start.split("-"))
    last_year, last_month, last = (int(part) for part in end.split("-"))
    return max(0, (last_year - year) * 360 + (last_month - month) * 30 + last - first)
