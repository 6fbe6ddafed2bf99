"""`traverse accounts`, on tables in memory."""

import asyncio
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from tests.schemas.memory_log import MemoryTableLog, MemoryTopic
from traverse_infra import members
from traverse_infra.commands.accounts import InvalidAccountError
from traverse_infra.commands.tree import build
from traverse_infra.members import add_member
from traverse_schemas.log.compacted_table import CompactedTable
from traverse_schemas.registry.institutions import decode_institution, encode_institution
from traverse_schemas.registry.membership import Table, new_member
from traverse_search_api.accounts import directory
from traverse_search_api.accounts.account import (
    Account,
    Identity,
    StaffRole,
    account_id,
    decode_account,
    encode_account,
)
from traverse_search_api.accounts.account_changes import UnknownAccountError, with_identity
from traverse_search_api.accounts.passwords import Passwords, WeakPasswordError

SIREN = "211300553"
INES = "ines@marseille.example"
LEO = "leo.martin@marseille.example"
PASSWORD = "cinq mots pour entrer ici\n"  # noqa: S105 -- of these tests alone
NOW = datetime(2026, 11, 20, 10, tzinfo=UTC)


@pytest.fixture
def topic() -> MemoryTopic:
    return MemoryTopic()


def accounts_on(topic: MemoryTopic) -> directory.AccountsTable:
    return CompactedTable(MemoryTableLog(topic), encode=encode_account, decode=decode_account)


