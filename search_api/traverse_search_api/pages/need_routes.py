"""« Signaler un besoin »: typed, looked over beside what resembles it, published."""

import secrets
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse

from traverse_schemas.identity import opportunity_id
from traverse_search_api.accounts.account import StaffRole
from traverse_search_api.accounts.audit import Deed
from traverse_search_api.accounts.staff import Staff
from traverse_search_api.gateway_client import NoGatewayError, RefusedByGatewayError
from traverse_search_api.pages.dashboard_view import WAITING
from traverse_search_api.pages.need_form import (
    AUDIENCES,
    SUBTYPES,
    WHEN_LABELS,
    Checked,
    NeedForm,
    checked,
    empty_form,
    facts_of,
    filled_form,
    is_reference,
    need_event,
    source_of,
)
from traverse_search_api.pages.reading import Reading, Readings
from traverse_search_api.pages.render import Renderer
from traverse_search_api.queries import ITEM_FIELDS
from traverse_search_api.status_query import status_filter
from traverse_search_api.territory_query import territory_filter

_ALIKE: Final = 3
_PUBLISH: Final = "signaler un besoin"


def need_router(staff: Staff, readings: Readings, render: Renderer) -> APIRouter:
    """The routes."""
    router = APIRouter(include_in_schema=False, route_class=render.route_class)
    visits = staff.visits

    def asked(
        request: Request, form: NeedForm, seen: Checked, status: int = 200, sentence: str = ""
    ) -> Response:
        """The form, with what is to be mended."""
        return render.page(
            request,
            "need.html",
            status,
            form=form,
            seen=seen,
            sentence=sentence,
            subtypes=[(code.value, label) for code, label in SUBTYPES.items()],
            delays=[(code.value, label) for code, label in WHEN_LABELS.items()],
            audiences=[(code.value, label) for code, label in AUDIENCES.items()],
            scripts=True,
        )

    @router.get("/signaler")
    async def begin(request: Request) -> Response:
        """The empty form."""
        person = visits.require(request, StaffRole.PUBLISHER, _PUBLISH)
        if not staff.gateway.present:
            raise NoGatewayError
        form = empty_form(_reference(), person.institution, readings.of(request).territories)
        return asked(request, form, Checked())

    @router.post("/signaler")
    async def send(request: Request) -> Response:
        """Looks the form over, and publishes it once it was confirmed."""
        fields = await visits.form(request)
        person = visits.require(request, StaffRole.PUBLISHER, _PUBLISH)
        reading = readings.of(request)
        form = filled_form(fields, _reference())
        seen = checked(form, visits.now(), reading.territories)
        if seen.data is None:
            return asked(request, form, seen, 422)
        if fields.get("etape") == "corriger":
            return asked(request, form, seen)
        if fields.get("etape") != "publier":
            return render.page(
                request,
                "need_confirm.html",
                form=form,
                facts=facts_of(form, seen.place_label),
                place=seen.data["place"][0],
                alike=await _alike(reading, form.title, seen.data["place"][0]),
            )
        await staff.audit.write(
            Deed.NEED_PUBLISHED,
            siren=person.siren,
            account=person.account.id,
            now=visits.now(),
            reference=form.reference,
        )
        try:
            event = need_event(form, seen.data, person.siren, visits.now())
            await staff.gateway.publish(person.siren, event)
        except RefusedByGatewayError as error:
            return asked(request, form, seen, 422, str(error))
        return RedirectResponse(f"/signaler/recu?reference={form.reference}", 303)

    @router.get("/signaler/recu")
    async def received(
        request: Request, reference: Annotated[str, Query(max_length=40)] = ""
    ) -> Response:
        """It is said; where it will be found."""
        person = visits.require(request, StaffRole.PUBLISHER, _PUBLISH)
        if not is_reference(reference):
            return RedirectResponse("/signaler", 303)
        identifier = opportunity_id(source_of(person.siren), reference)
        return render.page(request, "need_done.html", address=f"/fiche/{identifier}", scripts=True)

    return router


async def _alike(reading: Reading, title: str, place: str) -> list[dict[str, Any]]:
    """Needs around the place that may be the same: two words in three of their titles are."""
    chain = reading.territories.chain(place)
    wide = chain.first("epci") or chain.first("dep") if chain else None
    found = await reading.look(
        {"term": {"kind": "need"}},
        status_filter(WAITING, reading.as_of),
        territory_filter((wide.code if wide else place,), "within", reading.territories),
        scored={"match": {"title": {"query": title, "minimum_should_match": "2<-34%"}}},
        size=_ALIKE,
        _source=ITEM_FIELDS,
    )
    return reading.shown(found)


def _reference() -> str:
    return f"besoin-{secrets.token_hex(8)}"
