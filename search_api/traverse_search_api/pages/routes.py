"""The staff pages at `/`: thin wiring from a request to a view and its template."""

from pathlib import Path
from typing import Annotated, Any, Final

from fastapi import APIRouter, FastAPI, Query, Request, Response
from fastapi.staticfiles import StaticFiles
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from pydantic import ValidationError

from traverse_search_api.errors import (
    AmbiguousPlaceError,
    InvalidParameterError,
    SearchError,
    SearchUnavailableError,
)
from traverse_search_api.pages.record_view import record_view
from traverse_search_api.pages.search_view import search_view
from traverse_search_api.parameters import SearchParameters
from traverse_search_api.problems import sentence_of
from traverse_search_api.search import Searcher

# Nothing comes from elsewhere, nothing is run, nobody frames the pages.
_HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self' data:; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-cache",
}
_LISTS: Final = frozenset(
    name
    for name, field in SearchParameters.model_fields.items()
    if "tuple" in str(field.annotation)
)


def install(app: FastAPI, searcher: Searcher) -> None:
    """Add the pages and their style to the service."""
    app.mount("/static", StaticFiles(directory=Path(__file__).parent / "static"), name="static")
    app.include_router(_router(searcher))


def _router(searcher: Searcher) -> APIRouter:
    router = APIRouter(include_in_schema=False)
    templates = Environment(
        loader=PackageLoader("traverse_search_api.pages"),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )

    def page(name: str, status: int = 200, **view: Any) -> Response:
        content = templates.get_template(name).render(**view)
        return Response(content, status, _HEADERS, media_type="text/html; charset=utf-8")

    def excuse(error: SearchError, query: str) -> Response:
        retry = isinstance(error, SearchUnavailableError)
        choices = error.choices if isinstance(error, AmbiguousPlaceError) else ()
        answer = page(
            "excuse.html",
            error.status,
            title=error.title,
            sentence=str(error),
            choices=[(f"/?territory={code}", label) for code, label in choices],
            query=query,
        )
        if retry:
            answer.headers["Retry-After"] = "2"
        return answer

    @router.get("/")
    async def search(request: Request) -> Response:
        """The search page: the parameters of `GET /v1/opportunities`, as a page."""
        try:
            parameters = _parameters(request)
        except ValidationError as error:
            name, sentence = _first_fault(error)
            refused = InvalidParameterError(name, sentence)
            return excuse(refused, request.query_params.get("q", ""))
        try:
            answer, _ = await searcher.search(parameters)
            as_of = searcher.as_of(parameters.as_of)
        except SearchError as error:
            return excuse(error, parameters.q)
        view = search_view(parameters, answer, as_of, searcher.territories)
        return page("search.html", view=view, query=view.query)

    @router.get("/fiche/{identifier}")
    async def record(identifier: str, as_of: Annotated[str | None, Query()] = None) -> Response:
        """The page of one opportunity; its permanent address."""
        try:
            document = await searcher.detail(identifier, as_of)
            moment = searcher.as_of(as_of)
        except SearchError as error:
            return excuse(error, "")
        return page(
            "record.html", view=record_view(document, moment, searcher.territories), query=""
        )

    return router


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
