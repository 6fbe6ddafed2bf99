"""What a page reads, for who asks: searches, and counts that no search makes."""

import asyncio
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from fastapi import Request

from traverse_schemas.log.identity import opportunity_id
from traverse_schemas.reference.territories import Territories
from traverse_search_api.access.reader import Reader
from traverse_search_api.access.ways import Readers
from traverse_search_api.answers.items import item_of
from traverse_search_api.filters.parameter_filters import readable_filters
from traverse_search_api.groupings import groupings
from traverse_search_api.groupings.errors import GroupingsUnavailableError
from traverse_search_api.groupings.groupings import PATIENCE, GroupingParameters, GroupingRows
from traverse_search_api.groupings.read import read_grouping
from traverse_search_api.parameters import SearchParameters
from traverse_search_api.query.queries import ITEM_FIELDS
from traverse_search_api.search import Searcher

Query = dict[str, Any]

_BRIEF: Final = [field for field in ITEM_FIELDS if field != "description"]
_PURCHASES: Final = ("purchase", "purchase_programme", "contract")
_PATIENCE: Final = 0.5  # seconds for which the page of a record waits for groupings


@dataclass(frozen=True, slots=True)
class Reading:
    """One reader's look at what is published, at one instant."""

    searcher: Searcher
    reader: Reader
    as_of: datetime

    @property
    def territories(self) -> Territories:
        """The reference tables."""
        return self.searcher.territories

    async def find(self, **asked: Any) -> dict[str, Any]:
        """The answer of a search that needs no facets. Raises as Searcher.search does."""
        parameters = SearchParameters.model_validate(
            {"facets": "none", "as_typed": True, "as_of": self.as_of.isoformat(), **asked}
        )
        return await self.searcher.search(parameters, self.reader)

    async def look(
        self, *clauses: Query, scored: Query | None = None, named: bool = False, **body: Any
    ) -> dict[str, Any]:
        """Elasticsearch's answer about the documents that this reader may read and that match
        every clause; in the order of `scored`, where that is given. With `named`, each hit tells
        which named clauses it matches."""
        always, never = readable_filters(self.as_of, self.reader)
        must = [] if scored is None else [scored]
        query = {"bool": {"must": must, "filter": [*always, *clauses], "must_not": never}}
        return await self.searcher.indices.of(self.reader).search(
            {"size": 0, **body, "query": query}, explain=named
        )

    async def items(
        self, *clauses: Query, size: int, sort: list[Query]
    ) -> tuple[list[dict[str, Any]], int]:
        """The items of documents that match every clause, in an order, and how many there are in
        all; `size` is at most 10,000. Without their descriptions: those are most of a document."""
        found = await self.look(
            *clauses, size=size, sort=sort, track_total_hits=True, _source=_BRIEF
        )
        return self.shown(found), int(found["hits"]["total"]["value"])

    def shown(self, found: dict[str, Any]) -> list[dict[str, Any]]:
        """The hits of an answer as items, with what this reader may know of them."""
        hits = found.get("hits", {}).get("hits", [])
        return [item_of(hit, self.as_of, self.reader) for hit in hits]


@dataclass(frozen=True, slots=True)
class Readings:
    """Gives each request its reading."""

    searcher: Searcher
    readers: Readers
    rows: GroupingRows

    def of(self, request: Request, as_of: str | None = None) -> Reading:
        """What this request reads, at the date that it names or the service's. Raises as
        `Readers.of` does."""
        reader = self.readers.of(request)
        return Reading(self.searcher, reader, self.searcher.as_of(as_of))

    async def groupings(self, reading: Reading, **asked: Any) -> dict[str, Any]:
        """The groupings that this reader may see, as `GET /v1/groupings` answers. Raises
        GroupingsUnavailableError, InvalidParameterError."""
        return await read_groupings(self.rows, reading, **asked)

    async def grouping(self, reading: Reading, identifier: str) -> dict[str, Any]:
        """One of them by its id. Raises as `read_grouping` does."""
        return await read_grouping(
            self.rows, reading.searcher, identifier, reading.as_of, reading.reader
        )

    async def groupings_of(
        self, reading: Reading, document: dict[str, Any]
    ) -> list[dict[str, Any]]:
        """Those that a purchase is in; none while they cannot be read: a page is whole without."""
        if document["subtype"] not in _PURCHASES:
            return []
        records = [opportunity_id(one["source"], one["subject"]) for one in document["sources"]]
        try:
            known = await asyncio.to_thread(self.rows.rows, _PATIENCE)
        except GroupingsUnavailableError:
            return []
        return groupings.of_records(known.values(), records, reading.as_of, reading.reader)


async def read_groupings(
    rows: GroupingRows,
    reading: Reading,
    *,
    size: int = 20,
    patience: float = PATIENCE,
    **asked: Any,
) -> dict[str, Any]:
    """The groupings that a reader may see, as `GET /v1/groupings` answers, but as many as wanted;
    `patience` is how many seconds the first caller waits. Raises GroupingsUnavailableError,
    InvalidParameterError."""
    known = await asyncio.to_thread(rows.rows, patience)
    wanted = GroupingParameters.model_validate(asked).model_copy(update={"size": size})
    return groupings.answer(
        known.values(), wanted, reading.as_of, reading.territories, reading.reader
    )
