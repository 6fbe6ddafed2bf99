"""`/v1/subscriptions`: one's own saved searches, for a person who signed in or an API key."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Annotated, Any, Final

import orjson
from fastapi import APIRouter, Path, Query, Request, Response

from traverse_search_api.access.ways import Readers
from traverse_search_api.accounts.account import Account
from traverse_search_api.accounts.forms import check_same_site
from traverse_search_api.accounts.staff import Staff
from traverse_search_api.alerts.book import SubscriptionBook
from traverse_search_api.alerts.dry_run import dry_run
from traverse_search_api.alerts.errors import RefusedSubscriptionError
from traverse_search_api.alerts.requests import owner_of, read_json
from traverse_search_api.alerts.subscription import Channel, Owner, Webhook
from traverse_search_api.alerts.wish import Change, Wish, changed, search_of, shown, subscription_of
from traverse_search_api.answers.active_filters import active_filters
from traverse_search_api.parameters import SearchParameters
from traverse_search_api.search import Searcher
from traverse_search_api.web.description import told_problem
from traverse_search_api.web.query_string import whole_schema

Greet = Callable[[str], Awaitable[Webhook]]
"""Asks a receiver whether it takes webhooks of ours. Raises RefusedSubscriptionError."""

Identifier = Annotated[str, Path(max_length=64, description="L’identifiant de l’alerte.")]

_TRIED: Final[dict[int | str, dict[str, Any]]] = {
    200: {"description": "Ce que la recherche aurait donné (`dry_run`) ; rien n’est enregistré."}
}
_TOO_MANY: Final[dict[int | str, dict[str, Any]]] = {
    409: told_problem("Trop d’alertes : supprimez-en une.")
}


def subscription_router(  # noqa: PLR0917 -- each part is of another type
    book: SubscriptionBook,
    searcher: Searcher,
    readers: Readers,
    staff: Staff,
    greet: Greet,
    address: str,
    problems: dict[int | str, dict[str, Any]],
) -> APIRouter:
    """The routes; `address` is the service's, `problems` describes the errors in the OpenAPI."""
    router = APIRouter(tags=["alertes"])
    visits = staff.visits

    @router.post(
        "/v1/subscriptions",
        status_code=201,
        responses={**problems, **_TRIED, **_TOO_MANY},
        openapi_extra=_body(Wish),
    )
    async def create(
        request: Request,
        dry: Annotated[
            bool, Query(alias="dry_run", description="Ne rien enregistrer, dire seulement.")
        ] = False,
    ) -> Response:
        """Enregistre une recherche ; `dry_run=true` dit seulement ce qu’elle aurait donné."""
        owner, reader = owner_of(request, readers, visits)
        wish = await read_json(request, Wish)
        parameters = search_of(wish.search)
        # What cannot be searched cannot be followed either: a territory unknown or ambiguous.
        tried = await dry_run(searcher, parameters, reader)
        if dry:
            return _json(tried)
        hook = await greet(wish.url) if wish.url and wish.channel is Channel.WEBHOOK else None
        made = subscription_of(
            wish,
            owner,
            visits.now(),
            name=name_of(parameters, searcher),
            recipient=_recipient(staff, owner, wish.email),
            webhook=hook,
        )
        await book.add(made)
        content = {**shown(made, address, secret=True), "dry_run": tried}
        return _json(content, 201, {"Location": f"/v1/subscriptions/{made.id}"})

    @router.get("/v1/subscriptions", responses=problems)
    async def list_(request: Request) -> Response:
        """Ses alertes, la plus récente d’abord."""
        owner, _ = owner_of(request, readers, visits)
        return _json({"items": [shown(one, address) for one in await book.of(owner)]})

    @router.get("/v1/subscriptions/{identifier}", responses=problems)
    async def read(request: Request, identifier: Identifier) -> Response:
        """Une de ses alertes."""
        owner, _ = owner_of(request, readers, visits)
        return _json(shown(await book.one(owner, identifier), address))

    @router.patch("/v1/subscriptions/{identifier}", responses=problems, openapi_extra=_body(Change))
    async def change(request: Request, identifier: Identifier) -> Response:
        """Change une de ses alertes : ce qui n’est pas dit reste."""
        owner, reader = owner_of(request, readers, visits)
        wanted = await read_json(request, Change)
        known = await book.one(owner, identifier)
        if wanted.search is not None:
            await dry_run(searcher, search_of(wanted.search), reader)
        url = wanted.url or (known.webhook.url if wanted.enabled and known.webhook else None)
        hook = await greet(url) if url else None
        recipient = _recipient(staff, owner, wanted.email) if wanted.email else None
        made = await book.change(
            known, lambda row: changed(row, wanted, recipient=recipient, webhook=hook)
        )
        return _json(shown(made, address, secret=bool(hook) or wanted.new_secret))

    @router.delete("/v1/subscriptions/{identifier}", status_code=204, responses=problems)
    async def delete(request: Request, identifier: Identifier) -> Response:
        """Supprime une de ses alertes, et tout ce qui en était gardé."""
        owner, _ = owner_of(request, readers, visits)
        check_same_site(request)
        await book.delete(await book.one(owner, identifier))
        return Response(status_code=204)

    @router.post(
        "/v1/subscriptions/{identifier}/redelivery",
        status_code=202,
        responses=problems,
        response_class=Response,
    )
    async def redeliver(
        request: Request,
        identifier: Identifier,
        hours: Annotated[int, Query(ge=1, le=168, description="Heures à renvoyer.")] = 24,
    ) -> Response:
        """Renvoie par webhook les alertes des dernières heures, sous les mêmes identifiants."""
        owner, _ = owner_of(request, readers, visits)
        check_same_site(request)
        known = await book.one(owner, identifier)
        since = visits.now() - timedelta(hours=hours)
        await book.change(known, lambda row: row.model_copy(update={"redeliver_from": since}))
        return Response(status_code=202)

    return router


def name_of(parameters: SearchParameters, searcher: Searcher) -> str:
    """What a search is called: its words, then its filters."""
    filters = active_filters(parameters, searcher.as_of(None), searcher.territories)
    words = [parameters.q.strip()] if parameters.q.strip() else []
    return ", ".join([*words, *(one.label for one in filters)]) or "Tout ce qui est publié"


def _recipient(staff: Staff, owner: Owner, email: str | None) -> Account | None:
    """The account that e-mails go to: one's own, or one of the institution that is named; so that
    nobody has e-mails sent to a stranger."""
    if email is None:
        return staff.directory.get(owner.account) if owner.account else None
    found = staff.directory.of_email(email)
    own = owner.account in ("", found.id) if found else False
    if found is None or not own or found.role_for(owner.siren) is None:
        raise RefusedSubscriptionError(
            "Les courriels d’une alerte vont à votre propre adresse ou, avec une clé d’API, à "
            "celle d’un compte de l’institution : donnez-en une de celles-là."
        )
    return found


def _body(model: type[Wish] | type[Change]) -> dict[str, Any]:
    content = {"application/json": {"schema": whole_schema(model)}}
    return {"requestBody": {"required": True, "content": content}}


def _json(content: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(orjson.dumps(content), status, headers, media_type="application/json")
