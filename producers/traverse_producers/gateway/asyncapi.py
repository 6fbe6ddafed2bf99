"""The AsyncAPI 3.0 description of the topics that others write and read. Pure.

Generated from `traverse_schemas.log.topics` and the events' schemas: a publisher sends to
`traverse.inbound`, a subscriber receives from `traverse.events.{project,call,need}`. These are
compacted and have tombstones, keyed by event: an erasure takes content from what was said before.
"""

import json
from typing import Any, Final

from traverse_producers.gateway.vocabulary import components, event_component
from traverse_schemas.events import CONTENT_TYPE, EVENT_TYPES, EventType
from traverse_schemas.log.topics import EVENTS, INBOUND, TOPICS, Topic
from traverse_schemas.records.codes import Kind

Json = dict[str, Any]

_SCHEMA: Final = "#/components/schemas/"
_FORMAT: Final = "application/schema+json;version=draft-2020-12"
_TOPICS: Final = {topic.name: topic for topic in TOPICS}
_RECORD_KEY: Final = {
    "type": "string",
    "description": "La source, une espace, le subject : la clé du dossier.",
}
_EVENT_KEY: Final = {
    "type": "string",
    "contentMediaType": "application/json",
    "description": "Un tableau JSON de la source, du subject et de l'id : la clé de l'événement.",
}
_TOMBSTONE: Final[Json] = {
    "name": "tombstone",
    "title": "Événement effacé",
    "description": "Sans valeur (null) : l'événement de cette clé a été effacé, sur les trois"
    " topics ; supprimez ce que vous en gardez. L'effacement est dit par un événement withdrawn du"
    " même dossier ; qui n'a jamais eu cet événement n'a rien à faire.",
    "payload": {"schemaFormat": _FORMAT, "schema": {"type": "null"}},
    "bindings": {"kafka": {"key": _EVENT_KEY}},
}


def asyncapi(kafka: str) -> Json:
    """The description; `kafka` is where brokers answer (`host:port[,host:port]`)."""
    channels: Json = {
        "inbound": _channel(
            _TOPICS[INBOUND],
            "Ce que les éditeurs envoient, sept jours ; aucun message sans valeur.",
            [event_component(known) for known in EVENT_TYPES.values()],
        )
    }
    operations: Json = {
        "publish": _operation("receive", "inbound", "Un éditeur publie ; la plateforme reçoit.")
    }
    for kind in Kind:
        name = f"events-{kind}"
        disclosed = [_disclosed(each) for each in EVENT_TYPES.values() if each.kind == kind]
        channels[name] = _channel(
            _TOPICS[EVENTS[kind]],
            "Ce qui est public, compacté par événement : une valeur vide (null) efface l'événement"
            " de sa clé.",
            [*disclosed, _hidden(kind), "Tombstone"],
        )
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
            "messages": _messages(),
        },
    }


def octets(kafka: str) -> bytes:
    """The description as JSON."""
    return json.dumps(asyncapi(kafka), ensure_ascii=False, separators=(",", ":")).encode()


def _channel(topic: Topic, description: str, messages: list[str]) -> Json:
    return {
        "address": topic.name,
        "description": description,
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in messages},
        "bindings": {
            "kafka": {
                "topic": topic.name,
                "partitions": topic.partitions,
                "topicConfiguration": {"cleanup.policy": [topic.config["cleanup.policy"]]},
            }
        },
    }


def _operation(action: str, channel: str, summary: str) -> Json:
    return {"action": action, "channel": {"$ref": f"#/channels/{channel}"}, "summary": summary}


def _messages() -> Json:
    messages: Json = {"Tombstone": _TOMBSTONE}
    for known in EVENT_TYPES.values():
        messages[event_component(known)] = _message(known, _RECORD_KEY)
        messages[_disclosed(known)] = _message(known, _EVENT_KEY)
    for kind in Kind:
        messages[_hidden(kind)] = _notice(kind)
    return messages


def _disclosed(known: EventType) -> str:
    """The message with a type's events as subscribers get them."""
    return f"{event_component(known)}Disclosed"


def _hidden(kind: Kind) -> str:
    return f"{kind.capitalize()}Hidden"


def _message(known: EventType, key: Json) -> Json:
    return {
        "name": known.name,
        "title": f"{known.kind.capitalize()} {known.action}",
        "contentType": CONTENT_TYPE,
        "payload": {
            "schemaFormat": _FORMAT,
            "schema": {"$ref": f"{_SCHEMA}{event_component(known)}"},
        },
        "bindings": {"kafka": {"key": key}},
    }


def _notice(kind: Kind) -> Json:
    name = f"fr.traverse.{kind}.hidden.v1"
    said = {"source": {"type": "string"}, "subject": {"type": "string"}}
    return {
        "name": name,
        "title": f"{kind.capitalize()} hidden",
        "description": "La plateforme dit que le dossier n'est plus public ; personne ne le signe.",
        "contentType": CONTENT_TYPE,
        "payload": {
            "schemaFormat": _FORMAT,
            "schema": {
                "type": "object",
                "required": ["type", "source", "id", "data"],
                "properties": {
                    "type": {"const": name},
                    "source": {"const": "urn:traverse:validate"},
                    "data": {"type": "object", "properties": said, "required": list(said)},
                },
            },
        },
        "bindings": {"kafka": {"key": _EVENT_KEY}},
    }
