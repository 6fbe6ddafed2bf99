"""Every document of the indices, a page at a time, each index as it was when its reading began."""

from collections.abc import AsyncIterator
from typing import Any, Final

from traverse_schemas.documents.document import INDICES
from traverse_search_api.engines.elasticsearch_client import Index, Indices

_PAGE: Final = 500
_KEEP_ALIVE: Final = "2m"


async def everything(
    indices: Indices, query: dict[str, Any] | None = None
) -> AsyncIterator[list[dict[str, Any]]]:
    """The documents that a query finds, or all; stubs are none. Raises SearchUnavailableError."""
    only = query or {"match_all": {}}
    wanted = {"bool": {"filter": [only], "must_not": [{"term": {"stub": True}}]}}
    for name in INDICES:
        index = indices.one(name)
        snapshot = await index.open_snapshot(_KEEP_ALIVE)
        try:
            async for documents in _pages(index, snapshot, wanted):
                yield documents
        finally:
            await index.close_snapshot(snapshot)


async def _pages(
    index: Index, snapshot: str, query: dict[str, Any]
) -> AsyncIterator[list[dict[str, Any]]]:
    after: list[Any] = []
    while True:
        body: dict[str, Any] = {
            "size": _PAGE, "query": query, "sort": [{"id": "asc"}], "track_total_hits": False,
            "pit": {"id": snapshot, "keep_alive": _KEEP_ALIVE},
        }  # fmt: skip
        if after:
            body["search_after"] = after
        hits = (await index.search(body)).get("hits", {}).get("hits", [])
        if hits:
            yield [hit["_source"] for hit in hits]
        if len(hits) < _PAGE:
            return
        after = hits[-1]["sort"]
