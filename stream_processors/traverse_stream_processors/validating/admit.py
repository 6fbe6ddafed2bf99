"""Admit: from a batch of inbound messages to what must be written where. Pure.

For each message, in order: compare with the events already accepted, enrich, fold into its
record's state. The state and the known ids are looked up before and saved after, by
`work_validate.py`. What an institution tries out is decided beside the rest, and stays there
(`sandbox`).
"""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

import orjson

from traverse_schemas.documents.document import Content
from traverse_schemas.errors import Reason, RejectedError
from traverse_schemas.log.identity import partition_of
from traverse_schemas.log.receipts import TRACE_HEADER, End, Traced
from traverse_schemas.log.record_state import RecordState
from traverse_schemas.log.topics import RECORDS
from traverse_stream_processors.enriching.fold import fold, is_erasure, refuses
from traverse_stream_processors.log import Message
from traverse_stream_processors.receipts import Arrival, ended, traced_of
from traverse_stream_processors.validating.check import (
    Checked,
    Inbound,
    internal,
    known_as,
    own_failure,
)
from traverse_stream_processors.validating.decide import decided
from traverse_stream_processors.validating.keep import keep, kept_alone
from traverse_stream_processors.validating.purge import purge, record_number
from traverse_stream_processors.validating.reject import rejection
from traverse_stream_processors.validating.rekey import rekeyed
from traverse_stream_processors.validating.sandbox import only_told, remembered
from traverse_stream_processors.validating.state import Known, StateBrokenError
from traverse_stream_processors.validating.validate import Accepted


class Admitted(NamedTuple):
    """What a batch comes to.

    `effects` (records, public events, rejections, receipts, re-keyed messages) are written before
    `accepted`: an event counts as known only once all that follows from it is on the log.
    `states`, `known` and `forgotten` are for the local cache: (key, partition, JSON), accepted
    events, the ids of those that were erased.
    """

    effects: list[Message]
    accepted: list[Message]
    states: list[tuple[str, int, bytes]]
    known: list[Known]
    forgotten: list[bytes]


def admit(  # noqa: PLR0917 -- what is known, in the order in which it is looked up
    checked: Sequence[Checked],
    known: Mapping[bytes, bytes],
    states: Mapping[str, bytes],
    enrich: Callable[[Accepted], Content | None],
    partitions: int,
    events: Mapping[int, Sequence[tuple[str, bool]]] = MappingProxyType({}),
) -> Admitted:
    """Decide the whole batch against what is known (see `Admitted`).

    `known` has the content hashes of already accepted events by event id, `states` the JSON of
    `RecordState` by `Accepted.place`; `enrich` gives the content of an accepted event. `events`
    has the accepted events of the records that the batch erases (`erased_records`): id, whether
    public.
    """
    deciding, trying = (_Deciding(known, states, enrich, partitions, events) for _ in range(2))
    for one in checked:
        (trying if one.accepted and one.accepted.sandbox else deciding).take(one)
    real, tried = deciding.concluded(), trying.concluded()
    return Admitted(
        effects=[*real.effects, *only_told(tried.effects)],
        accepted=real.accepted,
        states=[
            *real.states,
            *((place, partition, remembered(state)) for place, partition, state in tried.states),
        ],
        known=[*real.known, *tried.known],
        forgotten=[*real.forgotten, *tried.forgotten],
    )


