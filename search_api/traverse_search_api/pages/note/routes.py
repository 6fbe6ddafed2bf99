"""« Note du comité stratégique »: each week, what is awaited, what hurts, what was answered, what
grew; and the lists behind its figures. For staff who are signed in."""

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from traverse_schemas.documents.status import french_day
from traverse_search_api.accounts.staff import Staff
from traverse_search_api.errors import InvalidParameterError
from traverse_search_api.pages import words
from traverse_search_api.pages.address import page_address
from traverse_search_api.pages.note.lists import LISTS, listed
from traverse_search_api.pages.note.reading import Scope, place_name, read_note, scope_of
from traverse_search_api.pages.note.view import note_view
from traverse_search_api.pages.note.week import Week
from traverse_search_api.pages.reading import Reading, Readings
from traverse_search_api.pages.render import Renderer
from traverse_search_api.pages.typed_place import PlaceChoice, place_choices, retyped

_OFFERED = 13
"""Weeks to choose from: a quarter."""


class Asked(BaseModel):
    """What an address of the note says: territory as typed, week, date to judge from; of a list,
    which one, and the theme and the place that it is narrowed to."""

    model_config = ConfigDict(frozen=True)

    lieu: Annotated[str, Field(max_length=120)] | None = None
    semaine: Annotated[str, Field(max_length=20)] = ""
    as_of: Annotated[str, Field(max_length=40)] = ""
    quoi: Annotated[str, Field(max_length=40)] = ""
    theme: Annotated[str, Field(max_length=40)] = ""
    place: Annotated[str, Field(max_length=80)] = ""


def note_router(staff: Staff, readings: Readings, render: Renderer) -> APIRouter:
    """The routes."""
    router = APIRouter(include_in_schema=False, route_class=render.route_class)

    def opened(request: Request, asked: Asked) -> tuple[Reading, str, list[PlaceChoice], Scope]:
        """What the note is about. Where nothing is said: the institution's own territory."""
        person = staff.visits.require(request)
        reading = readings.of(request, asked.as_of or None)
        own = person.institution.territory or ""
        typed = own if asked.lieu is None else asked.lieu.strip()
        choices = place_choices(typed, reading.territories)
        code = choices[0].code if len(choices) == 1 and choices[0].code != "fr" else None
        week = Week.read(asked.semaine, reading.as_of)
        return reading, typed, choices, scope_of(reading, week, code)

    @router.get("/note")
    async def note(request: Request, asked: Annotated[Asked, Query()]) -> Response:
        """The note."""
        reading, typed, choices, scope = opened(request, asked)
        found = await read_note(reading, scope, partial(readings.groupings, reading))
        week, here = scope.week, scope.code or "fr"
        after = week.before(-1)
        return render.page(
            request,
            "note.html",
            typed=retyped(typed, choices, reading.territories),
            choices=choices,
            place=place_name(scope, reading.territories),
            week=week,
            weeks=_offered(week, reading),
            under_way=scope.as_of < week.end,
            address=lambda code: _address(code, week, asked),
            before=_address(here, week.before(1), asked),
            after=_address(here, after, asked) if after.end <= reading.as_of else "",
            as_of=asked.as_of,
            code=scope.code or "fr",
            day=words.day(french_day(reading.as_of)),
            view=note_view(found, scope, reading.territories),
        )

    @router.get("/note/liste")
    async def behind(request: Request, asked: Annotated[Asked, Query()]) -> Response:
        """The items behind a figure that no search counts."""
        if asked.quoi not in LISTS:
            raise InvalidParameterError("quoi", "Cette liste n’existe pas : repartez de la note.")
        reading, _, _, scope = opened(request, asked)
        found = await read_note(reading, scope, partial(readings.groupings, reading))
        lines = listed(
            found, scope, reading.territories, asked.quoi, theme=asked.theme, place=asked.place
        )
        return render.page(
            request,
            "note_list.html",
            title=LISTS[asked.quoi],
            place=place_name(scope, reading.territories),
            week=scope.week,
            back=_address(scope.code or "fr", scope.week, asked),
            lines=lines,
            total=words.total(len(lines), True),
        )

    return router


def _address(code: str, week: Week, asked: Asked) -> str:
    given = {"lieu": [code], "semaine": [week.code]}
    return page_address(given | ({"as_of": [asked.as_of]} if asked.as_of else {}), "/note")


def _offered(shown: Week, reading: Reading) -> list[tuple[str, str]]:
    last = Week.last_whole(reading.as_of)
    weeks = [last.before(number) for number in range(_OFFERED)]
    if shown not in weeks:
        weeks.insert(0, shown)
    return [(week.code, week.label) for week in weeks]
