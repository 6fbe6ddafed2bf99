"""The registry of institutions: who may publish and read, and by which keys they are known.

One row an institution, by SIREN, on `traverse.institutions`. It holds nothing secret: public keys,
and hashes of API keys. What was once a signing key stays in the row for ever with its interval, so
that the past can be verified.
"""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from traverse_schemas.log.table_rows import read_row
from traverse_schemas.records.codes import InstitutionKind
from traverse_schemas.values.siren import Siren


class Scope(StrEnum):
    """What an API key may do: publish in the institution's name, read what its members may read,
    administer the registry (only for an institution with that role), act for the institutions that
    entrusted the gateway with their signature (only for the gateway's)."""

    PUBLISH = "publish"
    READ = "read"
    ADMINISTER = "administer"
    ON_BEHALF = "on_behalf"


class Role(StrEnum):
    """What an institution is besides a publisher and a reader.

    `buyer`: subject to the Code de la commande publique (art. L.1210-1), so it may read what is
    for `buyers`. `gateway`: its signing keys vouch for the institutions that delegated to it.
    `administrator`: its API keys may administer the registry, and its
    signing keys erase any record.
    """

    BUYER = "buyer"
    GATEWAY = "gateway"
    ADMINISTRATOR = "administrator"


ROLE_FOR = {Scope.ADMINISTER: Role.ADMINISTRATOR, Scope.ON_BEHALF: Role.GATEWAY}
"""The role that an institution needs for a key of a scope to open anything."""


class State(StrEnum):
    ACTIVE = "active"
    REVOKED = "revoked"


class _Stored(BaseModel):
    """A part of a row: an older program skips what a newer one added, and keeps reading."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class SigningKey(_Stored):
    """A public key as a JWK (RFC 8037: OKP, Ed25519) and when it holds.

    It signs events that the broker received in [valid_from, valid_to). A revoked one was
    compromised: nothing that it signs counts from `revoked_at` on.
    """

    kid: Annotated[str, Field(min_length=1, max_length=100)]
    kty: Literal["OKP"] = "OKP"
    crv: Literal["Ed25519"] = "Ed25519"
    x: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{43}$")]
    valid_from: AwareDatetime
    valid_to: AwareDatetime | None = None
    revoked_at: AwareDatetime | None = None


class ApiKey(_Stored):
    """An API key by its hash: the key itself is shown once and kept nowhere."""

    id: Annotated[str, Field(pattern=r"^[0-9a-f]{12}$")]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    scopes: frozenset[Scope]
    label: Annotated[str, Field(max_length=200)] = ""
    created: AwareDatetime
    expires: AwareDatetime | None = None
    revoked_at: AwareDatetime | None = None

    def holds(self, at: datetime) -> bool:
        """Whether it is neither expired nor revoked."""
        ends = [end for end in (self.expires, self.revoked_at) if end is not None]
        return all(at < end for end in ends)


class Quota(_Stored):
    """How much the gateway takes of an institution; None: what it gives to everybody."""

    events_per_minute: Annotated[int, Field(ge=1)] | None = None
    events_per_day: Annotated[int, Field(ge=1)] | None = None


class Change(_Stored):
    """A change of the row: what was done, about which key or value, by whom. `by` is the SIREN of
    an administrator, who used the API key of this id; both are empty for the operator at the
    command line."""

    at: AwareDatetime
    what: Annotated[str, Field(max_length=60)]
    about: Annotated[str, Field(max_length=100)] = ""
    by: Annotated[str, Field(max_length=9)] = ""
    api_key: Annotated[str, Field(max_length=12)] = ""


class Institution(_Stored):
    """A registered institution.

    `territory` is the typed code of its own territory; `systems` the names of the systems it says
    it speaks with (`source` = urn:siren:SIREN:system), for people: they restrict nothing.
    `delegated`: the gateway may sign for it. `sandbox`: its events pass every check and reach
    nobody else, those at least that the broker received before `sandbox_until`. `contact` is a
    professional address, published on purpose.
    `permanences` is where its calendar of permanences is (iCalendar, RFC 5545).
    `changes` are the last of the row, oldest first.
    """

    siren: Siren
    name: Annotated[str, Field(min_length=1, max_length=300)]
    kind: InstitutionKind
    territory: Annotated[str, Field(max_length=100)] | None = None
    systems: tuple[Annotated[str, Field(max_length=64)], ...] = ()
    roles: frozenset[Role] = frozenset()
    signing_keys: tuple[SigningKey, ...] = ()
    api_keys: tuple[ApiKey, ...] = ()
    quota: Quota = Quota()
    contact: Annotated[str, Field(max_length=300)] | None = None
    permanences: Annotated[str, Field(max_length=2000, pattern=r"^https?://[!-~]+$")] | None = None
    delegated: bool = False
    sandbox: bool = False
    sandbox_until: AwareDatetime | None = None
    created: AwareDatetime
    revoked_at: AwareDatetime | None = None
    changes: tuple[Change, ...] = ()

    @property
    def state(self) -> State:
        """Active, or revoked: then nothing that the broker received from `revoked_at` on counts."""
        return State.ACTIVE if self.revoked_at is None else State.REVOKED

    def active(self, at: datetime) -> bool:
        """Whether it was a member at that instant."""
        return self.revoked_at is None or at < self.revoked_at

    def tries(self, at: datetime) -> bool:
        """Whether what it said at that instant was only a trial."""
        return self.sandbox and (self.sandbox_until is None or at < self.sandbox_until)


# Who is subject to the Code de la commande publique by its nature (art. L.1211-1: the State, its
# public establishments, territorial bodies and their groupings). A chamber (CCI) is a public
# establishment of the State (Code de commerce, art. L.710-1). Others are when the operator says so.
BUYER_KINDS = frozenset(
    {
        InstitutionKind.REGION,
        InstitutionKind.DEPARTMENT,
        InstitutionKind.EPCI,
        InstitutionKind.COMMUNE,
        InstitutionKind.CHAMBER,
        InstitutionKind.STATE,
    }
)


def encode_institution(institution: Institution) -> bytes:
    """The row as it lies on the topic."""
    return institution.model_dump_json(exclude_none=True).encode()


def decode_institution(octets: bytes) -> Institution:
    """Read a row of the topic. Raises ValueError for octets that are none."""
    return read_row(Institution, octets)
