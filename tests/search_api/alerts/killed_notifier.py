"""A notifier in a process of its own, for the test that kills it. Its orders come as JSON."""

import asyncio
import json
import sys
from pathlib import Path

from tests.schemas.memory_log import MemoryTableLog, MemoryTopic
from tests.search_api.accounts.people import INSTITUTIONS, PEOPLE
from tests.search_api.alerts.household import table_of
from tests.search_api.conftest import sums_on
from traverse_schemas.log.compacted_table import CompactedTable
from traverse_schemas.registry.institutions import decode_institution, encode_institution
from traverse_search_api.accounts.account import decode_account, encode_account
from traverse_search_api.alerts.notifier import Tables, notify
from traverse_search_api.alerts.subscription import decode_subscription
from traverse_search_api.settings import SearchSettings


def main() -> None:
    orders = json.loads(sys.argv[1])
    accounts, institutions = MemoryTopic(), MemoryTopic()
    for person in PEOPLE:
        accounts.write(person.id, encode_account(person))
    for one in INSTITUTIONS:
        institutions.write(one.siren, encode_institution(one))
    rows = [decode_subscription(text.encode()) for text in orders["rows"]]
    tables = Tables(
        table_of(*rows),
        CompactedTable(MemoryTableLog(accounts), encode=encode_account, decode=decode_account),
        CompactedTable(
            MemoryTableLog(institutions), encode=encode_institution, decode=decode_institution
        ),
        sums_on(MemoryTopic()),
    )
    settings = SearchSettings(
        home=Path(orders["home"]),
        kafka=orders["kafka"],
        elasticsearch=orders["elasticsearch"],
        search_timeout=60,
        search_patience=50,
        webhook_private=True,
        as_of="2026-03-12T10:00:00Z",
    )
    asyncio.run(
        notify(settings, tables=tables, aliases=orders["aliases"], changes=orders["changes"])
    )


if __name__ == "__main__":
    main()
