"""Ed25519 by whichever library: the vectors of the RFC, and the same answers."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from traverse_schemas.signing.ed25519 import CURVE, Curve, OpenSSL, Sodium

VECTORS = [
    (
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9"
        "b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f1"
        "1d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
]
"""RFC 8032, section 7.1: seed, public key, message, signature."""

CURVES = [pytest.param(OpenSSL(), id="openssl"), pytest.param(Sodium(), id="sodium")]


@pytest.mark.parametrize("curve", CURVES)
@pytest.mark.parametrize("vector", VECTORS)
def test_the_vectors_of_the_rfc_hold(curve: Curve, vector: tuple[str, ...]) -> None:
    seed, public, octets, signature = map(bytes.fromhex, vector)
    assert curve.signing(seed)(octets) == signature
    assert curve.verifies(octets, signature, public)
    assert not curve.verifies(octets + b"x", signature, public)


@given(st.binary(min_size=32, max_size=32), st.binary(max_size=200), st.integers(0, 511))
def test_both_sign_with_the_same_octets_and_refuse_the_same_changes(
    seed: bytes, octets: bytes, bit: int
) -> None:
    public = Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()
    signature = OpenSSL().signing(seed)(octets)
    assert Sodium().signing(seed)(octets) == signature
    altered = bytearray(signature)
    altered[bit // 8] ^= 1 << bit % 8
    for curve in (OpenSSL(), Sodium()):
        assert curve.verifies(octets, signature, public)
        assert not curve.verifies(octets, bytes(altered), public)


@pytest.mark.parametrize("curve", CURVES)
@given(st.binary(max_size=80), st.binary(max_size=80), st.binary(max_size=40))
def test_whatever_is_given_the_answer_is_no(
    curve: Curve, octets: bytes, signature: bytes, public: bytes
) -> None:
    assert not curve.verifies(octets, signature, public)


def test_the_faster_one_is_used_where_it_is_installed() -> None:
    assert isinstance(CURVE, Sodium)
