"""The administrator's routes: the registry over HTTP, as `traverse institutions` changes it.

Wiring only: the rules are `traverse_schemas.registry.membership`'s. Every change is noted in its
row with the API key that made it, and in the journal.
"""

import asyncio
import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Annotated, Any, Final, TypeVar

import orjson
from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel, ValidationError

from traverse_producers.gateway import openapi
from traverse_producers.gateway.access import Access, Caller
from traverse_producers.gateway.administration_bodies import (
    NewDelegation,
    NewInstitution,
    NewQuota,
    NewSigningKey,
    NewState,
    Rotation,
    WantedApiKey,
    read,
    refused,
)
from traverse_producers.gateway.body import BodyReader
from traverse_producers.gateway.errors import (
    GatewayError,
    RefusedMemberError,
    RegistryAwayError,
    RegistryConflictError,
    UnknownMemberError,
)
from traverse_schemas.clock import Clock
from traverse_schemas.errors import TraverseError
from traverse_schemas.log.compacted_table import TableError
from traverse_schemas.registry.api_keys import NewApiKey, UnknownApiKeyError
from traverse_schemas.registry.institution_changes import (
    AlreadyRegisteredError,
    NotRegisteredError,
    NotTryingError,
    ScopeNotAllowedError,
    UnknownSigningKeyError,
    require_known,
)
from traverse_schemas.registry.institutions import Institution, Scope, SigningKey, State
from traverse_schemas.registry.membership import Author, Membership, Table, new_member, shown
from traverse_schemas.signing.signatures import SigningKeyError, public_key_of

_LOG = logging.getLogger(__name__)
_MOST = 500
_MOST_OCTETS: Final = 64 * 1024
"""Of a body: a key and some names have no more."""
_REFUSALS: Final[dict[type[TraverseError], type[GatewayError]]] = {
    NotRegisteredError: UnknownMemberError,
    UnknownApiKeyError: UnknownMemberError,
    UnknownSigningKeyError: UnknownMemberError,
    AlreadyRegisteredError: RegistryConflictError,
    NotTryingError: RegistryConflictError,
    ScopeNotAllowedError: RefusedMemberError,
    SigningKeyError: RefusedMemberError,
}
_Siren = Annotated[str, Path(pattern="^[0-9]{9}$", description="Ses 9 chiffres.")]
_Kid = Annotated[str, Path(description="Le kid d'une clé de signature.")]
_KeyId = Annotated[str, Path(description="L'identifiant d'une clé d'API.")]
_Result = TypeVar("_Result")
_Body = TypeVar("_Body", bound=BaseModel)


