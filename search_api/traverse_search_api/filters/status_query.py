"""`traverse_schemas.documents.status.status_of`, said in Elasticsearch's words.

A test on the real engine holds both together, document by document and date by date.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final

from traverse_schemas.documents.status import (
    CALL_STATUSES,
    CLOSING_SOON,
    NEED_STATUSES,
    PROJECT_STATUSES,
    TO_CONFIRM,
    Status,
    french_day,
)

Query = dict[str, Any]

_SANS_SUITE: Final = ["unsuccessful", "dropped"]
_CALL_ENDED: Final = [*_SANS_SUITE, "terminated", "awarded"]
_NEED_ENDED: Final = ["met", "abandoned"]
_PROJECT_ENDED: Final = ["completed", "abandoned"]


def whole_millisecond(as_of: datetime) -> datetime:
    """The last microsecond of the instant's millisecond, in UTC.

    The index keeps milliseconds, cut off. Judged from the end of one, "not later than" gives the
    same answer on the index's instants and on the documents' own microseconds.
    """
    instant = as_of.astimezone(UTC)
    return instant.replace(microsecond=instant.microsecond // 1000 * 1000 + 999)


@lru_cache(maxsize=256)  # one search says the same few instants for each status
def index_text(instant: datetime) -> str:
    """An aware instant as the index compares it: UTC, whole milliseconds."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def status_filter(statuses: Iterable[Status], as_of: datetime) -> Query:
    """Documents that have one of the statuses at `as_of`; "open" includes what closes soon.

    People who ask for what is open mean all that they can still answer; `closing_soon` narrows it.
    """
    wanted = dict.fromkeys(statuses)
    if Status.OPEN in wanted:
        wanted[Status.CLOSING_SOON] = None
    return {"bool": {"should": [status_clause(status, as_of) for status in wanted]}}


def status_clause(status: Status, as_of: datetime) -> Query:
    """Documents whose status at `as_of` (see `whole_millisecond`) is exactly this one."""
    clauses = []
    if status in CALL_STATUSES:
        clauses.append(_all(_kind("call"), _call_clause(status, as_of)))
    if status in PROJECT_STATUSES:
        clauses.append(_all(_kind("project"), _project_clause(status)))
    if status in NEED_STATUSES:
        clauses.append(_all(_kind("need"), _need_clause(status, as_of)))
    return _any(*clauses)


def _call_clause(status: Status, as_of: datetime) -> Query:
    now, soon = index_text(as_of), index_text(as_of + CLOSING_SOON)
    match status:
        case Status.ANNOUNCED:
            return _all(without=[_outcome(_CALL_ENDED), _exists("deadline.until")])
        case Status.UNDER_REVIEW:
            return _unless(_CALL_ENDED, _range("deadline.until", lte=now))
        case Status.CLOSING_SOON:
            return _unless(_CALL_ENDED, _range("deadline.until", gt=now, lte=soon))
        case Status.OPEN:
            return _unless(_CALL_ENDED, _range("deadline.until", gt=soon))
        case Status.WITHOUT_AWARD:
            return _outcome(_SANS_SUITE)
        case _:
            return _contract_clause(status, french_day(as_of).isoformat())


def _contract_clause(status: Status, today: str) -> Query:
    awarded, late = _outcome(["awarded"]), _range("end_max", lt=today)
    begun = _all(_exists("end_max"), _range("notified", lte=today))
    match status:
        case Status.ENDED:
            return _any(_outcome(["terminated"]), _all(awarded, late))
        case Status.RUNNING:
            return _all(awarded, begun, without=[late])
        case _:
            return _all(awarded, without=[late, begun])


def _project_clause(status: Status) -> Query:
    at_stage = _unless(_PROJECT_ENDED, _stage(status, Status.IDEA))
    match status:
        case Status.DELIVERED:
            return _any(_outcome(["completed"]), at_stage)
        case Status.ABANDONED:
            return _any(_outcome(["abandoned"]), at_stage)
        case _:
            return at_stage


def _need_clause(status: Status, as_of: datetime) -> Query:
    stale = index_text(as_of - TO_CONFIRM)
    match status:
        case Status.MET:
            return _outcome(["met"])
        case Status.ABANDONED:
            return _outcome(["abandoned"])
        case Status.TO_CONFIRM:
            return _unless(_NEED_ENDED, _range("updated_at", lte=stale))
        case _:
            news = _range("updated_at", gt=stale)
            return _unless(_NEED_ENDED, _stage(status, Status.REPORTED), news)


def _unless(outcomes: list[str], *clauses: Query) -> Query:
    return _all(*clauses, without=[_outcome(outcomes)])


def _stage(status: Status, first: Status) -> Query:
    own = {"term": {"stage": status.value}}
    return _any(own, _all(without=[_exists("stage")])) if status is first else own


def _kind(kind: str) -> Query:
    return {"term": {"kind": kind}}


def _outcome(outcomes: list[str]) -> Query:
    return {"terms": {"outcome": outcomes}}


def _exists(field: str) -> Query:
    return {"exists": {"field": field}}


def _range(field: str, **bounds: str) -> Query:
    return {"range": {field: bounds}}


def _all(*clauses: Query, without: Iterable[Query] = ()) -> Query:
    query: Query = {"filter": list(clauses)} if clauses else {}
    refused = list(without)
    if refused:
        query["must_not"] = refused
    return {"bool": query}


def _any(*clauses: Query) -> Query:
    return {"bool": {"should": list(clauses), "minimum_should_match": 1}}
