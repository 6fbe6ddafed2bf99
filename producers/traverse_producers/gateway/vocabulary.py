"""The schemas of the events for HTTP: one by one, and as components of a description. Pure."""

import json
from functools import cache
from typing import Any, NamedTuple

from traverse_producers.gateway.errors import UnknownSchemaError
from traverse_schemas.events import EVENT_TYPES, Action, EventType
from traverse_schemas.judging.export_json_schema import json_schema
from traverse_schemas.judging.succession import Succession
from traverse_schemas.records.codes import Kind

_LOCAL = "#/$defs/"
_COMPONENT = "#/components/schemas/"


class Schema(NamedTuple):
    """One published schema: `name` is `kind.action`, as in its `$id`. Of an older version:
    since when it has a successor, from when on it is refused, and which that is."""

    name: str
    version: str
    type: str
    deprecated: str | None = None
    sunset: str | None = None
    successor: str | None = None

    def said(self) -> dict[str, str]:
        """What there is to say of it."""
        return {name: value for name, value in self._asdict().items() if value is not None}


def schemas() -> list[Schema]:
    """Every schema that is accepted."""
    return [_named(known) for known in EVENT_TYPES.values()]


def schema_of(kind: str, version: str) -> dict[str, Any]:
    """A JSON Schema document: of one type of event (`call.published`), or for a kind alone, of
    every event of it. Raises UnknownSchemaError."""
    found = [json_schema(known) for known in _asked(kind, version)]
    if not found:
        known = ", ".join(f"{each.name}/{each.version}" for each in schemas())
        raise UnknownSchemaError(
            f"Le schéma {kind[:40]}/{version[:20]} n'existe pas ; il y a {known}."
        )
    if len(found) == 1:
        return found[0]
    return {
        "$schema": found[0]["$schema"],
        "$id": f"urn:traverse:schema:{kind}:{version}",
        "title": f"{kind.capitalize()}, {version}",
        "oneOf": [{"$ref": each["$id"]} for each in found],
        "$defs": {each["title"]: each for each in found},
    }


def endings_of(kind: str, version: str) -> list[Succession | None]:
    """What comes after the types that `schema_of` describes."""
    return [known.succession for known in _asked(kind, version)]


def _asked(kind: str, version: str) -> list[EventType]:
    return [
        known
        for known in EVENT_TYPES.values()
        if known.version == version and kind in (_named(known).name, known.kind)
    ]


@cache
def components() -> dict[str, dict[str, Any]]:
    """The schemas as components of OpenAPI or AsyncAPI: those of the events by `event_component`,
    and the parts that they share. Not to be changed by who gets it."""
    merged: dict[str, dict[str, Any]] = {}
    for known in EVENT_TYPES.values():
        schema = json_schema(known)
        schema.pop("$schema")
        schema.pop("$id")
        parts = schema.pop("$defs")
        for name, part in {**parts, event_component(known): schema}.items():
            moved = _moved(part)
            if merged.setdefault(name, moved) != moved:
                raise ValueError(f"two schemas are called {name}")
    return merged


def event_component(known: EventType) -> str:
    """The component's name of a type of event: `EventCallPublished`; an older version has its
    number too."""
    older = known.version.upper() if known.succession else ""
    return f"Event{known.kind.capitalize()}{known.action.capitalize()}{older}"


def data_components() -> dict[Kind, list[str]]:
    """Of each kind, the components of what may be put of a record: the whole of it, or its end."""
    return {
        kind: [
            known.data.__name__
            for known in EVENT_TYPES.values()
            if known.kind == kind and known.action is not Action.WITHDRAWN and not known.succession
        ]
        for kind in Kind
    }


def _named(known: EventType) -> Schema:
    name = f"{known.kind}.{known.action}"
    ending = known.succession
    if ending is None:
        return Schema(name, known.version, known.name)
    since, until = ending.since.isoformat(), ending.until.isoformat()
    return Schema(name, known.version, known.name, since, until, ending.by)


def _moved(schema: dict[str, Any]) -> dict[str, Any]:
    text = json.dumps(schema).replace(f'"{_LOCAL}', f'"{_COMPONENT}')
    moved: dict[str, Any] = json.loads(text)
    return moved
