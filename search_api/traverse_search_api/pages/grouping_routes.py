"""« Mutualiser »: the joint purchases that are proposed to who reads."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from traverse_search_api.accounts.staff import Staff
from traverse_search_api.pages.grouping_view import grouping_view
from traverse_search_api.pages.reading import Readings
from traverse_search_api.pages.render import Renderer
from traverse_search_api.pages.typed_place import place_choices

_MOST = 20


def grouping_router(staff: Staff, readings: Readings, render: Renderer) -> APIRouter:
    """The routes."""
    router = APIRouter(include_in_schema=False, route_class=render.route_class)
    visits = staff.visits

    @router.get("/mutualiser")
    async def groupings(
        request: Request,
        where: Annotated[str, Query(alias="lieu", max_length=120)] = "",
        every: Annotated[str, Query(alias="toutes", max_length=3)] = "",
    ) -> Response:
        """The groupings of the institution; of all where that is asked, or there are none."""
        person = visits.require(request)
        reading = readings.of(request)
        choices = place_choices(where, reading.territories)
        asked: dict[str, Any] = {"size": _MOST}
        if len(choices) == 1:
            asked["territory"] = choices[0].code
        own = await readings.groupings(reading, **asked, institution=person.siren)
        others = await readings.groupings(reading, **asked) if every or not own["items"] else None
        found = others or own
        return render.page(
            request,
            "groupings.html",
            where=where,
            choices=choices,
            every=others is not None,
            total=found["total"]["value"],
            groupings=[grouping_view(one, person.siren) for one in found["items"]],
        )

    return router
