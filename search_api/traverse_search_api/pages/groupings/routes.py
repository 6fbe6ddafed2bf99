"""« Mutualiser »: the joint purchases that are proposed to who reads, and what their institution
says of them."""

from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import urlencode
from uuid import uuid4

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse

from traverse_schemas.decisions import GroupingStep
from traverse_search_api.accounts.account import StaffRole
from traverse_search_api.accounts.audit import Deed
from traverse_search_api.accounts.errors import NotAllowedError
from traverse_search_api.accounts.staff import Staff
from traverse_search_api.errors import MergedError
from traverse_search_api.groupings.errors import MovedGroupingError
from traverse_search_api.pages.groupings.view import grouping_view
from traverse_search_api.pages.groupings.word import (
    FORMAL,
    SAID,
    day_of,
    own_record,
    step_of,
    word_event,
)
from traverse_search_api.pages.links.routes import names_of
from traverse_search_api.pages.reading import Reading, Readings
from traverse_search_api.pages.render import Renderer
from traverse_search_api.pages.typed_place import place_choices, retyped

_MOST = 20
_ANSWER = "répondre à un groupement"


def grouping_router(staff: Staff, readings: Readings, render: Renderer) -> APIRouter:
    """The routes."""
    router = APIRouter(include_in_schema=False, route_class=render.route_class)
    visits = staff.visits

    @router.get("/mutualiser")
    async def groupings(
        request: Request,
        where: Annotated[str, Query(alias="lieu", max_length=120)] = "",
        every: Annotated[str, Query(alias="toutes", max_length=3)] = "",
        cursor: Annotated[str | None, Query(alias="suite", max_length=200)] = None,
    ) -> Response:
        """The groupings of the institution; of all where that is asked, or there are none."""
        person = visits.require(request)
        reading = readings.of(request)
        choices = place_choices(where, reading.territories)
        asked: dict[str, Any] = {"size": _MOST, "cursor": cursor}
        if len(choices) == 1:
            asked["territory"] = choices[0].code
        own = await readings.groupings(reading, **asked, institution=person.siren)
        none = not own["total"]["value"]
        others = await readings.groupings(reading, **asked) if every or none else None
        found, name_of = others or own, names_of(staff.registry)
        following = {"lieu": where, "toutes": "oui" if others else "", "suite": found["next"]}
        return render.page(
            request,
            "groupings.html",
            where=retyped(where, choices, reading.territories),
            choices=choices,
            every=others is not None,
            total=found["total"]["value"],
            following=_address(following) if found["next"] else "",
            groupings=[grouping_view(one, person.siren, name_of) for one in found["items"]],
            may_answer=person.may(StaffRole.PUBLISHER) and staff.gateway.present,
            steps=[(step.value, label) for step, label in FORMAL.items()],
        )

    @router.get("/mutualiser/{identifier}")
    async def grouping(request: Request, identifier: str) -> Response:
        """One of them, where its link leads."""
        person = visits.require(request)
        found = await readings.grouping(readings.of(request), identifier[:60])
        return render.page(
            request,
            "groupings.html",
            where="",
            choices=(),
            every=False,
            total=1,
            following="",
            groupings=[grouping_view(found, person.siren, names_of(staff.registry))],
            may_answer=person.may(StaffRole.PUBLISHER) and staff.gateway.present,
            steps=[(step.value, label) for step, label in FORMAL.items()],
        )

    @router.post("/mutualiser/{identifier}")
    async def answer(request: Request, identifier: str) -> Response:
        """Says for one's institution what it thinks of a grouping: of its own record in it."""
        form = await visits.form(request)
        person = visits.require(request, StaffRole.PUBLISHER, _ANSWER)
        reading = readings.of(request)
        step, on = step_of(form.get("mot", "")), day_of(form.get("jour", ""))
        record = form.get("dossier", "")[:60]
        if step is not GroupingStep.WITHDRAWN:
            # To take a word back, the grouping need not be there any more.
            found = await _grouping(readings, reading, identifier)
            identifier = found["id"]
            if not any(
                one["record"] == record and one.get("siren") == person.siren
                for one in (*found["members"], *found["others"])
            ):
                raise NotAllowedError(
                    "répondre pour ce membre du groupement", person.institution.name
                )
        named = await _record(reading, record, person.siren)
        if named is None:
            raise NotAllowedError("répondre pour ce dossier", person.institution.name)
        now = visits.now()
        event = word_event(
            step,
            grouping=identifier,
            record=named,
            siren=person.siren,
            event_id=uuid4().hex,
            now=now,
            on=on,
        )
        await staff.note(
            person,
            Deed.GROUPING_ANSWERED,
            now=now,
            grouping=identifier[:60],
            word=step.value,
        )
        await staff.gateway.publish(person.siren, event)
        mark = visits.mark(person, "groupement", identifier, record, step.value)
        said = urlencode({"dossier": record, "mot": step.value, "marque": mark})
        return RedirectResponse(f"/mutualiser/{identifier}/reponse?{said}", 303)

    @router.get("/mutualiser/{identifier}/reponse")
    async def answered(
        request: Request,
        identifier: str,
        record: Annotated[str, Query(alias="dossier", max_length=60)] = "",
        word: Annotated[str, Query(alias="mot", max_length=20)] = "",
    ) -> Response:
        """It is said, and may be taken back; to who just said it, and nobody else."""
        person = visits.require(request, StaffRole.PUBLISHER, _ANSWER)
        mark = request.query_params.get("marque", "")
        if not visits.did(person, mark, "groupement", identifier, record, word):
            return RedirectResponse("/mutualiser", 303)
        step = step_of(word)
        return render.page(
            request,
            "grouping_done.html",
            identifier=identifier,
            record=record,
            said=SAID[step],
            taken_back=step is GroupingStep.WITHDRAWN,
        )

    return router


async def _grouping(readings: Readings, reading: Reading, identifier: str) -> dict[str, Any]:
    """The grouping of a form; or the one where its members went since the form was shown."""
    try:
        return await readings.grouping(reading, identifier[:60])
    except MovedGroupingError as moved:
        return await readings.grouping(reading, moved.identifier)


def _address(asked: Mapping[str, str]) -> str:
    return "/mutualiser?" + urlencode({name: value for name, value in asked.items() if value})


async def _record(reading: Reading, identifier: str, siren: str) -> dict[str, str] | None:
    """The record by its source and subject, if the institution owns it; wherever it was merged
    into."""
    at = identifier
    for _ in range(2):
        try:
            document = await reading.searcher.document(at, reading.as_of, reading.reader)
        except MergedError as moved:
            at = moved.identifier
            continue
        owners = [one.get("siren") for one in document["institutions"] if one["role"] == "owner"]
        return own_record(document["sources"], identifier) if siren in owners else None
    return None