def router(access: Access, reader: BodyReader, table: Table, clock: Clock) -> APIRouter:
    """The routes, for API keys of scope `administer`."""
    routes = APIRouter(prefix="/v1/institutions", tags=["administrer"])
    office = _Office(access, reader, table, clock)

    @routes.get("", **_described(answer="InstitutionPage"))
    async def listed(
        request: Request,
        after: Annotated[str, Query(max_length=9, description="Le next reçu.")] = "",
        size: Annotated[int, Query(ge=1, le=_MOST, description="Institutions par page.")] = 100,
    ) -> Response:
        """Les institutions du registre, par SIREN."""
        office.caller(request)
        return _json(office.page(after, size))

    @routes.post("", **_described(409, body=NewInstitution, answer="KeyAnswer", done=201))
    async def add(request: Request) -> Response:
        """Ajoute une institution ; sa clé d'API n'est montrée que cette fois."""
        said, membership = await office.opened(request, NewInstitution)
        return await office.secret(lambda: office.enrol(membership, said))

    @routes.get("/{siren}", **_described(404))
    async def one(request: Request, siren: _Siren) -> Response:
        """Une institution, avec les derniers changements : quoi, quand, par qui."""
        office.caller(request)
        return _json(shown(_mapped(lambda: require_known(siren, table.get(siren)))))

    @routes.put("/{siren}/state", **_described(404, body=NewState))
    async def state(request: Request, siren: _Siren) -> Response:
        """Révoque une institution à l'instant, ou la rétablit."""
        said, membership = await office.opened(request, NewState)
        revoked = said.state is State.REVOKED
        change = membership.revoke if revoked else membership.restore
        return await office.row(lambda: change(siren))

    @routes.put("/{siren}/quota", **_described(404, body=NewQuota))
    async def quota(request: Request, siren: _Siren) -> Response:
        """Fixe ce que la passerelle prend de l'institution."""
        said, membership = await office.opened(request, NewQuota)
        return await office.row(lambda: membership.set_quota(siren, lambda _: said))

    @routes.put("/{siren}/delegation", **_described(404, body=NewDelegation))
    async def delegation(request: Request, siren: _Siren) -> Response:
        """Laisse la passerelle signer pour l'institution, ou le reprend."""
        said, membership = await office.opened(request, NewDelegation)
        return await office.row(lambda: membership.delegate(siren, delegated=said.delegated))

    @routes.delete("/{siren}/sandbox", **_described(404, 409))
    async def end_trial(request: Request, siren: _Siren) -> Response:
        """Met fin à l'essai : ce qu'elle publie désormais est publié pour de bon."""
        membership = office.membership(office.caller(request))
        return await office.row(lambda: membership.open(siren))

    @routes.post("/{siren}/signing-keys", **_described(404, body=NewSigningKey))
    async def signing_key(request: Request, siren: _Siren) -> Response:
        """Enregistre une clé publique ; les précédentes valent encore `overlap_days`."""
        said, membership = await office.opened(request, NewSigningKey)
        overlap = None if said.overlap_days is None else timedelta(days=said.overlap_days)
        key = office.public_key(said.public_key)
        return await office.row(lambda: membership.add_signing_key(siren, key, overlap))

    @routes.delete("/{siren}/signing-keys/{kid}", **_described(404))
    async def revoke_signing_key(request: Request, siren: _Siren, kid: _Kid) -> Response:
        """Révoque une clé de signature volée : à l'instant."""
        membership = office.membership(office.caller(request))
        return await office.row(lambda: membership.revoke_signing_key(siren, kid))

    @routes.post(
        "/{siren}/api-keys", **_described(404, body=WantedApiKey, answer="KeyAnswer", done=201)
    )
    async def api_key(request: Request, siren: _Siren) -> Response:
        """Donne une clé d'API de plus, montrée cette seule fois."""
        said, membership = await office.opened(request, WantedApiKey)
        return await office.secret(
            lambda: office.with_row(
                siren,
                membership.add_api_key(siren, said.scopes, label=said.label, days=said.days),
            )
        )

    @routes.post(
        "/{siren}/api-keys/{key_id}/rotation",
        **_described(404, body=Rotation, answer="KeyAnswer", done=201),
    )
    async def rotate(request: Request, siren: _Siren, key_id: _KeyId) -> Response:
        """Remplace une clé d'API ; l'ancienne vaut encore `overlap_days`."""
        said, membership = await office.opened(request, Rotation)
        overlap = timedelta(days=said.overlap_days)
        return await office.secret(
            lambda: office.with_row(
                siren, membership.rotate_api_key(siren, key_id, overlap, days=said.days)
            )
        )

    @routes.delete("/{siren}/api-keys/{key_id}", **_described(404))
    async def revoke_api_key(request: Request, siren: _Siren, key_id: _KeyId) -> Response:
        """Révoque une clé d'API : à l'instant."""
        membership = office.membership(office.caller(request))
        return await office.row(lambda: membership.revoke_api_key(siren, key_id))

    return routes


