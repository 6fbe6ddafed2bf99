"""Events of our own writing for the tests of the journey."""

from datetime import UTC, datetime
from typing import Any

import orjson

from traverse_stream_processors.validating.check import Inbound

CCI = "urn:siren:181300013"
RECEIVED = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)


def call_data(**changes: Any) -> dict[str, Any]:
    """A call for tender as a small town would publish it."""
    data: dict[str, Any] = {
        "title": "Réfection de la voirie communale",
        "description": "Reprise des enrobés et des trottoirs de l'avenue de la Gare.",
        "subtype": "contract",
        "nature": "works",
        "url": "https://exemple.fr/appels/voirie",
        "owner": {"id": "211300405", "name": "Commune de Fuveau"},
        "place": ["com:13040"],
        "cpv": ["45233140"],
        "amounts": [{"value": 120000, "kind": "estimate", "tax": "excluded"}],
        "deadlines": [{"at": "2026-12-18T12:00"}],
    }
    return {key: value for key, value in {**data, **changes}.items() if value is not None}


def event(action: str = "published", kind: str = "call", **changes: Any) -> dict[str, Any]:
    """A structured CloudEvent; `changes` replace attributes, None removes one."""
    data = {"published": call_data(), "updated": call_data(), "withdrawn": {"reason": "error"}}
    whole: dict[str, Any] = {
        "specversion": "1.0",
        "id": "e-1",
        "source": CCI,
        "type": f"fr.traverse.{kind}.{action}.v1",
        "subject": "VOIRIE-2026",
        "time": "2026-11-20T10:00:00+01:00",
        "datacontenttype": "application/json",
        "data": data.get(action, {"outcome": "awarded"}),
    }
    return {key: value for key, value in {**whole, **changes}.items() if value is not None}


def octets(whole: dict[str, Any]) -> bytes:
    """An event as it travels."""
    return orjson.dumps(whole)


def inbound(
    value: bytes | dict[str, Any], offset: int = 0, partition: int | None = None
) -> Inbound:
    """A message of `traverse.inbound`, on the partition of its record unless told otherwise."""
    from traverse_schemas.log.identity import partition_of, record_key
    from traverse_schemas.log.topics import PARTITIONS

    if partition is None:
        partition = 0
        if isinstance(value, dict) and {"source", "subject"} <= value.keys():
            key = record_key(value["source"], value["subject"])
            partition = partition_of(key, PARTITIONS)
    raw = octets(value) if isinstance(value, dict) else value
    return Inbound(partition=partition, offset=offset, received=RECEIVED, value=raw)
