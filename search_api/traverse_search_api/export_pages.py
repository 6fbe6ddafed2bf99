"""The documents of an export, page after page, from one point in time of the index."""

from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any, Final

from traverse_search_api.elasticsearch_client import Index
from traverse_search_api.items import item_of
from traverse_search_api.parameters import SearchParameters
from traverse_search_api.queries import search_body
from traverse_search_api.reader import Reader
from traverse_search_api.search import Searcher

Page = Sequence[dict[str, Any]]

_PAGE: Final = 500
_KEEP_ALIVE: Final = "2m"  # between two pages: as long as a reader may take for one


async def export_pages(
    searcher: Searcher, parameters: SearchParameters, reader: Reader
) -> AsyncIterator[Page]:
    """All items that the search finds, in its order, beyond Elasticsearch's window of 10,000.

    The text is searched as the search itself ends up doing (corrected, relaxed). The first page is
    awaited before anything is yielded, so that an error is still an answer. Raises
    InvalidParameterError, SearchUnavailableError.
    """
    as_of = searcher.as_of(parameters.as_of)
    plain = parameters.model_copy(update={"facets": (), "size": _PAGE, "cursor": None})
    plan = await searcher.settled(plain, as_of, reader)
    body = search_body(plain, as_of, searcher.territories, plan, reader)
    for unwanted in ("highlight", "aggs"):
        body.pop(unwanted, None)
    body |= {"size": _PAGE, "track_total_hits": False}
    index = searcher.indices.of(reader)
    snapshot = await index.open_snapshot(_KEEP_ALIVE)
    try:
        first = await _page(index, body, snapshot, None)
    except BaseException:
        await index.close_snapshot(snapshot)
        raise
    return _pages(index, body, snapshot, first, lambda hit: item_of(hit, as_of, reader))


async def _pages(
    index: Index,
    body: dict[str, Any],
    snapshot: str,
    first: dict[str, Any],
    shown: Callable[[dict[str, Any]], dict[str, Any]],
) -> AsyncIterator[Page]:
    found = first
    try:
        while hits := found.get("hits", {}).get("hits", []):
            yield [shown(hit) for hit in hits]
            if len(hits) < _PAGE:
                break
            snapshot = found.get("pit_id", snapshot)
            found = await _page(index, body, snapshot, hits[-1]["sort"])
    finally:
        await index.close_snapshot(snapshot)


async def _page(
    index: Index, body: dict[str, Any], snapshot: str, after: list[Any] | None
) -> dict[str, Any]:
    paged = body | {"pit": {"id": snapshot, "keep_alive": _KEEP_ALIVE}}
    if after is not None:
        paged["search_after"] = after
    return await index.search(paged)
