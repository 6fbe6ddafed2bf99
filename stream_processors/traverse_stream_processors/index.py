"""Index: from opportunities to bulk operations, and what each answer means. Pure.

The version of a document is the offset of its message in `traverse.opportunities` (decision 4):
an older version never overwrites a newer one, whoever writes it and however often.
"""

from enum import StrEnum
from typing import Any, Final, NamedTuple

import orjson

from traverse_schemas.document import OpportunityMessage, Stub
from traverse_schemas.index_mapping import ALIASES


class Operation(NamedTuple):
    """One line pair of a bulk, with the id and alias it is about."""

    id: str
    alias: str
    action: bytes
    body: bytes


class Verdict(StrEnum):
    """What one item of a bulk answer means (design, decision 10)."""

    DONE = "done"
    REFUSED = "refused"  # this document is bad: rejected alone, the others go on
    RETRY = "retry"  # the engine is busy or away: again later
    STOP = "stop"  # the operator must act: not allowed, or the index is not there


_BUSY: Final = frozenset({429, 502, 503, 504})


def operations(message: OpportunityMessage, document: bytes, offset: int) -> tuple[Operation, ...]:
    """The operations that bring the indices to one message of `traverse.opportunities`.

    `document` is the JSON of `message["document"]`, `offset` the message's offset.
    """
    return (
        _operation(message["id"], message["index"], document, offset),
        *(
            _operation(message["id"], index, stub_octets(message["id"]), offset)
            for index in message["stubs"]
        ),
    )


def stub_octets(identity: str) -> bytes:
    """The JSON of a stub."""
    return orjson.dumps(Stub(id=identity, stub=True))


def _operation(identity: str, index: str, body: bytes, offset: int) -> Operation:
    alias = ALIASES[index]
    # The ids are our own letters and digits: no escaping is needed.
    action = (
        f'{{"index":{{"_index":"{alias}","_id":"{identity}","version":{offset},'
        '"version_type":"external","require_alias":true}}'
    )
    return Operation(identity, alias, action.encode(), body)


def verdict(item: dict[str, Any]) -> Verdict:
    """What the answer to one operation means.

    409 is done: the index already holds this version or a newer one. Any other 5xx counts as
    busy: nothing says that the document is at fault.
    """
    status = int(item["status"])
    if status < 300 or status == 409:
        return Verdict.DONE
    if status in _BUSY or status >= 500:
        return Verdict.RETRY
    if status == 400:
        return Verdict.REFUSED
    return Verdict.STOP
