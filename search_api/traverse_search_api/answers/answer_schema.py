"""What the service answers, for the OpenAPI: JSON Schemas that a test holds the answers to.

Written by hand rather than as models: answers are prepared JSON, never validated on their way out.
"""

from typing import Any, Final

from traverse_search_api.parameters import Facet

Schema = dict[str, Any]

_TEXT: Final[Schema] = {"type": "string"}
_COUNT: Final[Schema] = {"type": "integer", "minimum": 0}
_TEXTS: Final[Schema] = {"type": "array", "items": _TEXT}


def _object(required: dict[str, Schema], **optional: Schema) -> Schema:
    return {
        "type": "object",
        "properties": {**required, **optional},
        "required": list(required),
    }


def _or_null(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}


def _list(items: Schema) -> Schema:
    return {"type": "array", "items": items}


_INSTITUTION: Final = _object({"name": _TEXT, "kind": _TEXT, "role": _TEXT}, siren=_TEXT)
_POINT: Final = _object({"lat": {"type": "number"}, "lon": {"type": "number"}})
_SOURCE: Final = _object({"source": _TEXT, "subject": _TEXT, "updated_at": _TEXT}, url=_TEXT)
_NAMED_FILTER: Final = _object({"parameter": _TEXT, "value": _TEXT, "label": _TEXT})

ITEM: Final = _object(
    {
        "id": _TEXT,
        "kind": {"enum": ["project", "call", "need"]},
        "subtype": _TEXT,
        "title": _TEXT,
        "summary": _TEXT,
        "highlights": {"type": "object", "additionalProperties": _TEXTS},
        "status": _TEXT,
        "status_label": _TEXT,
        "kind_label": _TEXT,
        "subtype_label": _TEXT,
        "theme_labels": _TEXTS,
        "institutions": _list(_INSTITUTION),
        "territory": _or_null({"type": "object"}),
        "location": _or_null(_POINT),
        "themes": _TEXTS,
        "cpv": _TEXTS,
        "amount": _or_null({"type": "number"}),
        "deadline": _or_null({"type": "object"}),
        "deadlines": _list({"type": "object"}),
        "published_at": _TEXT,
        "updated_at": _TEXT,
        "sources": _list(_SOURCE),
        "links": _list({"type": "object"}),
    },
    explanation={"type": "object"},
    left_out=_TEXTS,
)

_FACET: Final = _list(_object({"value": _TEXT, "label": _TEXT, "count": _COUNT}))

SEARCH: Final = _object(
    {
        "total": _object({"value": _COUNT, "exact": {"type": "boolean"}}),
        "items": _list(ITEM),
        "facets": {
            "type": "object",
            "properties": {facet.value: _FACET for facet in Facet},
            "additionalProperties": False,
        },
        "next": _or_null(_TEXT),
        "filters": _list(_NAMED_FILTER),
        "understood": _list(
            _object(
                {
                    "text": _TEXT,
                    "parameter": _TEXT,
                    "value": _TEXT,
                    "label": _TEXT,
                    "choices": _list(_object({"code": _TEXT, "label": _TEXT})),
                }
            )
        ),
        "correction": _or_null(_TEXT),
        "relaxed": _or_null(
            _object(
                {
                    "required": _COUNT,
                    "words": _COUNT,
                    "kept": _or_null(_TEXT),
                    "left_out": _TEXTS,
                    "sentence": _TEXT,
                }
            )
        ),
        "diagnosis": _or_null(
            _object(
                {
                    "sentence": _TEXT,
                    "without": _list(_object({**_NAMED_FILTER["properties"], "count": _COUNT})),
                    "without_filters": _COUNT,
                    "words": _list(_object({"word": _TEXT, "count": _COUNT})),
                }
            )
        ),
        "freshness": _list(_object({"source": _TEXT, "count": _COUNT, "updated_at": _TEXT})),
    }
)

SIMILAR: Final = _object({"items": _list(ITEM)})

SUGGEST: Final = _object(
    {
        "titles": _list(_object({"id": _TEXT, "title": _TEXT})),
        "institutions": _list(_object({"siren": _TEXT, "name": _TEXT, "count": _COUNT})),
        "places": _list(_object({"code": _TEXT, "label": _TEXT})),
        "themes": _list(_object({"theme": _TEXT, "label": _TEXT})),
    }
)

MAP: Final = _object(
    {
        "total": _COUNT,
        "complete": {"type": "boolean"},
        "tiles": _list(
            _object(
                {
                    "tile": {"type": "string", "pattern": "^[0-9]+/[0-9]+/[0-9]+$"},
                    "count": _COUNT,
                    "lat": {"type": "number"},
                    "lon": {"type": "number"},
                }
            )
        ),
    }
)

DETAIL: Final = _object(
    {
        "id": _TEXT,
        "kind": ITEM["properties"]["kind"],
        "title": _TEXT,
        "status": _TEXT,
        "status_label": _TEXT,
        "institutions": _list(_INSTITUTION),
        "sources": _list(_SOURCE),
    }
)


HISTORY: Final = _object(
    {
        "id": _TEXT,
        "items": _list(
            _object(
                {
                    "at": _TEXT,
                    "received_at": _or_null(_TEXT),
                    "action": {"enum": ["published", "updated", "closed"]},
                    "action_label": _TEXT,
                    "reason": _or_null(_TEXT),
                    "source": _TEXT,
                    "subject": _TEXT,
                    "by": _or_null(_TEXT),
                    "vouched_by": _or_null(_TEXT),
                    "visibility": _TEXT,
                    "changes": _list(_object({"field": _TEXT}, before={}, after={})),
                }
            )
        ),
        "complete": {"type": "boolean"},
    }
)

GROUPING: Final = _object(
    {
        "id": _TEXT,
        "visibility": _TEXT,
        "subject": _TEXT,
        "reason": _TEXT,
        "score": {"type": "number"},
        "status": {"enum": ["proposed", "convention", "constituted", "expired"]},
        "status_label": _TEXT,
        "days_left": _or_null(_COUNT),
        "window": {"type": "object", "additionalProperties": _TEXT},
        "owners": _COUNT,
        "members": _list({"type": "object"}),
        "others": _list({"type": "object"}),
        "cpv": _TEXTS,
        "themes": _TEXTS,
        "lots": _list({"type": "object"}),
        "interested": _COUNT,
        "law": _TEXT,
    }
)

GROUPINGS: Final = _object(
    {
        "total": SEARCH["properties"]["total"],
        "items": _list(GROUPING),
        "next": _or_null(_TEXT),
    }
)

PROBLEM: Final = _object(
    {
        "type": _TEXT,
        "title": _TEXT,
        "status": {"type": "integer"},
        "detail": {**_TEXT, "description": "Ce qui ne va pas et comment y remédier, en français."},
    },
    parameter=_TEXT,
    errors=_list(_object({"parameter": _TEXT, "detail": _TEXT})),
    choices=_list(_object({"code": _TEXT, "label": _TEXT})),
    oldest=_TEXT,
)
"""An error (RFC 9457), with the members that some have."""

MERGED: Final[dict[int | str, dict[str, Any]]] = {
    301: {"description": "Publication regroupée avec d’autres : `Location` dit où."}
}


def answers(schema: Schema, description: str) -> dict[int | str, dict[str, Any]]:
    """The description of a 200 with this schema, for a route."""
    return {200: {"description": description, "content": {"application/json": {"schema": schema}}}}
