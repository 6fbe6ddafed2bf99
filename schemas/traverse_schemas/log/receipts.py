"""Receipts: the trace of one event, with its one end. A message of `traverse.receipts`.

The ordinary event costs one message: the index step writes it once the event can be found. What
ends before (duplicates, superseded events) is written by the validate step; the message on
`traverse.rejected` is the receipt of what was refused.

An event is known by (source, id). Several messages about one event are joined by
`traverse_producers.receipts`: the end of the highest rank holds (`RANK`), its first message says
when. So a message that is written again after a restart changes nothing.
"""

import json
from enum import StrEnum
from typing import Any, Final, NamedTuple, NotRequired, TypedDict


class End(StrEnum):
    """What became of an event.

    `waiting` is no end yet: the record has no content that could be found. `duplicate` is about
    another message of the same (source, id), never about the first: a note beside its end.
    `counted` is the end of people's word: the links say what follows from it.
    `sandbox`: its institution only tries, so it reached nobody; `would` says the end that it would
    have had.
    """

    WAITING = "waiting"
    SANDBOX = "sandbox"
    DUPLICATE = "duplicate"
    REJECTED = "rejected"
    SUPERSEDED = "superseded"
    SEARCHABLE = "searchable"
    COUNTED = "counted"
    WITHDRAWN = "withdrawn"
    PURGED = "purged"


RANK: Final[dict[End, int]] = {
    # An id whose first attempt was refused may come again, mended; an id that was accepted is
    # accepted, whatever else comes under it. A replay may call superseded what was shown before.
    # What was tried may be said in earnest later.
    End.REJECTED: 0,
    End.SANDBOX: 1,
    End.WAITING: 2,
    End.SUPERSEDED: 3,
    End.SEARCHABLE: 4,
    End.COUNTED: 4,
    End.WITHDRAWN: 5,
    End.PURGED: 6,
}
"""Of two ends of one event, the one of the higher rank holds. A duplicate has none."""


class Receipt(TypedDict):
    """The value of a message. The message's own timestamp is the time of its end.

    `origin` is the place of the event's message, `partition@offset` of `traverse.inbound`; times
    are milliseconds since 1970: `received` by the broker, `validated` (accepted and enriched),
    `linked` (its opportunity on the log). Of a trial: `would`, and what Traverse knew of a record
    that would have been found (`enriched`: places, themes, dates; none of the publisher's words).
    """

    source: str
    id: str
    end: str
    origin: NotRequired[str]
    received: NotRequired[int]
    validated: NotRequired[int]
    linked: NotRequired[int]
    opportunity: NotRequired[str]
    reason: NotRequired[str]
    pointer: NotRequired[str]
    sentence: NotRequired[str]
    would: NotRequired[str]
    enriched: NotRequired[dict[str, Any]]


class Traced(NamedTuple):
    """An event that a message of `traverse.records` brings: what its receipt will say of the way
    so far. `received` and `origin` are None where an earlier receipt has said them."""

    id: str
    received: int | None
    origin: str | None


TRACE_HEADER: Final = "traverse-trace"
"""The header of `traverse.records`, and of `traverse.decisions`, that names the events which the
message brings: a JSON list of lists, each as `Traced`."""

EVENT_HEADER: Final = "event"
"""The header of `traverse.rejected` with source and id, where they could be read."""

SIREN_HEADER: Final = "siren"
"""The header of `traverse.rejected` with the institution whose signature was verified. Without
it nobody knows who spoke: such a rejection is attributed to nobody."""


def receipt_key(source: str, event_id: str) -> bytes:
    """The key of a receipt's message."""
    return json.dumps([source, event_id], ensure_ascii=False, separators=(",", ":")).encode()


def read_trace(header: bytes) -> list[Traced]:
    """The events of a TRACE_HEADER; none when the message has no such header (b"")."""
    return [Traced(*each) for each in json.loads(header)] if header else []
