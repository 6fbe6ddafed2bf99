"""`/v1/permanences/{siren}`: an institution's own calendar of permanences, by its API keys."""

from typing import Annotated, Any, Final

import orjson
from fastapi import APIRouter, Path, Request, Response

from traverse_schemas.log.identity import utc_text
from traverse_schemas.registry.institutions import Scope
from traverse_schemas.registry.registry import Principal
from traverse_search_api.access.ways import ApiKeys
from traverse_search_api.accounts.forms import read_octets
from traverse_search_api.permanences.calendar import MOST_OCTETS
from traverse_search_api.permanences.desk import PermanenceDesk
from traverse_search_api.permanences.errors import (
    NoCalendarError,
    NotOwnCalendarError,
    RefusedCalendarError,
    TooBigCalendarError,
)
from traverse_search_api.web.description import told_problem

_CALENDAR: Final = "text/calendar"
_BODY: Final = {
    "requestBody": {
        "required": True,
        "content": {_CALENDAR: {"schema": {"type": "string", "maxLength": MOST_OCTETS}}},
    }
}
_TOO_BIG: Final[dict[int | str, dict[str, Any]]] = {
    413: told_problem("Calendrier de plus de 512 Kio.")
}


Siren = Annotated[str, Path(max_length=9, description="Le SIREN de l’institution.")]


def permanence_router(
    desk: PermanenceDesk, keys: ApiKeys, problems: dict[int | str, dict[str, Any]]
) -> APIRouter:
    """The routes; `problems` describes the errors in the OpenAPI."""
    router = APIRouter(tags=["permanences"])

    @router.get("/v1/permanences/{siren}", responses=problems, response_class=Response)
    async def read(request: Request, siren: Siren) -> Response:
        """Le calendrier que l’institution a publié, tel qu’il est gardé."""
        _own(keys, request, siren)
        row = await desk.published.of(siren)
        if row is None:
            raise NoCalendarError
        headers = {"X-Content-Type-Options": "nosniff"}
        return Response(row.calendar, headers=headers, media_type=f"{_CALENDAR}; charset=utf-8")

    @router.put("/v1/permanences/{siren}", responses={**problems, **_TOO_BIG}, openapi_extra=_BODY)
    async def publish(request: Request, siren: Siren) -> Response:
        """Publie ce calendrier (iCalendar) à la place du précédent."""
        principal = _own(keys, request, siren)
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _CALENDAR:
            raise RefusedCalendarError(
                "Envoyez le calendrier tel quel, en iCalendar (Content-Type: text/calendar)."
            )
        octets = await read_octets(request, MOST_OCTETS)
        if octets is None:
            raise TooBigCalendarError
        row = await desk.publish(principal.institution, octets, _account(principal))
        said = {"siren": siren, "at": utc_text(row.at), "told": row.told, "left_out": row.left_out}
        return Response(orjson.dumps(said), media_type="application/json")

    @router.delete("/v1/permanences/{siren}", status_code=204, responses=problems)
    async def remove(request: Request, siren: Siren) -> Response:
        """Ne publie plus de calendrier."""
        principal = _own(keys, request, siren)
        await desk.remove(principal.institution, _account(principal))
        return Response(status_code=204)

    return router


def _own(keys: ApiKeys, request: Request, siren: str) -> Principal:
    """Who may publish for this institution: itself. Raises UnknownKeyError, RegistryUnreadError,
    NotOwnCalendarError."""
    principal = keys.principal(request)
    if principal.institution.siren != siren or not (
        principal.may(Scope.PUBLISH) or principal.may(Scope.ADMINISTER)
    ):
        raise NotOwnCalendarError
    return principal


def _account(principal: Principal) -> str:
    """Who it was, for the audit."""
    return f"api-key:{principal.key.id}"
