"""Admit: from a batch of inbound messages to what must be written where. Pure.

For each message, in order: validate, compare with the events already accepted, enrich, fold into
its record's state. The state and the known ids are looked up before and saved after, by `work.py`.
"""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

import orjson

from traverse_schemas.document import Content
from traverse_schemas.errors import Reason, RejectedError
from traverse_schemas.events import CONTENT_TYPE
from traverse_schemas.identity import event_key, partition_of, record_key
from traverse_schemas.receipts import (
    EVENT_HEADER,
    SIREN_HEADER,
    TRACE_HEADER,
    End,
    Traced,
    receipt_key,
)
from traverse_schemas.record_state import RecordState
from traverse_schemas.signatures import RECEIVED_HEADER, SIGNATURE_HEADER, VOUCHED_HEADER
from traverse_schemas.topics import ACCEPTED, EVENTS, INBOUND, RECORDS, REJECTED
from traverse_stream_processors.check import (
    Checked,
    Inbound,
    event_id_of,
    header_of,
    internal,
    own_failure,
)
from traverse_stream_processors.decide import decided
from traverse_stream_processors.disclose import disclose
from traverse_stream_processors.fold import fold, is_erasure, refuses
from traverse_stream_processors.log import Message
from traverse_stream_processors.purge import purge, record_number
from traverse_stream_processors.receipts import Arrival, ended, traced_of
from traverse_stream_processors.state import Known, StateBrokenError
from traverse_stream_processors.validate import Accepted

_CONTENT_TYPE = (("content-type", CONTENT_TYPE.encode()),)
_REKEYED = "traverse-rekeyed"
_PUBLIC = "traverse-public"
_SHOWN = 2000  # characters of a pointer or sentence: both may repeat a key of half a mebibyte
_MOST_HEADERS = 16 * 1024


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
    `RecordState` by record key; `enrich` gives the content of an accepted event. `events` has the
    accepted events of the records that the batch erases (`erased_records`): id, whether public.
    """
    deciding = _Deciding(known, states, enrich, partitions, events)
    for one in checked:
        deciding.take(one)
    return deciding.concluded()


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
        self._came: dict[str, list[Arrival]] = {}
        self._failures = 0

    def take(self, one: Checked) -> None:
        """Decide one message."""
        message, accepted, error, event_id, siren = one
        effects = self._result.effects
        if accepted is None:
            effects.append(_rejection(message, None, error, siren))
            return
        key = accepted.key
        partition = partition_of(key, self._partitions)
        if partition != message.partition:
            effects.append(_rekeyed(message, key, partition))
            return
        seen = self._ids.get(event_id)
        if seen is not None and seen != accepted.hash:
            effects.append(_rejection(message, accepted, _id_reused(accepted), siren))
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
            effects.append(_rejection(message, accepted, internal(failure), siren))
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
        public = _tell(self._result, message, accepted, before, after)
        number = record_number(key)
        self._result.known.append(
            Known(event_id, partition, accepted.hash, number, accepted.event.id, public)
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
        number = record_number(accepted.key)
        result.known.append(
            Known(event_id, partition, accepted.hash, number, accepted.event.id, public=False)
        )
        _keep(result, message, accepted, public=False)
        result.effects.append(decided(accepted, partition))
        result.effects.append(ended(arrival, partition, End.SEARCHABLE))

    def _purge(self, accepted: Accepted, after: RecordState, partition: int) -> None:
        """Erase what is known of the record, this batch's events too."""
        result, key = self._result, accepted.key
        number = record_number(key)
        batch = [(one.event, one.public) for one in result.known if one.record == number]
        known = dict([*self._events.get(number, ()), *batch])
        purged = purge(after, partition, known.items())
        result.effects.extend(purged.effects)
        result.accepted.extend(purged.accepted)
        for gone in purged.gone:
            event_id = event_id_of(accepted.event.source, gone)
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
            partition = partition_of(key, self._partitions)
            result.effects.extend(ended(each, partition, End.SUPERSEDED) for each in passed)
        for key in self._current:
            if key not in self._changed:
                continue
            partition = partition_of(key, self._partitions)
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
    return sorted({record_number(one.key) for one in accepted if one and is_erasure(one)})


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


def _tell(
    result: Admitted,
    message: Inbound,
    accepted: Accepted,
    before: RecordState | None,
    after: RecordState,
) -> bool:
    """The event on `traverse.accepted`, and what the public topics may have of it; whether they
    have anything."""
    octets = disclose(accepted, before, after)
    key = _keep(result, message, accepted, public=octets is not None)
    if octets is not None:
        topic = EVENTS[accepted.type.kind]
        # A notice is the platform's own word: nobody signed it.
        own = _provenance(message, accepted) if octets is accepted.octets else _CONTENT_TYPE
        result.effects.append(Message(topic, message.partition, key, octets, own))
    return octets is not None


def _keep(result: Admitted, message: Inbound, accepted: Accepted, *, public: bool) -> bytes:
    """The event on `traverse.accepted`; gives its key there."""
    event = accepted.event
    key = event_key(event.source, event.subject, event.id).encode()
    headers = _provenance(message, accepted)
    kept = (
        *headers,
        ("traverse-hash", accepted.hash),
        (_PUBLIC, b"1" if public else b"0"),
    )
    result.accepted.append(Message(ACCEPTED, message.partition, key, accepted.octets, kept))
    return key


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


def _state(octets: bytes | None) -> RecordState | None:
    try:
        return None if octets is None else orjson.loads(octets)
    except orjson.JSONDecodeError as error:
        # SQLite does not notice every hole in a file.
        raise StateBrokenError(str(error)) from error


def _rekeyed(message: Inbound, key: str, partition: int) -> Message:
    """The same octets, on the partition of the record: another client's partitioner put them
    elsewhere, and the order of a record's events holds only within one partition."""
    # Headers count in the broker's limit, which the first message may have reached: with a key and
    # a header more, a copy of it would be refused.
    kept = message.headers
    if sum(len(name) + len(value or b"") for name, value in kept) > _MOST_HEADERS:
        signature = header_of(message, SIGNATURE_HEADER)
        kept = ((SIGNATURE_HEADER, signature),) if signature and len(signature) <= _SHOWN else ()
    return Message(
        INBOUND,
        partition,
        key.encode(),
        message.value,
        (*kept, (_REKEYED, b"%d@%d" % (message.partition, message.offset))),
    )


def _rejection(
    message: Inbound, accepted: Accepted | None, error: RejectedError | None, siren: str | None
) -> Message:
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


def _id_reused(accepted: Accepted) -> RejectedError:
    return RejectedError(
        Reason.ID_REUSED,
        "/id",
        f"L'identifiant {accepted.event.id} a déjà servi pour un autre contenu de la même "
        "source : donnez un identifiant neuf à chaque événement.",
    )
