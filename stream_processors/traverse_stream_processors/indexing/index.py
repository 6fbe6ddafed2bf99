"""Index: from opportunities to bulk operations, and what each answer means. Pure.

The version of a document is the offset of its message in `traverse.opportunities` (decision 4):
an older version never overwrites a newer one, whoever writes it and however often.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final, NamedTuple

import orjson

from traverse_schemas.documents.document import OpportunityMessage, Stub
from traverse_schemas.documents.index_mapping import ALIASES
from traverse_schemas.documents.indexed import indexed


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


def operations(message: OpportunityMessage, document: bytes, offset: int) -> list[Operation]:
    """The operations that bring the indices to one message of `traverse.opportunities`.

    `document` is the JSON of `message["document"]`, `offset` the message's offset.
    """
    return _operations(ALIASES, message, document, offset, "true")


def operations_into(
    indices: Mapping[str, str], message: OpportunityMessage, document: bytes, offset: int
) -> list[Operation]:
    """The same into these indices, by the names that messages call them by; no aliases."""
    return _operations(indices, message, document, offset, "false")


def _operations(
    targets: Mapping[str, str],
    message: OpportunityMessage,
    document: bytes,
    offset: int,
    require_alias: str,
) -> list[Operation]:
    identity = message["id"]
    said = message["document"]
    held = indexed(said)
    bodies = [(message["index"], document if held is said else orjson.dumps(held))]
    bodies += [(index, stub_octets(identity)) for index in message["stubs"]]
    return [
        Operation(
            identity,
            targets[index],
            # The ids are our own letters and digits: no escaping is needed.
            f'{{"index":{{"_index":"{targets[index]}","_id":"{identity}","version":{offset},'
            f'"version_type":"external","require_alias":{require_alias}}}}}'.encode(),
            body,
        )
        for index, body in bodies
    ]


def stub_octets(identity: str) -> bytes:
    """The JSON of a stub."""
    return orjson.dumps(Stub(id=identity, stub=True))


def verdict(item: dict[str, Any]) -> Verdict:
    """What the answer to one operation means.

    409 is done: the index already holds this version or a newer one. Any other 5xx counts as
    busy: nothing says that the document is at fault. So does an index that takes no write: it is
    being swapped for a new one (`traverse reindex`).
    """
    status = int(item["status"])
    if status < 300 or status == 409:
        return Verdict.DONE
    if status in _BUSY or status >= 500:
        return Verdict.RETRY
    if status == 403 and item.get("error", {}).get("type") == "cluster_block_exception":
        return Verdict.RETRY
    if status == 400:
        return Verdict.REFUSED
    return Verdict.STOP
