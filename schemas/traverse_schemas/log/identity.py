"""Identities and the place of a record on the log: keys, partitions, ids, versions.

Python's own hash is salted per process, so everything here uses CRC-32 or BLAKE2.
"""

import json
from base64 import b32encode
from datetime import UTC, datetime
from hashlib import blake2b
from typing import NamedTuple
from zlib import crc32


class Version(NamedTuple):
    """The order of the versions of one record: `sequence` (absent = 0), then `time`, then `id`.

    `time` is UTC in ISO 8601 with microseconds, so that text order is time order.
    """

    sequence: int
    time: str
    id: str


def utc_text(instant: datetime) -> str:
    """An aware instant as fixed-width UTC text: `2026-03-12T11:00:00.000000Z`."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def record_key(source: str, subject: str) -> str:
    """The key of a record's messages: source and subject, apart by the space no source holds."""
    return f"{source} {subject}"


def event_key(source: str, subject: str, event_id: str) -> str:
    """The key on `traverse.accepted`: it keeps every event of a record through compaction."""
    return json.dumps([source, subject, event_id], ensure_ascii=False, separators=(",", ":"))


def partition_of(key: str, partitions: int) -> int:
    """The partition of a record: CRC-32 of the key, the usual partitioner of librdkafka.

    Every topic keyed by record has the same number of partitions, so a record keeps its
    partition all along the journey and one worker sees all its events in order.
    """
    return crc32(key.encode()) % partitions


def opportunity_id(source: str, subject: str) -> str:
    """The id of the opportunity that begins with this record: 16 letters and digits, for ever."""
    return opportunity_of(record_key(source, subject))


def opportunity_of(key: str) -> str:
    """The id of the opportunity that begins with the record that has this key."""
    return b32encode(blake2b(key.encode(), digest_size=10).digest()).decode().lower()


def content_hash(canonical: bytes) -> bytes:
    """8 bytes that tell whether two events with one id have the same content."""
    return blake2b(canonical, digest_size=8).digest()
