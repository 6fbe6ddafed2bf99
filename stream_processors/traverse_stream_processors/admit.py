"""Admit: from a batch of inbound messages to what must be written where. Pure.

For each message, in order: validate, compare with the events already accepted, enrich, fold into
its record's state. The state and the known ids are looked up before and saved after, by `work.py`.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from hashlib import blake2b
from typing import NamedTuple

import orjson

from traverse_schemas.document import Content
from traverse_schemas.errors import Reason, RejectedError
from traverse_schemas.events import CONTENT_TYPE
from traverse_schemas.identity import event_key, partition_of
from traverse_schemas.receipts import EVENT_HEADER, TRACE_HEADER, End, receipt_key, trace_header
from traverse_schemas.record_state import RecordState
from traverse_schemas.reference.territories import Territories
from traverse_schemas.topics import ACCEPTED, EVENTS, INBOUND, RECORDS, REJECTED
from traverse_stream_processors.disclose import disclose
from traverse_stream_processors.errors import BadDeployError
from traverse_stream_processors.fold import fold
from traverse_stream_processors.log import Message
from traverse_stream_processors.receipts import Arrival, ended, traced_of
from traverse_stream_processors.telemetry import logger
from traverse_stream_processors.validate import Accepted, validate

_CONTENT_TYPE = (("content-type", CONTENT_TYPE.encode()),)
_REKEYED = "traverse-rekeyed"
# A bad deploy breaks on ordinary events: more failures of our own than this stop the process
# instead of filling the rejected topic with what is not the publishers' fault.
_MOST_INTERNAL_FAILURES = 5
_SHOWN = 2000  # characters of a pointer or sentence: both may repeat a key of half a mebibyte
_MOST_HEADERS = 16 * 1024


class Inbound(NamedTuple):
    """A message of `traverse.inbound`; `received` is the broker's timestamp."""

    partition: int
    offset: int
    received: datetime
    value: bytes
    headers: tuple[tuple[str, bytes], ...] = ()


class Checked(NamedTuple):
    """A message with what validate said of it."""

    message: Inbound
    accepted: Accepted | None
    error: RejectedError | None
    event_id: bytes


class Admitted(NamedTuple):
    """What a batch comes to.

    `effects` (records, public events, rejections, receipts, re-keyed messages) are written before
    `accepted`: an event counts as known only once all that follows from it is on the log.
    `states` and `known` are for the local cache: (key, partition, JSON), (id, partition, hash).
    """

    effects: list[Message]
    accepted: list[Message]
    states: list[tuple[str, int, bytes]]
    known: list[tuple[bytes, int, bytes]]


def check(messages: Sequence[Inbound], territories: Territories) -> list[Checked]:
    """Validate each message alone."""
    checked: list[Checked] = []
    failures = 0
    for message in messages:
        try:
            accepted = validate(message.value, message.received, territories)
        except RejectedError as error:
            checked.append(Checked(message, None, error, b""))
        except Exception as error:
            failures = _own_failure(message, error, failures)
            checked.append(Checked(message, None, _internal(error), b""))
        else:
            event = accepted.event
            checked.append(
                Checked(message, accepted, None, _event_id(event.source, event.id)),
            )
    return checked


