"""A queue on disk: what `put` returned for survives SIGKILL and power cuts until it is settled.

One SQLite file in WAL mode with synchronous=FULL: a commit is on disk before `put` returns.
Several processes may put; one at a time delivers (`DeliveryTurn`). The queue knows nothing of
where its messages go: the SDK's outbox and the gateway's spool both stand on it.
"""

import json
import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from hashlib import blake2b
from pathlib import Path
from sqlite3 import Connection
from time import monotonic
from typing import NamedTuple, Self

from traverse_producers.errors import OutboxError, OutboxFullError
from traverse_producers.outbox.durable_queue_file import mapped, open_file
from traverse_producers.transports.contract import Delivery, Headers
from traverse_schemas.clock import SystemClock
from traverse_schemas.log.identity import utc_text

_ORPHANS = 100_000  # answers kept for writers that may be dead
_AFTER = (
    "SELECT position, key, octets, headers, digest, writer FROM messages "
    "WHERE position > ? ORDER BY position LIMIT ?"
)
_NEXT = (
    "SELECT position, key, octets, headers, digest, writer FROM messages "
    "WHERE key = ? AND position > ? ORDER BY position LIMIT 1"
)
_WAITS = "SELECT 1 FROM messages WHERE key = ? LIMIT 1"
_GLANCE = 0.1  # seconds between two looks at the room that another process may have made


class Limits(NamedTuple):
    """How much a queue holds, parked messages included; who puts more waits or is refused."""

    messages: int = 100_000
    octets: int = 1 << 30


class Message(NamedTuple):
    """What is queued. Messages of one `key` leave in the order in which they came."""

    key: str
    octets: bytes
    headers: Headers = ()


class Queued(NamedTuple):
    """A message in the queue. Positions grow and are never used twice.

    `sound` is False when the disk did not give back what was put: such a message must not leave.
    """

    position: int
    message: Message
    writer: str
    sound: bool = True


class Parked(NamedTuple):
    """A message that was refused for good, and why: somebody must decide what becomes of it."""

    position: int
    message: Message
    at: str
    sentence: str


class Counts(NamedTuple):
    """How full the queue is. `octets` counts waiting and parked messages."""

    waiting: int
    parked: int
    octets: int


