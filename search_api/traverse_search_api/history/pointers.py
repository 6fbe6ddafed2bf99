"""Where the accepted events of each record lie on the log: numbers on disk, and no content.

A cache that may be deleted at any time. It says nothing of what an event holds but for whom it is,
so that nothing is read of what its reader may not know. An erased event leaves it with the
tombstone of its key.
"""

import fcntl
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import IO, Any, Final, NamedTuple

import orjson

from traverse_schemas.log.identity import record_key
from traverse_schemas.records.codes import Kind
from traverse_schemas.visibility import Visibility, default_visibility

_FORM: Final = "1"
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS events (
    key BLOB PRIMARY KEY, record BLOB NOT NULL, partition INTEGER NOT NULL, place INTEGER NOT NULL,
    sequence INTEGER NOT NULL, time TEXT NOT NULL, action TEXT NOT NULL, audience TEXT
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS events_by_record ON events (record);
CREATE TABLE IF NOT EXISTS progress (partition INTEGER PRIMARY KEY, next INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS generation (name TEXT PRIMARY KEY);
"""
_KINDS: Final = frozenset(Kind)


class Pointer(NamedTuple):
    """Where an event lies, and what tells its place in its record's history. `audience` as links
    name it; None for an event that carries no record: it is for whom the one before it is."""

    partition: int
    offset: int
    action: str
    audience: str | None


class Pointers:
    """The pointers of one process. A second process on the same folder keeps its own in memory."""

    def __init__(self, folder: Path | None) -> None:
        """Opens or makes the file; without a folder all is in memory."""
        self._lock = None if folder is None else _locked(folder)
        path = ":memory:" if folder is None or self._lock is None else folder / "history.sqlite3"
        self._file = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._file.execute("PRAGMA journal_mode=WAL")
        self._file.execute("PRAGMA synchronous=OFF")  # a cache: what is torn is made anew
        self._file.execute("PRAGMA secure_delete=ON")
        self._file.executescript(_SCHEMA)

    def begin(self, generation: str) -> dict[int, int]:
        """The next offset to read of each partition, within this generation of the topic; what is
        known of another is forgotten."""
        name = f"{_FORM} {generation}"
        if self._file.execute("SELECT name FROM generation").fetchall() != [(name,)]:
            for table in ("events", "progress", "generation"):
                self._file.execute(f"DELETE FROM {table}")  # noqa: S608 -- our own names
            self._file.execute("INSERT INTO generation VALUES (?)", (name,))
        return dict(self._file.execute("SELECT partition, next FROM progress"))

    def put(
        self,
        partition: int,
        messages: Iterable[tuple[int, bytes, bytes | None]],
        progress: Mapping[int, int],
    ) -> None:
        """Know messages of a partition (offset, key, value), and how far it has been read."""
        self._file.execute("BEGIN")
        for offset, key, value in messages:
            if value is None:
                self._file.execute("DELETE FROM events WHERE key = ?", (_hash(key),))
            elif (row := _row(partition, offset, key, value)) is not None:
                self._file.execute("INSERT OR REPLACE INTO events VALUES (?,?,?,?,?,?,?,?)", row)
        self._file.executemany("INSERT OR REPLACE INTO progress VALUES (?, ?)", progress.items())
        self._file.execute("COMMIT")

    def of(self, source: str, subject: str) -> list[Pointer]:
        """The events of a record in the order of its versions, from the last withdrawal on: what a
        withdrawal took is not told again."""
        rows = self._file.execute(
            "SELECT partition, place, action, audience FROM events WHERE record = ? "
            "ORDER BY sequence, time, key",
            (_hash(record_key(source, subject).encode()),),
        )
        found = [Pointer(*row) for row in rows]
        last = max((at for at, one in enumerate(found) if one.action == "withdrawn"), default=-1)
        return found[last + 1 :]

    def close(self) -> None:
        """Release the file."""
        self._file.close()
        if self._lock is not None:
            self._lock.close()


def _row(partition: int, offset: int, key: bytes, value: bytes) -> Sequence[Any] | None:
    try:
        source, subject, _ = orjson.loads(key)
        event = orjson.loads(value)
        kind, action = event["type"].split(".")[2:4]
        data = event.get("data") or {}
    except (ValueError, KeyError, TypeError, AttributeError):
        return None  # not an event of a record: a mark of an erasure, or what a newer version wrote
    if kind not in _KINDS:
        return None
    record = data.get("record") if action == "closed" else data
    return (
        _hash(key),
        _hash(record_key(source, subject).encode()),
        partition,
        offset,
        int(event.get("sequence") or 0),
        str(event["time"]),
        action,
        audience_of(kind, record) if record and action != "withdrawn" else None,
    )


def audience_of(kind: str, record: Mapping[str, Any]) -> str:
    """Whom a record is for, as links name it: what it says, or the default of its kind."""
    visibility = record.get("visibility") or default_visibility(kind, str(record.get("subtype")))
    if visibility == Visibility.RESTRICTED:
        return f"restricted:{','.join(sorted(set(record.get('audience', ()))))}"
    return str(visibility)


def _hash(octets: bytes) -> bytes:
    return blake2b(octets, digest_size=16).digest()


def _locked(folder: Path) -> IO[bytes] | None:
    """The lock on the folder; None when another process has it."""
    folder.mkdir(parents=True, exist_ok=True)
    file = (folder / "history.lock").open("wb")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        return None
    return file
