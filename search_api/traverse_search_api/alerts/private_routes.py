"""Private addresses: feeds of what an owner reads, and the end of e-mails. Their token says who."""

from contextlib import AsyncExitStack
from typing import Annotated, Final

from fastapi import APIRouter, Path, Request, Response

from traverse_search_api.accounts.staff import Staff
from traverse_search_api.alerts.book import SubscriptionBook
from traverse_search_api.alerts.errors import UnknownSubscriptionError
from traverse_search_api.alerts.subscription import Subscription, reader_for
from traverse_search_api.exports.formats import Form, export
from traverse_search_api.exports.pages import export_pages
from traverse_search_api.exports.places import Places
from traverse_search_api.exports.routes import file_of
from traverse_search_api.pages.address import page_address
from traverse_search_api.pages.render import Renderer
from traverse_search_api.parameters import Sort
from traverse_search_api.search import Searcher

FEEDS: Final = {"rss": "RSS", "atom": "Atom", "ics": "Calendrier des échéances"}
"""The forms of a private address, and what people call them."""

Identifier = Annotated[str, Path(max_length=64)]
Token = Annotated[str, Path(max_length=64)]


def private_pages(
    book: SubscriptionBook, searcher: Searcher, staff: Staff, render: Renderer, address: str
) -> APIRouter:
    """The routes; `address` is the service's."""
    router = APIRouter(include_in_schema=False, route_class=render.route_class)
    visits, places = staff.visits, Places()

    async def opened(identifier: str, token: str, purpose: str) -> Subscription:
        """The subscription of a private address: who has its token has the right."""
        found = await book.any(identifier)
        if found is None or not found.is_token(token, purpose):
            raise UnknownSubscriptionError
        return found

    @router.get("/desabonnement/{identifier}/{token}")
    async def ask(request: Request, identifier: Identifier, token: Token) -> Response:
        """Asks first: programs that look at every link of an e-mail unsubscribe nobody."""
        known = await opened(identifier, token, "unsubscribe")
        return render.page(request, "unsubscribe.html", alert=known.name, done=False)

    @router.post("/desabonnement/{identifier}/{token}")
    async def unsubscribe(request: Request, identifier: Identifier, token: Token) -> Response:
        """One click, by a mail program (RFC 8058) or on the page: the token says who, no cookie."""
        known = await opened(identifier, token, "unsubscribe")
        await book.change(known, lambda row: row.model_copy(update={"muted": True}))
        return render.page(request, "unsubscribe.html", alert=known.name, done=True)

    @router.get("/abonnement/{identifier}/{token}.{form}")
    async def feed(request: Request, identifier: Identifier, token: Token, form: str) -> Response:
        """The search as its owner reads it, for a program that has nothing but an address."""
        if form not in FEEDS:
            raise UnknownSubscriptionError
        known = await opened(identifier, token, "feed")
        reader = reader_for(known, staff.registry.view(), staff.directory, visits.now())
        if reader is None:
            raise UnknownSubscriptionError
        parameters = known.parameters.model_copy(update={"sort": Sort.PUBLISHED})
        async with AsyncExitStack() as held:
            await held.enter_async_context(places.taken(f"feed {identifier}"))
            items = await held.enter_async_context(export_pages(searcher, parameters, reader))
            own = address + page_address(known.search, "/v1/opportunities")
            pieces = export(Form(form), items, address=own, now=searcher.as_of(None))
            # What one owner reads is no cache's.
            headers = {"Cache-Control": "no-store"}
            return await file_of(request, Form(form), pieces, headers, held)

    return router
