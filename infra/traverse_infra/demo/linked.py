"""What linking made of a demonstration: which records became one, and what is linked."""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

import orjson

from traverse_infra.log.reading import read_topic
from traverse_schemas.log.message import LogMessage
from traverse_schemas.log.topics import LINKS, OPPORTUNITIES

_MOST_SHOWN = 12
_LINK_WORDS = {
    "answers": "peut répondre à",
    "joint": "achat à mutualiser",
    "same": "même dossier",
    "lot": "lots d'une consultation",
}


def linked_lines(bootstrap: str) -> Iterator[str]:
    """The lines to print, in French."""
    yield from merged_lines(read_topic(bootstrap, OPPORTUNITIES))
    yield from count_lines(read_topic(bootstrap, LINKS))


def merged_lines(messages: Iterable[LogMessage]) -> Iterator[str]:
    """How many opportunities come of several records, and the first of them with the reasons."""
    last = {one.key: one.value for one in messages}
    merged: list[dict[str, Any]] = [
        message["document"]
        for value in last.values()
        if value and b'"merged":[' in value
        for message in [orjson.loads(value)]
        if not message["document"]["stub"]
    ]
    records = sum(len(document["sources"]) for document in merged)
    yield f"Regroupés : {records} dossiers en {len(merged)} publications."
    for document in sorted(merged, key=lambda one: str(one["id"]))[:_MOST_SHOWN]:
        said = ", ".join(source["subject"] for source in document["sources"])
        yield f"  « {document['title']} » ({said})"
        yield f"    {document['merged'][0]['reason']}"
    if len(merged) > _MOST_SHOWN:
        yield f"  … et {len(merged) - _MOST_SHOWN} autres."


def count_lines(messages: Iterable[LogMessage]) -> Iterator[str]:
    """How many links of each type."""
    last = {one.key: one.value for one in messages}
    types = Counter(str(orjson.loads(value)["type"]) for value in last.values() if value)
    for name, count in sorted(types.items()):
        yield f"Liens « {_LINK_WORDS.get(name, name)} » : {count}"
