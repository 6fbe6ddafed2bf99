"""« Qualité »: what the rules read of publications, and those of them that lack something."""

from datetime import datetime
from typing import Any, Final

from fastapi import APIRouter, Request, Response

from traverse_search_api.accounts.staff import Staff
from traverse_search_api.errors import SearchError, UnknownRuleError
from traverse_search_api.gateway_client import GatewayClient
from traverse_search_api.pages.institution.quality import (
    REFUSALS_COUNTED,
    described,
    documents_of,
    lacking,
    quality_body,
    refusals_since,
    rule_named,
)
from traverse_search_api.pages.institution.view import lacking_view, own_clause
from traverse_search_api.pages.reading import Reading, Readings
from traverse_search_api.pages.render import Renderer

_LISTED: Final = 50


def quality_router(staff: Staff, readings: Readings, render: Renderer) -> APIRouter:
    """The route."""
    router = APIRouter(include_in_schema=False, route_class=render.route_class)

    @router.get("/mon-institution/qualite/{name}")
    async def lacks(request: Request, name: str) -> Response:
        """The publications that do not hold a rule, and how to mend them."""
        person = staff.visits.require(request)
        rule = rule_named(name)
        if rule is None:
            raise UnknownRuleError
        reading = readings.of(request)
        found = lacking(name, await last_publications(reading, person.siren), reading.as_of)
        return render.page(
            request,
            "quality.html",
            rule=rule,
            count=len(found),
            published=[lacking_view(one, reading.as_of) for one in found[:_LISTED]],
        )

    return router


async def last_publications(reading: Reading, siren: str) -> list[dict[str, Any]]:
    """What the rules read of an institution's last publications."""
    found = await reading.look(own_clause(siren), scored=described(), named=True, **quality_body())
    return documents_of(found)


async def refused_lately(gateway: GatewayClient, siren: str, now: datetime) -> int | None:
    """How many events of an institution were refused; None while the gateway does not say."""
    try:
        page = await gateway.rejections(siren, None, REFUSALS_COUNTED)
    except SearchError:
        return None
    return refusals_since(page["items"], now)
