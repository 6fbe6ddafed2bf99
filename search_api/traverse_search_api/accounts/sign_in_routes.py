"""Signing in and out: with a password of ours, or at an OpenID provider."""

from typing import Annotated, Final

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse

from traverse_search_api.accounts.account import Account, account_id
from traverse_search_api.accounts.account_changes import (
    OtherIdentityError,
    end_session,
    with_identity,
)
from traverse_search_api.accounts.audit import Deed
from traverse_search_api.accounts.errors import (
    SignInRefusedError,
    TooManyAttemptsError,
)
from traverse_search_api.accounts.forms import local_address
from traverse_search_api.accounts.openid import Claims, Provider
from traverse_search_api.accounts.staff import Staff
from traverse_search_api.pages.render import Renderer, members_page

CALLBACK: Final = "/connexion/retour"
_WRONG: Final = (
    "L’adresse ou le mot de passe n’est pas le bon, ou ce compte ne peut pas servir : vérifiez, ou "
    "adressez-vous à qui tient ce service."
)
_NOBODY: Final = (
    "Aucun compte de Traverse ne correspond à cette identité : demandez à qui tient ce service "
    "d’en ouvrir un avec cette adresse vérifiée, ou à qui administre les comptes de votre "
    "institution de délier celui que vous aviez (si c’est vous, à qui tient ce service)."
)
_Towards = Annotated[str, Query(alias="vers")]  # bounded by `local_address`


def sign_in_router(staff: Staff, render: Renderer) -> APIRouter:
    """The routes."""
    router = APIRouter(include_in_schema=False, route_class=render.route_class)
    visits = staff.visits

    def asked(
        request: Request, towards: str, status: int = 200, *, email: str = "", sentence: str = ""
    ) -> Response:
        """The page that asks who somebody is."""
        token = visits.mark_entrance(request)
        return render.page(
            request,
            "sign_in.html",
            status,
            token=token,
            towards=towards,
            purpose=members_page(towards),
            provider=staff.provider.name if staff.provider else "",
            email=email,
            sentence=sentence,
        )

    @router.get("/connexion")
    async def sign_in(request: Request, towards: _Towards = "/") -> Response:
        """Asks for address and password."""
        if visits.person(request) is not None:
            return RedirectResponse(local_address(towards), 303)
        return asked(request, local_address(towards))

    @router.post("/connexion")
    async def enter(request: Request) -> Response:
        """Judges address and password."""
        form = await visits.form(request)
        staff.require_ready()
        email, towards = form.get("email", "")[:254], local_address(form.get("vers"))
        account = await _with_password(staff, request, email, form.get("mot-de-passe", ""))
        if account is None:
            return asked(request, towards, 403, email=email, sentence=_WRONG)
        return await _admit(staff, account, towards, "password")

    @router.post("/deconnexion")
    async def leave(request: Request) -> Response:
        """Closes the session, here and wherever its cookie may have gone."""
        await visits.form(request)
        person = visits.require(request)
        session = person.session
        until = session.started + visits.sessions.longest
        await staff.note(person, Deed.SIGNED_OUT, now=visits.now())
        await staff.update(
            person.account,
            lambda known: end_session(known or person.account, session.id, until, visits.now()),
        )
        answer = RedirectResponse("/", 303)
        visits.end(answer)
        return answer

    return router


def provider_router(staff: Staff, provider: Provider, render: Renderer) -> APIRouter:
    """The routes of signing in at a provider."""
    router = APIRouter(include_in_schema=False, route_class=render.route_class)

    @router.get("/connexion/fournisseur")
    async def go(request: Request, towards: _Towards = "/") -> Response:
        """Sends the person to the provider."""
        return await provider.send_away(request, local_address(towards))

    @router.get(CALLBACK)
    async def back(request: Request) -> Response:
        """The person comes back from the provider, who says who it is."""
        claims, towards = await provider.read_back(request)
        staff.require_ready()
        account = _known(staff, claims)
        if account is None or not account.active(staff.visits.now()):
            raise SignInRefusedError(_NOBODY)
        if account.identity is None:
            account = await _bound(staff, account, claims)
        answer = await _admit(staff, account, towards, "openid")
        provider.forget(answer)
        return answer

    return router


async def _with_password(
    staff: Staff, request: Request, email: str, password: str
) -> Account | None:
    """The account of this address and password. Raises TooManyAttemptsError."""
    address = request.client.host if request.client else ""
    identifier, now = account_id(email), staff.visits.now()
    if not staff.throttle.attempt(identifier, address):
        raise TooManyAttemptsError
    account = staff.directory.get(identifier)
    usable = account is not None and account.active(now)
    hashed = account.password if account is not None and usable else None
    if await staff.passwords.matches(password, hashed):
        staff.throttle.succeeded(identifier, address)
        return account
    await staff.audit.write(
        Deed.SIGN_IN_REFUSED, siren="", account=identifier, now=now, how="password"
    )
    return None


async def _admit(staff: Staff, account: Account, towards: str, how: str) -> Response:
    """Open a session, under a new id whatever the visit had before."""
    visits = staff.visits
    session = visits.sessions.open(account, visits.now())
    if session is None:
        raise SignInRefusedError(_WRONG)
    await staff.audit.write(
        Deed.SIGNED_IN, siren=session.siren, account=account.id, now=visits.now(), how=how
    )
    answer = RedirectResponse(local_address(towards), 303)
    visits.begin(answer, session)
    return answer


async def _bound(staff: Staff, account: Account, claims: Claims) -> Account:
    """The account, bound to the identity for good. Raises SignInRefusedError."""
    try:
        return await staff.update(
            account, lambda known: with_identity(known or account, claims.identity)
        )
    except OtherIdentityError as error:
        raise SignInRefusedError(str(error)) from None


def _known(staff: Staff, claims: Claims) -> Account | None:
    """The account that is bound to the identity; else one that is bound to nobody yet and has the
    address that the provider has verified."""
    bound = staff.directory.of_identity(claims.identity)
    if bound is not None:
        return bound
    found = staff.directory.of_email(claims.email) if claims.verified else None
    return found if found is not None and found.identity is None else None
