"""The shelf: what the linking step needs of every record besides its features, on local disk.

The last state of each record, and what was last written under each id of `traverse.opportunities`.
A cache of the log in one SQLite file without a name: it is made anew by each process, grows on disk
and not in memory, and goes with the process however that ends.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from os import getpid
from pathlib import Path
from typing import Any, NamedTuple

_SCHEMA = """
CREATE TABLE states (id TEXT PRIMARY KEY, offset INTEGER NOT NULL, state BLOB NOT NULL);
CREATE TABLE written (
    id TEXT PRIMARY KEY, digest BLOB NOT NULL, head TEXT, linked INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX written_head ON written (head) WHERE head IS NOT NULL;
CREATE INDEX written_linked ON written (linked) WHERE linked;
"""
_CHUNK = 900  # SQLite's oldest limit on variables in one statement is 999


class Written(NamedTuple):
    """What was last written under an id: a digest of the message, the id of the opportunity that
    the record was in (None: its own), and whether that said anything of other records."""

    id: str
    digest: bytes
    head: str | None
    linked: bool


class Shelf:
    """States and written messages by id. Not shared between processes."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"link-{getpid()}.sqlite"
        path.unlink(missing_ok=True)
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._db.executescript(
            "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA cache_size=-16384;" + _SCHEMA
        )
        path.unlink()

    def close(self) -> None:
        self._db.close()

    def put_states(self, states: Iterable[tuple[str, int, bytes]]) -> None:
        """Keep (id, offset on `traverse.records`, JSON of `RecordState`), unless a later one is
        kept already."""
        self._many(
            "INSERT INTO states VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE SET "
            "offset = excluded.offset, state = excluded.state "
            "WHERE excluded.offset >= states.offset",
            states,
        )

    def states(self, identities: Iterable[str]) -> dict[str, bytes]:
        """The states that are kept of these ids."""
        return dict(self._lookup("SELECT id, state FROM states WHERE id IN", list(identities)))

    def offsets(self, identities: Iterable[str]) -> dict[str, int]:
        """The offsets of the states that are kept of these ids."""
        return dict(self._lookup("SELECT id, offset FROM states WHERE id IN", list(identities)))

    def put_written(self, written: Iterable[Written]) -> None:
        """Remember what is on `traverse.opportunities` now."""
        self._many("INSERT OR REPLACE INTO written VALUES (?, ?, ?, ?)", written)

    def doubt_written(self, identities: Iterable[str]) -> None:
        """What was last written under these ids is not what the index has."""
        self._many("UPDATE written SET digest = x'' WHERE id = ?", ((each,) for each in identities))

    def written(self, identities: Iterable[str]) -> dict[str, Written]:
        """What was last written under these ids."""
        rows = self._lookup(
            "SELECT id, digest, head, linked FROM written WHERE id IN", list(identities)
        )
        return {row[0]: Written(row[0], row[1], row[2], bool(row[3])) for row in rows}

    def together(self, heads: Iterable[str]) -> set[str]:
        """The ids that were last written as members of the opportunities with these ids."""
        rows = self._lookup("SELECT id FROM written WHERE head IN", list(heads))
        return {row[0] for row in rows}

    def linked(self) -> list[str]:
        """The ids of which the last message said anything of other records."""
        return [row[0] for row in self._db.execute("SELECT id FROM written WHERE linked")]

    def _many(self, statement: str, rows: Iterable[Any]) -> None:
        with self._db:
            self._db.execute("BEGIN")
            self._db.executemany(statement, rows)

    def _lookup(self, select: str, keys: Sequence[str]) -> Iterator[Any]:
        for start in range(0, len(keys), _CHUNK):
            chunk = keys[start : start + _CHUNK]
            marks = ",".join("?" * len(chunk))
            yield from self._db.execute(f"{select} ({marks})", chunk)
