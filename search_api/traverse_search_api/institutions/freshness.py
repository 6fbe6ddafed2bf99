"""How fresh each source is: its last word in the indices, looked up once a minute at most."""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from time import monotonic
from typing import Any, Final

from traverse_search_api.access.reader import Reader
from traverse_search_api.filters.parameter_filters import readable_filters
from traverse_search_api.filters.status_query import index_text
from traverse_search_api.institutions.rhythm import last_of, spoken

_LOG = logging.getLogger(__name__)

Query = dict[str, Any]
Search = Callable[[Reader, Query], Awaitable[dict[str, Any]]]

_KEPT: Final = 60.0  # seconds
_MOST_SOURCES: Final = 50
_MOST_READERS: Final = 1000
_PAGE: Final = 50
_MOST_PAGES: Final = 4

_SOURCES: Final[Query] = {
    "terms": {"field": "sources.source", "size": _MOST_SOURCES},
    "aggs": {
        "last": {"max": {"field": "sources.updated_at"}},
        # Itself, and another that says the same things.
        "beside": {"terms": {"field": "sources.source", "size": 2}},
    },
}


Sources = list[dict[str, Any]]


@dataclass(slots=True)
class Freshness:
    """The sources that a reader may read, the largest first, with their last word's instant."""

    search: Search
    now: Callable[[], float] = monotonic
    _known: OrderedDict[Reader, tuple[float, Sources]] = field(
        init=False, default_factory=OrderedDict
    )
    _own: dict[tuple[Reader, str], tuple[datetime, datetime]] = field(
        init=False, default_factory=dict
    )
    _asking: dict[Reader, asyncio.Task[Sources]] = field(init=False, default_factory=dict)

    async def sources(self, reader: Reader, at: datetime) -> Sources:
        """`[{"source": "urn:siren:…", "count": 12, "updated_at": "…Z"}, …]`, 50 at most, by what
        is shown `at` an instant.

        Asked once however many want to know; what was known before is good meanwhile, and no
        search waits for it.
        """
        read_at, sources = self._known.get(reader, (None, []))
        if read_at is not None and self.now() - read_at < _KEPT:
            return sources
        asking = self._asking.get(reader)
        if asking is None:
            asking = self._asking[reader] = asyncio.ensure_future(self._ask(reader, at))
            asking.add_done_callback(lambda task: self._done(reader, task))
        if read_at is not None:
            return sources
        # Whoever asked may leave: the others wait for the same answer.
        return await asyncio.shield(asking)

    def known(self, reader: Reader) -> Sources:
        """What is known of them by now."""
        return self._known.get(reader, (None, []))[1]

    def _done(self, reader: Reader, task: asyncio.Task[Sources]) -> None:
        self._asking.pop(reader, None)
        if not task.cancelled() and (error := task.exception()) is not None:
            _LOG.warning("freshness_not_read cause=%s", error)

    async def _ask(self, reader: Reader, at: datetime) -> Sources:
        sources = await self._read(reader, at)
        self._known[reader] = (self.now(), sources)
        self._known.move_to_end(reader)
        if len(self._known) > _MOST_READERS:
            gone, _ = self._known.popitem(last=False)
            for key in [key for key in self._own if key[0] == gone]:
                del self._own[key]
        return sources

    async def _read(self, reader: Reader, at: datetime) -> Sources:
        always, never = readable_filters(at, reader)
        body = {
            "size": 0,
            "track_total_hits": False,
            "query": {"bool": {"filter": always, "must_not": never}},
            "aggs": {"sources": _SOURCES},
        }
        found = await self.search(reader, body)
        sources = []
        for bucket in found.get("aggregations", {}).get("sources", {}).get("buckets", ()):
            last, source = last_of(bucket), bucket["key"]
            if len(bucket["beside"]["buckets"]) > 1:
                # Its own is another only where somebody said something of its documents since.
                spoke, own = self._own.get((reader, source), (None, last))
                if spoke != last:
                    own = await self._own_last(reader, source, always, never) or last
                    self._own[reader, source] = (last, own)
                last = own
            sources.append(
                {"source": source, "count": bucket["doc_count"], "updated_at": index_text(last)}
            )
        return sources

    async def _own_last(
        self, reader: Reader, source: str, always: list[Query], never: list[Query]
    ) -> datetime | None:
        """The last word of a source that shares documents with others, whose times the index does
        not tell from its own: by the documents, those with the latest word of anybody first. Of
        one that has been silent for hundreds of them, the last that was found; None where they are
        gone meanwhile."""
        body: Query = {
            "size": _PAGE,
            "track_total_hits": False,
            "query": {
                "bool": {
                    "filter": [*always, {"term": {"sources.source": source}}],
                    "must_not": never,
                }
            },
            "sort": [{"sources.updated_at": {"order": "desc", "mode": "max"}}, {"id": "asc"}],
            "_source": ["sources"],
        }
        times: list[datetime] = []
        for _ in range(_MOST_PAGES):
            hits = (await self.search(reader, body)).get("hits", {}).get("hits", [])
            times += spoken((hit["_source"] for hit in hits), source)
            # What comes after says nothing later than the last one here.
            if len(hits) < _PAGE or max(times).timestamp() * 1000 >= hits[-1]["sort"][0]:
                break
            body["search_after"] = hits[-1]["sort"]
        return max(times, default=None)
