"""Members of the registry, with their private keys on this machine: enrolling, changing keys.

The order of the writes is that a crash in between costs nothing: a key is on disk before the
registry knows it, and the same command takes up what it finds.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from traverse_infra.errors import InfraError
from traverse_infra.one_at_a_time import alone
from traverse_infra.reading_tables import read_whole
from traverse_producers.errors import MissingKeyError
from traverse_producers.signing_keys import read_signer, siren_of, write_key
from traverse_schemas.registry.api_keys import NewApiKey
from traverse_schemas.registry.institution_changes import enrol, require_known, require_new
from traverse_schemas.registry.institutions import Institution, Role, SigningKey
from traverse_schemas.registry.membership import Membership, Table, new_member
from traverse_schemas.registry.registry import institutions_table
from traverse_schemas.signing.signatures import SIGNATURE_HEADER, Signer

_CHANGED_ELSEWHERE = (
    "La clé de {} est en train d'être changée par une autre commande : attendez qu'elle finisse, "
    "puis voyez « traverse institutions list » avant d'en changer encore."
)


class NoEraserError(InfraError):
    """Nobody whose key is on this machine may erase the record."""


class Enrolled(NamedTuple):
    """A new member: its row, where its private key was written (None: it keeps it itself), and its
    API key, to be shown once."""

    institution: Institution
    private_key: Path | None
    api_key: NewApiKey


@contextmanager
def open_registry(bootstrap: str) -> Iterator[Table]:
    """The registry, read whole. Raises TableAwayError."""
    with read_whole(institutions_table(bootstrap)) as table:
        yield table


def key_path(keys: Path, siren: str) -> Path:
    """The file of an institution's private key."""
    return keys / f"{siren}.pem"


def add_member(
    table: Table,
    keys: Path,
    newcomer: Institution,
    now: datetime,
    public_key: SigningKey | None = None,
) -> Enrolled:
    """Enrol an institution with an API key and a signing key: the one it gives, else a new one
    that is written into the folder `keys`. Raises AlreadyRegisteredError, TableError."""
    require_new(newcomer.siren, table.get(newcomer.siren))
    path = None
    if public_key is None:
        path = key_path(keys, newcomer.siren)
        public_key = _own_signer(path).public(now)
    row, api_key = Membership(table, now).add(newcomer, public_key)
    return Enrolled(row, path, api_key)


def ensure_members(
    table: Table, keys: Path, cast: Iterable[dict[str, Any]], now: datetime
) -> dict[str, Signer]:
    """Have every institution of a cast (siren, name, kind, territory, systems) in the registry with
    a key of this machine; doing it twice changes nothing. Gives the signers by SIREN."""
    signers = {}
    for one in cast:
        siren = one["siren"]
        signer = signers[siren] = _own_signer(key_path(keys, siren))
        known = table.get(siren)
        if known is None or not known.active(now):
            newcomer = new_member(**one, now=now).model_copy(
                update={"signing_keys": (signer.public(now),)}
            )
            table.update(siren, lambda row, newcomer=newcomer: enrol(row, newcomer))  # type: ignore[misc]
        elif all(key.kid != signer.kid for key in known.signing_keys):
            Membership(table, now).add_signing_key(siren, signer.public(now), None)
    return signers


def cast_signature(signers: Mapping[str, Signer]) -> Callable[[bytes, str], bytes]:
    """Signs octets for the institution of their source; what names none of the cast is signed by
    its first: somebody of the cast has sent it."""
    fallback = next(iter(signers.values()))
    return lambda octets, source: signers.get(siren_of(source), fallback).sign(octets)


def rotate_signing_key(
    table: Table, keys: Path, siren: str, now: datetime, overlap: timedelta
) -> tuple[Institution, Path]:
    """Give an institution a new signing key; those before hold for `overlap` more. The file of the
    old one is kept beside, under the name of the key. Raises NotRegisteredError, TableError,
    AtWorkError where another process changes it."""
    known = require_known(siren, table.get(siren))
    path = key_path(keys, siren)
    coming = path.with_name(f"{siren}.new.pem")
    # Two at once would find one coming key, and the second none to put in its place.
    with alone(path.with_name(f"{siren}.lock"), _CHANGED_ELSEWHERE.format(siren)):
        signer = _own_signer(coming)
        row = Membership(table, now).add_signing_key(known.siren, signer.public(now), overlap)
        if path.exists():
            path.rename(path.with_name(f"{siren}.{read_signer(path, siren).kid[:8]}.pem"))
        coming.rename(path)
    return row, path


def eraser(table: Table, keys: Path, siren: str) -> Signer | None:
    """Who on this machine may sign an erasure of the institution's: itself, else an administrator;
    None where the registry is empty (a closed network without signatures).

    Raises NoEraserError.
    """
    rows = table.rows()
    if not rows:
        return None
    able = [one.siren for one in rows.values() if Role.ADMINISTRATOR in one.roles]
    for who in (siren, *sorted(able)):
        path = key_path(keys, who)
        if who and path.exists():
            return read_signer(path, who)
    raise NoEraserError(
        f"Aucune clé de {keys} ne peut signer l'effacement d'un dossier de {siren} : il faut la "
        "clé de l'institution, ou celle d'un administrateur (« traverse institutions add SIREN "
        "--role administrator »)."
    )


def signed(
    octets: bytes, headers: tuple[tuple[str, bytes], ...], signer: Signer | None
) -> tuple[tuple[str, bytes], ...]:
    """The headers with the signature of the octets, where somebody signs."""
    if signer is None:
        return headers
    return (*headers, (SIGNATURE_HEADER, signer.sign(octets)))


def _own_signer(path: Path) -> Signer:
    """The key of a file; a new one where there is none."""
    try:
        return read_signer(path)
    except MissingKeyError:
        signer = Signer.generate()
        write_key(path, signer)
        return signer
