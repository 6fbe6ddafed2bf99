"""Where a listing was left the last time: what it said of each record, in a SQLite file.

A record's row is written only once its event is durable on the log, so that a run that was killed
anywhere repeats what it had not confirmed, and no more. One run at a time holds the file.
"""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple, Self

from traverse_producers.errors import PositionError

_FORMAT = 1
_SCHEMA = """
CREATE TABLE IF NOT EXISTS listing (
    id INTEGER PRIMARY KEY, format TEXT NOT NULL, source TEXT NOT NULL, address TEXT NOT NULL,
    etag TEXT, modified TEXT, complete INTEGER NOT NULL DEFAULT 0,
    run INTEGER NOT NULL DEFAULT 0, UNIQUE (format, source, address)
);
CREATE TABLE IF NOT EXISTS record (
    listing INTEGER NOT NULL, subject TEXT NOT NULL, kind TEXT NOT NULL, gone INTEGER NOT NULL,
    sequence INTEGER NOT NULL, run INTEGER NOT NULL, PRIMARY KEY (listing, subject)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS said (
    listing INTEGER NOT NULL, subject TEXT NOT NULL, slot TEXT NOT NULL, digest TEXT NOT NULL,
    run INTEGER NOT NULL, PRIMARY KEY (listing, subject, slot, digest)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS refused (
    listing INTEGER NOT NULL, digest TEXT NOT NULL, run INTEGER NOT NULL,
    PRIMARY KEY (listing, digest)
) WITHOUT ROWID;
"""


class Known(NamedTuple):
    """A record as it was left: its kind, whether it is gone, its greatest sequence."""

    kind: str
    gone: bool
    sequence: int


class Told(NamedTuple):
    """What a delivered event said: one slot of a record, and the digest of its content.

    `gone` is True for a withdrawal, whose slot and digest are "".
    """

    subject: str
    slot: str
    digest: str
    kind: str
    sequence: int
    gone: bool = False


class Seen(NamedTuple):
    """What a row of the listing says today."""

    subject: str
    slot: str
    digest: str


class Validators(NamedTuple):
    """What the server gave to ask whether the listing changed (RFC 9110, section 8.8)."""

    etag: str | None = None
    modified: str | None = None


class Listing:
    """One listing (format, source, address) of a position, during one run of it."""

    def __init__(self, database: sqlite3.Connection, number: int, run: int) -> None:
        self._db, self._id, self._run = database, number, run

    def validators(self, *, complete: bool) -> Validators:
        """What the last answer gave, if all that a run of this kind does was done with it."""
        row = self._db.execute(
            "SELECT etag, modified, complete FROM listing WHERE id = ?", (self._id,)
        ).fetchone()
        return Validators(row[0], row[1]) if row[2] >= complete else Validators()

    def save_validators(self, validators: Validators, *, complete: bool) -> None:
        """All that this answer holds is published: it need not be read again."""
        with _mapped(), self._db:
            self._db.execute(
                "UPDATE listing SET etag = ?, modified = ?, complete = ? WHERE id = ?",
                (*validators, complete, self._id),
            )

    def known(self, subject: str) -> Known | None:
        row = self._db.execute(
            "SELECT kind, gone, sequence FROM record WHERE listing = ? AND subject = ?",
            (self._id, subject),
        ).fetchone()
        return None if row is None else Known(row[0], bool(row[1]), row[2])

    def digests(self, subject: str, slot: str) -> set[str]:
        """What was said last in a slot of a record: one content, or those of several rows."""
        rows = self._db.execute(
            "SELECT digest FROM said WHERE listing = ? AND subject = ? AND slot = ?",
            (self._id, subject, slot),
        )
        return {str(row[0]) for row in rows}

    def see(self, seen: Iterable[Seen]) -> None:
        """These are in the listing today, unchanged or not."""
        seen = list(seen)
        with _mapped(), self._db:
            self._db.executemany(
                "UPDATE record SET run = ? WHERE listing = ? AND subject = ?",
                ((self._run, self._id, each.subject) for each in seen),
            )
            self._db.executemany(
                "UPDATE said SET run = ? WHERE listing = ? AND subject = ? AND slot = ? "
                "AND digest = ?",
                ((self._run, self._id, *each) for each in seen),
            )

    def tell(self, told: Iterable[Told]) -> None:
        """These events are durable."""
        with _mapped(), self._db:
            for each in told:
                self._db.execute(
                    "INSERT INTO record VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET "
                    "gone = excluded.gone, sequence = max(sequence, excluded.sequence), "
                    "run = excluded.run",
                    (self._id, each.subject, each.kind, each.gone, each.sequence, self._run),
                )
                if each.gone:
                    self._db.execute(
                        "DELETE FROM said WHERE listing = ? AND subject = ?",
                        (self._id, each.subject),
                    )
                else:
                    slot = (self._id, each.subject, each.slot)
                    # What the slot held before; two rows that share it both stay, night by night.
                    self._db.execute(
                        "DELETE FROM said WHERE listing = ? AND subject = ? AND slot = ? "
                        "AND run < ?",
                        (*slot, self._run),
                    )
                    self._db.execute(
                        "INSERT OR REPLACE INTO said VALUES (?, ?, ?, ?, ?)",
                        (*slot, each.digest, self._run),
                    )

    def refuse(self, digest: str) -> bool:
        """A row gave no event; whether it is the first time that it does not."""
        with _mapped(), self._db:
            new = self._db.execute(
                "SELECT 1 FROM refused WHERE listing = ? AND digest = ?", (self._id, digest)
            ).fetchone()
            self._db.execute(
                "INSERT OR REPLACE INTO refused VALUES (?, ?, ?)", (self._id, digest, self._run)
            )
        return new is None

    def forget_refused(self) -> None:
        """Forget the rows that are no more refused."""
        with _mapped(), self._db:
            self._db.execute(
                "DELETE FROM refused WHERE listing = ? AND run < ?", (self._id, self._run)
            )

    def active(self) -> int:
        """How many records are there."""
        row = self._db.execute(
            "SELECT count(*) FROM record WHERE listing = ? AND gone = 0", (self._id,)
        ).fetchone()
        return int(row[0])

    def missing(self) -> int:
        """How many of them this run has not seen."""
        row = self._db.execute(
            "SELECT count(*) FROM record WHERE listing = ? AND gone = 0 AND run < ?",
            (self._id, self._run),
        ).fetchone()
        return int(row[0])

    def missing_records(self) -> Iterator[tuple[str, Known]]:
        """Those records, in order of their subjects, a page at a time."""
        after = ""
        while True:
            page = self._db.execute(
                "SELECT subject, kind, sequence FROM record WHERE listing = ? AND gone = 0 AND "
                "run < ? AND subject > ? ORDER BY subject LIMIT 1000",
                (self._id, self._run, after),
            ).fetchall()
            for subject, kind, sequence in page:
                yield subject, Known(kind, gone=False, sequence=sequence)
            if not page:
                return
            after = page[-1][0]


