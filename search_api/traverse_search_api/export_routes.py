"""`GET /v1/opportunities.{csv,xlsx,geojson,ics,rss,atom,ndjson}`: a search as a file."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any, Final

from fastapi import APIRouter, Request, Response
from starlette.responses import StreamingResponse

from traverse_search_api.access import Readers
from traverse_search_api.errors import SearchUnavailableError
from traverse_search_api.export_pages import export_pages
from traverse_search_api.exports import MEDIA_TYPES, Form, export
from traverse_search_api.parameters import SearchParameters
from traverse_search_api.query_string import described, read_query
from traverse_search_api.search import Searcher

# Each export holds a point in time of the index and works for as long as its reader takes.
_AT_ONCE: Final = 8
_UNUSED: Final = frozenset({"cursor", "size", "facets", "explain"})


def export_router(
    searcher: Searcher, readers: Readers, problems: dict[int | str, dict[str, Any]]
) -> APIRouter:
    """The routes, one a form; `problems` describes the errors in the OpenAPI."""
    router = APIRouter(tags=["exports"])
    places = asyncio.Semaphore(_AT_ONCE)
    parameters = described(SearchParameters, without=_UNUSED)
    for form in Form:
        answers: dict[int | str, dict[str, Any]] = {
            **problems,
            200: {"description": "Le fichier, entier.", "content": {MEDIA_TYPES[form]: {}}},
        }
        router.add_api_route(
            f"/v1/opportunities.{form.value}",
            _endpoint(form, searcher, readers, places),
            methods=["GET"],
            responses=answers,
            response_class=Response,
            openapi_extra=parameters,
            name=f"export_{form.value}",
            summary=f"La recherche, entière, en {form.value.upper()}",
        )
    return router


def _endpoint(form: Form, searcher: Searcher, readers: Readers, places: asyncio.Semaphore) -> Any:
    async def endpoint(request: Request) -> Response:
        """Les mêmes filtres que la recherche, tous les résultats, au fil de l’eau."""
        reader = readers.of(request)
        parameters = read_query(request, SearchParameters)
        if places.locked():
            raise SearchUnavailableError("trop d’exports à la fois")
        items = await export_pages(searcher, parameters, reader)
        now = searcher.as_of(parameters.as_of)
        pieces = export(form, items, address=str(request.url), now=now)
        return StreamingResponse(
            _until_the_end(pieces, items, places),
            media_type=MEDIA_TYPES[form],
            headers={"Content-Disposition": f'attachment; filename="traverse.{form.value}"'},
        )

    return endpoint


async def _until_the_end(
    pieces: AsyncIterator[bytes], items: AsyncIterator[Any], places: asyncio.Semaphore
) -> AsyncIterator[bytes]:
    """The pieces; the point in time and the place are given back however it ends.

    The place is taken here and no sooner: what a client that left never began to read takes none.
    """
    async with places:
        try:
            async for piece in pieces:
                yield piece
        finally:
            for left in (pieces, items):
                close = getattr(left, "aclose", None)
                if close is not None:
                    await close()
