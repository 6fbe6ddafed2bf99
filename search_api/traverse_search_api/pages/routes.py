"""The staff pages at `/`: thin wiring from a request to a view and its template."""

import asyncio
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Final

from fastapi import APIRouter, FastAPI, Query, Request, Response
from fastapi.staticfiles import StaticFiles
from pydantic import ValidationError

from traverse_schemas.identity import opportunity_id
from traverse_search_api.access import Readers
from traverse_search_api.accounts.account_routes import account_router
from traverse_search_api.accounts.sign_in_routes import provider_router, sign_in_router
from traverse_search_api.accounts.staff import Staff
from traverse_search_api.errors import GroupingsUnavailableError, InvalidParameterError
from traverse_search_api.groupings import GroupingRows, of_records
from traverse_search_api.pages.record_view import record_view
from traverse_search_api.pages.render import Renderer
from traverse_search_api.pages.search_view import search_view
from traverse_search_api.parameters import SearchParameters
from traverse_search_api.problems import sentence_of
from traverse_search_api.reader import Reader
from traverse_search_api.search import Searcher

_PURCHASES: Final = ("purchase", "purchase_programme", "contract")
_PATIENCE: Final = 0.5  # seconds for which a page waits for groupings

_LISTS: Final = frozenset(
    name
    for name, field in SearchParameters.model_fields.items()
    if "tuple" in str(field.annotation)
)


def install(
    app: FastAPI,
    searcher: Searcher,
    readers: Readers,
    groupings: GroupingRows,
    staff: Staff | None = None,
) -> None:
    """Add the pages and their style to the service; without `staff`, only those that anybody
    reads."""
    app.mount("/static", StaticFiles(directory=Path(__file__).parent / "static"), name="static")
    render = Renderer(staff.visits if staff else None)
    app.include_router(_router(searcher, readers, groupings, render))
    if staff is not None:
        app.include_router(sign_in_router(staff, render))
        if staff.provider is not None:
            app.include_router(provider_router(staff, staff.provider, render))
        app.include_router(account_router(staff, render))


def _router(
    searcher: Searcher, readers: Readers, groupings: GroupingRows, render: Renderer
) -> APIRouter:
    router = APIRouter(include_in_schema=False, route_class=render.route_class)

    @router.get("/")
    async def search(request: Request) -> Response:
        """The search page: the parameters of `GET /v1/opportunities`, as a page."""
        try:
            parameters = _parameters(request)
        except ValidationError as error:
            name, sentence = _first_fault(error)
            raise InvalidParameterError(name, sentence) from None
        answer, _ = await searcher.search(parameters, readers.of(request))
        as_of = searcher.as_of(parameters.as_of)
        view = search_view(parameters, answer, as_of, searcher.territories)
        return render.page(request, "search.html", view=view, query=view.query)

    @router.get("/fiche/{identifier}")
    async def record(
        request: Request, identifier: str, as_of: Annotated[str | None, Query()] = None
    ) -> Response:
        """The page of one opportunity; its permanent address."""
        reader, moment = readers.of(request), searcher.as_of(as_of)
        document = await searcher.detail(identifier, as_of, reader)
        among = await _groupings(groupings, document, moment, reader)
        view = record_view(document, moment, searcher.territories, among)
        return render.page(request, "record.html", view=view)

    return router


async def _groupings(
    rows: GroupingRows, document: dict[str, Any], as_of: datetime, reader: Reader
) -> list[dict[str, Any]]:
    """The groupings that a purchase is in; none while they cannot be read: the page is whole
    without."""
    if document["subtype"] not in _PURCHASES:
        return []
    records = [opportunity_id(one["source"], one["subject"]) for one in document["sources"]]
    try:
        known = await asyncio.to_thread(rows.rows, _PATIENCE)
    except GroupingsUnavailableError:
        return []
    return of_records(known.values(), records, as_of, reader)


def _parameters(request: Request) -> SearchParameters:
    """What the address asks for. Raises ValidationError."""
    given = request.query_params
    values: dict[str, Any] = {}
    for name in given:
        texts = given.getlist(name)
        values[name] = texts if name in _LISTS else texts[-1]
    return SearchParameters.model_validate(values)


def _first_fault(error: ValidationError) -> tuple[str, str]:
    """The parameter, and what is wrong with it."""
    fault = error.errors()[0]
    name = ".".join(str(part) for part in fault["loc"])
    if fault["type"] == "extra_forbidden":
        return name, f"Le filtre « {name[:40]} » n’existe pas : repartez de la recherche."
    return name, f"Le filtre « {name[:40]} » ne peut pas être lu : {sentence_of(fault)}."
