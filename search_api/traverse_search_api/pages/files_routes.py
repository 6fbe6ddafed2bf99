"""The files of a search for who has signed in, with what their institution reads."""

from collections.abc import Awaitable, Callable

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from traverse_search_api.accounts.forms import sign_in_address
from traverse_search_api.accounts.visits import Visits
from traverse_search_api.exports.formats import Form
from traverse_search_api.exports.routes import Exporter
from traverse_search_api.pages.files_view import FILES, own_path_of
from traverse_search_api.pages.render import Renderer


def files_router(exporter: Exporter, visits: Visits, render: Renderer) -> APIRouter:
    """The routes, one a form."""
    router = APIRouter(include_in_schema=False, route_class=render.route_class)

    def endpoint(form: Form) -> Callable[[Request], Awaitable[Response]]:
        answer = exporter.endpoint(form)

        async def own(request: Request) -> Response:
            # Where a session has ended since the page was shown, the public part alone would come,
            # without a word. One signs in again, and is back at the search.
            if visits.person(request) is None:
                query = request.url.query
                return RedirectResponse(sign_in_address("/" + (query and f"?{query}")), 303)
            return await answer(request)

        return own

    for form in FILES:
        router.add_api_route(
            own_path_of(form), endpoint(form), methods=["GET"], name=f"own_{form.value}"
        )
    return router
