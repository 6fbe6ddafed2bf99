"""Purge: what an erasure takes from the log. Pure (decision 5).

The erasure itself stays on `traverse.accepted`, without content, and refuses for good what was said
before it. Every other event of the record gets a tombstone under its own key, there and on the
public topics; compaction then takes the content from the disks within `max.compaction.lag.ms`.
"""

from collections.abc import Iterable
from hashlib import blake2b
from typing import NamedTuple

from traverse_schemas.log.identity import Version, event_key
from traverse_schemas.log.receipts import End
from traverse_schemas.log.record_state import RecordState
from traverse_schemas.log.topics import ACCEPTED, EVENTS
from traverse_stream_processors.log import Message
from traverse_stream_processors.receipts import Arrival, ended


class Purge(NamedTuple):
    """What to write: `effects` (public topics, receipts) before `accepted`; the ids of the events
    that are gone."""

    effects: list[Message]
    accepted: list[Message]
    gone: list[str]


def record_number(key: str) -> int:
    """64 bits (signed, as SQLite has them) by which the events of a record are found again."""
    return int.from_bytes(blake2b(key.encode(), digest_size=8).digest(), "big", signed=True)


def purge(after: RecordState, partition: int, known: Iterable[tuple[str, bool]]) -> Purge:
    """Erase the known events of a record: (id, whether the public topics have it).

    What its state still shows stays: the erasure itself, and what was said after it.
    """
    parts = (after["content"], after["life"])
    kept = {part["version"][2] for part in parts if part}
    if after["withdrawn"] is not None:
        kept.add(after["withdrawn"][2])
    source, subject = after["source"], after["subject"]
    found = Purge([], [], [])
    for event_id, public in known:
        if event_id in kept:
            continue
        key = event_key(source, subject, event_id).encode()
        if public:
            # On each: a source may have changed its mind about what kind of thing it is.
            found.effects.extend(Message(topic, partition, key, None) for topic in EVENTS.values())
        arrival = Arrival(source, Version(0, "", event_id), None, None)
        found.effects.append(ended(arrival, partition, End.PURGED))
        found.accepted.append(Message(ACCEPTED, partition, key, None))
        found.gone.append(event_id)
    return found
