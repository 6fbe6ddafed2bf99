"""How many results have each status: the facet, and what ranks first as still open. Pure.

What a document's phase alone decides is counted by it; dates are looked at in the few phases that
they decide in. A test on the real engine holds this equal to `status_query`, which filters.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from traverse_schemas.counted import CONTRACT, DATED, LIVE_NEEDS, PHASE
from traverse_schemas.status import CLOSING_SOON, TO_CONFIRM, Status, french_day
from traverse_search_api.status_query import index_text

Query = dict[str, Any]

OPEN: Final = (Status.OPEN, Status.IDEA, Status.STUDIES, Status.FUNDED, Status.REPORTED,
                Status.QUALIFIED, Status.DIRECTED)  # fmt: skip
"""What can still be answered, or helped."""

_PHASES: Final = "phases"
_CHANGING: Final = "changing"
_MOST: Final = 50  # phases there are


def status_aggregations(as_of: datetime) -> dict[str, Query]:
    """What `read_statuses` needs to be counted."""
    now, soon = index_text(as_of), index_text(as_of + CLOSING_SOON)
    today, stale = french_day(as_of).isoformat(), index_text(as_of - TO_CONFIRM)
    over: Query = {"range": {"end_max": {"lt": today}}}
    changing = {
        Status.CLOSING_SOON.value: _in(DATED, _range("deadline.until", gt=now, lte=soon)),
        Status.OPEN.value: _in(DATED, _range("deadline.until", gt=soon)),
        Status.ENDED.value: _in(CONTRACT, over),
        Status.RUNNING.value: _in(CONTRACT, _range("notified", lte=today), without=over),
        **{
            f"{phase}:{Status.TO_CONFIRM.value}": _in(phase, _range("updated_at", lte=stale))
            for phase in LIVE_NEEDS.values()
        },
    }
    return {
        _PHASES: {"terms": {"field": PHASE, "size": _MOST}},
        _CHANGING: {"filters": {"filters": changing}},
    }


def read_statuses(aggregations: Mapping[str, Any]) -> dict[str, int]:
    """How many have each status that occurs, by its code."""
    found = {one["key"]: one["doc_count"] for one in aggregations[_PHASES]["buckets"]}
    changing = {name: one["doc_count"] for name, one in aggregations[_CHANGING]["buckets"].items()}
    dated, contracts = found.pop(DATED, 0), found.pop(CONTRACT, 0)
    to_come = changing[Status.OPEN], changing[Status.CLOSING_SOON]
    begun = changing[Status.RUNNING], changing[Status.ENDED]
    found |= {
        Status.OPEN: to_come[0],
        Status.CLOSING_SOON: to_come[1],
        Status.UNDER_REVIEW: dated - sum(to_come),
        Status.RUNNING: begun[0],
        Status.ENDED: found.get(Status.ENDED, 0) + begun[1],
        Status.AWARDED: found.get(Status.AWARDED, 0) + contracts - sum(begun),
    }
    silent = 0
    for status, phase in LIVE_NEEDS.items():
        stale = changing[f"{phase}:{Status.TO_CONFIRM.value}"]
        found[status] = found.pop(phase, 0) - stale
        silent += stale
    found[Status.TO_CONFIRM] = silent
    return {str(status): count for status, count in found.items() if count}


def open_filter(as_of: datetime) -> Query:
    """The documents whose status is one of `OPEN`, or closing soon: for ranking, which looks at
    each result."""
    stages = [Status.IDEA.value, Status.STUDIES.value, Status.FUNDED.value]
    since = _range("updated_at", gt=index_text(as_of - TO_CONFIRM))
    needs: Query = {"bool": {"filter": [{"terms": {PHASE: list(LIVE_NEEDS.values())}}, since]}}
    to_come = _in(DATED, _range("deadline.until", gt=index_text(as_of)))
    return {"bool": {"should": [{"terms": {PHASE: stages}}, to_come, needs]}}


def _in(phase: str, *conditions: Query, without: Query | None = None) -> Query:
    query: Query = {"filter": [{"term": {PHASE: phase}}, *conditions]}
    if without is not None:
        query["must_not"] = [without]
    return {"bool": query}


def _range(field: str, **bounds: str) -> Query:
    return {"range": {field: bounds}}
