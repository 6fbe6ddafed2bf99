"""Puts subscriptions into the service: the API, the pages and the private addresses."""

from typing import Any

from fastapi import FastAPI

from traverse_search_api.access.ways import Readers
from traverse_search_api.accounts.staff import Staff
from traverse_search_api.alerts.book import SubscriptionBook, subscriptions_table
from traverse_search_api.alerts.outside import Outside
from traverse_search_api.alerts.page_routes import alert_pages
from traverse_search_api.alerts.private_routes import private_pages
from traverse_search_api.alerts.removal_routes import removal_pages
from traverse_search_api.alerts.routes import subscription_router
from traverse_search_api.alerts.subscription import Webhook
from traverse_search_api.alerts.webhook import greet, origin_of
from traverse_search_api.pages.render import Renderer
from traverse_search_api.search import Searcher
from traverse_search_api.settings import SearchSettings


def open_book(settings: SearchSettings) -> SubscriptionBook:
    """The book on the settings' Kafka; nothing is opened before the first question."""
    return SubscriptionBook(subscriptions_table(settings.kafka))


def install_alerts(
    app: FastAPI,
    book: SubscriptionBook,
    *,
    searcher: Searcher,
    readers: Readers,
    staff: Staff,
    render: Renderer,
    settings: SearchSettings,
    problems: dict[int | str, dict[str, Any]],
) -> None:
    """Add the routes; `problems` describes the errors in the OpenAPI."""
    outside = Outside(private=settings.webhook_private)
    address = settings.public_address

    async def meet(url: str) -> Webhook:
        return await greet(outside, url, origin_of(address))

    app.include_router(subscription_router(book, searcher, readers, staff, meet, address, problems))
    app.include_router(alert_pages(book, searcher, staff, render, address))
    app.include_router(removal_pages(book, staff, render, address))
    app.include_router(private_pages(book, searcher, staff, render, address))
