"""« Vitrine »: a public list with its filters, for the pages of others (an iframe). Only what
anybody may read, whoever looks.

`/vitrine` may be framed by the sites that the operator names; `/vitrine/SIREN` by those that this
institution has set in « Mon institution ». Each names its own, and no other's; so does the page
that says what went wrong with it: the frame would be empty otherwise.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import ValidationError

from traverse_search_api.access.reader import ANYBODY
from traverse_search_api.accounts.account import StaffRole
from traverse_search_api.accounts.audit import Deed
from traverse_search_api.accounts.staff import Staff
from traverse_search_api.errors import InvalidParameterError
from traverse_search_api.institutions.showcase_errors import (
    InvalidOriginError,
    TooManyOriginsError,
    UnknownShowcaseError,
)
from traverse_search_api.institutions.showcases import NOBODY, Showcases, origins_typed
from traverse_search_api.pages.address import given, page_address
from traverse_search_api.pages.front_view import publications
from traverse_search_api.pages.reading import Readings
from traverse_search_api.pages.render import Renderer
from traverse_search_api.pages.search_parameters import first_fault, search_parameters
from traverse_search_api.pages.search_view import search_view
from traverse_search_api.parameters import SearchParameters

_OPEN: Final = "ouvrir la vitrine à d’autres sites"
_LIST: Final = "/vitrine"
_SIREN: Final = re.compile(r"[0-9]{9}", re.ASCII)


class Framing(NamedTuple):
    """Who may frame what: `origins` are the operator's sites, with spaces between; `showcases` has
    those of institutions, of which only those count that `is_member` now. `address` is the
    service's."""

    origins: str
    showcases: Showcases
    is_member: Callable[[str], bool]
    address: str

    async def ancestors(self, siren: str) -> str:
        """The sites that may frame an institution's list."""
        return await self.showcases.ancestors(siren) if self.is_member(siren) else NOBODY

    def at_hand(self, path: str) -> str | None:
        """The sites that may frame what is at a path, as they are known at this moment: for an
        error, which must not wait. None for what is no list."""
        if path == _LIST:
            return self.origins or NOBODY
        siren = path.removeprefix(f"{_LIST}/")
        if siren == path or _SIREN.fullmatch(siren) is None:
            return None
        return self.showcases.at_hand(siren) if self.is_member(siren) else NOBODY


def showcase_router(readings: Readings, render: Renderer, framing: Framing) -> APIRouter:
    """The lists."""
    router = APIRouter(include_in_schema=False, route_class=render.route_class)

    @router.get("/vitrine")
    async def showcase(request: Request) -> Response:
        """The operator's list, by the parameters of a search."""
        return await shown(_parameters(request), _LIST, framing.origins or NOBODY)

    @router.get("/vitrine/{siren}")
    async def showcase_of(request: Request, siren: str) -> Response:
        """An institution's list: by the parameters of a search, else what is its own."""
        if _SIREN.fullmatch(siren) is None:
            raise UnknownShowcaseError
        # First: an error that follows is for the same sites to show.
        frames = await framing.ancestors(siren)
        parameters = _parameters(request)
        own = "" if request.query_params else siren
        if own:
            parameters = parameters.model_copy(update={"institution": (siren,)})
        return await shown(parameters, f"{_LIST}/{siren}", frames, own)

    async def shown(
        parameters: SearchParameters, path: str, frames: str, own: str = ""
    ) -> Response:
        searcher = readings.searcher
        answer = await searcher.search(parameters, ANYBODY)
        view = search_view(
            parameters, answer, searcher.as_of(parameters.as_of), searcher.territories
        )
        following = answer["next"]
        asked = given(parameters)
        return render.bare(
            "showcase.html",
            frames=frames,
            view=view,
            heading=showcase_heading(answer, own),
            following=page_address({**asked, "cursor": [following]}, path) if following else "",
            whole=page_address(asked),
        )

    return router


def showcase_heading(answer: Mapping[str, Any], own: str = "") -> str:
    """What the list is, where it stands alone in the page of another site. `own` is the SIREN of
    the institution whose own publications alone are in it."""
    found = answer["total"]
    told = publications(found["value"], found["exact"])
    owners = (one for item in answer["items"] for one in item["institutions"])
    name = next((one["name"] for one in owners if own and one.get("siren") == own), "")
    return f"{name} : {told}" if name else told[0].upper() + told[1:]


def showcase_settings_router(staff: Staff, render: Renderer, framing: Framing) -> APIRouter:
    """The page where who administers an institution says which sites may frame its list."""
    router = APIRouter(include_in_schema=False, route_class=render.route_class)
    visits, showcases = staff.visits, framing.showcases

    def page(request: Request, siren: str, typed: str, done: bool, sentence: str = "") -> Response:
        return render.page(
            request,
            "showcase_settings.html",
            422 if sentence else 200,
            typed=typed,
            sentence=sentence,
            done=done,
            example=f"{framing.address}/vitrine/{siren}",
        )

    @router.get("/mon-institution/vitrine")
    async def settings(request: Request) -> Response:
        """The page."""
        person = visits.require(request, StaffRole.ADMINISTRATOR, _OPEN)
        known = await showcases.origins(person.siren)
        done = request.query_params.get("fait") == "enregistre"
        return page(request, person.siren, "\n".join(known), done)

    @router.post("/mon-institution/vitrine")
    async def change(request: Request) -> Response:
        """Says it."""
        form = await visits.form(request)
        person = visits.require(request, StaffRole.ADMINISTRATOR, _OPEN)
        typed = form.get("sites", "")[:10_000]
        try:
            origins = origins_typed(typed)
        except (InvalidOriginError, TooManyOriginsError) as error:
            return page(request, person.siren, typed, False, str(error))
        await staff.note(
            person,
            Deed.SHOWCASE_OPENED,
            now=visits.now(),
            origins=list(origins),
        )
        await showcases.put(person.siren, origins)
        return RedirectResponse("/mon-institution/vitrine?fait=enregistre", 303)

    return router


def _parameters(request: Request) -> SearchParameters:
    """Raises InvalidParameterError."""
    try:
        return search_parameters(request)
    except ValidationError as error:
        raise InvalidParameterError(*first_fault(error)) from None
