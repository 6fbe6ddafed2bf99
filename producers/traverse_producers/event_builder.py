"""Makes events, in one place for the SDK, the files and the importers' callers. Pure."""

import json
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from pydantic import BaseModel, TypeAdapter, ValidationError

from traverse_producers.errors import EventTooLargeError, InvalidEventError
from traverse_schemas.errors import InvalidSourceError
from traverse_schemas.events import EVENT_TYPES, Event, event_adapter, event_type
from traverse_schemas.judging.sentences import Problem, explain
from traverse_schemas.log.topics import MAX_EVENT_BYTES
from traverse_schemas.signing.sources import parse_source

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
    """The event as it travels, made once: whoever verifies it later needs these very octets.

    Besides what JSON knows, values may be dates, instants, Decimals and pydantic models.
    Raises InvalidEventError when a value has no form in JSON.
    """
    try:
        text = json.dumps(
            event, ensure_ascii=False, separators=(",", ":"), allow_nan=False, default=_in_json
        )
        return text.encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidEventError([Problem("", _why_not_json(error))]) from None


def _in_json(value: object) -> object:
    """The JSON form of a value that the json module does not know."""
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json", by_alias=True, exclude_unset=True)
    if isinstance(value, date):  # a datetime is one too
        return value.isoformat()
    if isinstance(value, Decimal):
        return float(value)
    raise TypeError(type(value).__name__)


def _why_not_json(error: Exception) -> str:
    if isinstance(error, UnicodeEncodeError):
        return (
            "Un texte contient un caractère qui n'existe pas en UTF-8 (une moitié de caractère) : "
            "retirez-le."
        )
    if isinstance(error, TypeError):
        return (
            f"Une valeur de l'événement n'a pas de forme en JSON ({error}) : donnez un texte, un "
            "nombre, une date, une liste ou un dictionnaire."
        )
    return (
        "L'événement ne peut pas être écrit en JSON : retirez les nombres infinis ou indéfinis "
        "(NaN) et les objets qui se contiennent eux-mêmes."
    )


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
