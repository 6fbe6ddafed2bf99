"""Rebuilds the indices from `traverse.opportunities`, then swaps the aliases.

Searches go on meanwhile, and so do the processors: they write through the alias, with offsets as
versions. What they wrote to the old index while it was being copied is read once more after the
swap, and versions make that harmless.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import orjson
from elasticsearch import Elasticsearch
from elasticsearch.helpers import streaming_bulk

from traverse_infra.errors import InfraError
from traverse_infra.indices import delete_index, fresh_index, swap_alias
from traverse_infra.log_reading import LogMessage, end_offsets, read_topic
from traverse_infra.topics import opportunities_generation
from traverse_schemas.document import Stub
from traverse_schemas.engine_access import elasticsearch_client
from traverse_schemas.index_mapping import ALIASES
from traverse_schemas.topics import OPPORTUNITIES

_DONE = 409  # the index already holds this version, or a newer one


class RebuildError(InfraError):
    """The new index would hold less than the old one: it is dropped, the old one stays."""


class _Copied(NamedTuple):
    """How many messages were read, and which documents were refused, by index name of ours."""

    messages: int
    refused: dict[str, set[str]]


def rebuild(bootstrap: str, elasticsearch: str) -> Iterator[str]:
    """Do it, and tell each stage in a sentence. Raises RebuildError; the old index then stays."""
    topic_id = opportunities_generation(bootstrap)
    with Elasticsearch(**elasticsearch_client(elasticsearch), request_timeout=120) as client:
        fresh = {name: fresh_index(client, alias, topic_id) for name, alias in ALIASES.items()}
        try:
            copied_to = end_offsets(bootstrap, OPPORTUNITIES)
            copied = _copy(client, fresh, bootstrap, {})
            _check_refused(client, copied.refused)
            client.indices.refresh(index=list(fresh.values()))
        except BaseException:
            for index in fresh.values():
                delete_index(client, index)
            raise
        yield f"{copied.messages} messages relus dans {', '.join(fresh.values())}."
        refused = sum(map(len, copied.refused.values()))
        if refused:
            yield f"{refused} document(s) refusés, comme ils l'avaient été la première fois."
        former = [
            old for name, alias in ALIASES.items() for old in swap_alias(client, alias, fresh[name])
        ]
        yield "Les alias désignent les nouveaux index."
        late = _copy(client, fresh, bootstrap, copied_to)
        yield f"{late.messages} messages arrivés pendant la reconstruction, relus aussi."
        for index in former:
            delete_index(client, index)
        if former:
            yield f"Anciens index supprimés : {', '.join(former)}."


def _copy(
    client: Elasticsearch, indices: dict[str, str], bootstrap: str, start: dict[int, int]
) -> _Copied:
    """Index every message from `start` on."""
    count = 0
    refused: dict[str, set[str]] = {name: set() for name in indices}
    names = {index: name for name, index in indices.items()}

    def actions() -> Iterator[dict[str, Any]]:
        nonlocal count
        for message in read_topic(bootstrap, OPPORTUNITIES, start):
            count += 1
            yield from _actions(message, indices)

    for done, answer in streaming_bulk(client, actions(), raise_on_error=False, max_retries=8):
        item = answer["index"]
        if not done and item["status"] != _DONE:
            refused[names[item["_index"]]].add(item["_id"])
    return _Copied(count, refused)


def _check_refused(client: Elasticsearch, refused: dict[str, set[str]]) -> None:
    """A document that was refused before too is no loss; one that the old index holds is."""
    for name, ids in refused.items():
        if not ids or not client.indices.exists_alias(name=ALIASES[name]):
            continue
        answer = client.mget(index=ALIASES[name], ids=sorted(ids), source=False)
        lost = [document["_id"] for document in answer["docs"] if document.get("found")]
        if lost:
            raise RebuildError(
                f"Elasticsearch refuse {len(lost)} document(s) que l'ancien index contient, dont "
                f"{lost[0]} : la reconstruction est abandonnée, l'ancien index reste en service."
            )


def _actions(message: LogMessage, indices: dict[str, str]) -> Iterator[dict[str, Any]]:
    if message.value is None:
        return
    said = orjson.loads(message.value)
    documents = {said["index"]: said["document"]}
    documents |= {index: Stub(id=said["id"], stub=True) for index in said["stubs"]}
    for index, document in documents.items():
        yield {
            "_op_type": "index",
            "_index": indices[index],
            "_id": said["id"],
            "version": message.offset,
            "version_type": "external",
            "_source": document,
        }
