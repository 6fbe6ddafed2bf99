"""Asks the log and the index what became of what was published."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import NamedTuple

from elasticsearch import Elasticsearch

from traverse_infra.demo.tally import Fate
from traverse_infra.log.reading import read_topic
from traverse_schemas.documents.index_mapping import ALIASES, PUBLIC_ALIAS
from traverse_schemas.log.topics import REJECTED

_CHUNK = 1000


class Refusal(NamedTuple):
    """A rejected event: its place on the log, the reason's code and its sentence."""

    place: str
    reason: str
    sentence: str


def refusals(bootstrap: str) -> list[Refusal]:
    """Every rejection on `traverse.rejected`, once each whatever was repeated."""
    found = {}
    for message in read_topic(bootstrap, REJECTED):
        headers = {name: value.decode() for name, value in message.headers.items()}
        place = headers.get("origin", "")
        found[place] = Refusal(place, headers.get("reason", ""), headers.get("sentence", ""))
    return list(found.values())


def reasons(refused: Iterable[Refusal]) -> Counter[str]:
    """How often each reason occurs."""
    return Counter(one.reason for one in refused)


def fates(client: Elasticsearch, ids: Iterable[str]) -> dict[str, Fate]:
    """What the indices hold of each opportunity; ids that they do not hold are left out."""
    found: dict[str, Fate] = {}
    for chunk in _chunks(ids):
        # The public one last: what it shows is searchable for everybody.
        for alias in sorted(ALIASES.values(), key=PUBLIC_ALIAS.__eq__):
            fate = Fate.SEARCHABLE if alias == PUBLIC_ALIAS else Fate.RESERVED
            answer = client.mget(index=alias, ids=chunk, source_includes=["stub", "merged_into"])
            for document in answer["docs"]:
                if not document.get("found"):
                    continue
                # A stub in one index says nothing while another still shows the document.
                # What was merged is found under the id that it leads to.
                if not document["_source"]["stub"] or "merged_into" in document["_source"]:
                    found[document["_id"]] = fate
                else:
                    found.setdefault(document["_id"], Fate.WITHDRAWN)
    return found


def _chunks(ids: Iterable[str]) -> Iterator[Sequence[str]]:
    rest = iter(ids)
    while chunk := list(islice(rest, _CHUNK)):
        yield chunk
