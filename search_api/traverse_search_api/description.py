"""What the OpenAPI says beside the routes: how errors look, and where a key goes."""

from typing import Annotated, Any, Final

from fastapi import FastAPI, Path, Query

from traverse_search_api.answer_schema import PROBLEM

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


def describe_keys(app: FastAPI) -> None:
    """Makes the description say that a call may carry an API key, and need not."""
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
        return description

    app.openapi = described  # type: ignore[method-assign]
