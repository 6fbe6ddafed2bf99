"""Who makes a request: its cookies, read and written; and whether a form is theirs to send."""

import json
import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from fastapi import Request, Response

from traverse_schemas.clock import Clock
from traverse_search_api.accounts.account import StaffRole
from traverse_search_api.accounts.errors import (
    NotAllowedError,
    RefusedFormError,
    SignInNeededError,
)
from traverse_search_api.accounts.forms import Form, read_form
from traverse_search_api.accounts.session import RENEWED_AFTER, Session, Sessions, SignedIn

FORM_TOKEN: Final = "jeton"  # noqa: S105 -- a field's name
"""The field of a form that shows that it is ours."""

_ENTRANCE_SECONDS: Final = 3600


class Visits:
    """Reads and writes the cookies of a visit.

    Over TLS their names begin with `__Host-`: then no other host, and no page without TLS, can set
    them (RFC 6265bis, section 4.1.3.2).
    """

    def __init__(self, sessions: Sessions, clock: Clock, *, tls: bool) -> None:
        self.sessions = sessions
        self._clock = clock
        self._tls = tls
        prefix = "__Host-" if tls else ""
        self.session_cookie = f"{prefix}traverse"
        self.entrance_cookie = f"{prefix}traverse-entree"

    def now(self) -> datetime:
        """The present instant: of the machine, whatever date the search is judged from."""
        return self._clock.now()

    def person(self, request: Request) -> SignedIn | None:
        """Who is signed in. Read once for a request."""
        if not hasattr(request.state, "person"):
            cookie = request.cookies.get(self.session_cookie)
            request.state.person = self.sessions.read(cookie, self.now())
        found: SignedIn | None = request.state.person
        return found

    def require(
        self, request: Request, role: StaffRole = StaffRole.READER, what: str = "voir cette page"
    ) -> SignedIn:
        """Who is signed in, with this role for the institution that they act for.

        Raises SignInNeededError, NotAllowedError.
        """
        person = self.person(request)
        if person is None:
            raise SignInNeededError
        if not person.may(role):
            raise NotAllowedError(what, person.institution.name)
        return person

    async def form(self, request: Request) -> Form:
        """The form that was sent. Raises RefusedFormError when it does not carry the token of
        who sends it, UnreadableFormError."""
        form = await read_form(request)
        self.check(request, form)
        return form

    def check(self, request: Request, form: Form) -> None:
        """Raises RefusedFormError when a form does not carry the token of who sends it."""
        holder = self.holder(request)
        if not holder or not self.sessions.is_form_token(form.get(FORM_TOKEN, ""), holder):
            raise RefusedFormError

    def form_token(self, request: Request) -> str:
        """The token for the forms of a page; "" for who is not signed in nor about to be."""
        holder = self.holder(request)
        return self.sessions.form_token(holder) if holder else ""

    def mark(self, person: SignedIn, *deed: str) -> str:
        """What shows, for as long as the session lasts, that this person did this: the page that
        tells of a deed has an address, which anybody can write."""
        return self.sessions.form_token(_done(person, deed))

    def did(self, person: SignedIn, mark: str, *deed: str) -> bool:
        """Whether the mark is that of this deed."""
        return self.sessions.is_form_token(mark, _done(person, deed))

    def holder(self, request: Request) -> str:
        """What the tokens of forms belong to: the session, else the entrance."""
        person = self.person(request)
        if person is not None:
            return f"session {person.session.id}"
        entrance = self.entrance(request)
        return f"entrance {entrance}" if entrance else ""

    def entrance(self, request: Request) -> str:
        """The mark of who is about to sign in, "" when there is none yet."""
        return request.cookies.get(self.entrance_cookie, "")[:64]

    def mark_entrance(self, request: Request) -> str:
        """Give whoever has none a mark; `keep` writes it. Gives the form's token."""
        mark = self.entrance(request)
        if not mark:
            mark = request.state.new_entrance = secrets.token_urlsafe(24)
        return self.sessions.form_token(f"entrance {mark}")

    def keep(self, request: Request, response: Response) -> Response:
        """Write what the visit needs to go on: a session in use lasts longer."""
        new = getattr(request.state, "new_entrance", None)
        if new is not None:
            self._set(response, self.entrance_cookie, new, _ENTRANCE_SECONDS)
        person = self.person(request)
        if person is not None and self.now() - person.session.seen >= RENEWED_AFTER:
            self.write_session(response, person.session._replace(seen=self.now()))
        return response

    def begin(self, response: Response, session: Session) -> None:
        """The person has signed in: a new session; what marked the visit before is forgotten."""
        self.write_session(response, session)
        self._set(response, self.entrance_cookie, "", 0)

    def write_session(self, response: Response, session: Session) -> None:
        """Write the session's cookie, for as long as it lasts unused."""
        left = self.sessions.ends(session) - self.now()
        sealed = self.sessions.sealed(session)
        self._set(response, self.session_cookie, sealed, int(left.total_seconds()))

    def end(self, response: Response) -> None:
        """Nobody is signed in any more."""
        self._set(response, self.session_cookie, "", 0)

    def _set(self, response: Response, name: str, value: str, seconds: int) -> None:
        response.set_cookie(
            name,
            value,
            max_age=seconds,
            path="/",
            secure=self._tls,
            httponly=True,
            # Lax: who follows a link from an e-mail is still signed in; a form of another site is
            # not sent with it, and its token would be missing besides.
            samesite="lax",
        )


def _done(person: SignedIn, deed: Sequence[str]) -> str:
    return f"done {json.dumps([person.session.id, person.siren, *deed])}"
