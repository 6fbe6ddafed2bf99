"""The indices, over HTTP: the one module here that knows Elasticsearch's client.

A request touches the indices of its reader and no other, whatever it asks (decision 9 of the
design). Anybody's is the public one, read by a client that may be let into nothing else.
"""

import logging
import re
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from functools import partial
from itertools import accumulate
from typing import Any, Final

from elastic_transport import ConnectionTimeout, TransportError
from elasticsearch import ApiError, AsyncElasticsearch, BadRequestError, NotFoundError
from elasticsearch.serializer import OrjsonSerializer

from traverse_schemas.log.engine_access import engine_access
from traverse_search_api.access.reader import ANYBODY, Reader
from traverse_search_api.engines.line import AT_ONCE, PATIENCE, Line
from traverse_search_api.engines.pulse import Health, Pulse
from traverse_search_api.engines.spent import asking
from traverse_search_api.errors import (
    ExpiredCursorError,
    RefusedQueryError,
    SearchError,
    SearchUnavailableError,
    TooLongError,
)

_LOG = logging.getLogger(__name__)
# Ids are our own letters and digits. What else is asked for, "..", a text of kilobytes, would make
# another address of it.
_IDENTIFIER: Final = re.compile(r"[A-Za-z0-9_-]{1,100}", re.ASCII)
_JSON: Final = {"accept": "application/json", "content-type": "application/json"}
# What the answer needs; the rest of Elasticsearch's envelope is not sent at all.
_ANSWER: Final = (
    "took,timed_out,pit_id,hits.total,hits.hits._index,hits.hits._source,hits.hits.sort,"
    "hits.hits.highlight,hits.hits.matched_queries,aggregations,suggest"
)
_HEALTH: Final = 5.0  # seconds that Elasticsearch may take to say how it is
_CONNECTIONS: Final = 32  # at once: with fewer, that question waits behind slow searches
_EXPLAINED: Final = f"{_ANSWER},hits.hits._score"

_NO_INDEX: Final = "l’index n’est pas encore créé"
# Copies of a shard refresh each in their time: what is read of changed documents is of one copy.
_ONE_COPY: Final = "traverse-changes"
_VECTORS: Final = "docs._id,docs.found,docs.error,docs.term_vectors.*.terms"
_TERMS_ALONE: Final = {
    "positions": False, "offsets": False, "payloads": False, "field_statistics": False,
}  # fmt: skip
_MATCHED: Final = "hits.hits._source,hits.hits._version,aggregations"


def connect(address: str, timeout: float, *, members: bool = False) -> AsyncElasticsearch:
    """A client for the address (a URL); `timeout` in seconds. Opens no connection yet.

    With `members`, by the account that may read what is not public.
    """
    access = engine_access()
    return AsyncElasticsearch(
        **(access.for_members() if members else access).elasticsearch(address),
        request_timeout=timeout,
        connections_per_node=_CONNECTIONS,
        # A search that failed is the caller's to ask again: Retry-After says when.
        max_retries=0,
        serializer=OrjsonSerializer(),
    )


