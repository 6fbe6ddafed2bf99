"""Follows `traverse.receipts` and `traverse.rejected` into the local store.

The first time it reads all that is kept (measured: see docs/performance.md); from then on only
what is new, so that a question costs the tail and one look-up, however many receipts there are.
"""

import logging
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread
from typing import Any

import orjson

from traverse_producers.errors import PublishError
from traverse_producers.log_reading import LogReader
from traverse_producers.receipts.store import (
    ReceiptRow,
    ReceiptStore,
    RejectionRow,
    event_digest,
)
from traverse_schemas.clock import Clock, SystemClock
from traverse_schemas.log.message import LogMessage
from traverse_schemas.log.receipts import EVENT_HEADER, SIREN_HEADER, End
from traverse_schemas.log.topics import INBOUND, RECEIPTS, REJECTED

STORE_FILE = "receipts.sqlite"
"""Its name in the home folder."""

_FOLLOWED = (RECEIPTS, REJECTED)
_PAUSE = 0.5
_LOG = logging.getLogger(__name__)


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
        while not self._stop.is_set():
            try:
                self._follow()
            except (PublishError, sqlite3.Error) as error:
                # Kafka away, a full disk: what is told meanwhile is what is known already.
                _LOG.warning("receipts_behind detail=%s", error)
                self._stop.wait(10 * _PAUSE)

    def _follow(self) -> None:
        pruned = None
        with self.open_store() as store, LogReader(self._bootstrap) as reader:
            while not self._stop.wait(_PAUSE):
                bring_up(store, reader)
                now = self._clock.now()
                if now.date() != pruned:
                    store.prune(now)
                    pruned = now.date()


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
    rows: list[ReceiptRow] = []
    rejections: list[RejectionRow] = []
    successes: dict[str, int] = {}
    for message in chunk:
        if message.topic == REJECTED:
            rows += _refused(message)
            rejections += _rejection(message)
        elif message.value is not None:
            said = orjson.loads(message.value)
            if said["end"] != End.REJECTED:
                siren = said["source"].split(":")[2]
                successes[siren] = max(message.time, successes.get(siren, 0))
            rows.append(_receipt(message, said))
    progress = (last.topic, last.partition, last.offset + 1)
    store.save(rows, rejections, successes.items(), progress)


def _receipt(message: LogMessage, said: dict[str, Any]) -> ReceiptRow:
    end = said.pop("end")
    # Of one end there is one message that counts, but for duplicates: each is one of its own.
    origin = said.get("origin", "") if end == End.DUPLICATE else ""
    digest = event_digest(said.pop("source"), said.pop("id"))
    return ReceiptRow(digest, end, origin, message.time, orjson.dumps(said).decode())


def _refused(message: LogMessage) -> list[ReceiptRow]:
    """The rejection as the receipt of its event; nothing when it names none."""
    event = message.headers.get(EVENT_HEADER)
    if event is None:
        return []
    source, event_id = orjson.loads(event)
    said = {**_reasons(message), "verified": SIREN_HEADER in message.headers}
    digest = event_digest(source, event_id)
    place, octets = place_of(message), orjson.dumps(said)
    return [ReceiptRow(digest, End.REJECTED, place, message.time, octets.decode())]


def _rejection(message: LogMessage) -> list[RejectionRow]:
    """A rejection for its institution; nothing when nobody verified whose it is."""
    siren = message.headers.get(SIREN_HEADER)
    if siren is None:
        return []
    said = _reasons(message)
    event = message.headers.get(EVENT_HEADER)
    if event is not None:
        said["source"], said["id"] = orjson.loads(event)
    return [
        RejectionRow(
            place_of(message),
            siren.decode(errors="replace"),
            message.time,
            message.partition,
            message.offset,
            orjson.dumps(said).decode(),
        )
    ]


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
