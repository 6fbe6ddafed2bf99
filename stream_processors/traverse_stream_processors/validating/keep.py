"""Keep: what an accepted event leaves on the log, and what the cache reads back of it. Pure."""

from collections.abc import Sequence

import orjson

from traverse_schemas.events import CONTENT_TYPE
from traverse_schemas.log.identity import event_key, record_key
from traverse_schemas.log.record_state import RecordState
from traverse_schemas.log.topics import ACCEPTED, EVENTS
from traverse_schemas.signing.signatures import RECEIVED_HEADER, SIGNATURE_HEADER, VOUCHED_HEADER
from traverse_stream_processors.log import Message
from traverse_stream_processors.validating.check import Inbound, event_id_of
from traverse_stream_processors.validating.disclose import disclose
from traverse_stream_processors.validating.purge import record_number
from traverse_stream_processors.validating.state import Known
from traverse_stream_processors.validating.validate import Accepted

_CONTENT_TYPE = (("content-type", CONTENT_TYPE.encode()),)
_PUBLIC = "traverse-public"


def keep(
    message: Inbound, accepted: Accepted, before: RecordState | None, after: RecordState
) -> tuple[Message, Message | None]:
    """The event of a record for `traverse.accepted`, and what the public topics may have of it."""
    octets = disclose(accepted, before, after)
    kept = kept_alone(message, accepted, public=octets is not None)
    if octets is None:
        return kept, None
    topic = EVENTS[accepted.type.kind]
    # A notice is the platform's own word: nobody signed it.
    own = _provenance(message, accepted) if octets is accepted.octets else _CONTENT_TYPE
    return kept, Message(topic, message.partition, kept.key, octets, own)


def kept_alone(message: Inbound, accepted: Accepted, *, public: bool = False) -> Message:
    """The event for `traverse.accepted`; `public`: the public topics have something of it."""
    event = accepted.event
    key = event_key(event.source, event.subject, event.id).encode()
    headers = (
        *_provenance(message, accepted),
        ("traverse-hash", accepted.hash),
        (_PUBLIC, b"1" if public else b"0"),
    )
    return Message(ACCEPTED, message.partition, key, accepted.octets, headers)


def _provenance(message: Inbound, accepted: Accepted) -> tuple[tuple[str, bytes], ...]:
    """What lets whoever reads the octets verify who said them, and when they came."""
    headers: tuple[tuple[str, bytes], ...] = (
        *_CONTENT_TYPE,
        (RECEIVED_HEADER, message.received.isoformat().encode()),
    )
    if accepted.signature is not None:
        headers = (*headers, (SIGNATURE_HEADER, accepted.signature))
    if accepted.vouched_by is not None:
        headers = (*headers, (VOUCHED_HEADER, accepted.vouched_by.encode()))
    return headers


def known_from_log(
    partition: int, key: bytes, headers: Sequence[tuple[str, bytes]]
) -> Known | None:
    """What the cache knows of a message of `traverse.accepted`, to restore it."""
    source, subject, event_id = orjson.loads(key)
    found = dict(headers)
    if "traverse-hash" not in found:
        return None
    return Known(
        id=event_id_of(source, event_id),
        partition=partition,
        hash=found["traverse-hash"],
        record=record_number(record_key(source, subject)),
        event=event_id,
        public=found.get(_PUBLIC) != b"0",
    )


def forgotten_from_log(key: bytes) -> bytes:
    """The id of an event whose tombstone is on `traverse.accepted`."""
    source, _, event_id = orjson.loads(key)
    return event_id_of(source, event_id)
