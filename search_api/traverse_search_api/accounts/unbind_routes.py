"""An account is unbound from who its person is at the OpenID provider: asked first, then done and
noted."""

from typing import Final

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from traverse_search_api.accounts.account import Account, StaffRole
from traverse_search_api.accounts.account_changes import without_identity
from traverse_search_api.accounts.audit import Deed
from traverse_search_api.accounts.errors import OwnAccountError, UnknownPersonError, by_another
from traverse_search_api.accounts.session import SignedIn
from traverse_search_api.accounts.staff import Staff
from traverse_search_api.pages.render import Renderer

ADMINISTER: Final = "administrer les comptes"
_UNBIND: Final = "délier votre propre compte"


def unbind_router(staff: Staff, render: Renderer) -> APIRouter:
    """The routes."""
    router = APIRouter(include_in_schema=False, route_class=render.route_class)
    visits = staff.visits

    @router.get("/compte/personnes/{identifier}/identite")
    async def ask_to_unbind(request: Request, identifier: str) -> Response:
        """What it would do to unbind somebody's account from who they are at the provider."""
        person = visits.require(request, StaffRole.ADMINISTRATOR, ADMINISTER)
        target = another_person(staff, person, identifier, _UNBIND)
        if target.identity is None:
            return RedirectResponse("/compte", 303)
        return render.page(request, "unbind.html", target=target, provider=provider_name(staff))

    @router.post("/compte/personnes/{identifier}/identite")
    async def unbind(request: Request, identifier: str) -> Response:
        """Unbind it, once that was confirmed."""
        await visits.form(request)
        person = visits.require(request, StaffRole.ADMINISTRATOR, ADMINISTER)
        target, now = another_person(staff, person, identifier, _UNBIND), visits.now()
        if target.identity is None:
            return RedirectResponse("/compte", 303)
        await staff.note(
            person,
            Deed.IDENTITY_UNBOUND,
            now=now,
            of=target.id,
        )
        await staff.update(target, lambda known: without_identity(known or target, now))
        return RedirectResponse(f"/compte?delie={target.id}", 303)

    return router


def own_person(staff: Staff, person: SignedIn, identifier: str) -> Account:
    """The account of somebody of the institution that is administered. Raises UnknownPersonError
    for one of any other."""
    found = staff.directory.get(identifier)
    if found is None or found.role_for(person.siren) is None:
        raise UnknownPersonError
    return found


def another_person(staff: Staff, person: SignedIn, identifier: str, what: str) -> Account:
    """The same, of anybody but oneself. Raises UnknownPersonError, and OwnAccountError, which says
    who does it then."""
    found = own_person(staff, person, identifier)
    if found.id == person.account.id:
        raise OwnAccountError(what, by_another(others_who_administer(staff, person)))
    return found


def others_who_administer(staff: Staff, person: SignedIn) -> list[str]:
    """The names of those who administer the person's institution besides them."""
    now = staff.visits.now()
    return [
        one.name or one.email
        for one in staff.directory.members(person.siren)
        if one.role_for(person.siren) is StaffRole.ADMINISTRATOR
        and one.id != person.account.id
        and one.active(now)
    ]


def provider_name(staff: Staff) -> str:
    """What the provider is called here."""
    return staff.provider.name if staff.provider else "le fournisseur d’identité"
