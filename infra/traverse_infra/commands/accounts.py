"""`traverse accounts …`: who may sign in to the pages, for the operator."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from traverse_infra.errors import InfraError
from traverse_search_api.accounts.account import ROLE_LABELS, StaffRole

if TYPE_CHECKING:
    from traverse_search_api.accounts.directory import AccountsTable

_Email = Annotated[str, typer.Argument(metavar="EMAIL", help="Son adresse professionnelle.")]
_Stdin = Annotated[
    bool, typer.Option("--password-stdin", help="Lire le mot de passe sur l'entrée standard.")
]


class InvalidAccountError(InfraError):
    """What was given of an account cannot be kept."""


def list_(
    json_output: Annotated[bool, typer.Option("--json", help="En JSON.")] = False,
) -> None:
    """Montre les comptes."""
    import json

    with _table() as table:
        rows = sorted(table.rows().values(), key=lambda one: one.email)
    if json_output:
        shown = [one.model_dump(mode="json", exclude={"password", "ended"}) for one in rows]
        typer.echo(json.dumps(shown, ensure_ascii=False, indent=2))
        return
    for one in rows:
        roles = ", ".join(f"{each.siren} ({each.role})" for each in one.memberships)
        closed = " [fermé]" if one.disabled_at else ""
        bound = " [lié au fournisseur]" if one.identity else ""
        typer.echo(f"{one.email}{closed}{bound} : {roles or 'aucune institution'}")
    if not rows:
        typer.echo("Aucun compte : « traverse accounts add » en ouvre un.")


def add(
    email: _Email,
    institution: Annotated[str, typer.Option(metavar="SIREN", help="Pour quelle institution.")],
    *,
    role: Annotated[StaffRole, typer.Option(help="Ce qu'il peut y faire.")] = StaffRole.READER,
    name: Annotated[str, typer.Option(help="Son nom, comme il se lit.")] = "",
    openid: Annotated[
        bool,
        typer.Option("--openid", help="Sans mot de passe : se connecte chez le fournisseur."),
    ] = False,
    password_stdin: _Stdin = False,
) -> None:
    """Ouvre un compte ; donne à un compte un rôle pour une institution, ou en change."""
    from pydantic import ValidationError

    from traverse_infra.members import open_registry
    from traverse_schemas.registry.institution_changes import require_known
    from traverse_search_api.accounts.account import Account, Membership, account_id
    from traverse_search_api.accounts.account_changes import (
        require_account,
        with_membership,
        with_password,
    )

    with open_registry(_kafka()) as registry:
        member = require_known(institution, registry.get(institution))
    membership = Membership(siren=member.siren, role=role)
    with _table() as table:
        identifier, now = account_id(email), _now()
        known = table.get(identifier)
        # One that is there already keeps its own way of signing in.
        asked = not openid and known is None
        hashed = _hashed(email, stdin=password_stdin) if asked else None

        def change(row: Account | None) -> Account:
            if known is not None:
                require_account(email, row)  # erased meanwhile: it does not come back for a role
            made = with_membership(row, email=email, name=name, membership=membership, now=now)
            return with_password(made, hashed, now) if hashed and row is None else made

        try:
            row = table.update(identifier, change)
        except ValidationError:
            raise InvalidAccountError(
                f"« {email[:254]} » n'est pas une adresse électronique : écrivez nom@exemple.fr."
            ) from None
    if row.active(now):
        typer.echo(f"{row.email} peut agir pour {member.name} (rôle : {ROLE_LABELS[role]}).")
    else:
        typer.echo(
            f"Le rôle de {row.email} pour {member.name} ({ROLE_LABELS[role]}) est noté, mais son "
            f"compte est fermé : « traverse accounts disable {row.email} --undo » le rouvre."
        )


def password(email: _Email, password_stdin: _Stdin = False) -> None:
    """Change le mot de passe d'un compte ; ses sessions se ferment."""
    from traverse_search_api.accounts.account_changes import require_account, with_password

    with _table() as table:
        require_account(email, table.get(_id(email)))
        hashed, now = _hashed(email, stdin=password_stdin), _now()
        table.update(
            _id(email), lambda row: with_password(require_account(email, row), hashed, now)
        )
    typer.echo("Mot de passe changé ; les sessions ouvertes sont fermées.")


def sign_out(email: _Email) -> None:
    """Ferme toutes les sessions d'un compte, tout de suite."""
    from traverse_search_api.accounts.account_changes import close_sessions, require_account

    with _table() as table:
        now = _now()
        table.update(_id(email), lambda row: close_sessions(require_account(email, row), now))
    typer.echo("Ses sessions sont fermées.")


def unbind(email: _Email) -> None:
    """Délie un compte de son identité chez le fournisseur ; ses sessions se ferment."""
    from traverse_search_api.accounts.account_changes import require_account, without_identity

    with _table() as table:
        now = _now()
        bound = require_account(email, table.get(_id(email))).identity is not None
        if bound:
            table.update(_id(email), lambda row: without_identity(require_account(email, row), now))
    if bound:
        typer.echo(
            "Le compte est délié : il sera lié de nouveau à la prochaine connexion chez le "
            "fournisseur sous cette adresse, vérifiée."
        )
    else:
        typer.echo("Ce compte n'est lié à personne chez le fournisseur : rien n'a changé.")


def disable(
    email: _Email, undo: Annotated[bool, typer.Option("--undo", help="Le rouvre.")] = False
) -> None:
    """Ferme un compte : il ne sert plus, mais reste connu."""
    from traverse_search_api.accounts.account_changes import disable as disabled
    from traverse_search_api.accounts.account_changes import enable, require_account

    with _table() as table:
        now = _now()
        change = enable if undo else disabled
        table.update(_id(email), lambda row: change(require_account(email, row), now))
    typer.echo("Le compte est rouvert." if undo else "Le compte est fermé, ses sessions aussi.")


def remove(email: _Email) -> None:
    """Efface un compte (article 17 du RGPD) : il n'en reste rien que le journal des actions."""
    from traverse_search_api.accounts.account_changes import require_account

    with _table() as table:
        table.delete(require_account(email, table.get(_id(email))).id)
    typer.echo("Le compte est effacé.")


def _hashed(email: str, *, stdin: bool) -> str:
    """The hash of a password that is typed twice, or read. Raises WeakPasswordError,
    InvalidAccountError."""
    from traverse_search_api.accounts.passwords import Passwords, check_password

    chosen = sys.stdin.readline().rstrip("\r\n") if stdin else _typed()
    check_password(chosen, email)
    return Passwords().hash(chosen)


def _typed() -> str:
    chosen = str(typer.prompt("Mot de passe", hide_input=True))
    if typer.prompt("Encore une fois", hide_input=True) != chosen:
        raise InvalidAccountError("Les deux mots de passe diffèrent : recommencez.")
    return chosen


@contextmanager
def _table() -> Iterator["AccountsTable"]:
    from traverse_infra.reading_tables import read_whole
    from traverse_search_api.accounts.directory import accounts_table

    with read_whole(accounts_table(_kafka())) as table:
        yield table


def _id(email: str) -> str:
    from traverse_search_api.accounts.account import account_id

    return account_id(email)


def _kafka() -> str:
    from traverse_infra.commands.engines import load_settings

    return load_settings().kafka


def _now() -> Any:
    from traverse_schemas.clock import SystemClock

    return SystemClock().now()
