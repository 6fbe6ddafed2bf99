"""Which followed searches find changed documents: judged here where that can be done, and asked of
Elasticsearch, for few documents and few searches, where it cannot.
"""

import asyncio
import logging
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from traverse_search_api.changes.change_log import Change
from traverse_search_api.engines.elasticsearch_client import Index, Indices
from traverse_search_api.errors import RefusedQueryError
from traverse_search_api.matching.looked import Seen, ask_body, read_asked
from traverse_search_api.matching.searches import Searches
from traverse_search_api.matching.words import ANALYZERS, FIELDS, Terms, WordBook

_LOG = logging.getLogger(__name__)

Document = Mapping[str, Any]

_FILTERS: Final = 200
"""In one search. Some 4 kB each as JSON, and many times that once Elasticsearch has read them: a
thousand at a time, of four indices at once, came near the whole of a heap of 1 GiB."""

_WORDS: Final = 2000  # read at once


async def found_by(
    shown: Mapping[str, Mapping[str, Document]],
    searches: Searches,
    indices: Indices,
    now: datetime,
    only: Collection[str] | None = None,
) -> dict[str, dict[str, set[str]]]:
    """The ids that each search finds, by index and by its key.

    `shown` are documents (sources) by index and id, `only` leaves out all searches but these. What
    Elasticsearch refuses is followed no more: it would hold up all the others.
    Raises SearchUnavailableError.
    """
    for _ in searches.refresh(now):
        await asyncio.sleep(0)  # a service has others to answer
    found: dict[str, dict[str, set[str]]] = {}
    for name, documents in shown.items():
        if not documents:
            continue
        index = indices.one(name)
        await learn(searches.words, index)
        terms = await _terms(searches.words, index, list(documents))
        sure: dict[str, set[str]] = {}
        unsure: dict[str, set[str]] = {}
        for identity, document in documents.items():
            held = searches.words.held(terms.get(identity, {}))
            for key, certain in searches.judge(name, document, held, now, only):
                (sure if certain else unsure).setdefault(key, set()).add(identity)
            await asyncio.sleep(0)
        keys = list(unsure)
        for start in range(0, len(keys), _FILTERS):
            part = keys[start : start + _FILTERS]
            # Who left meanwhile is not asked for.
            queries = {key: searches.query(key, now) for key in part if key in searches}
            ids_of_part = set[str]().union(*(unsure[key] for key in part))
            answered, refused_keys = await asked(index, ids_of_part, queries)
            for key, ids in answered.items():
                sure.setdefault(key, set()).update(ids & unsure[key])
            for key in refused_keys:
                _LOG.error("followed_search_refused key=%s", key)
                searches.drop(key)
        found[name] = sure
    return found


async def asked(
    index: Index, ids: Collection[str], queries: Mapping[str, dict[str, Any]]
) -> tuple[dict[str, frozenset[str]], set[str]]:
    """Which of the documents each query finds, by its key, where it finds any; and the keys of the
    queries that Elasticsearch refuses.

    Raises SearchUnavailableError.
    """
    if not ids or not queries:
        return {}, set()
    try:
        return read_asked(await index.match(ask_body(ids, queries), refusable=True)), set()
    except RefusedQueryError:
        if len(queries) == 1:
            return {}, set(queries)
    # One of them is refused for all: by halves, until it is alone.
    pairs = list(queries.items())
    half = len(pairs) // 2
    found, guilty = await asked(index, ids, dict(pairs[:half]))
    others, also = await asked(index, ids, dict(pairs[half:]))
    return found | others, guilty | also


async def refused(seen: Seen, indices: Indices) -> set[Change]:
    """The late changes that no refresh of an index will show: Elasticsearch does not have them,
    because it refused the document. Raises SearchUnavailableError."""
    found: set[Change] = set()
    for name, looked in seen.items():
        if looked.late:
            ids = sorted({change.id for change in looked.late})
            held = await indices.one(name).versions(ids)
            found |= {one for one in looked.late if held.get(one.id, -1) < one.version}
    return found


async def learn(book: WordBook, index: Index) -> None:
    """Read the words that no index has read yet. Raises SearchUnavailableError."""
    unread = book.unread
    for start in range(0, len(unread), _WORDS):
        words = unread[start : start + _WORDS]
        read: list[dict[str, frozenset[str]]] = [{} for _ in words]
        for language, fields in FIELDS.items():
            for terms, found in zip(
                read, await index.analysed(words, fields[0], ANALYZERS[language]), strict=True
            ):
                terms[language] = found
        for word, terms in zip(words, read, strict=True):
            book.learn(word, terms)


async def _terms(book: WordBook, index: Index, ids: Sequence[str]) -> dict[str, Terms]:
    if not book:
        return {}
    fields = [name for names in FIELDS.values() for name in names]
    found = await index.terms(ids, fields)
    return {
        identity: {
            language: frozenset().union(*(by_field.get(name, ()) for name in names))
            for language, names in FIELDS.items()
            if any(name in by_field for name in names)
        }
        for identity, by_field in found.items()
    }
