"""API keys: made, found again by their hash, rotated with an overlap, ended."""

from datetime import UTC, datetime, timedelta

import pytest

from traverse_schemas.records.codes import InstitutionKind
from traverse_schemas.registry.api_keys import (
    UnknownApiKeyError,
    api_key_hash,
    new_api_key,
    revoked_api_keys,
    rotated_api_keys,
)
from traverse_schemas.registry.institutions import (
    Institution,
    Role,
    Scope,
    decode_institution,
    encode_institution,
)
from traverse_schemas.registry.registry import Principal, Refusal, RegistryView

NOW = datetime(2026, 11, 20, 10, tzinfo=UTC)
HOUR = timedelta(hours=1)
MARSEILLE = Institution(
    siren="211300553", name="Marseille", kind=InstitutionKind.COMMUNE, created=NOW
)


def opened(institution: Institution, secret: str, at: datetime = NOW) -> Principal | Refusal:
    return RegistryView([institution]).authenticate(secret, at)


def test_a_key_has_256_random_bits_and_is_known_by_its_hash_alone() -> None:
    one, other = new_api_key([Scope.READ], NOW), new_api_key([Scope.READ], NOW)
    assert len(bytes.fromhex(one.secret.removeprefix("trv_"))) == 32
    assert one.secret != other.secret
    assert one.key.sha256 == api_key_hash(one.secret)
    row = encode_institution(MARSEILLE.model_copy(update={"api_keys": (one.key,)}))
    assert one.secret[4:].encode() not in row
    assert decode_institution(row).api_keys == (one.key,)


def test_who_presents_a_key_is_its_institution_with_its_scopes() -> None:
    new = new_api_key([Scope.PUBLISH], NOW)
    found = opened(MARSEILLE.model_copy(update={"api_keys": (new.key,)}), new.secret)
    assert isinstance(found, Principal)
    assert found.institution.siren == "211300553"
    assert found.may(Scope.PUBLISH)
    assert not found.may(Scope.READ)


@pytest.mark.parametrize("role", [True, False])
def test_administering_takes_the_scope_and_the_role(role: bool) -> None:
    new = new_api_key([Scope.ADMINISTER], NOW)
    roles = frozenset({Role.ADMINISTRATOR} if role else ())
    one = MARSEILLE.model_copy(update={"api_keys": (new.key,), "roles": roles})
    found = opened(one, new.secret)
    assert isinstance(found, Principal)
    assert found.may(Scope.ADMINISTER) is role


@pytest.mark.parametrize("wrong", ["", "trv_", "trv_" + "0" * 64, "é\ud800", "x" * 1_000_000])
def test_what_is_no_key_opens_nothing(wrong: str) -> None:
    new = new_api_key([Scope.READ], NOW)
    assert opened(MARSEILLE.model_copy(update={"api_keys": (new.key,)}), wrong) is Refusal.UNKNOWN


def test_a_rotated_key_holds_until_the_overlap_ends() -> None:
    old = new_api_key([Scope.READ], NOW, label="site")
    keys, new = rotated_api_keys([old.key], old.key.id, NOW, HOUR)
    one = MARSEILLE.model_copy(update={"api_keys": keys})
    assert (new.key.scopes, new.key.label) == (old.key.scopes, "site")
    assert isinstance(opened(one, old.secret, NOW + HOUR - timedelta(seconds=1)), Principal)
    assert opened(one, old.secret, NOW + HOUR) is Refusal.EXPIRED
    assert isinstance(opened(one, new.secret, NOW + HOUR), Principal)


def test_rotating_does_not_prolong_a_key_that_ends_sooner() -> None:
    old = new_api_key([Scope.READ], NOW, expires=NOW + HOUR / 2)
    keys, _ = rotated_api_keys([old.key], old.key.id, NOW, HOUR)
    assert keys[0].expires == NOW + HOUR / 2


def test_a_revoked_key_or_institution_opens_nothing_at_once() -> None:
    new = new_api_key([Scope.READ], NOW)
    ended = MARSEILLE.model_copy(update={"api_keys": revoked_api_keys([new.key], new.key.id, NOW)})
    assert opened(ended, new.secret) is Refusal.REVOKED
    left = MARSEILLE.model_copy(update={"api_keys": (new.key,), "revoked_at": NOW})
    assert opened(left, new.secret) is Refusal.REVOKED


def test_a_key_that_is_not_there_cannot_be_changed() -> None:
    with pytest.raises(UnknownApiKeyError):
        revoked_api_keys([], "0" * 12, NOW)


def test_a_row_of_a_newer_program_is_read_and_one_that_is_none_is_refused() -> None:
    row = encode_institution(MARSEILLE)
    assert decode_institution(row.replace(b"{", b'{"new":1,', 1)) == MARSEILLE
    for octets in (b"", b"[]", b"\xff", b'{"siren":"1"}'):
        with pytest.raises(ValueError, match="fautes"):
            decode_institution(octets)
