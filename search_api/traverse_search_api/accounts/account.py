"""Accounts of staff: who may sign in, and what for which institution.

One row an account on `traverse.accounts`. It holds the hash of a password, never the password.
"""

from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from traverse_schemas.log.table_rows import read_row
from traverse_schemas.values.siren import Siren


class StaffRole(StrEnum):
    """What somebody may do for an institution; each may do what those before it may."""

    READER = "reader"
    PUBLISHER = "publisher"
    ADMINISTRATOR = "administrator"

    def covers(self, other: "StaffRole") -> bool:
        """Whether who has this role may do what `other` may."""
        order = tuple(StaffRole)
        return order.index(self) >= order.index(other)


ROLE_LABELS: dict[StaffRole, str] = {
    StaffRole.READER: "Lecture",
    StaffRole.PUBLISHER: "Publication",
    StaffRole.ADMINISTRATOR: "Administration",
}


class _Stored(BaseModel):
    """A part of a row: an older program skips what a newer one added, and keeps reading."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class Membership(_Stored):
    """A role for one institution."""

    siren: Siren
    role: StaffRole


class Identity(_Stored):
    """Who an OpenID provider says that somebody is: `sub` is unique for its `iss` (OpenID Connect
    Core 1.0, section 5.7)."""

    issuer: Annotated[str, Field(min_length=1, max_length=500)]
    subject: Annotated[str, Field(min_length=1, max_length=255)]


class EndedSession(_Stored):
    """A session that was closed before its time; `until` is when it would have ended."""

    id: Annotated[str, Field(max_length=64)]
    until: AwareDatetime


class Account(_Stored):
    """One person. `password` is an argon2 hash, or None for who signs in elsewhere.

    No session counts that began before `sessions_from`: moving it closes all of them.
    """

    id: Annotated[str, Field(pattern=r"^[0-9a-f]{16}$")]
    email: Annotated[str, Field(max_length=254, pattern=r"^[^@\s]+@[^@\s]+$")]
    name: Annotated[str, Field(max_length=200)] = ""
    memberships: Annotated[tuple[Membership, ...], Field(max_length=50)] = ()
    password: Annotated[str, Field(max_length=300)] | None = None
    identity: Identity | None = None
    created: AwareDatetime
    sessions_from: AwareDatetime
    ended: tuple[EndedSession, ...] = ()
    disabled_at: AwareDatetime | None = None

    def role_for(self, siren: str) -> StaffRole | None:
        """Its role for an institution, or None."""
        return next((one.role for one in self.memberships if one.siren == siren), None)

    def active(self, at: datetime) -> bool:
        """Whether it may be used at that instant."""
        return self.disabled_at is None or at < self.disabled_at


def plain_email(text: str) -> str:
    """An address as accounts are found by it: capitals and spaces around do not count."""
    return text.strip().casefold()


def account_id(email: str) -> str:
    """The id of the account of an address: the same for two who add it at the same moment."""
    return sha256(plain_email(email).encode(errors="surrogatepass")).hexdigest()[:16]


def encode_account(account: Account) -> bytes:
    """The row as it lies on the topic."""
    return account.model_dump_json(exclude_none=True).encode()


def decode_account(octets: bytes) -> Account:
    """Read a row of the topic. Raises ValueError for octets that are none."""
    return read_row(Account, octets)
