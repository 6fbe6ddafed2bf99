"""The search step: parameters and their reader in, the contract's answer out.

One round trip; two more when nothing was found, to correct, relax or say why.
"""

from asyncio import gather, timeout
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from traverse_schemas.clock import Clock, clock_from
from traverse_schemas.documents.status import french_day
from traverse_schemas.reference.territories import Territories
from traverse_search_api.access.reader import Reader
from traverse_search_api.answers.active_filters import active_filters
from traverse_search_api.answers.explanation import explained
from traverse_search_api.answers.items import detail_of, item_of
from traverse_search_api.engines.elasticsearch_client import Indices
from traverse_search_api.engines.line import PATIENCE
from traverse_search_api.errors import (
    MergedError,
    TooLongError,
    UnknownOpportunityError,
    WithdrawnError,
)
from traverse_search_api.filters.parameter_filters import readable_filters
from traverse_search_api.filters.status_query import whole_millisecond
from traverse_search_api.institutions.freshness import Freshness
from traverse_search_api.parameters import SearchParameters
from traverse_search_api.query.breadth import BROAD, count_body, in_two, joined, may_be_broad
from traverse_search_api.query.cursor import Cursor, decode, encode, fingerprint
from traverse_search_api.query.facets import read_facets
from traverse_search_api.query.paging import Snapshots, next_page
from traverse_search_api.query.queries import places_of, search_body
from traverse_search_api.query.second_look import (
    Filter,
    Look,
    as_written,
    corrected,
    diagnosis_of,
    left_out,
    look_body,
    read_look,
    relaxed,
)
from traverse_search_api.query.totals import total_of
from traverse_search_api.text.plan import TextPlan, plan_of
from traverse_search_api.words.synonym_book import SynonymBook

Answer = dict[str, Any]

