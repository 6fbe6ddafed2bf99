"""The search step: parameters in, the contract's answer out, one round trip."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from traverse_schemas.clock import Clock, clock_from
from traverse_schemas.reference.territories import Territories
from traverse_schemas.status import french_day
from traverse_search_api.cursor import Cursor, decode, encode, fingerprint
from traverse_search_api.elasticsearch_client import PublicIndex
from traverse_search_api.errors import MergedError, UnknownOpportunityError, WithdrawnError
from traverse_search_api.facets import read_facets
from traverse_search_api.items import detail_of, item_of
from traverse_search_api.paging import Snapshots, View, next_page
from traverse_search_api.parameters import SearchParameters
from traverse_search_api.queries import EXACT_TOTAL, VIEW, search_body
from traverse_search_api.status_query import whole_millisecond


@dataclass(frozen=True, slots=True)
class Searcher:
    """What a search needs besides its parameters. `keep_alive` is Elasticsearch's (`5m`)."""

    index: PublicIndex
    snapshots: Snapshots
    territories: Territories
    clock: Clock
    cursor_key: bytes
    keep_alive: str

    async def search(self, parameters: SearchParameters) -> tuple[dict[str, Any], int]:
        """The contract's answer, and the milliseconds that Elasticsearch took.

        Raises InvalidParameterError, InvalidCursorError, ExpiredCursorError,
        SearchUnavailableError.
        """
        cursor = self._cursor(parameters)
        as_of = datetime.fromisoformat(cursor.as_of) if cursor else self.as_of(parameters.as_of)
        body = search_body(parameters, as_of, self.territories)
        if cursor:
            body = next_page(body, cursor, self.keep_alive)
        found = await self.index.search(body)
        hits = found.get("hits", {}).get("hits", [])
        page = hits[: parameters.size]
        total, exact = _total(found, cursor)
        following = None
        if len(hits) > parameters.size:
            following = (
                replace(
                    cursor,
                    snapshot=found.get("pit_id", cursor.snapshot),
                    after=tuple(page[-1]["sort"]),
                )
                if cursor
                else await self._second(parameters, found, page, as_of)
            )
        answer = {
            "total": {"value": total, "exact": exact},
            "items": [item_of(hit, as_of) for hit in page],
            "facets": read_facets(
                found.get("aggregations", {}), parameters.facets, self.territories
            ),
            "next": encode(following, self.cursor_key) if following else None,
            "correction": None,
            "diagnosis": None,
        }
        return answer, found.get("took", 0)

    async def detail(self, identifier: str, as_of_text: str | None) -> dict[str, Any]:
        """One public opportunity, whole.

        Raises UnknownOpportunityError, MergedError, WithdrawnError (a stub, or expired),
        SearchUnavailableError.
        """
        as_of = self.as_of(as_of_text)
        document = await self.index.get(identifier)
        if document is None:
            raise UnknownOpportunityError(identifier)
        if merged_into := document.get("merged_into"):
            raise MergedError(merged_into)
        if document.get("stub") or document.get("visibility") != "public":
            raise WithdrawnError
        expires = document.get("expires")
        if expires and expires < french_day(as_of).isoformat():
            raise WithdrawnError
        return detail_of(document, as_of)

    def as_of(self, text: str | None) -> datetime:
        """The instant that a request judges from: its own, else the service's clock."""
        return whole_millisecond((clock_from(text) if text else self.clock).now())

    def _cursor(self, parameters: SearchParameters) -> Cursor | None:
        if parameters.cursor is None:
            return None
        return decode(parameters.cursor, parameters, self.cursor_key)

    async def _second(
        self,
        parameters: SearchParameters,
        found: dict[str, Any],
        page: list[dict[str, Any]],
        as_of: datetime,
    ) -> Cursor:
        total, exact = _total(found, None)
        return Cursor(
            snapshot=await self.snapshots.of(_view(found)),
            shown=tuple(hit["_source"]["id"] for hit in page),
            after=None,
            total=total,
            exact=exact,
            as_of=as_of.isoformat(),
            search=fingerprint(parameters),
        )


def _view(found: dict[str, Any]) -> View:
    last_write = found["aggregations"][VIEW]["last_write"]["value"]
    return found["hits"]["hits"][0]["_index"], int(last_write)


def _total(found: dict[str, Any], cursor: Cursor | None) -> tuple[int, bool]:
    if cursor:
        return cursor.total, cursor.exact
    total = found["hits"]["total"]
    return min(total["value"], EXACT_TOTAL), total["relation"] == "eq"