def admit(
    checked: Sequence[Checked],
    known: Mapping[bytes, bytes],
    states: Mapping[str, bytes],
    enrich: Callable[[Accepted], Content | None],
    partitions: int,
) -> Admitted:
    """Decide the whole batch against what is known (see `Admitted`).

    `known` has the content hashes of already accepted events by event id, `states` the JSON of
    `RecordState` by record key; `enrich` gives the content of an accepted event.
    """
    result = Admitted([], [], [], [])
    ids = dict(known)
    current: dict[str, RecordState | None] = {}
    changed: dict[str, int] = {}
    came: dict[str, list[Arrival]] = {}
    began: dict[str, RecordState | None] = {}
    failures = 0
    for message, accepted, error, event_id in checked:
        if accepted is None:
            result.effects.append(_rejection(message, None, error))
            continue
        key = accepted.key
        partition = partition_of(key, partitions)
        if partition != message.partition:
            result.effects.append(_rekeyed(message, key, partition))
            continue
        seen = ids.get(event_id)
        if seen is not None and seen != accepted.hash:
            result.effects.append(_rejection(message, accepted, _id_reused(accepted)))
            continue
        if key not in current:
            current[key] = began[key] = _state(states.get(key))
        before = current[key]
        try:
            after = fold(before, accepted, enrich(accepted))
        except Exception as failure:
            failures = _own_failure(message, failure, failures)
            result.effects.append(_rejection(message, accepted, _internal(failure)))
            continue
        if after != before:
            current[key] = after
            changed[key] = partition
        arrival = _arrival(message, accepted)
        if seen is None:
            ids[event_id] = accepted.hash
            result.known.append((event_id, partition, accepted.hash))
            _tell(result, message, accepted, before, after)
            came.setdefault(key, []).append(arrival)
        else:
            result.effects.append(ended(arrival, partition, End.DUPLICATE))
    traces = {}
    for key, arrivals in came.items():
        shown, passed = traced_of(began[key], current[key], arrivals)
        traces[key] = shown
        partition = partition_of(key, partitions)
        result.effects.extend(ended(each, partition, End.SUPERSEDED) for each in passed)
    for key, partition in changed.items():
        octets = orjson.dumps(current[key])
        result.states.append((key, partition, octets))
        headers = ((TRACE_HEADER, trace_header(traces[key])),) if traces.get(key) else ()
        result.effects.append(Message(RECORDS, partition, key.encode(), octets, headers))
    return result


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
) -> None:
    """The event on `traverse.accepted`, and what the public topics may have of it."""
    event = accepted.event
    key = event_key(event.source, event.subject, event.id).encode()
    headers = (
        *_CONTENT_TYPE,
        ("traverse-hash", accepted.hash),
        ("traverse-received", message.received.isoformat().encode()),
    )
    result.accepted.append(Message(ACCEPTED, message.partition, key, accepted.octets, headers))
    octets = disclose(accepted, before, after)
    if octets is not None:
        topic = EVENTS[accepted.type.kind]
        result.effects.append(Message(topic, message.partition, key, octets, _CONTENT_TYPE))


def _event_id(source: str, event_id: str) -> bytes:
    """16 bytes for (source, id): what an event is unique by."""
    return blake2b(f"{source} {event_id}".encode(), digest_size=16).digest()


def known_from_log(key: bytes, headers: Sequence[tuple[str, bytes]]) -> tuple[bytes, bytes] | None:
    """Event id and content hash of a message of `traverse.accepted`, for restoring the cache."""
    source, _, event_id = orjson.loads(key)
    found = dict(headers).get("traverse-hash")
    return None if found is None else (_event_id(source, event_id), found)


def _state(octets: bytes | None) -> RecordState | None:
    return None if octets is None else orjson.loads(octets)


def _rekeyed(message: Inbound, key: str, partition: int) -> Message:
    """The same octets, on the partition of the record: another client's partitioner put them
    elsewhere, and the order of a record's events holds only within one partition."""
    # Headers count in the broker's limit, which the first message may have reached: with a key and
    # a header more, a copy of it would be refused.
    kept = message.headers
    if sum(len(name) + len(value or b"") for name, value in kept) > _MOST_HEADERS:
        kept = ()
    return Message(
        INBOUND,
        partition,
        key.encode(),
        message.value,
        (*kept, (_REKEYED, b"%d@%d" % (message.partition, message.offset))),
    )


def _rejection(message: Inbound, accepted: Accepted | None, error: RejectedError | None) -> Message:
    if error is None:
        raise AssertionError("a message is either accepted or rejected")
    return rejection_message(
        partition=message.partition,
        key=accepted.key.encode() if accepted else b"",
        octets=message.value,
        error=error,
        origin=f"{INBOUND}/{message.partition}@{message.offset}",
        received=message.received.isoformat(),
    )


def rejection_message(
    *, partition: int, key: bytes, octets: bytes, error: RejectedError, origin: str, received: str
) -> Message:
    """A message of `traverse.rejected`: the original octets, and in the headers why.

    `origin` (topic/partition@offset) tells one rejection from its repetition after a restart.
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


def _internal(error: Exception) -> RejectedError:
    return RejectedError(
        Reason.INTERNAL,
        "",
        f"Traverse n'a pas su traiter cet événement ({type(error).__name__}) ; la faute est de "
        "notre côté : il est gardé et pourra être rejoué après correction.",
    )


def _own_failure(message: Inbound, error: Exception, failures: int) -> int:
    logger.error(
        "Défaut interne sur %s/%d@%d", INBOUND, message.partition, message.offset, exc_info=error
    )
    if failures + 1 > _MOST_INTERNAL_FAILURES:
        raise BadDeployError(
            f"Plus de {_MOST_INTERNAL_FAILURES} événements d'un même lot ont révélé un défaut "
            "interne : le traitement s'arrête sans rien acquitter ; revenez à la version "
            "précédente ou corrigez, puis relancez « traverse work »."
        ) from error
    return failures + 1
