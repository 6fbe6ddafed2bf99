"""Who may sign in to the pages of a demonstration, and the gateway that publishes for them."""

import secrets
from collections.abc import Iterable
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Final, NamedTuple

from traverse_infra.private_file import write_private
from traverse_schemas.registry.institutions import Role, Scope
from traverse_schemas.registry.membership import Membership, Table
from traverse_search_api.accounts.account import Account, StaffRole, account_id
from traverse_search_api.accounts.account import Membership as StaffMembership
from traverse_search_api.accounts.account_changes import with_membership, with_password
from traverse_search_api.accounts.directory import AccountsTable
from traverse_search_api.accounts.passwords import Passwords

HOST: Final = "181300013"
"""Who runs the gateway of a demonstration: the chamber of its cast."""

_LABEL: Final = "pages de la démonstration"


class Person(NamedTuple):
    """Somebody invented, who works for an institution of the cast."""

    email: str
    name: str
    siren: str
    role: StaffRole


PEOPLE: Final = (
    Person("mairie@rustrel.example", "Camille Roux", "218401032", StaffRole.PUBLISHER),
    Person("achats@apt.example", "Dominique Faure", "218400034", StaffRole.ADMINISTRATOR),
    Person("terrain@cci.example", "Claude Blanc", HOST, StaffRole.PUBLISHER),
)


def open_gateway(table: Table, file: Path, sirens: Iterable[str], now: datetime) -> None:
    """Has the gateway sign for these institutions, and the pages a key of it, in `file` (mode
    0600). What is so already stays."""
    membership = Membership(table, now)
    host = table.get(HOST)
    if host is None or Role.GATEWAY not in host.roles:
        host = membership.set_role(HOST, Role.GATEWAY, held=True)
    for siren in sirens:
        known = table.get(siren)
        if known is None or not known.delegated:
            membership.delegate(siren, delegated=True)
    if file.exists() and any(key.label == _LABEL for key in host.api_keys):
        return
    key = membership.add_api_key(HOST, [Scope.ON_BEHALF], label=_LABEL)
    file.parent.mkdir(parents=True, exist_ok=True)
    write_private(file, key.secret.encode())


def open_accounts(table: AccountsTable, people: Iterable[Person], now: datetime) -> str:
    """Gives each an account with one password for all, new each time: that password."""
    password = "-".join(secrets.token_hex(2) for _ in range(4))
    hashed = Passwords().hash(password)

    def opened(row: Account | None, person: Person) -> Account:
        held = StaffMembership(siren=person.siren, role=person.role)
        made = with_membership(row, email=person.email, name=person.name, membership=held, now=now)
        return with_password(made, hashed, now)

    for person in people:
        table.update(account_id(person.email), partial(opened, person=person))
    return password