LONGEST: Final = 10 + PATIENCE
"""Seconds: one question that takes all its time, after all the time in line."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a search found, and how its text was read in the end."""

    found: dict[str, Any]
    plan: TextPlan
    correction: str | None = None
    diagnosis: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Searcher:
    """What a search needs besides its parameters. `keep_alive` is Elasticsearch's (`5m`), `longest`
    how many seconds all questions of one search may take together, the line included."""

    indices: Indices
    snapshots: Snapshots
    territories: Territories
    clock: Clock
    cursor_key: bytes
    keep_alive: str
    synonyms: SynonymBook
    freshness: Freshness
    longest: float = LONGEST

    async def search(self, parameters: SearchParameters, reader: Reader) -> Answer:
        """The contract's answer to a reader.

        Raises InvalidParameterError, InvalidCursorError, ExpiredCursorError, BusyError,
        TooLongError, SearchUnavailableError.
        """
        cursor = self._cursor(parameters, reader)
        as_of = datetime.fromisoformat(cursor.as_of) if cursor else self.as_of(parameters.as_of)
        if cursor:
            plan = self.plan(parameters, as_of, cursor.text)
            plan = replace(plan, relaxed=cursor.relaxed, kept=cursor.kept, broad=cursor.broad)
            body = search_body(parameters, as_of, self.territories, plan, reader)
            snapshot = cursor.snapshot or await self._snapshot(cursor, reader)
            paged = next_page(body, cursor, snapshot, self.keep_alive)
            found = await self.indices.of(reader).search(paged, explain=parameters.explain)
            outcome = Outcome(found, plan)
            total, exact = (
                (cursor.total, cursor.exact)
                if cursor.snapshot
                else total_of(found, len(cursor.shown))
            )
        else:
            outcome = await self._first(parameters, as_of, reader)
            # Not before: a snapshot that somebody opened meanwhile may lack what was counted here.
            asked = self.snapshots.now()
            total, exact = total_of(outcome.found)
        found = outcome.found
        hits = found.get("hits", {}).get("hits", [])
        page = hits[: parameters.size]
        following = None
        if len(hits) > parameters.size and cursor:
            following = replace(
                cursor,
                snapshot=found.get("pit_id", snapshot),
                after=tuple(page[-1]["sort"]),
                total=total,
                exact=exact,
            )
        elif len(hits) > parameters.size:
            following = Cursor(
                snapshot=None,
                asked=asked,
                shown=tuple(hit["_source"]["id"] for hit in page),
                after=None,
                total=total,
                exact=exact,
                as_of=as_of.isoformat(),
                search=fingerprint(parameters, reader),
                text=outcome.plan.whole,
                relaxed=outcome.plan.relaxed,
                kept=outcome.plan.kept,
                broad=outcome.plan.broad,
            )
        filters = active_filters(parameters, as_of, self.territories)
        items = [item_of(hit, as_of, reader) for hit in page]
        if outcome.plan.relaxed:
            for item, hit in zip(items, page, strict=True):
                item["left_out"] = left_out(outcome.plan, hit)
        if parameters.explain:
            near = places_of(parameters, outcome.plan)
            for item, hit in zip(items, page, strict=True):
                item["explanation"] = explained(hit, as_of, near, self.territories)
        return {
            "total": {"value": total, "exact": exact},
            "items": items,
            "facets": read_facets(
                found.get("aggregations", {}), parameters.facets, self.territories
            ),
            "next": encode(following, self.cursor_key) if following else None,
            "filters": [one.shown() for one in filters],
            "understood": [one.shown() for one in outcome.plan.understood],
            "correction": outcome.correction,
            "relaxed": _relaxed(outcome.plan, items),
            "diagnosis": outcome.diagnosis,
            "freshness": await self.freshness.sources(reader, self.as_of(None)),
        }

    async def detail(self, identifier: str, as_of_text: str | None, reader: Reader) -> Answer:
        """One opportunity, whole. Raises as `document` does."""
        as_of = self.as_of(as_of_text)
        return detail_of(await self.document(identifier, as_of, reader), as_of, reader)

    async def document(self, identifier: str, as_of: datetime, reader: Reader) -> dict[str, Any]:
        """The document of one opportunity that the reader may read.

        Raises UnknownOpportunityError, MergedError, WithdrawnError (a stub, or expired),
        SearchUnavailableError.
        """
        held = await self.indices.of(reader).held(identifier)
        for document in held:
            if document is not None and reader.reads_document(document):
                expires = document.get("expires")
                if expires and expires < french_day(as_of).isoformat():
                    raise WithdrawnError
                return document
        # Of a restricted record a stub does not say for whom it was; the whole indices come first.
        stubs = [stub for stub in held[: len(reader.whole)] if stub is not None]
        for stub in stubs:
            if merged_into := stub.get("merged_into"):
                raise MergedError(merged_into)
        if stubs:
            raise WithdrawnError
        raise UnknownOpportunityError(identifier)

    def as_of(self, text: str | None) -> datetime:
        """The instant that a request judges from: its own, else the service's clock."""
        return whole_millisecond((clock_from(text) if text else self.clock).now())

    def plan(self, parameters: SearchParameters, as_of: datetime, text: str) -> TextPlan:
        """`text` read as this search reads it."""
        meanings = self.synonyms.meanings()
        return plan_of(text, self.territories, meanings, as_of, parameters.literal)

    async def settled(
        self, parameters: SearchParameters, as_of: datetime, reader: Reader
    ) -> TextPlan:
        """How the text is read in the end, corrected or relaxed as a search of it would be."""
        plan = self.plan(parameters, as_of, parameters.q)
        if not plan or parameters.as_typed:
            return plan
        small = parameters.model_copy(update={"size": 1, "facets": (), "cursor": None})
        return (await self._first(small, as_of, reader)).plan

    async def _first(
        self, parameters: SearchParameters, as_of: datetime, reader: Reader
    ) -> Outcome:
        """The first page; when it is empty, what may be done about it. Raises TooLongError: each of
        up to seven questions may take its time, and nobody waits for the sum."""
        try:
            async with timeout(self.longest) as bound:
                return await self._answered(parameters, as_of, reader)
        except TimeoutError as error:
            # Another one than this bound is somebody else's: "too long" would hide what it is.
            if not bound.expired():
                raise
            raise TooLongError from error

    async def _answered(
        self, parameters: SearchParameters, as_of: datetime, reader: Reader
    ) -> Outcome:
        plan = self.plan(parameters, as_of, parameters.q)
        outcome = await self._ask(parameters, as_of, plan, reader)
        if _count(outcome.found):
            return outcome
        filters = active_filters(parameters, as_of, self.territories)
        look = await self._look(plan, filters, as_of, reader)
        if not parameters.as_typed:
            text = corrected(parameters.q, look)
            if text is not None and text != parameters.q:
                respelt = await self._respelt(parameters, as_of, text, look, filters, reader)
                if respelt is not None:
                    return respelt
            looser = relaxed(plan, look)
            if looser is not None:
                again = await self._ask(parameters, as_of, looser, reader)
                if _count(again.found):
                    return again
        return replace(outcome, diagnosis=diagnosis_of(plan, look, filters))

    async def _respelt(  # noqa: PLR0917 -- each of another type
        self,
        parameters: SearchParameters,
        as_of: datetime,
        text: str,
        look: Look,
        filters: list[Filter],
        reader: Reader,
    ) -> Outcome | None:
        """What a corrected text finds. Where only the filters leave nothing of it, why they do;
        None where it finds nothing at all."""
        plan = self.plan(parameters, as_of, text)
        outcome = await self._ask(parameters, as_of, plan, reader)
        if _count(outcome.found):
            shown = _with_accents(text, look.unknown, outcome.found)
            return replace(outcome, correction=shown)
        if not filters:
            return None
        bare = SearchParameters(q=parameters.q, literal=parameters.literal, facets=())
        anywhere = await self._ask(bare, as_of, plan, reader)
        if not _count(anywhere.found):
            return None
        shown = _with_accents(text, look.unknown, anywhere.found)
        look = await self._look(plan, filters, as_of, reader)
        diagnosis = diagnosis_of(plan, look, filters)
        return replace(outcome, correction=shown, diagnosis=diagnosis)

    async def _look(
        self, plan: TextPlan, filters: list[Filter], as_of: datetime, reader: Reader
    ) -> Look:
        """The second look. Words are suggested from indices that the reader may read whole:
        Elasticsearch suggests from all that an index holds."""
        body = look_body(plan, filters, *readable_filters(as_of, reader))
        of, whole = self.indices.of(reader), self.indices.whole(reader)
        if of is whole or "suggest" not in body:
            looked = await of.search(body)
            return read_look(plan, looked)
        suggest = body.pop("suggest")
        looked, suggested = await gather(
            of.search(body), whole.search({"size": 0, "suggest": suggest})
        )
        return read_look(plan, looked | {"suggest": suggested.get("suggest", {})})

    async def _ask(
        self, parameters: SearchParameters, as_of: datetime, plan: TextPlan, reader: Reader
    ) -> Outcome:
        body = search_body(parameters, as_of, self.territories, plan, reader)
        index = self.indices.of(reader)
        if may_be_broad(parameters, plan, self.freshness.known(reader)):
            counted = await index.search(count_body(body))
            if _count(counted) > BROAD:
                plan = replace(plan, broad=True)
                body = search_body(parameters, as_of, self.territories, plan, reader)
        if plan.broad and "aggs" in body:
            first, counts = in_two(body)
            found = joined(
                *await gather(index.search(first, explain=parameters.explain), index.search(counts))
            )
        else:
            found = await index.search(body, explain=parameters.explain)
        return Outcome(found, plan)

    def _cursor(self, parameters: SearchParameters, reader: Reader) -> Cursor | None:
        if parameters.cursor is None:
            return None
        return decode(parameters.cursor, parameters, reader, self.cursor_key)

    async def _snapshot(self, cursor: Cursor, reader: Reader) -> str:
        """Where the pages after the first are read."""
        index = self.indices.of(reader)
        return await self.snapshots.of(
            index.aliases, cursor.asked, lambda: index.open_snapshot(self.keep_alive)
        )


def _relaxed(plan: TextPlan, items: list[dict[str, Any]]) -> dict[str, Any] | None:
    """How the text was relaxed; `left_out` are the words that some of the items do not hold."""
    if not plan.relaxed:
        return None
    missing = {word for item in items for word in item["left_out"]}
    asked, required = len(plan.words), plan.required
    return {
        "required": required,
        "words": asked,
        "kept": plan.kept or None,
        "left_out": [
            word for word in dict.fromkeys(unit.text for unit in plan.words) if word in missing
        ],
        "sentence": f"Aucune publication ne réunit les {asked} mots : voici celles qui en "
        f"contiennent au moins {required}"
        + (f", dont « {plan.kept} » dans le titre." if plan.kept else "."),
    }


def _with_accents(text: str, unknown: dict[str, str], found: dict[str, Any]) -> str:
    """The corrected text as the documents write its new words."""
    titles = [hit["_source"]["title"] for hit in found["hits"]["hits"][:10]]
    for right in unknown.values():
        if " " not in right:
            text = text.replace(right, as_written(right, titles))
    return text


def _count(found: dict[str, Any]) -> int:
    return int(found.get("hits", {}).get("total", {}).get("value", 0))
