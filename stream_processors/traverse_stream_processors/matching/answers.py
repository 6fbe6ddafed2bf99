"""Answers: whether a call or a project answers a need, how well, and why. Pure.

Who is in need decides what an answer is:

- a firm that looks for orders: contracts and concessions that are open, by that lot of them which
  is nearest to its trade, projects that announce some; one that looks for a partner also other
  firms' needs of the same trade; one that looks for money: calls for projects open to firms;
  premises or staff: what is shared or called for;
- an institution that is to buy: its own call for the same thing, or that of a groupement of which
  it is a member; one by who covers it from above, which it may use only where that buys for others
  too (art. L.2113-2 and L.2113-6 of the Code de la commande publique), else may learn from; calls
  for projects that are open to public bodies; shared means; a project alike nearby.

Whether it is still open is judged when asked: an answer carries until when (decision 0019).
"""

from typing import Final, NamedTuple

from traverse_schemas.reference.themes import THEMES
from traverse_stream_processors.matching.facts import Facts
from traverse_stream_processors.matching.french import day, lower_first
from traverse_stream_processors.matching.lots import Lot, in_words, nearest
from traverse_stream_processors.matching.roles import (
    ON_DEMAND,
    WIDER,
    Beneficiaries,
    Seeks,
    is_pooled,
)
from traverse_stream_processors.matching.subject import Alike, alike_from
from traverse_stream_processors.matching.territory import Reach, reach
from traverse_stream_processors.matching.words import CONFIRMED, PROPOSED

LEAST: Final = 0.6
"""An answer below this score is not proposed."""

LEAST_SUBJECT: Final = 0.6
"""Nor is one whose subject is less alike; chosen on one half of the judged set of answers."""

_SAME_THING: Final = 0.7
_TRADING: Final = (Seeks.ORDERS, Seeks.PARTNER)

_CONTRACTS: Final = ("contract", "concession", "sourcing", "expression_of_interest")


class Answer(NamedTuple):
    """`score` is 0 to 1; `until` the first moment at which it is too late (ISO, UTC), or "";
    `reason` one French sentence for the one in need; `audience` who may read what answers; `state`
    what people say of it (`words.LinkWords`)."""

    score: float
    until: str
    reason: str
    audience: str
    state: str = PROPOSED


def answer(need: Facts, offer: Facts, state: str = PROPOSED) -> Answer | None:
    """How an offer answers a need; None when it does not, and nobody confirmed that it does. Some
    10 microseconds."""
    judged = _judged(need, offer)
    if judged is not None:
        same = _same(offer, judged)
        reason = _sentence(judged, same, judged.reached.words, judged.fit.to_need, offer)
        until = _until(need, offer, judged.lot)
        return Answer(judged.score, until, reason, offer.audience, state)
    if state == CONFIRMED and need.id != offer.id:
        reason = f"« {offer.title} », d'après {need.owner_name}"
        return Answer(LEAST, _until(need, offer), reason, offer.audience, state)
    return None


def reason_for_offer(need: Facts, offer: Facts, reason: str) -> str:
    """Why an offer answers a need, in one French sentence for the one who offers; `reason` is what
    the one in need is told, which says the same to both where people alone say it."""
    judged = _judged(need, offer)
    if judged is None:
        return reason
    where = f"lieu du besoin : {need.territory}"
    return _sentence(judged, _same(need, judged), where, judged.fit.to_offer, offer)


class _Fit(NamedTuple):
    """How well a kind of thing answers a kind of need (0: not at all), and for whom it is, in words
    for the one in need and for the one who offers."""

    weight: float
    to_need: str
    to_offer: str


class _Judged(NamedTuple):
    score: float
    fit: _Fit
    subject: Alike
    reached: Reach
    lot: Lot | None = None


def _judged(need: Facts, offer: Facts) -> _Judged | None:
    if offer.until and offer.until <= need.first_time[: len(offer.until)]:
        return None  # over before anybody said the need
    fit = _fit(need, offer)
    if not fit.weight:
        return None
    # A member of a groupement buys by it wherever it lies.
    reached = reach(need, offer) or (_ANYWHERE if _is_fellow(need, offer) else None)
    if reached is None:
        return None
    least = max(LEAST_SUBJECT, _least_subject(fit.weight, reached.score))
    # A contract helps who is to buy only if it is for the very same thing.
    very_same = need.seeks is None and offer.subtype in ("contract", "concession")
    if very_same:
        least = max(least, _SAME_THING)
    subject, lot = alike_from(need, offer, least), None
    if offer.lots and need.seeks in _TRADING:
        found = nearest(need, offer.lots, max(least, subject.score if subject else 0.0))
        if found is not None:
            lot, subject = found
    if subject is None or subject.score < LEAST_SUBJECT:
        return None
    same = subject.score >= _SAME_THING and subject.text >= 0.5
    if very_same and not same:
        return None
    score = round(fit.weight * (0.7 * subject.score + 0.3 * reached.score), 3)
    return None if score < LEAST else _Judged(score, fit, subject, reached, lot)


def _least_subject(weight: float, reached: float) -> float:
    """A subject that is less alike than this cannot come to a score of LEAST; what rounding may
    add to both is taken off."""
    return ((LEAST - 0.001) / weight - 0.3 * reached) / 0.7 - 0.001


