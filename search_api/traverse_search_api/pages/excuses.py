"""Errors for people: what happened and how to go on, as a page. Programs keep problem+json.

A page of the service says its own errors (`render.excuse`); this is for what no page sees: an
address that is none, a request that is no page's, too many of them, and what nobody foresaw.
"""

from collections.abc import Callable
from typing import Final, cast

import orjson
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection

from traverse_search_api.errors import SearchError
from traverse_search_api.pages.render import Renderer

Answer = Callable[[Request, Exception], Response]

_PROGRAMS: Final = (
    "/v1/",
    "/static/",
    "/carte/",
    "/openapi.json",
    "/healthz",
    "/readyz",
    "/metrics",
)
_FILES: Final = "/v1/opportunities."  # the files of a search: the pages link to them
_WORDS: Final = {
    404: (
        "Cette page n’existe pas",
        "L’adresse est mal recopiée, ou la page a changé de place : cherchez ci-dessus ce que vous "
        "vouliez lire.",
    ),
    405: (
        "Cette page ne s’ouvre pas ainsi",
        "Elle suit l’envoi d’un formulaire : revenez à la page précédente, et recommencez.",
    ),
    422: (
        "Cette adresse ne peut pas être lue",
        "Un de ses réglages est trop long, ou mal écrit : revenez à la page précédente, et suivez "
        "ses liens.",
    ),
    429: (
        "Trop de demandes",
        "Beaucoup de pages ont été demandées d’ici en une minute, par vous ou par d’autres du même "
        "réseau : réessayez dans une minute.",
    ),
    500: (
        "Une erreur s’est produite",
        "Elle ne vient pas de vous, et elle est notée au journal du service : réessayez, et si "
        "elle se répète, dites à qui tient ce service ce que vous faisiez, et à quelle heure.",
    ),
}
_NAMELESS: Final = (429, 500)  # who it is may be what cannot be known now


def install_excuses(app: FastAPI, render: Renderer) -> None:
    """Answer people by pages what `problems.install` answers to programs."""
    for kind in (HTTPException, RequestValidationError, Exception):
        answer = cast(Answer, app.exception_handlers[kind])
        app.add_exception_handler(kind, _chosen(answer, render))
    told = cast(Answer, app.exception_handlers[SearchError])
    app.add_exception_handler(SearchError, _excused(told, render))


def wants_page(request: HTTPConnection) -> bool:
    """Whether somebody looks with a browser, at an address that is not one for programs, or is one
    that pages lead to."""
    path = request.url.path
    if path.startswith(_PROGRAMS) and not path.startswith(_FILES):
        return False
    accepted = request.headers.get("accept", "").lower().split(",")
    return any(one.partition(";")[0].strip() == "text/html" for one in accepted)


def for_people(request: Request, problem: Response, render: Renderer) -> Response:
    """The problem+json answer as a page, with the same status and headers, where a page is
    wanted."""
    if not wants_page(request):
        return problem
    said = orjson.loads(problem.body)
    status = problem.status_code
    title, sentence = _WORDS.get(status, (said["title"], said["detail"]))
    page = render.apology(request, status, title, sentence, nameless=status in _NAMELESS)
    for name, text in problem.headers.items():
        if name not in ("content-type", "content-length"):
            page.headers[name] = text
    page.headers.add_vary_header("Accept")
    return page


def _chosen(answer: Answer, render: Renderer) -> Answer:
    def chosen(request: Request, error: Exception) -> Response:
        return for_people(request, answer(request, error), render)

    return chosen


def _excused(answer: Answer, render: Renderer) -> Answer:
    """Our own errors where no page answers them: those of a file that a page led to."""

    def excused(request: Request, error: Exception) -> Response:
        if not (isinstance(error, SearchError) and wants_page(request)):
            return answer(request, error)
        page = render.excuse(request, error)
        page.headers.add_vary_header("Accept")
        return page

    return excused
