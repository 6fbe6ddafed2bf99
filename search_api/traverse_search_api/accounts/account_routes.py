"""« Mon compte »: for whom somebody acts, their sessions; and for who administers an institution,
the people of it."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse

from traverse_search_api.accounts.account import ROLE_LABELS, Account, StaffRole
from traverse_search_api.accounts.account_changes import (
    close_sessions,
    with_role,
    without_membership,
)
from traverse_search_api.accounts.audit import Deed
from traverse_search_api.accounts.errors import NotAllowedError, by_another
from traverse_search_api.accounts.session import SignedIn
from traverse_search_api.accounts.staff import Staff
from traverse_search_api.accounts.unbind_routes import (
    ADMINISTER,
    another_person,
    others_who_administer,
    own_person,
    provider_name,
)
from traverse_search_api.pages.render import Renderer


def account_router(staff: Staff, render: Renderer) -> APIRouter:
    """The routes."""
    router = APIRouter(include_in_schema=False, route_class=render.route_class)
    visits = staff.visits

    @router.get("/compte")
    async def account(
        request: Request, unbound: Annotated[str, Query(alias="delie", max_length=16)] = ""
    ) -> Response:
        """The page."""
        person = visits.require(request)
        view = staff.registry.view()
        institutions = [
            (one.siren, found.name, ROLE_LABELS[one.role])
            for one in person.account.memberships
            if (found := view.get(one.siren)) is not None
        ]
        administers = person.may(StaffRole.ADMINISTRATOR)
        people = staff.directory.members(person.siren) if administers else []
        return render.page(
            request,
            "account.html",
            institutions=institutions,
            people=[(one, one.role_for(person.siren)) for one in people],
            unbound=next((one for one in people if one.id == unbound and not one.identity), None),
            provider=provider_name(staff),
            administers=administers,
            way=by_another(others_who_administer(staff, person)) if administers else "",
            roles=list(ROLE_LABELS.items()),
        )

    @router.post("/compte/institution")
    async def act_for(request: Request) -> Response:
        """Act for another of one's institutions."""
        form = await visits.form(request)
        person = visits.require(request)
        siren = form.get("siren", "")
        if person.account.role_for(siren) is None:
            raise NotAllowedError("agir pour cette autre institution", person.institution.name)
        answer = RedirectResponse("/compte", 303)
        visits.write_session(answer, person.session._replace(siren=siren, seen=visits.now()))
        return answer

    @router.post("/compte/sessions")
    async def close_all(request: Request) -> Response:
        """Close every session of one's own, this one too."""
        await visits.form(request)
        person = visits.require(request)
        await _close(staff, person, person.account)
        answer = RedirectResponse("/connexion", 303)
        visits.end(answer)
        return answer

    @router.post("/compte/personnes/{identifier}/sessions")
    async def close_of(request: Request, identifier: str) -> Response:
        """Close every session of somebody of the institution."""
        await visits.form(request)
        person = visits.require(request, StaffRole.ADMINISTRATOR, ADMINISTER)
        await _close(staff, person, own_person(staff, person, identifier))
        return RedirectResponse("/compte", 303)

    @router.post("/compte/personnes/{identifier}/role")
    async def change(request: Request, identifier: str) -> Response:
        """Give somebody another role for the institution, or none any more."""
        form = await visits.form(request)
        person = visits.require(request, StaffRole.ADMINISTRATOR, ADMINISTER)
        target = another_person(staff, person, identifier, "changer votre propre rôle")
        wanted, now = form.get("role", ""), visits.now()
        if wanted not in ("", *StaffRole):
            raise NotAllowedError("changer ce rôle", person.institution.name)
        await staff.note(
            person,
            Deed.ROLE_CHANGED,
            now=now,
            of=target.id,
            role=wanted,
        )
        await staff.update(
            target,
            lambda known: (
                with_role(known or target, person.siren, StaffRole(wanted))
                if wanted
                else without_membership(known or target, person.siren, now)
            ),
        )
        return RedirectResponse("/compte", 303)

    return router


async def _close(staff: Staff, person: SignedIn, target: Account) -> None:
    now = staff.visits.now()
    await staff.note(
        person,
        Deed.SESSIONS_CLOSED,
        now=now,
        of=target.id,
    )
    await staff.update(target, lambda known: close_sessions(known or target, now))
