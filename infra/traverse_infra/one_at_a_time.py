"""What one process at a time may do on this machine."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from traverse_infra.errors import InfraError
from traverse_schemas.system_faults import fault


class AtWorkError(InfraError):
    """Another process is at it."""


@contextmanager
def alone(path: Path, taken: str) -> Iterator[None]:
    """Hold the lock of a file; it goes with the process however that ends.

    `taken` is the sentence for when another holds it. Raises AtWorkError, and InfraError where the
    file cannot be written.
    """
    try:
        if not path.parent.exists():
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = path.open("w")
    except OSError as error:
        raise InfraError(
            f"Le fichier {path} ne s'écrit pas ({fault(error)}) : donnez à ce compte le droit "
            "d'écrire dans ce dossier, ou changez TRAVERSE_HOME."
        ) from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise AtWorkError(taken) from error
        yield
