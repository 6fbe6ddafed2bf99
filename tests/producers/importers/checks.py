"""What every importer's output must satisfy, and how tests run an importer."""

import io
import json
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel, TypeAdapter

from traverse_producers.importers.contract import Dropped, ImportContext, Imported, Importer
from traverse_schemas.events import EVENT_TYPES, Event, event_adapter
from traverse_schemas.log.topics import MAX_EVENT_BYTES
from traverse_schemas.reference.territories import Territories

SOURCE = "urn:siren:123456782:essai"
CONTEXT = ImportContext(SOURCE)
AS_OF = ImportContext(SOURCE, as_of=datetime(2024, 2, 1, tzinfo=UTC))

_EMAIL = re.compile(r"[\w.+-]+@[\w-]+\.\w+")
_PHONE = re.compile(r"(?<![0-9A-Za-z])(?:\+33 ?|0)[1-9](?:[ .-][0-9]{2}){4}(?![0-9])")
PLACEHOLDERS = ("Nom Du Contact", "contact@exemple.fr", "+33 400000000")
_adapters: dict[str, TypeAdapter[Event[BaseModel]]] = {}


def run(
    importer: Importer, content: str | bytes, name: str = "essai", context: ImportContext = CONTEXT
) -> tuple[list[dict[str, Any]], list[Dropped]]:
    """The events and the dropped rows that an importer makes of a content, all checked."""
    octets = content.encode() if isinstance(content, str) else content
    results = list(importer(io.BytesIO(octets), name, context))
    check(results)
    events = [result.event for result in results if isinstance(result, Imported)]
    return events, [result for result in results if isinstance(result, Dropped)]


def check(results: Iterable[Imported | Dropped]) -> None:
    """Each event is valid and its places exist; nobody can be reached; each drop says why."""
    territories = Territories.load()
    ids = set()
    for result in results:
        if isinstance(result, Dropped):
            assert result.sentence.endswith("."), result
            continue
        text = json.dumps(result.event, ensure_ascii=False)
        known = EVENT_TYPES[result.event["type"]]
        adapter = _adapters.setdefault(known.name, event_adapter(known))
        event = adapter.validate_json(text)
        assert len(text.encode()) < MAX_EVENT_BYTES
        assert not any(said in text for said in PLACEHOLDERS), result.line
        assert not _EMAIL.search(text) and not _PHONE.search(text), result.line
        assert ": null" not in text, "fields that say nothing are left out"
        assert (event.source, event.id) not in ids
        ids.add((event.source, event.id))
        closed_alone = known.action == "closed" and "record" not in result.event["data"]
        for place in [] if closed_alone else record_of(result.event)["place"]:
            assert territories.chain(place) is not None, (result.line, place)
        for deadline in record_of(result.event).get("deadlines", []):
            assert deadline["at"][:10] >= result.event["time"][:10], result.line


def record_of(event: dict[str, Any]) -> dict[str, Any]:
    """The record that an event carries."""
    data: dict[str, Any] = event["data"]
    record: dict[str, Any] = data.get("record", data)
    return record
