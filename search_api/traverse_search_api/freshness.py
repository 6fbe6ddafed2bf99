"""How fresh each source is: its last word in the index, looked up once a minute at most."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from time import monotonic
from typing import Any, Final

Search = Callable[[dict[str, Any]], Awaitable[dict[str, Any]]]

_KEPT: Final = 60.0  # seconds
_MOST_SOURCES: Final = 50

_BODY: Final[dict[str, Any]] = {
    "size": 0,
    "track_total_hits": False,
    "query": {"bool": {"filter": [{"term": {"visibility": "public"}}]}},
    "aggs": {
        "sources": {
            "terms": {"field": "sources.source", "size": _MOST_SOURCES},
            "aggs": {"last": {"max": {"field": "sources.updated_at"}}},
        }
    },
}


@dataclass(slots=True)
class Freshness:
    """The sources of the public index, the largest first, with the instant of their last word."""

    search: Search
    now: Callable[[], float] = monotonic
    _sources: list[dict[str, Any]] = field(init=False, default_factory=list)
    _read_at: float | None = field(init=False, default=None)

    async def sources(self) -> list[dict[str, Any]]:
        """`[{"source": "urn:siren:…", "count": 12, "updated_at": "…Z"}, …]`, 50 at most."""
        if self._read_at is None or self.now() - self._read_at >= _KEPT:
            # Before the question: others that come meanwhile do not ask it again.
            self._read_at = self.now()
            try:
                found = await self.search(_BODY)
            except BaseException:
                self._read_at = None
                raise
            self._sources = [
                {
                    "source": bucket["key"],
                    "count": bucket["doc_count"],
                    "updated_at": bucket["last"]["value_as_string"],
                }
                for bucket in found.get("aggregations", {}).get("sources", {}).get("buckets", ())
            ]
        return self._sources
