"""Fold: what the accepted events of one record say together.

A join: each part of the state is the greatest by version of the events that speak of it. Order
of arrival, repetition and restarts do not change the result (design, decision 7; property tests).

- the content is that of the last event that carried a record, unless a later withdrawal took it:
  the last withdrawal is kept for itself, since a closing may come after it;
- the life (active, closed, withdrawn) is that of the last published, closed or withdrawn event:
  an update corrects, amends or extends, it does not reopen;
- the first time is the least, and an index that ever held the record is never forgotten;
- an erasure drops whatever was said up to its time, whatever its sequence, and nothing said up to
  then counts any more when it comes again (decision 5).
"""

from datetime import date
from typing import Any

from traverse_schemas.documents.document import Content, index_of
from traverse_schemas.documents.status import french_day
from traverse_schemas.events import Action
from traverse_schemas.log.identity import Version, opportunity_id
from traverse_schemas.log.record_state import Life, RecordState, State, VersionedContent
from traverse_schemas.records.codes import WithdrawalReason
from traverse_stream_processors.validating.validate import Accepted

_STATES: dict[str, State] = {
    Action.PUBLISHED: "active",
    Action.CLOSED: "closed",
    Action.WITHDRAWN: "withdrawn",
}
_CLOSING_FIELDS = ("outcome", "reason", "lots", "holders", "amount")


def fold(state: RecordState | None, accepted: Accepted, content: Content | None) -> RecordState:
    """The state of the record once this event is known. Does not change its arguments.

    `content` is the enriched record of the event, None when it carries none.
    """
    event = accepted.event
    time = accepted.version.time
    if refuses(state, accepted):
        return state  # type: ignore[return-value]
    if state is not None and is_erasure(accepted):
        state = _erased(state, accepted)
    if state is None:
        state = RecordState(
            id=opportunity_id(event.source, event.subject),
            source=event.source,
            subject=event.subject,
            kind=accepted.type.kind,
            first_time=time,
            content=None,
            life=None,
            withdrawn=None,
            indices=[],
        )
    said = _content(state["content"], accepted.version, content)
    withdrawn = _withdrawn(state["withdrawn"], accepted)
    if said and withdrawn and _version(said["version"]) < _version(withdrawn):
        # What the withdrawal took is gone, and comes back with no late copy of it; what was said
        # after it waits for a new publication.
        said = None
    after = RecordState(
        id=state["id"],
        source=state["source"],
        subject=state["subject"],
        kind=state["kind"],
        first_time=min(state["first_time"], time),
        content=said,
        life=_life(state["life"], accepted),
        withdrawn=withdrawn,
        indices=_indices(state["indices"], content),
    )
    purged = time if is_erasure(accepted) else state.get("purged")
    if purged is not None:
        after["purged"] = purged
    return after


def is_erasure(accepted: Accepted) -> bool:
    """Whether the event asks for its record to be erased (RGPD, art. 17)."""
    if accepted.type.action is not Action.WITHDRAWN:
        return False
    return getattr(accepted.event.data, "reason", None) == WithdrawalReason.ERASURE


def refuses(state: RecordState | None, accepted: Accepted) -> bool:
    """Whether an erasure of the record came after what this event says."""
    return state is not None and accepted.version.time <= state.get("purged", "")


def _erased(state: RecordState, erasure: Accepted) -> RecordState:
    """What remains of a state when all that was said up to the erasure is gone. The first time is
    that of the erasure, as it would be without the events that are gone."""
    time = erasure.version.time
    content, life, withdrawn = state["content"], state["life"], state["withdrawn"]
    return RecordState(
        id=state["id"],
        source=state["source"],
        subject=state["subject"],
        kind=state["kind"],
        first_time=time,
        content=content if content and str(content["version"][1]) > time else None,
        life=life if life and str(life["version"][1]) > time else None,
        withdrawn=withdrawn if withdrawn and str(withdrawn[1]) > time else None,
        indices=state["indices"],
    )


def _version(parts: list[int | str]) -> Version:
    return Version(*parts)  # type: ignore[arg-type]


def _life(known: Life | None, accepted: Accepted) -> Life | None:
    name = _STATES.get(accepted.type.action)
    if name is None or (known is not None and _version(known["version"]) >= accepted.version):
        return known
    life: dict[str, Any] = {"version": list(accepted.version), "state": name}
    if name == "closed":
        data = accepted.raw["data"]
        life.update({field: data[field] for field in _CLOSING_FIELDS if data.get(field)})
        life["closed_on"] = _closed_on(accepted)
    return life  # type: ignore[return-value]


def _closed_on(accepted: Accepted) -> str:
    day: date | None = getattr(accepted.event.data, "on", None)
    return (day or french_day(accepted.event.time)).isoformat()


def _withdrawn(known: list[int | str] | None, accepted: Accepted) -> list[int | str] | None:
    if accepted.type.action is not Action.WITHDRAWN:
        return known
    version: list[int | str] = list(accepted.version)
    return version if known is None or _version(known) < accepted.version else known


def _content(
    known: VersionedContent | None, version: Version, content: Content | None
) -> VersionedContent | None:
    if content is None or (known is not None and _version(known["version"]) >= version):
        return known
    return VersionedContent(version=list(version), content=content)


def _indices(known: list[str], content: Content | None) -> list[str]:
    if content is None:
        return known
    index = index_of(content["visibility"])
    return known if index in known else sorted([*known, index])
