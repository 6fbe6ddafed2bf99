"""Webhooks: the handshake before, and each delivery's headers.

CloudEvents, "HTTP 1.1 Web Hooks for Event Delivery" 1.0.2; the signature is that of Standard
Webhooks 1.0 (HMAC-SHA256 over id, time and body).
"""

import hmac
from base64 import b64encode
from datetime import datetime
from hashlib import sha256
from typing import Final
from urllib.parse import urlsplit

from traverse_search_api.alerts.errors import RefusedSubscriptionError
from traverse_search_api.alerts.outside import Outside, OutsideError
from traverse_search_api.alerts.subscription import Webhook

MEDIA_TYPE: Final = "application/cloudevents+json"


async def greet(outside: Outside, url: str, origin: str) -> Webhook:
    """Ask a receiver whether it takes webhooks from `origin` (a host's name), section 4 of the
    specification: nobody is sent anything who has not said so.

    Raises RefusedSubscriptionError.
    """
    try:
        told = await outside.ask("OPTIONS", url, {"WebHook-Request-Origin": origin})
    except OutsideError as error:
        raise RefusedSubscriptionError(f"Le récepteur ne peut pas être joint. {error}") from error
    allowed = told.headers.get("webhook-allowed-origin", "").strip()
    if not 200 <= told.status < 300 or allowed not in ("*", origin):
        raise RefusedSubscriptionError(
            f"Le récepteur n’a pas dit qu’il accepte nos envois : à OPTIONS avec "
            f"WebHook-Request-Origin: {origin}, il doit répondre 200 et "
            f"WebHook-Allowed-Origin: {origin} (CloudEvents, protection contre les abus)."
        )
    rate = told.headers.get("webhook-allowed-rate", "*").strip()
    return Webhook(url=url, rate=max(1, int(rate)) if rate.isdecimal() else None)


def origin_of(address: str) -> str:
    """What this service is called in a handshake, from its public address."""
    return str(urlsplit(address).hostname)


def signed_headers(key: bytes, event: str, now: datetime, body: bytes) -> dict[str, str]:
    """The headers of a delivery. `event` is the event's id: the same however often it is sent."""
    seconds = str(int(now.timestamp()))
    content = b".".join((event.encode(), seconds.encode(), body))
    signature = b64encode(hmac.digest(key, content, sha256)).decode()
    return {
        "Content-Type": MEDIA_TYPE,
        "webhook-id": event,
        "webhook-timestamp": seconds,
        "webhook-signature": f"v1,{signature}",
    }
