"""Rekey: a message that another client's partitioner misplaced goes round once more. Pure."""

from traverse_schemas.log.topics import INBOUND
from traverse_schemas.signing.signatures import SIGNATURE_HEADER
from traverse_stream_processors.log import Message
from traverse_stream_processors.validating.check import Inbound, header_of

_REKEYED = "traverse-rekeyed"
_MOST_HEADERS = 16 * 1024
_LONGEST_SIGNATURE = 2000


def rekeyed(message: Inbound, key: str, partition: int) -> Message:
    """The same octets, on the partition of the record: another client's partitioner put them
    elsewhere, and the order of a record's events holds only within one partition."""
    # Headers count in the broker's limit, which the first message may have reached: with a key and
    # a header more, a copy of it would be refused.
    kept = message.headers
    if sum(len(name) + len(value or b"") for name, value in kept) > _MOST_HEADERS:
        signature = header_of(message, SIGNATURE_HEADER)
        short = signature is not None and len(signature) <= _LONGEST_SIGNATURE
        kept = ((SIGNATURE_HEADER, signature),) if signature and short else ()
    return Message(
        INBOUND,
        partition,
        key.encode(),
        message.value,
        (*kept, (_REKEYED, b"%d@%d" % (message.partition, message.offset))),
    )
