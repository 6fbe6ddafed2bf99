"""Whose word it is: what somebody would try, and the reason that they get."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.signing import LONG_AGO, member, signer_of
from traverse_schemas.errors import Reason, RejectedError
from traverse_schemas.registry.api_keys import api_key_hash
from traverse_schemas.registry.institution_changes import (
    UnknownSigningKeyError,
    revoke_institution,
    revoke_signing_key,
    with_signing_key,
)
from traverse_schemas.registry.institutions import ApiKey, Institution, Role, Scope
from traverse_schemas.registry.key_set import key_set
from traverse_schemas.registry.registry import RegistryView
from traverse_schemas.signing.attribution import Speaker, signed_by, speaker
from traverse_schemas.signing.signatures import Signer
from traverse_schemas.signing.sources import parse_source

MARSEILLE, FUVEAU, CCI = "211300553", "211300405", "181300013"
NOW = datetime(2026, 11, 20, 10, tzinfo=UTC)
DAY = timedelta(days=1)
OCTETS = b'{"any":"octets"}'


def judged(
    octets: bytes,
    signature: bytes | None,
    *registered: Institution,
    siren: str = MARSEILLE,
    received: datetime = NOW,
) -> Speaker:
    view = RegistryView(registered or (member(MARSEILLE), member(FUVEAU)))
    source = parse_source(f"urn:siren:{siren}:achats")
    return speaker(signed_by(octets, signature, view), source, received, view)


def siren_of(found: Speaker) -> str | None:
    return found.institution.siren if found.institution else None


def refused(*arguments: Any, **more: Any) -> Reason:
    with pytest.raises(RejectedError) as told:
        judged(*arguments, **more)
    assert told.value.sentence.endswith(".")
    return told.value.reason


def sign(siren: str = MARSEILLE) -> bytes:
    return signer_of(siren).sign(OCTETS)


def test_an_institution_speaks_in_its_own_name() -> None:
    found = judged(OCTETS, sign())
    assert (siren_of(found), found.vouched_by) == (MARSEILLE, None)


@pytest.mark.parametrize("nothing", [None, b""])
def test_what_nobody_signed_is_refused(nothing: bytes | None) -> None:
    assert refused(OCTETS, nothing) is Reason.UNSIGNED


def test_altered_data_is_refused() -> None:
    assert refused(OCTETS.replace(b"any", b"ANY"), sign()) is Reason.BAD_SIGNATURE


def test_what_is_no_signature_is_refused() -> None:
    assert refused(OCTETS, b"n'importe quoi") is Reason.BAD_SIGNATURE


def test_speaking_for_another_is_refused() -> None:
    """Impersonation: a member's right key, another's name."""
    assert refused(OCTETS, sign(FUVEAU)) is Reason.WRONG_INSTITUTION


def test_a_key_that_nobody_registered_is_unknown() -> None:
    assert refused(OCTETS, Signer.generate().sign(OCTETS)) is Reason.UNKNOWN_KEY


def test_the_name_of_a_known_key_does_not_lend_its_weight() -> None:
    """A stranger's signature under the kid of Marseille's key."""
    stranger = Signer.generate()
    stranger._protected = signer_of(MARSEILLE)._protected
    assert refused(OCTETS, stranger.sign(OCTETS)) is Reason.BAD_SIGNATURE


def test_a_source_that_is_no_member_is_unknown() -> None:
    assert refused(OCTETS, sign(), siren=CCI) is Reason.UNKNOWN_INSTITUTION


def test_a_revoked_key_counts_for_what_came_before() -> None:
    one = revoke_signing_key(member(MARSEILLE), signer_of(MARSEILLE).kid, NOW)
    assert refused(OCTETS, sign(), one) is Reason.REVOKED_KEY
    assert judged(OCTETS, sign(), one, received=NOW - DAY).institution is one


def test_who_gives_an_api_key_for_a_signing_key_is_told_how_it_is_revoked() -> None:
    key = ApiKey(
        id="f18d9dada4bc", sha256=api_key_hash("x"), scopes=frozenset({Scope.READ}), created=NOW
    )
    with pytest.raises(UnknownSigningKeyError, match="revoke 211300553 --api-key f18d9dada4bc"):
        revoke_signing_key(member(MARSEILLE, api_keys=(key,)), key.id, NOW)


def test_a_revoked_institution_counts_for_what_came_before() -> None:
    one = revoke_institution(member(MARSEILLE), NOW)
    assert refused(OCTETS, sign(), one) is Reason.REVOKED_INSTITUTION
    assert judged(OCTETS, sign(), one, received=NOW - DAY).institution is one


def test_after_a_rotation_the_old_key_holds_for_the_overlap_and_no_longer() -> None:
    new = Signer.generate()
    one = with_signing_key(member(MARSEILLE), new.public(NOW), overlap=DAY)
    assert judged(OCTETS, sign(), one, received=NOW + DAY - timedelta(seconds=1))
    assert judged(OCTETS, new.sign(OCTETS), one)
    assert refused(OCTETS, sign(), one, received=NOW + DAY) is Reason.EXPIRED_KEY


def test_a_key_does_not_count_before_it_is_valid() -> None:
    """A message that the broker had before: somebody kept it back, or dates the key wrongly."""
    new = Signer.generate()
    one = with_signing_key(member(MARSEILLE), new.public(NOW), overlap=DAY)
    early = NOW - timedelta(milliseconds=1)
    assert refused(OCTETS, new.sign(OCTETS), one, received=early) is Reason.KEY_NOT_YET_VALID


def test_the_gateway_vouches_for_who_delegated_to_it() -> None:
    gateway = member(CCI, roles=frozenset({Role.GATEWAY}))
    found = judged(OCTETS, sign(CCI), gateway, member(MARSEILLE, delegated=True))
    assert (siren_of(found), found.vouched_by) == (MARSEILLE, CCI)


def test_the_gateway_speaks_for_nobody_else() -> None:
    gateway = member(CCI, roles=frozenset({Role.GATEWAY}))
    assert refused(OCTETS, sign(CCI), gateway, member(MARSEILLE)) is Reason.WRONG_INSTITUTION


def test_delegating_to_the_gateway_is_delegating_to_nobody_else() -> None:
    registered = (member(FUVEAU), member(MARSEILLE, delegated=True))
    assert refused(OCTETS, sign(FUVEAU), *registered) is Reason.WRONG_INSTITUTION


def test_a_revoked_gateway_vouches_no_more() -> None:
    gateway = revoke_institution(member(CCI, roles=frozenset({Role.GATEWAY})), NOW)
    registered = (gateway, member(MARSEILLE, delegated=True))
    assert refused(OCTETS, sign(CCI), *registered) is Reason.REVOKED_INSTITUTION


def test_the_operator_erases_for_anybody_and_says_nothing_else() -> None:
    """RGPD, art. 17: also of who is no member any more."""
    operator = member(CCI, roles=frozenset({Role.ADMINISTRATOR}))
    view = RegistryView([operator, member(FUVEAU)])
    signed = signed_by(OCTETS, sign(CCI), view)
    for siren in (FUVEAU, MARSEILLE):
        source = parse_source(f"urn:siren:{siren}")
        assert speaker(signed, source, NOW, view, erasure=True).vouched_by == CCI
    assert refused(OCTETS, sign(CCI), operator, member(MARSEILLE)) is Reason.WRONG_INSTITUTION
    other = signed_by(OCTETS, sign(FUVEAU), view)
    with pytest.raises(RejectedError):
        speaker(other, parse_source(f"urn:siren:{MARSEILLE}"), NOW, view, erasure=True)


def test_a_key_that_two_institutions_share_speaks_for_either() -> None:
    """A service that publishes for both; who sent what cannot be told apart then."""
    shared = (signer_of(MARSEILLE).public(LONG_AGO),)
    both = (member(MARSEILLE), member(FUVEAU, signing_keys=shared))
    assert siren_of(judged(OCTETS, sign(), *both, siren=FUVEAU)) == FUVEAU
    assert signed_by(OCTETS, sign(), RegistryView(both)).attributed(NOW) is None


def test_a_refusal_is_laid_at_the_door_of_who_signed() -> None:
    """Not at the door of the name that was taken in vain; nor at anybody's, once the key was
    known to be stolen."""
    view = RegistryView([member(MARSEILLE), member(FUVEAU)])
    assert signed_by(OCTETS, sign(FUVEAU), view).attributed(NOW) == FUVEAU
    stolen = revoke_signing_key(member(FUVEAU), signer_of(FUVEAU).kid, NOW)
    assert signed_by(OCTETS, sign(FUVEAU), RegistryView([stolen])).attributed(NOW) is None


def test_subscribers_get_every_public_key_with_its_time_and_no_secret() -> None:
    new = Signer.generate()
    one = with_signing_key(member(MARSEILLE), new.public(NOW), overlap=DAY)
    gateway = member(CCI, roles=frozenset({Role.GATEWAY}))
    view = RegistryView([one, gateway, member(FUVEAU)])
    found = key_set(view, MARSEILLE)["keys"]
    assert [key["siren"] for key in found] == [CCI, MARSEILLE, MARSEILLE]
    assert [key["gateway"] for key in found] == [True, False, False]
    assert found[1]["valid_to"] == "2026-11-21T10:00:00.000000Z"
    assert all("d" not in key for key in key_set(view)["keys"])
    assert len(key_set(view)["keys"]) == 4
