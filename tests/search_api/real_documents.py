"""The real records beside the project as documents of the index, without Kafka.

The same pure steps as in the stream: importers, validate, enrich, fold, form. About 16,000
documents in some ten seconds.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from traverse_producers.importers.contract import ImportContext, Imported
from traverse_producers.importers.registry import IMPORTERS
from traverse_schemas.log.record_state import RecordState
from traverse_schemas.reference.institutions import Institutions
from traverse_schemas.reference.territories import Territories
from traverse_stream_processors.enriching.enrich import enrich
from traverse_stream_processors.enriching.fold import fold
from traverse_stream_processors.linking.link import form
from traverse_stream_processors.validating.validate import validate

# Feed, source and files: those that the benchmarks and the demonstration read.
_FEEDS = (
    ("decp", "urn:siren:130025265:decp-mpi", "decp/marches-publics.info.json"),
    ("decp", "urn:siren:130025265:decp-pes", "decp/data.gouv.fr_pes.json"),
    ("fonds-vert", "urn:siren:130025265:fonds-vert", "fonds-vert/*.csv"),
    ("ted", "urn:siren:130025265:ted", "ted/*.xml"),
)
_RECEIVED = datetime(2026, 1, 1, tzinfo=UTC)


def real_documents(data: Path) -> Iterator[dict[str, Any]]:
    """The documents of all public records of the folder, in the order of the files."""
    territories = Territories.load()
    institutions = Institutions.load(None, territories)
    states: dict[str, RecordState] = {}
    for event in _events(data):
        accepted = validate(orjson.dumps(event), _RECEIVED, territories)
        content = enrich(accepted, territories=territories, institutions=institutions)
        states[accepted.key] = fold(states.get(accepted.key), accepted, content)
    for state in states.values():
        message = form(state)
        if message is not None and message["index"] == "public":
            yield dict(message["document"])


def _events(data: Path) -> Iterator[dict[str, Any]]:
    for feed, source, pattern in _FEEDS:
        for path in sorted(data.glob(pattern)):
            with path.open("rb") as stream:
                for result in IMPORTERS[feed](stream, path.name, ImportContext(source)):
                    if isinstance(result, Imported):
                        yield result.event
