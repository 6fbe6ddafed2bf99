"""Reject: the message of `traverse.rejected`: the octets as they came, and why. Pure."""

import orjson

from traverse_schemas.errors import RejectedError
from traverse_schemas.log.receipts import EVENT_HEADER, SIREN_HEADER, receipt_key
from traverse_schemas.log.topics import INBOUND, REJECTED
from traverse_schemas.signing.signatures import SIGNATURE_HEADER
from traverse_stream_processors.log import Message
from traverse_stream_processors.validating.check import Inbound, header_of
from traverse_stream_processors.validating.validate import Accepted

_SHOWN = 2000  # characters of a pointer or sentence: both may repeat a key of half a mebibyte


def rejection(
    message: Inbound, accepted: Accepted | None, error: RejectedError | None, siren: str | None
) -> Message:
    """The rejection of an inbound message; `accepted` where others made it be refused."""
    if error is None:
        raise AssertionError("a message is either accepted or rejected")
    return rejection_message(
        partition=message.partition,
        key=accepted.key.encode() if accepted else b"",
        octets=message.value,
        error=error,
        origin=f"{INBOUND}/{message.partition}@{message.offset}",
        received=message.received.isoformat(),
        siren=siren,
        signature=header_of(message, SIGNATURE_HEADER),
    )


def rejection_message(
    *,
    partition: int,
    key: bytes,
    octets: bytes,
    error: RejectedError,
    origin: str,
    received: str,
    siren: str | None = None,
    signature: bytes | None = None,
) -> Message:
    """A message of `traverse.rejected`: the original octets, and in the headers why.

    `origin` (topic/partition@offset) tells one rejection from its repetition after a restart.
    `siren` is who surely sent it, `signature` what came with it: the same octets replayed need it.
    """
    headers: tuple[tuple[str, bytes], ...] = (
        ("reason", error.reason.encode()),
        ("pointer", error.pointer[:_SHOWN].encode()),
        ("sentence", error.sentence[:_SHOWN].encode()),
        ("origin", origin.encode()),
        ("received", received.encode()),
    )
    event = _who(octets)
    if event is not None:
        headers = (*headers, (EVENT_HEADER, event))
    if siren is not None:
        headers = (*headers, (SIREN_HEADER, siren.encode()))
    if signature and len(signature) <= _SHOWN:
        headers = (*headers, (SIGNATURE_HEADER, signature))
    return Message(REJECTED, partition, key, octets, headers)


def _who(octets: bytes) -> bytes | None:
    """Source and id of what claims to be an event, as in a receipt's key; None where there are
    none, or none that an event of ours could have."""
    try:
        event = orjson.loads(octets)
        source, event_id = event["source"], event["id"]
    except (ValueError, TypeError, KeyError):
        return None
    if not (isinstance(source, str) and isinstance(event_id, str)):
        return None
    return receipt_key(source, event_id) if len(source) <= 100 and len(event_id) <= 255 else None
