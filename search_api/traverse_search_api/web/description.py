"""What the OpenAPI says beside the routes: how errors look, and where a key goes."""

import re
from typing import Annotated, Any, Final

from fastapi import FastAPI, Path, Query
from fastapi.routing import APIRoute

from traverse_search_api.answers.answer_schema import PROBLEM

Json = dict[str, Any]
Identifier = Annotated[
    str, Path(description="`id` d’une publication, comme les réponses la nomment.")
]
AsOf = Annotated[
    str | None,
    Query(
        description="Date à laquelle on juge ce qui est ouvert ou clos ; maintenant, si elle "
        "n’est pas dite.",
        examples=["2026-03-12"],
    ),
]

_RETRY_AFTER: Final = {
    "Retry-After": {"description": "Secondes à attendre.", "schema": {"type": "integer"}}
}
_TEXTS: Final = {
    400: "Paramètre ou curseur refusé ; `choices` quand un territoire est ambigu.",
    401: "Clé d’API inconnue, expirée ou révoquée.",
    403: "Clé d’API qui ne permet pas de lire.",
    404: "Adresse ou identifiant inconnu.",
    410: "Curseur ou position de flux expirés (`oldest`), ou publication retirée.",
    422: "Paramètre mal formé ; `errors` les dit un par un.",
    429: "Trop de demandes en une minute, d’exports à la fois, ou de flux ouverts.",
    503: "Recherche momentanément indisponible.",
}


def told_problem(text: str) -> Json:
    """An error of a route, for FastAPI's `responses`; `text` says when."""
    return {"description": text, "content": {"application/problem+json": {"schema": PROBLEM}}}


PROBLEMS: Final[dict[int | str, Json]] = {
    code: {
        **told_problem(text),
        **({"headers": _RETRY_AFTER} if code in (429, 503) else {}),
    }
    for code, text in _TEXTS.items()
}
"""The errors of a route, for FastAPI's `responses`."""


def operation_name(route: APIRoute) -> str:
    """What clients that are made from the description call an operation: `read_permanences`,
    `search_opportunities`."""
    verb = route.name.strip("_")
    about = [part for part in route.path_format.split("/") if part and part[0] != "{"]
    noun = re.sub(r"\W", "_", next((part for part in about if part != "v1"), ""))
    return verb if noun.startswith(verb) else f"{verb}_{noun}"


def describe(app: FastAPI) -> None:
    """Makes the description say that a call may carry an API key, and need not; and what each
    operation does, in French: the first sentence of what is said of it, where it has no title."""
    whole = app.openapi

    def described() -> Json:
        description = whole()
        parts = description.setdefault("components", {})
        parts["securitySchemes"] = {
            "bearer": {
                "type": "http",
                "scheme": "bearer",
                "description": "La clé d’API de l’institution : la réponse a aussi ce qui lui est "
                "réservé.",
            }
        }
        description["security"] = [{}, {"bearer": []}]
        for calls in description["paths"].values():
            for call in calls.values():
                # A title of FastAPI's own making is the name of our function, in English.
                named = call["summary"].strip().lower().replace(" ", "_")
                if call["operationId"].startswith(named):
                    call["summary"] = re.split(r" ; |\.\s", call["description"] + " ")[0]
        return description

    app.openapi = described  # type: ignore[method-assign]
