"""Refuse: the events of documents that the index does not take, for who sent them. Pure.

The publisher is told of its own event, octets as it sent them, and may mend and replay it. What no
event of the batch explains (a document written again when a process takes over) is told to the
operator as the document that it is.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import NamedTuple

import orjson

from traverse_schemas.errors import Reason, RejectedError
from traverse_schemas.log.receipts import read_trace
from traverse_schemas.log.topics import INBOUND
from traverse_schemas.signing.signatures import SIGNATURE_HEADER
from traverse_schemas.signing.sources import parse_source
from traverse_stream_processors.log import Message, Stored
from traverse_stream_processors.receipts import Brought, Fate
from traverse_stream_processors.validating.reject import rejection_message


class RefusedEvent(NamedTuple):
    """An event whose record is in a document (`opportunity`) that was refused: under which key it
    came and where it lies on `traverse.inbound`, its source, when it was received (milliseconds),
    and why."""

    key: bytes
    place: tuple[int, int]
    source: str
    received: int
    opportunity: str
    why: str


def refused_events(batch: Iterable[Brought], fates: Mapping[bytes, Fate]) -> list[RefusedEvent]:
    """The events that a batch of `traverse.records` brings into refused documents.

    One whose place an earlier message told is not among them.
    """
    found = []
    for changed in batch:
        fate = fates.get(changed.key)
        if fate is None or fate.refused is None or fate.opportunity is None or not changed.value:
            continue
        source = orjson.loads(changed.value)["source"]
        for event in read_trace(changed.trace):
            if event.origin is not None and event.received is not None:
                partition, _, offset = event.origin.partition("@")
                place = int(partition), int(offset)
                found.append(
                    RefusedEvent(
                        changed.key, place, source, event.received, fate.opportunity, fate.refused
                    )
                )
    return found


def refusal(event: RefusedEvent, original: Stored, *, verified: bool) -> Message:
    """The rejection of the event, as it came; `verified`: its signature was, so that it is laid to
    its institution."""
    return rejection_message(
        partition=event.place[0],
        key=event.key,
        octets=original.value or b"",
        error=RejectedError(Reason.DOCUMENT_REFUSED, "", event.why),
        origin=f"{INBOUND}/{event.place[0]}@{event.place[1]}",
        received=datetime.fromtimestamp(event.received / 1000, UTC).isoformat(),
        siren=parse_source(event.source).siren if verified else None,
        signature=dict(original.headers).get(SIGNATURE_HEADER),
    )