class DurableQueue:
    """A queue in one file, which it creates when there is none. Safe to share between threads.

    Every method raises OutboxError, with the sentence that says how to mend it, when the file is
    damaged, the disk is full or the folder cannot be written.
    """

    def __init__(
        self,
        path: Path,
        *,
        limits: Limits | None = None,
        now: Callable[[], datetime] | None = None,
    ) -> None:
        self.path = path
        self._limits = limits or Limits()
        self._now = now or SystemClock().now
        self._lock = threading.Lock()
        self._room = threading.Condition()
        self._connection: Connection | None = open_file(path)

    def put(
        self, messages: Sequence[Message], *, writer: str = "", patience: float = 0
    ) -> list[int]:
        """Queue all of them or none; they are on disk when this returns their positions.

        `writer` is who wants the answers (`answers`), "" for nobody. When the queue is full, wait
        at most `patience` seconds for room, then raise OutboxFullError.
        """
        octets = sum(_size(message) for message in messages)
        deadline = monotonic() + patience
        while True:
            with self._writing() as connection:
                used = _counts(connection)
                if self._fits(used, len(messages), octets):
                    return [
                        int(
                            connection.execute(
                                "INSERT INTO messages (key, octets, headers, size, digest, writer) "
                                "VALUES (?, ?, ?, ?, ?, ?)",
                                (*_row(message), writer),
                            ).lastrowid
                            or 0
                        )
                        for message in messages
                    ]
            left = deadline - monotonic()
            if left <= 0:
                raise OutboxFullError(self.path, used.waiting, used.parked)
            with self._room:
                self._room.wait(min(left, _GLANCE))

    def after(self, position: int, *, most: int, octets: int) -> list[Queued]:
        """The next messages after `position`, in order: at most `most`, and no more once their
        sizes reach `octets`."""
        found: list[Queued] = []
        total = 0
        with self._reading() as connection:
            rows = connection.execute(_AFTER, (position, most))
            for row in rows:
                found.append(_queued(row))
                total += len(row[2])
                if total >= octets:
                    break
            rows.close()
        return found

    def next_of(self, key: str, after: int) -> Queued | None:
        """The first message of a key after a position."""
        with self._reading() as connection:
            row = connection.execute(_NEXT, (key, after)).fetchone()
        return _queued(row) if row else None

    def waiting_of(self, keys: Collection[str]) -> frozenset[str]:
        """Those of these keys that have messages waiting."""
        with self._reading() as connection:
            return frozenset(
                key for key in keys if connection.execute(_WAITS, (key,)).fetchone() is not None
            )

    def has_room(self) -> bool:
        """Whether one more message may be put."""
        return self._fits(self.counts(), 1, 1)

    def _fits(self, used: Counts, messages: int, octets: int) -> bool:
        return (
            used.waiting + used.parked + messages <= self._limits.messages
            and used.octets + octets <= self._limits.octets
        )

    def settle(
        self,
        delivered: Sequence[tuple[Queued, Delivery]],
        refused: Sequence[tuple[Queued, str]] = (),
        *,
        writer: str = "",
    ) -> None:
        """In one step: what is delivered goes, what is refused for good is parked with why.

        Other writers than `writer`, the one who settles, find the answers by `answers`.
        """
        at = utc_text(self._now())
        with self._writing() as connection:
            for queued, sentence in refused:
                connection.execute(
                    "INSERT INTO parked "
                    "SELECT position, key, octets, headers, size, digest, ?, ? FROM messages "
                    "WHERE position = ?",
                    (at, sentence, queued.position),
                )
            gone = [(queued.position,) for queued, _ in (*delivered, *refused)]
            connection.executemany("DELETE FROM messages WHERE position = ?", gone)
            answers = [
                (queued.position, queued.writer, *place, None)
                for queued, place in delivered
                if queued.writer not in {"", writer}
            ] + [
                (queued.position, queued.writer, None, None, None, sentence)
                for queued, sentence in refused
                if queued.writer not in {"", writer}
            ]
            if answers:
                connection.executemany(
                    "INSERT OR REPLACE INTO answers VALUES (?, ?, ?, ?, ?, ?)", answers
                )
                connection.execute(
                    "DELETE FROM answers WHERE position <= ?", (answers[-1][0] - _ORPHANS,)
                )
        with self._room:
            self._room.notify_all()

    def answers(self, writer: str) -> list[tuple[int, Delivery | str]]:
        """What became of a writer's messages that another process delivered: where each lies, or
        the sentence of its refusal. Each answer is given once."""
        with self._reading() as connection:
            some = connection.execute(
                "SELECT 1 FROM answers WHERE writer = ? LIMIT 1", (writer,)
            ).fetchone()
        if not some:
            return []
        with self._writing() as connection:
            rows = connection.execute(
                "DELETE FROM answers WHERE writer = ? "
                "RETURNING position, topic, partition, offset, sentence",
                (writer,),
            ).fetchall()
        return [
            (row[0], row[4] if row[4] is not None else Delivery(row[1], row[2], row[3]))
            for row in sorted(rows)
        ]

    def parked(self, most: int = 100) -> list[Parked]:
        """The refused messages, oldest first."""
        with self._reading() as connection:
            rows = connection.execute(
                "SELECT position, key, octets, headers, at, sentence FROM parked "
                "ORDER BY position LIMIT ?",
                (most,),
            ).fetchall()
        return [Parked(row[0], _message(*row[1:4]), row[4], row[5]) for row in rows]

    def retry_parked(self, position: int) -> bool:
        """Put a parked message last in the queue again. False when there is none."""
        with self._writing() as connection:
            connection.execute(
                "INSERT INTO messages (key, octets, headers, size, digest, writer) "
                "SELECT key, octets, headers, size, digest, '' FROM parked WHERE position = ?",
                (position,),
            )
            return _drop(connection, position)

    def drop_parked(self, position: int) -> bool:
        """Forget a parked message for good. False when there is none."""
        with self._writing() as connection:
            return _drop(connection, position)

    def erase(self, key: str, said: Callable[[bytes], bool]) -> int:
        """Take away for good the messages of a key, waiting or parked, of whose octets `said` is
        true; gives how many. One that is on its way at this moment is delivered all the same."""
        count = 0
        with self._writing() as connection:
            for table in ("messages", "parked"):
                rows = connection.execute(
                    f"SELECT position, octets FROM {table} WHERE key = ?",  # noqa: S608 -- our own
                    (key,),
                ).fetchall()
                gone = [(position,) for position, octets in rows if said(octets)]
                connection.executemany(
                    f"DELETE FROM {table} WHERE position = ?",  # noqa: S608
                    gone,
                )
                count += len(gone)
        if count:
            with self._reading() as connection:
                # Else the octets lie in SQLite's journal until others are written over them.
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        return count

    def counts(self) -> Counts:
        """How full it is, at no cost."""
        with self._reading() as connection:
            return _counts(connection)

    def close(self) -> None:
        """Close the file. Closing twice is fine."""
        with self._lock:
            connection, self._connection = self._connection, None
            if connection is not None:
                connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with self._lock, mapped(self.path):
            if self._connection is None:
                raise OutboxError(f"La file {self.path} est fermée : ouvrez-la de nouveau.")
            yield self._connection

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        """A transaction: on disk when the block is left, undone when it raises."""
        with self._reading() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise


def _counts(connection: Connection) -> Counts:
    row = connection.execute("SELECT waiting, parked, octets FROM totals").fetchone()
    return Counts(*row)


def _drop(connection: Connection, position: int) -> bool:
    return connection.execute("DELETE FROM parked WHERE position = ?", (position,)).rowcount > 0


def _size(message: Message) -> int:
    return (
        len(message.octets)
        + len(message.key.encode())
        + sum(len(name) + len(value) for name, value in message.headers)
    )


def _row(message: Message) -> tuple[str, bytes, str, int, bytes]:
    # Latin-1 has a character for every octet: headers come back as they were.
    headers = json.dumps([[name, value.decode("latin-1")] for name, value in message.headers])
    digest = _digest(message.key, message.octets, headers)
    return message.key, message.octets, headers, _size(message), digest


def _digest(key: str, octets: bytes, headers: str) -> bytes:
    """SQLite checks its own pages' form, not what stands in them."""
    parts = (key.encode(errors="replace"), headers.encode(errors="replace"), octets)
    return blake2b(b"\0".join(parts), digest_size=8).digest()


def _message(key: str, octets: bytes, headers: str) -> Message:
    try:
        pairs = tuple((name, value.encode("latin-1")) for name, value in json.loads(headers))
    except (ValueError, TypeError, AttributeError):  # damaged
        pairs = ()
    return Message(key, octets, pairs)


def _queued(row: tuple[int, str, bytes, str, bytes, str]) -> Queued:
    position, key, octets, headers, digest, writer = row
    sound = digest == _digest(key, octets, headers)
    return Queued(position, _message(key, octets, headers), writer, sound)
