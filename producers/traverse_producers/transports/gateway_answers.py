"""What the gateway's answers mean, event by event. Pure: no connection, no clock but for dates.

The shapes are those of docs/contract.md: 202 and 207 with an item for each event, in the order of
the request; problem+json (RFC 9457) otherwise, with the items where there are any.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final, NamedTuple

from traverse_producers.errors import EventRefusedError, GatewayRefusedError, PublishError
from traverse_producers.transports.contract import Delivery
from traverse_schemas.log.topics import INBOUND

ACCEPTED: Final = Delivery(INBOUND, -1, -1)
"""The gateway says that an event is durable, not where it lies."""


class Later(NamedTuple):
    """Not now: try again, not before so many seconds."""

    seconds: float
    why: str


Outcome = Delivery | PublishError | Later

_LATER = frozenset({408, 425, 429, 500, 502, 503, 504})
# Of a request with one event these are the event's own fault; of one with several, perhaps one's.
_ITS_OWN_FAULT = frozenset({400, 413, 422})


def outcomes(
    status: int,
    headers: Mapping[str, str],
    body: bytes,
    events: int,
    *,
    now: datetime | None = None,
) -> list[Outcome] | None:
    """What became of each of the `events` of a request, in its order.

    None when they were refused together and the answer does not say which is at fault: send them
    in halves.
    """
    content = _json(body)
    later = _retry_after(headers.get("retry-after", ""), now or datetime.now(UTC))
    items = content.get("items")
    if isinstance(items, list) and len(items) == events:
        return [_of_item(item, later) for item in items]
    detail = _sentence(content)
    if status in _LATER:
        return [Later(later, detail or f"elle répond {status}")] * events
    if status == 202:
        return [ACCEPTED] * events
    if status in _ITS_OWN_FAULT:
        if events > 1:
            return None
        return [EventRefusedError(detail or f"La passerelle refuse l'événement ({status}).")]
    return [GatewayRefusedError(_refusal(status, headers, detail))] * events


def warnings_of(body: bytes) -> list[str]:
    """What the gateway says will have to change, a sentence each: versions that come to an end."""
    items = _json(body).get("items")
    said = (
        item.get("warning")
        for item in (items if isinstance(items, list) else ())
        if isinstance(item, dict)
    )
    return list(dict.fromkeys(each[:1000] for each in said if isinstance(each, str)))


def sentence_of(body: bytes) -> str:
    """What an answer says for people; "" when nothing."""
    return _sentence(_json(body))


def _of_item(item: Any, later: float) -> Outcome:
    """An item's status is accepted, duplicate (it was accepted before), refused or failed."""
    if not isinstance(item, dict):
        return Later(later, "sa réponse n'est pas lisible")
    detail = _sentence(item)
    status = item.get("status")
    if status in {"accepted", "duplicate"}:
        return ACCEPTED
    if status == "refused":
        pointer = item.get("pointer")
        where = f" ({pointer})" if isinstance(pointer, str) and pointer else ""
        return EventRefusedError(f"{detail or 'La passerelle refuse l’événement.'}{where}")
    return Later(later, detail or "elle ne l'a pas retenu")


def _refusal(status: int, headers: Mapping[str, str], detail: str) -> str:
    if status == 401:
        mend = "vérifiez la clé d'API (TRAVERSE_API_KEY_FILE, ou --api-key-file)"
    elif status == 403:
        mend = "cette clé d'API ne permet pas de publier"
    elif 300 <= status < 400:
        mend = f"donnez l'adresse vers laquelle elle renvoie : {headers.get('location', '?')[:200]}"
    elif status in {404, 405}:
        mend = "vérifiez l'adresse, il n'y a pas de passerelle de Traverse ici"
    else:
        mend = "mettez à jour traverse, ou prévenez l'exploitant de la passerelle"
    said = f" {detail}" if detail else ""
    return f"La passerelle refuse l'envoi ({status}) : {mend}.{said}"


def _sentence(content: Mapping[str, Any]) -> str:
    detail = content.get("detail")
    return detail[:1000] if isinstance(detail, str) else ""


def _json(body: bytes) -> Mapping[str, Any]:
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


def _retry_after(text: str, now: datetime) -> float:
    """Seconds of a Retry-After header: a number of them, or a date (RFC 9110, 10.2.3)."""
    seconds = text.strip()
    if seconds.isascii() and seconds.isdigit():
        return float(seconds[:9])
    try:
        return max(0.0, (parsedate_to_datetime(text) - now).total_seconds())
    except (ValueError, TypeError):
        return 0.0
