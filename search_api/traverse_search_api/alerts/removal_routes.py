"""An alert is deleted on the pages: asked first, then done."""

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from traverse_search_api.accounts.staff import Staff
from traverse_search_api.alerts.book import SubscriptionBook
from traverse_search_api.alerts.page_routes import REMOVED, Identifier, card_of
from traverse_search_api.alerts.subscription import Owner
from traverse_search_api.pages.render import Renderer


def removal_pages(
    book: SubscriptionBook, staff: Staff, render: Renderer, address: str
) -> APIRouter:
    """The routes; `address` is the service's."""
    router = APIRouter(include_in_schema=False, route_class=render.route_class)
    visits = staff.visits

    @router.get("/alertes/{identifier}/suppression")
    async def ask_to_delete(request: Request, identifier: Identifier) -> Response:
        """What it would do to delete one of one's own."""
        person = visits.require(request)
        known = await book.one(Owner(person.siren, person.account.id), identifier)
        return render.page(request, "alert_removal.html", alert=card_of(known, address))

    @router.post("/alertes/{identifier}/suppression")
    async def delete(request: Request, identifier: Identifier) -> Response:
        """Delete it, once that was confirmed."""
        await visits.form(request)
        person = visits.require(request)
        await book.delete(await book.one(Owner(person.siren, person.account.id), identifier))
        return RedirectResponse(f"/alertes?supprimee={visits.mark(person, REMOVED)}", 303)

    return router
