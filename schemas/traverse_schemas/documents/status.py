"""The status that people see, computed when asked from one date (`as_of`), never stored.

The query of the search API says the same in Elasticsearch's words; a test holds both together.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

CLOSING_SOON: Final = timedelta(days=7)
"""A call whose deadline is this near is "clôture imminente"."""

TO_CONFIRM: Final = timedelta(days=90)
"""A need is asked again after this time without news."""

_PARIS = ZoneInfo("Europe/Paris")
_FIRST: Final = datetime.min.replace(tzinfo=UTC)
_LAST: Final = datetime.max.replace(tzinfo=UTC)


class Status(StrEnum):
    """Statuses of calls, projects and needs (`docs/domain.md`, words on screen)."""

    ANNOUNCED = "announced"
    OPEN = "open"
    CLOSING_SOON = "closing_soon"
    UNDER_REVIEW = "under_review"
    AWARDED = "awarded"
    RUNNING = "running"
    ENDED = "ended"
    WITHOUT_AWARD = "without_award"
    IDEA = "idea"
    STUDIES = "studies"
    FUNDED = "funded"
    TENDERING = "tendering"
    WORKS = "works"
    DELIVERED = "delivered"
    REPORTED = "reported"
    QUALIFIED = "qualified"
    DIRECTED = "directed"
    MET = "met"
    TO_CONFIRM = "to_confirm"
    ABANDONED = "abandoned"


STATUS_LABELS: dict[Status, str] = {
    Status.ANNOUNCED: "Annoncé",
    Status.OPEN: "Ouvert",
    Status.CLOSING_SOON: "Clôture imminente",
    Status.UNDER_REVIEW: "Offres en analyse",
    Status.AWARDED: "Attribué",
    Status.RUNNING: "En cours",
    Status.ENDED: "Échu",
    Status.WITHOUT_AWARD: "Sans suite",
    Status.IDEA: "Idée",
    Status.STUDIES: "Études",
    Status.FUNDED: "Financé",
    Status.TENDERING: "Consultation",
    Status.WORKS: "Travaux",
    Status.DELIVERED: "Livré",
    Status.REPORTED: "Signalé",
    Status.QUALIFIED: "Qualifié",
    Status.DIRECTED: "Orienté",
    Status.MET: "Satisfait",
    Status.TO_CONFIRM: "À confirmer",
    Status.ABANDONED: "Abandonné",
}

CALL_STATUSES: Final = (
    Status.ANNOUNCED,
    Status.OPEN,
    Status.CLOSING_SOON,
    Status.UNDER_REVIEW,
    Status.AWARDED,
    Status.RUNNING,
    Status.ENDED,
    Status.WITHOUT_AWARD,
)
PROJECT_STATUSES: Final = (
    Status.IDEA,
    Status.STUDIES,
    Status.FUNDED,
    Status.TENDERING,
    Status.WORKS,
    Status.DELIVERED,
    Status.ABANDONED,
)
NEED_STATUSES: Final = (
    Status.REPORTED,
    Status.QUALIFIED,
    Status.DIRECTED,
    Status.MET,
    Status.TO_CONFIRM,
    Status.ABANDONED,
)

OPEN_STATUSES: Final = (
    Status.OPEN,
    Status.CLOSING_SOON,
    Status.IDEA,
    Status.STUDIES,
    Status.FUNDED,
    Status.REPORTED,
    Status.QUALIFIED,
    Status.DIRECTED,
)
"""Of what can still be answered, or helped."""

_SETTLED: Final = {
    "call": {
        "unsuccessful": Status.WITHOUT_AWARD,
        "dropped": Status.WITHOUT_AWARD,
        "terminated": Status.ENDED,
    },
    "project": {"completed": Status.DELIVERED, "abandoned": Status.ABANDONED},
    "need": {"met": Status.MET, "abandoned": Status.ABANDONED},
}


def french_day(as_of: datetime) -> date:
    """The day it is in metropolitan France at that instant: contracts end by French days."""
    return as_of.astimezone(_PARIS).date()


@lru_cache(maxsize=10_000)
def end_of_french_day(day: str) -> datetime:
    """The first moment (UTC) after a day (ISO) in metropolitan France."""
    last = min(date.fromisoformat(day), date.max - timedelta(days=1))
    following = last + timedelta(days=1)
    return datetime.combine(following, time(), _PARIS).astimezone(UTC)


@lru_cache(maxsize=10_000)
def _start_of_french_day(day: str) -> datetime:
    first = max(date.fromisoformat(day), date.min + timedelta(days=1))
    return datetime.combine(first, time(), _PARIS).astimezone(UTC)


class Turn(NamedTuple):
    """A status that a document takes: `at` the aware instant from which it has it (None: ever),
    `before` the one that it had until then."""

    at: datetime | None
    before: Status | None
    status: Status


def status_of(document: Mapping[str, Any], as_of: datetime) -> Status:
    """The status of a document (`document.Document`, as a dict) at an aware instant.

    Raises as `turns_of` does.
    """
    turns = turns_of(document)
    return next(one.status for one in reversed(turns) if one.at is None or one.at <= as_of)


def turns_of(document: Mapping[str, Any]) -> tuple[Turn, ...]:
    """Every status that a document has, one after the other as dates make them, the first from
    ever.

    Raises ValueError (a kind, a stage or a date that is none), KeyError, TypeError.
    """
    statuses = list(_statuses(document))
    befores = (None, *(status for _, status in statuses))
    return tuple(
        Turn(at, before, status) for before, (at, status) in zip(befores, statuses, strict=False)
    )


def _statuses(document: Mapping[str, Any]) -> Iterator[tuple[datetime | None, Status]]:
    kind = document["kind"]
    settled = _SETTLED.get(kind, {}).get(document.get("outcome") or "")
    if settled is not None:
        yield None, settled
    elif kind == "call" and document.get("outcome") == "awarded":
        yield from _contract(document.get("notified"), document.get("end_max"))
    elif kind == "call":
        yield from _call(document.get("deadline"))
    elif kind == "project":
        yield None, Status(document.get("stage") or "idea")
    elif kind == "need":
        yield None, Status(document.get("stage") or "reported")
        news = _instant(document["updated_at"])
        yield news + min(TO_CONFIRM, _LAST - news), Status.TO_CONFIRM
    else:
        raise ValueError(kind)


def _contract(notified: str | None, end: str | None) -> Iterator[tuple[datetime | None, Status]]:
    yield None, Status.AWARDED
    if end:
        over = end_of_french_day(end)
        if notified and (begun := _start_of_french_day(notified)) < over:
            yield begun, Status.RUNNING
        yield over, Status.ENDED


def _call(deadline: Mapping[str, Any] | None) -> Iterator[tuple[datetime | None, Status]]:
    if deadline is None:
        yield None, Status.ANNOUNCED
        return
    until = _instant(deadline["until"])
    yield None, Status.OPEN
    yield until - min(CLOSING_SOON, until - _FIRST), Status.CLOSING_SOON
    yield until, Status.UNDER_REVIEW


def _instant(text: str) -> datetime:
    instant = datetime.fromisoformat(text)
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)
