"""The OpenAPI 3.1 description: what FastAPI knows of the routes, with our schemas in it."""

from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic.json_schema import models_json_schema

from traverse_producers.gateway.access import ON_BEHALF_OF
from traverse_producers.gateway.administration_bodies import ANSWERS, BODIES, without_hashes
from traverse_producers.gateway.answers import Problem, Receipt, RecordReceipt
from traverse_producers.gateway.http_binding import BATCH, NDJSON, STRUCTURED
from traverse_producers.gateway.record_body import FORM, JSON, MULTIPART
from traverse_producers.gateway.vocabulary import components, data_components, event_component
from traverse_producers.tables.columns import COLUMNS
from traverse_schemas.events import EVENT_TYPES

Json = dict[str, Any]

_REF: Final = "#/components/schemas/"
_PROBLEMS: Final = {
    400: "Rien n'est accepté : le corps, ou l'événement, ne se lit pas.",
    401: "La clé d'API manque, est inconnue ou n'est plus valable.",
    403: "La clé ne permet pas cela, ou la source n'est pas de son institution.",
    404: "Introuvable.",
    409: "Le registre l'a déjà autrement.",
    408: "Le corps n'est pas arrivé à temps.",
    413: "Trop d'octets, ou trop d'événements.",
    415: "Type de contenu, jeu de caractères ou codage non reconnu.",
    422: "Rien n'est accepté : chaque événement est refusé, avec sa raison.",
    429: "Trop d'événements en une minute (Retry-After, en secondes).",
    500: "Erreur inattendue.",
    503: "La plateforme ne confirme pas : à renvoyer (Retry-After, en secondes).",
}
_RETRY_AFTER: Final = {
    "Retry-After": {"description": "Secondes à attendre.", "schema": {"type": "integer"}}
}


DEPRECATION: Final[Json] = {
    "headers": {
        "Deprecation": {
            "description": "Une version ancienne a été envoyée ou demandée : depuis quand elle a "
            "un successeur (RFC 9745).",
            "schema": {"type": "string"},
        },
        "Sunset": {
            "description": "Quand elle sera refusée (RFC 8594).",
            "schema": {"type": "string"},
        },
        "Link": {
            "description": 'Le schéma qui la remplace (rel="successor-version").',
            "schema": {"type": "string"},
        },
    }
}
"""Headers of an answer about older versions of schemas."""


def problems(*codes: int) -> dict[int | str, Json]:
    """The error answers of a route, for FastAPI's `responses`."""
    return {
        code: {
            "description": _PROBLEMS[code],
            "content": {"application/problem+json": {"schema": _ref("Problem")}},
            **({"headers": _RETRY_AFTER} if code in (429, 503) else {}),
        }
        for code in codes
    }


def answer(model: str, description: str) -> Json:
    """An answer in JSON, for FastAPI's `responses`."""
    return {
        "description": description,
        "content": {"application/json": {"schema": _ref(model)}},
    }


def json_body(model: str) -> Json:
    """A body in JSON, for FastAPI's `openapi_extra`; what is left out has its default."""
    return {"requestBody": {"content": {JSON: {"schema": _ref(model)}}}}


SECURITY: Final[Json] = {"security": [{"bearer": []}, {"basic": []}]}

ON_BEHALF: Final[Json] = {
    "name": ON_BEHALF_OF,
    "in": "header",
    "required": False,
    "description": "Pour une clé de portée on_behalf : le SIREN de l'institution au nom de qui on "
    "agit, si elle a confié sa signature à la passerelle.",
    "schema": {"type": "string"},
}

RECORD_BODY: Final[Json] = {
    "parameters": [ON_BEHALF],
    "requestBody": {
        "required": True,
        "content": {
            JSON: {"schema": {"$ref": f"{_REF}Record"}},
            FORM: {"schema": {"$ref": f"{_REF}RecordForm"}},
            MULTIPART: {"schema": {"$ref": f"{_REF}RecordForm"}},
        },
    },
}

EVENTS_BODY: Final[Json] = {
    "parameters": [
        {
            "name": f"ce-{name}",
            "in": "header",
            "required": False,
            "description": f"Mode binaire : l'attribut {name} de l'événement, codé en pourcents.",
            "schema": {"type": "string"},
        }
        for name in ("specversion", "id", "source", "type", "subject", "time")
    ]
    + [
        {
            "name": "Traverse-Signature",
            "in": "header",
            "required": False,
            "description": "La signature de l'institution : un JWS détaché (RFC 7515, RFC 7797, "
            "EdDSA) des octets de chaque événement, dans leur ordre, entre virgules. Sans elle, la "
            "passerelle signe pour qui le lui a confié.",
            "schema": {"type": "string"},
        },
        ON_BEHALF,
    ],
    "requestBody": {
        "required": True,
        "content": {
            STRUCTURED: {"schema": {"$ref": f"{_REF}Event"}},
            BATCH: {"schema": {"type": "array", "items": {"$ref": f"{_REF}Event"}}},
            **{
                name: {
                    "schema": {"type": "string", "description": "Un événement structuré par ligne."}
                }
                for name in NDJSON
            },
            "application/json": {
                "schema": {"description": "Mode binaire : le contenu (data) de l'événement."}
            },
        },
    },
}


def describe(app: FastAPI) -> Json:
    """The description of the whole service; made once, at the first request for it."""
    if app.openapi_schema is None:
        app.openapi_schema = _described(app)
    return app.openapi_schema


def _described(app: FastAPI) -> Json:
    description = get_openapi(
        title=app.title,
        version=app.version,
        summary=app.summary,
        openapi_version="3.1.0",
        routes=app.routes,
    )
    parts = description.setdefault("components", {})
    _, ours = models_json_schema(
        [
            *((model, "serialization") for model in (Problem, Receipt, RecordReceipt, *ANSWERS)),
            *((model, "validation") for model in BODIES),
        ],
        ref_template=_REF + "{model}",
    )
    parts["schemas"] = {
        **parts.get("schemas", {}),
        **components(),
        **without_hashes(ours["$defs"]),
        "Event": {
            "oneOf": [_ref(event_component(known)) for known in EVENT_TYPES.values()],
            "discriminator": {
                "propertyName": "type",
                "mapping": {
                    name: f"{_REF}{event_component(known)}" for name, known in EVENT_TYPES.items()
                },
            },
        },
        "RecordForm": {
            "type": "object",
            "description": "Les colonnes des tableaux (« traverse publish --columns »), comme "
            "textes ; chacune a aussi des noms français.",
            "properties": {
                column.name: {"type": "string", "example": column.example}
                if column.example
                else {"type": "string"}
                for column in COLUMNS
                if column.name not in ("reference", "event_id", "time")
            },
            "additionalProperties": {"type": "string"},
        },
        "Record": {"anyOf": [_ref(name) for names in data_components().values() for name in names]},
    }
    parts["securitySchemes"] = {
        "bearer": {"type": "http", "scheme": "bearer", "description": "La clé d'API."},
        "basic": {
            "type": "http",
            "scheme": "basic",
            "description": "La clé d'API comme mot de passe ; le nom d'utilisateur est libre.",
        },
    }
    return description


def _ref(name: str) -> Json:
    return {"$ref": f"{_REF}{name}"}
