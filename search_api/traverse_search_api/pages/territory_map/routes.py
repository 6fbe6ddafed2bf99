"""`/carte/{territory}.svg`: the drawing beneath the counts of a search page."""

from fastapi import APIRouter, HTTPException, Response

from traverse_schemas.reference.territories import Territories
from traverse_search_api.filters.territory_parts import frame_of
from traverse_search_api.pages.territory_map.base import base_map

_HEADERS = {
    # The tables change with the distribution.
    "Cache-Control": "public, max-age=86400",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'",
}


def map_router(territories: Territories) -> APIRouter:
    """The route. 404 for what is not a territory that has a map."""
    router = APIRouter(include_in_schema=False)

    @router.get("/carte/{frame}.svg")
    def base(frame: str) -> Response:
        """France, a région, a département or an EPCI by its typed code. In a thread: some take a
        tenth of a second to draw."""
        if territories.chain(frame) is None or frame_of([frame], territories) != frame:
            raise HTTPException(404)
        return Response(base_map(frame, territories), 200, _HEADERS, media_type="image/svg+xml")

    return router
