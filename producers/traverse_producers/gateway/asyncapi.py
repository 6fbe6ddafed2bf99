"""The AsyncAPI 3.0 description of the topics that others write and read. Pure.

Generated from `traverse_schemas.topics` and the events' schemas: a publisher sends to
`traverse.inbound`, a subscriber receives from `traverse.events.{project,call,need}`.
"""

import json
from typing import Any, Final

from traverse_producers.gateway.vocabulary import components, event_component
from traverse_schemas.events import CONTENT_TYPE, EVENT_TYPES, EventType
from traverse_schemas.records.codes import Kind
from traverse_schemas.topics import EVENTS, INBOUND, TOPICS, Topic

Json = dict[str, Any]

_SCHEMA: Final = "#/components/schemas/"
_TOPICS: Final = {topic.name: topic for topic in TOPICS}
_KEY: Final = {
    "type": "string",
    "description": "La source, une espace, le subject : la clé du dossier.",
}


def asyncapi(kafka: str) -> Json:
    """The description; `kafka` is where brokers answer (`host:port[,host:port]`)."""
    channels: Json = {"inbound": _channel(_TOPICS[INBOUND], list(EVENT_TYPES.values()))}
    operations: Json = {
        "publish": _operation("receive", "inbound", "Un éditeur publie ; la plateforme reçoit.")
    }
    for kind in Kind:
        name = f"events-{kind}"
        known = [each for each in EVENT_TYPES.values() if each.kind == kind]
        channels[name] = _channel(_TOPICS[EVENTS[kind]], known)
        operations[f"subscribe-{kind}"] = _operation(
            "send", name, "La plateforme diffuse ; un abonné lit, avec les octets de l'éditeur."
        )
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Traverse",
            "version": "1",
            "description": "Les topics où les institutions publient et s'abonnent : des CloudEvents"
            " 1.0 en mode structuré, un dossier par clé.",
            "license": {"name": "EUPL-1.2"},
        },
        "defaultContentType": CONTENT_TYPE,
        "servers": {
            f"broker{number}": {"host": host.strip(), "protocol": "kafka"}
            for number, host in enumerate(kafka.split(","))
        },
        "channels": channels,
        "operations": operations,
        "components": {
            "schemas": components(),
            "messages": {event_component(known): _message(known) for known in EVENT_TYPES.values()},
        },
    }


def octets(kafka: str) -> bytes:
    """The description as JSON."""
    return json.dumps(asyncapi(kafka), ensure_ascii=False, separators=(",", ":")).encode()


def _channel(topic: Topic, known: list[EventType]) -> Json:
    return {
        "address": topic.name,
        "description": topic.purpose,
        "messages": {
            event_component(each): {"$ref": f"#/components/messages/{event_component(each)}"}
            for each in known
        },
        "bindings": {"kafka": {"topic": topic.name, "partitions": topic.partitions}},
    }


def _operation(action: str, channel: str, summary: str) -> Json:
    return {"action": action, "channel": {"$ref": f"#/channels/{channel}"}, "summary": summary}


def _message(known: EventType) -> Json:
    return {
        "name": known.name,
        "title": f"{known.kind.capitalize()} {known.action}",
        "contentType": CONTENT_TYPE,
        "payload": {
            "schemaFormat": "application/schema+json;version=draft-2020-12",
            "schema": {"$ref": f"{_SCHEMA}{event_component(known)}"},
        },
        "bindings": {"kafka": {"key": _KEY}},
    }
