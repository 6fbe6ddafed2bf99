"""What is known of receipts and rejections, in a local SQLite file: a cache of the log.

A row a message, the first of its kind kept: saving what is known already changes nothing, so any
number of processes may follow the log into one file. It may be deleted at any time.
"""

import json
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from hashlib import blake2b
from pathlib import Path
from typing import Any, NamedTuple

from traverse_producers.errors import UnreadableInputError
from traverse_producers.receipts.trace import Said
from traverse_schemas.errors import Reason
from traverse_schemas.log.receipts import End
from traverse_schemas.system_faults import fault

_SCHEMA = """
CREATE TABLE IF NOT EXISTS receipts (
    event BLOB NOT NULL, end TEXT NOT NULL, origin TEXT NOT NULL, at INTEGER NOT NULL,
    said TEXT NOT NULL, UNIQUE (event, end, origin)
);
CREATE TABLE IF NOT EXISTS rejections (
    place TEXT PRIMARY KEY, siren TEXT NOT NULL, at INTEGER NOT NULL, partition INTEGER NOT NULL,
    position INTEGER NOT NULL, said TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS rejections_by_siren ON rejections (siren, at, place);
CREATE TABLE IF NOT EXISTS successes (siren TEXT PRIMARY KEY, at INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS progress (
    topic TEXT NOT NULL, partition INTEGER NOT NULL, next INTEGER NOT NULL,
    PRIMARY KEY (topic, partition)
) WITHOUT ROWID;
"""
_KEPT_MS = 90 * 24 * 3600 * 1000
_OUR_FAULT = (Reason.INTERNAL, Reason.DOCUMENT_REFUSED)
_MOST_ROWS = 200  # of one event: a flood of duplicates is told by its first and last


class ReceiptRow(NamedTuple):
    """A message about an event. `origin` tells it from others of the same end."""

    event: bytes
    end: str
    origin: str
    at: int
    said: str


class RejectionRow(NamedTuple):
    """A rejection of a verified author: its place, whose, when, where the octets lie."""

    place: str
    siren: str
    at: int
    partition: int
    position: int
    said: str


class ReceiptStore:
    """The file. Every thread and process opens its own. Raises UnreadableInputError when the
    folder cannot be used."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            try:
                self._open()
            except sqlite3.DatabaseError as error:
                if isinstance(error, sqlite3.OperationalError):
                    raise
                # Spoilt by whatever happened to the disk. It is a cache: begin again.
                for name in (path.name, f"{path.name}-wal", f"{path.name}-shm"):
                    path.with_name(name).unlink(missing_ok=True)
                self._open()
        except (OSError, sqlite3.Error) as error:
            raise UnreadableInputError(
                f"Le fichier des accusés {path} ne peut pas être utilisé ({fault(error)}) : "
                "libérez de la place, vérifiez le dossier, ou donnez-en un autre (TRAVERSE_HOME)."
            ) from error

    def _open(self) -> None:
        self._db = sqlite3.connect(
            self._path, isolation_level=None, timeout=60, check_same_thread=False
        )
        self._db.executescript(
            # The rows lie in the order of the log and the index of a million fits in the cache:
            # the first reading would otherwise write the same pages over and over.
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-65536;"
            "PRAGMA wal_autocheckpoint=16000;" + _SCHEMA
        )

    def close(self) -> None:
        self._db.close()

    def said_of(self, source: str, event_id: str) -> list[Said]:
        """Every message about one event; of a flood, the first and the last."""
        select = "SELECT end, at, said FROM receipts WHERE event = ? ORDER BY at"
        found = []
        for query in (f"{select} LIMIT ?", f"{select} DESC LIMIT ?"):
            with closing(
                self._db.execute(query, (event_digest(source, event_id), _MOST_ROWS))
            ) as rows:
                found += [Said(End(end), at, json.loads(said)) for end, at, said in rows]
        return found

    def rejections(
        self, siren: str, *, before: tuple[int, str] | None, most: int
    ) -> list[RejectionRow]:
        """An institution's own, newest first, older than `before` (milliseconds, place)."""
        with closing(
            self._db.execute(
                "SELECT * FROM rejections WHERE siren = ? AND (at, place) < (?, ?) "
                "ORDER BY at DESC, place DESC LIMIT ?",
                (siren, *(before or (2**62, "")), most),
            )
        ) as rows:
            return [RejectionRow(*row) for row in rows]

    def rejection(self, place: str) -> RejectionRow | None:
        """The rejection of this place."""
        row = self._db.execute("SELECT * FROM rejections WHERE place = ?", (place,)).fetchone()
        return RejectionRow(*row) if row else None

    def failing(self, siren: str, most: int) -> int:
        """How many events of an institution were refused since one of it succeeded, `most` at
        most; those that failed by our own fault do not count."""
        row = self._db.execute(
            "SELECT count(*) FROM (SELECT 1 FROM rejections WHERE siren = ?1 AND at > "
            "coalesce((SELECT at FROM successes WHERE siren = ?1), 0) AND "
            "json_extract(said, '$.reason') NOT IN (?3, ?4) LIMIT ?2)",
            (siren, most, *_OUR_FAULT),
        ).fetchone()
        return int(row[0])

    def progress(self) -> dict[str, dict[int, int]]:
        """The next offset to read, by topic and partition."""
        found: dict[str, dict[int, int]] = {}
        for topic, partition, after in self._db.execute("SELECT * FROM progress").fetchall():
            found.setdefault(topic, {})[partition] = after
        return found

    def save(
        self,
        receipts: Iterable[ReceiptRow],
        rejections: Iterable[RejectionRow],
        successes: Iterable[tuple[str, int]],
        progress: tuple[str, int, int],
    ) -> None:
        """Remember, all or nothing, a chunk and how far it goes (topic, partition, next).
        `successes`: institutions (SIREN) with the time of an event that was not refused."""
        with self._transaction():
            self._db.executemany("INSERT OR IGNORE INTO receipts VALUES (?, ?, ?, ?, ?)", receipts)
            self._db.executemany(
                "INSERT OR IGNORE INTO rejections VALUES (?, ?, ?, ?, ?, ?)", rejections
            )
            self._db.executemany(
                "INSERT INTO successes VALUES (?, ?) ON CONFLICT (siren) "
                "DO UPDATE SET at = max(at, excluded.at)",
                successes,
            )
            self._db.execute(
                "INSERT INTO progress VALUES (?, ?, ?) ON CONFLICT (topic, partition) "
                "DO UPDATE SET next = max(next, excluded.next)",
                progress,
            )

    def forget(self) -> None:
        """Drop everything: the log is another one."""
        with self._transaction():
            for table in ("receipts", "rejections", "successes", "progress"):
                self._db.execute(f"DELETE FROM {table}")  # noqa: S608 -- our own names

    def prune(self, now: datetime) -> None:
        """Drop what the topic of receipts does not keep any more."""
        oldest = int(now.timestamp() * 1000) - _KEPT_MS
        with self._transaction():
            for table in ("receipts", "rejections"):
                self._db.execute(f"DELETE FROM {table} WHERE at < ?", (oldest,))  # noqa: S608

    @contextmanager
    def _transaction(self) -> Iterator[Any]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")


def event_digest(source: str, event_id: str) -> bytes:
    """16 bytes for (source, id)."""
    return blake2b(f"{source} {event_id}".encode(), digest_size=16).digest()
