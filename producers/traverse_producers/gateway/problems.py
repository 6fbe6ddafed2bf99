"""Every error as problem+json (RFC 9457), in French, without a traceback."""

import logging
from typing import Final

import orjson
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from traverse_producers.gateway.answers import Item, Problem, RefusalReason
from traverse_producers.gateway.errors import GatewayError
from traverse_producers.receipts.desk import DeskError
from traverse_schemas.judging.sentences import problem_of
from traverse_schemas.web.http_methods import refused_method

_LOG = logging.getLogger(__name__)
_TITLES: Final = {
    404: ("Introuvable", "Cette adresse n'existe pas : voyez /openapi.json pour celles qui sont."),
}
_TOLD: Final = 5  # parameters that are told of at once
_OTHER: Final = ("Demande refusée", "La demande a été refusée : voyez /openapi.json.")
_ITEM_TITLES: Final = {
    400: "Événement illisible",
    403: "Non autorisé",
    413: "Événement trop grand",
    503: "Momentanément indisponible",
}


def as_json(answer: BaseModel) -> bytes:
    """An answer without the members that say nothing."""
    return orjson.dumps(answer, default=_members, option=orjson.OPT_PASSTHROUGH_DATACLASS)


def _members(answer: object) -> dict[str, object]:
    if isinstance(answer, Item):
        return answer.members()
    if isinstance(answer, BaseModel):
        return {name: value for name, value in answer if value is not None}
    raise TypeError(type(answer))


def problem(content: Problem, headers: dict[str, str] | None = None) -> Response:
    """A problem+json answer."""
    return Response(
        as_json(content), content.status, headers, media_type="application/problem+json"
    )


def none_accepted(status: int, items: list[Item]) -> Response:
    """The answer for events of which none was accepted: the first reason, and all of them."""
    first = next(item for item in items if status in (item.code, 422))
    more = f" Et {len(items) - 1} autre(s) événement(s) non accepté(s)." if len(items) > 1 else ""
    content = Problem(
        title=_ITEM_TITLES.get(status, "Événement refusé"),
        status=status,
        detail=f"{first.detail}{more}",
        reason=first.reason,
        pointer=first.pointer,
        items=items,
    )
    # A key is mended by a person; Kafka comes back by itself.
    seconds = "60" if first.reason is RefusalReason.GATEWAY_KEY else "2"
    return problem(content, {"Retry-After": seconds} if status == 503 else None)


def install(app: FastAPI) -> None:
    """Makes `app` answer all errors so."""
    app.add_exception_handler(GatewayError, _gateway_error)
    app.add_exception_handler(DeskError, _desk_error)
    app.add_exception_handler(RequestValidationError, _validation_error)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(Exception, _unexpected)


def _gateway_error(_: Request, error: Exception) -> Response:
    if not isinstance(error, GatewayError):
        raise error
    content = Problem(
        title=error.title, status=error.status, detail=str(error), pointer=error.pointer
    )
    return problem(content, error.headers)


def _desk_error(_: Request, error: Exception) -> Response:
    if not isinstance(error, DeskError):
        raise error
    content = Problem(title=error.title, status=error.status, detail=str(error))
    return problem(content, dict(error.headers))


def _validation_error(_: Request, error: Exception) -> Response:
    if not isinstance(error, RequestValidationError):
        raise error
    said = dict.fromkeys(
        problem_of(found)
        .sentence.replace("Le champ", "Le paramètre")
        .replace(" dans ce schéma", "")
        for found in error.errors()
    )
    detail = " ".join(list(said)[:_TOLD])
    return problem(Problem(title="Paramètre refusé", status=422, detail=detail))


def _http_error(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    if error.status_code == 405:
        sentence, takes = refused_method(request.app.routes, request.scope)
        refused = Problem(title="Méthode refusée", status=405, detail=sentence)
        return problem(refused, {"Allow": takes})
    title, detail = _TITLES.get(error.status_code, _OTHER)
    content = Problem(title=title, status=error.status_code, detail=detail)
    return problem(content, dict(error.headers or {}))


def _unexpected(request: Request, error: Exception) -> Response:
    _LOG.error("unexpected_error path=%s", request.url.path, exc_info=error)
    detail = (
        "Une erreur inattendue s'est produite ; elle est notée au journal du service : réessayez, "
        "avec les mêmes identifiants, et signalez-la si elle se répète."
    )
    return problem(Problem(title="Erreur interne", status=500, detail=detail))
