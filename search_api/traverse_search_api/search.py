"""The search step: parameters in, the contract's answer out.

One round trip; two more when nothing was found, to correct, relax or say why.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from traverse_schemas.clock import Clock, clock_from
from traverse_schemas.reference.territories import Territories
from traverse_schemas.status import french_day
from traverse_search_api.active_filters import active_filters
from traverse_search_api.cursor import Cursor, decode, encode, fingerprint
from traverse_search_api.elasticsearch_client import PublicIndex
from traverse_search_api.errors import MergedError, UnknownOpportunityError, WithdrawnError
from traverse_search_api.explanation import explained
from traverse_search_api.facets import read_facets
from traverse_search_api.filters import readable_filters
from traverse_search_api.freshness import Freshness
from traverse_search_api.items import detail_of, item_of
from traverse_search_api.paging import Snapshots, View, next_page
from traverse_search_api.parameters import SearchParameters
from traverse_search_api.queries import EXACT_TOTAL, VIEW, places_of, search_body
from traverse_search_api.second_look import (
    as_written,
    corrected,
    diagnosis_of,
    look_body,
    read_look,
    relaxed,
)
from traverse_search_api.status_query import whole_millisecond
from traverse_search_api.synonym_book import SynonymBook
from traverse_search_api.text_query import TextPlan, plan_of

Answer = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a search found, and how its text was read in the end."""

    found: dict[str, Any]
    plan: TextPlan
    correction: str | None = None
    diagnosis: dict[str, Any] | None = None
    took: int = 0


