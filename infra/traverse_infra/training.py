"""What likeness learns from: the records of the log, or real files that are not on it."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson

from traverse_infra.log.reading import read_topic
from traverse_schemas.errors import RejectedError
from traverse_schemas.log.record_state import RecordState
from traverse_schemas.log.topics import RECORDS


def states_of_log(bootstrap: str) -> Iterator[RecordState]:
    """The last state of each record of `traverse.records`. Raises EngineAwayError."""
    last: dict[bytes, bytes | None] = {}
    for message in read_topic(bootstrap, RECORDS):
        last[message.key] = message.value
    for value in last.values():
        if value:
            yield orjson.loads(value)


def states_of_files(folder: Path) -> Iterator[RecordState]:
    """The states of the records in the real files of a folder (decp, decp-v2, ted, fonds-vert).

    Raises NothingToImportError.
    """
    from traverse_infra.demo.script import files_script

    yield from states_of_events(files_script(folder).events())


def states_of_events(events: Iterable[bytes]) -> Iterator[RecordState]:
    """The states that events come to, without a log: validated, enriched and folded as they are
    on the journey. What would be rejected is left out."""
    from traverse_schemas.reference.institutions import Institutions
    from traverse_schemas.reference.territories import Territories
    from traverse_stream_processors.enriching.enrich import enrich
    from traverse_stream_processors.enriching.fold import fold
    from traverse_stream_processors.validating.validate import validate

    territories = Territories.load()
    institutions = Institutions(territories, {})
    states: dict[str, RecordState] = {}
    for octets in events:
        try:
            accepted = validate(octets, _time_of(octets), territories)
        except RejectedError:
            continue
        content = enrich(accepted, territories=territories, institutions=institutions)
        states[accepted.key] = fold(states.get(accepted.key), accepted, content)
    yield from states.values()


def public_contents(states: Iterable[RecordState]) -> Iterator[dict[str, Any]]:
    """What likeness may learn from: public records that are not withdrawn. A model is a file that
    people copy, so that no other audience's words may be in it."""
    for state in states:
        said, life = state["content"], state["life"]
        if said is None or (life is not None and life["state"] == "withdrawn"):
            continue
        if said["content"]["visibility"] == "public":
            yield dict(said["content"])


def _time_of(octets: bytes) -> datetime:
    """The event's own time, as the time of receipt; the beginning of time where it has none."""
    try:
        found = datetime.fromisoformat(orjson.loads(octets)["time"])
    except (ValueError, TypeError, KeyError):
        return datetime.fromisoformat("1970-01-01T00:00:00+00:00")
    return found
