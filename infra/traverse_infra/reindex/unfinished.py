"""What a rebuild has come to: kept in the `_meta` of the indices that it fills, so that a rebuild
that was killed goes on where it was, from any machine."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from elasticsearch import Elasticsearch

from traverse_infra.indices import (
    Generation,
    current_generation,
    delete_index,
    fresh_index,
    read_alias,
)
from traverse_schemas.documents.index_mapping import ALIASES, index_body

_KEY = "rebuild"
_BULK_LOAD = {"refresh_interval": "-1"}  # nobody searches it yet


class Unfinished(NamedTuple):
    """Indices that are being filled, by alias; the next offset of `traverse.opportunities` of each
    partition that both have; whether the aliases point at them already, and which indices they
    pointed at before."""

    indices: Mapping[str, str]
    positions: Mapping[int, int]
    swapped: bool = False
    former: tuple[str, ...] = ()


def find(client: Elasticsearch, topic_id: str) -> Unfinished | None:
    """The rebuild of this generation that was begun and not ended; None where there is none, or
    only half the beginning of one."""
    generation = current_generation(topic_id)
    found: dict[str, str] = {}
    marks: list[dict[str, Any]] = []
    swapped = False
    for alias in ALIASES.values():
        indices, pointed = read_alias(client, alias)
        marked = [name for name in sorted(indices) if _is_of(indices[name], generation)]
        if not marked:
            return None
        found[alias] = marked[0]
        marks.append(indices[marked[0]][_KEY])
        swapped |= marked[0] in pointed
    # Both are marked in one call; should they differ all the same, the lesser holds for both.
    partitions = set.intersection(*(set(mark["positions"]) for mark in marks))
    return Unfinished(
        indices=found,
        positions={
            int(each): min(mark["positions"][each] for mark in marks) for each in partitions
        },
        swapped=swapped,
        former=tuple(sorted({name for mark in marks for name in mark["former"]})),
    )


def begin(client: Elasticsearch, topic_id: str) -> Unfinished:
    """Empty indices to fill, marked as such."""
    mark: dict[str, Any] = {_KEY: {"positions": {}, "former": []}}
    return Unfinished(
        {
            alias: fresh_index(client, alias, topic_id, mark, _BULK_LOAD)
            for alias in ALIASES.values()
        },
        {},
    )


def save(client: Elasticsearch, topic_id: str, state: Unfinished) -> None:
    """Remember how far it has come."""
    mark = {
        "positions": {str(partition): offset for partition, offset in state.positions.items()},
        "former": [*state.former],
    }
    _put_meta(client, state, {**current_generation(topic_id).meta, _KEY: mark})


def end(client: Elasticsearch, topic_id: str, state: Unfinished) -> None:
    """They are indices like any other now."""
    _put_meta(client, state, current_generation(topic_id).meta)


def refresh_as_declared(client: Elasticsearch, state: Unfinished) -> None:
    """The indices will be searched soon."""
    declared = index_body()["settings"]["refresh_interval"]
    names = list(state.indices.values())
    client.indices.put_settings(index=names, settings={"refresh_interval": declared})


def sweep(client: Elasticsearch, kept: Unfinished | None) -> None:
    """Delete what no rebuild goes on with: other generations, half beginnings, one given up."""
    mine = set(kept.indices.values()) if kept else set()
    for alias in ALIASES.values():
        indices, pointed = read_alias(client, alias)
        for name, meta in indices.items():
            if _KEY in meta and name not in mine and name not in pointed:
                delete_index(client, name)


def _put_meta(client: Elasticsearch, state: Unfinished, meta: Mapping[str, Any]) -> None:
    client.indices.put_mapping(index=list(state.indices.values()), meta=dict(meta))


def _is_of(meta: Mapping[str, Any], generation: Generation) -> bool:
    return _KEY in meta and generation.meta.items() <= meta.items()
