"""`/v1/suggest`, `/v1/opportunities/map`, `/v1/opportunities/{id}/similar`."""

from asyncio import gather
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Query, Request, Response
from pydantic import BeforeValidator, Field, WithJsonSchema

from traverse_search_api.access.ways import Readers
from traverse_search_api.answers.answer_schema import MAP, MERGED, SIMILAR, SUGGEST, answers
from traverse_search_api.answers.items import item_of
from traverse_search_api.beside.beside import Box, map_query, read_box, read_map, similar_body
from traverse_search_api.beside.suggestions import (
    SuggestParameters,
    suggest_bodies,
    suggestions,
)
from traverse_search_api.parameters import SearchParameters
from traverse_search_api.query.queries import search_body
from traverse_search_api.search import Searcher
from traverse_search_api.web.description import AsOf, Identifier
from traverse_search_api.web.query_string import described, read_query

_WHOLE_FRANCE = Box(west=-180, south=-85, east=180, north=85)


class MapParameters(SearchParameters):
    """The filters of a search, and what of the map is shown."""

    bbox: Annotated[
        Box,
        BeforeValidator(read_box),
        WithJsonSchema(
            {
                "type": "string",
                "description": "Cadre : ouest,sud,est,nord en degrés (WGS 84).",
                "examples": ["4.2,43.1,5.8,44.0"],
            }
        ),
    ] = _WHOLE_FRANCE
    zoom: int = Field(default=5, ge=0, le=20, description="Niveau de zoom d’une carte web.")


def beside_router(
    searcher: Searcher, readers: Readers, problems: dict[int | str, dict[str, Any]]
) -> APIRouter:
    """The routes; to be added before that of one opportunity, whose address they look like."""
    router = APIRouter(tags=["recherche"])

    @router.get(
        "/v1/suggest",
        responses={**problems, **answers(SUGGEST, "Les suggestions, par sorte.")},
        response_class=Response,
        openapi_extra=described(SuggestParameters),
    )
    async def suggest(request: Request) -> Response:
        """Titres, institutions, territoires et thèmes qui commencent ainsi."""
        reader = readers.of(request)
        text = read_query(request, SuggestParameters).q
        index = searcher.indices.of(reader)
        bodies = suggest_bodies(text, searcher.as_of(None), reader) or ()
        found = await gather(*map(index.search, bodies))
        return _json(suggestions(text, found, searcher.territories))

    @router.get(
        "/v1/opportunities/map",
        responses={**problems, **answers(MAP, "Les comptes, par tuile z/x/y.")},
        response_class=Response,
        openapi_extra=described(
            MapParameters, without={"cursor", "size", "facets", "sort", "explain"}
        ),
    )
    async def tiles(request: Request) -> Response:
        """Les résultats d’une recherche comptés par tuile d’une carte."""
        reader = readers.of(request)
        parameters = read_query(request, MapParameters)
        as_of = searcher.as_of(parameters.as_of)
        plain = parameters.model_copy(update={"facets": (), "cursor": None})
        plan = await searcher.settled(plain, as_of, reader)
        body = search_body(plain, as_of, searcher.territories, plan, reader)
        asked = map_query(body, parameters.bbox, parameters.zoom)
        found = await searcher.indices.of(reader).search(asked)
        return _json(read_map(found))

    @router.get(
        "/v1/opportunities/{identifier}/similar",
        responses={**problems, **MERGED, **answers(SIMILAR, "Les plus ressemblantes d’abord.")},
        response_class=Response,
    )
    async def similar(
        request: Request,
        identifier: Identifier,
        as_of: AsOf = None,
        size: Annotated[int, Query(ge=1, le=20, description="Combien.")] = 10,
    ) -> Response:
        """Les publications dont les mots ressemblent à celles de celle-ci."""
        reader = readers.of(request)
        moment = searcher.as_of(as_of)
        document = await searcher.document(identifier, moment, reader)
        body = similar_body(document, moment, size, reader)
        found = await searcher.indices.whole(reader).search(body)
        hits = found.get("hits", {}).get("hits", [])
        return _json({"items": [item_of(hit, moment, reader) for hit in hits]})

    return router


def _json(answer: Any) -> Response:
    return Response(orjson.dumps(answer), media_type="application/json")
