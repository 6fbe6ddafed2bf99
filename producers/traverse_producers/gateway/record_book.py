"""Which event last said what of each record that was put: SQLite, on this machine.

So that a record put again with the same content is the very same event again, which the log takes
for the duplicate that it is, and a changed one is dated after the one before. When the file is
lost, what is put again becomes a new version with the same content.
"""

import logging
import threading
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from pathlib import Path
from typing import NamedTuple

from traverse_producers.gateway.errors import LocalFileError
from traverse_producers.gateway.local_file import open_file, told

_LOG = logging.getLogger(__name__)

_TABLE = """
create table if not exists said (
    record blob primary key, content blob not null, id text not null, time text not null,
    action text not null, open integer not null, settled integer not null
) without rowid
"""


class Said(NamedTuple):
    """The event that says a content of a record. `settled`: the log had confirmed it before."""

    id: str
    time: datetime
    action: str
    settled: bool


class RecordBook:
    """The book of one gateway. Safe to share between threads; each call is one transaction. Where
    nothing else is said, a method raises LocalFileError."""

    def __init__(self, path: Path) -> None:
        """Opens or makes the file."""
        self._lock = threading.Lock()
        self._database = open_file(path, _TABLE)

    def close(self) -> None:
        """Release the file."""
        with self._lock:
            self._database.close()

    def is_open(self, record: str) -> bool:
        """Whether the last that was said here of a record left it published."""
        row = self._row(_hashed(record.encode()))
        return row is not None and bool(row[4])

    def plan(self, record: str, content: bytes, action: str, now: Callable[[], datetime]) -> Said:
        """The event for this content: the one before when that said the same, else a new one,
        later than the one before."""
        key, content = _hashed(record.encode()), _hashed(content)
        row = self._row(key)
        if row is not None and row[0] == content:
            return Said(row[1], datetime.fromisoformat(row[2]), row[3], bool(row[5]))
        time = now().astimezone(UTC)
        if row is not None:
            time = max(time, datetime.fromisoformat(row[2]) + timedelta(microseconds=1))
        event_id = _hashed(key + content + time.isoformat().encode()).hex()
        return Said(event_id, time, action, settled=False)

    def keep(self, record: str, content: bytes, said: Said, *, ends: bool) -> None:
        """Note the event before it is written: should this process die meanwhile, it is the same
        one again. `ends`: the record is closed or withdrawn by it."""
        if said.settled:
            return
        with self._lock, told():
            self._database.execute(
                "replace into said values (?, ?, ?, ?, ?, ?, 0)",
                (
                    _hashed(record.encode()),
                    _hashed(content),
                    said.id,
                    said.time.isoformat(),
                    said.action,
                    not ends,
                ),
            )

    def settle(self, record: str, event_id: str) -> None:
        """The log has confirmed the event, unless another one came since. Raises nothing: it is
        taken all the same, and put again it is the very same event."""
        try:
            with self._lock, told():
                self._database.execute(
                    "update said set settled = 1 where record = ? and id = ?",
                    (_hashed(record.encode()), event_id),
                )
        except LocalFileError as error:
            _LOG.warning("record_not_settled detail=%s", error)

    def _row(self, key: bytes) -> tuple[bytes, str, str, str, int, int] | None:
        query = "select content, id, time, action, open, settled from said where record = ?"
        with self._lock, told(), closing(self._database.execute(query, (key,))) as found:
            row: tuple[bytes, str, str, str, int, int] | None = found.fetchone()
            return row


def _hashed(octets: bytes) -> bytes:
    return blake2b(octets, digest_size=16).digest()
