"""The private signing keys of this machine: one PEM file an institution, for its owner alone.

`traverse institutions add` writes `TRAVERSE_HOME/keys/SIREN.pem`; who publishes finds it there.
"""

import os
import stat
from pathlib import Path
from typing import Protocol

from traverse_producers.errors import MissingKeyError, UnsafeKeyError
from traverse_schemas.errors import InvalidSourceError
from traverse_schemas.signing.signatures import Signer
from traverse_schemas.signing.sources import parse_source


class Keys(Protocol):
    """Finds the key that signs for an institution."""

    def signer(self, siren: str) -> Signer | None:
        """None: not signed here, but by who carries it, for who delegated to them. Raises
        MissingKeyError, UnsafeKeyError, SigningKeyError."""
        ...


class KeyFolder:
    """The keys of a folder (TRAVERSE_HOME/keys); each is read once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known: dict[str, Signer] = {}

    def path(self, siren: str) -> Path:
        """Where the private key of an institution is."""
        return self._folder / f"{siren}.pem"

    def signer(self, siren: str) -> Signer:
        """See Keys.signer."""
        known = self._known.get(siren)
        if known is None:
            known = self._known[siren] = read_signer(self.path(siren), siren)
        return known


class HeldKeys:
    """The keys of a folder that are there: for whoever goes through a gateway, which signs for the
    institutions that delegated to it."""

    def __init__(self, folder: Path) -> None:
        self._folder = KeyFolder(folder)

    def signer(self, siren: str) -> Signer | None:
        """See Keys.signer."""
        try:
            return self._folder.signer(siren)
        except MissingKeyError as error:
            if isinstance(error.__cause__, FileNotFoundError):
                return None
            raise  # it may be there, in a folder of somebody else's


class OneKey:
    """One key for whatever is sent: that of the publisher's own institution."""

    def __init__(self, signer: Signer) -> None:
        self._signer = signer

    def signer(self, siren: str) -> Signer:  # noqa: ARG002 -- what Keys asks for
        """Always the same; validate tells when it is not this institution's."""
        return self._signer


def read_signer(path: Path, siren: str = "") -> Signer:
    """The key of a PEM file. Raises MissingKeyError when there is none, UnsafeKeyError when others
    may read it, SigningKeyError when it is no Ed25519 key."""
    try:
        mode = path.stat().st_mode
        pem = path.read_bytes()
    except OSError as error:
        raise MissingKeyError(path, siren) from error
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise UnsafeKeyError(path)
    return Signer.from_pem(pem)


def write_key(path: Path, signer: Signer) -> None:
    """Write a private key, durably, for its owner alone. Raises FileExistsError: no key is ever
    written over."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(signer.pem())
        file.flush()
        os.fsync(file.fileno())


def siren_of(source: str) -> str:
    """The SIREN of a source; "" when it names no institution."""
    try:
        return parse_source(source).siren
    except InvalidSourceError:
        return ""
