"""« En lien »: what an institution says of its record and another, in one click, and takes back."""

from collections.abc import Callable
from typing import Annotated, Any
from urllib.parse import urlencode
from uuid import uuid4

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse

from traverse_schemas.decisions import Word
from traverse_schemas.registry.registry import Registry
from traverse_search_api.accounts.account import StaffRole
from traverse_search_api.accounts.audit import Deed
from traverse_search_api.accounts.errors import NotAllowedError
from traverse_search_api.accounts.session import SignedIn
from traverse_search_api.accounts.staff import Staff
from traverse_search_api.errors import MergedError
from traverse_search_api.pages.institution.view import own_clause
from traverse_search_api.pages.links.view import AnswersView, Side, answers_view
from traverse_search_api.pages.links.word import (
    Matter,
    Said,
    matter_of,
    pairs_of,
    said_by,
    said_of,
    word_events,
    word_of,
)
from traverse_search_api.pages.reading import Reading, Readings
from traverse_search_api.pages.render import Renderer

_SPEAK = "répondre pour ces fiches"
_LENGTH = 60
_HOPS = 3
_READ = 200
_FIELDS = ["id", "title", "sources", "owner_siren", "provenance.owner_kind", "links"]

_FOLLOWS = {
    Word.CONFIRMED: "Dans quelques secondes, chacun lit ce lien comme confirmé.",
    Word.DISMISSED: "Dans quelques secondes, ce lien n’est plus proposé ; vos deux institutions le "
    "retrouvent parmi les liens écartés.",
    Word.SAME_AS: "Les deux fiches n’en font plus qu’une dès que l’autre institution le dit aussi.",
    Word.NOT_SAME: "Dans quelques secondes, ce sont deux fiches.",
    Word.WITHDRAWN: "Dans quelques secondes, c’est de nouveau comme avant.",
}

_BOTH_SAY = "Ce lien est confirmé dès que l’autre acheteur le dit aussi."


def link_router(staff: Staff, readings: Readings, render: Renderer) -> APIRouter:
    """The routes."""
    router = APIRouter(include_in_schema=False, route_class=render.route_class)
    visits = staff.visits

    @router.post("/lien")
    async def say(request: Request) -> Response:
        """Says it for one's institution, where it is a side of one of the two records."""
        form = await visits.form(request)
        person = visits.require(request, StaffRole.PUBLISHER, _SPEAK)
        reading = readings.of(request)
        word = word_of(form.get("mot", ""))
        matter = matter_of(word, form.get("sujet", ""))
        named = form.get("avec", "")[:_LENGTH]
        mine = await _standing(reading, form.get("dossier", "")[:_LENGTH])
        theirs = await _standing(reading, named)
        pairs = pairs_of(matter, mine, theirs, named, person.siren)
        if not pairs:
            raise NotAllowedError(_SPEAK, person.institution.name)
        known = [
            Said(said["source"], said["subject"], tuple(said["version"]))
            for said in said_by(mine, theirs["id"], matter, person.siren)
        ]
        now = visits.now()
        events = word_events(
            word, matter, pairs, known, siren=person.siren, now=now, ids=iter(_new_id, "")
        )
        await staff.note(
            person,
            Deed.LINK_ANSWERED,
            now=now,
            records=[mine["id"], named],
            word=word.value,
        )
        for event in events:
            await staff.gateway.publish(person.siren, event)
        said = {"dossier": mine["id"], "avec": named, "mot": word.value, "sujet": matter.value}
        said["marque"] = visits.mark(person, "lien", *said.values())
        return RedirectResponse(f"/lien/dit?{urlencode(said)}", 303)

    @router.get("/lien/dit")
    async def told(
        request: Request,
        record: Annotated[str, Query(alias="dossier", max_length=_LENGTH)] = "",
        other: Annotated[str, Query(alias="avec", max_length=_LENGTH)] = "",
        said: Annotated[str, Query(alias="mot", max_length=20)] = "",
        about: Annotated[str, Query(alias="sujet", max_length=20)] = "",
    ) -> Response:
        """It is said, and may be taken back; to who just said it, and nobody else."""
        person = visits.require(request, StaffRole.PUBLISHER, _SPEAK)
        mark = request.query_params.get("marque", "")
        if not visits.did(person, mark, "lien", record, other, said, about):
            return RedirectResponse("/mon-institution#liens", 303)
        word = word_of(said)
        matter = matter_of(word, about)
        both = word is Word.CONFIRMED and matter is Matter.JOINT
        return render.page(
            request,
            "link_done.html",
            record=record,
            other=other,
            matter=matter,
            said=said_of(word, matter),
            follows=_BOTH_SAY if both else _FOLLOWS[word],
            taken_back=word is Word.WITHDRAWN,
        )

    return router


def side_of(staff: Staff, person: SignedIn) -> Side:
    """Who looks at links, and what they may say here."""
    may = person.may(StaffRole.PUBLISHER) and staff.gateway.present
    return Side(person.siren, may, names_of(staff.registry))


async def answers_of(reading: Reading, side: Side) -> AnswersView:
    """What is proposed to, and by, what an institution publishes or owns: of its last
    publications that are not over."""
    own = {"bool": {"should": [own_clause(side.siren), {"term": {"owner_siren": side.siren}}]}}
    found = await reading.look(
        own,
        {"term": {"state": "active"}},
        size=_READ,
        sort=[{"updated_at": "desc"}, {"id": "asc"}],
        _source=_FIELDS,
    )
    documents = [hit["_source"] for hit in found.get("hits", {}).get("hits", [])]
    return answers_view(documents, reading.as_of, reading.reader, side)


async def _standing(reading: Reading, identifier: str) -> dict[str, Any]:
    """The opportunity in which a record is now. Raises as `Searcher.document` does."""
    at = identifier
    for _ in range(_HOPS):
        try:
            return await reading.searcher.document(at, reading.as_of, reading.reader)
        except MergedError as moved:
            at = moved.identifier
    return await reading.searcher.document(at, reading.as_of, reading.reader)


def names_of(registry: Registry) -> Callable[[str], str]:
    """Gives the name of an institution by its SIREN."""

    def name_of(siren: str) -> str:
        found = registry.view().get(siren)
        return found.name if found is not None else f"SIREN {siren}"

    return name_of


def _new_id() -> str:
    return uuid4().hex
