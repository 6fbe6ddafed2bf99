"""« Pour les programmes »: the API for people who write programs, from its own description."""

from fastapi import APIRouter, Request, Response

from traverse_search_api.pages.programs.view import programs_view
from traverse_search_api.pages.render import Renderer


def programs_router(render: Renderer, address: str) -> APIRouter:
    """The route; `address` is where people reach the service."""
    router = APIRouter(include_in_schema=False, route_class=render.route_class)

    @router.get("/programmes")
    async def programs(request: Request) -> Response:
        """What the OpenAPI description says, as a page."""
        view = programs_view(request.app.openapi(), address)
        return render.page(request, "programs.html", view=view)

    return router
