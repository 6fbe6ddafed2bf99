"""Shown: which of an opportunity's links its document holds. Pure.

The best that last (`lasting`), of each type, each side and each audience by itself: so that what
few may read takes no place from what all may, nor what was dismissed from what was not. What people
confirmed stays, as long as a message has room. Who reads them chooses again, by the day.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

import orjson

from traverse_stream_processors.matching.lasting import Place, kept, last_month, lasting
from traverse_stream_processors.matching.layers import BASE
from traverse_stream_processors.matching.words import CONFIRMED, DISMISSED

MOST_OCTETS: Final = 256 * 1024
"""JSON of a document's links at most, beside what its records say: a message has room for as much
again."""

_SURE: Final = 0

Link = dict[str, Any]


def shown(links: Iterable[Link]) -> list[Link]:
    """These links, one for each other opportunity, or those of them that last; the widest audience
    first."""
    kinds: dict[tuple[int, str, str, str, int], list[Link]] = {}
    for link in sorted(links, key=rank):
        audience = link["audience"]
        width = BASE.index(audience) if audience in BASE else len(BASE)
        kind = (width, audience, link["type"], link.get("role", ""), _spoken(link))
        kinds.setdefault(kind, []).append(link)
    found: list[Link] = []
    left = MOST_OCTETS
    for kind in sorted(kinds):
        sure = kind[-1] == _SURE
        for link in kinds[kind] if sure else _lasting(kinds[kind]):
            left -= len(orjson.dumps(link))
            if left < 0:
                return found
            found.append(link)
    return found


def rank(link: Mapping[str, Any]) -> tuple[bool, float, str]:
    """What people confirmed first, then the surest."""
    return (link["state"] != CONFIRMED, -link["score"], link["id"])


def _spoken(link: Mapping[str, Any]) -> int:
    """What people said of it: confirmed, nothing, dismissed."""
    return {CONFIRMED: _SURE, DISMISSED: 2}.get(link["state"], 1)


def _lasting(ranked: list[Link]) -> list[Link]:
    if len(ranked) == 1:
        return ranked
    places = [
        Place(at, link["id"], last_month(link.get("until", ""))) for at, link in enumerate(ranked)
    ]
    return [ranked[int(one.worse)] for one in kept(lasting(places))]
