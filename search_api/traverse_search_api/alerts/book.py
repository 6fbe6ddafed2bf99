"""The book of subscriptions: each owner finds and changes their own, and nobody else's."""

import asyncio
import threading
from collections.abc import Callable, Mapping
from typing import Final, TypeVar

from traverse_schemas.log.compacted_table import CompactedTable, TableError
from traverse_schemas.log.topics import SUBSCRIPTIONS
from traverse_search_api.alerts.errors import (
    SubscriptionsAwayError,
    TooManySubscriptionsError,
    UnknownSubscriptionError,
)
from traverse_search_api.alerts.subscription import (
    Owner,
    Subscription,
    decode_subscription,
    encode_subscription,
)

MOST_OF_ONE: Final = 200
"""Subscriptions that one owner may have."""

_PATIENCE: Final = 5.0  # seconds that the first caller waits
SubscriptionTable = CompactedTable[Subscription]
Result = TypeVar("Result")


class SubscriptionBook:
    """Reads and writes the table, which it follows from the first question on.

    Every call may raise SubscriptionsAwayError.
    """

    def __init__(self, table: SubscriptionTable) -> None:
        self._table = table
        self._starting = threading.Lock()
        self._started = False

    async def of(self, owner: Owner) -> list[Subscription]:
        """All of an owner's, the newest first."""
        rows = await self._run(self._rows)
        found = [row for row in rows.values() if row.owner == owner]
        return sorted(found, key=lambda row: (row.created, row.id), reverse=True)

    async def one(self, owner: Owner, identifier: str) -> Subscription:
        """One of an owner's. Raises UnknownSubscriptionError."""
        found = await self.any(identifier)
        if found is None or found.owner != owner:
            raise UnknownSubscriptionError
        return found

    async def any(self, identifier: str) -> Subscription | None:
        """Anybody's, for who has proved with its own token that they may."""
        return (await self._run(self._rows)).get(identifier)

    async def add(self, subscription: Subscription) -> Subscription:
        """Keep a new one. Raises TooManySubscriptionsError."""
        if len(await self.of(subscription.owner)) >= MOST_OF_ONE:
            raise TooManySubscriptionsError(MOST_OF_ONE)
        await self._run(lambda: self._table.put(subscription.id, subscription))
        return subscription

    async def change(
        self, known: Subscription, change: Callable[[Subscription], Subscription]
    ) -> Subscription:
        """Replace one by what `change` makes of it (twice, when another changes it meanwhile).
        Raises UnknownSubscriptionError when it was deleted meanwhile."""

        def changed(row: Subscription | None) -> Subscription:
            if row is None:
                raise UnknownSubscriptionError
            return change(row)

        return await self._run(lambda: self._table.update(known.id, changed))

    async def delete(self, known: Subscription) -> None:
        """Take one away."""
        await self._run(lambda: self._table.delete(known.id))

    def close(self) -> None:
        """Stop following."""
        if self._started:
            self._table.close()

    def _rows(self) -> Mapping[str, Subscription]:
        with self._starting:
            if not self._started:
                self._table.start()
                self._started = True
        if not self._table.ready:
            self._table.wait(_PATIENCE)
        return self._table.rows()

    async def _run(self, work: Callable[[], Result]) -> Result:
        try:
            return await asyncio.to_thread(work)
        except TableError as error:
            raise SubscriptionsAwayError from error


def subscriptions_table(bootstrap: str, topic: str = SUBSCRIPTIONS) -> SubscriptionTable:
    """The table on a Kafka; nothing is opened before it is started."""
    from traverse_schemas.log.compacted_topic import KafkaTableLog

    return CompactedTable(
        KafkaTableLog(bootstrap, topic), encode=encode_subscription, decode=decode_subscription
    )
