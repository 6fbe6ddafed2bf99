"""Signatures over exact octets: what holds, what does not, and no crash on what strangers send."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from hypothesis import given
from hypothesis import strategies as st
from jwt.api_jws import PyJWS
from jwt.utils import base64url_decode, base64url_encode

from traverse_schemas.signing.signatures import (
    MalformedSignatureError,
    Signer,
    SigningKeyError,
    key_id,
    public_key_of,
    thumbprint,
    verify,
)

SIGNER = Signer.generate()
OCTETS = '{"source":"urn:siren:211300553","é":1}'.encode()
SIGNED = SIGNER.sign(OCTETS)
NOW = datetime(2026, 11, 20, 10, 0, 0, 123456, tzinfo=UTC)


@given(st.binary(max_size=300))
def test_what_is_signed_is_verified(octets: bytes) -> None:
    """Any octets: JSON or not, UTF-8 or not, with dots too."""
    assert verify(octets, SIGNER.sign(octets), SIGNER.x)


@given(st.binary(max_size=300), st.integers(min_value=0), st.integers(1, 255))
def test_one_octet_changed_is_not_verified(octets: bytes, place: int, change: int) -> None:
    signature = SIGNER.sign(octets)
    altered = bytearray(octets or b"\0")
    altered[place % len(altered)] ^= change
    assert not verify(bytes(altered), signature, SIGNER.x)


@given(st.binary(max_size=400) | st.from_regex(rb"[A-Za-z0-9_-]{1,80}\.\.[A-Za-z0-9_-]{86}"))
def test_whatever_stands_in_the_header_the_answer_is_no(signature: bytes) -> None:
    """No crash, and no key named by what is no signature, for arbitrary octets."""
    assert not verify(OCTETS, signature, SIGNER.x)
    try:
        assert isinstance(key_id(signature), str)
    except MalformedSignatureError as error:
        assert len(str(error)) > 20


@given(st.dictionaries(st.text(max_size=5), st.none() | st.booleans() | st.text(max_size=9)))
def test_a_protected_header_of_another_kind_is_refused(header: dict[str, object]) -> None:
    """`alg: none` and the like: what is not EdDSA over unencoded octets never counts."""
    import json

    protected = base64url_encode(json.dumps(header).encode())[:600]
    with pytest.raises(MalformedSignatureError):
        key_id(protected + b".." + b"A" * 86)


def test_the_form_is_a_detached_jws_of_the_standards() -> None:
    """RFC 7797, section 3: header, nothing, signature; `b64` is false and critical."""
    protected, empty, _ = SIGNED.split(b".")
    assert empty == b""
    header = PyJWS().get_unverified_header(SIGNED)
    assert header == {"alg": "EdDSA", "b64": False, "crit": ["b64"], "kid": SIGNER.kid}
    assert b"=" not in protected


def test_another_library_verifies_it() -> None:
    """PyJWT's own verification, beside ours."""
    key = Signer.from_pem(SIGNER.pem())
    public = Ed25519PrivateKey.from_private_bytes(
        key._key.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
    ).public_key()
    done = PyJWS().decode_complete(SIGNED, public, algorithms=["EdDSA"], detached_payload=OCTETS)
    assert done["payload"] == OCTETS


def test_another_key_does_not_verify_it() -> None:
    assert not verify(OCTETS, SIGNED, Signer.generate().x)
    assert not verify(OCTETS, SIGNED, "no key")


def test_the_name_of_a_key_is_its_thumbprint() -> None:
    """The example of RFC 8037, appendix A.3."""
    x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
    assert thumbprint(x) == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"


def test_a_key_comes_back_from_its_file() -> None:
    again = Signer.from_pem(SIGNER.pem())
    assert (again.kid, again.x) == (SIGNER.kid, SIGNER.x)
    assert again.sign(OCTETS) == SIGNED


@pytest.mark.parametrize("wrong", ["rsa", "text", "public"])
def test_what_is_no_ed25519_key_is_said_in_a_sentence(wrong: str) -> None:
    pem = {
        "rsa": generate_private_key(65537, 2048).private_bytes(
            Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
        ),
        "text": b"une cl\xe9",
        "public": Ed25519PrivateKey.generate()
        .public_key()
        .public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
    }[wrong]
    with pytest.raises(SigningKeyError, match="Ed25519"):
        Signer.from_pem(pem)


def test_the_registry_has_the_public_half_alone(tmp_path: Path) -> None:
    """From the second on in which it was made; the broker counts in milliseconds."""
    key = SIGNER.public(NOW)
    assert len(base64url_decode(key.x)) == 32
    assert key.valid_from == NOW.replace(microsecond=0)
    pem = SIGNER._key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    assert public_key_of(pem, NOW) == key
    with pytest.raises(SigningKeyError, match="publique"):
        public_key_of(SIGNER.pem(), NOW)