@pytest.fixture
def cli(topic: MemoryTopic, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Runs a command; gives what it printed."""
    registry = MemoryTopic()

    @contextmanager
    def opened(_: str) -> Iterator[Table]:
        table: Table = CompactedTable(
            MemoryTableLog(registry), encode=encode_institution, decode=decode_institution
        )
        with table as one:
            one.wait(30)
            yield one

    with opened("") as table:
        row = new_member(siren=SIREN, name="Marseille", kind="commune", now=NOW)
        add_member(table, tmp_path, row, NOW)
    monkeypatch.setattr(members, "open_registry", opened)
    monkeypatch.setattr(directory, "accounts_table", lambda _: accounts_on(topic))
    monkeypatch.setenv("TRAVERSE_HOME", str(tmp_path))

    def run(*words: str, typed: str = "") -> str:
        done = CliRunner().invoke(build(), ["accounts", *words], typed, catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return done.output

    return run


def account(topic: MemoryTopic, change: Any = None) -> Account:
    """Inès' account, after a change where there is one."""
    with accounts_on(topic) as table:
        table.wait(30)
        if change is not None:
            return table.update(account_id(INES), change)
        found = table.get(account_id(INES))
        assert found is not None
        return found


def opens(password: str, topic: MemoryTopic) -> bool:
    """Whether it is the password of Inès' account."""
    return asyncio.run(Passwords().matches(password, account(topic).password))


def test_an_operator_names_an_administrator_of_somebody_who_has_an_account(
    cli: Any, topic: MemoryTopic
) -> None:
    """Who signs in at a provider is asked for no password; who has one keeps it."""
    cli("add", INES, "--institution", SIREN, "--openid")
    assert account(topic).role_for(SIREN) is StaffRole.READER
    told = cli("add", INES, "--institution", SIREN, "--role", "administrator")
    assert "Marseille (rôle : Administration)" in told
    assert account(topic).role_for(SIREN) is StaffRole.ADMINISTRATOR
    assert account(topic).password is None
    cli("remove", INES)
    cli("add", INES, "--institution", SIREN, "--password-stdin", typed=PASSWORD)
    before = account(topic)
    cli("add", INES, "--institution", SIREN, "--role", "administrator")
    assert account(topic).password == before.password is not None
    (listed,) = json.loads(cli("list", "--json"))
    assert listed["memberships"] == [{"siren": SIREN, "role": "administrator"}]
    assert "password" not in listed


def test_the_password_that_is_read_opens_the_account_and_no_other_does(
    cli: Any, topic: MemoryTopic
) -> None:
    cli("add", INES, "--institution", SIREN, "--password-stdin", typed=PASSWORD)
    assert opens(PASSWORD.rstrip("\n"), topic)
    assert not opens(PASSWORD, topic)
    with pytest.raises(WeakPasswordError, match="votre adresse"):
        cli("add", LEO, "--institution", SIREN, "--password-stdin", typed=f"{LEO}\n")
    other = "une autre phrase de passe"
    cli("password", INES, "--password-stdin", typed=f"{other}\n")
    assert opens(other, topic)


def test_a_password_is_typed_twice(cli: Any, topic: MemoryTopic) -> None:
    cli("add", INES, "--institution", SIREN, typed=PASSWORD * 2)
    assert account(topic).password is not None
    with pytest.raises(InvalidAccountError, match="diffèrent"):
        cli("add", LEO, "--institution", SIREN, typed=f"{PASSWORD}une autre phrase\n")


def overtake(monkeypatch: pytest.MonkeyPatch, other: Callable[[], object]) -> None:
    """Have something done between what the next command reads and what it writes."""
    once, append = iter([other]), MemoryTableLog.append

    def overtaken(self: MemoryTableLog, *words: Any) -> None:
        for each in once:
            each()
        append(self, *words)

    monkeypatch.setattr(MemoryTableLog, "append", overtaken)


def test_of_two_who_open_one_account_at_once_the_first_gives_the_password(
    cli: Any, topic: MemoryTopic, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As one who comes later: the account is there, and only the role is given."""
    add = ("add", INES, "--institution", SIREN, "--password-stdin")
    overtake(monkeypatch, lambda: cli(*add, typed=PASSWORD))
    cli(*add, "--role", "publisher", typed="une autre phrase de passe\n")
    assert opens(PASSWORD.rstrip("\n"), topic)
    assert account(topic).role_for(SIREN) is StaffRole.PUBLISHER


def test_a_role_does_not_bring_back_who_is_erased_at_that_moment(
    cli: Any, topic: MemoryTopic, monkeypatch: pytest.MonkeyPatch
) -> None:
    cli("add", INES, "--institution", SIREN, "--openid")
    overtake(monkeypatch, lambda: cli("remove", INES))
    with pytest.raises(UnknownAccountError, match="traverse accounts add"):
        cli("add", INES, "--institution", SIREN, "--role", "publisher")
    assert topic.messages[-1].value is None


def test_a_role_opens_no_account_that_is_closed(cli: Any, topic: MemoryTopic) -> None:
    """It is noted, and the operator is told what opens the account again."""
    cli("add", INES, "--institution", SIREN, "--openid")
    cli("disable", INES)
    told = cli("add", INES, "--institution", SIREN, "--role", "administrator")
    assert "peut agir" not in told
    assert f"traverse accounts disable {INES} --undo" in told
    assert account(topic).role_for(SIREN) is StaffRole.ADMINISTRATOR
    assert not account(topic).active(NOW.replace(year=2100))
    cli("disable", INES, "--undo")
    assert "peut agir pour Marseille (rôle : Lecture)" in cli("add", INES, "--institution", SIREN)


def test_an_operator_unbinds_the_account_that_nobody_else_may(cli: Any, topic: MemoryTopic) -> None:
    """Its sessions end, its roles stay; done twice, it changes nothing."""
    cli("add", INES, "--institution", SIREN, "--role", "administrator", "--openid")
    bound = Identity(issuer="https://fournisseur.example", subject="ines")
    before = account(topic, lambda row: with_identity(row, bound))
    assert "[lié au fournisseur]" in cli("list")
    assert "sera lié de nouveau" in cli("unbind", INES.upper())
    after = account(topic)
    assert after.identity is None
    assert after.sessions_from > before.sessions_from
    assert after.role_for(SIREN) is StaffRole.ADMINISTRATOR
    assert "rien n'a changé" in cli("unbind", INES)
    assert account(topic) == after
    assert "[lié au fournisseur]" not in cli("list")
    with pytest.raises(UnknownAccountError, match="traverse accounts add"):
        cli("unbind", "personne@nulle.example")
