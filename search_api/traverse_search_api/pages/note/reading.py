"""What the note of a week reads: a few questions to the index, as its reader may ask them."""

from asyncio import gather
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from traverse_schemas.documents.status import Status
from traverse_schemas.reference.territories import Territories
from traverse_search_api.answers.links import may_answer
from traverse_search_api.errors import SearchError
from traverse_search_api.filters.parameter_filters import other_filters
from traverse_search_api.filters.status_query import index_text, status_filter, whole_millisecond
from traverse_search_api.filters.territory_query import territory_filter
from traverse_search_api.pages.address import Given, page_address
from traverse_search_api.pages.dashboard_view import MOST_NEEDS, WAITING, unanswered
from traverse_search_api.pages.note.week import Week
from traverse_search_api.pages.reading import Reading
from traverse_search_api.pages.typed_place import label_of
from traverse_search_api.parameters import SearchParameters
from traverse_search_api.query.queries import ITEM_FIELDS

Query = dict[str, Any]
Item = dict[str, Any]
Proposed = Callable[..., Awaitable[dict[str, Any]]]
"""The groupings that the reader may see, by the parameters of `GET /v1/groupings`."""


BEFORE: Final = 4
"""Weeks that the week is held against."""

AHEAD: Final = 4
"""Weeks whose deadlines the note tells."""

_FIELDS: Final = [*(field for field in ITEM_FIELDS if field != "description"), "window"]
_MOST_CLOSED: Final = 200
_MOST_AHEAD: Final = 8
_MOST_LINKED: Final = 10_000
_MOST_GROUPINGS: Final = 100_000  # all: those that advanced are not those that end first
_OPEN: Final = (Status.OPEN,)


@dataclass(frozen=True, slots=True)
class Scope:
    """What a note is about: a week, a territory (None: everywhere), and the instant from which it
    is judged: the end of the week, or now, while it lasts."""

    week: Week
    code: str | None
    as_of: datetime

    def asked(self, **more: str | tuple[str, ...]) -> Given:
        """A search of this scope, as it stands in an address."""
        given: Given = {
            name: [value] if isinstance(value, str) else list(value) for name, value in more.items()
        }
        if self.code:
            given |= {"territory": [self.code], "reach": ["within"]}
        return {**given, "as_of": [index_text(self.as_of)]}

    def waiting(self, **more: str) -> str:
        """The address of the needs that wait."""
        statuses = tuple(status.value for status in WAITING)
        return page_address(
            self.asked(
                kind="need", status=statuses, published_to=self.week.sunday.isoformat(), **more
            )
        )

    def published(self, weeks: int, **more: str) -> str:
        """The address of what was published in the week (0), or in so many weeks before it."""
        return page_address(self.asked(**self.days(weeks), **more))

    def days(self, weeks: int = 0) -> dict[str, str]:
        """The days of the week, or of so many weeks before it, as a search names them."""
        first = self.week.before(weeks).monday
        last = self.week.before(1).sunday if weeks else self.week.sunday
        return {"published_from": first.isoformat(), "published_to": last.isoformat()}

    def ahead(self, week: int | None = None) -> dict[str, str]:
        """The days of a week after this one (0 is the next), or of all that the note tells."""
        first = self.week.before(-1 - (week or 0))
        last = first if week is not None else self.week.before(-AHEAD)
        return {
            "deadline_from": first.monday.isoformat(),
            "deadline_to": last.sunday.isoformat(),
        }

    def closing(self, week: int | None = None) -> str:
        """The address of the open calls that close then."""
        return page_address(self.asked(kind="call", status="open", **self.ahead(week)))


@dataclass(frozen=True, slots=True)
class Found:
    """What was read. `needs` are the newest that wait, `waiting` how many wait in all; `answers`
    are what was published in the week and may answer one of them, by id; `groupings` is None while
    they are not known."""

    needs: list[Item]
    waiting: int
    counts: Mapping[str, Any]
    closed: list[Item]
    closed_counts: Mapping[str, Any]
    coming: list[Item]
    coming_counts: Mapping[str, Any]
    answers: Mapping[str, Item]
    groupings: list[dict[str, Any]] | None

    @property
    def left(self) -> list[Item]:
        """The needs without any answer."""
        return [dict(need) for need in unanswered(self.needs)]


def place_name(scope: Scope, territories: Territories) -> str:
    """« Marseille (13) », « tous les territoires »."""
    return label_of(scope.code, territories) if scope.code else "tous les territoires"


def scope_of(reading: Reading, week: Week, code: str | None) -> Scope:
    """The scope of a note. A week that lasts is judged from now."""
    return Scope(week, code, whole_millisecond(min(week.end, reading.as_of)))