@dataclass(frozen=True, slots=True)
class Searcher:
    """What a search needs besides its parameters. `keep_alive` is Elasticsearch's (`5m`)."""

    index: PublicIndex
    snapshots: Snapshots
    territories: Territories
    clock: Clock
    cursor_key: bytes
    keep_alive: str
    synonyms: SynonymBook
    freshness: Freshness

    async def search(self, parameters: SearchParameters) -> tuple[Answer, int]:
        """The contract's answer, and the milliseconds that Elasticsearch took.

        Raises InvalidParameterError, InvalidCursorError, ExpiredCursorError,
        SearchUnavailableError.
        """
        cursor = self._cursor(parameters)
        as_of = datetime.fromisoformat(cursor.as_of) if cursor else self.as_of(parameters.as_of)
        if cursor:
            plan = self.plan(parameters, as_of, cursor.text)
            plan = replace(plan, relaxed=cursor.relaxed, kept=cursor.kept)
            body = search_body(parameters, as_of, self.territories, plan)
            found = await self.index.search(next_page(body, cursor, self.keep_alive))
            outcome = Outcome(found, plan, took=found.get("took", 0))
        else:
            outcome = await self._first(parameters, as_of)
        found = outcome.found
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
                else await self._second(parameters, outcome, page, as_of)
            )
        filters = active_filters(parameters, as_of, self.territories)
        items = [item_of(hit, as_of) for hit in page]
        if parameters.explain:
            near = places_of(parameters, outcome.plan)
            for item, hit in zip(items, page, strict=True):
                item["explanation"] = explained(hit, as_of, near, self.territories)
        answer = {
            "total": {"value": total, "exact": exact},
            "items": items,
            "facets": read_facets(
                found.get("aggregations", {}), parameters.facets, self.territories
            ),
            "next": encode(following, self.cursor_key) if following else None,
            "filters": [one.shown() for one in filters],
            "understood": [one.shown() for one in outcome.plan.understood],
            "correction": outcome.correction,
            "relaxed": _relaxed(outcome.plan),
            "diagnosis": outcome.diagnosis,
            "freshness": await self.freshness.sources(),
        }
        return answer, outcome.took

    async def detail(self, identifier: str, as_of_text: str | None) -> Answer:
        """One public opportunity, whole. Raises as `document` does."""
        as_of = self.as_of(as_of_text)
        return detail_of(await self.document(identifier, as_of), as_of)

    async def document(self, identifier: str, as_of: datetime) -> dict[str, Any]:
        """The document of one public opportunity.

        Raises UnknownOpportunityError, MergedError, WithdrawnError (a stub, or expired),
        SearchUnavailableError.
        """
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
        return document

    def as_of(self, text: str | None) -> datetime:
        """The instant that a request judges from: its own, else the service's clock."""
        return whole_millisecond((clock_from(text) if text else self.clock).now())

    def plan(self, parameters: SearchParameters, as_of: datetime, text: str) -> TextPlan:
        """`text` read as this search reads it."""
        meanings = self.synonyms.meanings()
        return plan_of(text, self.territories, meanings, as_of, parameters.literal)

    async def settled(self, parameters: SearchParameters, as_of: datetime) -> TextPlan:
        """How the text is read in the end, corrected or relaxed as a search of it would be."""
        plan = self.plan(parameters, as_of, parameters.q)
        if not plan or parameters.as_typed:
            return plan
        small = parameters.model_copy(update={"size": 1, "facets": (), "cursor": None})
        return (await self._first(small, as_of)).plan

    async def _first(self, parameters: SearchParameters, as_of: datetime) -> Outcome:
        """The first page; when it is empty, what may be done about it."""
        plan = self.plan(parameters, as_of, parameters.q)
        outcome = await self._ask(parameters, as_of, plan)
        if _count(outcome.found):
            return outcome
        filters = active_filters(parameters, as_of, self.territories)
        always, never = readable_filters(as_of)
        looked = await self.index.search(look_body(plan, filters, always, never))
        look = read_look(plan, looked)
        took = outcome.took + int(looked.get("took", 0))
        if not parameters.as_typed:
            text = corrected(parameters.q, look)
            if text is not None and text != parameters.q:
                again = await self._ask(parameters, as_of, self.plan(parameters, as_of, text))
                took += again.took
                if _count(again.found):
                    shown = _with_accents(text, look.unknown, again.found)
                    return replace(again, correction=shown, took=took)
            looser = relaxed(plan, look)
            if looser is not None:
                again = await self._ask(parameters, as_of, looser)
                took += again.took
                if _count(again.found):
                    return replace(again, took=took)
        return replace(outcome, diagnosis=diagnosis_of(look, filters), took=took)

    async def _ask(self, parameters: SearchParameters, as_of: datetime, plan: TextPlan) -> Outcome:
        body = search_body(parameters, as_of, self.territories, plan)
        found = await self.index.search(body, explain=parameters.explain)
        return Outcome(found, plan, took=int(found.get("took", 0)))

    def _cursor(self, parameters: SearchParameters) -> Cursor | None:
        if parameters.cursor is None:
            return None
        return decode(parameters.cursor, parameters, self.cursor_key)

    async def _second(
        self,
        parameters: SearchParameters,
        outcome: Outcome,
        page: list[dict[str, Any]],
        as_of: datetime,
    ) -> Cursor:
        total, exact = _total(outcome.found, None)
        return Cursor(
            snapshot=await self.snapshots.of(_view(outcome.found)),
            shown=tuple(hit["_source"]["id"] for hit in page),
            after=None,
            total=total,
            exact=exact,
            as_of=as_of.isoformat(),
            search=fingerprint(parameters),
            text=outcome.plan.whole,
            relaxed=outcome.plan.relaxed,
            kept=outcome.plan.kept,
        )


def _relaxed(plan: TextPlan) -> dict[str, Any] | None:
    if not plan.relaxed:
        return None
    asked, required = len(plan.words), plan.required
    return {
        "required": required,
        "words": asked,
        "kept": plan.kept or None,
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


def _view(found: dict[str, Any]) -> View:
    last_write = found["aggregations"][VIEW]["last_write"]["value"]
    return found["hits"]["hits"][0]["_index"], int(last_write)


def _total(found: dict[str, Any], cursor: Cursor | None) -> tuple[int, bool]:
    if cursor:
        return cursor.total, cursor.exact
    total = found["hits"]["total"]
    return min(total["value"], EXACT_TOTAL), total["relation"] == "eq"
