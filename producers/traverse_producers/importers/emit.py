"""Makes the events of importers: ids and times that are the same on every machine."""

import json
from datetime import datetime
from hashlib import blake2b
from typing import Any

from traverse_producers.importers.contract import Dropped, ImportContext, Imported
from traverse_schemas.events import Action, event_type
from traverse_schemas.log.topics import MAX_EVENT_BYTES
from traverse_schemas.records.codes import Kind

_SUBJECT_LIMIT = 255
_ROOM = 16 << 10  # for what signing and the envelope add


def make_event(
    context: ImportContext,
    kind: Kind,
    action: Action,
    *,
    subject: str,
    time: datetime,
    data: dict[str, Any],
    sequence: int = 0,
) -> dict[str, Any]:
    """A CloudEvent 1.0 in structured mode. `time` is aware; `data` is JSON without nulls.

    The id is a hash of all the rest but the source: the same row is the same event, and a row
    that changed in the least is another one.
    """
    event: dict[str, Any] = {
        "specversion": "1.0",
        "id": "",
        "source": context.source,
        "type": event_type(kind, action),
        "subject": "".join(filter(str.isprintable, subject))[:_SUBJECT_LIMIT].strip(),
        "time": time.isoformat(),
        "datacontenttype": "application/json",
        "data": data,
    }
    if sequence:
        event["sequence"] = sequence
    content = [event["type"], event["subject"], event["time"], sequence, data]
    event["id"] = short_hash(content, 16)
    return event


def short_hash(value: object, size: int = 4) -> str:
    """`size` octets in hexadecimal that tell this JSON value from others, on every machine."""
    canonical = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return blake2b(canonical.encode(), digest_size=size).hexdigest()


def without_empty(data: dict[str, Any]) -> dict[str, Any]:
    """The fields that say something: neither None, nor "", nor an empty list."""
    return {key: value for key, value in data.items() if value not in (None, "", [], {})}


def within_limit(data: dict[str, Any]) -> dict[str, Any]:
    """The data, without the descriptions of its lots when it would be too large an event."""
    if len(json.dumps(data, ensure_ascii=False).encode()) <= MAX_EVENT_BYTES - _ROOM:
        return data
    record = data.get("record", data)
    lots = [{k: v for k, v in lot.items() if k != "description"} for lot in record.get("lots", [])]
    shorter = without_empty({**record, "lots": lots})
    return {**data, "record": shorter} if "record" in data else shorter


class Once:
    """Tells the rows that were read before by their event's id (16 octets kept for each)."""

    def __init__(self) -> None:
        self._seen: set[bytes] = set()

    def check(self, imported: Imported) -> Imported | Dropped:
        """The event the first time; then a `Dropped` that says that it is a duplicate."""
        key = bytes.fromhex(imported.event["id"])
        if key in self._seen:
            return Dropped(
                imported.line,
                imported.event["subject"],
                "Cette ligne est la répétition exacte d'une ligne déjà lue : rien n'est perdu.",
                duplicate=True,
            )
        self._seen.add(key)
        return imported
