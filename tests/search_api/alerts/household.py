"""People with subscriptions: the accounts' house, and a book over a table in memory."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from tests.schemas.memory_log import MemoryTableLog, MemoryTopic
from tests.search_api.accounts.people import MARSEILLE, NOW, House, house
from traverse_schemas.log.compacted_table import CompactedTable
from traverse_search_api.accounts.account import account_id
from traverse_search_api.alerts.book import SubscriptionBook, SubscriptionTable
from traverse_search_api.alerts.subscription import (
    Subscription,
    decode_subscription,
    encode_subscription,
    new_id,
)


class Household(NamedTuple):
    """The house, and what its people follow."""

    house: House
    table: SubscriptionTable


def subscription(**fields: Any) -> Subscription:
    """One of Léa's, for Marseille; `fields` replace."""
    lea = account_id("lea@marseille.example")
    values = {
        "id": new_id(), "siren": MARSEILLE, "account": lea, "recipient": lea, "name": "cantines",
        "search": {"q": ["cantine"]}, "secret": "a secret of the tests", "created": NOW,
    }  # fmt: skip
    return Subscription(**{**values, **fields})


def table_of(*rows: Subscription) -> SubscriptionTable:
    topic = MemoryTopic()
    for row in rows:
        topic.write(row.id, encode_subscription(row))
    return CompactedTable(
        MemoryTableLog(topic), encode=encode_subscription, decode=decode_subscription
    )


@contextmanager
def household(*rows: Subscription, **more: Any) -> Iterator[Household]:
    table = table_of(*rows)
    with house(subscriptions=SubscriptionBook(table), **more) as made:
        yield Household(made, table)
