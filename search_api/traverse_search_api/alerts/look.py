"""What the indices say of changed documents, and which followed searches find them.

As streams do: the very queries of the searches, in a `filters` aggregation over the changed ids;
here of candidates alone, and of those only where `preselect` cannot tell.
"""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

from traverse_schemas.document import INDICES
from traverse_schemas.other_languages import OTHER_LANGUAGES
from traverse_schemas.status import french_day
from traverse_search_api.alerts.followed import FollowedSearches
from traverse_search_api.alerts.preselect import (
    DOCUMENT_FIELDS,
    Key,
    keys_of_document,
    word_query,
)
from traverse_search_api.elasticsearch_client import Indices
from traverse_search_api.queries import ITEM_FIELDS
from traverse_search_api.stream.change_log import Change
from traverse_search_api.stream.matching import Looked, matching_body, read_matching

Document = dict[str, Any]
_FILTERS: Final = 200
"""In one search. Some 4 kB each as JSON, and many times that once Elasticsearch has read them: a
thousand at a time, of four indices at once, came near the whole of a heap of 1 GiB."""

_WORDS: Final = 1000  # in one search; they are small
_SOURCE: Final = sorted(
    {
        *ITEM_FIELDS,
        *DOCUMENT_FIELDS,
        "stub",
        "audience",
        "state",
        "merged_into",
        "expires",
        "language",
    }
)


class Sight(NamedTuple):
    """What the indices say of a batch.

    `documents` are those that can be seen, by id, with the index of each; `stubs` the ids of which
    an index has only a stub, with where they lead ("" for nowhere); `looked` by index.
    """

    documents: dict[str, tuple[str, Document]]
    stubs: dict[str, str]
    looked: dict[str, Looked]
    words: dict[str, set[Key]]


async def look(changes: Sequence[Change], searches: FollowedSearches, indices: Indices) -> Sight:
    """Look at changed documents, and at the words they hold. Raises SearchUnavailableError."""
    words = {f"{number}": key for number, key in enumerate(searches.candidates.words)}

    async def one(index: str) -> tuple[str, Looked, dict[str, set[Key]], list[Document]]:
        body = matching_body(changes, {}) | {"_source": _SOURCE}
        answer = await indices.one(index).match(body)
        looked = read_matching(changes, answer, index)
        stubs = [
            hit["_source"]
            for hit in answer.get("hits", {}).get("hits", [])
            if hit["_source"].get("stub")
        ]
        held: dict[str, set[Key]] = {identity: set() for identity in looked.hits}
        if held:
            names = list(words)
            few = [change for change in changes if change.id in held]
            for start in range(0, len(names), _WORDS):
                part = {name: word_query(words[name]) for name in names[start : start + _WORDS]}
                for name, ids in (await _matched(few, part, index, indices)).items():
                    for identity in ids & held.keys():
                        held[identity].add(words[name])
        return index, looked, held, stubs

    sight = Sight({}, {}, {}, {})
    for index, looked, held, stubs in await asyncio.gather(*(one(each) for each in INDICES)):
        sight.looked[index] = looked
        for identity, hit in looked.hits.items():
            sight.documents[identity] = (index, hit["_source"])
            sight.words[identity] = held[identity]
        for stub in stubs:
            leads = str(stub.get("merged_into") or "")
            sight.stubs[stub["id"]] = sight.stubs.get(stub["id"]) or leads
    return sight


async def found_by(
    sight: Sight, changes: Sequence[Change], searches: FollowedSearches, indices: Indices,
    now: datetime,
) -> dict[str, set[str]]:  # fmt: skip
    """For each document that can be seen, the keys of the searches that find it.

    Raises SearchUnavailableError.
    """
    wanted: dict[str, dict[str, set[str]]] = {}
    found: dict[str, set[str]] = {}
    today = french_day(now).isoformat()
    for identity, (index, source) in sight.documents.items():
        if (source.get("expires") or today) < today:
            continue
        keys = keys_of_document(source, sight.words[identity])
        for key in searches.candidates.of(keys):
            reader = searches.by_key[key].reader
            if index not in reader.indices or not reader.reads_document(source):
                continue
            # Each word may be found in either reading of German, and both in none.
            french = source.get("language") not in OTHER_LANGUAGES
            if french and searches.candidates.is_exact(key):
                found.setdefault(identity, set()).add(key)
            else:
                wanted.setdefault(index, {}).setdefault(key, set()).add(identity)
    for index, asked in wanted.items():
        names = list(asked)
        for start in range(0, len(names), _FILTERS):
            part = names[start : start + _FILTERS]
            ids = frozenset[str]().union(*(asked[key] for key in part))
            few = [change for change in changes if change.id in ids]
            filters = {key: searches.query(key, now) for key in part}
            for key, matched in (await _matched(few, filters, index, indices)).items():
                for identity in matched & ids:
                    found.setdefault(identity, set()).add(key)
    return found


async def _matched(
    changes: Sequence[Change], filters: Mapping[str, Any], index: str, indices: Indices
) -> dict[str, frozenset[str]]:
    body = matching_body(changes, filters) | {"size": 0, "_source": False}
    return read_matching((), await indices.one(index).match(body), index).matched
