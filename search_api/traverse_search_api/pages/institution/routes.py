"""« Mon institution »: what it published, how well, who reads it, what was refused and why."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse

from traverse_search_api.accounts.account import StaffRole
from traverse_search_api.accounts.audit import Deed
from traverse_search_api.accounts.staff import Staff
from traverse_search_api.errors import SearchError
from traverse_search_api.gateway_client import RefusedByGatewayError
from traverse_search_api.institutions.readership import Readership, few
from traverse_search_api.pages.institution.field_names import fault_of
from traverse_search_api.pages.institution.quality import quality
from traverse_search_api.pages.institution.quality_routes import last_publications, refused_lately
from traverse_search_api.pages.institution.view import (
    mend_view,
    mended,
    own_body,
    own_clause,
    published_view,
    quality_words,
    rejections_of,
)
from traverse_search_api.pages.links.routes import answers_of, side_of
from traverse_search_api.pages.reading import Readings
from traverse_search_api.pages.render import Renderer
from traverse_search_api.query.queries import ITEM_FIELDS

_SIZE = 20
_REPLAY = "rejouer un refus"


def institution_router(
    staff: Staff, readings: Readings, readership: Readership, render: Renderer
) -> APIRouter:
    """The routes."""
    router = APIRouter(include_in_schema=False, route_class=render.route_class)
    visits, gateway = staff.visits, staff.gateway

    @router.get("/mon-institution")
    async def institution(
        request: Request,
        before: Annotated[str | None, Query(alias="avant", max_length=200)] = None,
        done: Annotated[str, Query(alias="fait", max_length=20)] = "",
    ) -> Response:
        """The page. What the gateway cannot say now is said to be missing; the rest is shown."""
        person = visits.require(request)
        reading = readings.of(request)
        own = own_clause(person.siren)
        found, judged, refusals, counts, answers = await asyncio.gather(
            reading.look(own, **own_body(person.siren, reading.as_of), _source=ITEM_FIELDS),
            last_publications(reading, person.siren),
            refused_lately(gateway, person.siren, visits.now()),
            readership.of(person.siren),
            answers_of(reading, side_of(staff, person)),
        )
        total, sources, published = published_view(
            found, reading.shown(found), judged, reading.as_of
        )
        accepted = found.get("aggregations", {}).get("accepted", {}).get("doc_count", 0)
        refused, older, warning, missing = [], "", "", ""
        try:
            page = await gateway.rejections(person.siren, before, _SIZE)
            refused = list(rejections_of(page))
            older, warning = page.get("next") or "", page.get("warning") or ""
        except SearchError as error:
            missing = str(error)
        return render.page(
            request,
            "institution.html",
            total=total,
            sources=sources,
            quality=quality(judged, reading.as_of, refusals, accepted),
            quality_of=quality_words(judged, total),
            readers=None if counts is None else [few(count) for count in counts],
            answers=answers,
            published=published,
            refused=refused,
            older=older,
            warning=warning,
            missing=missing,
            replayed=done == "rejoue",
            may_publish=person.may(StaffRole.PUBLISHER),
            administers=person.may(StaffRole.ADMINISTRATOR),
        )

    @router.get("/mon-institution/refus/{name}")
    async def rejection(request: Request, name: str) -> Response:
        """One refused event, to mend."""
        person = visits.require(request, StaffRole.PUBLISHER, _REPLAY)
        view = mend_view(await gateway.rejection(person.siren, name[:200]))
        return render.page(request, "rejection.html", view=view, sentence="")

    @router.post("/mon-institution/refus/{name}")
    async def replay(request: Request, name: str) -> Response:
        """Publishes it again: as it came, with one value mended, or with another text."""
        form = await visits.form(request)
        person = visits.require(request, StaffRole.PUBLISHER, _REPLAY)
        refused = await gateway.rejection(person.siren, name[:200])
        view = mend_view(refused)
        correction: bytes | None = None
        sentence = ""
        match form.get("comment"):
            case "valeur":
                correction = mended(str(refused["event"]), view.pointer, form.get("valeur", ""))
                if correction is None:
                    sentence = f"« {view.where} » est un nombre : écrivez 1200 ou 1200,50."
            case "texte":
                correction = form.get("texte", "").strip().encode()
                if not correction:
                    sentence = "Le texte est vide : écrivez l’événement corrigé, en JSON."
            case "tel-quel":
                pass
            case _:
                sentence = "Choisissez comment rejouer cet événement."
        if not sentence:
            await staff.note(
                person,
                Deed.REJECTION_REPLAYED,
                now=visits.now(),
                rejection=name[:200],
            )
            try:
                await gateway.replay(person.siren, name[:200], correction)
                return RedirectResponse("/mon-institution?fait=rejoue", 303)
            except RefusedByGatewayError as error:
                sentence = " ".join(fault_of(*one) for one in error.faults) or str(error)
        return render.page(request, "rejection.html", 422, view=view, sentence=sentence)

    return router
