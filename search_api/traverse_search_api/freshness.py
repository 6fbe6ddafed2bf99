"""How fresh each source is: its last word in the indices, looked up once a minute at most."""

from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from time import monotonic
from typing import Any, Final

from traverse_search_api.reader import Reader

Search = Callable[[Reader, dict[str, Any]], Awaitable[dict[str, Any]]]

_KEPT: Final = 60.0  # seconds
_MOST_SOURCES: Final = 50
_MOST_READERS: Final = 1000

_BODY: Final[dict[str, Any]] = {
    "size": 0,
    "track_total_hits": False,
    "aggs": {
        "sources": {
            "terms": {"field": "sources.source", "size": _MOST_SOURCES},
            "aggs": {"last": {"max": {"field": "sources.updated_at"}}},
        }
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

    async def sources(self, reader: Reader) -> Sources:
        """`[{"source": "urn:siren:…", "count": 12, "updated_at": "…Z"}, …]`, 50 at most."""
        read_at, sources = self._known.get(reader, (None, []))
        if read_at is not None and self.now() - read_at < _KEPT:
            return sources
        # Before the question: others that come meanwhile do not ask it again.
        self._keep(reader, sources)
        try:
            found = await self.search(reader, _BODY | {"query": reader.filter()})
        except BaseException:
            self._known.pop(reader, None)
            raise
        sources = [
            {
                "source": bucket["key"],
                "count": bucket["doc_count"],
                "updated_at": bucket["last"]["value_as_string"],
            }
            for bucket in found.get("aggregations", {}).get("sources", {}).get("buckets", ())
        ]
        self._keep(reader, sources)
        return sources

    def _keep(self, reader: Reader, sources: Sources) -> None:
        self._known[reader] = (self.now(), sources)
        if len(self._known) > _MOST_READERS:
            self._known.popitem(last=False)
