"""The SDK signs: with the key it is given, or the one that the registry's command wrote."""

import stat
from pathlib import Path
from typing import Any

import pytest

from tests.producers.memory_transport import MemoryTransport
from tests.stream_processors.factory import call_data
from traverse_producers.errors import MissingKeyError, UnsafeKeyError
from traverse_producers.publisher import Publisher
from traverse_producers.sender import Sender
from traverse_producers.signing_keys import HeldKeys, KeyFolder, write_key
from traverse_schemas.signing.signatures import SIGNATURE_HEADER, Signer, SigningKeyError, verify

SIREN = "211300553"
SOURCE = f"urn:siren:{SIREN}:marches"
SIGNER = Signer.generate()


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home folder where signatures are required, as they are by default."""
    monkeypatch.delenv("TRAVERSE_SIGNATURES", raising=False)
    monkeypatch.setenv("TRAVERSE_HOME", str(tmp_path))
    return tmp_path


def published(**options: Any) -> tuple[bytes, bytes | None]:
    """The octets of one event, and their signature."""
    transport = MemoryTransport()
    with Publisher(SOURCE, transport=transport, **options) as publisher:
        publisher.publish("call", "R-1", call_data(), event_id="e-1")
    _, octets, headers = transport.sent[0]
    return octets, dict(headers).get(SIGNATURE_HEADER)


def signed(octets: bytes, signature: bytes | None) -> bool:
    return signature is not None and verify(octets, signature, SIGNER.x)


def test_the_key_that_the_registry_command_wrote_is_found(home: Path) -> None:
    path = home / "keys" / f"{SIREN}.pem"
    write_key(path, SIGNER)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert signed(*published())


def test_a_key_can_be_given_in_each_form(home: Path) -> None:
    path = home / "elsewhere.pem"
    write_key(path, SIGNER)
    for key in (SIGNER, SIGNER.pem(), path, str(path)):
        assert signed(*published(key=key))


def test_a_missing_key_is_one_sentence_that_names_the_command(home: Path) -> None:
    """Before anything is sent, and before Kafka is asked for."""
    with pytest.raises(MissingKeyError, match=f"traverse institutions add {SIREN}"):
        Publisher(SOURCE, bootstrap="127.0.0.1:1")
    with pytest.raises(MissingKeyError):
        Publisher(SOURCE, key=home / "nowhere.pem", transport=MemoryTransport())


def test_a_key_that_others_may_read_is_not_used(home: Path) -> None:
    path = home / "keys" / f"{SIREN}.pem"
    write_key(path, SIGNER)
    path.chmod(0o640)
    with pytest.raises(UnsafeKeyError, match="chmod 600"):
        published()


def test_what_is_no_key_is_said(home: Path) -> None:
    with pytest.raises(SigningKeyError):
        published(key=b"pas une cl\xe9")


def test_a_key_is_never_written_over(home: Path) -> None:
    path = home / "keys" / f"{SIREN}.pem"
    write_key(path, SIGNER)
    with pytest.raises(FileExistsError):
        write_key(path, Signer.generate())


def test_another_transport_without_a_key_goes_unsigned(home: Path) -> None:
    """It may lead to a gateway, which signs for who delegated to it."""
    assert published()[1] is None


def test_without_signatures_nothing_is_signed(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_key(home / "keys" / f"{SIREN}.pem", SIGNER)
    monkeypatch.setenv("TRAVERSE_SIGNATURES", "off")
    assert published()[1] is None


def test_a_sender_signs_each_event_for_its_own_institution(home: Path) -> None:
    """What files hold may be of several: `traverse publish` signs with the key of each."""
    other = Signer.generate()
    folder = home / "keys"
    write_key(folder / f"{SIREN}.pem", SIGNER)
    write_key(folder / "211300405.pem", other)
    octets, _ = published()
    transport = MemoryTransport()
    with Sender(transport, keys=KeyFolder(folder)) as sender:
        sender.send(octets)
        sender.send(octets.replace(SIREN.encode(), b"211300405"))
        with pytest.raises(MissingKeyError, match="181300013"):
            sender.send(octets.replace(SIREN.encode(), b"181300013"))
    signers = [
        [who.x for who in (SIGNER, other) if verify(octets, dict(headers)[SIGNATURE_HEADER], who.x)]
        for _, octets, headers in transport.sent
    ]
    assert signers == [[SIGNER.x], [other.x]]


def test_a_key_that_cannot_be_looked_for_is_not_taken_for_none(home: Path) -> None:
    """One that is not there is left to the gateway; a folder that cannot be read is a sentence."""
    assert HeldKeys(home / "keys").signer(SIREN) is None
    with pytest.raises(MissingKeyError, match=SIREN):
        HeldKeys(home / ("k" * 300)).signer(SIREN)
