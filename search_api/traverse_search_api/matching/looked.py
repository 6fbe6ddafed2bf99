"""What the indices say of changed documents: which can be seen, which are gone, which are not shown
yet, and what filters find of them. Pure.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final, NamedTuple

from traverse_search_api.changes.change_log import Change
from traverse_search_api.matching.judging import JUDGED_FIELDS
from traverse_search_api.matching.needs import NEEDED_FIELDS
from traverse_search_api.query.queries import ITEM_FIELDS

Query = dict[str, Any]

_MATCHED: Final = "matched"
_IDS: Final = "ids"
_SOURCE: Final = frozenset((*ITEM_FIELDS, *NEEDED_FIELDS, *JUDGED_FIELDS))


class Looked(NamedTuple):
    """What one index says of the changed documents.

    `hits` are those that can be seen, by id; `gone` the ids of which only a stub is left; `late`
    the changes that a search does not show yet; `matched` the ids each filter finds, by its key.
    """

    hits: dict[str, Query]
    gone: frozenset[str]
    late: frozenset[Change]
    matched: dict[str, frozenset[str]]


Seen = dict[str, Looked]
"""What each index says, by its name."""


def look_body(changes: Sequence[Change], more: Collection[str] = ()) -> Query:
    """The search that looks at the changed documents; `more` fields of them than matching needs."""
    ids = sorted({change.id for change in changes})
    return {
        "size": len(ids),
        "query": {"terms": {"id": ids}},
        "_source": sorted({*_SOURCE, *more}),
        "version": True,
    }


def ask_body(ids: Collection[str], filters: Mapping[str, Query]) -> Query:
    """The search that asks which of the documents each filter finds, by a key of each."""
    return {
        "size": 0,
        "query": {"terms": {"id": sorted(ids)}},
        "aggs": {
            _MATCHED: {
                "filters": {"filters": dict(filters)},
                # Over few documents: reading their ids costs less than numbering all of an index's.
                "aggs": {
                    _IDS: {"terms": {"field": "id", "size": len(ids), "execution_hint": "map"}}
                },
            }
        },
    }


def read_asked(found: Query) -> dict[str, frozenset[str]]:
    """The ids that each filter finds, as an index answers to `ask_body`."""
    buckets = found.get("aggregations", {}).get(_MATCHED, {}).get("buckets", {})
    return {
        key: frozenset(each["key"] for each in bucket[_IDS]["buckets"])
        for key, bucket in buckets.items()
        if bucket["doc_count"]
    }


def read_look(changes: Sequence[Change], found: Query, index: str) -> Looked:
    """What the answer of an index to `look_body` says; no filter was asked."""
    seen = {hit["_source"]["id"]: hit for hit in found.get("hits", {}).get("hits", [])}
    return Looked(
        hits={one: hit for one, hit in seen.items() if not hit["_source"].get("stub")},
        gone=frozenset(one for one, hit in seen.items() if hit["_source"].get("stub")),
        late=frozenset(change for change in changes if _late(change, seen.get(change.id), index)),
        matched={},
    )


def joined(one: Seen, other: Seen) -> Seen:
    """What both say of the same changes; of an index that both asked, `other` said it later."""
    found = dict(one)
    for name, looked in other.items():
        before = found.get(name)
        found[name] = (
            looked
            if before is None
            else looked._replace(
                matched={**before.matched, **looked.matched}, late=before.late | looked.late
            )
        )
    return found


def late_in(seen: Seen) -> frozenset[Change]:
    """The changes that some index does not show yet."""
    return frozenset().union(*(looked.late for looked in seen.values()))


def _late(change: Change, hit: Query | None, index: str) -> bool:
    """Whether a search does not show this change yet: the index is refreshed now and then.

    Of a document that lies elsewhere now, nothing has to be here; where there is an older version,
    a stub will take its place.
    """
    if hit is None:
        return change.held == index
    return int(hit["_version"]) < change.version


def ready(changes: Sequence[Change], late: Collection[Change]) -> list[Change]:
    """The changes before the first late one of their partition, in order: these may be told."""
    stopped: set[int] = set()
    found = []
    for change in changes:
        if change in late:
            stopped.add(change.partition)
        elif change.partition not in stopped:
            found.append(change)
    return found
