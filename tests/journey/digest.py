"""The whole index in one number, and what a journey comes to."""

from collections import Counter
from collections.abc import Set
from hashlib import sha256
from typing import Any, NamedTuple

import orjson
from elasticsearch.helpers import scan

from tests.journey.harness import Journey
from traverse_schemas.documents.index_mapping import ALIASES
from traverse_schemas.log.identity import opportunity_id
from traverse_schemas.log.topics import ACCEPTED, GROUPINGS, LINKS


class Outcome(NamedTuple):
    """All that must be the same however often the workers were killed."""

    digest: str
    documents: int
    accepted: dict[bytes, bytes]
    rejected: Counter[tuple[bytes, bytes]]
    links: dict[bytes, bytes]
    groupings: dict[bytes, bytes]


def digest_of_index(journey: Journey, erased: Set[str] = frozenset()) -> tuple[str, int]:
    """SHA-256 over every document of both aliases, sorted; versions excluded. And how many. Of
    the `erased` records whatever can be seen counts: a stub may be there or not."""
    lines = []
    with journey.client() as client:
        for alias in ALIASES.values():
            client.indices.refresh(index=alias)
            for hit in scan(client, index=alias, size=1000):
                if hit["_id"] in erased and _is_bare(hit["_source"]):
                    continue
                source = orjson.dumps(hit["_source"], option=orjson.OPT_SORT_KEYS)
                lines.append(b"%s %s %s" % (alias.encode(), hit["_id"].encode(), source))
    return sha256(b"\n".join(sorted(lines))).hexdigest(), len(lines)


def _is_bare(document: dict[str, Any]) -> bool:
    """Whether it says nothing but that something was there."""
    return bool(document["stub"]) and "merged_into" not in document


def links_of(journey: Journey, topic: str = LINKS) -> dict[bytes, bytes]:
    """The links (or groupings) that hold, by their key; but not which groupings there were for a
    moment on the way, and where their members went."""
    last = {one.key: one.value for one in journey.read(topic)}
    return {
        key: value
        for key, value in last.items()
        if value is not None and b'"moved_to":' not in value
    }


def outcome_of(journey: Journey, erased: Set[str] = frozenset()) -> Outcome:
    """What the journey came to: index, accepted events by key (but those of `erased` records),
    rejections by reason, links."""
    digest, documents = digest_of_index(journey, erased)
    return Outcome(
        digest=digest,
        documents=documents,
        accepted={
            one.key: one.value or b""
            for one in journey.read(ACCEPTED)
            if not erased or opportunity_id(*orjson.loads(one.key)[:2]) not in erased
        },
        rejected=Counter((one.headers["reason"], one.value or b"") for one in journey.rejections()),
        links=links_of(journey),
        groupings=links_of(journey, GROUPINGS),
    )
