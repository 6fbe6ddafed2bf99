"""Sessions of people who signed in: a sealed cookie, judged at each request by the account's row.

The cookie says who and since when; the row says whether that still counts. So a session needs no
storage of its own, and one that is revoked is out everywhere as soon as the row is read.
"""

import json
import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from hashlib import blake2b
from hmac import compare_digest
from typing import Final, NamedTuple

from traverse_schemas.records.codes import InstitutionKind
from traverse_schemas.registry.institutions import Institution
from traverse_schemas.registry.registry import Registry
from traverse_search_api.access.sealed import seal, unseal
from traverse_search_api.accounts.account import Account, StaffRole
from traverse_search_api.accounts.directory import Directory

RENEWED_AFTER: Final = timedelta(minutes=5)
"""The cookie is written anew when it is this old: not with every answer."""


class Session(NamedTuple):
    """What the cookie says. `siren` is the institution that the person acts for now."""

    id: str
    account: str
    siren: str
    started: datetime
    seen: datetime


class SignedIn(NamedTuple):
    """Somebody who is signed in and acts for an institution."""

    account: Account
    session: Session
    institution: Institution
    role: StaffRole

    @property
    def siren(self) -> str:
        """The SIREN of the institution."""
        return self.institution.siren

    @property
    def kind(self) -> InstitutionKind:
        """What the institution is."""
        return self.institution.kind

    def may(self, role: StaffRole) -> bool:
        """Whether the person may do for this institution what needs that role."""
        return self.role.covers(role)


class Sessions:
    """Opens sessions and reads them back. `key` is the service's secret, the same for all its
    processes; `idle` and `longest` are how long a session lasts unused, and at most."""

    def __init__(
        self,
        key: bytes,
        directory: Directory,
        registry: Registry,
        *,
        idle: timedelta,
        longest: timedelta,
        new_id: Callable[[], str] = lambda: secrets.token_hex(16),
    ) -> None:
        # A key for each use: what one seals, the other does not take.
        self._cookie_key = _derived(key, b"session")
        self._form_key = _derived(key, b"form")
        self._directory = directory
        self._registry = registry
        self._idle = idle
        self.longest = longest
        self._new_id = new_id

    def open(self, account: Account, now: datetime) -> Session | None:
        """A session under an id that nobody has known before, for the first institution that the
        person may act for; None when there is none."""
        sirens = (one.siren for one in account.memberships if self._member(one.siren, now))
        siren = next(sirens, None)
        return None if siren is None else Session(self._new_id(), account.id, siren, now, now)

    def sealed(self, session: Session) -> str:
        """The session as a cookie's value."""
        values = [*session[:3], session.started.isoformat(), session.seen.isoformat()]
        return seal(json.dumps(values).encode(), self._cookie_key)

    def read(self, cookie: str | None, now: datetime) -> SignedIn | None:
        """Who presents this cookie; None when it is none of ours, has ended, or was revoked."""
        payload = unseal(cookie, self._cookie_key) if cookie else None
        if payload is None:
            return None
        identifier, account_id, siren, started, seen = json.loads(payload)
        session = Session(
            identifier,
            account_id,
            siren,
            datetime.fromisoformat(started),
            datetime.fromisoformat(seen),
        )
        if not session.started <= now < self.ends(session):
            return None
        account = self._directory.get(session.account)
        if account is None or not account.active(now):
            return None
        if session.started < account.sessions_from:
            return None
        if any(one.id == session.id for one in account.ended):
            return None
        role, institution = account.role_for(siren), self._member(siren, now)
        if role is None or institution is None:
            return None
        return SignedIn(account, session, institution, role)

    def ends(self, session: Session) -> datetime:
        """When the session ends by itself, as it is now."""
        return min(session.seen + self._idle, session.started + self.longest)

    def form_token(self, holder: str) -> str:
        """What a form carries to show that it is ours; `holder` is the id of a session, or what
        stands for it before somebody has signed in."""
        return blake2b(holder.encode(), key=self._form_key, digest_size=16).hexdigest()

    def is_form_token(self, token: str, holder: str) -> bool:
        """Whether a form of this holder carried the token."""
        return compare_digest(token.encode(errors="replace"), self.form_token(holder).encode())

    def _member(self, siren: str, now: datetime) -> Institution | None:
        found = self._registry.view().get(siren)
        return found if found is not None and found.active(now) else None


def _derived(key: bytes, purpose: bytes) -> bytes:
    return blake2b(purpose, key=blake2b(key).digest()).digest()