def _until(need: Facts, offer: Facts, lot: Lot | None = None) -> str:
    ends = (need.until, offer.until, lot.until if lot else "")
    return min(filter(None, ends), default="")


_NOT: Final = _Fit(0.0, "", "")
_FIRMS: Final = Beneficiaries(firms=True, public_bodies=False)


def _for_both(weight: float, words: str) -> _Fit:
    return _Fit(weight, words, words)


_FOR_FIRMS: Final = "ouvert aux entreprises"
_ORDERS: Final = _for_both(1.0, _FOR_FIRMS)
_ON_DEMAND: Final = _for_both(0.85, _FOR_FIRMS)
_ANNOUNCED: Final = _for_both(0.8, "projet à suivre")
_SHARED: Final = _for_both(0.95, _FOR_FIRMS)
_PARTNER: Final = _for_both(0.95, "à plusieurs")
_AID: Final = _for_both(1.0, "ouvert aux collectivités")
_MEANS: Final = _for_both(1.0, "moyens partagés")
_ALIKE: Final = _for_both(0.85, "projet de même objet")


def _fit(need: Facts, offer: Facts) -> _Fit:
    if need.id == offer.id:
        return _NOT
    if need.seeks is not None:
        return _for_firm(need, need.seeks, offer)
    return _for_institution(need, offer)


def _for_firm(need: Facts, seeks: Seeks, offer: Facts) -> _Fit:
    if not _open_to(offer).firms:
        return _NOT
    if offer.kind == "need":
        partner = seeks is Seeks.PARTNER and offer.seeks in (Seeks.PARTNER, Seeks.ORDERS)
        found = partner and need.owner_name != offer.title
        return _PARTNER if found else _NOT
    match seeks:
        case Seeks.ORDERS | Seeks.PARTNER:
            if offer.subtype in _CONTRACTS and offer.subtype != "expression_of_interest":
                return _ORDERS
            if offer.subtype in ON_DEMAND:
                return _ON_DEMAND
            return _ANNOUNCED if offer.subtype == "project" else _NOT
        case Seeks.AID:
            return _ORDERS if offer.subtype in ON_DEMAND else _NOT
        case _:
            shared = offer.subtype in (*ON_DEMAND, "shared_resources")
            return _SHARED if shared else _NOT


def _for_institution(need: Facts, offer: Facts) -> _Fit:
    own = bool(need.owner) and need.owner == offer.owner
    if offer.subtype in ("contract", "concession"):
        return _OWN if own else _contract_for(need, offer)
    if own or not _open_to(offer).public_bodies:
        return _NOT
    if offer.subtype in ON_DEMAND:
        return _AID
    if offer.subtype == "shared_resources":
        return _MEANS
    return _ALIKE if offer.subtype == "project" else _NOT


_OWN: Final = _Fit(1.0, "votre consultation", "besoin du même acheteur")
_ANYWHERE: Final = Reach(0.85, "")


def _contract_for(need: Facts, offer: Facts) -> _Fit:
    """Another buyer's contract: who is not in it cannot order by it."""
    if _is_fellow(need, offer):
        joint = f"groupement de commandes dont {offer.owner_name} vous dit membre"
        return _Fit(1.0, joint, "besoin d'un membre de votre groupement de commandes")
    above = not offer.covers.isdisjoint(need.within - set(need.place))
    if not above or offer.owner_kind not in WIDER:
        return _NOT
    if not offer.buyers and is_pooled(offer.title, offer.texts.description):
        pooled = f"achat pour plusieurs acheteurs : à voir avec {offer.owner_name}"
        return _Fit(0.9, pooled, f"achat pour plusieurs acheteurs : à voir avec {need.owner_name}")
    beside = "même achat par {} : à contacter"
    return _Fit(0.8, beside.format(offer.owner_name), beside.format(need.owner_name))


def _is_fellow(need: Facts, offer: Facts) -> bool:
    """Whether a contract says that who is in need buys by it."""
    return need.seeks is None and need.owner in offer.buyers


def _open_to(offer: Facts) -> Beneficiaries:
    """Whom something is open to: a contract to firms, the rest to those whom its words name."""
    if offer.kind == "call" and offer.subtype not in ON_DEMAND:
        return _FIRMS
    return offer.texts.open_to


def _same(facts: Facts, judged: _Judged) -> str:
    if judged.lot is not None:
        return in_words(judged.lot, judged.subject)
    return subject_in_words(facts, judged.subject)


def _sentence(judged: _Judged, same: str, where: str, open_to: str, offer: Facts) -> str:
    last = judged.lot.last_day if judged.lot and judged.lot.last_day else offer.last_day
    until = f"jusqu'au {day(last)}" if last else ""
    return ", ".join(filter(None, (same, where, open_to, until)))


def subject_in_words(facts: Facts, subject: Alike) -> str:
    """What two records have in common, in French, in the words of one of them."""
    if subject.depth >= 4 and facts.texts.labels:
        same = "même objet" if subject.depth >= 5 else "objet voisin"
        return f"{same} ({lower_first(facts.texts.labels[0])})"
    if subject.text >= 0.9:
        return f"même objet (« {facts.title} »)"
    if subject.theme and facts.themes:
        return f"objet proche ({lower_first(THEMES.get(facts.themes[0], facts.themes[0]))})"
    return f"objet proche (« {facts.title} »)"
