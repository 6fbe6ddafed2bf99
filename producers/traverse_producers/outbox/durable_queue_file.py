"""The file of a durable queue: created whole or not at all, checked when opened, never emptied.

Every error of SQLite becomes one of ours here, and nowhere else.
"""

import os
import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from traverse_producers.errors import OutboxError
from traverse_schemas.system_faults import fault

_APPLICATION = 0x54525651  # "TRVQ": which program's file it is (PRAGMA application_id)
_VERSION = 1
_PATIENCE = 30.0  # seconds that another process's transaction may take

_TABLES = """
CREATE TABLE messages (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL, octets BLOB NOT NULL, headers TEXT NOT NULL,
    size INTEGER NOT NULL, digest BLOB NOT NULL, writer TEXT NOT NULL
);
CREATE INDEX messages_of_key ON messages (key, position);
CREATE TABLE parked (
    position INTEGER PRIMARY KEY,
    key TEXT NOT NULL, octets BLOB NOT NULL, headers TEXT NOT NULL,
    size INTEGER NOT NULL, digest BLOB NOT NULL, at TEXT NOT NULL, sentence TEXT NOT NULL
);
CREATE TABLE answers (
    position INTEGER PRIMARY KEY, writer TEXT NOT NULL,
    topic TEXT, partition INTEGER, offset INTEGER, sentence TEXT
);
CREATE INDEX answers_of_writer ON answers (writer);
-- Counted as it changes: counting a hundred thousand rows at each message would take longer.
CREATE TABLE totals (waiting INTEGER NOT NULL, parked INTEGER NOT NULL, octets INTEGER NOT NULL);
INSERT INTO totals VALUES (0, 0, 0);
CREATE TRIGGER message_comes AFTER INSERT ON messages
    BEGIN UPDATE totals SET waiting = waiting + 1, octets = octets + new.size; END;
CREATE TRIGGER message_goes AFTER DELETE ON messages
    BEGIN UPDATE totals SET waiting = waiting - 1, octets = octets - old.size; END;
CREATE TRIGGER parked_comes AFTER INSERT ON parked
    BEGIN UPDATE totals SET parked = parked + 1, octets = octets + new.size; END;
CREATE TRIGGER parked_goes AFTER DELETE ON parked
    BEGIN UPDATE totals SET parked = parked - 1, octets = octets - old.size; END;
"""


def open_file(path: Path) -> sqlite3.Connection:
    """A connection to the queue's file, created when there is none. Raises OutboxError."""
    with mapped(path):
        if not path.exists():
            _create(path)
        if path.stat().st_size == 0:
            # We never leave an empty file: SQLite would take it for a new queue.
            raise OutboxError(_damaged(path, "il est vide"))
        # One thread at a time: the queue's lock sees to it.
        connection = sqlite3.connect(
            path, timeout=_PATIENCE, isolation_level=None, check_same_thread=False
        )
        try:
            _check(path, connection)
            connection.execute("PRAGMA journal_mode = WAL")  # the file remembers; a copy may not
            connection.execute("PRAGMA synchronous = FULL")
            # Damaged text is still shown; its digest tells.
            connection.text_factory = lambda octets: octets.decode(errors="replace")
            # What is delivered, or dropped, does not stay readable in the file.
            connection.execute("PRAGMA secure_delete = ON")
        except BaseException:
            connection.close()
            raise
    return connection


