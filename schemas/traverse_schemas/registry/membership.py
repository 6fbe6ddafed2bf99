"""Changing the registry, in somebody's name: for the command line and for the administrator's API.

What may be changed of a row are the pure functions of `institution_changes` and `api_keys`; here
they are applied to the table, each with a note in the row of who did it (`Institution.changes`).
"""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from traverse_schemas.log.compacted_table import CompactedTable
from traverse_schemas.records.codes import InstitutionKind
from traverse_schemas.registry.api_keys import (
    NewApiKey,
    new_api_key,
    revoked_api_keys,
    rotated_api_keys,
)
from traverse_schemas.registry.institution_changes import (
    default_roles,
    enrol,
    noted,
    open_institution,
    require_known,
    require_new,
    require_scopes,
    restore_institution,
    revoke_institution,
    revoke_signing_key,
    with_signing_key,
)
from traverse_schemas.registry.institutions import (
    ApiKey,
    Change,
    Institution,
    Quota,
    Role,
    Scope,
    SigningKey,
)

Table = CompactedTable[Institution]


class Author(NamedTuple):
    """Who changes the registry: an institution, by this API key of its own; or the operator, at
    the command line (both empty)."""

    siren: str = ""
    api_key: str = ""


OPERATOR: Final = Author()


class Membership:
    """Changes of the registry at one moment, by one author.

    Every method gives the row as it is then, or raises TableError when the log does not confirm;
    but for `add`, NotRegisteredError for who is not in the registry.
    """

    def __init__(self, table: Table, now: datetime, by: Author = OPERATOR) -> None:
        self._table = table
        self._now = now
        self._by = by

    def add(
        self, newcomer: Institution, signing_key: SigningKey | None
    ) -> tuple[Institution, NewApiKey]:
        """A new member, with its signing key, where it has one, and an API key, to be shown once.
        Raises AlreadyRegisteredError, NotTryingError."""
        require_new(newcomer.siren, self._table.get(newcomer.siren))
        scopes = [Scope.PUBLISH, Scope.READ]
        if Role.ADMINISTRATOR in newcomer.roles:
            scopes.append(Scope.ADMINISTER)
        new = new_api_key(scopes, self._now)
        signing_keys = () if signing_key is None else (signing_key,)
        full = newcomer.model_copy(update={"signing_keys": signing_keys, "api_keys": (new.key,)})
        row = self._table.update(
            newcomer.siren, lambda known: self._noted(enrol(known, full), "added")
        )
        return row, new

    def add_signing_key(
        self, siren: str, key: SigningKey, overlap: timedelta | None
    ) -> Institution:
        """See `with_signing_key`."""
        return self._change(
            siren, lambda row: with_signing_key(row, key, overlap), "signing_key_added", key.kid
        )

    def revoke_signing_key(self, siren: str, kid: str) -> Institution:
        """See `revoke_signing_key`. Raises UnknownSigningKeyError."""
        return self._change(
            siren,
            lambda row: revoke_signing_key(row, kid, self._now),
            "signing_key_revoked",
            kid,
        )

    def add_api_key(
        self, siren: str, scopes: Iterable[Scope], *, label: str = "", days: float = 0
    ) -> NewApiKey:
        """One more API key, to be shown once; `days` 0: without end. Raises
        ScopeNotAllowedError."""
        new = new_api_key(scopes, self._now, label=label, expires=self._until(days))

        def change(row: Institution) -> Institution:
            require_scopes(row, new.key.scopes)
            return _with_api_key(row, new.key)

        self._change(siren, change, "api_key_added", new.key.id)
        return new

    def rotate_api_key(
        self, siren: str, key_id: str, overlap: timedelta, *, days: float = 0
    ) -> NewApiKey:
        """A new API key in the place of one, which holds for `overlap` more; `days` 0: without end.
        Raises UnknownApiKeyError."""
        expires = self._until(days)
        made: list[NewApiKey] = []

        def change(row: Institution) -> Institution:
            keys, new = rotated_api_keys(row.api_keys, key_id, self._now, overlap, expires=expires)
            made.append(new)
            return row.model_copy(update={"api_keys": keys})

        self._change(siren, change, "api_key_rotated", key_id)
        return made[-1]

    def revoke_api_key(self, siren: str, key_id: str) -> Institution:
        """See `revoked_api_keys`. Raises UnknownApiKeyError."""
        return self._change(
            siren,
            lambda row: row.model_copy(
                update={"api_keys": revoked_api_keys(row.api_keys, key_id, self._now)}
            ),
            "api_key_revoked",
            key_id,
        )

    def set_quota(self, siren: str, choose: Callable[[Quota], Quota]) -> Institution:
        """How much the gateway takes of it from now on: what `choose` makes of the quota that it
        has."""

        def changed(known: Institution | None) -> Institution:
            row = require_known(siren, known)
            quota = choose(row.quota)
            said = f"{quota.events_per_minute or '-'}/min {quota.events_per_day or '-'}/day"
            return self._noted(row.model_copy(update={"quota": quota}), "quota_set", said)

        return self._table.update(siren, changed)

    def set_permanences(self, siren: str, address: str | None) -> Institution:
        """Where its calendar of permanences is; None: nowhere. Raises ValidationError."""

        def change(row: Institution) -> Institution:
            return Institution.model_validate({**row.model_dump(), "permanences": address})

        return self._change(siren, change, "permanences_set", (address or "")[:100])

    def delegate(self, siren: str, *, delegated: bool) -> Institution:
        """Whether the gateway signs for it."""
        return self._change(
            siren,
            lambda row: row.model_copy(update={"delegated": delegated}),
            "delegated" if delegated else "delegation_ended",
        )

    def set_role(self, siren: str, role: Role, *, held: bool) -> Institution:
        """Whether it has this role, whatever its kind brings."""
        return self._change(
            siren,
            lambda row: row.model_copy(
                update={"roles": row.roles | {role} if held else row.roles - {role}}
            ),
            "role_given" if held else "role_taken",
            role,
        )

    def open(self, siren: str) -> Institution:
        """See `open_institution`. Raises NotTryingError."""
        return self._change(siren, lambda row: open_institution(row, self._now), "trial_ended")

    def revoke(self, siren: str) -> Institution:
        """See `revoke_institution`."""
        return self._change(siren, lambda row: revoke_institution(row, self._now), "revoked")

    def restore(self, siren: str) -> Institution:
        """See `restore_institution`."""
        return self._change(siren, restore_institution, "restored")

    def _until(self, days: float) -> datetime | None:
        return self._now + timedelta(days=days) if days else None

    def _change(
        self, siren: str, change: Callable[[Institution], Institution], what: str, about: str = ""
    ) -> Institution:
        def changed(row: Institution | None) -> Institution:
            return self._noted(change(require_known(siren, row)), what, about)

        return self._table.update(siren, changed)

    def _noted(self, row: Institution, what: str, about: str = "") -> Institution:
        by, api_key = self._by
        return noted(row, Change(at=self._now, by=by, api_key=api_key, what=what, about=about))


