"""What may be changed of an account, as pure functions: `CompactedTable.update` applies them."""

from datetime import datetime

from traverse_schemas.errors import TraverseError
from traverse_search_api.accounts.account import (
    Account,
    EndedSession,
    Identity,
    Membership,
    StaffRole,
    account_id,
    plain_email,
)


class UnknownAccountError(TraverseError):
    """Nobody has an account under this address."""

    def __init__(self, email: str) -> None:
        super().__init__(
            f"Aucun compte n'a l'adresse {email[:254]} : « traverse accounts list » les montre, "
            "« traverse accounts add » en ouvre un."
        )


class OtherIdentityError(TraverseError):
    """The account belongs to somebody else of the same provider."""

    def __init__(self) -> None:
        super().__init__(
            "Ce compte est déjà lié à une autre identité du fournisseur : demandez à "
            "l'administrateur de votre institution de le délier, ou à qui tient ce service si "
            "c'est vous."
        )


def require_account(email: str, known: Account | None) -> Account:
    """The account. Raises UnknownAccountError."""
    if known is None:
        raise UnknownAccountError(email)
    return known


def with_membership(
    known: Account | None,
    *,
    email: str,
    name: str,
    membership: Membership,
    now: datetime,
) -> Account:
    """The account with a role for one institution more, or another role for it; a new account
    where there is none. Raises ValidationError for an address that is none."""
    if known is None:
        return Account(
            id=account_id(email),
            email=plain_email(email),
            name=name,
            memberships=(membership,),
            created=now,
            sessions_from=now,
        )
    others = tuple(one for one in known.memberships if one.siren != membership.siren)
    return known.model_copy(
        update={"memberships": (*others, membership), "name": name or known.name}
    )


def without_membership(account: Account, siren: str, now: datetime) -> Account:
    """The account without its role for an institution; its sessions are closed."""
    left = tuple(one for one in account.memberships if one.siren != siren)
    return close_sessions(account.model_copy(update={"memberships": left}), now)


def with_role(account: Account, siren: str, role: StaffRole) -> Account:
    """The account with another role for an institution of its own; unchanged for others'."""
    changed = tuple(
        one.model_copy(update={"role": role}) if one.siren == siren else one
        for one in account.memberships
    )
    return account.model_copy(update={"memberships": changed})


def with_password(account: Account, hashed: str, now: datetime) -> Account:
    """The account with another password; who knew the old one is out."""
    return close_sessions(account.model_copy(update={"password": hashed}), now)


def with_identity(account: Account, identity: Identity) -> Account:
    """The account bound to who a provider says it is, for good. Raises OtherIdentityError."""
    if account.identity not in (None, identity):
        raise OtherIdentityError
    return account.model_copy(update={"identity": identity})


def without_identity(account: Account, now: datetime) -> Account:
    """The account bound to nobody at a provider: it is bound anew to whoever signs in there with
    its address, verified. Its sessions are closed."""
    return close_sessions(account.model_copy(update={"identity": None}), now)


def close_sessions(account: Account, now: datetime) -> Account:
    """The account without any session that began before `now`."""
    return account.model_copy(
        update={"sessions_from": max(now, account.sessions_from), "ended": ()}
    )


def end_session(account: Account, session: str, until: datetime, now: datetime) -> Account:
    """The account with one session closed; those that would have ended by themselves since are
    forgotten, so that the row stays small."""
    kept = tuple(one for one in account.ended if one.until > now and one.id != session)
    return account.model_copy(update={"ended": (*kept, EndedSession(id=session, until=until))})


def disable(account: Account, now: datetime) -> Account:
    """The account, closed from `now` on."""
    return account.model_copy(update={"disabled_at": account.disabled_at or now})


def enable(account: Account, now: datetime) -> Account:
    """The account, open again; its old sessions stay closed."""
    return close_sessions(account.model_copy(update={"disabled_at": None}), now)
