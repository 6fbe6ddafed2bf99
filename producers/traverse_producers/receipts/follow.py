"""Follows `traverse.receipts` and `traverse.rejected` into the local store.

The first time it reads all that is kept (measured: see docs/performance.md); from then on only
what is new, so that a question costs the tail and one look-up, however many receipts there are.
"""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread

from traverse_producers.errors import BrokerAwayError
from traverse_producers.log_reading import LogMessage, LogReader
from traverse_producers.receipts.store import (
    ReceiptRow,
    ReceiptStore,
    RejectionRow,
    event_digest,
)
from traverse_schemas.clock import Clock, SystemClock
from traverse_schemas.receipts import EVENT_HEADER, SIREN_HEADER, End
from traverse_schemas.topics import INBOUND, RECEIPTS, REJECTED

STORE_FILE = "receipts.sqlite"
"""Its name in the home folder."""

_FOLLOWED = (RECEIPTS, REJECTED)
_PAUSE = 0.5


class Follower:
    """Brings the store up with the log: once when asked (`catch_up`), or all along (`start`)."""

    def __init__(self, bootstrap: str, home: Path, clock: Clock | None = None) -> None:
        self._bootstrap = bootstrap
        self._path = home / "state" / STORE_FILE
        self._clock = clock or SystemClock()
        self._stop = Event()
        self._thread: Thread | None = None

    def store(self) -> ReceiptStore:
        """The store, for one thread to read."""
        return ReceiptStore(self._path)

    @contextmanager
    def open_store(self) -> Iterator[ReceiptStore]:
        """The store, closed at the end."""
        store = self.store()
        try:
            yield store
        finally:
            store.close()

    def catch_up(self) -> None:
        """Read what is new, up to the present end. Raises BrokerAwayError."""
        with self.open_store() as store, LogReader(self._bootstrap) as reader:
            bring_up(store, reader)

    def start(self) -> None:
        """Follow in a thread until `stop`; Kafka away is waited for."""
        self._thread = Thread(target=self._run, name="receipts", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        store = self.store()
        store.prune(self._clock.now())
        try:
            while not self._stop.is_set():
                try:
                    with LogReader(self._bootstrap) as reader:
                        while not self._stop.wait(_PAUSE):
                            bring_up(store, reader)
                except BrokerAwayError:
                    self._stop.wait(10 * _PAUSE)
        finally:
            store.close()


def bring_up(store: ReceiptStore, reader: LogReader) -> None:
    """Save everything that the log has and the store has not."""
    progress = store.progress()
    for topic in _FOLLOWED:
        starts = progress.get(topic, {})
        ends = reader.ends(topic)
        if any(start > ends.get(partition, 0) for partition, start in starts.items()):
            # Shorter than what was read of it: the topics were made anew.
            store.forget()
            bring_up(store, reader)
            return
        for chunk in reader.read(topic, starts):
            if chunk:
                save(store, chunk)


def save(store: ReceiptStore, chunk: Sequence[LogMessage]) -> None:
    """Save messages of one partition that follow each other."""
    last = chunk[-1]
    rejections = [row for row in map(rejection_row, chunk) if row]
    store.save(
        [row for row in map(receipt_row, chunk) if row],
        rejections,
        _successes(chunk),
        (last.topic, last.partition, last.offset + 1),
    )


def _successes(chunk: Sequence[LogMessage]) -> list[tuple[str, int]]:
    """The institutions of whom a chunk holds events that were not refused, and the last time."""
    found: dict[str, int] = {}
    if chunk[0].topic == RECEIPTS:
        for message in chunk:
            said = json.loads(message.value or b"{}")
            if said.get("end") not in (None, End.REJECTED):
                siren = said["source"].split(":")[2]
                found[siren] = max(message.time, found.get(siren, 0))
    return list(found.items())


def receipt_row(message: LogMessage) -> ReceiptRow | None:
    """What a message says of an event; None when it names none."""
    if message.topic == REJECTED:
        return _refused(message)
    said = json.loads(message.value or b"null")
    if said is None:
        return None
    end = said.pop("end")
    # Of one end there is one message that counts, but for duplicates: each is one of its own.
    origin = said.get("origin", "") if end == End.DUPLICATE else ""
    digest = event_digest(said.pop("source"), said.pop("id"))
    return ReceiptRow(digest, end, origin, message.time, json.dumps(said, ensure_ascii=False))


def _refused(message: LogMessage) -> ReceiptRow | None:
    event = message.headers.get(EVENT_HEADER)
    if event is None:
        return None
    source, event_id = json.loads(event)
    said = {**_reasons(message), "verified": SIREN_HEADER in message.headers}
    return ReceiptRow(
        event_digest(source, event_id),
        End.REJECTED,
        place_of(message),
        message.time,
        json.dumps(said, ensure_ascii=False),
    )


def rejection_row(message: LogMessage) -> RejectionRow | None:
    """A rejection for its institution; None when nobody verified whose it is."""
    siren = message.headers.get(SIREN_HEADER) if message.topic == REJECTED else None
    if siren is None:
        return None
    said = _reasons(message)
    event = message.headers.get(EVENT_HEADER)
    if event is not None:
        said["source"], said["id"] = json.loads(event)
    return RejectionRow(
        place_of(message),
        siren.decode(errors="replace"),
        message.time,
        message.partition,
        message.offset,
        json.dumps(said, ensure_ascii=False),
    )


def _reasons(message: LogMessage) -> dict[str, str]:
    found: dict[str, str] = {
        name: message.headers[name].decode(errors="replace")
        for name in ("reason", "pointer", "sentence")
        if name in message.headers
    }
    return {**found, "origin": place_of(message).removeprefix(f"{INBOUND}/")}


def place_of(message: LogMessage) -> str:
    """A rejection's name: where the refused message was read (`topic/partition@offset`). One that
    was written twice after a restart has the same."""
    origin = message.headers.get("origin")
    if origin is None:
        return f"{message.topic}/{message.partition}@{message.offset}"
    return origin.decode(errors="replace")