class Position:
    """The file. Raises PositionError: held by another run, not a position, a full disk."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with _mapped(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(path, timeout=0)
            try:
                self._open()
            except BaseException:
                self._db.close()
                raise

    def listing(self, format_: str, source: str, address: str) -> Listing:
        """Begin a run of a listing."""
        with _mapped(self._path), self._db:
            self._db.execute(
                "INSERT INTO listing (format, source, address) VALUES (?, ?, ?) "
                "ON CONFLICT DO NOTHING",
                (format_, source, address),
            )
            row = self._db.execute(
                "UPDATE listing SET run = run + 1 WHERE format = ? AND source = ? AND address = ? "
                "RETURNING id, run",
                (format_, source, address),
            ).fetchone()
        return Listing(self._db, row[0], row[1])

    def close(self) -> None:
        self._db.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _open(self) -> None:
        # Exclusive: the first write holds the file until it is closed, against a second run.
        self._db.execute("PRAGMA locking_mode = EXCLUSIVE")
        self._db.execute("PRAGMA synchronous = FULL")
        version = self._db.execute("PRAGMA user_version").fetchone()[0]
        if version not in (0, _FORMAT):
            raise PositionError(
                f"La position {self._path} est d'une autre version de Traverse : mettez-le à jour, "
                "ou donnez un autre fichier."
            )
        self._db.executescript(f"BEGIN IMMEDIATE;{_SCHEMA}PRAGMA user_version = {_FORMAT};COMMIT;")


@contextmanager
def _mapped(path: Path | None = None) -> Iterator[None]:
    """SQLite's errors as one sentence."""
    name = f" {path}" if path else ""
    try:
        yield
    except sqlite3.OperationalError as error:
        if "locked" in str(error):
            raise PositionError(
                f"La position{name} est tenue par un autre import : attendez qu'il finisse, ou "
                "donnez un autre fichier."
            ) from error
        raise PositionError(
            f"La position{name} ne peut pas être lue ou écrite ({error}) : vérifiez le dossier, "
            "les droits et la place sur le disque."
        ) from error
    except (sqlite3.DatabaseError, OSError) as error:
        raise PositionError(
            f"Le fichier{name} n'est pas une position de Traverse ({error}) : donnez un autre "
            "fichier à --position."
        ) from error
