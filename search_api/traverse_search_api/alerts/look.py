"""What the indices say of changed documents, to who is alerted of them."""

import asyncio
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from traverse_schemas.documents.document import INDICES
from traverse_search_api.changes.change_log import Change
from traverse_search_api.engines.elasticsearch_client import Indices
from traverse_search_api.matching.looked import Looked, look_body, read_look

Document = dict[str, Any]
_MORE: Final = ("merged_into",)


class Sight(NamedTuple):
    """What the indices say of a batch.

    `documents` are those that can be seen, by id, with the index of each; `stubs` the ids of which
    an index has only a stub, with where they lead ("" for nowhere); `looked` by index.
    """

    documents: dict[str, tuple[str, Document]]
    stubs: dict[str, str]
    looked: dict[str, Looked]

    def shown(self) -> dict[str, dict[str, Document]]:
        """The documents by index and id."""
        found: dict[str, dict[str, Document]] = {}
        for identity, (index, source) in self.documents.items():
            found.setdefault(index, {})[identity] = source
        return found


async def look(changes: Sequence[Change], indices: Indices) -> Sight:
    """Look at changed documents. Raises SearchUnavailableError."""

    async def one(index: str) -> tuple[str, Looked, list[Document]]:
        answer = await indices.one(index).match(look_body(changes, _MORE))
        hits = answer.get("hits", {}).get("hits", [])
        stubs = [hit["_source"] for hit in hits if hit["_source"].get("stub")]
        return index, read_look(changes, answer, index), stubs

    sight = Sight({}, {}, {})
    for index, looked, stubs in await asyncio.gather(*(one(each) for each in INDICES)):
        sight.looked[index] = looked
        for identity, hit in looked.hits.items():
            sight.documents[identity] = (index, hit["_source"])
        for stub in stubs:
            leads = str(stub.get("merged_into") or "")
            sight.stubs[stub["id"]] = sight.stubs.get(stub["id"]) or leads
    return sight
