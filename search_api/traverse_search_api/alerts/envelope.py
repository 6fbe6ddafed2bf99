"""The head of every e-mail that alerts send (RFC 5322). Pure."""

from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime

from traverse_search_api.alerts.subscription import Subscription


def envelope(*, to: str, sender: str, subject: str, name: str, now: datetime) -> EmailMessage:
    """A message without its words. `name` gives its Message-ID: a repetition has the same. Raises
    ValueError for an address that is none."""
    message = EmailMessage()
    message["From"] = sender
    message["To"] = to
    message["Subject"] = f"Traverse : {subject}"
    message["Date"] = format_datetime(now)
    domain = sender.rpartition("@")[2].rstrip("> ") or "traverse.invalid"
    message["Message-ID"] = f"<{name}@{domain}>"
    message["Auto-Submitted"] = "auto-generated"
    return message


def add_end(message: EmailMessage, subscription: Subscription, address: str) -> str:
    """Let its reader end the subscription in one click (RFC 8058); gives the address of the end.
    `address` is the service's."""
    end = f"{address}/desabonnement/{subscription.id}/{subscription.token('unsubscribe')}"
    message["List-Unsubscribe"] = f"<{end}>"
    message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    return end
