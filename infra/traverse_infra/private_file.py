"""Files that hold a secret."""

import os
from pathlib import Path


def write_private(file: Path, octets: bytes) -> None:
    """Writes a file, whole or not at all, readable by its owner alone; over one that is there."""
    partial = file.with_name(f"{file.name}.partial")
    partial.unlink(missing_ok=True)
    descriptor = os.open(partial, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with os.fdopen(descriptor, "wb") as out:
        out.write(octets)
    partial.replace(file)
