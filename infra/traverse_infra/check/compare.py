"""Compares the log with the index, document by document, and repairs what differs.

The log is `traverse.opportunities`: its last message of each opportunity says what the two indices
hold of it, as the index step would write it. While events flow, the index is a moment behind: what
differs is asked again before it is said to differ.
"""

import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import orjson
from elasticsearch import ApiError, Elasticsearch, TransportError
from elasticsearch.helpers import streaming_bulk

from traverse_infra.check.ledger import Difference, Entry, Ledger, Sum, What, entry
from traverse_infra.engines.waiting import wait_until
from traverse_infra.errors import EngineAwayError, InfraError
from traverse_infra.log.reading import read_topic
from traverse_infra.log.topics import end_offsets
from traverse_schemas.documents.document import Stub
from traverse_schemas.documents.index_mapping import ALIASES
from traverse_schemas.log.engine_access import elasticsearch_client
from traverse_schemas.log.message import LogMessage
from traverse_schemas.log.topics import OPPORTUNITIES
from traverse_stream_processors.indexing.index import operations

_CHUNK = 1000
_NAMED = 1000
"""At most so many differences are named; all are counted."""

_MOST = 100_000
"""So many are asked again and repaired: it keeps memory flat, and more than that is no difference
but an index to make anew."""


class TooManyDifferencesError(InfraError):
    """Repairing one by one would take longer than rebuilding."""

    def __init__(self, count: int) -> None:
        super().__init__(
            f"{count} documents diffèrent : reconstruisez l'index (traverse reindex), ce sera plus "
            "court que de les réparer un à un."
        )


class Report(NamedTuple):
    """What a check found: sums by institution, how many documents differ (by institution, where
    any does), the first of them, how many were repaired, and why those that could not be."""

    sums: list[Sum]
    by_institution: dict[str, int]
    differences: list[Difference]
    repaired: int
    refused: list[str]

    @property
    def differing(self) -> int:
        """How many documents differed."""
        return sum(self.by_institution.values())

    @property
    def sound(self) -> bool:
        """Whether log and index say the same now."""
        return self.differing == self.repaired


def compare(
    bootstrap: str,
    elasticsearch: str,
    *,
    repair: bool = False,
    patience: float = 15,
    rest: Callable[[], None] = lambda: None,
) -> Report:
    """Check all, and with `repair` write anew what differs, no more. `patience`, in seconds, is
    given to an index step that is behind; `rest` is called between two portions. Raises
    EngineAwayError, TooManyDifferencesError, InfraError."""
    with (
        Elasticsearch(**elasticsearch_client(elasticsearch), request_timeout=120) as client,
        tempfile.TemporaryDirectory(prefix="traverse-check-") as folder,
    ):
        ledger = Ledger(Path(folder) / "ledger.sqlite")
        try:
            with _mapped(elasticsearch):
                return _Check(bootstrap, client, ledger, rest).run(repair, patience)
        finally:
            ledger.close()


