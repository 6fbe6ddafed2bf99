"""The staff pages at `/`: thin wiring from a request to a view and its template."""

from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, FastAPI, Query, Request, Response
from fastapi.staticfiles import StaticFiles
from pydantic import ValidationError

from traverse_search_api.accounts.account import StaffRole
from traverse_search_api.accounts.account_routes import account_router
from traverse_search_api.accounts.sign_in_routes import provider_router, sign_in_router
from traverse_search_api.accounts.staff import Staff
from traverse_search_api.accounts.unbind_routes import unbind_router
from traverse_search_api.answers.items import detail_of
from traverse_search_api.errors import InvalidParameterError
from traverse_search_api.history.accepted_log import AcceptedLog
from traverse_search_api.institutions.readership import Readership
from traverse_search_api.pages.address import given
from traverse_search_api.pages.audience import seen_by
from traverse_search_api.pages.changes_routes import changes_router
from traverse_search_api.pages.dashboard_routes import dashboard_router
from traverse_search_api.pages.files_view import files_view
from traverse_search_api.pages.groupings.routes import grouping_router
from traverse_search_api.pages.institution.permanence_routes import permanence_pages
from traverse_search_api.pages.institution.quality_routes import quality_router
from traverse_search_api.pages.institution.routes import institution_router
from traverse_search_api.pages.links.routes import link_router, side_of
from traverse_search_api.pages.links.view import NOTHING_SAID, spoken_of
from traverse_search_api.pages.need.form import own_reference
from traverse_search_api.pages.need.routes import need_router
from traverse_search_api.pages.note.routes import note_router
from traverse_search_api.pages.programs.routes import programs_router
from traverse_search_api.pages.reading import Readings
from traverse_search_api.pages.record_view import record_view
from traverse_search_api.pages.render import Renderer
from traverse_search_api.pages.search_parameters import first_fault, search_parameters
from traverse_search_api.pages.search_view import search_view
from traverse_search_api.pages.showcase_routes import (
    Framing,
    showcase_router,
    showcase_settings_router,
)
from traverse_search_api.pages.territory_map.routes import map_router
from traverse_search_api.pages.territory_map.view import map_view
from traverse_search_api.pages.visit.offline import offline_router
from traverse_search_api.pages.visit.routes import visit_router
from traverse_search_api.parameters import Facet
from traverse_search_api.permanences.desk import PermanenceDesk
from traverse_search_api.permanences.held import Calendars


def install(  # noqa: PLR0917 -- each part is of another type
    app: FastAPI,
    readings: Readings,
    log: AcceptedLog,
    calendars: Calendars,
    staff: Staff | None,
    desk: PermanenceDesk | None,
    readership: Readership,
    framing: Framing,
) -> Renderer:
    """Add the pages and their style to the service; without `staff` and its `desk`, only those that
    anybody reads. Gives what renders them."""
    app.mount("/static", StaticFiles(directory=Path(__file__).parent / "static"), name="static")
    render = Renderer(staff.visits if staff else None, framing.at_hand)
    app.include_router(_router(readings, readership, render, staff))
    app.include_router(changes_router(readings, log, render))
    app.include_router(map_router(readings.searcher.territories))
    app.include_router(dashboard_router(readings, render))
    app.include_router(visit_router(readings, render, calendars, staff.visits if staff else None))
    app.include_router(offline_router(render))
    app.include_router(programs_router(render, framing.address))
    app.include_router(showcase_router(readings, render, framing))
    if staff is not None:
        app.include_router(sign_in_router(staff, render))
        if staff.provider is not None:
            app.include_router(provider_router(staff, staff.provider, render))
        app.include_router(account_router(staff, render))
        app.include_router(unbind_router(staff, render))
        app.include_router(institution_router(staff, readings, readership, render))
        app.include_router(quality_router(staff, readings, render))
        app.include_router(showcase_settings_router(staff, render, framing))
        if desk is not None:
            app.include_router(permanence_pages(staff, readings, render, desk))
        app.include_router(need_router(staff, readings, render))
        app.include_router(grouping_router(staff, readings, render))
        app.include_router(link_router(staff, readings, render))
        app.include_router(note_router(staff, readings, render))
    return render


def _router(
    readings: Readings, readership: Readership, render: Renderer, staff: Staff | None
) -> APIRouter:
    searcher, readers = readings.searcher, readings.readers
    router = APIRouter(include_in_schema=False, route_class=render.route_class)

    @router.get("/")
    async def search(request: Request) -> Response:
        """The search page: the parameters of `GET /v1/opportunities`, as a page."""
        try:
            parameters = search_parameters(request)
        except ValidationError as error:
            raise InvalidParameterError(*first_fault(error)) from None
        counted = parameters.model_copy(update={"facets": tuple(Facet)})
        reader = readers.of(request)
        answer = await searcher.search(counted, reader)
        as_of = searcher.as_of(parameters.as_of)
        view = search_view(parameters, answer, as_of, searcher.territories)
        drawn = map_view(answer, given(parameters), searcher.territories)
        files = files_view(parameters, found=bool(answer["items"]), member=reader.is_member)
        return render.page(
            request, "search.html", view=view, map=drawn, files=files, query=view.query
        )

    @router.get("/fiche/{identifier}")
    async def record(
        request: Request, identifier: str, as_of: Annotated[str | None, Query()] = None
    ) -> Response:
        """The page of one opportunity; its permanent address."""
        reading = readings.of(request, as_of)
        held = await searcher.document(identifier, reading.as_of, reading.reader)
        document = detail_of(held, reading.as_of, reading.reader)
        readership.read(document, reading.reader)
        among = await readings.groupings_of(reading, document)
        person = staff.visits.person(request) if staff else None
        spoken, correct = NOTHING_SAID, None
        if staff is not None and person is not None:
            spoken = spoken_of(held, reading.as_of, reading.reader, side_of(staff, person))
            if person.may(StaffRole.PUBLISHER):
                correct = own_reference(held, person.siren)
        view = record_view(document, reading.as_of, reading.territories, among, spoken)
        seen = seen_by(held, reading.reader.siren, lambda siren: _name_of(staff, siren))
        return render.page(request, "record.html", view=view, correct=correct, seen_by=seen)

    return router


def _name_of(staff: Staff | None, siren: str) -> str:
    """An institution's name; its SIREN where the registry does not have it (any more)."""
    found = staff.registry.view().get(siren) if staff else None
    return found.name if found else f"l’institution {siren}"
