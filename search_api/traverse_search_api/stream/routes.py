"""`GET /v1/stream`: the changes of a search, as they come."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Header, Request, Response
from pydantic import Field

from traverse_search_api.access.rates import address_of
from traverse_search_api.access.ways import Readers
from traverse_search_api.errors import InvalidParameterError
from traverse_search_api.moments import first_instant, read_moment
from traverse_search_api.parameters import Moment, SearchParameters
from traverse_search_api.stream.answer import StreamAnswer
from traverse_search_api.stream.hub import Hub
from traverse_search_api.stream.message import Form
from traverse_search_api.web.query_string import described, read_query

_EXAMPLE = 'id: AAAA\nevent: opportunity\ndata: {"id": "…", "title": "…"}\n\n'
_UNUSED: Final = frozenset({"as_of", "cursor", "explain", "facets", "size", "sort"})


class StreamParameters(SearchParameters):
    """The filters of a search, and from when on."""

    since: Moment = Field(
        default=None,
        description="D’où reprendre : un jour (heure de Paris) ou un instant, parmi les 7 derniers "
        "jours ; maintenant, si rien n’est dit.",
        examples=["2026-03-12T08:00:00Z"],
    )


def stream_router(
    hub: Hub, readers: Readers, problems: dict[int | str, dict[str, Any]]
) -> APIRouter:
    """The route, over a hub; `problems` describes the errors in the OpenAPI."""
    router = APIRouter(tags=["flux"])
    answers: dict[int | str, dict[str, Any]] = {
        **problems,
        200: {
            "description": "Les changements, à mesure : Server-Sent Events, ou NDJSON selon "
            "Accept. `opportunity` porte l’élément entier, `gone` l’identifiant seul (retiré, "
            "fusionné, ou réservé à d’autres). `refused` dit pourquoi le service clôt le flux "
            "(`detail`, sans position) : droits retirés, lecture trop lente, recherche refusée, "
            "journal recréé, erreur inattendue, position qui n’est plus gardée (`oldest` : la plus "
            "ancienne).",
            "content": {
                Form.EVENTS.value: {"schema": {"type": "string"}, "example": _EXAMPLE},
                Form.NDJSON.value: {"schema": {"type": "string"}},
            },
        },
    }

    @router.get(
        "/v1/stream",
        responses=answers,
        response_class=Response,
        openapi_extra=described(StreamParameters, without=_UNUSED),
    )
    async def stream(
        request: Request,
        accept: Annotated[
            str, Header(description="text/event-stream, ou application/x-ndjson.")
        ] = "",
        last_event_id: Annotated[
            str | None,
            Header(max_length=2000, description="L’identifiant du dernier message reçu."),
        ] = None,
    ) -> Any:
        """Suit une recherche : chaque changement arrive, dans l’ordre, jusqu’à ce qu’on parte.

        `Last-Event-ID` reprend exactement après un message ; `since` reprend d’un instant.
        """
        parameters = read_query(request, StreamParameters)
        if parameters.cursor is not None:
            raise InvalidParameterError(
                "cursor", "Un flux n’a pas de pages : reprenez-le avec Last-Event-ID ou since."
            )
        if parameters.as_of is not None:
            raise InvalidParameterError(
                "as_of",
                "Un flux dit ce qui change à mesure, aux statuts de maintenant : retirez as_of, ou "
                "cherchez ce jour-là par /v1/opportunities.",
            )
        reader = readers.of(request)
        told = await hub.open(
            parameters,
            reader,
            address_of(request),
            last=last_event_id or None,
            since=first_instant(read_moment(parameters.since)) if parameters.since else None,
            still=readers.still(request, reader),
        )
        return StreamAnswer(told, _form(accept))

    return router


def _form(accept: str) -> Form:
    return Form.NDJSON if "ndjson" in accept else Form.EVENTS
