"""A table whose truth is a compacted topic: held in memory, followed live, one key a row.

    table = CompactedTable(KafkaTableLog(bootstrap, INSTITUTIONS), encode=..., decode=...)
    with table:
        table.wait(10)            # until it holds what the topic held when it was opened
        table.get(key)            # no lock, no network
        table.put(key, row)       # returns when this very table has read the write back

So that whoever writes sees the write, and everybody else sees it a moment later, without restart.
One thread of its own reads the topic; any thread may read and write the table.
"""

import logging
import threading
from collections.abc import Callable, Mapping
from time import monotonic
from types import MappingProxyType, TracebackType
from typing import Final, Generic, NamedTuple, Protocol, Self, TypeVar
from uuid import uuid4

from traverse_schemas.errors import TraverseError

logger = logging.getLogger("traverse.table")

WRITE_HEADER: Final = "traverse-write"
"""Header that tells a table its own writes."""

_POLL = 0.2  # seconds that one read may wait: how long closing may take
_PAUSE = 1.0  # seconds before the topic is opened again after a failure
_LEAVE_TAKING = 5.0


class TableError(TraverseError):
    """A table cannot be read or written. Base of the two below, and of what a log raises."""


class TableAwayError(TableError):
    """The log of a table does not answer, or does not have the topic."""


class WriteUnconfirmedError(TableError):
    """A write was not read back in time: it may have happened, and may be repeated."""


class Stored(NamedTuple):
    """A message of the log; `value` None says that the row is gone."""

    offset: int
    key: str
    value: bytes | None
    write: str


class TableLog(Protocol):
    """The log under a table: one partition, compacted.

    `open`, `read` and `close` are called by the table's thread alone, `append` and `last` by any.
    """

    @property
    def name(self) -> str:
        """What people call it: the topic."""
        ...

    def open(self) -> int:
        """Go to the first message; give the offset after the last. Raises TableAwayError."""
        ...

    def read(self, timeout: float) -> tuple[list[Stored], int]:
        """The next messages, in order, waiting at most `timeout` seconds for the first; and the
        offset from which reading goes on. Raises TableAwayError."""
        ...

    def append(self, key: str, value: bytes | None, write: str, timeout: float) -> None:
        """Add a message, durably. Raises TableAwayError."""
        ...

    def last(self) -> int:
        """The offset after the last message, now. Raises TableAwayError."""
        ...

    def close(self) -> None:
        """Release the reader's connections; the log may be opened again."""
        ...

    def end(self) -> None:
        """Release everything, for good."""
        ...


Row = TypeVar("Row")


class _Entry(NamedTuple, Generic[Row]):
    offset: int
    row: Row


class _Pending(Generic[Row]):
    """A write under way; once it has been read back, where it lies and what it replaced."""

    def __init__(self) -> None:
        self.done = threading.Event()
        self.offset = -1
        self.before: _Entry[Row] | None = None


