"""An e-mail of alerts: what there is to say, as its reader may read it now. Pure.

RFC 5322, with the one-click end of RFC 8058; text and HTML say the same.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, time, timedelta
from email.message import EmailMessage
from html import escape
from typing import Any, Final

from traverse_schemas.french.numbers import euros
from traverse_search_api.alerts.envelope import add_end, envelope
from traverse_search_api.alerts.ledger import Alert
from traverse_search_api.alerts.proposed import PROPOSED_LABELS
from traverse_search_api.alerts.subscription import (
    KIND_LABELS,
    AlertKind,
    Rhythm,
    Subscription,
    local_zone,
)
from traverse_search_api.alerts.verdict import FIELD_LABELS
from traverse_search_api.pages import words

_AT: Final = time(7, 30)
"""When the e-mails of a day go, in the reader's own zone; those of a week, on Mondays."""

AT_ONCE_SECONDS: Final = 5
"""What comes within so short a time goes together."""

_LABELS: Final = {**FIELD_LABELS, **PROPOSED_LABELS}
_MOST: Final = 50  # items in one e-mail

Items = Mapping[str, Mapping[str, Any]]
"""Items of the search (`items.item_of`) by id: those that the reader may read."""


def due(subscription: Subscription, first: datetime) -> datetime:
    """When alerts of which the first came at that instant (aware) are to go."""
    if subscription.rhythm is Rhythm.AT_ONCE:
        return first + timedelta(seconds=AT_ONCE_SECONDS)
    zone = local_zone(subscription)
    here = first.astimezone(zone)
    day = here.date()
    if here.timetz().replace(tzinfo=None) >= _AT:
        day += timedelta(days=1)
    if subscription.rhythm is Rhythm.WEEKLY:
        day += timedelta(days=-day.weekday() % 7)
    return datetime.combine(day, _AT, zone)


def sentence(alert: Alert, item: Mapping[str, Any] | None) -> str:
    """What an alert says, in one line."""
    label = KIND_LABELS[alert.kind]
    if alert.kind is AlertKind.WITHDRAWN or item is None:
        return f"{label} : une publication qui vous avait été annoncée n’est plus lisible."
    fields = ", ".join(_LABELS.get(one, one) for one in alert.changed)
    owners = ", ".join(one["name"] for one in item["institutions"] if one["role"] == "owner")
    return f"{label}{f' ({fields})' if fields else ''} : {item['title']} — {owners}"


def email(
    subscription: Subscription,
    alerts: Sequence[Alert],
    items: Items,
    *,
    to: str,
    sender: str,
    delivery: str,
    address: str,
    now: datetime,
) -> EmailMessage:
    """The message. `delivery` gives its Message-ID: the same however often it is sent; `address`
    is the service's. Raises ValueError for an address that is none."""
    count = len(alerts)
    what = "1 alerte" if count == 1 else f"{count} alertes"
    subject = f"{what} pour « {subscription.name[:120]} »"
    message = envelope(to=to, sender=sender, subject=subject, name=delivery, now=now)
    end = add_end(message, subscription, address)
    text, html = [], []
    for alert in alerts[:_MOST]:
        item = items.get(alert.opportunity)
        said, link = sentence(alert, item), f"{address}/fiche/{alert.opportunity}"
        facts = _facts(alert, item, now)
        text += [said, *(f"  {fact}" for fact in facts), f"  {link}", ""]
        html.append(
            f'<li><p><a href="{escape(link)}">{escape(said)}</a></p>'
            + "".join(f"<p>{escape(fact)}</p>" for fact in facts)
            + "</li>"
        )
    if count > _MOST:
        more = f"Et {count - _MOST} de plus : {address}/alertes"
        text.append(more)
        html.append(f"<li>{escape(more)}</li>")
    text += ["", f"Vos alertes : {address}/alertes", f"Ne plus recevoir celle-ci : {end}"]
    message.set_content("\n".join(text) + "\n")
    message.add_alternative(
        '<!doctype html><html lang="fr"><body>'
        f"<h1>{escape(subscription.name)}</h1><ul>{''.join(html)}</ul>"
        f'<p><a href="{escape(address)}/alertes">Vos alertes</a> · '
        f'<a href="{escape(end)}">Ne plus recevoir celle-ci</a></p></body></html>\n',
        subtype="html",
    )
    return message


def _facts(alert: Alert, item: Mapping[str, Any] | None, now: datetime) -> list[str]:
    facts = []
    if item is not None and alert.kind is not AlertKind.WITHDRAWN:
        if item.get("deadline"):
            facts.append(words.deadline(item["deadline"], now))
        if item.get("amount"):
            facts.append(euros(item["amount"]))
    if alert.why:
        facts.append(f"Pourquoi : {', '.join(alert.why)}")
    return facts


def notice(
    subscription: Subscription, why: str, *, to: str, sender: str, address: str, now: datetime
) -> EmailMessage:
    """Says that nothing is delivered any more, and how to mend it."""
    subject = f"envois arrêtés pour « {subscription.name[:120]} »"
    name = f"{subscription.id}.{int(now.timestamp())}"
    message = envelope(to=to, sender=sender, subject=subject, name=name, now=now)
    message.set_content(f"{why}\n\nPour reprendre les envois : {address}/alertes\n")
    return message