def new_member(
    *,
    siren: str,
    name: str,
    kind: str,
    now: datetime,
    territory: str | None = None,
    systems: Iterable[str] = (),
    roles: Iterable[Role] = (),
    **more: Any,
) -> Institution:
    """A row for an institution, with the roles that its kind brings. Raises ValidationError."""
    return Institution.model_validate(
        {
            "siren": siren,
            "name": name,
            "kind": kind,
            "territory": territory,
            "systems": tuple(systems),
            "roles": default_roles(InstitutionKind(kind)) | frozenset(roles),
            "created": now,
            **more,
        }
    )


def shown(one: Institution, *, changes: bool = True) -> dict[str, Any]:
    """A row as people may see it: without what lets nobody in anyway, but is nobody's business,
    the hashes of API keys."""
    row = one.model_dump(mode="json", exclude={"api_keys": {"__all__": {"sha256"}}})
    row["roles"].sort()
    for key in row["api_keys"]:
        key["scopes"].sort()
    if not changes:
        del row["changes"]
    return {**row, "state": str(one.state)}


def _with_api_key(row: Institution, key: ApiKey) -> Institution:
    # The same key again, when the change is applied twice.
    others = (each for each in row.api_keys if each.id != key.id)
    return row.model_copy(update={"api_keys": (*others, key)})
