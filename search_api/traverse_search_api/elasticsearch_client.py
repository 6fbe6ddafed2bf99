"""The public index, over HTTP: the one module here that knows Elasticsearch's client.

Only the public alias is read, whatever the caller asks (decision 9 of the design).
"""

import asyncio
import logging
import re
from collections.abc import Coroutine, Sequence
from typing import Any, Final, TypeVar

from elastic_transport import TransportError
from elasticsearch import ApiError, AsyncElasticsearch, NotFoundError
from elasticsearch.serializer import OrjsonSerializer

from traverse_schemas.engine_access import elasticsearch_client
from traverse_schemas.index_mapping import PUBLIC_ALIAS
from traverse_search_api.errors import ExpiredCursorError, SearchUnavailableError

_LOG = logging.getLogger(__name__)
# Ids are our own letters and digits. What else is asked for, "..", a text of kilobytes, would make
# another address of it.
_IDENTIFIER: Final = re.compile(r"[A-Za-z0-9_-]{1,100}", re.ASCII)
_JSON: Final = {"accept": "application/json", "content-type": "application/json"}
# What the answer needs; the rest of Elasticsearch's envelope is not sent at all.
_ANSWER: Final = (
    "took,timed_out,pit_id,hits.total,hits.hits._index,hits.hits._source,hits.hits.sort,"
    "hits.hits.highlight,aggregations,suggest"
)
_PING: Final = 0.8  # seconds
Answer = TypeVar("Answer")
_EXPLAINED: Final = f"{_ANSWER},hits.hits._score,hits.hits.matched_queries"

_MATCHED: Final = "hits.hits._source,hits.hits._version,aggregations"


def connect(address: str, timeout: float) -> AsyncElasticsearch:
    """A client for the address (a URL); `timeout` in seconds. Opens no connection yet."""
    return AsyncElasticsearch(
        **elasticsearch_client(address),
        request_timeout=timeout,
        # A search that failed is the caller's to ask again: Retry-After says when.
        max_retries=0,
        serializer=OrjsonSerializer(),
    )


class PublicIndex:
    """Searches and reads the documents that anybody may see."""

    def __init__(
        self, client: AsyncElasticsearch, alias: str = PUBLIC_ALIAS, patience: float = 1.0
    ) -> None:
        """Reads `alias` through `client`, which the caller closes.

        After `patience` seconds without an answer, Elasticsearch is asked whether it is there.
        """
        self._client = client
        self._alias = alias
        self._patience = patience

    async def search(self, body: dict[str, Any], *, explain: bool = False) -> dict[str, Any]:
        """Elasticsearch's answer to a search (or to a page of a snapshot, with `pit`); with the
        scores of its named parts when asked to `explain`.

        Raises ExpiredCursorError when the snapshot is gone, SearchUnavailableError when
        Elasticsearch is away, too busy, or has no index.
        """
        snapshot = "pit" in body
        path = "/_search" if snapshot else f"/{self._alias}/_search"
        params = {"filter_path": _ANSWER, "allow_partial_search_results": "false"}
        if explain:
            params |= {"include_named_queries_score": "true", "filter_path": _EXPLAINED}
        try:
            answer = await self._patiently(
                self._client.perform_request("POST", path, params=params, headers=_JSON, body=body)
            )
        except NotFoundError as error:
            if snapshot:
                raise ExpiredCursorError from error
            raise _unavailable(error) from error
        except (ApiError, TransportError) as error:
            raise _unavailable(error) from error
        found: dict[str, Any] = answer.body
        if found.get("timed_out"):
            raise SearchUnavailableError("le moteur de recherche est surchargé")
        return found

    async def match(self, body: dict[str, Any]) -> dict[str, Any]:
        """Elasticsearch's answer to a search over documents that changed (`stream.matching`).

        Raises SearchUnavailableError.
        """
        params = {"filter_path": _MATCHED, "allow_partial_search_results": "false"}
        try:
            answer = await self._client.perform_request(
                "POST", f"/{self._alias}/_search", params=params, headers=_JSON, body=body
            )
        except (ApiError, TransportError) as error:
            raise _unavailable(error) from error
        found: dict[str, Any] = answer.body
        return found

    async def versions(self, identifiers: Sequence[str]) -> dict[str, int]:
        """The versions of these documents as last written, refreshed or not, by id.

        Raises SearchUnavailableError.
        """
        path, params = f"/{self._alias}/_mget", {"_source": "false"}
        try:
            answer = await self._client.perform_request(
                "POST", path, params=params, headers=_JSON, body={"ids": list(identifiers)}
            )
        except (ApiError, TransportError) as error:
            raise _unavailable(error) from error
        return {one["_id"]: int(one["_version"]) for one in answer.body["docs"] if one["found"]}

    async def _patiently(self, request: Coroutine[Any, Any, Answer]) -> Answer:
        """The answer, however long it takes, as long as Elasticsearch is there and not red.

        A search may be slow; an Elasticsearch that is away or stands still must be said at once.
        """
        task = asyncio.ensure_future(request)
        try:
            done, _ = await asyncio.wait({task}, timeout=self._patience)
            if not done and not await self._alive():
                raise SearchUnavailableError
            return await task
        finally:
            task.cancel()

    async def _alive(self) -> bool:
        try:
            health = await self._client.options(request_timeout=_PING).cluster.health(
                index=self._alias, local=True, filter_path="status"
            )
        except (ApiError, TransportError) as error:
            _LOG.warning("elasticsearch_stands_still cause=%s", error)
            return False
        return bool(health.get("status") != "red")

    async def open_snapshot(self, keep_alive: str) -> str:
        """The id of a new point in time. Raises SearchUnavailableError."""
        try:
            answer = await self._patiently(
                self._client.open_point_in_time(index=self._alias, keep_alive=keep_alive)
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

    async def get(self, identifier: str) -> dict[str, Any] | None:
        """The document or stub of this id as last written, or None.

        Raises SearchUnavailableError.
        """
        if _IDENTIFIER.fullmatch(identifier) is None:
            return None
        path = f"/{self._alias}/_doc/{identifier}"
        try:
            answer = await self._patiently(self._client.perform_request("GET", path, headers=_JSON))
        except NotFoundError as error:
            if "error" in error.body:  # no index, rather than no document
                raise _unavailable(error) from error
            return None
        except (ApiError, TransportError) as error:
            raise _unavailable(error) from error
        document: dict[str, Any] = answer.body["_source"]
        return document

    async def check(self) -> None:
        """Raises SearchUnavailableError unless the alias exists and its documents can be read."""
        try:
            await self._patiently(self._client.count(index=self._alias, terminate_after=1))
        except (ApiError, TransportError) as error:
            raise _unavailable(error) from error


def _unavailable(error: Exception) -> SearchUnavailableError:
    """The caller gets a sentence; the operator gets the cause, in the log."""
    _LOG.warning("search_unavailable cause=%s", error)
    if isinstance(error, NotFoundError):
        return SearchUnavailableError("l’index n’est pas encore créé")
    return SearchUnavailableError()
