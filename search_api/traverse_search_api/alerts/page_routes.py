"""« Mes alertes » and « M’alerter »: without a script."""

from typing import Annotated, Final
from urllib.parse import parse_qs

from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import RedirectResponse

from traverse_search_api.access.reader import reader_of
from traverse_search_api.accounts.staff import Staff
from traverse_search_api.alerts.book import SubscriptionBook
from traverse_search_api.alerts.dry_run import dry_run
from traverse_search_api.alerts.errors import RefusedSubscriptionError
from traverse_search_api.alerts.private_routes import FEEDS
from traverse_search_api.alerts.routes import name_of
from traverse_search_api.alerts.subscription import (
    RHYTHM_LABELS,
    Channel,
    Owner,
    Rhythm,
    Subscription,
)
from traverse_search_api.alerts.wish import (
    Change,
    Wish,
    changed,
    kinds_text,
    note_subscription,
    page_of,
    search_of,
    shown,
    subscription_of,
)
from traverse_search_api.pages.address import given
from traverse_search_api.pages.render import Renderer
from traverse_search_api.pages.search_parameters import first_fault
from traverse_search_api.pages.typed_place import label_of
from traverse_search_api.parameters import SearchParameters
from traverse_search_api.search import Searcher

Identifier = Annotated[str, Path(max_length=64)]
REMOVED: Final = "alerte supprimée"
"""The deed that a page tells of only to who did it (`Visits.mark`)."""


def alert_pages(
    book: SubscriptionBook, searcher: Searcher, staff: Staff, render: Renderer, address: str
) -> APIRouter:
    """The routes; `address` is the service's."""
    router = APIRouter(include_in_schema=False, route_class=render.route_class)
    visits = staff.visits

    @router.get("/alertes")
    async def mine(
        request: Request,
        nouvelle: str = "",
        reprise: str = "",
        changee: str = "",
        supprimee: str = "",
    ) -> Response:
        """The page."""
        person = visits.require(request)
        owner = Owner(person.siren, person.account.id)
        rows = await book.of(owner)
        made = next((row for row in rows if row.id == nouvelle), None)
        sentence = ""
        if made is not None and made.note:
            sentence = "Elle vous est envoyée chaque lundi matin."
        elif made is not None:
            tried = await dry_run(
                searcher, made.parameters, reader_of(person.institution, visits.now())
            )
            sentence = tried["sentence"]
        return render.page(
            request,
            "alerts.html",
            alerts=[card_of(row, address) for row in rows],
            rhythms=list(RHYTHM_LABELS.items()),
            made=made,
            taken_up=bool(reprise),
            changed=next((_told(row) for row in rows if row.id == changee), ""),
            removed=visits.did(person, supprimee, REMOVED),
            sentence=sentence,
        )

    @router.post("/alertes")
    async def follow(request: Request) -> Response:
        """« M’alerter »: save the search of the page that one comes from."""
        form = await visits.form(request)
        person = visits.require(request)
        parameters = _searched(form.get("recherche", ""))
        made = subscription_of(
            Wish(search={name: list(texts) for name, texts in given(parameters).items()}),
            Owner(person.siren, person.account.id),
            visits.now(),
            name=name_of(parameters, searcher),
            recipient=person.account,
            webhook=None,
        )
        return await _kept(book, made)

    @router.post("/alertes/note")
    async def send_note(request: Request) -> Response:
        """« Recevoir cette note chaque lundi »: of the territory of the note that one reads."""
        form = await visits.form(request)
        person = visits.require(request)
        code = form.get("lieu", "")[:100]
        if code != "fr" and searcher.territories.chain(code) is None:
            raise RefusedSubscriptionError("Ce territoire n’est pas connu : repartez de la note.")
        place = label_of(code, searcher.territories) if code != "fr" else "tous les territoires"
        owner = Owner(person.siren, person.account.id)
        made = note_subscription(owner, person.account, visits.now(), code=code, place=place)
        return await _kept(book, made)

    @router.post("/alertes/{identifier}")
    async def change(request: Request, identifier: Identifier) -> Response:
        """Change, pause or take up again one of one's own."""
        form = await visits.form(request)
        person = visits.require(request)
        known = await book.one(Owner(person.siren, person.account.id), identifier)
        match form.get("geste", ""):
            case "pause":
                await book.change(known, lambda row: _with(row, Change(muted=True)))
            case "reprendre":
                await book.change(known, _taken_up)
            case _:
                rhythm = form.get("rythme", "")
                wanted = Change(
                    name=form.get("nom", "")[:200].strip() or None,
                    rhythm=Rhythm(rhythm) if rhythm in tuple(Rhythm) else None,
                )
                await book.change(known, lambda row: _with(row, wanted))
        return RedirectResponse(f"/alertes?changee={known.id}", 303)

    return router


def _told(row: Subscription) -> str:
    """What has become of one that was changed."""
    if row.muted:
        return f"L’alerte « {row.name} » est en pause : rien n’en est envoyé jusqu’à la reprise."
    return f"L’alerte « {row.name} » est enregistrée."


async def _kept(book: SubscriptionBook, made: Subscription) -> Response:
    """Keep a new one and show it. Who clicks twice means one alert; who asks for one that is in
    pause, or is delivered no more, wants it again."""
    for row in await book.of(made.owner):
        alike = row.search == made.search and row.note == made.note
        if alike and row.channel is Channel.EMAIL:
            stopped = row.muted or row.disabled is not None
            if stopped:
                await book.change(row, _taken_up)
            return RedirectResponse(
                f"/alertes?nouvelle={row.id}" + ("&reprise=oui" if stopped else ""), 303
            )
    await book.add(made)
    return RedirectResponse(f"/alertes?nouvelle={made.id}", 303)


def _taken_up(row: Subscription) -> Subscription:
    return _with(row, Change(muted=False, enabled=True))


def _with(row: Subscription, change: Change) -> Subscription:
    return changed(row, change, recipient=None, webhook=None)


def card_of(row: Subscription, address: str) -> dict[str, object]:
    """One of them as the pages show it; `address` is the service's."""
    view = shown(row, address)
    feeds = [] if row.note else [(FEEDS[form], where) for form, where in view["feeds"].items()]
    what = {
        Channel.EMAIL: f"Par courriel, {RHYTHM_LABELS[row.rhythm]}",
        Channel.WEBHOOK: f"Par webhook à {row.webhook.url if row.webhook else ''}",
        Channel.FEED: "Par les adresses privées",
    }[row.channel]
    return {
        "id": row.id,
        "name": row.name,
        "page": page_of(row),
        "what": "Par courriel, chaque lundi" if row.note else f"{what} : {kinds_text(row)}",
        "email": row.channel is Channel.EMAIL and not row.note,
        "rhythm": row.rhythm,
        "muted": row.muted,
        "disabled": row.disabled.sentence if row.disabled else "",
        "feeds": feeds,
    }


def _searched(query: str) -> SearchParameters:
    """The search that a form carries as an address' query. Raises RefusedSubscriptionError."""
    try:
        asked = parse_qs(query, max_num_fields=400)
    except ValueError:
        raise RefusedSubscriptionError(
            "Cette recherche est trop longue : ôtez-en des mots ou des filtres."
        ) from None
    return search_of(dict(asked), lambda error: first_fault(error)[1])
