"""The whole index in one number, and what a journey comes to."""

from collections import Counter
from hashlib import sha256
from typing import NamedTuple

import orjson
from elasticsearch.helpers import scan

from tests.journey.harness import Journey
from traverse_schemas.index_mapping import ALIASES
from traverse_schemas.topics import ACCEPTED, GROUPINGS, LINKS


class Outcome(NamedTuple):
    """All that must be the same however often the workers were killed."""

    digest: str
    documents: int
    accepted: dict[bytes, bytes]
    rejected: Counter[tuple[bytes, bytes]]
    links: dict[bytes, bytes]
    groupings: dict[bytes, bytes]


def digest_of_index(journey: Journey) -> tuple[str, int]:
    """SHA-256 over every document of both aliases, sorted; versions excluded. And how many."""
    lines = []
    with journey.client() as client:
        for alias in ALIASES.values():
            client.indices.refresh(index=alias)
            for hit in scan(client, index=alias, size=1000):
                source = orjson.dumps(hit["_source"], option=orjson.OPT_SORT_KEYS)
                lines.append(b"%s %s %s" % (alias.encode(), hit["_id"].encode(), source))
    return sha256(b"\n".join(sorted(lines))).hexdigest(), len(lines)


def links_of(journey: Journey, topic: str = LINKS) -> dict[bytes, bytes]:
    """The links (or groupings) that hold, by their key; but not which groupings there were for a
    moment on the way, and where their members went."""
    last = {one.key: one.value for one in journey.read(topic)}
    return {
        key: value
        for key, value in last.items()
        if value is not None and b'"moved_to":' not in value
    }


def outcome_of(journey: Journey) -> Outcome:
    """What the journey came to: index, accepted events by key, rejections by reason, links."""
    digest, documents = digest_of_index(journey)
    return Outcome(
        digest=digest,
        documents=documents,
        accepted={one.key: one.value or b"" for one in journey.read(ACCEPTED)},
        rejected=Counter((one.headers["reason"], one.value or b"") for one in journey.rejections()),
        links=links_of(journey),
        groupings=links_of(journey, GROUPINGS),
    )
