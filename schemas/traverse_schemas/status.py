"""The status that people see, computed when asked from one date (`as_of`), never stored.

The query of the search API says the same in Elasticsearch's words; a test holds both together.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Any, Final
from zoneinfo import ZoneInfo

CLOSING_SOON: Final = timedelta(days=7)
"""A call whose deadline is this near is "clôture imminente"."""

TO_CONFIRM: Final = timedelta(days=90)
"""A need is asked again after this time without news."""

_PARIS = ZoneInfo("Europe/Paris")


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


def settled(document: Mapping[str, Any]) -> Status | None:
    """The status that the outcome of a document decides whatever the day; None where there is none,
    or where dates decide too."""
    return _SETTLED.get(document.get("kind") or "", {}).get(document.get("outcome") or "")


def status_of(document: dict[str, Any], as_of: datetime) -> Status:
    """The status of a document (`document.Document`, as a dict) at an aware instant."""
    kind, status = document["kind"], settled(document)
    if status is not None:
        return status
    if kind == "call":
        return _call(document, as_of)
    if kind == "project":
        return _project(document)
    return _need(document, as_of)


def _call(document: dict[str, Any], as_of: datetime) -> Status:
    if document.get("outcome") == "awarded":
        today = french_day(as_of).isoformat()
        end, notified = document.get("end_max"), document.get("notified")
        if end and end < today:
            return Status.ENDED
        if end and notified and notified <= today:
            return Status.RUNNING
        return Status.AWARDED
    deadline = document.get("deadline")
    if deadline is None:
        return Status.ANNOUNCED
    until = _instant(deadline["until"])
    if until <= as_of:
        return Status.UNDER_REVIEW
    return Status.CLOSING_SOON if until <= as_of + CLOSING_SOON else Status.OPEN


def _project(document: dict[str, Any]) -> Status:
    return Status(document.get("stage") or "idea")


def _need(document: dict[str, Any], as_of: datetime) -> Status:
    if _instant(document["updated_at"]) <= as_of - TO_CONFIRM:
        return Status.TO_CONFIRM
    return Status(document.get("stage") or "reported")


def _instant(text: str) -> datetime:
    instant = datetime.fromisoformat(text)
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)
