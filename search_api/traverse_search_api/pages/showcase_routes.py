"""« Vitrine »: a public list with its filters, for the pages of others (an iframe). Only what
anybody may read, whoever looks; and only sites that the operator names may frame it."""

from fastapi import APIRouter, Request, Response
from pydantic import ValidationError

from traverse_search_api.errors import InvalidParameterError
from traverse_search_api.pages.address import given, page_address
from traverse_search_api.pages.reading import Readings
from traverse_search_api.pages.render import Renderer
from traverse_search_api.pages.search_parameters import first_fault, search_parameters
from traverse_search_api.pages.search_view import search_view
from traverse_search_api.reader import ANYBODY


def showcase_router(readings: Readings, render: Renderer, origins: str) -> APIRouter:
    """The route; `origins` are the sites that may frame it, with spaces between."""
    router = APIRouter(include_in_schema=False, route_class=render.route_class)

    @router.get("/vitrine")
    async def showcase(request: Request) -> Response:
        """The list, by the parameters of a search."""
        try:
            parameters = search_parameters(request)
        except ValidationError as error:
            raise InvalidParameterError(*first_fault(error)) from None
        searcher = readings.searcher
        answer, _ = await searcher.search(parameters, ANYBODY)
        view = search_view(
            parameters, answer, searcher.as_of(parameters.as_of), searcher.territories
        )
        following = answer["next"]
        asked = given(parameters)
        return render.bare(
            "showcase.html",
            frames=origins or "'none'",
            view=view,
            following=page_address({**asked, "cursor": [following]}, "/vitrine")
            if following
            else "",
            whole=page_address(asked),
        )

    return router
