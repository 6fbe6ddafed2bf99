"""The local state of the validate step: a cache on disk of what the log already holds.

For each partition: the state of its records (from `traverse.records`) and the events it accepted
(from `traverse.accepted`, by source and id, with a hash of the content, and by record, for when it
is to be erased). The log is the truth:
the cache is written only after the log has the same, and is caught up from it, or rebuilt, when
a partition is assigned. So it may be deleted at any time.

One SQLite file a process; a lock on the folder keeps a second process out.
"""

import fcntl
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, NamedTuple

from traverse_schemas.system_faults import fault
from traverse_stream_processors.errors import StateUnavailableError

_SCHEMA = """
CREATE TABLE IF NOT EXISTS records (
    key TEXT PRIMARY KEY, partition INTEGER NOT NULL, state BLOB NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS accepted (
    id BLOB PRIMARY KEY, partition INTEGER NOT NULL, hash BLOB NOT NULL,
    record INTEGER NOT NULL, event TEXT NOT NULL, public INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS accepted_by_record ON accepted (record);
CREATE TABLE IF NOT EXISTS progress (
    topic TEXT NOT NULL, partition INTEGER NOT NULL, next INTEGER NOT NULL,
    PRIMARY KEY (topic, partition)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS generation (name TEXT PRIMARY KEY);
"""
_FORM = "2"
"""A cache of another form is of no use; its number goes with the generation."""

_TABLES = ("records", "accepted", "progress", "generation")
_SLOTS = 64
_BESIDE = ("-wal", "-shm")
_CHUNK = 900  # SQLite's oldest limit on variables in one statement is 999


class Known(NamedTuple):
    """An accepted event: 16 bytes for (source, id), its partition, 8 bytes of its content, a
    number for its record, its id as its source gave it, whether the public topics have it."""

    id: bytes
    partition: int
    hash: bytes
    record: int
    event: str
    public: bool