async def read_note(reading: Reading, scope: Scope, proposed: Proposed | None = None) -> Found:
    """Everything that the note says; nothing of groupings without `proposed`. Raises
    SearchUnavailableError."""
    reading = replace(reading, as_of=scope.as_of)
    where = [territory_filter((scope.code,), "within", reading.territories)] if scope.code else []
    (needs, waiting), counts, closed, coming, groupings = await gather(
        _waiting(reading, scope, where),
        reading.look(*where, _spans(scope), aggs=_counts(scope)),
        _closed(reading, scope, where),
        _coming(reading, scope, where),
        _groupings(proposed, scope),
    )
    answers = await _answers(reading, scope, needs)
    return Found(
        needs,
        waiting,
        counts.get("aggregations", {}),
        _items(reading, closed),
        closed.get("aggregations", {}),
        reading.shown(coming),
        coming.get("aggregations", {}),
        answers,
        groupings,
    )


async def _waiting(reading: Reading, scope: Scope, where: list[Query]) -> tuple[list[Item], int]:
    asked = SearchParameters(published_to=scope.week.sunday.isoformat())
    found = await reading.look(
        {"term": {"kind": "need"}},
        status_filter(WAITING, scope.as_of),
        *other_filters(asked).values(),
        *where,
        size=MOST_NEEDS,
        sort=[{"published_at": "desc"}, {"id": "asc"}],
        track_total_hits=True,
        _source=_FIELDS,
    )
    return _items(reading, found), int(found["hits"]["total"]["value"])


def _items(reading: Reading, found: dict[str, Any]) -> list[Item]:
    """The items of an answer, with what an item of the search does not show."""
    items = reading.shown(found)
    # Where there are none, the answer does not name them.
    for item, hit in zip(items, found.get("hits", {}).get("hits", ()), strict=True):
        item["window"] = hit["_source"].get("window") or {}
        item["outcome"] = hit["_source"].get("outcome", "")
    return items


def _spans(scope: Scope) -> Query:
    """What was published in the week or in those before."""
    first, last = scope.days(BEFORE)["published_from"], scope.days()["published_to"]
    return _published(published_from=first, published_to=last)


def _published(**days: str) -> Query:
    return other_filters(SearchParameters.model_validate(days))["published"]


def _counts(scope: Scope) -> Query:
    per = {
        "kinds": {
            "terms": {"field": "kind"},
            "aggs": {"themes": {"terms": {"field": "themes", "size": 100}}},
        }
    }
    return {
        "week": {"filter": _published(**scope.days()), "aggs": per},
        "before": {"filter": _published(**scope.days(BEFORE)), "aggs": per},
    }


async def _closed(reading: Reading, scope: Scope, where: list[Query]) -> dict[str, Any]:
    """What ended in the week, and how."""
    week = scope.week
    days = {"gte": week.monday.isoformat(), "lte": week.sunday.isoformat()}
    return await reading.look(
        {"range": {"closed_on": days}},
        {"term": {"state": "closed"}},
        *where,
        size=_MOST_CLOSED,
        sort=[{"closed_on": "desc"}, {"id": "asc"}],
        _source=_FIELDS,
        aggs={
            "kinds": {
                "terms": {"field": "kind"},
                "aggs": {"outcomes": {"terms": {"field": "outcome"}}},
            }
        },
    )


async def _coming(reading: Reading, scope: Scope, where: list[Query]) -> dict[str, Any]:
    """The open calls that close in the weeks after, the next first."""

    def closing(week: int | None) -> Query:
        asked = SearchParameters.model_validate(scope.ahead(week))
        return other_filters(asked)["deadline"]

    return await reading.look(
        {"term": {"kind": "call"}},
        status_filter(_OPEN, scope.as_of),
        closing(None),
        *where,
        size=_MOST_AHEAD,
        sort=[{"deadline.until": "asc"}, {"id": "asc"}],
        _source=_FIELDS,
        aggs={str(week): {"filter": closing(week)} for week in range(AHEAD)},
    )


async def _answers(reading: Reading, scope: Scope, needs: list[Item]) -> dict[str, Item]:
    """What may answer a need that waits, and came in the week."""
    ids = {link["id"] for need in needs for link in may_answer(need["links"])}
    if not ids:
        return {}
    found, _ = await reading.items(
        {"terms": {"id": sorted(ids)[:_MOST_LINKED]}},
        _published(**scope.days()),
        size=min(len(ids), _MOST_LINKED),
        sort=[{"published_at": "asc"}, {"id": "asc"}],
    )
    return {item["id"]: item for item in found}


async def _groupings(proposed: Proposed | None, scope: Scope) -> list[dict[str, Any]] | None:
    """Those proposed there. None while that is not known: the note goes without."""
    if proposed is None:
        return None
    asked: dict[str, Any] = {"territory": scope.code} if scope.code else {}
    try:
        found = await proposed(**asked, size=_MOST_GROUPINGS)
    except SearchError:
        return None
    items: list[dict[str, Any]] = found["items"]
    return items
