"""What people did, as events on `traverse.audit`: who (the account's id), for whom, what, when.

Written before the thing is done: where it cannot be written, the thing is not done.
"""

import asyncio
import json
import logging
from collections.abc import Callable
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol
from uuid import uuid4

from traverse_schemas.log.compacted_table import TableError
from traverse_schemas.log.identity import utc_text
from traverse_schemas.log.topics import AUDIT
from traverse_search_api.errors import SearchError

_LOG = logging.getLogger(__name__)
_PATIENCE = 5.0  # seconds


class Deed(StrEnum):
    """What somebody did; each is an event type `fr.traverse.staff.DEED.v1`."""

    SIGNED_IN = "signed_in"
    SIGN_IN_REFUSED = "sign_in_refused"
    SIGNED_OUT = "signed_out"
    SESSIONS_CLOSED = "sessions_closed"
    ROLE_CHANGED = "role_changed"
    IDENTITY_UNBOUND = "identity_unbound"
    NEED_PUBLISHED = "need_published"
    REJECTION_REPLAYED = "rejection_replayed"
    GROUPING_ANSWERED = "grouping_answered"
    LINK_ANSWERED = "link_answered"
    SHOWCASE_OPENED = "showcase_opened"
    PERMANENCES_PUBLISHED = "permanences_published"
    PERMANENCES_REMOVED = "permanences_removed"


class AuditAwayError(SearchError):
    """The log of deeds cannot be written."""

    status = 503
    title = "Indisponible"

    def __init__(self) -> None:
        super().__init__(
            "Le journal des actions ne peut pas être écrit (il ne répond pas) : rien n’a été "
            "fait, réessayez dans un instant."
        )


class EventLog(Protocol):
    """Takes messages for good: `KafkaTableLog` does. Blocking; raises TableError."""

    def append(self, key: str, value: bytes | None, write: str, timeout: float) -> None: ...

    def end(self) -> None: ...


class Audit:
    """Writes deeds. No address and no name: an account's id, and what the deed is about."""

    def __init__(self, log: EventLog, new_id: Callable[[], str] = lambda: uuid4().hex) -> None:
        self._log = log
        self._new_id = new_id

    async def write(
        self, deed: Deed, *, siren: str, account: str, now: datetime, **data: Any
    ) -> None:
        """Write a deed durably. Raises AuditAwayError."""
        event = event_of(deed, siren=siren, account=account, now=now, id=self._new_id(), data=data)
        octets = json.dumps(event, ensure_ascii=False).encode()
        try:
            await asyncio.to_thread(self._log.append, str(event["id"]), octets, "", _PATIENCE)
        except TableError as error:
            _LOG.warning("audit_away cause=%s", error)
            raise AuditAwayError from error

    def close(self) -> None:
        """Release the connections."""
        self._log.end()


def event_of(
    deed: Deed, *, siren: str, account: str, now: datetime, id: str, data: dict[str, Any]
) -> dict[str, Any]:
    """The CloudEvent of a deed: its source is the institution that somebody acted for, or the
    pages themselves for who is not known; its subject the account, or the API key by its id."""
    return {
        "specversion": "1.0",
        "id": id,
        "source": f"urn:siren:{siren}" if siren else "urn:traverse:pages",
        "type": f"fr.traverse.staff.{deed}.v1",
        "subject": account,
        "time": utc_text(now),
        "datacontenttype": "application/json",
        "data": data,
    }


def open_audit(bootstrap: str) -> Audit:
    """The log on a Kafka; nothing is opened before the first deed."""
    from traverse_schemas.log.compacted_topic import KafkaTableLog

    return Audit(KafkaTableLog(bootstrap, AUDIT))
