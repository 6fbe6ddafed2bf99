"""Rebuilds the indices from `traverse.opportunities` beside the live ones, then swaps the aliases.

Searches and processors go on meanwhile. For the moment of the swap the live indices take no write:
the index step waits and sends again, the new ones catch up to the end of the log, and so hold
whatever anybody has seen. The version of a document is its offset as before, so streams and their
positions notice nothing. Killed at any moment, it goes on where it was when it is asked again.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from elasticsearch import Elasticsearch

from traverse_infra.engines.waiting import wait_until
from traverse_infra.errors import InfraError
from traverse_infra.indices import delete_index, mapped, read_alias, swap_aliases
from traverse_infra.log.topics import opportunities_generation
from traverse_infra.reindex import unfinished
from traverse_infra.reindex.copying import Copied, Copier
from traverse_infra.reindex.unfinished import Unfinished
from traverse_schemas.documents.index_mapping import ALIASES
from traverse_schemas.log.engine_access import elasticsearch_client
from traverse_stream_processors.indexing.bulk import Refused

_NEAR = 2000
"""So many messages behind, the new indices catch up in the moment of the swap."""

_MOST_ROUNDS = 50
_SAVED_EVERY = 8000
_READERS = 65 * 60.0
"""Seconds that readers of pages and exports have to end with the former indices: the longest that a
search service keeps a point in time (`cursor_minutes`), and some."""


class RebuildError(InfraError):
    """The new index would hold less than the old one: it is dropped, the old one stays."""


def rebuild(
    bootstrap: str, elasticsearch: str, *, anew: bool = False, readers: float = _READERS
) -> Iterator[str]:
    """Do it, or go on with one that was stopped, and tell each stage in a sentence.

    `anew`: drop what one that was stopped has filled. `readers`: seconds left to those who read the
    former indices page by page. Raises RebuildError; the old index then stays. Whatever else it
    raises, what was copied is kept for the next time.
    """
    topic_id = opportunities_generation(bootstrap)
    with (
        Elasticsearch(**elasticsearch_client(elasticsearch), request_timeout=120) as client,
        mapped(client),
    ):
        state = unfinished.find(client, topic_id)
        if state is not None and anew and not state.swapped:
            state = None
        unfinished.sweep(client, state)
        if state is None:
            state = unfinished.begin(client, topic_id)
        elif not state.swapped:
            done = sum(state.positions.values())
            yield f"Reprise d'une reconstruction interrompue, à la position {done} du journal."
        with Copier(bootstrap, elasticsearch, _by_name(state), state.positions) as copier:
            filling = _Filling(client, topic_id, copier, state)
            if not state.swapped:
                release(client)  # what one that was killed in its swap may have left behind
                yield from filling.swap_once_filled()
            # Nothing, unless somebody let the former indices be written in between.
            filling.copy()
            state = filling.state
        yield "Les alias désignent les nouveaux index."
        yield from _leave(client, state.former, readers)
        unfinished.end(client, topic_id, state)


class _Filling:
    """From indices that hold part of the log to the swap."""

    def __init__(
        self, client: Elasticsearch, topic_id: str, copier: Copier, state: Unfinished
    ) -> None:
        self._client = client
        self._topic_id = topic_id
        self._copier = copier
        self._messages = self._refused = 0
        self.state = state

    def swap_once_filled(self) -> Iterator[str]:
        for _ in range(_MOST_ROUNDS):
            before = self._messages
            self.copy()
            if self._messages - before < _NEAR:
                break
        unfinished.refresh_as_declared(self._client, self.state)
        live = _live(self._client, self.state)
        self.state = self.state._replace(former=tuple(live))
        unfinished.save(self._client, self._topic_id, self.state)
        # A large refresh now, so that the one in the moment of the swap is small.
        self._refresh()
        with held(self._client, live):
            self.copy()
            self._refresh()
            swap_aliases(self._client, self.state.indices)
        self.state = self.state._replace(swapped=True)
        names = ", ".join(self.state.indices.values())
        yield f"{self._messages} messages relus dans {names}."
        if self._refused:
            yield f"{self._refused} document(s) refusés, comme ils l'avaient été la première fois."

    def _refresh(self) -> None:
        self._client.indices.refresh(index=list(self.state.indices.values()))

    def copy(self) -> None:
        """Everything up to the present end of the log."""
        saved = self._messages
        for portion in self._copier.copy():
            self._take(portion)
            if self._messages - saved >= _SAVED_EVERY:
                saved = self._messages
                unfinished.save(self._client, self._topic_id, self.state)

    def _take(self, portion: Copied) -> None:
        try:
            self._check_refused(portion.refused)
        except RebuildError:
            unfinished.sweep(self._client, None)
            raise
        self._messages += portion.messages
        self._refused += len({(one.operation.alias, one.operation.id) for one in portion.refused})
        positions = {**self.state.positions, **portion.positions}
        self.state = self.state._replace(positions=positions)

    def _check_refused(self, refused: Sequence[Refused]) -> None:
        """A document that was refused before too is no loss; one that the old index holds is."""
        for alias, index in self.state.indices.items():
            ids = sorted({one.operation.id for one in refused if one.operation.alias == index})
            if not ids or not self._client.indices.exists_alias(name=alias):
                continue
            answer = self._client.mget(index=alias, ids=ids, source=False)
            lost = [document["_id"] for document in answer["docs"] if document.get("found")]
            if lost:
                raise RebuildError(
                    f"Elasticsearch refuse {len(lost)} document(s) que l'ancien index contient, "
                    f"dont {lost[0]} : la reconstruction est abandonnée, l'ancien index reste en "
                    "service."
                )


@contextmanager
def held(client: Elasticsearch, indices: Sequence[str]) -> Iterator[None]:
    """These indices take no write meanwhile; what is under way ends first. Searches go on."""
    try:
        if indices:
            client.indices.add_block(index=",".join(indices), block="write")
        yield
    except BaseException:
        release(client)
        raise


def release(client: Elasticsearch) -> None:
    """Let the indices that the aliases point at be written again."""
    with mapped(client):
        for alias in ALIASES.values():
            indices = read_alias(client, alias)[1]
            if indices:
                client.indices.put_settings(index=indices, settings={"index.blocks.write": None})


def _live(client: Elasticsearch, state: Unfinished) -> list[str]:
    found = [read_alias(client, alias)[1] for alias in ALIASES.values()]
    mine = set(state.indices.values())
    return sorted({index for pointed in found for index in pointed} - mine)


def _leave(client: Elasticsearch, former: Sequence[str], patience: float) -> Iterator[str]:
    """Delete the former indices once nobody reads pages from them any more."""

    def unread() -> bool:
        stats = client.indices.stats(index=there, metric="search")
        return not stats["_all"]["total"].get("search", {}).get("open_contexts", 0)

    there = [index for index in former if client.indices.exists(index=index)]
    if not there:
        return
    if not unread():
        yield "Des lecteurs en sont encore à une page des anciens index : ils finissent."
        wait_until(unread, timeout=patience)
    for index in there:
        delete_index(client, index)
    yield f"Anciens index supprimés : {', '.join(there)}."


def _by_name(state: Unfinished) -> dict[str, str]:
    return {name: state.indices[alias] for name, alias in ALIASES.items()}
