"""What an administrator sends, and is answered, as OpenAPI describes it. Pure."""

from typing import Annotated, Any, TypeVar

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from traverse_producers.gateway.errors import MalformedBodyError, RefusedMemberError
from traverse_schemas.judging.sentences import explain
from traverse_schemas.records.codes import InstitutionKind
from traverse_schemas.registry.institutions import Institution, Quota, Role, Scope, State
from traverse_schemas.values.siren import Siren

_Overlap = Annotated[
    float, Field(ge=0, le=365, description="Jours pendant lesquels l'ancienne clé vaut encore.")
]
_Days = Annotated[float, Field(ge=0, le=36500, description="Jours de validité ; 0 : sans fin.")]
_PublicKey = Annotated[
    str, Field(max_length=2000, description="Clé publique Ed25519, en PEM (RFC 8410).")
]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class NewInstitution(_Body):
    """A new member. Without `public_key` it publishes once it has one, or by delegation."""

    siren: Annotated[Siren, Field(description="Ses 9 chiffres.")]
    name: Annotated[str, Field(min_length=1, max_length=300)]
    kind: InstitutionKind
    territory: Annotated[str, Field(max_length=100)] | None = None
    systems: Annotated[list[Annotated[str, Field(max_length=64)]], Field(max_length=100)] = []
    roles: list[Role] = []
    contact: Annotated[str, Field(max_length=300)] | None = None
    delegated: bool = False
    sandbox: bool = False
    public_key: _PublicKey | None = None


class NewState(_Body):
    """Member, or not any more."""

    state: State


class NewDelegation(_Body):
    """Whether the gateway signs for the institution."""

    delegated: bool


class NewQuota(Quota):
    """How much the gateway takes of it; what is left out is what it gives to everybody."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class NewSigningKey(_Body):
    """A public key; those before hold for `overlap_days` more, or, without, beside it for good."""

    public_key: _PublicKey
    overlap_days: _Overlap | None = 7


class WantedApiKey(_Body):
    """What the key may do, what it is for, and for how long (0: without end)."""

    scopes: Annotated[list[Scope], Field(min_length=1)] = [Scope.PUBLISH, Scope.READ]
    label: Annotated[str, Field(max_length=200)] = ""
    days: _Days = 0


class Rotation(_Body):
    """How long the key before still holds, and the new one (0: without end)."""

    overlap_days: _Overlap = 7
    days: _Days = 0


class InstitutionPage(BaseModel):
    """Institutions by SIREN; `next` is to be given as `after` for those that follow."""

    items: list[Institution]
    next: str | None


class KeyAnswer(BaseModel):
    """An API key, shown this once."""

    institution: Institution
    api_key: str
    api_key_id: str


BODIES = (
    NewInstitution,
    NewState,
    NewDelegation,
    NewQuota,
    NewSigningKey,
    WantedApiKey,
    Rotation,
)
ANSWERS = (InstitutionPage, KeyAnswer)

Body = TypeVar("Body", bound=BaseModel)


def read(octets: bytes, body: type[Body]) -> Body:
    """What a request says; nothing at all is an empty object. Raises MalformedBodyError,
    RefusedMemberError."""
    try:
        said = orjson.loads(octets or b"{}")
    except orjson.JSONDecodeError:
        raise MalformedBodyError(
            "Le corps n'est pas du JSON en UTF-8 : envoyez l'objet que décrit /openapi.json."
        ) from None
    try:
        return body.model_validate(said)
    except ValidationError as error:
        raise refused(error) from None


def refused(error: ValidationError) -> RefusedMemberError:
    """The first thing that is wrong."""
    first = explain(error)[0]
    return RefusedMemberError(first.sentence.replace("L'événement", "Le corps"), first.pointer)


def without_hashes(schemas: dict[str, Any]) -> dict[str, Any]:
    """The schemas of the answers: rows have a state, and no hash of a key (`membership.shown`);
    and no words that are for who reads the code."""
    for schema in schemas.values():
        schema.pop("description", None)
    key, row = schemas["ApiKey"], schemas["Institution"]
    del key["properties"]["sha256"]
    key["required"].remove("sha256")
    row["properties"]["state"] = {"type": "string", "enum": [str(each) for each in State]}
    return schemas
