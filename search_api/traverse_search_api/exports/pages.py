"""The documents of an export, page after page, from one point in time of the index."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

from traverse_search_api.access.reader import Reader
from traverse_search_api.answers.items import item_of
from traverse_search_api.engines.elasticsearch_client import Index
from traverse_search_api.engines.line import FOR_A_PAGE, PATIENCE
from traverse_search_api.errors import TooManyRowsError
from traverse_search_api.parameters import SearchParameters
from traverse_search_api.query.queries import search_body
from traverse_search_api.search import Searcher

Page = Sequence[dict[str, Any]]

_PAGE: Final = 500
# Between two pages: as long as a reader may take for one of a megabyte, who takes a piece of it
# before it counts as one that stands still (`file_answer`).
_KEEP_ALIVE: Final = "10m"


@dataclass(slots=True)
class Snapshot:
    """A point in time by its last id: each answer may give another one."""

    identifier: str


@asynccontextmanager
async def export_pages(
    searcher: Searcher, parameters: SearchParameters, reader: Reader, most: int | None = None
) -> AsyncIterator[AsyncIterator[Page]]:
    """All items that the search finds, in its order, beyond Elasticsearch's window of 10,000; the
    point in time that they are read from ends with the block.

    The text is searched as the search itself ends up doing (corrected, relaxed). The first page is
    awaited before the block begins, so that an error is still an answer. Raises
    InvalidParameterError, SearchUnavailableError, TooManyRowsError (more than `most`).
    """
    as_of = searcher.as_of(parameters.as_of)
    plain = parameters.model_copy(update={"facets": (), "size": _PAGE, "cursor": None})
    plan = await searcher.settled(plain, as_of, reader)
    body = search_body(plain, as_of, searcher.territories, plan, reader)
    for unwanted in ("highlight", "aggs"):
        body.pop(unwanted, None)
    body |= {"size": _PAGE, "track_total_hits": most + 1 if most else False}
    index = searcher.indices.of(reader)
    snapshot = Snapshot(await index.open_snapshot(_KEEP_ALIVE))
    try:
        first = await _page(index, body, snapshot, None)
        if most is not None and first["hits"]["total"]["value"] > most:
            raise TooManyRowsError(most)
        body["track_total_hits"] = False
        pages = _pages(index, body, snapshot, [first], lambda hit: item_of(hit, as_of, reader))
        del first  # it is given up as it was read
        yield pages
    finally:
        await index.close_snapshot(snapshot.identifier)


async def _pages(
    index: Index,
    body: dict[str, Any],
    snapshot: Snapshot,
    begun: list[dict[str, Any]],
    shown: Callable[[dict[str, Any]], dict[str, Any]],
) -> AsyncIterator[Page]:
    found = begun.pop()
    while hits := found.get("hits", {}).get("hits", []):
        yield [shown(hit) for hit in hits]
        if len(hits) < _PAGE:
            break
        found = await _page(index, body, snapshot, hits[-1]["sort"])


async def _page(
    index: Index, body: dict[str, Any], snapshot: Snapshot, after: list[Any] | None
) -> dict[str, Any]:
    paged = body | {"pit": {"id": snapshot.identifier, "keep_alive": _KEEP_ALIVE}}
    if after is not None:
        paged["search_after"] = after
    # Before the first page nothing was sent; after it, a page that is given up cuts a file off.
    patience = PATIENCE if after is None else FOR_A_PAGE
    found = await index.search(paged, patience=patience)
    snapshot.identifier = found.get("pit_id", snapshot.identifier)
    return found
