"""Makes events, in one place for the SDK, the files and the importers' callers. Pure."""

import json
from datetime import datetime
from typing import Any

from pydantic import BaseModel, TypeAdapter, ValidationError

from traverse_producers.errors import EventTooLargeError, InvalidEventError
from traverse_schemas.errors import InvalidSourceError
from traverse_schemas.events import EVENT_TYPES, Event, event_adapter, event_type
from traverse_schemas.sentences import Problem, explain
from traverse_schemas.sources import parse_source
from traverse_schemas.topics import MAX_EVENT_BYTES

_adapters: dict[str, TypeAdapter[Event[BaseModel]]] = {}


def build_event(
    *,
    source: str,
    kind: str,
    action: str,
    reference: str,
    data: dict[str, Any] | BaseModel,
    event_id: str,
    time: datetime,
    sequence: int | None = None,
) -> dict[str, Any]:
    """A CloudEvent 1.0 in structured mode, as a dict. `time` must be aware."""
    if isinstance(data, BaseModel):
        data = data.model_dump(mode="json", by_alias=True, exclude_unset=True)
    event: dict[str, Any] = {
        "specversion": "1.0",
        "id": event_id,
        "source": source,
        "type": event_type(kind, action),
        "subject": reference,
        "time": time.isoformat(),
        "datacontenttype": "application/json",
    }
    if sequence is not None:
        event["sequence"] = sequence
    event["data"] = data
    return event


def octets_of(event: dict[str, Any]) -> bytes:
    """The event as it travels, made once: whoever verifies it later needs these very octets."""
    return json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode()


def check_event(octets: bytes) -> Event[BaseModel]:
    """Check an event by its schema, as the platform will.

    Raises EventTooLargeError, InvalidEventError. What only the platform knows (places, ids that
    were used before) it says later, by a rejection.
    """
    if len(octets) > MAX_EVENT_BYTES:
        raise EventTooLargeError(len(octets))
    name = _type_of(octets)
    adapter = _adapters.get(name)
    if adapter is None:
        adapter = _adapters[name] = event_adapter(EVENT_TYPES[name])
    try:
        event = adapter.validate_json(octets)
    except ValidationError as error:
        raise InvalidEventError(explain(error)) from None
    try:
        parse_source(event.source)
    except InvalidSourceError as error:
        raise InvalidEventError([Problem("/source", str(error))]) from None
    return event


def _type_of(octets: bytes) -> str:
    try:
        raw = json.loads(octets)
    except (ValueError, RecursionError):
        sentence = "Ce n'est pas du JSON en UTF-8 : envoyez un CloudEvent structuré."
        raise InvalidEventError([Problem("", sentence)]) from None
    name = raw.get("type") if isinstance(raw, dict) else None
    if not isinstance(name, str) or name not in EVENT_TYPES:
        sentence = (
            f"Le type « {str(name)[:80]} » n'existe pas ; les types sont "
            "fr.traverse.{project|call|need}.{published|updated|closed|withdrawn}.v1."
        )
        raise InvalidEventError([Problem("/type", sentence)])
    return name
