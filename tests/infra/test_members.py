"""Members, their keys on disk, and the command line of the registry."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from tests.schemas.memory_log import MemoryTableLog, MemoryTopic
from traverse_infra import members
from traverse_infra.commands.tree import build
from traverse_infra.members import (
    add_member,
    ensure_members,
    eraser,
    rotate_signing_key,
)
from traverse_infra.one_at_a_time import AtWorkError
from traverse_producers.signing_keys import read_signer
from traverse_schemas.errors import TraverseError
from traverse_schemas.log.compacted_table import CompactedTable
from traverse_schemas.registry.institution_changes import (
    AlreadyRegisteredError,
    NotRegisteredError,
    ScopeNotAllowedError,
    revoke_institution,
)
from traverse_schemas.registry.institutions import (
    Role,
    Scope,
    decode_institution,
    encode_institution,
)
from traverse_schemas.registry.membership import Membership, Table, new_member
from traverse_schemas.registry.registry import Principal, RegistryView
from traverse_schemas.signing.attribution import signed_by
from traverse_search_api.permanences import published

SIREN = "211300553"
NOW = datetime(2026, 11, 20, 10, tzinfo=UTC)
WEEK = timedelta(days=7)


@pytest.fixture
def topic() -> MemoryTopic:
    return MemoryTopic()


def table_on(topic: MemoryTopic) -> Table:
    return CompactedTable(
        MemoryTableLog(topic), encode=encode_institution, decode=decode_institution
    )


@pytest.fixture
def table(topic: MemoryTopic) -> Iterator[Table]:
    with table_on(topic) as one:
        one.wait(30)
        yield one


def marseille(**more: Any) -> Any:
    return new_member(siren=SIREN, name="Marseille", kind="commune", now=NOW, **more)


def test_a_new_member_can_sign_and_call_at_once(table: Table, tmp_path: Path) -> None:
    done = add_member(table, tmp_path, marseille(), NOW)
    assert done.private_key == tmp_path / f"{SIREN}.pem"
    view = RegistryView(table.rows().values())
    octets = b"{}"
    signer = read_signer(tmp_path / f"{SIREN}.pem")
    assert signed_by(octets, signer.sign(octets), view).attributed(NOW) == SIREN
    caller = view.authenticate(done.api_key.secret, NOW)
    assert isinstance(caller, Principal)
    assert caller.key.scopes == {Scope.PUBLISH, Scope.READ}
    assert Role.BUYER in caller.institution.roles


def test_one_is_added_once(table: Table, tmp_path: Path) -> None:
    add_member(table, tmp_path, marseille(), NOW)
    with pytest.raises(AlreadyRegisteredError, match="rotate-key"):
        add_member(table, tmp_path, marseille(), NOW)


def test_who_comes_back_keeps_the_keys_of_the_past(table: Table, tmp_path: Path) -> None:
    first = add_member(table, tmp_path, marseille(), NOW).institution
    table.update(SIREN, lambda row: revoke_institution(row or first, NOW + WEEK))
    (tmp_path / f"{SIREN}.pem").unlink()
    again = add_member(table, tmp_path, marseille(), NOW + 2 * WEEK).institution
    assert again.revoked_at is None
    assert again.created == NOW
    assert again.signing_keys[0] == first.signing_keys[0]
    assert len(again.signing_keys) == 2


def test_a_rotation_changes_the_file_and_keeps_the_old_key_for_a_while(
    table: Table, tmp_path: Path
) -> None:
    add_member(table, tmp_path, marseille(), NOW)
    path = tmp_path / f"{SIREN}.pem"
    old = read_signer(path)
    row, written = rotate_signing_key(table, tmp_path, SIREN, NOW + WEEK, WEEK)
    assert written == path
    assert read_signer(path).kid == row.signing_keys[-1].kid != old.kid
    assert row.signing_keys[0].valid_to == NOW + 2 * WEEK
    assert read_signer(tmp_path / f"{SIREN}.{old.kid[:8]}.pem").kid == old.kid


def test_a_rotation_that_was_cut_off_is_taken_up(
    table: Table, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed after the registry knows the new key and before the file is in its place: the old
    key still signs, and the same command ends with the same new key."""
    add_member(table, tmp_path, marseille(), NOW)
    with monkeypatch.context() as cut:
        cut.setattr(Path, "rename", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            rotate_signing_key(table, tmp_path, SIREN, NOW, WEEK)
    row, path = rotate_signing_key(table, tmp_path, SIREN, NOW, WEEK)
    assert len(row.signing_keys) == 2
    assert read_signer(path).kid == row.signing_keys[-1].kid


def test_of_two_rotations_at_once_the_second_is_refused_and_the_first_is_whole(
    table: Table, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second comes while the registry is told of the first's key."""
    add_member(table, tmp_path, marseille(), NOW)
    tell = Membership.add_signing_key

    def meanwhile(self: Membership, *words: Any) -> Any:
        monkeypatch.setattr(Membership, "add_signing_key", tell)
        with pytest.raises(AtWorkError, match=f"La clé de {SIREN} est en train d'être changée"):
            rotate_signing_key(table, tmp_path, SIREN, NOW, WEEK)
        return tell(self, *words)

    monkeypatch.setattr(Membership, "add_signing_key", meanwhile)
    row, path = rotate_signing_key(table, tmp_path, SIREN, NOW, WEEK)
    assert read_signer(path).kid == row.signing_keys[-1].kid
    assert len(row.signing_keys) == 2


def test_a_cast_is_registered_once_and_its_keys_are_found_again(
    table: Table, tmp_path: Path
) -> None:
    cast: list[dict[str, Any]] = [
        {"siren": SIREN, "name": "Marseille", "kind": "commune", "systems": ["marches"]},
        {"siren": "181300013", "name": "CCI", "kind": "chamber", "territory": "dep:13"},
    ]
    first = ensure_members(table, tmp_path, cast, NOW)
    version = table.version
    again = ensure_members(table, tmp_path, cast, NOW + WEEK)
    assert table.version == version
    assert {siren: one.kid for siren, one in first.items()} == {
        siren: one.kid for siren, one in again.items()
    }


def test_who_is_not_registered_has_no_key_to_change(table: Table, tmp_path: Path) -> None:
    with pytest.raises(NotRegisteredError, match="institutions add"):
        rotate_signing_key(table, tmp_path, SIREN, NOW, WEEK)


def test_an_erasure_is_signed_by_the_institution_else_by_the_operator(
    table: Table, tmp_path: Path
) -> None:
    assert eraser(table, tmp_path, SIREN) is None  # no registry: no signatures
    operator = new_member(
        siren="231300021", name="Région", kind="region", now=NOW, roles=[Role.ADMINISTRATOR]
    )
    own = tmp_path / "own"
    add_member(table, tmp_path, operator, NOW)
    add_member(table, own, marseille(), NOW)
    found = eraser(table, tmp_path, SIREN)
    assert found is not None
    assert found.kid == read_signer(tmp_path / "231300021.pem").kid
    mine = eraser(table, own, SIREN)
    assert mine is not None
    assert mine.kid == read_signer(own / f"{SIREN}.pem").kid
    with pytest.raises(TraverseError, match="administrator"):
        eraser(table, tmp_path / "nobody", SIREN)


@pytest.fixture
def calendars() -> MemoryTopic:
    return MemoryTopic()


@pytest.fixture
def cli(
    topic: MemoryTopic, calendars: MemoryTopic, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Any:
    """Runs a command on a registry in memory; gives its JSON."""

    def opened_calendars(_: str) -> published.PublishedTable:
        return CompactedTable(
            MemoryTableLog(calendars),
            encode=published.encode_calendar,
            decode=published.decode_calendar,
        )

    @contextmanager
    def opened(_: str) -> Iterator[Table]:
        with table_on(topic) as one:
            one.wait(30)
            yield one

    monkeypatch.setattr(members, "open_registry", opened)
    monkeypatch.setattr(published, "published_table", opened_calendars)
    monkeypatch.setenv("TRAVERSE_HOME", str(tmp_path))

    def run(*words: str) -> Any:
        done = CliRunner().invoke(build(), ["institutions", *words], catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return json.loads(done.output) if done.output.startswith(("{", "[")) else done.output

    return run


def test_the_commands_of_the_registry(cli: Any, calendars: MemoryTopic, tmp_path: Path) -> None:
    """Added, listed, given keys, rotated, delegated, revoked, restored; no hash, no private key
    and no API key is shown again."""
    added = cli("add", SIREN, "--name", "Marseille", "--kind", "commune", "--json")
    assert added["siren"] == SIREN
    assert added["api_key"].startswith("trv_")
    assert added["private_key"] == str(tmp_path / "keys" / f"{SIREN}.pem")
    more = cli("api-key", SIREN, "--scope", "read", "--days", "30", "--json")
    assert more["api_key"] != added["api_key"]
    rotated = cli("rotate-key", SIREN, "--json")
    assert rotated["kid"] != added["kid"]
    assert cli("rotate-key", SIREN, "--api-key", more["api_key_id"], "--json")["api_key"]
    assert cli("delegate", SIREN, "--json")["delegated"] is True
    with pytest.raises(ScopeNotAllowedError, match=f"institutions role {SIREN} gateway"):
        cli("api-key", SIREN, "--scope", "on_behalf")
    assert cli("role", SIREN, "gateway", "--json")["roles"] == ["buyer", "gateway"]
    assert cli("api-key", SIREN, "--scope", "on_behalf", "--json")["api_key"]
    assert cli("role", SIREN, "gateway", "--undo", "--json")["roles"] == ["buyer"]
    address = "https://marseille.example/permanences.ics"
    assert cli("permanences", SIREN, "--address", address, "--json")["permanences"] == address
    calendars.write(SIREN, b'{"calendar": "BEGIN:VCALENDAR", "at": "2026-11-20T10:00:00Z"}')
    assert cli("permanences", SIREN, "--json")["permanences"] is None
    assert calendars.messages[-1].value is None  # nowhere any more: what it published neither
    assert cli("revoke", SIREN, "--key", added["kid"], "--json")["state"] == "active"
    assert cli("revoke", SIREN, "--json")["state"] == "revoked"
    assert cli("revoke", SIREN, "--undo", "--json")["state"] == "active"
    (row,) = cli("list", "--json")
    assert "sha256" not in json.dumps(row)
    assert len(row["api_keys"]) == 4
    assert "Marseille" in cli("list")
    assert [key["kid"] for key in cli("keys", SIREN)["keys"]] == [added["kid"], rotated["kid"]]


def test_a_quota_that_is_not_named_stays(cli: Any) -> None:
    """To set one is not to take the other away, and to look is to change nothing."""
    cli("add", SIREN, "--name", "Marseille", "--kind", "commune", "--json")
    cli("quota", SIREN, "--per-minute", "600", "--json")
    both = cli("quota", SIREN, "--per-day", "20000", "--json")
    assert both["quota"] == {"events_per_minute": 600, "events_per_day": 20000}
    assert cli("quota", SIREN) == (
        "La passerelle prend de Marseille 600 événements par minute, 20000 par jour.\n"
    )
    looked = cli("quota", SIREN, "--json")
    assert looked == both
    usual = cli("quota", SIREN, "--per-minute", "0", "--json")
    assert usual["quota"] == {"events_per_minute": None, "events_per_day": 20000}


def test_quotas_that_two_operators_set_at_once_are_both_kept(
    cli: Any, topic: MemoryTopic, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second sets that of the day between what the first reads and what it writes."""
    cli("add", SIREN, "--name", "Marseille", "--kind", "commune", "--json")
    cli("quota", SIREN, "--per-minute", "600", "--json")
    once = iter([("quota", SIREN, "--per-day", "20000", "--json")])
    append = MemoryTableLog.append

    def overtaken(self: MemoryTableLog, *words: Any) -> None:
        for other in once:
            cli(*other)
        append(self, *words)

    monkeypatch.setattr(MemoryTableLog, "append", overtaken)
    both = {"events_per_minute": 900, "events_per_day": 20000}
    assert cli("quota", SIREN, "--per-minute", "900", "--json")["quota"] == both
    (row,) = cli("list", "--json")
    assert row["quota"] == both
    assert [one["about"] for one in row["changes"][-2:]] == [
        "600/min 20000/day",
        "900/min 20000/day",
    ]


def test_an_institution_may_keep_its_private_key(cli: Any, tmp_path: Path) -> None:
    """It gives the public half alone, and nothing is written here."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    public = tmp_path / "public.pem"
    public.write_bytes(
        Ed25519PrivateKey.generate()
        .public_key()
        .public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    )
    added = cli(
        "add", SIREN, "--name", "M", "--kind", "commune", "--public-key", str(public), "--json"
    )
    assert added["private_key"] is None
    assert not (tmp_path / "keys").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("add", "211300554", "--name", "X", "--kind", "commune"), "SIREN"),
        (("rotate-key", SIREN), "institutions add"),
        (("revoke", SIREN), "institutions add"),
        (("revoke", SIREN, "--key", "k", "--undo"), "ne se rétablit pas"),
        (("quota", SIREN, "--per-day", "5"), "institutions add"),
        (
            ("add", SIREN, "--name", "X", "--kind", "commune", "--public-key", "/nowhere"),
            "/nowhere",
        ),
    ],
)
def test_a_mistake_is_one_sentence(cli: Any, words: tuple[str, ...], said: str) -> None:
    with pytest.raises(TraverseError, match=said):
        cli(*words)
