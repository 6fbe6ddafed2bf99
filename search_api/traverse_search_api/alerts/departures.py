"""Records that have left an opportunity: to another one, or for good (an erasure).

One that was merged with others leaves no stub of its own to be told by: the opportunity goes on
without it. Where it went may show a moment later; so it is noted, and looked for then. One that no
document holds any more is forgotten.
"""

from collections.abc import Mapping
from typing import Any, Final

from traverse_schemas.documents.document import INDICES
from traverse_schemas.log.identity import opportunity_of
from traverse_search_api.alerts.ledger import Batch, Ledger
from traverse_search_api.alerts.verdict import Document, members_of
from traverse_search_api.engines.elasticsearch_client import Indices

LOOKED_FOR_AFTER: Final = 5.0
"""Seconds after which a record that moved shows where it is now."""

_LEFT: Final = "left "
_MOST: Final = 500  # looked for at one time


def departed(ledger: Ledger, documents: Mapping[str, Document], now: float) -> dict[str, str]:
    """Notes of the records that were in these opportunities, by id, and are not any more."""
    held = {identity: members_of(document) for identity, document in documents.items()}
    return {
        f"{_LEFT}{record}": str(now)
        for record, opportunity in ledger.members_of(list(documents)).items()
        if record not in held[opportunity]
    }


async def forget_departed(ledger: Ledger, indices: Indices, now: float) -> int:
    """Look for those that left some time ago, and forget what is nowhere; gives how many that was.
    Raises SearchUnavailableError."""
    noted = [
        name.removeprefix(_LEFT)
        for name, at in ledger.notes(_LEFT)
        if now - float(at) >= LOOKED_FOR_AFTER
    ][:_MOST]
    if not noted:
        return 0
    gone = [record for record in noted if await _is_gone(record, indices)]
    ledger.write(Batch({}, {}, (), (), gone, unnoted=[f"{_LEFT}{record}" for record in noted]))
    return len(gone)


async def _is_gone(record: str, indices: Indices) -> bool:
    """Whether the id of its own is a stub, and no document says it. While an index is made anew it
    may have neither: then nothing is known, and nothing forgotten."""
    source, _, subject = record.partition(" ")
    own = opportunity_of(record)
    said = [{"term": {"sources.source": source}}, {"term": {"sources.subject": subject}}]
    either = [{"term": {"id": own}}, {"bool": {"filter": said}}]
    body: dict[str, Any] = {
        "size": 100,
        "_source": ["id", "stub", "sources"],
        "query": {"bool": {"filter": [{"bool": {"should": either}}]}},
    }
    ended = False
    for index in INDICES:
        for hit in (await indices.one(index).match(body)).get("hits", {}).get("hits", []):
            document = hit["_source"]
            if document.get("stub"):
                ended = ended or document["id"] == own
            elif record in members_of(document):
                return False
    return ended
