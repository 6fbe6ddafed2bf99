"""« Ce qui a changé »: a page of its own, since the log is read for it."""

from typing import Final

from fastapi import APIRouter, Request, Response

from traverse_search_api.history.accepted_log import AcceptedLog
from traverse_search_api.history.routes import history_of
from traverse_search_api.pages.changes_view import changes_view
from traverse_search_api.pages.reading import Readings
from traverse_search_api.pages.render import Renderer

_SHOWN: Final = 20


def changes_router(readings: Readings, log: AcceptedLog, render: Renderer) -> APIRouter:
    """The route."""
    router = APIRouter(include_in_schema=False, route_class=render.route_class)

    @router.get("/fiche/{identifier}/changements")
    async def changes(request: Request, identifier: str) -> Response:
        """The last versions that the reader may read, in words."""
        reading = readings.of(request)
        held = await reading.searcher.document(identifier, reading.as_of, reading.reader)
        told = await history_of(held, log, reading.reader, _SHOWN)
        return render.page(
            request,
            "changes.html",
            title=held["title"],
            language=held.get("language", "fr"),
            address=f"/fiche/{held['id']}",
            machine=f"/v1/opportunities/{held['id']}/history",
            versions=changes_view(told, reading.territories),
            complete=told["complete"],
        )

    return router
