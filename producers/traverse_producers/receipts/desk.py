"""What an institution may ask of its receipts and rejections. Blocking: call it in a thread."""

import json
import logging
import sqlite3
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from traverse_producers.errors import BrokerAwayError, PublishError, UnreadableInputError
from traverse_producers.log_reading import LogReader
from traverse_producers.receipts.follow import Follower
from traverse_producers.receipts.replay import replayed
from traverse_producers.receipts.store import ReceiptStore, RejectionRow
from traverse_producers.receipts.streaks import SLOW_AFTER, warning_of
from traverse_producers.receipts.trace import as_json, instant, joined
from traverse_schemas.log.message import LogMessage
from traverse_schemas.log.topics import REJECTED
from traverse_schemas.signing.signatures import SIGNATURE_HEADER

_LOG = logging.getLogger(__name__)
_PATIENCE: Final = 1.8
"""Seconds for which Kafka may take to answer who waits for an answer himself."""


class DeskError(PublishError):
    """Base of what the desk answers no to; `status`, `title` and `headers` go into a
    problem+json."""

    status = 404
    title = "Introuvable"
    headers: Mapping[str, str] = MappingProxyType({})


class NoTraceError(DeskError):
    """No message is about this event."""

    def __init__(self, source: str, event_id: str) -> None:
        super().__init__(
            f"Rien n'est connu de l'événement {event_id[:255]} de {source[:100]} : vérifiez la "
            "source et l'identifiant ; il est peut-être encore en route (réessayez dans quelques "
            "secondes), n'est jamais arrivé, ou date de plus de 90 jours."
        )


class NoRejectionError(DeskError):
    """The institution has no such rejection."""

    def __init__(self, place: str) -> None:
        super().__init__(
            f"Aucun événement refusé de votre institution n'a la place {place[:100]} : "
            "GET /v1/rejections les montre ; ils sont gardés 30 jours."
        )


class OtherSourceError(DeskError):
    """The source is of another institution."""

    status = 403
    title = "Non autorisé"

    def __init__(self, source: str, siren: str) -> None:
        super().__init__(
            f"La source {source[:100]} n'est pas de l'institution {siren} : chacune ne voit que "
            "les traces de ses propres événements."
        )


class InvalidCursorError(DeskError):
    """`before` is no `next` of ours."""

    status = 422
    title = "Paramètre refusé"

    def __init__(self) -> None:
        super().__init__("Le paramètre before doit être le next d'une page précédente.")


class LogUnreadError(DeskError):
    """Kafka does not answer, which has the event as it came."""

    status = 503
    title = "Momentanément indisponible"
    headers = MappingProxyType({"Retry-After": "2"})

    def __init__(self) -> None:
        super().__init__(
            "Le journal ne répond pas, et l'événement refusé ne peut pas être relu : réessayez "
            "dans un instant ; rien n'a été rejoué."
        )


class Replay(NamedTuple):
    """What to publish again; the signature that it came with, where not an octet is another."""

    octets: bytes
    signature: bytes | None = None


class Desk:
    """Answers from the local store, which the follower keeps up with the log."""

    def __init__(self, follower: Follower, bootstrap: str) -> None:
        self._follower = follower
        self._bootstrap = bootstrap

    def receipt(self, siren: str, source: str, event_id: str) -> dict[str, Any]:
        """The trace of one event of the institution. Raises NoTraceError, OtherSourceError."""
        if source.split(":")[:3] != ["urn", "siren", siren]:
            raise OtherSourceError(source, siren)
        with self._follower.open_store() as store:
            trace = joined(source, event_id, store.said_of(source, event_id))
            if trace is None:
                raise NoTraceError(source, event_id)
            return {**as_json(trace), "warning": _warning(store, siren)}

    def rejections(self, siren: str, before: str | None, size: int) -> dict[str, Any]:
        """A page of the institution's own rejections, newest first; `next` asks for the older
        ones. Raises InvalidCursorError."""
        with self._follower.open_store() as store:
            rows = store.rejections(siren, before=_cursor(before), most=size + 1)
            return {
                "items": [_item(row) for row in rows[:size]],
                "next": f"{rows[size - 1].at}/{rows[size - 1].place}" if len(rows) > size else None,
                "warning": _warning(store, siren),
            }

    def rejection(self, siren: str, name: str) -> dict[str, Any]:
        """One rejection with the event as it came. Raises NoRejectionError, LogUnreadError."""
        row = self._own(siren, name)
        return {**_item(row), "event": self._received(row, name)[0].decode(errors="replace")}

    def replay(self, siren: str, name: str, correction: bytes | None) -> Replay:
        """What to publish again. Raises NoRejectionError, LogUnreadError,
        UnusableCorrectionError."""
        row = self._own(siren, name)
        original, message = self._received(row, name)
        octets = replayed(original, correction, json.loads(row.said)["reason"])
        return Replay(octets, message.headers.get(SIGNATURE_HEADER) if octets == original else None)

    def failing(self, siren: str) -> int:
        """How many of the institution's last verified events were all refused (SLOW_AFTER at
        most): for the gateway's limiter. None are known where the disk does not let the store be
        read: who publishes is not turned away for that."""
        try:
            with self._follower.open_store() as store:
                return store.failing(siren, SLOW_AFTER)
        except (UnreadableInputError, sqlite3.Error) as error:
            _LOG.warning("receipts_unread detail=%s", error)
            return 0

    def _own(self, siren: str, name: str) -> RejectionRow:
        with self._follower.open_store() as store:
            row = store.rejection(_place(name))
        if row is None or row.siren != siren:
            raise NoRejectionError(name)
        return row

    def _received(self, row: RejectionRow, name: str) -> tuple[bytes, LogMessage]:
        try:
            with LogReader(self._bootstrap, patience=_PATIENCE) as reader:
                message = reader.at(REJECTED, row.partition, row.position)
        except BrokerAwayError as error:
            raise LogUnreadError from error
        if message is None or message.value is None:
            raise NoRejectionError(name)
        return message.value, message


def _cursor(before: str | None) -> tuple[int, str] | None:
    if before is None:
        return None
    at, _, place = before.partition("/")
    if not at.isdecimal() or len(at) > 18:
        raise InvalidCursorError
    return int(at), place


def _warning(store: ReceiptStore, siren: str) -> str | None:
    return warning_of(store.failing(siren, SLOW_AFTER))


def _item(row: RejectionRow) -> dict[str, Any]:
    said = json.loads(row.said)
    return {
        "id": _name(row.place),
        "at": instant(row.at).isoformat(timespec="milliseconds"),
        "source": said.get("source"),
        "event_id": said.get("id"),
        "reason": said["reason"],
        "pointer": said["pointer"],
        "sentence": said["sentence"],
    }


def _name(place: str) -> str:
    """A rejection's place as one segment of a URL: `inbound-2@41`."""
    return place.removeprefix("traverse.").replace("/", "-", 1)


def _place(name: str) -> str:
    return "traverse." + name.replace("-", "/", 1)
