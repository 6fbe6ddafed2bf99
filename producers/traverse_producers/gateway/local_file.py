"""The gateway's own files of what it counts and notes: SQLite, on this machine."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from traverse_producers.gateway.errors import LocalFileError


def open_file(path: Path, table: str) -> sqlite3.Connection:
    """Open or make the file with its table. The connection may be shared between threads by who
    locks it; it commits by itself. Raises LocalFileError."""
    with told():
        path.parent.mkdir(parents=True, exist_ok=True)
        database = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        database.execute("pragma journal_mode=wal")
        database.execute("pragma synchronous=normal")
        database.execute(table)
    return database


@contextmanager
def told() -> Iterator[None]:
    """The disk's errors as a LocalFileError."""
    try:
        yield
    except (OSError, sqlite3.Error) as error:
        raise LocalFileError(error) from error
