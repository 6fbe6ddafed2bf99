"""What a change is to who follows: new, changed (and in what), closed, withdrawn; or nothing. Pure.

It is judged by the member records of an opportunity, each with the version that was seen of it: a
merge or a split moves records, and says nothing new of any.
"""

from collections.abc import Collection, Mapping
from hashlib import blake2b
from typing import Any, Final, NamedTuple

import orjson

from traverse_schemas.log.identity import record_key
from traverse_search_api.alerts.subscription import AlertKind

Document = Mapping[str, Any]

FIELD_LABELS: Final = {
    "title": "titre",
    "description": "description",
    "deadline": "échéance",
    "amount": "montant",
    "territory": "territoire",
    "cpv": "codes CPV",
    "themes": "thèmes",
    "stage": "avancement",
    "outcome": "issue",
    "location": "lieu",
}
"""The fields of which a change is told, and what people call them."""


class Known(NamedTuple):
    """What was last seen of a record: in which opportunity, as which version, and what that
    opportunity said then (a digest of each field)."""

    opportunity: str
    updated_at: str
    digests: Mapping[str, str]
    closed: bool


class News(NamedTuple):
    """What is new of a document, whoever follows it. `fresh`: some record was never seen before;
    `changed` are the fields that an update changed; `closed`: that update ended it."""

    members: tuple[str, ...]
    fresh: bool
    changed: tuple[str, ...]
    closed: bool


def members_of(document: Document) -> dict[str, str]:
    """The records of an opportunity by their keys, each with its version."""
    return {
        record_key(one["source"], one["subject"]): str(one["updated_at"])
        for one in document["sources"]
    }


def digests_of(document: Document) -> dict[str, str]:
    """What tells two states of each field apart."""
    return {
        name: blake2b(
            orjson.dumps(document.get(name), option=orjson.OPT_SORT_KEYS), digest_size=6
        ).hexdigest()
        for name in FIELD_LABELS
        if document.get(name) not in (None, [], "")
    }


def known_of(document: Document) -> dict[str, Known]:
    """What will be known of its records."""
    digests, closed = digests_of(document), document["state"] == "closed"
    return {
        member: Known(str(document["id"]), version, digests, closed)
        for member, version in members_of(document).items()
    }


def news_of(document: Document, known: Mapping[str, Known]) -> News:
    """What a document says that is not known of its records."""
    members = members_of(document)
    moved = [
        known[one] for one, version in members.items() if one in known
        and known[one].updated_at != version
    ]  # fmt: skip
    digests = digests_of(document)
    changed = tuple(
        name
        for name in FIELD_LABELS
        if any(before.digests.get(name) != digests.get(name) for before in moved)
    )
    ended = document["state"] == "closed" and any(not before.closed for before in moved)
    return News(tuple(members), any(one not in known for one in members), changed, ended)


def verdict(news: News, told: Collection[str], *, matched: bool) -> AlertKind | None:
    """What there is to say to one who was told of the records in `told`."""
    knows = any(one in told for one in news.members)
    if news.closed and (knows or matched):
        return AlertKind.CLOSED
    if not matched:
        return None
    if news.fresh and not knows:
        return AlertKind.NEW
    return AlertKind.CHANGED if news.changed else None
