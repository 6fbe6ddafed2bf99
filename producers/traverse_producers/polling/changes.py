"""What changed in a listing since the last time. Pure, but for what the position remembers.

An event says one thing of its record, in one slot: what happened, its sequence, and its time where
the feed gives one. The same content in the same slot is no news; another content is a new version,
which must be later than the one that it replaces: where the feed gives it no later time, it gets
the moment at which the change was seen.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from traverse_producers.importers.contract import ImportContext
from traverse_producers.importers.emit import make_event, short_hash
from traverse_producers.polling.position import Known, Listing, Seen, Told
from traverse_schemas.events import EVENT_TYPES, Action, event_type
from traverse_schemas.records.codes import Kind, WithdrawalReason


class News(NamedTuple):
    """An event to publish, and what to remember once it is durable."""

    event: dict[str, Any]
    told: Told


class Moments:
    """The moment at which changes were seen: one instant, and a microsecond more each time, so that
    the changes of one run keep their order."""

    def __init__(self, now: datetime) -> None:
        self._next = now

    def __call__(self) -> datetime:
        moment, self._next = self._next, self._next + timedelta(microseconds=1)
        return moment


def seen_in(event: dict[str, Any], context: ImportContext) -> Seen:
    """What an importer's event says of its record, and in which slot."""
    action, sequence = EVENT_TYPES[event["type"]].action, event.get("sequence", 0)
    undated = context.as_of is not None and event["time"] == context.as_of.isoformat()
    slot = f"{action}:{sequence}:{'' if undated else event['time']}"
    return Seen(event["subject"], slot, short_hash(event["data"], 16))


def news_of(
    event: dict[str, Any], listing: Listing, context: ImportContext, moment: Callable[[], datetime]
) -> News | None:
    """The event as it is to be published, or None when the listing said it before."""
    type_ = EVENT_TYPES[event["type"]]
    sequence = event.get("sequence", 0)
    subject, slot, digest = seen = seen_in(event, context)
    before = listing.digests(subject, slot)
    if digest in before:
        return None
    known = listing.known(subject)
    told = Told(*seen, type_.kind, sequence)
    if known is None or not (before or known.gone):
        return News(event, told)
    action = type_.action
    if known.gone:
        # It is back: later than its withdrawal, which counts by sequence first.
        sequence = max(sequence, known.sequence)
        told = told._replace(sequence=sequence)
    elif action is Action.PUBLISHED:
        action = Action.UPDATED
    return News(_again(event, event_type(type_.kind, action), sequence, moment()), told)


def withdrawal_of(
    subject: str, known: Known, context: ImportContext, moment: Callable[[], datetime]
) -> News:
    """The event for a record that is no more in the listing: later than all that was said of it."""
    event = make_event(
        context,
        Kind(known.kind),
        Action.WITHDRAWN,
        subject=subject,
        time=moment(),
        data={"reason": WithdrawalReason.ERROR.value},
        sequence=known.sequence,
    )
    return News(event, Told(subject, "", "", known.kind, known.sequence, gone=True))


def _again(event: dict[str, Any], type_: str, sequence: int, moment: datetime) -> dict[str, Any]:
    """The event as a version of this moment, with an id of its own."""
    made: dict[str, Any] = event | {"type": type_, "time": moment.isoformat()}
    if sequence:
        made["sequence"] = sequence
    content = [type_, made["subject"], made["time"], sequence, made["data"]]
    made["id"] = short_hash(content, 16)
    return made
