"""The indices of opportunities: template, one index per generation, one alias on exactly one index.

A generation is one topic `traverse.opportunities` (its id) read with one mapping (its
fingerprint): document versions are offsets of that topic, so another topic means another index.
Changing generation is a migration, done by `traverse reindex`, never by surprise. An index is made
empty only while its topic is: one that is missing later is lost, and is rebuilt from the log.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from elasticsearch import ApiError, BadRequestError, Elasticsearch, TransportError

from traverse_infra.errors import EngineAwayError, IndexLostError, IndexMismatchError, InfraError
from traverse_schemas.documents.index_mapping import (
    ALIASES,
    index_body,
    index_fingerprint,
)

TEMPLATE = "traverse-opportunities"

# A copy on a second node where there is one: a lost disk is then no lost index. It may change on a
# live index, so it is no part of the fingerprint.
_COPIES = {"auto_expand_replicas": "0-1"}


@dataclass(frozen=True, slots=True)
class Generation:
    """What an index was made for; kept in the `_meta` of its mapping."""

    topic_id: str
    fingerprint: str

    @property
    def short(self) -> str:
        """Lower case, fit for an index name."""
        return f"{self.topic_id.replace('-', '')[:8].lower()}-{self.fingerprint}"

    @property
    def meta(self) -> dict[str, str]:
        return {"topic_id": self.topic_id, "fingerprint": self.fingerprint}


def current_generation(topic_id: str) -> Generation:
    """The generation of that topic with the mapping of this version of Traverse."""
    return Generation(topic_id, index_fingerprint())


def plan_index(
    alias: str,
    wanted: Generation,
    indices: Mapping[str, Mapping[str, Any]],
    pointed: Sequence[str],
    *,
    begun: bool,
) -> str | None:
    """The index to create, or None when the alias already points at the right one. No I/O.

    `indices`: the alias's indices, name to the `_meta` of the mapping; `pointed`: those that the
    alias points at; `begun`: whether the topic was ever written. Raises IndexMismatchError when
    the alias points at anything else, IndexLostError when it points at nothing and should.
    """
    if alias in indices:
        raise IndexMismatchError(
            f"Un index s’appelle {alias}, comme l’alias qui devrait le désigner : supprimez-le "
            f"(DELETE /{alias}), puis recommencez."
        )
    if len(pointed) > 1:
        raise IndexMismatchError(
            f"L’alias {alias} désigne plusieurs index ({', '.join(sorted(pointed))}) : lancez "
            "`traverse reindex` pour n’en garder qu’un."
        )
    if pointed:
        meta = indices.get(pointed[0], {})
        # What else is there is a rebuild's that has not tidied up yet (`reindex`).
        if not wanted.meta.items() <= meta.items():
            other = meta.get("topic_id") != wanted.topic_id
            why = "un autre journal" if other else "une autre version du schéma"
            raise IndexMismatchError(
                f"L’index {pointed[0]}, désigné par l’alias {alias}, a été construit pour {why} : "
                "lancez `traverse reindex` pour le reconstruire."
            )
        return None
    if begun:
        raise IndexLostError(alias)
    return new_name(alias, wanted, indices)


def new_name(alias: str, generation: Generation, taken: Mapping[str, Any]) -> str:
    """A name that no index has yet: `{alias}-{generation}`, then `…-2`, `…-3` for rebuilds."""
    base = f"{alias}-{generation.short}"
    name, number = base, 1
    while name in taken:
        number += 1
        name = f"{base}-{number}"
    return name


def prepare_index(client: Elasticsearch, alias: str, topic_id: str, *, begun: bool) -> str:
    """Makes the alias point at an index of the current generation; returns the index's name.

    Creates template, index and alias (at once) when there is none; doing it twice changes nothing.
    `begun`: whether the topic was ever written, as known before this is called: an index that is
    not there although it was is lost. Raises IndexLostError and IndexMismatchError (run
    `traverse reindex`), EngineAwayError, or InfraError when Elasticsearch refuses.
    """
    generation = current_generation(topic_id)
    with mapped(client):
        indices, pointed = read_alias(client, alias)
        name = plan_index(alias, generation, indices, pointed, begun=begun)
        if name is None:
            return pointed[0]
        return _create(client, name, generation, {alias: {"is_write_index": True}})


def prepare_indices(client: Elasticsearch, topic_id: str, *, begun: bool) -> dict[str, str]:
    """`prepare_index` for the alias of each audience; alias to index name."""
    return {
        alias: prepare_index(client, alias, topic_id, begun=begun) for alias in ALIASES.values()
    }


def copy_indices(client: Elasticsearch) -> None:
    """Indices that were made without copies get theirs. Raises EngineAwayError, InfraError."""
    with mapped(client):
        for alias in ALIASES.values():
            if indices := read_alias(client, alias)[1]:
                client.indices.put_settings(index=indices, settings=_COPIES)


def missing_aliases(client: Elasticsearch) -> list[str]:
    """The aliases that point at no index. Raises EngineAwayError, InfraError."""
    with mapped(client):
        return [alias for alias in ALIASES.values() if not read_alias(client, alias)[1]]


def fresh_index(
    client: Elasticsearch,
    alias: str,
    topic_id: str,
    more: Mapping[str, Any] = MappingProxyType({}),
    settings: Mapping[str, Any] = MappingProxyType({}),
) -> str:
    """Creates an empty index of the current generation, without the alias, to rebuild into.

    `more` goes beside the generation in its `_meta`; `settings` hold until they are changed.
    """
    generation = current_generation(topic_id)
    with mapped(client):
        indices, _ = read_alias(client, alias)
        name = new_name(alias, generation, indices)
        return _create(client, name, generation, {}, more=more, settings=settings)


def swap_aliases(client: Elasticsearch, wanted: Mapping[str, str]) -> tuple[str, ...]:
    """Points each alias at its index alone, all in one step that no search can fall between.

    Returns the indices that they pointed at before (and not any more), for the caller to delete.
    """
    with mapped(client):
        before: list[str] = []
        actions: list[dict[str, Any]] = []
        for alias, index in wanted.items():
            _, pointed = read_alias(client, alias)
            left = [name for name in pointed if name != index]
            before += left
            actions += [{"remove": {"index": name, "alias": alias}} for name in left]
            actions.append({"add": {"index": index, "alias": alias, "is_write_index": True}})
        client.indices.update_aliases(actions=actions)
    return tuple(before)


def delete_index(client: Elasticsearch, index: str) -> None:
    """Deletes an index that no alias points at any more; one that is gone already is fine."""
    with mapped(client):
        client.indices.delete(index=index, ignore_unavailable=True)


def read_alias(client: Elasticsearch, alias: str) -> tuple[dict[str, dict[str, Any]], list[str]]:
    """The indices of this alias, with their `_meta`; and those that it points at."""
    found = client.indices.get(
        index=f"{alias},{alias}-*", ignore_unavailable=True, features=["aliases", "mappings"]
    ).body
    metas = {name: dict(each["mappings"].get("_meta", {})) for name, each in found.items()}
    return metas, [name for name, each in found.items() if alias in each["aliases"]]


def _create(
    client: Elasticsearch,
    name: str,
    generation: Generation,
    aliases: dict[str, Any],
    *,
    more: Mapping[str, Any] = MappingProxyType({}),
    settings: Mapping[str, Any] = MappingProxyType({}),
) -> str:
    _apply_template(client, generation.fingerprint)
    try:
        # The other settings and the mapping come from the template.
        client.indices.create(
            index=name,
            mappings={"_meta": {**generation.meta, **more}},
            settings=dict(settings),
            aliases=aliases,
        )
    except BadRequestError as error:
        if error.error != "resource_already_exists_exception":
            raise
        # somebody else is preparing the same index
    return name


def _apply_template(client: Elasticsearch, fingerprint: str) -> None:
    """For every index of ours, those of other tools' making included. Written when it differs."""
    known = client.options(ignore_status=404).indices.get_index_template(name=TEMPLATE).body
    metas = [each["index_template"].get("_meta") for each in known.get("index_templates", [])]
    meta = {"fingerprint": fingerprint, **_COPIES}
    body = index_body()
    if metas != [meta]:
        patterns = [f"{alias}-*" for alias in ALIASES.values()]
        client.indices.put_index_template(
            name=TEMPLATE,
            index_patterns=patterns,
            template={**body, "settings": {**body["settings"], **_COPIES}},
            priority=500,
            meta=meta,
        )


@contextmanager
def mapped(client: Elasticsearch) -> Iterator[None]:
    """Elasticsearch's errors become ours here."""
    try:
        yield
    except TransportError as error:
        where = ", ".join(node.base_url for node in client.transport.node_pool.all())
        raise EngineAwayError("Elasticsearch", where, type(error).__name__) from error
    except ApiError as error:
        raise InfraError(f"Elasticsearch refuse ({error.status_code}) : {error}") from error