class _Office:
    """What every route does: know the administrator, read the body, change, answer."""

    def __init__(self, access: Access, reader: BodyReader, table: Table, clock: Clock) -> None:
        self._access = access
        self._reader = reader
        self._table = table
        self._clock = clock

    def caller(self, request: Request) -> Caller:
        """Who administers. Raises UnknownKeyError, ForbiddenError, RegistryUnreadError."""
        return self._access.caller(request.headers.get("authorization"), Scope.ADMINISTER)

    def membership(self, caller: Caller) -> Membership:
        """The registry, to be changed in the caller's name."""
        return Membership(self._table, self._clock.now(), Author(caller.siren, caller.key))

    async def opened(self, request: Request, model: type[_Body]) -> tuple[_Body, Membership]:
        """What an administrator's request says, and what it may change."""
        caller = self.caller(request)
        with self._reader.room(_MOST_OCTETS) as body:
            return read(await body.read(request), model), self.membership(caller)

    def page(self, after: str, size: int) -> dict[str, Any]:
        """The institutions that follow a SIREN."""
        rows = self._table.rows()
        sirens = sorted(siren for siren in rows if siren > after)
        items = [shown(rows[siren], changes=False) for siren in sirens[:size]]
        return {"items": items, "next": sirens[size - 1] if len(sirens) > size else None}

    def enrol(self, membership: Membership, said: NewInstitution) -> tuple[Institution, NewApiKey]:
        """The new member. Raises GatewayError."""
        key = None if said.public_key is None else self.public_key(said.public_key)
        try:
            newcomer = new_member(**said.model_dump(exclude={"public_key"}), now=self._clock.now())
        except ValidationError as error:
            raise refused(error) from None
        return membership.add(newcomer, key)

    def public_key(self, pem: str) -> SigningKey:
        """The key of a PEM, valid from now on."""
        return _mapped(lambda: public_key_of(pem.encode(), self._clock.now()))

    def with_row(self, siren: str, new: NewApiKey) -> tuple[Institution, NewApiKey]:
        """A key that was just made, with the row that has it."""
        return require_known(siren, self._table.get(siren)), new

    async def row(self, change: Callable[[], Institution]) -> Response:
        """The row as it is once changed."""
        return _json(shown(_told(await asyncio.to_thread(_mapped, change))))

    async def secret(self, change: Callable[[], tuple[Institution, NewApiKey]]) -> Response:
        """The row, and the key that is shown this once."""
        institution, new = await asyncio.to_thread(_mapped, change)
        answer = {
            "institution": shown(_told(institution)),
            "api_key": new.secret,
            "api_key_id": new.key.id,
        }
        return _json(answer, 201, {"cache-control": "no-store"})


def _mapped(change: Callable[[], _Result]) -> _Result:
    """The registry's noes as the gateway's."""
    try:
        return change()
    except TableError as error:
        _LOG.warning("registry_away detail=%s", error)
        raise RegistryAwayError from None
    except TraverseError as error:
        refusal = _REFUSALS.get(type(error))
        if refusal is None:
            raise
        raise refusal(str(error)) from None


def _told(row: Institution) -> Institution:
    last = row.changes[-1]
    _LOG.info(
        "registry_changed siren=%s what=%s about=%s by=%s key=%s",
        row.siren,
        last.what,
        last.about,
        last.by,
        last.api_key,
    )
    return row


def _json(content: object, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(orjson.dumps(content), status, headers, media_type="application/json")


def _described(
    *codes: int, answer: str = "Institution", body: type[BaseModel] | None = None, done: int = 200
) -> dict[str, Any]:
    """What FastAPI is told of a route: how it is answered, and what it takes."""
    extra = dict(openapi.SECURITY)
    if body is not None:
        extra |= openapi.json_body(body.__name__)
        codes = (*codes, 400, 408, 413, 415)
    return {
        "status_code": done,
        "openapi_extra": extra,
        "responses": {
            done: openapi.answer(answer, "Le registre, tel qu'il est désormais."),
            **openapi.problems(*sorted({401, 403, 422, 503, *codes})),
        },
    }
