"""Rebuilds the indices from `traverse.opportunities`, then swaps the aliases.

Searches go on meanwhile, and so do the processors: they write through the alias, with offsets as
versions. What they wrote to the old index while it was being copied is read once more after the
swap, and versions make that harmless.
"""

from collections.abc import Iterator
from typing import Any

import orjson
from elasticsearch import Elasticsearch
from elasticsearch.helpers import streaming_bulk

from traverse_infra.errors import InfraError
from traverse_infra.indices import delete_index, fresh_index, swap_alias
from traverse_infra.log_reading import LogMessage, end_offsets, read_topic
from traverse_infra.topics import opportunities_generation
from traverse_schemas.document import Stub
from traverse_schemas.index_mapping import ALIASES
from traverse_schemas.topics import OPPORTUNITIES

_DONE = 409  # the index already holds this version, or a newer one


class RebuildError(InfraError):
    """A document was refused: the new index is dropped, the old one stays."""


def rebuild(bootstrap: str, elasticsearch: str) -> Iterator[str]:
    """Do it, and tell each stage in a sentence. Raises RebuildError; the old index then stays."""
    topic_id = opportunities_generation(bootstrap)
    with Elasticsearch(elasticsearch, request_timeout=120) as client:
        fresh = {name: fresh_index(client, alias, topic_id) for name, alias in ALIASES.items()}
        try:
            copied_to = end_offsets(bootstrap, OPPORTUNITIES)
            count = _copy(client, fresh, bootstrap, {})
            yield f"{count} messages relus dans {', '.join(fresh.values())}."
            client.indices.refresh(index=list(fresh.values()))
        except BaseException:
            for index in fresh.values():
                delete_index(client, index)
            raise
        former = [
            old for name, alias in ALIASES.items() for old in swap_alias(client, alias, fresh[name])
        ]
        yield "Les alias désignent les nouveaux index."
        late = _copy(client, fresh, bootstrap, copied_to)
        yield f"{late} messages arrivés pendant la reconstruction, relus aussi."
        for index in former:
            delete_index(client, index)
        if former:
            yield f"Anciens index supprimés : {', '.join(former)}."


def _copy(
    client: Elasticsearch, indices: dict[str, str], bootstrap: str, start: dict[int, int]
) -> int:
    """Index every message from `start` on; gives how many were read."""
    count = 0

    def actions() -> Iterator[dict[str, Any]]:
        nonlocal count
        for message in read_topic(bootstrap, OPPORTUNITIES, start):
            count += 1
            yield from _actions(message, indices)

    for done, answer in streaming_bulk(client, actions(), raise_on_error=False, max_retries=8):
        item = answer["index"]
        if not done and item["status"] != _DONE:
            raise RebuildError(
                f"Elasticsearch refuse le document {item['_id']} ({item.get('error')}) : la "
                "reconstruction est abandonnée, l'ancien index reste en service."
            )
    return count


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
