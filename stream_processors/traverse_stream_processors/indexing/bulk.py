"""Bulk: the one module of this package that knows the Elasticsearch client."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from elastic_transport import ConnectionError as TransportConnectionError
from elastic_transport import ConnectionTimeout
from elasticsearch import ApiError, AsyncElasticsearch
from tenacity import (
    AsyncRetrying,
    RetryCallState,
    retry_if_exception_type,
    wait_exponential_jitter,
)

from traverse_stream_processors.errors import IndexUnavailableError
from traverse_stream_processors.indexing.index import Operation, Verdict, verdict
from traverse_stream_processors.telemetry import logger

# The items' status and error are all that is read of an answer; the rest is not even sent.
_ANSWER = "errors,items.*.status,items.*.error.type,items.*.error.reason"
_BUSY = frozenset({429, 500, 502, 503, 504})
# Elasticsearch refuses a request of more than 100 MB (http.max_content_length), and a batch of
# large events comes to more; smaller requests also cost it less memory.
_MOST_OCTETS = 8 * 1024 * 1024


class Refused(NamedTuple):
    """A document that Elasticsearch refuses, and why, in its words."""

    operation: Operation
    why: str


class _AgainError(Exception):
    """Part of a bulk, or all of it, must be sent again."""


class BulkWriter:
    """Sends bulks until every operation is done or refused.

    Elasticsearch away or busy (429, 5xx): waits with growing pauses and sends again what is not
    done, for as long as it takes. Raises IndexUnavailableError on 401, 403 and 404, which no
    waiting mends.
    """

    def __init__(self, client: AsyncElasticsearch) -> None:
        self._client = client

    async def write(
        self,
        operations: Sequence[Operation],
        held: set[Operation] | None = None,
        *,
        refresh: bool = False,
    ) -> list[Refused]:
        """Write all; give those that were refused, and add to `held` those of which the index held
        this version or a newer one before. With `refresh` searches show them when this returns,
        else at the next refresh of the index."""
        refused: list[Refused] = []
        for portion in _portions(operations):
            await self._write(portion, refused, held, refresh)
        return refused

    async def _write(
        self,
        portion: Sequence[Operation],
        refused: list[Refused],
        held: set[Operation] | None,
        refresh: bool,
    ) -> None:
        waiting = list(portion)
        async for attempt in AsyncRetrying(
            retry=retry_if_exception_type(_AgainError),
            wait=wait_exponential_jitter(multiplier=0.2, max=15, jitter=0.1),
            before_sleep=_say_waiting,
        ):
            with attempt:
                # Sent again, it may be held since the time before.
                first, held = held, None
                waiting = await self._send(waiting, refused, first, refresh)
                if waiting:
                    raise _AgainError(f"{len(waiting)} documents en attente")

    async def _send(
        self,
        operations: Sequence[Operation],
        refused: list[Refused],
        held: set[Operation] | None,
        refresh: bool,
    ) -> list[Operation]:
        """Send once; give what must be sent again, add what is refused, and what was held."""
        if not operations:
            return []
        body: list[Any] = []
        for operation in operations:
            body += (operation.action, operation.body)
        try:
            answer = await self._client.bulk(operations=body, filter_path=_ANSWER, refresh=refresh)
        except (TransportConnectionError, ConnectionTimeout) as error:
            raise _AgainError(type(error).__name__) from error
        except ApiError as error:
            if error.status_code in _BUSY:
                raise _AgainError(str(error.status_code)) from error
            raise IndexUnavailableError(_stop_sentence(error.status_code, "")) from error
        if not answer["errors"]:
            return []
        again: list[Operation] = []
        for operation, wrapped in zip(operations, answer["items"], strict=True):
            item = wrapped["index"]
            said = verdict(item)
            if held is not None and item["status"] == 409:
                held.add(operation)
            if said is Verdict.RETRY:
                again.append(operation)
            elif said is Verdict.REFUSED:
                error_of = item.get("error", {})
                refused.append(
                    Refused(operation, f"{error_of.get('type')} : {error_of.get('reason')}")
                )
            elif said is Verdict.STOP:
                raise IndexUnavailableError(_stop_sentence(item["status"], operation.alias))
        return again


def _portions(operations: Sequence[Operation]) -> Iterator[Sequence[Operation]]:
    """Cut where the octets of one request are reached; one operation goes whole in any case."""
    start = octets = 0
    for end, operation in enumerate(operations):
        size = len(operation.action) + len(operation.body) + 2
        if end > start and octets + size > _MOST_OCTETS:
            yield operations[start:end]
            start, octets = end, 0
        octets += size
    if start < len(operations):
        yield operations[start:]


def _stop_sentence(status: int, alias: str) -> str:
    if status == 404:
        return (
            f"L'index {alias} n'est plus dans Elasticsearch : lancez « traverse reindex », qui le "
            "refait du journal, puis relancez « traverse work »."
        )
    return (
        f"Elasticsearch refuse l'écriture (réponse {status}) : vérifiez les droits du compte de "
        "« traverse work », puis relancez."
    )


def _say_waiting(attempt: RetryCallState) -> None:
    error = attempt.outcome.exception() if attempt.outcome else None
    logger.warning(
        "Elasticsearch n'a pas tout pris (%s) : nouvel essai dans %.1f s, rien n'est perdu.",
        error,
        attempt.next_action.sleep if attempt.next_action else 0,
    )
