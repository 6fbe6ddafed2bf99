"""Answers: whether a call or a project answers a need, how well, and why. Pure.

Who is in need decides what an answer is:

- a firm that looks for orders: contracts and concessions that are open, projects that announce
  some; one that looks for a partner also other firms' needs of the same trade; one that looks for
  money: calls for projects open to firms; premises or staff: what is shared or called for;
- an institution that is to buy: its own call for the same thing, or one by who covers it from
  above; calls for projects that are open to public bodies; shared means; a project alike nearby.

Whether it is still open is judged when asked: an answer carries until when (decision 0019).
"""

from typing import Final, NamedTuple

from traverse_schemas.reference.themes import THEMES
from traverse_stream_processors.matching.facts import Facts
from traverse_stream_processors.matching.french import day, lower_first
from traverse_stream_processors.matching.roles import ON_DEMAND, Beneficiaries, Seeks
from traverse_stream_processors.matching.subject import Alike, alike_from
from traverse_stream_processors.matching.territory import Reach, reach
from traverse_stream_processors.matching.words import CONFIRMED, PROPOSED

LEAST: Final = 0.6
"""An answer below this score is not proposed."""

LEAST_SUBJECT: Final = 0.6
"""Nor is one whose subject is less alike; chosen on one half of the judged set of answers."""

_SAME_THING: Final = 0.7

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
    found = _answer(need, offer)
    if state == PROPOSED:
        return found
    if found is None and state == CONFIRMED and need.id != offer.id:
        reason = f"« {offer.title} », d'après {need.owner_name}"
        return Answer(LEAST, _until(need, offer), reason, offer.audience, state)
    return None if found is None else found._replace(state=state)


def _answer(need: Facts, offer: Facts) -> Answer | None:
    if offer.until and offer.until <= need.first_time[: len(offer.until)]:
        return None  # over before anybody said the need
    weight, open_to = _weight(need, offer)
    if not weight:
        return None
    reached = reach(need, offer)
    if reached is None:
        return None
    least = max(LEAST_SUBJECT, _least_subject(weight, reached.score))
    # A contract helps who is to buy only if it is for the very same thing.
    very_same = need.seeks is None and offer.subtype in ("contract", "concession")
    if very_same:
        least = max(least, _SAME_THING)
    subject = alike_from(need, offer, least)
    if subject is None or subject.score < LEAST_SUBJECT:
        return None
    same = subject.score >= _SAME_THING and subject.text >= 0.5
    if very_same and not same:
        return None
    score = round(weight * (0.7 * subject.score + 0.3 * reached.score), 3)
    if score < LEAST:
        return None
    reason = _reason(offer, subject, reached, open_to)
    return Answer(score, _until(need, offer), reason, offer.audience)


def _least_subject(weight: float, reached: float) -> float:
    """A subject that is less alike than this cannot come to a score of LEAST; what rounding may
    add to both is taken off."""
    return ((LEAST - 0.001) / weight - 0.3 * reached) / 0.7 - 0.001


def _until(need: Facts, offer: Facts) -> str:
    return min(filter(None, (need.until, offer.until)), default="")


def _weight(need: Facts, offer: Facts) -> tuple[float, str]:
    """How well this kind of thing answers this kind of need (0: not at all), and for whom it is."""
    if need.id == offer.id:
        return 0.0, ""
    if need.seeks is not None:
        return _for_firm(need, need.seeks, offer)
    return _for_institution(need, offer)


def _for_firm(need: Facts, seeks: Seeks, offer: Facts) -> tuple[float, str]:
    if not _open_to(offer).firms:
        return 0.0, ""
    if offer.kind == "need":
        partner = seeks is Seeks.PARTNER and offer.seeks in (Seeks.PARTNER, Seeks.ORDERS)
        return (0.95, "à plusieurs") if partner and need.owner_name != offer.title else (0.0, "")
    match seeks:
        case Seeks.ORDERS | Seeks.PARTNER:
            if offer.subtype in _CONTRACTS and offer.subtype != "expression_of_interest":
                return 1.0, "ouvert aux entreprises"
            if offer.subtype in ON_DEMAND:
                return 0.85, "ouvert aux entreprises"
            return (0.8, "projet à suivre") if offer.subtype == "project" else (0.0, "")
        case Seeks.AID:
            return (1.0, "ouvert aux entreprises") if offer.subtype in ON_DEMAND else (0.0, "")
        case _:
            shared = offer.subtype in (*ON_DEMAND, "shared_resources")
            return (0.95, "ouvert aux entreprises") if shared else (0.0, "")


def _for_institution(need: Facts, offer: Facts) -> tuple[float, str]:
    own = bool(need.owner) and need.owner == offer.owner
    if offer.subtype in ("contract", "concession"):
        if own:
            return 1.0, "votre consultation"
        above = not offer.covers.isdisjoint(need.within - set(need.place))
        wider = above and offer.owner_kind in ("epci", "department", "region", "state")
        return (0.9, "portée pour votre territoire") if wider else (0.0, "")
    if own or not _open_to(offer).public_bodies:
        return 0.0, ""
    if offer.subtype in ON_DEMAND:
        return 1.0, "ouvert aux collectivités"
    if offer.subtype == "shared_resources":
        return 1.0, "moyens partagés"
    return (0.85, "projet de même objet") if offer.subtype == "project" else (0.0, "")


def _open_to(offer: Facts) -> Beneficiaries:
    """Whom something is open to: a contract to firms, the rest to those whom its words name."""
    if offer.kind == "call" and offer.subtype not in ON_DEMAND:
        return Beneficiaries(firms=True, public_bodies=False)
    return offer.texts.open_to


def _reason(offer: Facts, subject: Alike, reached: Reach, open_to: str) -> str:
    parts = [subject_in_words(offer, subject), reached.words, open_to]
    if offer.until:
        parts.append(f"jusqu'au {day(offer.until)}")
    return ", ".join(filter(None, parts))


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