class Index:
    """Searches and reads the documents of some indices, as one."""

    def __init__(
        self,
        client: AsyncElasticsearch,
        aliases: Sequence[str],
        patience: float = 1.0,
        line: Line | None = None,
    ) -> None:
        """Reads `aliases` through `client`, which the caller closes.

        After `patience` seconds without an answer, Elasticsearch is asked whether it is there.
        Searches stand in `line`, which several indices share.
        """
        self._client = client
        self.aliases = tuple(aliases)
        self._together = ",".join(aliases)
        self._pulse = Pulse(self._health, patience)
        self._line = line or Line()

    async def search(
        self, body: dict[str, Any], *, explain: bool = False, patience: float = PATIENCE
    ) -> dict[str, Any]:
        """Elasticsearch's answer to a search (or to a page of a snapshot, with `pit`); with the
        scores of its named parts when asked to `explain`. It stands in line for `patience` seconds.

        Raises ExpiredCursorError when the snapshot is gone, RefusedQueryError when Elasticsearch
        does not take the query, BusyError when too many wait, SearchUnavailableError when it is
        away, or has no index.
        """
        snapshot = "pit" in body
        path = "/_search" if snapshot else f"/{self._together}/_search"
        params = {"filter_path": _ANSWER, "allow_partial_search_results": "false"}
        if explain:
            params |= {"include_named_queries_score": "true", "filter_path": _EXPLAINED}
        ask = partial(
            self._client.perform_request, "POST", path, params=params, headers=_JSON, body=body
        )
        try:
            with asking() as question:
                # Whether the engine is there is asked for who waits in line, too.
                answer = await self._pulse.wait(self._line.through(ask, patience))
                question.took = int(answer.body.get("took", 0))
        except NotFoundError as error:
            if snapshot:
                raise ExpiredCursorError from error
            raise _unavailable(error) from error
        except BadRequestError as error:
            raise _refused_query(error) from error
        except ConnectionTimeout as error:
            # It was there when it was asked (`Pulse`): leaving ends the search there too.
            _LOG.warning("search_too_long")
            raise TooLongError from error
        except (ApiError, TransportError) as error:
            raise _unavailable(error) from error
        found: dict[str, Any] = answer.body
        if found.get("timed_out"):
            raise TooLongError
        return found

    async def match(self, body: dict[str, Any], *, refusable: bool = False) -> dict[str, Any]:
        """Elasticsearch's answer to a search over documents that changed (`matching.looked`).

        Raises SearchUnavailableError; RefusedQueryError only where it is `refusable`, since others
        than us had a part in the query.
        """
        params = {
            "filter_path": _MATCHED, "allow_partial_search_results": "false",
            "preference": _ONE_COPY,
        }  # fmt: skip
        try:
            answer = await self._client.perform_request(
                "POST", f"/{self._together}/_search", params=params, headers=_JSON, body=body
            )
        except BadRequestError as error:
            raise (_refused_query(error) if refusable else _unavailable(error)) from error
        except (ApiError, TransportError) as error:
            raise _unavailable(error) from error
        found: dict[str, Any] = answer.body
        return found

    async def terms(
        self, identifiers: Sequence[str], fields: Sequence[str]
    ) -> dict[str, dict[str, frozenset[str]]]:
        """What the text of documents is to the index, by id and field, where a field has any; of
        one index, as a search shows it. Raises SearchUnavailableError.
        """
        parameters = {**_TERMS_ALONE, "fields": list(fields)}
        docs = await self._vectors({"ids": list(identifiers), "parameters": parameters})
        return {
            one["_id"]: {
                name: frozenset(vector["terms"]) for name, vector in one["term_vectors"].items()
            }
            for one in docs
            if one.get("term_vectors")
        }

    async def analysed(
        self, texts: Sequence[str], field: str, analyzer: str
    ) -> list[frozenset[str]]:
        """What each text is to a field of one index, read as `analyzer` does.

        Raises SearchUnavailableError.
        """
        # All in one document that is nowhere, told apart by the line that they lie in: whatever one
        # of them holds, it is one line. Unlike `_analyze` this asks for the right to read alone.
        lines = [_one_line(text) for text in texts]
        document: Any = "\n".join(lines)
        for name in reversed(field.split(".")):
            document = {name: document}
        asked = {
            **_TERMS_ALONE, "offsets": True, "doc": document, "fields": [field],
            "per_field_analyzer": {field: analyzer},
        }  # fmt: skip
        # In UTF-16 units, as Java counts.
        starts = list(accumulate(len(text.encode("utf-16-le")) // 2 + 1 for text in lines))
        found: list[set[str]] = [set() for _ in texts]
        for one in await self._vectors({"docs": [asked]}):
            vector = one.get("term_vectors", {}).get(field, {})
            for term, where in vector.get("terms", {}).items():
                for token in where["tokens"]:
                    found[bisect_right(starts, token["start_offset"])].add(term)
        return [frozenset(each) for each in found]

    async def _vectors(self, body: dict[str, Any]) -> list[dict[str, Any]]:
        path = f"/{self._together}/_mtermvectors"
        params = {"filter_path": _VECTORS, "realtime": "false", "preference": _ONE_COPY}
        try:
            answer = await self._client.perform_request(
                "POST", path, params=params, headers=_JSON, body=body
            )
        except (ApiError, TransportError) as error:
            raise _unavailable(error) from error
        found: list[dict[str, Any]] = answer.body.get("docs", [])
        for one in found:
            if "error" in one:
                raise _refused(one["error"])
        return found

    async def versions(self, identifiers: Sequence[str]) -> dict[str, int]:
        """The versions of these documents as last written, refreshed or not, by id; of one index.

        Raises SearchUnavailableError.
        """
        path, params = f"/{self._together}/_mget", {"_source": "false"}
        try:
            answer = await self._client.perform_request(
                "POST", path, params=params, headers=_JSON, body={"ids": list(identifiers)}
            )
        except (ApiError, TransportError) as error:
            raise _unavailable(error) from error
        return {one["_id"]: int(one["_version"]) for one in answer.body["docs"] if one["found"]}

    async def _health(self) -> Health:
        try:
            health = await self._client.options(request_timeout=_HEALTH).cluster.health(
                index=self._together, local=True, filter_path="status"
            )
        except (ApiError, TransportError) as error:
            _LOG.warning("elasticsearch_stands_still cause=%s", error)
            return Health.SILENT
        return Health.ILL if health.get("status") == "red" else Health.WELL

    async def open_snapshot(self, keep_alive: str) -> str:
        """The id of a new point in time. Raises SearchUnavailableError."""
        try:
            answer = await self._pulse.wait(
                self._client.open_point_in_time(index=self._together, keep_alive=keep_alive)
            )
        except (ApiError, TransportError) as error:
            raise _unavailable(error) from error
        return str(answer["id"])

    async def close_snapshot(self, identifier: str) -> None:
        """Gives a point in time back; one that is gone is no error, it ends by itself."""
        try:
            await self._client.close_point_in_time(id=identifier)
        except (ApiError, TransportError) as error:
            _LOG.info("snapshot_not_closed cause=%s", error)

    async def held(self, identifier: str) -> list[dict[str, Any] | None]:
        """What each index holds under this id as last written, in their order: a document, a stub,
        or None.

        Raises SearchUnavailableError.
        """
        if _IDENTIFIER.fullmatch(identifier) is None:
            return [None] * len(self.aliases)
        wanted = [{"_index": alias, "_id": identifier} for alias in self.aliases]
        try:
            answer = await self._pulse.wait(
                self._client.perform_request("POST", "/_mget", headers=_JSON, body={"docs": wanted})
            )
        except (ApiError, TransportError) as error:
            raise _unavailable(error) from error
        for one in answer.body["docs"]:
            if "error" in one:
                raise _refused(one["error"])
        return [one["_source"] if one["found"] else None for one in answer.body["docs"]]

    async def check(self) -> None:
        """Raises SearchUnavailableError unless the alias exists and its documents can be read."""
        try:
            await self._pulse.wait(self._client.count(index=self._together, terminate_after=1))
        except (ApiError, TransportError) as error:
            raise _unavailable(error) from error


class Indices:
    """The indices of each audience, and which of them a reader's requests touch."""

    def __init__(
        self,
        public: AsyncElasticsearch,
        members: AsyncElasticsearch,
        aliases: Mapping[str, str],
        patience: float = 1.0,
        at_once: int = AT_ONCE,
    ) -> None:
        """`public` and `members` are clients of two accounts, or the same; `aliases` by index;
        `at_once` is how many searches are asked at a time."""
        self._public, self._members = public, members
        self._aliases = aliases
        self._patience = patience
        self._line = Line(at_once)
        self._known: dict[tuple[str, ...], Index] = {}
        self.public = self.of(ANYBODY)

    def of(self, reader: Reader) -> Index:
        """All that the reader's requests may touch."""
        return self._index(reader.indices)

    def whole(self, reader: Reader) -> Index:
        """What it may read without exception: words and counts of these tell nothing hidden."""
        return self._index(reader.whole)

    def one(self, name: str) -> Index:
        """The index of one audience."""
        return self._index((name,))

    def _index(self, names: tuple[str, ...]) -> Index:
        found = self._known.get(names)
        if found is None:
            client = self._public if names == ANYBODY.indices else self._members
            aliases = [self._aliases[name] for name in names]
            found = self._known[names] = Index(client, aliases, self._patience, self._line)
        return found


def _one_line(text: str) -> str:
    return " ".join(text.split()).encode("utf-8", "replace").decode()


def _refused(cause: Mapping[str, Any]) -> SearchUnavailableError:
    _LOG.warning("search_unavailable cause=%s", cause.get("reason"))
    if cause.get("type") == "index_not_found_exception":
        return SearchUnavailableError(_NO_INDEX)
    return SearchUnavailableError()


def _refused_query(error: BadRequestError) -> SearchError:
    if "index_closed_exception" in str(error):
        return _unavailable(error)  # told with the same status, and no fault of the query
    _LOG.error("query_refused cause=%s", error)
    return RefusedQueryError()


def _unavailable(error: Exception) -> SearchUnavailableError:
    """The caller gets a sentence; the operator gets the cause, in the log."""
    _LOG.warning("search_unavailable cause=%s", error)
    if isinstance(error, NotFoundError):
        return SearchUnavailableError(_NO_INDEX)
    return SearchUnavailableError()