class ValidateState:
    """What is known of records and accepted events, by key.

    `generation` names the topics' generation: a cache of another one is thrown away. Raises
    StateUnavailableError.
    """

    def __init__(self, folder: Path, generation: str) -> None:
        self._generation = f"{generation} {_FORM}"
        self._lock, self._path = _claim(folder)
        try:
            self._open()
        except sqlite3.DatabaseError:
            # The machine stopped in the middle of a write. It is a cache: begin again.
            self._begin_again()

    def renew(self) -> None:
        """Begin again with nothing, after StateBrokenError. Raises StateUnavailableError when
        that fails too: the disk is full, or worse."""
        self._db.close()
        self._begin_again()

    def _begin_again(self) -> None:
        try:
            self._remove()
            self._open()
        except (OSError, sqlite3.Error) as error:
            raise StateUnavailableError(
                f"L'état local {self._path} ne peut pas être refait ({fault(error)}) : libérez "
                "de la place ou vérifiez le disque, puis relancez « traverse work »."
            ) from error

    def _remove(self) -> None:
        """The file and what SQLite keeps beside it: a journal left alone would be replayed."""
        for path in (self._path, *(self._path.with_name(self._path.name + end) for end in _BESIDE)):
            path.unlink(missing_ok=True)

    def _open(self) -> None:
        if not self._path.exists():
            self._remove()
        self._db = sqlite3.connect(self._path, isolation_level=None)
        self._db.executescript(
            # No fsync: after a crash of the machine the log restores what is missing. What is
            # erased is overwritten with zeros.
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF; PRAGMA cache_size=-65536;"
            "PRAGMA secure_delete=ON; CREATE TABLE IF NOT EXISTS generation (name TEXT);"
        )
        known = self._db.execute("SELECT name FROM generation").fetchall()
        if known != [(self._generation,)]:
            for table in _TABLES:
                self._db.execute(f"DROP TABLE IF EXISTS {table}")
        self._db.executescript(_SCHEMA)
        self._db.execute("INSERT OR IGNORE INTO generation VALUES (?)", (self._generation,))

    def close(self) -> None:
        self._db.close()
        self._lock.close()

    def records(self, keys: Sequence[str]) -> dict[str, bytes]:
        """The known states of these records (JSON of `RecordState`), by key."""
        return {
            str(key): state
            for key, state in self._lookup("SELECT key, state FROM records WHERE key IN", keys)
        }

    def every_record(self) -> Iterator[tuple[str, int, bytes]]:
        """The key, partition and state of each known record, by key."""
        with _telling():
            rows = self._db.execute("SELECT key, partition, state FROM records ORDER BY key")
            for key, partition, state in rows:
                yield str(key), int(partition), bytes(state)

    def accepted(self, ids: Sequence[bytes]) -> dict[bytes, bytes]:
        """The content hashes of those of these events that were accepted, by event id."""
        return {
            bytes(key): found
            for key, found in self._lookup("SELECT id, hash FROM accepted WHERE id IN", ids)
        }

    def events_of(self, records: Sequence[int]) -> dict[int, list[tuple[str, bool]]]:
        """The accepted events of these records (`Known.record`): id, and whether it was public."""
        found: dict[int, list[tuple[str, bool]]] = {}
        for record in records:
            with _telling():
                rows = self._db.execute(
                    "SELECT event, public FROM accepted WHERE record = ?", (record,)
                ).fetchall()
            found[record] = [(str(event), bool(public)) for event, public in rows]
        return found

    def _lookup(
        self, select: str, keys: Sequence[str] | Sequence[bytes]
    ) -> Iterable[tuple[Any, bytes]]:
        for start in range(0, len(keys), _CHUNK):
            chunk = keys[start : start + _CHUNK]
            marks = ",".join("?" * len(chunk))
            with _telling():
                found = self._db.execute(f"{select} ({marks})", tuple(chunk)).fetchall()
            yield from found

    def progress(self, topic: str, partition: int) -> int:
        """The offset from which this cache has not yet read the topic."""
        with _telling():
            row = self._db.execute(
                "SELECT next FROM progress WHERE topic = ? AND partition = ?", (topic, partition)
            ).fetchone()
        return int(row[0]) if row else 0

    def save(
        self,
        *,
        records: Iterable[tuple[str, int, bytes]] = (),
        accepted: Iterable[Known] = (),
        forgotten: Iterable[bytes] = (),
        progress: Iterable[tuple[str, int, int]] = (),
    ) -> None:
        """Remember, all or nothing, what the log now holds: (key, partition, state), accepted
        events, those (by id) that were erased, (topic, partition, next offset)."""
        with _telling(), self._db:
            self._db.execute("BEGIN")
            self._db.executemany("INSERT OR REPLACE INTO records VALUES (?, ?, ?)", records)
            self._db.executemany(
                "INSERT OR REPLACE INTO accepted VALUES (?, ?, ?, ?, ?, ?)", accepted
            )
            self._db.executemany(
                "DELETE FROM accepted WHERE id = ?", ((each,) for each in forgotten)
            )
            self._db.executemany("INSERT OR REPLACE INTO progress VALUES (?, ?, ?)", progress)

    def forget(self, partition: int) -> None:
        """Drop what is known of a partition: its topics are not those that were read."""
        with _telling(), self._db:
            self._db.execute("BEGIN")
            for table in ("records", "accepted", "progress"):
                self._db.execute(
                    f"DELETE FROM {table} WHERE partition = ?",  # noqa: S608 -- our own names
                    (partition,),
                )


class StateBrokenError(Exception):
    """The file is not what SQLite wrote: `renew` it, and catch up with the log."""


_FULL = frozenset({sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_WRITE})


@contextmanager
def _telling() -> Iterator[None]:
    """SQLite's errors become ours here. A disk that is full spoils nothing, and would be as full
    for a state made anew."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        if getattr(error, "sqlite_errorcode", 0) in _FULL:
            raise StateUnavailableError(
                "L'état local de la validation ne peut pas être écrit (le disque est plein) : "
                "libérez de la place dans TRAVERSE_HOME, puis relancez « traverse work » ; rien "
                "n'est perdu, les événements attendent dans le journal."
            ) from error
        raise StateBrokenError(str(error)) from error


def _claim(folder: Path) -> tuple[IO[bytes], Path]:
    """The first free slot of the folder, locked for as long as this process lives."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for slot in range(_SLOTS):
            lock = (folder / f"validate-{slot}.lock").open("wb")
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                lock.close()
                continue
            return lock, folder / f"validate-{slot}.sqlite"
    except OSError as error:
        raise StateUnavailableError(
            f"Le dossier d'état {folder} ne peut pas être écrit ({fault(error)}) : donnez-en "
            "un autre avec TRAVERSE_HOME."
        ) from error
    raise StateUnavailableError(
        f"{_SLOTS} traitements tournent déjà sur le dossier d'état {folder} : arrêtez-en un."
    )
