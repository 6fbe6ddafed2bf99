"""Replay: accepted events taken into account again, without judging them again. Pure.

The state of a record is a join of its events (`fold`), so that reading them again in any order, or
twice, comes to what it was.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

import orjson

from traverse_schemas.documents.document import Content
from traverse_schemas.log.record_state import RecordState
from traverse_stream_processors.enriching.fold import fold
from traverse_stream_processors.log import Message
from traverse_stream_processors.validating.decide import decided
from traverse_stream_processors.validating.validate import Accepted


class Replayed(NamedTuple):
    """What a batch comes to: states that changed as (key, partition, JSON of `RecordState`), and
    people's words."""

    states: list[tuple[str, int, bytes]]
    decisions: list[Message]


def replay(
    batch: Iterable[tuple[int, Accepted]],
    states: Mapping[str, bytes],
    enrich: Callable[[Accepted], Content | None],
) -> Replayed:
    """Fold a batch of (partition, event) into what is known of their records by key."""
    current: dict[str, RecordState] = {}
    partitions: dict[str, int] = {}
    decisions: list[Message] = []
    for partition, accepted in batch:
        if accepted.type.is_decision:
            decisions.append(decided(accepted, partition))
            continue
        key = accepted.key
        before = current.get(key)
        if before is None and key in states:
            before = orjson.loads(states[key])
        current[key] = fold(before, accepted, enrich(accepted))
        partitions[key] = partition
    kept = [(key, partitions[key], orjson.dumps(state)) for key, state in current.items()]
    return Replayed(kept, decisions)
