"""Receipts: what each step says of the events it ends. Pure.

The validate step ends what never gets further (`ended`), and sends with a record's state the
events that it shows (`traced_of`); the index step ends those once they can be found
(`receipts_of`). One message an event, and none twice in the ordinary case.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple, Protocol

import orjson

from traverse_schemas.log.identity import Version
from traverse_schemas.log.receipts import End, Receipt, Traced, read_trace, receipt_key
from traverse_schemas.log.record_state import RecordState
from traverse_schemas.log.topics import RECEIPTS
from traverse_stream_processors.log import Message


class Arrival(NamedTuple):
    """An event as it came in: `received` is the broker's time in milliseconds, `origin` its
    message (`partition@offset` of `traverse.inbound`); None where an earlier receipt said so."""

    source: str
    version: Version
    received: int | None
    origin: str | None


class Brought(Protocol):
    """What the index step has of a message of `traverse.records`: `trace` is its TRACE_HEADER,
    `time` the message's own, in milliseconds."""

    @property
    def key(self) -> bytes: ...
    @property
    def value(self) -> bytes | None: ...
    @property
    def partition(self) -> int: ...
    @property
    def trace(self) -> bytes: ...
    @property
    def time(self) -> int: ...


class Fate(NamedTuple):
    """What the index step made of a record: where people see it.

    `opportunity` is None while nothing can be shown; `refused` is why Elasticsearch took it not.
    """

    opportunity: str | None
    stub: bool
    refused: str | None = None


def shows(state: RecordState, version: Version) -> bool:
    """Whether anything of the event of this version is in the state of its record."""
    said, life = state["content"], state["life"]
    parts = (said and said["version"], life and life["version"], state["withdrawn"])
    return any(part == list(version) for part in parts)


def traced_of(
    before: RecordState | None, after: RecordState | None, arrivals: Sequence[Arrival]
) -> tuple[list[Traced], list[Arrival]]:
    """Of a record's new events in one batch: those that its state shows, and the superseded.

    A closing that waited for content to close comes with the event that brings it.
    """
    if after is None:
        return [], list(arrivals)
    shown = [each for each in arrivals if shows(after, each.version)]
    passed = [each for each in arrivals if each not in shown]
    traced = [Traced(each.version.id, each.received, each.origin) for each in shown]
    waited = before and before["life"]
    if before and waited and before["content"] is None and after["content"] is not None:
        version = Version(*waited["version"])  # type: ignore[arg-type]
        if waited["state"] == "closed" and shows(after, version):
            traced.append(Traced(version.id, None, None))
    return traced, passed


def ended(arrival: Arrival, partition: int, end: End) -> Message:
    """The receipt of an event that ends in the validate step."""
    receipt = Receipt(source=arrival.source, id=arrival.version.id, end=end)
    if arrival.origin is not None and arrival.received is not None:
        receipt["origin"], receipt["received"] = arrival.origin, arrival.received
    return _message(partition, receipt)


def receipts_of(
    batch: Sequence[Brought],
    fates: Mapping[bytes, Fate],
    linked: int,
    read: Mapping[str, RecordState] = MappingProxyType({}),
) -> list[Message]:
    """The receipts of all events that a batch of `traverse.records` brings.

    `fates` says by record key what its last state of the batch came to, `linked` when its
    opportunity was on the log (milliseconds); `read` has by key what was read of the last states
    already. To be written when the index has all of the batch.
    """
    last = {changed.key: changed for changed in batch if changed.value}
    states = {key: read[name] for key in last if (name := key.decode()) in read}
    found = []
    for changed in batch:
        traced = read_trace(changed.trace)
        if not traced or changed.key not in last:
            continue
        if changed.key not in states:
            states[changed.key] = orjson.loads(last[changed.key].value or b"")
        state = states[changed.key]
        for event in traced:
            receipt = Receipt(source=state["source"], id=event.id, end="", validated=changed.time)
            if event.received is not None and event.origin is not None:
                receipt["received"], receipt["origin"] = event.received, event.origin
            _conclude(receipt, state, fates.get(changed.key), linked)
            found.append(_message(changed.partition, receipt))
    return found


def receipts_of_words(batch: Sequence[Brought], linked: int) -> list[Message]:
    """The receipts of the words of people that a batch of `traverse.decisions` brings, to be
    written when all that follows from them is written."""
    found = []
    for changed in batch:
        for event in read_trace(changed.trace) if changed.value else ():
            source: str = orjson.loads(changed.value or b"")["source"]
            receipt = Receipt(
                source=source, id=event.id, end=End.COUNTED, validated=changed.time, linked=linked
            )
            if event.received is not None and event.origin is not None:
                receipt["received"], receipt["origin"] = event.received, event.origin
            found.append(_message(changed.partition, receipt))
    return found


def _conclude(receipt: Receipt, state: RecordState, fate: Fate | None, linked: int) -> None:
    shown = [part["version"] for part in (state["content"], state["life"]) if part is not None]
    if fate is None or fate.opportunity is None:
        receipt["end"] = _taken(state) if state["withdrawn"] is not None else End.WAITING
        return
    receipt["linked"] = linked
    if fate.refused is not None:
        receipt["end"], receipt["reason"] = End.REJECTED, "document_refused"
        receipt["sentence"] = fate.refused
    elif fate.stub:
        receipt["end"] = _taken(state)
    elif any(version[2] == receipt["id"] for version in shown):
        receipt["end"] = End.SEARCHABLE
        receipt["opportunity"] = fate.opportunity
    else:
        receipt["end"] = End.SUPERSEDED


def _taken(state: RecordState) -> End:
    return End.PURGED if "purged" in state else End.WITHDRAWN


def _message(partition: int, receipt: Receipt) -> Message:
    return Message(
        RECEIPTS, partition, receipt_key(receipt["source"], receipt["id"]), orjson.dumps(receipt)
    )
