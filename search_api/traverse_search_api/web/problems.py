"""Every error as problem+json (RFC 9457), in French, without a traceback."""

import logging
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any, Final

import orjson
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from traverse_schemas.clock import InvalidClockError
from traverse_schemas.web.http_methods import refused_method
from traverse_search_api.changes.errors import ExpiredStreamError, StreamUnavailableError
from traverse_search_api.errors import (
    CHALLENGE,
    AmbiguousPlaceError,
    HistoryUnavailableError,
    InvalidParameterError,
    MergedError,
    RegistryUnreadError,
    SearchError,
    SearchUnavailableError,
    TooLongError,
    TooManyExportsError,
    TooManyStreamsError,
)
from traverse_search_api.groupings.errors import GroupingsUnavailableError, MovedGroupingError
from traverse_search_api.parameters import SearchParameters

_LOG = logging.getLogger(__name__)
_RETRY_AFTER: Final = "2"  # seconds
_LATER: Final = (
    GroupingsUnavailableError,
    HistoryUnavailableError,
    RegistryUnreadError,
    SearchUnavailableError,
    StreamUnavailableError,
    TooLongError,
    TooManyExportsError,
    TooManyStreamsError,
)
_PARTS: Final = ("query", "path", "header", "cookie", "body")
_PLAIN: Final = {
    "missing": "il manque ; ajoutez-le",
    "json_invalid": "ce n’est pas du JSON valide ; envoyez l’objet que décrit /openapi.json",
}
_BOUNDS: Final = {
    "greater_than_equal": ("petit ; au moins", "ge"),
    "greater_than": ("petit ; plus de", "gt"),
    "less_than_equal": ("grand ; au plus", "le"),
}
_TITLES: Final = {
    404: ("Introuvable", "Cette adresse n’existe pas : voyez /openapi.json pour celles qui sont."),
}


def problem(
    status: int, title: str, detail: str, headers: dict[str, str] | None = None, **more: Any
) -> Response:
    """A problem+json answer; `more` are the extension members."""
    content = {"type": "about:blank", "title": title, "status": status, "detail": detail, **more}
    return Response(orjson.dumps(content), status, headers, media_type="application/problem+json")


def install(app: FastAPI) -> None:
    """Makes `app` answer all errors so."""
    app.add_exception_handler(SearchError, _search_error)
    app.add_exception_handler(InvalidClockError, _clock_error)
    app.add_exception_handler(RequestValidationError, _validation_error)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(Exception, _unexpected)


def _search_error(request: Request, error: Exception) -> Response:
    if not isinstance(error, SearchError):
        raise error
    headers = {"Retry-After": _RETRY_AFTER} if isinstance(error, _LATER) else None
    if isinstance(error, MergedError):
        headers = {"Location": _moved(request, error.identifier)}
    if error.status == 401:
        headers = CHALLENGE
    if isinstance(error, MovedGroupingError):
        headers = {"Location": f"/v1/groupings/{error.identifier}"}
    more: dict[str, Any] = {}
    if isinstance(error, InvalidParameterError):
        more["parameter"] = error.parameter
    if isinstance(error, AmbiguousPlaceError):
        more["choices"] = [{"code": code, "label": label} for code, label in error.choices]
    if isinstance(error, ExpiredStreamError):
        more["oldest"] = error.oldest
    return problem(error.status, error.title, str(error), headers, **more)


def _moved(request: Request, identifier: str) -> str:
    """Where what was asked of an opportunity is now: the same below its new id, as it was asked."""
    below = request.url.path.removeprefix("/v1/opportunities/").partition("/")[2]
    query = request.url.query
    return (
        f"/v1/opportunities/{identifier}" + (f"/{below}" if below else "") + (query and f"?{query}")
    )


def _clock_error(_: Request, error: Exception) -> Response:
    return problem(400, "Paramètre refusé", str(error), parameter="as_of")


def _validation_error(_: Request, error: Exception) -> Response:
    if not isinstance(error, RequestValidationError):
        raise error
    errors = [
        {"parameter": _parameter(found), "detail": sentence_of(found)} for found in error.errors()
    ]
    sentence = " ".join(f"{found['parameter']} : {found['detail']}." for found in errors[:5])
    return problem(422, "Paramètre refusé", sentence, errors=errors)


def _http_error(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    if error.status_code == 405:
        sentence, takes = refused_method(request.app.routes, request.scope)
        return problem(405, "Méthode refusée", sentence, {"Allow": takes})
    title, detail = _TITLES.get(
        error.status_code,
        ("Demande refusée", "La demande a été refusée : vérifiez son adresse et sa forme."),
    )
    return problem(error.status_code, title, detail, dict(error.headers or {}))


def _unexpected(request: Request, error: Exception) -> Response:
    _LOG.error("unexpected_error path=%s", request.url.path, exc_info=error)
    return problem(
        500,
        "Erreur interne",
        "Une erreur inattendue s’est produite ; elle est notée au journal du service : réessayez, "
        "et signalez-la si elle se répète.",
    )


def _parameter(found: dict[str, Any]) -> str:
    place = [str(part) for part in found["loc"] if part not in _PARTS]
    return place[0] if place else "?"


def sentence_of(found: Mapping[str, Any]) -> str:
    """What is wrong with one parameter (an entry of pydantic's `errors()`), in French.

    Apart from `traverse_schemas.judging.sentences`: there a field of a JSON document (« sans
    guillemets ») is told in a sentence of its own, which repeats nothing that was sent, for it may
    be anybody's; here a text in an address is repeated, behind a name that a program or a page
    gives it.
    """
    kind, context = found["type"], found.get("ctx", {})
    if kind in _PLAIN:
        return _PLAIN[kind]
    match kind:
        case "enum" | "literal_error":
            expected = str(context.get("expected", "")).replace(" or ", " ou ")
            return f"{_shown(found)} n’est pas admis ; choisissez parmi {expected}"
        case "extra_forbidden":
            near = get_close_matches(str(found["loc"][-1]), SearchParameters.model_fields, 2)
            mend = f"peut-être {' ou '.join(near)}" if near else "voyez /openapi.json"
            return f"ce paramètre n’existe pas ; {mend}"
        case "bool_parsing" | "bool_type":
            return f"{_shown(found)} n’est ni vrai ni faux ; écrivez true ou false"
        case "int_parsing" | "int_type" | "int_from_float":
            return f"{_shown(found)} n’est pas un nombre entier"
        case "float_parsing" | "float_type" | "finite_number":
            return f"{_shown(found)} n’est pas un nombre"
        case "greater_than_equal" | "greater_than" | "less_than_equal":
            words, bound = _BOUNDS[kind]
            return f"{_shown(found)} est trop {words} {context[bound]:g}"
        case "string_too_long":
            return f"ce texte dépasse {context['max_length']} caractères ; raccourcissez-le"
        case "too_long":
            return f"plus de {context['max_length']} valeurs ; donnez-en moins"
        case "theme" | "cpv" | "institution" | "words" | "near" | "moment" | "bbox":
            return str(found["msg"])
        case _:
            return f"{_shown(found)} n’est pas de la forme attendue"


def _shown(found: Mapping[str, Any]) -> str:
    value = found.get("input")
    return f"« {str(value)[:40]} »" if isinstance(value, str | int | float) else "la valeur"
