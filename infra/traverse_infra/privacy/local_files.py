"""Files of ours on this machine that may name somebody: what they hold, and erasing from them.

Each is known by its form, whatever its name: queues (an outbox of the SDK, the spool of a gateway)
hold whole events; positions, lists of what was sent and the ledger of alerts hold references; the
gateway's book of records holds nothing but hashes. Nobody who writes to one is disturbed.
"""

import csv
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any, Final, NamedTuple

import orjson

from traverse_infra.check.erased import Erased, event_holds
from traverse_infra.errors import InfraError
from traverse_producers.errors import OutboxError
from traverse_producers.files.sent_list import HEADER
from traverse_producers.outbox.durable_queue import DurableQueue
from traverse_schemas.log.identity import record_key
from traverse_schemas.system_faults import fault

_SQLITE: Final = b"SQLite format 3\x00"
_QUEUE: Final = 0x54525651  # the application_id of a durable queue
_BOM: Final = b"\xef\xbb\xbf"
_HELD: Final = (
    "{} ne peut pas être lu : attendez que l'import qui le tient finisse, ou vérifiez le fichier."
)


class UnreadableFileError(InfraError):
    """A file that was named cannot be read, or is none of ours."""


class Held(NamedTuple):
    """What a file holds of a record: where in the file, the record where it says so, the octets
    (a whole event) or the words that stand there."""

    where: str
    source: str
    subject: str
    octets: bytes


class LocalFile(NamedTuple):
    """A file of ours; `what` says in French which kind, `held` gives all that it holds."""

    path: Path
    what: str
    held: Callable[[], Iterator[Held]]
    queue: bool = False
    ledger: bool = False


def files_under(folder: Path) -> Iterator[LocalFile]:
    """Every file of ours in a folder and those below it, in the order of their paths."""
    for path in sorted(folder.rglob("*")) if folder.exists() else ():
        with suppress(OSError):  # the engines' own come and go
            found = _recognised(path) if path.is_file() else None
            if found is not None:
                yield found


def file_of(path: Path) -> LocalFile:
    """The file at a path that somebody named. Raises UnreadableFileError."""
    try:
        found = _recognised(path)
    except OSError as error:
        raise UnreadableFileError(f"{path} ne peut pas être lu ({fault(error)}).") from error
    if found is None:
        raise UnreadableFileError(
            f"{path} n'est ni une file d'envoi, ni une position d'import, ni une liste d'envois de "
            "Traverse : donnez-en une."
        )
    return found


def erase(files: Iterable[LocalFile], source: str, subject: str, until: str) -> int:
    """Take from the queues what was said of a record up to `until` (UTC text), waiting or put
    aside; gives how many events that were. What is on its way at this moment is refused on the
    log, as everything that is older than the erasure. Raises OutboxError."""
    count = 0
    for file in files:
        if file.queue:
            with DurableQueue(file.path) as queue:
                count += queue.erase(
                    record_key(source, subject), lambda octets: _said_before(octets, until)
                )
    return count


def left(files: Iterable[LocalFile], erased: Iterable[Erased]) -> Iterator[str]:
    """Where the queues still hold what was said of erased records, and the ledger of alerts that
    they were seen."""
    erased = list(erased)
    times = {(one.source, one.subject): one.until for one in erased}
    for file in files:
        if file.ledger:
            for where in _seen_of(file.path, erased):
                yield f"{file.what} {file.path}, {where}"
        for held in file.held() if file.queue else ():
            until = times.get((held.source, held.subject))
            if until is not None and _said_before(held.octets, until):
                yield f"{file.what} {file.path}, {held.where}"


def _said_before(octets: bytes, until: str) -> bool:
    return event_holds(_event(octets), until)


def _recognised(path: Path) -> LocalFile | None:
    with path.open("rb") as file:
        head = file.read(72)
    if head.startswith(_SQLITE):
        return _database(path, head)
    if head.removeprefix(_BOM).startswith(";".join(HEADER).encode()):
        return LocalFile(path, "liste d'envois", lambda: _sent(path))
    return None


def _database(path: Path, head: bytes) -> LocalFile | None:
    if head[68:72] == _QUEUE.to_bytes(4):
        return LocalFile(path, "file d'envoi", lambda: _queued(path), queue=True)
    tables = _tables(path)
    if {"listing", "record", "said", "refused"} <= tables:
        return LocalFile(path, "position d'import", lambda: _position(path))
    if {"record", "told", "alert", "delivery"} <= tables:
        return LocalFile(path, "registre des alertes", lambda: _ledger(path), ledger=True)
    return None


def _tables(path: Path) -> set[str]:
    with closing(_open(path)) as database:
        try:
            found = database.execute("SELECT name FROM sqlite_master").fetchall()
        except sqlite3.DatabaseError as error:
            if "locked" in str(error):
                raise OutboxError(_HELD.format(path)) from error
            return set()  # a file of another kind, or none any more
    return {str(name) for (name,) in found}


def _queued(path: Path) -> Iterator[Held]:
    with _reading(path) as database:
        for table in ("messages", "parked"):
            query = f"SELECT position, octets FROM {table}"  # noqa: S608 -- our own names
            for position, octets in database.execute(query):
                event = _event(octets)
                yield Held(
                    f"{table} {position}",
                    str(event.get("source", "")),
                    str(event.get("subject", "")),
                    octets,
                )


def _position(path: Path) -> Iterator[Held]:
    query = (
        "SELECT source, subject, address FROM record JOIN listing ON listing.id = record.listing"
    )
    with _reading(path) as database:
        for source, subject, address in database.execute(query):
            words = f"{source} {subject} {address}".encode()
            yield Held(f"dossier {subject}", source, subject, words)


def _ledger(path: Path) -> Iterator[Held]:
    with _reading(path) as database:
        for (record,) in database.execute("SELECT record FROM record"):
            source, _, subject = record.partition(" ")
            yield Held("dossier vu", source, subject, record.encode())


def _seen_of(path: Path, erased: Iterable[Erased]) -> Iterator[str]:
    """What a ledger still knows of erased records as they were; of one that is back, it may know
    what came after."""
    with _reading(path) as database:
        for one in erased:
            seen = database.execute(
                "SELECT updated_at FROM record WHERE record = ?", (one.key,)
            ).fetchone()
            if seen is not None and seen[0] <= one.until:
                yield f"dossier vu {one.subject}"
                continue
            told = "SELECT 1 FROM told WHERE record = ? UNION SELECT 1 FROM note WHERE name = ?"
            asked = (one.key, f"left {one.key}")
            if not one.back and database.execute(told, asked).fetchone() is not None:
                yield f"dossier annoncé {one.subject}"


def _sent(path: Path) -> Iterator[Held]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        for number, row in enumerate(csv.DictReader(file, delimiter=";"), start=2):
            words = " ".join(str(value) for value in row.values()).encode()
            yield Held(f"ligne {number}", row["source"] or "", row["reference"] or "", words)


@contextmanager
def _reading(path: Path) -> Iterator[sqlite3.Connection]:
    with closing(_open(path)) as database:
        try:
            yield database
        except sqlite3.DatabaseError as error:
            raise OutboxError(_HELD.format(path)) from error


def _open(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=1)


def _event(octets: bytes) -> dict[str, Any]:
    try:
        found = orjson.loads(octets)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
