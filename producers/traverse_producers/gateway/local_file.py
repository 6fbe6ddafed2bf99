"""The gateway's own files of what it counts and notes: SQLite, on this machine."""

import sqlite3
from pathlib import Path


def open_file(path: Path, table: str) -> sqlite3.Connection:
    """Open or make the file with its table. The connection may be shared between threads by who
    locks it; it commits by itself."""
    path.parent.mkdir(parents=True, exist_ok=True)
    database = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
    database.execute("pragma journal_mode=wal")
    database.execute("pragma synchronous=normal")
    database.execute(table)
    return database
