"""What is measured with: events of real files or of the demonstration, repeated without end."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import orjson

from traverse_infra.bench.retell import Round
from traverse_infra.errors import InfraError
from traverse_schemas.log.identity import record_key

Event = dict[str, Any]


class NothingToMeasureError(InfraError):
    """No event can be read from what was given."""


@dataclass(frozen=True, slots=True)
class Load:
    """Events (CloudEvents as dicts), the institutions they speak of, and their present day."""

    events: list[Event]
    as_of: str
    origin: str
    institutions: list[dict[str, Any]] = field(default_factory=list)


def read_load(folder: Path | None) -> Load:
    """The events of the real files of a folder, else those of the bundled demonstration.

    What is no readable CloudEvent is left out. Raises NothingToMeasureError.
    """
    from traverse_infra.demo.script import bundled_script, files_script

    script = files_script(folder) if folder else bundled_script()
    events = [event for octets in script.events() if (event := _readable(octets))]
    if not events:
        raise NothingToMeasureError(
            f"Aucun événement lisible dans {folder or 'la démonstration'} : donnez avec --data un "
            "dossier qui a des sous-dossiers decp, decp-v2, ted ou fonds-vert."
        )
    return Load(events, script.as_of, script.title, script.institutions)


def repeated(events: list[Event]) -> Iterator[Event]:
    """The events again and again, each time as other records of another system of the source, of
    other things (`Round`)."""
    for number in count():
        told = Round(number)
        for event in events:
            yield retold(event, told, f"b{number}")


def retold(event: Event, told: Round, system: str) -> Event:
    """An event as it is told in a round, by another system of its source."""
    siren = event["source"][10:19]
    return {
        **event,
        "source": another_system(event["source"], system),
        "subject": told.subject(event["subject"]),
        "data": told.data(event.get("data"), event["subject"], siren),
    }


def octets_and_key(event: Event) -> tuple[bytes, bytes]:
    """The event as it travels, and the key of its record."""
    return orjson.dumps(event), record_key(event["source"], event["subject"]).encode()


def another_system(source: str, name: str) -> str:
    """`urn:siren:N` -> `urn:siren:N:b7`; `urn:siren:N:s` -> `urn:siren:N:s-b7`."""
    return f"{source}{'-' if source.count(':') > 2 else ':'}{name}"


def _readable(octets: bytes) -> Event | None:
    try:
        event = orjson.loads(octets)
    except orjson.JSONDecodeError:
        return None
    if not isinstance(event, dict):
        return None
    names = (event.get("source"), event.get("subject"), event.get("type"))
    return event if all(isinstance(name, str) for name in names) else None
