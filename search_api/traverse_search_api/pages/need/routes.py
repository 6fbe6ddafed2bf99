"""« Signaler un besoin »: typed, looked over beside what resembles it, published."""

import secrets
from dataclasses import replace
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse

from traverse_schemas.log.identity import opportunity_id
from traverse_search_api.accounts.account import StaffRole
from traverse_search_api.accounts.audit import Deed
from traverse_search_api.accounts.staff import Staff
from traverse_search_api.gateway_client import (
    GatewayAwayError,
    NoGatewayError,
    RefusedByGatewayError,
)
from traverse_search_api.pages.institution.field_names import fault_of, need_faults
from traverse_search_api.pages.need.alike import alike_titles, waiting_around
from traverse_search_api.pages.need.form import (
    AUDIENCES,
    SUBTYPES,
    TITLE,
    WHEN_LABELS,
    Checked,
    NeedForm,
    checked,
    empty_form,
    event_id,
    facts_of,
    filled_form,
    is_reference,
    need_event,
    own_reference,
    published_form,
    source_of,
    version_of,
)
from traverse_search_api.pages.need.outcome import outcome_of
from traverse_search_api.pages.reading import Reading, Readings
from traverse_search_api.pages.render import Renderer
from traverse_search_api.query.queries import ITEM_FIELDS

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
    async def begin(
        request: Request,
        corriger: Annotated[str, Query(max_length=40)] = "",
        besoin: Annotated[str, Query(max_length=1000)] = "",
    ) -> Response:
        """The empty form, that of `besoin` (a search that found nothing, as it was typed), or that
        of a need of the institution's own, to be corrected."""
        person = visits.require(request, StaffRole.PUBLISHER, _PUBLISH)
        if not staff.gateway.present:
            raise NoGatewayError
        reading, now = readings.of(request), visits.now()
        if is_reference(corriger):
            identifier = opportunity_id(source_of(person.siren), corriger)
            held = await reading.searcher.document(identifier, reading.as_of, reading.reader)
            if own_reference(held, person.siren) is not None:
                form = published_form(held, corriger, now, reading.territories)
                return asked(request, form, Checked())
        form = empty_form(_reference(), person.institution, now, reading.territories)
        return asked(request, replace(form, title=" ".join(besoin.split())[:TITLE]), Checked())

    @router.post("/signaler")
    async def send(request: Request) -> Response:
        """Looks the form over, and publishes it once it was confirmed."""
        fields = await visits.form(request)
        person = visits.require(request, StaffRole.PUBLISHER, _PUBLISH)
        reading = readings.of(request)
        form = filled_form(fields, _reference(), visits.now())
        seen = checked(form, reading.territories)
        if seen.data is None:
            return asked(request, form, seen, 422)
        if fields.get("etape") == "corriger":
            return asked(request, form, seen)
        if fields.get("etape") != "publier":
            own = opportunity_id(source_of(person.siren), form.reference)
            alike = await _alike(reading, form.title, seen.data["place"][0])
            return render.page(
                request,
                "need_confirm.html",
                form=form,
                facts=facts_of(form, seen.place_label),
                place=seen.data["place"][0],
                alike=[one for one in alike if one["id"] != own],
            )
        await staff.note(
            person,
            Deed.NEED_PUBLISHED,
            now=visits.now(),
            reference=form.reference,
        )
        try:
            await staff.gateway.publish(person.siren, need_event(form, seen.data, person.siren))
        except RefusedByGatewayError as error:
            faults = need_faults(error.faults)
            sentence = " ".join(fault_of(*one) for one in error.faults) or str(error)
            refused = replace(seen, faults=faults)
            return asked(request, form, refused, 422, "" if faults else sentence)
        address = f"/signaler/recu?reference={form.reference}&version={version_of(form)}"
        return RedirectResponse(address, 303)

    @router.get("/signaler/recu")
    async def received(
        request: Request,
        reference: Annotated[str, Query(max_length=40)] = "",
        version: Annotated[str, Query(max_length=20, pattern="^[0-9]*$")] = "",
    ) -> Response:
        """What became of it, and where it is found."""
        person = visits.require(request, StaffRole.PUBLISHER, _PUBLISH)
        if not is_reference(reference):
            return RedirectResponse("/signaler", 303)
        source = source_of(person.siren)
        try:
            trace = await staff.gateway.receipt(person.siren, source, event_id(reference, version))
        except (GatewayAwayError, NoGatewayError):
            trace = None
        return render.page(
            request,
            "need_done.html",
            outcome=outcome_of(trace, reference, opportunity_id(source, reference)),
            again=f"/signaler/recu?reference={reference}&version={version}",
            scripts=True,
        )

    return router


async def _alike(reading: Reading, title: str, place: str) -> list[dict[str, Any]]:
    """Needs around the place that may be the same."""
    found = await reading.look(
        *waiting_around(place, reading.as_of, reading.territories),
        scored=alike_titles(title),
        size=_ALIKE,
        _source=ITEM_FIELDS,
    )
    return reading.shown(found)


def _reference() -> str:
    return f"besoin-{secrets.token_hex(8)}"