class _Check:
    def __init__(
        self, bootstrap: str, client: Elasticsearch, ledger: Ledger, rest: Callable[[], None]
    ) -> None:
        self._bootstrap = bootstrap
        self._client = client
        self._ledger = ledger
        self._rest = rest
        self._read: dict[int, int] = {}

    def run(self, repair: bool, patience: float) -> Report:
        self._client.indices.refresh(index=list(ALIASES.values()))
        self._read_log()
        for chunk in _chunks(self._index()):
            self._ledger.from_index(chunk)
            self._rest()

        def settled() -> bool:
            if not self._differing():
                return True
            self._read_log()
            self._ask_again()
            return not self._differing()

        wait_until(settled, timeout=patience)
        found = list(islice(self._ledger.differences(), _NAMED))
        differing = self._ledger.differing()
        count = sum(differing.values())
        sums = self._ledger.sums()
        if repair and count > _MOST:
            raise TooManyDifferencesError(count)
        refused = self._repair() if repair and count else []
        left = sum(1 for _ in self._ledger.differences()) if repair else count
        return Report(sums, differing, found, count - left, refused)

    def _differing(self) -> bool:
        return next(self._ledger.differences(), None) is not None

    def _read_log(self) -> None:
        """What is new on the log since it was last read."""
        start, self._read = self._read, end_offsets(self._bootstrap, OPPORTUNITIES)
        messages = read_topic(self._bootstrap, OPPORTUNITIES, start)
        for chunk in _chunks(each for one in messages for each in expected(one)):
            self._ledger.from_log(chunk)
            self._rest()

    def _index(self) -> Iterator[Entry]:
        """Every document of both aliases."""
        for alias in ALIASES.values():
            point = self._client.open_point_in_time(index=alias, keep_alive="5m")["id"]
            try:
                after: list[Any] | None = None
                while True:
                    answer = self._client.search(
                        pit={"id": point, "keep_alive": "5m"},
                        size=_CHUNK,
                        sort=["_shard_doc"],
                        search_after=after,
                        version=True,
                        track_total_hits=False,
                    )
                    hits = answer["hits"]["hits"]
                    for hit in hits:
                        yield entry(alias, hit["_id"], hit["_version"], hit["_source"])
                    if len(hits) < _CHUNK:
                        break
                    after = hits[-1]["sort"]
            finally:
                self._client.close_point_in_time(id=point)

    def _ask_again(self) -> None:
        """What the index has by now of the documents that differ."""
        for chunk in _chunks(list(islice(self._ledger.differences(), _MOST))):
            answer = self._client.mget(
                docs=[{"_index": each.alias, "_id": each.id} for each in chunk]
            )
            found = []
            for each, document in zip(chunk, answer["docs"], strict=True):
                if document.get("found"):
                    version = document["_version"]
                    found.append(entry(each.alias, each.id, version, document["_source"]))
                else:
                    self._ledger.gone(each.alias, each.id)
            self._ledger.from_index(found)

    def _repair(self) -> list[str]:
        """Write what differs as the log has it; then ask again."""
        wanted = {(one.alias, one.id): one for one in self._ledger.differences()}
        whys: dict[str, str] = {}
        for done, answer in streaming_bulk(
            self._client, self._actions(wanted), raise_on_error=False, max_retries=8
        ):
            item = answer["index"]
            if not done:
                whys[item["_id"]] = str(item.get("error", {}).get("type"))
        self._ask_again()
        return [
            f"{one.id} : {one.what} ({whys.get(one.id, 'version')}) ; réessayez dans une minute, "
            "puis reconstruisez l'index (traverse reindex)"
            for one in self._ledger.differences()
        ]

    def _actions(self, wanted: Mapping[tuple[str, str], Difference]) -> Iterator[dict[str, Any]]:
        extra = [one for one in wanted.values() if one.what is What.EXTRA]
        for one in extra:
            # A stub, never a delete: see decision 4.
            yield _action(one, one.index_version or 0, orjson.dumps(Stub(id=one.id, stub=True)))
        if len(extra) == len(wanted):
            return
        for message in read_topic(self._bootstrap, OPPORTUNITIES):
            for operation in _operations(message):
                difference = wanted.get((operation.alias, operation.id))
                # Only its last message, which is the one that the ledger has.
                if difference is not None and difference.log_version == message.offset:
                    yield _action(difference, message.offset, operation.body)


def _action(one: Difference, version: int, body: bytes) -> dict[str, Any]:
    return {
        "_op_type": "index",
        "_index": one.alias,
        "_id": one.id,
        "version": version,
        # An altered document has the very version of its message.
        "version_type": "external_gte",
        "require_alias": True,
        "_source": orjson.loads(body),
    }


def expected(message: LogMessage) -> Iterator[Entry]:
    """What a message of `traverse.opportunities` makes the indices hold."""
    for operation in _operations(message):
        yield entry(operation.alias, operation.id, message.offset, orjson.loads(operation.body))


def _operations(message: LogMessage) -> Iterable[Any]:
    if message.value is None:
        return ()
    said = orjson.loads(message.value)
    return operations(said, orjson.dumps(said["document"]), message.offset)


def _chunks(items: Iterable[Any]) -> Iterator[list[Any]]:
    iterator = iter(items)
    while chunk := list(islice(iterator, _CHUNK)):
        yield chunk


@contextmanager
def _mapped(address: str) -> Iterator[None]:
    """Elasticsearch's errors become ours here."""
    try:
        yield
    except TransportError as error:
        raise EngineAwayError("Elasticsearch", address, type(error).__name__) from error
    except ApiError as error:
        raise InfraError(
            f"Elasticsearch refuse ({error.status_code}) : {error} ; voyez « traverse status »."
        ) from error
