"""Decide: what people say of links and groupings, as linking reads it from `traverse.decisions`.

Pure. Whoever signs may say it; whether it counts is a matter of whose the records are, and those
may come later: `linking/decisions.py` and `matching/words.py` judge it.
"""

import orjson

from traverse_schemas.decisions import Decision, GroupingWord, LinkWord
from traverse_schemas.log.identity import event_key, opportunity_id
from traverse_schemas.log.topics import DECISIONS
from traverse_stream_processors.log import Message
from traverse_stream_processors.validating.validate import Accepted


def decided(accepted: Accepted, partition: int) -> Message:
    """The message of `traverse.decisions` for an accepted decision. Every word is kept, each under
    a key of its own: which is the last is known by their versions, not by who came last."""
    event = accepted.event
    data = event.data
    if isinstance(data, LinkWord):
        records = data.records
    elif isinstance(data, GroupingWord):
        records = (data.record,)
    else:
        raise TypeError(accepted.type.name)
    decision = Decision(
        source=event.source,
        subject=event.subject,
        version=list(accepted.version),
        word=str(accepted.type.action),
        records=[opportunity_id(one.source, one.subject) for one in records],
    )
    if isinstance(data, GroupingWord):
        decision["grouping"] = data.grouping
        if data.on is not None:
            decision["on"] = data.on.isoformat()
    key = event_key(event.source, event.subject, event.id).encode()
    return Message(DECISIONS, partition, key, orjson.dumps(decision))
