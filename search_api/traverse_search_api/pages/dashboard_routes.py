"""« Tableau de bord territorial », and its table as a file."""

import csv
from dataclasses import dataclass
from io import StringIO
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from traverse_search_api.errors import SearchError
from traverse_search_api.exports.tables import harmless
from traverse_search_api.filters.status_query import status_filter
from traverse_search_api.filters.territory_query import territory_filter
from traverse_search_api.pages.address import page_address
from traverse_search_api.pages.dashboard_view import (
    MOST_NEEDS,
    WAITING,
    ahead,
    ahead_body,
    by_territory,
    by_theme,
    csv_rows,
    figures,
    months,
    months_body,
    unanswered,
)
from traverse_search_api.pages.reading import Reading, Readings
from traverse_search_api.pages.render import Renderer
from traverse_search_api.pages.typed_place import PlaceChoice, place_choices, retyped

_Where = Annotated[str, Query(alias="lieu", max_length=120)]
_AsOf = Annotated[str | None, Query(max_length=40)]
_NEWEST: list[dict[str, Any]] = [{"published_at": "desc"}, {"id": "asc"}]


@dataclass(frozen=True, slots=True)
class Area:
    """The territory asked for: what it may be, and the one that is meant."""

    typed: str
    choices: list[PlaceChoice]

    @property
    def place(self) -> PlaceChoice | None:
        """The territory, where it is clear."""
        return self.choices[0] if len(self.choices) == 1 else None

    @property
    def unknown(self) -> bool:
        """Whether something was typed that is no territory."""
        return bool(self.typed) and not self.choices

    def clauses(self, reading: Reading) -> list[dict[str, Any]]:
        """The filter of what lies in it."""
        if self.place is None:
            return []
        return [territory_filter((self.place.code,), "within", reading.territories)]


def dashboard_router(readings: Readings, render: Renderer) -> APIRouter:
    """The routes."""
    router = APIRouter(include_in_schema=False, route_class=render.route_class)

    @router.get("/tableau-de-bord")
    async def dashboard(request: Request, where: _Where = "", as_of: _AsOf = None) -> Response:
        """The page."""
        reading = readings.of(request, as_of)
        area = Area(where.strip(), place_choices(where, reading.territories))
        needs, waiting = await _needs(reading, area)
        clause, days = ahead_body(reading.as_of)
        coming = await reading.look(clause, *area.clauses(reading), aggs=days)
        clause, by_month = months_body(reading.as_of)
        published = await reading.look(clause, *area.clauses(reading), aggs=by_month)
        left = unanswered(needs)
        code = area.place.code if area.place else ""
        asked = {"lieu": [area.typed]} if area.typed else {}
        if as_of:
            asked["as_of"] = [as_of]
        return render.page(
            request,
            "dashboard.html",
            area=area,
            typed=retyped(area.typed, area.choices, reading.territories),
            address=lambda code: page_address({**asked, "lieu": [code]}, "/tableau-de-bord"),
            table=page_address(asked, "/tableau-de-bord.csv"),
            figures=figures(needs, waiting, await _groupings(readings, reading, area)),
            charts=[
                by_theme(left, code),
                by_territory(left),
                ahead(coming, reading.as_of),
                months(published, reading.as_of),
            ],
            needs=left[:20],
            cut=waiting > MOST_NEEDS and MOST_NEEDS,
        )

    @router.get("/tableau-de-bord.csv")
    async def table(request: Request, where: _Where = "", as_of: _AsOf = None) -> Response:
        """The needs without an answer, as a table for a spreadsheet."""
        reading = readings.of(request, as_of)
        area = Area(where.strip(), place_choices(where, reading.territories))
        needs, _ = await _needs(reading, area)
        text = StringIO()
        rows = csv_rows(unanswered(needs))
        csv.writer(text, delimiter=";", lineterminator="\r\n").writerows(
            [harmless(cell) for cell in row] for row in rows
        )
        return Response(
            "\ufeff" + text.getvalue(),
            headers={
                "Content-Disposition": 'attachment; filename="besoins-sans-reponse.csv"',
                "Cache-Control": "no-store",
                "X-Content-Type-Options": "nosniff",
            },
            media_type="text/csv; charset=utf-8",
        )

    return router


async def _needs(reading: Reading, area: Area) -> tuple[list[dict[str, Any]], int]:
    """The needs that wait, the newest first, and how many there are in all."""
    return await reading.items(
        {"term": {"kind": "need"}},
        status_filter(WAITING, reading.as_of),
        *area.clauses(reading),
        size=MOST_NEEDS,
        sort=_NEWEST,
    )


async def _groupings(readings: Readings, reading: Reading, area: Area) -> int | None:
    """How many groupings are proposed there; None while that is not known: the page goes
    without."""
    asked = {"territory": area.place.code} if area.place else {}
    try:
        found = await readings.groupings(reading, **asked)
    except SearchError:
        return None
    return int(found["total"]["value"])
