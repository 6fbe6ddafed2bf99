"""`GET /v1/opportunities.{csv,xlsx,geojson,ics,rss,atom,ndjson}`: a search as a file."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any, Final

from fastapi import APIRouter, Request, Response

from traverse_search_api.access.rates import address_of, caller_of
from traverse_search_api.access.ways import Readers
from traverse_search_api.exports.formats import FEED_FORMS, MEDIA_TYPES, Form, export
from traverse_search_api.exports.pages import export_pages
from traverse_search_api.exports.places import Places
from traverse_search_api.exports.workbook import SHEET_ROWS
from traverse_search_api.parameters import SearchParameters, Sort
from traverse_search_api.search import Searcher
from traverse_search_api.web.conditional import if_changed
from traverse_search_api.web.file_answer import FileAnswer
from traverse_search_api.web.query_string import described, read_query

_UNUSED: Final = frozenset({"cursor", "size", "facets", "explain"})


@dataclass(frozen=True, slots=True)
class Exporter:
    """Answers a request for a search with a file. `address` is that at which people reach the
    service."""

    searcher: Searcher
    readers: Readers
    address: str
    places: Places

    def endpoint(self, form: Form) -> Callable[[Request], Awaitable[Response]]:
        """What answers with that form, of what the request's reader may read."""

        async def endpoint(request: Request) -> Response:
            """Les mêmes filtres que la recherche, tous les résultats, au fil de l’eau.

            Un fil (RSS, Atom) a les 100 premiers, les plus récemment publiés à moins que `sort` ne
            dise autre chose ; un classeur (XLSX), 100 000 lignes au plus.
            """
            reader = self.readers.of(request)
            parameters = read_query(request, SearchParameters)
            if form in FEED_FORMS and "sort" not in parameters.model_fields_set:
                # By relevance what is new might never be among them.
                parameters = parameters.model_copy(update={"sort": Sort.PUBLISHED})
            caller = caller_of(reader, address_of(request))
            async with AsyncExitStack() as held:
                await held.enter_async_context(self.places.taken(caller))
                most = SHEET_ROWS if form is Form.XLSX else None
                found = export_pages(self.searcher, parameters, reader, most)
                items = await held.enter_async_context(found)
                # Not by what the request says of its host: that may be anything.
                query = request.url.query
                own = f"{self.address}{path_of(form)}" + (query and f"?{query}")
                now = self.searcher.as_of(parameters.as_of)
                pieces = export(form, items, address=own, now=now)
                return await file_of(request, form, pieces, _kept_as(form), held)

        return endpoint


async def file_of(
    request: Request,
    form: Form,
    pieces: AsyncGenerator[bytes, None],
    headers: Mapping[str, str],
    held: AsyncExitStack,
) -> Response:
    """The answer with a file: a feed whole, once it changed; any other as it is written, and what
    is `held` for it until then."""
    if form in FEED_FORMS:
        return await if_changed(request, pieces, MEDIA_TYPES[form], headers)
    return FileAnswer(pieces, MEDIA_TYPES[form], headers, held.pop_all())


def _kept_as(form: Form) -> dict[str, str]:
    """The headers of a file to keep; a feed is shown where it is opened (RFC 6266), as it is."""
    shown = "inline" if form in FEED_FORMS else "attachment"
    return {
        "Content-Disposition": f'{shown}; filename="traverse.{form.value}"',
        "X-Content-Type-Options": "nosniff",
    }


def path_of(form: Form) -> str:
    """Where programs find it."""
    return f"/v1/opportunities.{form.value}"


def export_router(exporter: Exporter, problems: dict[int | str, dict[str, Any]]) -> APIRouter:
    """The routes, one a form; `problems` describes the errors in the OpenAPI."""
    router = APIRouter(tags=["exports"])
    parameters = described(SearchParameters, without=_UNUSED)
    for form in Form:
        answers: dict[int | str, dict[str, Any]] = {
            **problems,
            200: {"description": "Le fichier, entier.", "content": {MEDIA_TYPES[form]: {}}},
        }
        if form in FEED_FORMS:
            answers[304] = {"description": "Inchangé depuis cet ETag (If-None-Match)."}
        router.add_api_route(
            path_of(form),
            exporter.endpoint(form),
            methods=["GET"],
            responses=answers,
            response_class=Response,
            openapi_extra=parameters,
            name=f"export_{form.value}",
            summary=f"La recherche, entière, en {form.value.upper()}",
        )
    return router