class DeliveryTurn:
    """Whose turn it is to deliver from a queue: one process's, and one thread's in it.

    A lock that the system releases when its holder dies, however it dies: SQLite's own lock on a
    file beside the queue.
    """

    def __init__(self, path: Path) -> None:
        """`path` is the queue's file."""
        self._path = path.with_name(f"{path.name}-turn")
        self._connection: sqlite3.Connection | None = None

    @property
    def held(self) -> bool:
        """Whether it is ours."""
        return self._connection is not None

    def take(self) -> bool:
        """Take the turn, or say False when another has it. Raises OutboxError."""
        if self._connection is not None:
            return True
        with mapped(self._path):
            connection = sqlite3.connect(
                self._path, timeout=0, isolation_level=None, check_same_thread=False
            )
            try:
                connection.execute("BEGIN EXCLUSIVE")
            except sqlite3.OperationalError as error:
                connection.close()
                if error.sqlite_errorcode == sqlite3.SQLITE_BUSY:
                    return False
                raise
        self._connection = connection
        return True

    def give_up(self) -> None:
        """Let another have it. Fine when one does not have it."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()


@contextmanager
def mapped(path: Path) -> Iterator[None]:
    """SQLite's errors, and the system's, as an OutboxError."""
    try:
        yield
    except sqlite3.Error as error:
        raise OutboxError(_sentence(path, error)) from error
    except OSError as error:
        raise OutboxError(
            f"Le fichier {path} ne peut pas être ouvert ni créé ({fault(error)}) : vérifiez que "
            "son dossier existe et que ce compte peut y écrire."
        ) from error


def _create(path: Path) -> None:
    """Make the file elsewhere, whole and synced, and give it its name last: whoever finds the
    name finds a queue. Two who do it at once make one."""
    left = path.with_name(f"{path.name}-wal")
    if left.exists():
        raise OutboxError(
            f"Le fichier {path} manque, mais {left.name} est encore là et contient peut-être des "
            f"événements : remettez {path.name} à sa place, ou mettez {left.name} de côté."
        )
    new = path.with_name(f"{path.name}-new-{secrets.token_hex(4)}")
    try:
        # Events may be for a few only, and so is their file.
        os.close(os.open(new, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        connection = sqlite3.connect(new, isolation_level=None)
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            connection.executescript(
                f"BEGIN; {_TABLES} PRAGMA application_id = {_APPLICATION}; "
                f"PRAGMA user_version = {_VERSION}; COMMIT;"
            )
        finally:
            connection.close()  # writes everything into the one file
        with suppress(FileExistsError):
            os.link(new, path)
    finally:
        new.unlink(missing_ok=True)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)  # the name is on disk too
    finally:
        os.close(folder)


def _check(path: Path, connection: sqlite3.Connection) -> None:
    application = connection.execute("PRAGMA application_id").fetchone()[0]
    if application != _APPLICATION:
        raise OutboxError(
            f"Le fichier {path} n'est pas une file d'événements de Traverse : donnez un autre nom."
        )
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version != _VERSION:
        raise OutboxError(
            f"Le fichier {path} a été écrit par une autre version de Traverse (format {version}, "
            f"celle-ci lit {_VERSION}) : ouvrez-le avec la version qui l'a écrit."
        )
    said = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    if said != "ok":
        raise OutboxError(_damaged(path, str(said).splitlines()[-1]))


def _damaged(path: Path, why: str) -> str:
    return (
        f"Le fichier {path} est abîmé ({why}) ; rien n'y a été changé. Mettez-le de côté avec "
        f"{path.name}-wal s'il existe, récupérez-en les événements (« sqlite3 {path.name} "
        '".recover" ») ou rétablissez une sauvegarde ; sans fichier de ce nom, une file neuve '
        "est créée."
    )


def _sentence(path: Path, error: sqlite3.Error) -> str:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # the primary code
    if code in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}:
        return _damaged(path, str(error))
    if code == sqlite3.SQLITE_FULL:
        return (
            f"Le disque de {path} est plein : l'événement n'est pas pris ; libérez de la place, "
            "puis recommencez."
        )
    if code == sqlite3.SQLITE_IOERR:
        return (
            f"Le disque de {path} ne répond pas comme il faut ({error}) : vérifiez la place qui "
            "reste et l'état du disque, puis recommencez."
        )
    if code == sqlite3.SQLITE_BUSY:
        return (
            f"Le fichier {path} est occupé par un autre programme depuis plus de {_PATIENCE:.0f} s "
            ": fermez-le, puis recommencez."
        )
    return (
        f"Le fichier {path} ne peut pas être ouvert ni écrit ({error}) : vérifiez que son dossier "
        "existe, que ce compte peut y écrire, et qu'il n'est pas sur un partage réseau."
    )
