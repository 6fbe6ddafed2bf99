"""Which streams a change concerns: one search an index over the changed documents, for all filters.
Pure.

A `filters` aggregation restricted to the ids of a batch asks Elasticsearch what each stream's own
search would find, in the very words of that search.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

from traverse_schemas.reference.territories import Territories
from traverse_search_api.filters import choice_filters, other_filters, readable_filters
from traverse_search_api.parameters import SearchParameters
from traverse_search_api.queries import ITEM_FIELDS, unscored
from traverse_search_api.reader import Reader
from traverse_search_api.stream.change_log import Change
from traverse_search_api.synonym_book import Meanings
from traverse_search_api.text_query import plan_of, text_query

Query = dict[str, Any]

_MATCHED: Final = "matched"
_IDS: Final = "ids"


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


def stream_filter(
    parameters: SearchParameters,
    as_of: datetime,
    places: Territories,
    meanings: Meanings,
    reader: Reader,
) -> Query:
    """The filter of a stream: what a search with these parameters finds, without what ranks it,
    which would be most of it.

    Raises InvalidParameterError.
    """
    plan = plan_of(parameters.q, places, meanings, as_of, parameters.literal)
    always, never = readable_filters(as_of, reader)
    chosen = choice_filters(parameters, as_of, places).values()
    filters = [*always, *chosen, *other_filters(parameters).values()]
    return {"bool": {"filter": [unscored(text_query(plan)), *filters], "must_not": never}}


def matching_body(changes: Sequence[Change], filters: Mapping[str, Query]) -> Query:
    """The search that looks at the changed documents; `filters` by the key of their streams."""
    ids = sorted({change.id for change in changes})
    body: Query = {
        "size": len(ids),
        "query": {"terms": {"id": ids}},
        "_source": [*ITEM_FIELDS, "stub", "audience"],
        "version": True,
    }
    if filters:
        body["aggs"] = {
            _MATCHED: {
                "filters": {"filters": dict(filters)},
                # Over few documents: reading their ids costs less than numbering all of an index's.
                "aggs": {
                    _IDS: {"terms": {"field": "id", "size": len(ids), "execution_hint": "map"}}
                },
            }
        }
    return body


def read_matching(changes: Sequence[Change], found: Query, index: str) -> Looked:
    """What the answer of an index to `matching_body` says."""
    seen = {hit["_source"]["id"]: hit for hit in found.get("hits", {}).get("hits", [])}
    buckets = found.get("aggregations", {}).get(_MATCHED, {}).get("buckets", {})
    return Looked(
        hits={one: hit for one, hit in seen.items() if not hit["_source"].get("stub")},
        gone=frozenset(one for one, hit in seen.items() if hit["_source"].get("stub")),
        late=frozenset(change for change in changes if _late(change, seen.get(change.id), index)),
        matched={
            key: frozenset(each["key"] for each in bucket[_IDS]["buckets"])
            for key, bucket in buckets.items()
            if bucket["doc_count"]
        },
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