class CompactedTable(Generic[Row]):
    """See the module. A row that cannot be read is logged and left as it was before.

    The last write of a row wins, whoever wrote it; `update` keeps another's change beside its own.
    """

    def __init__(
        self,
        log: TableLog,
        *,
        encode: Callable[[Row], bytes],
        decode: Callable[[bytes], Row],
    ) -> None:
        """`decode` raises ValueError for octets that are no row."""
        self._log = log
        self._encode = encode
        self._decode = decode
        self._entries: dict[str, _Entry[Row]] = {}
        self._snapshot: tuple[int, Mapping[str, Row]] = (0, MappingProxyType({}))
        self._version = 0
        self._pending: dict[str, _Pending[Row]] = {}
        self._ready = threading.Event()
        self._stop = threading.Event()
        self._opening = False
        self._updating = threading.Lock()
        self._failure: TableError | None = None
        self._position = 0
        self._moved = threading.Condition()
        self._thread = threading.Thread(target=self._follow, name=f"table-{log.name}", daemon=True)

    def start(self) -> None:
        """Begin to follow the topic, in a thread. Returns at once; `wait` tells when it is read.
        Starting twice is fine."""
        if self._thread.ident is None:
            self._thread.start()

    def wait(self, timeout: float) -> None:
        """Wait until everything the topic held at the start is in the table.

        Raises TableAwayError after `timeout` seconds; the table goes on trying, so that one may
        wait again.
        """
        if not self._ready.wait(timeout):
            raise self._failure or TableAwayError(
                f"La table {self._log.name} n'est pas lue après {timeout:g} s : vérifiez que Kafka "
                "répond (« traverse status »)."
            )

    @property
    def ready(self) -> bool:
        """Whether what the topic held at the start has been read."""
        return self._ready.is_set()

    @property
    def version(self) -> int:
        """Grows with every change: what was computed from the rows holds while it is the same."""
        return self._version

    def get(self, key: str) -> Row | None:
        """The row, as it is now; no lock, no network."""
        entry = self._entries.get(key)
        return None if entry is None else entry.row

    def rows(self) -> Mapping[str, Row]:
        """Every row, as one moment had them; the same mapping until something changes."""
        version, rows = self._snapshot
        now = self._version
        if version != now:
            entries = self._entries.copy()  # one step for the interpreter: no writer in between
            rows = MappingProxyType({key: entry.row for key, entry in entries.items()})
            # Kept under the version from before the copy: a change since makes it stale.
            self._snapshot = (now, rows)
        return rows

    def put(self, key: str, row: Row, timeout: float = 10) -> None:
        """Write a row; returns when this table has read it back.

        Raises TableAwayError when the log does not take it, WriteUnconfirmedError when it is not
        read back within `timeout` seconds.
        """
        self._write(key, self._encode(row), timeout)

    def delete(self, key: str, timeout: float = 10) -> None:
        """Take a row away; like `put`."""
        self._write(key, None, timeout)

    def update(self, key: str, change: Callable[[Row | None], Row], timeout: float = 10) -> Row:
        """Replace a row by what `change` makes of it; like `put`.

        When another process wrote the row in between, `change` is applied again to what it wrote,
        so that both changes stay; `change` must bear being called twice. This holds for one change
        each: who changes one row again and again, at the same moment as others, may lose one.
        What `change` raises is passed on, and the row is what the others made of it.
        """
        deadline = monotonic() + timeout
        with self._updating:
            entry = self._entries.get(key)
            expected = _offset(entry)
            while True:
                try:
                    row = change(entry.row if entry else None)
                except Exception:
                    if expected != _offset(entry):  # ours lies over it already
                        self._put_back(key, entry, expected, deadline)
                    raise
                written = self._write(key, self._encode(row), _left(deadline))
                if _offset(written.before) == expected:
                    return row
                entry, expected = written.before, written.offset

    def close(self) -> None:
        """Stop following and release the connections. Closing twice is fine."""
        self._stop.set()
        # Who still opens has nothing to hand back, and waits for an answer that may never come.
        if self._thread.is_alive() and not self._opening:
            self._thread.join(_LEAVE_TAKING)
        self._log.end()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def catch_up(self, timeout: float) -> None:
        """Wait until everything that the topic holds now is in the table: for who must not answer
        from what was true a moment ago. Raises TableAwayError after `timeout` seconds."""
        deadline = monotonic() + timeout
        self.wait(timeout)
        end = self._log.last()
        with self._moved:
            if not self._moved.wait_for(
                lambda: self._position >= end, max(0.0, deadline - monotonic())
            ):
                raise TableAwayError(
                    f"La table {self._log.name} n'est pas à jour après {timeout:g} s : vérifiez "
                    "que Kafka répond (« traverse status »)."
                )

    def _put_back(
        self, key: str, entry: _Entry[Row] | None, expected: int, deadline: float
    ) -> None:
        """Write again what another made of a row, in the place of a write of ours, at offset
        `expected`, that should not have replaced it; None: the row was gone."""
        while True:
            octets = None if entry is None else self._encode(entry.row)
            written = self._write(key, octets, _left(deadline))
            if _offset(written.before) == expected:
                return
            entry, expected = written.before, written.offset

    def _write(self, key: str, octets: bytes | None, timeout: float) -> _Pending[Row]:
        """Append and wait until it is read back."""
        deadline = monotonic() + timeout
        write = uuid4().hex
        pending = self._pending[write] = _Pending()
        try:
            self._log.append(key, octets, write, timeout)
            if not pending.done.wait(max(0.0, deadline - monotonic())):
                raise WriteUnconfirmedError(
                    f"L'écriture dans {self._log.name} n'est pas confirmée après {timeout:g} s : "
                    "elle a peut-être eu lieu ; vérifiez, puis recommencez."
                )
            return pending
        finally:
            del self._pending[write]

    def _follow(self) -> None:
        """The thread: open, read on, and after a failure open again."""
        while not self._stop.is_set():
            try:
                self._read_on(self._open())
            except TableError as error:
                if self._failure is None:
                    logger.warning("%s", error)
                self._failure = error
                self._stop.wait(_PAUSE)
            except Exception:
                logger.exception("Défaut interne en lisant %s : nouvel essai.", self._log.name)
                self._stop.wait(_PAUSE)
            finally:
                self._log.close()

    def _open(self) -> int:
        self._opening = True
        try:
            return self._log.open()
        finally:
            self._opening = False

    def _read_on(self, end: int) -> None:
        """Read the topic anew, aside: after a failure too nobody sees older rows come back.
        Then follow it."""
        entries: dict[str, _Entry[Row]] = {}
        read_back: list[_Pending[Row]] = []
        position = following = 0
        while position < end and not self._stop.is_set():
            found, position = self._log.read(_POLL)
            for stored in found:
                following = stored.offset + 1
                self._apply(entries, stored, read_back)
        if self._stop.is_set():
            return
        self._entries = entries
        self._version += 1
        self._failure = None
        self._ready.set()
        self._reached(position)
        while not self._stop.is_set():
            for pending in read_back:
                pending.done.set()
            read_back.clear()
            found, position = self._log.read(_POLL)
            for stored in found:
                if stored.offset < following:
                    raise TableAwayError(f"Le topic {self._log.name} a été recréé : il est relu.")
                following = stored.offset + 1
                self._apply(entries, stored, read_back)
            self._reached(position)

    def _reached(self, position: int) -> None:
        with self._moved:
            self._position = position
            self._moved.notify_all()

    def _apply(
        self, entries: dict[str, _Entry[Row]], stored: Stored, read_back: list[_Pending[Row]]
    ) -> None:
        before = entries.get(stored.key)
        if stored.value is None:
            entries.pop(stored.key, None)
        else:
            try:
                entries[stored.key] = _Entry(stored.offset, self._decode(stored.value))
            except ValueError:
                logger.exception(
                    "Ligne illisible dans %s (clé %s, position %d) : la précédente reste.",
                    self._log.name,
                    stored.key[:80],
                    stored.offset,
                )
        self._version += 1
        pending = self._pending.get(stored.write)
        if pending is not None:
            pending.offset, pending.before = stored.offset, before
            read_back.append(pending)


def _offset(entry: _Entry[Row] | None) -> int:
    return -1 if entry is None else entry.offset


def _left(deadline: float) -> float:
    return max(0.1, deadline - monotonic())
