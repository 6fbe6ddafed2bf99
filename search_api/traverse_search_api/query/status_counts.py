"""How many results have each status: the facet, and what ranks first as still open. Pure.

What is counted are turns from one status to another that are over at an instant
(`traverse_schemas.documents.counted`). A test on the real engine holds this equal to
`status_query`, which filters.
"""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from traverse_schemas.documents.counted import OPEN_UNTIL, TURNS, turn_number
from traverse_schemas.documents.status import Status
from traverse_search_api.filters.status_query import index_text

Query = dict[str, Any]

_TURNS: Final = "turns"
_BY_DATES: Final = (
    (Status.OPEN, Status.CLOSING_SOON),
    (Status.CLOSING_SOON, Status.UNDER_REVIEW),
    (Status.AWARDED, Status.RUNNING),
    (Status.AWARDED, Status.ENDED),
    (Status.RUNNING, Status.ENDED),
    (Status.REPORTED, Status.TO_CONFIRM),
    (Status.QUALIFIED, Status.TO_CONFIRM),
    (Status.DIRECTED, Status.TO_CONFIRM),
)
_COUNTED: Final[dict[str, tuple[Status | None, Status]]] = {
    f"{before or ''}>{status}": (before, status)
    for before, status in (*((None, status) for status in Status), *_BY_DATES)
}
"""The turns there are, by the names of their counts."""


def status_aggregations(as_of: datetime) -> dict[str, Query]:
    """What `read_statuses` needs to be counted."""
    ranges = [
        {
            "key": name,
            "from": turn_number(before, status, None),
            "to": turn_number(before, status, as_of) + 1,
        }
        for name, (before, status) in _COUNTED.items()
    ]
    return {_TURNS: {"range": {"field": TURNS, "keyed": True, "ranges": ranges}}}


def read_statuses(aggregations: Mapping[str, Any]) -> dict[str, int]:
    """How many have each status that occurs, by its code."""
    found: Counter[Status] = Counter()
    for name, counts in aggregations[_TURNS]["buckets"].items():
        before, status = _COUNTED[name]
        found[status] += counts["doc_count"]
        if before:
            found[before] -= counts["doc_count"]
    return {status.value: count for status, count in found.items() if count}


def open_filter(as_of: datetime) -> Query:
    """The documents whose status is one of `status.OPEN_STATUSES`: for ranking, which looks at each
    result."""
    return {"range": {OPEN_UNTIL: {"gt": index_text(as_of)}}}