class _Deciding:
    """One batch while it is decided, message by message. Arguments as those of `admit`."""

    def __init__(
        self,
        known: Mapping[bytes, bytes],
        states: Mapping[str, bytes],
        enrich: Callable[[Accepted], Content | None],
        partitions: int,
        events: Mapping[int, Sequence[tuple[str, bool]]],
    ) -> None:
        self._states = states
        self._enrich = enrich
        self._partitions = partitions
        self._events = events
        self._result = Admitted([], [], [], [], [])
        self._ids = dict(known)
        self._began: dict[str, RecordState | None] = {}
        self._current: dict[str, RecordState | None] = {}
        self._changed: set[str] = set()
        self._partition: dict[str, int] = {}
        self._came: dict[str, list[Arrival]] = {}
        self._failures = 0

    def take(self, one: Checked) -> None:
        """Decide one message."""
        message, accepted, error, event_id, siren = one
        effects = self._result.effects
        if accepted is None:
            effects.append(rejection(message, None, error, siren))
            return
        partition = partition_of(accepted.key, self._partitions)
        if partition != message.partition:
            effects.append(rekeyed(message, accepted.key, partition))
            return
        key = accepted.place
        self._partition[key] = partition
        seen = self._ids.get(event_id)
        if seen is not None and seen != accepted.hash:
            effects.append(rejection(message, accepted, _id_reused(accepted), siren))
            return
        if accepted.type.is_decision:
            self._decide(message, accepted, event_id, new=seen is None)
            return
        if key not in self._current:
            self._current[key] = self._began[key] = _state(self._states.get(key))
        before = self._current[key]
        arrival = _arrival(message, accepted)
        if refuses(before, accepted) and not _begun(before, accepted):
            effects.append(ended(arrival, partition, End.PURGED))
            return
        try:
            after = fold(before, accepted, self._enrich(accepted))
        except Exception as failure:
            self._failures = own_failure(message, failure, self._failures)
            effects.append(rejection(message, accepted, internal(failure), siren))
            return
        if after != before:
            self._current[key] = after
            self._changed.add(key)
        if seen is not None:
            effects.append(ended(arrival, partition, End.DUPLICATE))
            return
        if is_erasure(accepted):
            self._purge(accepted, after, partition)
        self._ids[event_id] = accepted.hash
        kept, public = keep(message, accepted, before, after)
        self._result.accepted.append(kept)
        if public is not None:
            effects.append(public)
        self._result.known.append(
            Known(
                event_id,
                partition,
                accepted.hash,
                record_number(key),
                accepted.event.id,
                public is not None,
            )
        )
        self._came.setdefault(key, []).append(arrival)

    def _decide(self, message: Inbound, accepted: Accepted, event_id: bytes, *, new: bool) -> None:
        """People's word on records: kept, and handed to linking."""
        result, partition = self._result, message.partition
        arrival = _arrival(message, accepted)
        if not new:
            result.effects.append(ended(arrival, partition, End.DUPLICATE))
            return
        self._ids[event_id] = accepted.hash
        number = record_number(accepted.place)
        result.known.append(
            Known(event_id, partition, accepted.hash, number, accepted.event.id, public=False)
        )
        result.accepted.append(kept_alone(message, accepted))
        traced = Traced(accepted.event.id, arrival.received, arrival.origin)
        result.effects.append(decided(accepted, partition)._replace(headers=_trace([traced])))

    def _purge(self, accepted: Accepted, after: RecordState, partition: int) -> None:
        """Erase what is known of the record, this batch's events too."""
        result, key = self._result, accepted.place
        number = record_number(key)
        batch = [(one.event, one.public) for one in result.known if one.record == number]
        known = dict([*self._events.get(number, ()), *batch])
        purged = purge(after, partition, known.items())
        result.effects.extend(purged.effects)
        result.accepted.extend(purged.accepted)
        for gone in purged.gone:
            event_id = known_as(accepted, gone)
            result.forgotten.append(event_id)
            self._ids.pop(event_id, None)
        came = self._came.get(key, ())
        self._came[key] = [one for one in came if one.version.id not in purged.gone]

    def concluded(self) -> Admitted:
        """The batch decided: the states that changed, with the events that they show."""
        result = self._result
        traces = {}
        for key, arrivals in self._came.items():
            shown, passed = traced_of(self._began[key], self._current[key], arrivals)
            traces[key] = shown
            partition = self._partition[key]
            result.effects.extend(ended(each, partition, End.SUPERSEDED) for each in passed)
        for key in self._current:
            if key not in self._changed:
                continue
            partition = self._partition[key]
            octets = orjson.dumps(self._current[key])
            result.states.append((key, partition, octets))
            headers = _trace(traces.get(key))
            result.effects.append(Message(RECORDS, partition, key.encode(), octets, headers))
        return result


def _trace(traced: Sequence[Traced] | None) -> tuple[tuple[str, bytes], ...]:
    return ((TRACE_HEADER, orjson.dumps([[*each] for each in traced])),) if traced else ()


def erased_records(checked: Sequence[Checked]) -> list[int]:
    """The records that a batch erases (`Known.record`)."""
    accepted = (one.accepted for one in checked)
    return sorted({record_number(one.place) for one in accepted if one and is_erasure(one)})


def _begun(state: RecordState | None, accepted: Accepted) -> bool:
    """Whether this very erasure made the state, and was killed before it was known."""
    return (
        state is not None
        and is_erasure(accepted)
        and (state.get("purged") == accepted.version.time)
    )


def _arrival(message: Inbound, accepted: Accepted) -> Arrival:
    return Arrival(
        source=accepted.event.source,
        version=accepted.version,
        received=int(message.received.timestamp() * 1000),
        origin=f"{message.partition}@{message.offset}",
    )


def _state(octets: bytes | None) -> RecordState | None:
    try:
        return None if octets is None else orjson.loads(octets)
    except orjson.JSONDecodeError as error:
        # SQLite does not notice every hole in a file.
        raise StateBrokenError(str(error)) from error


def _id_reused(accepted: Accepted) -> RejectedError:
    return RejectedError(
        Reason.ID_REUSED,
        "/id",
        f"L'identifiant {accepted.event.id} a déjà servi pour un autre contenu de la même "
        "source : donnez un identifiant neuf à chaque événement.",
    )
