"""Who may sign in to the pages of a demonstration, and the gateway that publishes for them."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.schemas.memory_log import MemoryTableLog, MemoryTopic
from traverse_infra.demo.bundled import load
from traverse_infra.demo.people import HOST, PEOPLE, open_accounts, open_gateway
from traverse_infra.demo.report import people_lines
from traverse_infra.members import ensure_members
from traverse_schemas.log.compacted_table import CompactedTable
from traverse_schemas.registry.institutions import Scope, decode_institution, encode_institution
from traverse_schemas.registry.membership import Table
from traverse_schemas.registry.registry import Principal, RegistryView
from traverse_search_api.accounts.account import account_id, decode_account, encode_account
from traverse_search_api.accounts.passwords import Passwords

NOW = datetime(2026, 11, 24, 8, tzinfo=UTC)
SIRENS = {one.siren for one in PEOPLE}


@pytest.fixture
def table(tmp_path: Path) -> Iterator[Table]:
    """The registry, with the cast of the demonstration."""
    made: Table = CompactedTable(
        MemoryTableLog(MemoryTopic()), encode=encode_institution, decode=decode_institution
    )
    with made as one:
        one.wait(30)
        ensure_members(one, tmp_path / "keys", load().institutions, NOW)
        yield one


def test_the_pages_have_a_key_that_acts_for_those_who_delegated(
    table: Table, tmp_path: Path
) -> None:
    file = tmp_path / "pages.key"
    open_gateway(table, file, SIRENS, NOW)
    assert file.stat().st_mode & 0o777 == 0o600
    key = RegistryView(table.rows().values()).authenticate(file.read_text(), NOW)
    assert isinstance(key, Principal)
    assert key.institution.siren == HOST
    assert key.may(Scope.ON_BEHALF)
    assert all(table.rows()[siren].delegated for siren in SIRENS)


def test_a_demonstration_that_is_played_again_makes_no_other_key(
    table: Table, tmp_path: Path
) -> None:
    file = tmp_path / "pages.key"
    open_gateway(table, file, SIRENS, NOW)
    secret, before = file.read_text(), table.rows()
    open_gateway(table, file, SIRENS, NOW)
    assert (file.read_text(), table.rows()) == (secret, before)
    file.unlink()
    open_gateway(table, file, SIRENS, NOW)
    key = RegistryView(table.rows().values()).authenticate(file.read_text(), NOW)
    assert isinstance(key, Principal)
    assert key.may(Scope.ON_BEHALF)


def test_everybody_signs_in_with_the_password_that_was_told_last() -> None:
    asyncio.run(_last_holds())


async def _last_holds() -> None:
    with CompactedTable(
        MemoryTableLog(MemoryTopic()), encode=encode_account, decode=decode_account
    ) as table:
        table.wait(30)
        first = open_accounts(table, PEOPLE, NOW)
        last = open_accounts(table, PEOPLE, NOW)
        assert first != last
        for one in PEOPLE:
            account = table.get(account_id(one.email))
            assert account is not None
            assert account.role_for(one.siren) is one.role
            assert await Passwords().matches(last, account.password)
            assert not await Passwords().matches(first, account.password)


def test_who_may_sign_in_is_told_with_institution_and_role() -> None:
    names = {one["siren"]: one["name"] for one in load().institutions}
    told = "\n".join(people_lines(PEOPLE, "ab-cd", names))
    assert "le mot de passe de toutes : ab-cd" in told
    assert "mairie@rustrel.example : Commune de Rustrel, rôle Publication" in told
