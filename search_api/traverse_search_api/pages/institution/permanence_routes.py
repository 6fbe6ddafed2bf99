"""« Permanences »: where who publishes for an institution hands in its calendar, sees what is told
of it, and takes it away."""

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from traverse_search_api.accounts.account import StaffRole
from traverse_search_api.accounts.forms import read_upload
from traverse_search_api.accounts.session import SignedIn
from traverse_search_api.accounts.staff import Staff
from traverse_search_api.pages.reading import Readings
from traverse_search_api.pages.render import Renderer
from traverse_search_api.pages.visit.offline import state_of
from traverse_search_api.permanences.calendar import MOST_OCTETS
from traverse_search_api.permanences.desk import PermanenceDesk
from traverse_search_api.permanences.errors import RefusedCalendarError, TooBigCalendarError
from traverse_search_api.permanences.near import lines_of

_ADDRESS = "/mon-institution/permanences"
_WHAT = "publier ses permanences"
_SHOWN = 10
_DONE = {
    "publie": "C’est publié : la « Fiche de visite » l’annonce d’ici quelques secondes.",
    "retire": "C’est retiré : la « Fiche de visite » ne l’annonce plus.",
}


def permanence_pages(
    staff: Staff, readings: Readings, render: Renderer, desk: PermanenceDesk
) -> APIRouter:
    """The page and its two forms."""
    router = APIRouter(include_in_schema=False, route_class=render.route_class)
    visits = staff.visits

    async def page(request: Request, person: SignedIn, sentence: str = "") -> Response:
        row = await desk.published.of(person.siren)
        as_of = readings.searcher.as_of(None)
        coming = await desk.coming(person.institution, row, as_of) if row else []
        lines = lines_of(coming)
        return render.page(
            request,
            "permanences.html",
            422 if sentence else 200,
            row=row,
            since=state_of(row.at) if row else "",
            lines=lines[:_SHOWN],
            more=max(0, len(lines) - _SHOWN),
            noted=person.institution.permanences or "",
            most=MOST_OCTETS // 1024,
            done="" if sentence else _DONE.get(request.query_params.get("fait", ""), ""),
            sentence=sentence,
        )

    @router.get(_ADDRESS)
    async def shown(request: Request) -> Response:
        """The page."""
        return await page(request, visits.require(request, StaffRole.PUBLISHER, _WHAT))

    @router.post(_ADDRESS)
    async def publish(request: Request) -> Response:
        """Publishes a file in place of the one before."""
        form, octets = await read_upload(request, MOST_OCTETS)
        visits.check(request, form)
        person = visits.require(request, StaffRole.PUBLISHER, _WHAT)
        try:
            if octets is None:
                raise TooBigCalendarError
            if not octets:
                raise RefusedCalendarError("Choisissez un fichier de calendrier (.ics).")
            await desk.publish(person.institution, octets, person.account.id)
        except RefusedCalendarError as error:
            return await page(request, person, str(error))
        return RedirectResponse(f"{_ADDRESS}?fait=publie", 303)

    @router.post(f"{_ADDRESS}/retrait")
    async def remove(request: Request) -> Response:
        """Takes it away."""
        await visits.form(request)
        person = visits.require(request, StaffRole.PUBLISHER, _WHAT)
        await desk.remove(person.institution, person.account.id)
        return RedirectResponse(f"{_ADDRESS}?fait=retire", 303)

    return router
