"""Disclose: what subscribers of the public topics may read of an event (decision 9). Pure.

Public events pass with the same octets. When a record's audience narrows, a notice without
content follows; copies already read cannot be recalled.
"""

import orjson

from traverse_schemas.documents.document import PUBLIC_INDEX
from traverse_schemas.events import Action
from traverse_schemas.log.record_state import RecordState
from traverse_schemas.records.models import visibility_of
from traverse_schemas.visibility import Visibility
from traverse_stream_processors.validating.validate import Accepted


def disclose(accepted: Accepted, before: RecordState | None, after: RecordState) -> bytes | None:
    """The octets for `traverse.events.{kind}`, or None when there is nothing to say there.

    An event is shown only if the record is public now and the event itself says so: an older
    public version that arrives after the record was narrowed stays hidden.
    """
    was_public = before is not None and PUBLIC_INDEX in before["indices"]
    if accepted.type.action is Action.WITHDRAWN:
        return accepted.octets if was_public else None
    said = after["content"]
    if said is None or said["content"]["visibility"] != "public":
        return _notice(accepted) if was_public and _shown(before) else None
    record = accepted.record
    if record is not None and visibility_of(accepted.type.kind, record) != Visibility.PUBLIC:
        return None
    return accepted.octets


def _shown(state: RecordState | None) -> bool:
    said = state["content"] if state else None
    return said is not None and said["content"]["visibility"] == "public"


def _notice(accepted: Accepted) -> bytes:
    """A CloudEvent of the platform's own: this record is no longer public. It says nothing else."""
    event = accepted.event
    return orjson.dumps(
        {
            "specversion": "1.0",
            "id": f"{event.id}#hidden",
            "source": "urn:traverse:validate",
            "type": f"fr.traverse.{accepted.type.kind}.hidden.v1",
            "subject": event.subject,
            "time": accepted.version.time,
            "datacontenttype": "application/json",
            "data": {"source": event.source, "subject": event.subject},
        }
    )
