"""Delivers what the ledger holds: each receiver in its own time, none in the way of another.

A delivery is marked done after it arrived: killed in between, it is repeated with the same id. What
fails is tried again with growing pauses for a day; then its subscription is disabled, with notice.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urlsplit

import orjson

from traverse_schemas.clock import Clock
from traverse_schemas.log.pauses import Pauses
from traverse_search_api.accounts.directory import Directory
from traverse_search_api.alerts.digest import Items, due, email, notice, sentence
from traverse_search_api.alerts.ledger import KEPT_DAYS, Alert, Delivery, Ledger
from traverse_search_api.alerts.mail import Mailer, MailError, RefusedMailError
from traverse_search_api.alerts.outside import Outside, OutsideError
from traverse_search_api.alerts.subscription import Channel, Disabled, Subscription
from traverse_search_api.alerts.webhook import origin_of, signed_headers
from traverse_search_api.alerts.weekly_note import Letter, edition, note_email, week_of
from traverse_search_api.errors import SearchError
from traverse_search_api.pages.note.week import Week

_LOG = logging.getLogger(__name__)
GIVEN_UP_AFTER: Final = 24 * 3600.0
"""Seconds for which a delivery is tried."""

_MOST_DUE: Final = 5000
_AT_ONCE: Final = 256  # receivers that are written to at one time
_FORGET_EVERY: Final = 3600.0

Hydrate = Callable[[Subscription, Sequence[str]], Awaitable[Items]]
"""The items of these ids, as a subscription's owner may read them now. Raises
SearchUnavailableError."""

Compose = Callable[[Subscription, Week], Awaitable[Letter | None]]
"""The note of a week, as a subscription's owner may read it now; None for who may not any more.
Raises SearchUnavailableError."""

Disable = Callable[[str, Disabled], Awaitable[None]]
"""Notes in its row that a subscription is disabled."""


class GoneError(OutsideError):
    """The receiver does not want anything any more (410)."""


@dataclass(slots=True)
class Deliverer:
    """`present` is the machine's clock: deliveries follow the day that it is, whatever date the
    search is judged from. `address` is the service's."""

    ledger: Ledger
    rows: Callable[[], Mapping[str, Subscription]]
    may_read: Callable[[Subscription], bool]
    directory: Directory
    hydrate: Hydrate
    compose: Compose
    disable: Disable
    mailer: Mailer
    outside: Outside
    present: Clock
    address: str
    pauses: Pauses = field(default_factory=lambda: Pauses(first=5, longest=4 * 3600))
    _lanes: dict[str, asyncio.Task[None]] = field(default_factory=dict)
    _places: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_AT_ONCE))
    _editions: dict[str, Week] = field(default_factory=dict)
    _arrived: set[str] = field(default_factory=set)
    """Deliveries that arrived, of which the ledger could not be told yet."""
    _forgot: float = float("-inf")

    async def turn(self) -> None:
        """Do what there is to do now; receivers that are written to are not waited for."""
        now = self.present.now()
        rows = self.rows()
        if asyncio.get_running_loop().time() - self._forgot > _FORGET_EVERY:
            self._forgot = asyncio.get_running_loop().time()
            self.ledger.forget(rows, now.timestamp() - KEPT_DAYS * 86_400)
        self._gather(rows, now)
        waiting: dict[str, list[Delivery]] = {}
        for one in self.ledger.due(now.timestamp(), _MOST_DUE):
            waiting.setdefault(_lane(rows.get(one.subscription)), []).append(one)
        for lane, task in list(self._lanes.items()):
            if task.done():
                del self._lanes[lane]
                task.result()  # a fault of ours is not hidden
        for lane, deliveries in waiting.items():
            if lane not in self._lanes:
                self._lanes[lane] = asyncio.create_task(self._go_along(deliveries))

    async def settle(self) -> None:
        """Wait until nothing is under way."""
        await asyncio.gather(*self._lanes.values())

    async def close(self) -> None:
        """Break off what is under way: it is repeated."""
        for task in self._lanes.values():
            task.cancel()
        await asyncio.gather(*self._lanes.values(), return_exceptions=True)

    def _gather(self, rows: Mapping[str, Subscription], now: datetime) -> None:
        for name, first in self.ledger.waiting():
            row = rows.get(name)
            if row is None or row.channel is Channel.FEED or row.disabled:
                self.ledger.set_aside(name)
            elif row.channel is Channel.WEBHOOK:
                self.ledger.gather(name, now.timestamp(), together=False)
            elif due(row, datetime.fromtimestamp(first, UTC)) <= now:
                self.ledger.gather(name, now.timestamp(), together=True)
        for name, row in rows.items():
            asked = row.redeliver_from
            if row.note and not (row.muted or row.disabled):
                self._plan(row, now)
            if asked is not None and self.ledger.note(f"again {name}") != asked.isoformat():
                self.ledger.again(name, asked.timestamp(), now.timestamp(), asked.isoformat())

    def _plan(self, row: Subscription, now: datetime) -> None:
        """The note of the week that is over is delivered once."""
        week = edition(row, now)
        if week is not None and self._editions.get(row.id) != week:
            self.ledger.plan(row.id, week.code, now.timestamp())
            self._editions[row.id] = week

    async def _go_along(self, deliveries: Sequence[Delivery]) -> None:
        """One receiver's, one after the other."""
        stopped: set[str] = set()
        for delivery in deliveries:
            row = self.rows().get(delivery.subscription)
            if row is None or row.disabled or row.muted or not self.may_read(row):
                self.ledger.give_up(delivery.subscription)
                continue
            if row.id in stopped:
                continue
            async with self._places:
                arrived = await self._try(row, delivery)
            if not arrived:
                stopped.add(row.id)
            elif row.webhook is not None and row.webhook.rate:
                await asyncio.sleep(60 / row.webhook.rate)

    async def _try(self, row: Subscription, delivery: Delivery) -> bool:
        """Whether it arrived. Raises LedgerUnwritableError, before anything leaves where it can."""
        try:
            if delivery.id not in self._arrived:
                self.ledger.begin(delivery.id, self.present.now().timestamp())
                await self._deliver(row, delivery)
        except (GoneError, RefusedMailError) as error:
            await self._stop(row, str(error))
        except (OutsideError, MailError, SearchError, ValueError) as error:
            now = self.present.now().timestamp()
            _LOG.info("delivery_failed id=%s cause=%s", delivery.id, error)
            if now - (delivery.first or now) >= GIVEN_UP_AFTER:
                await self._stop(row, f"Rien n’a pu être remis pendant 24 heures : {error}")
            else:
                self.ledger.failed(delivery, now, now + self.pauses.after(delivery.failures + 1))
        else:
            self._arrived.add(delivery.id)
            self.ledger.done(delivery.id)
            self._arrived.remove(delivery.id)
            return True
        return False

    async def _deliver(self, row: Subscription, delivery: Delivery) -> None:
        if (week := week_of(delivery.id)) is not None:
            await self._send_note(row, delivery, week)
            return
        alerts = self.ledger.alerts(delivery.id)
        if not alerts:
            return
        items = await self.hydrate(row, [one.opportunity for one in alerts])
        if row.channel is Channel.EMAIL:
            to = self._email_of(row)
            if to is not None:
                await self.mailer.send(
                    email(
                        row, alerts, items, to=to, sender=self.mailer.sender,
                        delivery=delivery.id, address=self.address, now=self.present.now(),
                    )
                )  # fmt: skip
        elif row.webhook is not None:
            for alert in alerts:
                await self._post(row, row.webhook.url, alert, items)

    async def _send_note(self, row: Subscription, delivery: Delivery, week: Week) -> None:
        letter, to = await self.compose(row, week), self._email_of(row)
        if letter is not None and to is not None:
            await self.mailer.send(
                note_email(
                    row, letter, to=to, sender=self.mailer.sender, delivery=delivery.id,
                    address=self.address, now=self.present.now(),
                )
            )  # fmt: skip

    async def _post(self, row: Subscription, url: str, alert: Alert, items: Items) -> None:
        body = orjson.dumps(cloud_event(row, alert, items, self.address))
        key = bytes.fromhex(row.token("webhook"))
        headers = signed_headers(key, alert.id, self.present.now(), body)
        told = await self.outside.ask(
            "POST", url, {**headers, "WebHook-Request-Origin": origin_of(self.address)}, body
        )
        if told.status == 410:
            raise GoneError("Le récepteur a répondu 410 : il ne veut plus rien recevoir.")
        if not 200 <= told.status < 300:
            raise OutsideError(f"{urlsplit(url).hostname} a répondu {told.status}.")

    def _email_of(self, row: Subscription) -> str | None:
        account = self.directory.get(row.recipient)
        if account is None or not account.active(self.present.now()):
            return None
        return account.email if account.role_for(row.siren) else None

    async def _stop(self, row: Subscription, why: str) -> None:
        """Disable, and say so: on the page, and by e-mail where there is somebody to write to."""
        now = self.present.now()
        await self.disable(row.id, Disabled(at=now, sentence=why[:500]))
        self.ledger.give_up(row.id)
        to = self._email_of(row) if row.channel is not Channel.EMAIL else None
        if to is not None:
            try:
                await self.mailer.send(
                    notice(
                        row, why, to=to, sender=self.mailer.sender, address=self.address, now=now
                    )
                )
            except (MailError, ValueError) as error:
                _LOG.warning("notice_not_sent subscription=%s cause=%s", row.id, error)


def cloud_event(row: Subscription, alert: Alert, items: Items, address: str) -> dict[str, Any]:
    """The alert as a CloudEvent 1.0; its id is the same however often it is sent."""
    item = items.get(alert.opportunity)
    return {
        "specversion": "1.0",
        "id": alert.id,
        "source": f"{address}/v1/subscriptions/{row.id}",
        "type": f"fr.traverse.alert.{alert.kind}.v1",
        "subject": alert.opportunity,
        "time": datetime.fromtimestamp(alert.at, UTC).isoformat(),
        "datacontenttype": "application/json",
        "data": {
            "sentence": sentence(alert, item),
            "changed": list(alert.changed),
            "why": list(alert.why),
            "page": f"{address}/fiche/{alert.opportunity}",
            "item": None if item is None else dict(item),
        },
    }


def _lane(row: Subscription | None) -> str:
    """The receiver that a subscription's deliveries go to."""
    if row is None:
        return ""
    if row.webhook is not None and row.channel is Channel.WEBHOOK:
        return f"webhook {urlsplit(row.webhook.url).netloc}"
    # E-mails go to one server; lanes enough that a slow answer does not hold up all of them.
    return f"email {int(row.id[:2], 16) % 8}"
