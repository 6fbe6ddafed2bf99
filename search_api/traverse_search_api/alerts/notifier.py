"""The notifier: watches and delivers, in one process (`traverse work --step notify`).

It reads no change until there is a first subscription. One works with a ledger; another one stands
by. Beside that, once an hour, it tells of sources that have gone silent, and how many follow.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, Final, NamedTuple

from traverse_schemas.clock import Clock, SystemClock
from traverse_schemas.documents.index_mapping import ALIASES
from traverse_schemas.documents.status import french_day
from traverse_schemas.log.compacted_table import CompactedTable, TableError
from traverse_schemas.log.topics import CHANGES
from traverse_schemas.reference.territories import Territories
from traverse_schemas.registry.institutions import Institution
from traverse_schemas.registry.registry import LiveRegistry, institutions_table
from traverse_search_api.access.reader import Reader
from traverse_search_api.accounts.directory import AccountsTable, LiveDirectory, accounts_table
from traverse_search_api.alerts.book import SubscriptionTable, subscriptions_table
from traverse_search_api.alerts.deliver import Compose, Deliverer, Disable, Hydrate
from traverse_search_api.alerts.digest import Items
from traverse_search_api.alerts.followed import FollowedSearches, ReaderOf
from traverse_search_api.alerts.ledger import (
    Ledger,
    LedgerTakenError,
    LedgerUnwritableError,
    followers_in,
)
from traverse_search_api.alerts.mail import Mailer
from traverse_search_api.alerts.outside import Outside
from traverse_search_api.alerts.silence import SilenceTeller
from traverse_search_api.alerts.subscription import Disabled, Subscription, reader_for
from traverse_search_api.alerts.watch import Watcher
from traverse_search_api.alerts.weekly_note import Letter
from traverse_search_api.answers.items import item_of
from traverse_search_api.changes.change_log import ChangeLog
from traverse_search_api.engines.elasticsearch_client import Indices, connect
from traverse_search_api.errors import SearchError
from traverse_search_api.filters.status_query import whole_millisecond
from traverse_search_api.filters.zones import load_territories
from traverse_search_api.groupings.groupings import GroupingRows
from traverse_search_api.groupings.table import GroupingTable
from traverse_search_api.institutions.freshness import Freshness
from traverse_search_api.institutions.readership import (
    FollowedSums,
    ReadershipTable,
    readership_table,
)
from traverse_search_api.pages.note.reading import place_name, read_note, scope_of
from traverse_search_api.pages.note.view import note_view
from traverse_search_api.pages.note.week import Week
from traverse_search_api.pages.reading import Reading, read_groupings
from traverse_search_api.query.paging import Snapshots
from traverse_search_api.query.queries import ITEM_FIELDS
from traverse_search_api.search import Searcher
from traverse_search_api.settings import SearchSettings
from traverse_search_api.words.synonym_book import SynonymBook

_LOG = logging.getLogger(__name__)
_PAUSE: Final = 1.0
_LOOK_EVERY: Final = 1.0
_STAND_BY: Final = 5.0
_NOW_AND_THEN: Final = 3600.0
_SOON_AGAIN: Final = 60.0
_GROUPINGS: Final = 30.0  # seconds that a note waits for them: it goes once, with them or without


class Tables(NamedTuple):
    """What the notifier follows: who wants what, and who may read."""

    rows: SubscriptionTable
    accounts: AccountsTable
    institutions: CompactedTable[Institution]
    readership: ReadershipTable
    """Where it says how many follow."""


def tables_of(bootstrap: str) -> Tables:
    """Those on a Kafka."""
    return Tables(
        subscriptions_table(bootstrap),
        accounts_table(bootstrap),
        institutions_table(bootstrap),
        readership_table(bootstrap),
    )


async def notify(
    settings: SearchSettings,
    *,
    tables: Tables | None = None,
    aliases: Mapping[str, str] = ALIASES,
    changes: str = CHANGES,
) -> None:
    """Work until cancelled. Other tables, aliases and changes are for tests that share the
    engines."""
    tables = tables or tables_of(settings.kafka)
    rows, accounts, institutions, readership = tables
    path = settings.home / "state" / "notify.sqlite"
    try:
        for table in tables:
            table.start()
        # Who has no mail server is told of no silence: then nothing is to be done before somebody
        # follows something.
        if not settings.smtp_host:
            await _until_followed(rows)
        await _until_read(rows, accounts, institutions)
        ledger = await _ledger(path)
        directory, registry = LiveDirectory(accounts), LiveRegistry(institutions)
        present = SystemClock()

        def reader_of(row: Subscription) -> Reader | None:
            return reader_for(row, registry.view(), directory, present.now())

        public = connect(settings.elasticsearch, settings.search_timeout)
        members = connect(settings.elasticsearch, settings.search_timeout, members=True)
        indices = Indices(public, members, aliases, settings.search_patience)
        territories = load_territories(settings.zones)
        log = ChangeLog(settings.kafka, changes)
        proposed = GroupingTable(settings.kafka)
        synonyms = SynonymBook(settings.synonyms)
        watcher = Watcher(
            log=log,
            indices=indices,
            ledger=ledger,
            searches=FollowedSearches(territories, synonyms),
            rows=rows.rows,
            reader_of=reader_of,
            clock=settings.clock,
        )
        deliverer = Deliverer(
            ledger=ledger,
            rows=rows.rows,
            may_read=lambda row: reader_of(row) is not None,
            directory=directory,
            hydrate=hydrator(indices, reader_of, settings.clock),
            compose=composer(
                searcher_of(indices, territories, settings.clock, synonyms), reader_of, proposed
            ),
            disable=disabler(rows),
            mailer=mailer_of(settings),
            outside=Outside(private=settings.webhook_private),
            present=present,
            address=settings.public_address,
        )
        teller = SilenceTeller(
            indices=indices,
            ledger=ledger,
            members=institutions.rows,
            directory=directory,
            mailer=deliverer.mailer,
            clock=settings.clock,
            address=settings.public_address,
        )
        followers = FollowedSums(readership)

        async def count_followers() -> None:
            sums = await asyncio.to_thread(followers_in, path, _sirens(rows.rows()))
            await asyncio.to_thread(followers.write, sums, french_day(present.now()))

        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(_watch(rows, watcher))
                group.create_task(_deliver(rows, deliverer))
                group.create_task(_now_and_then(teller.turn))
                group.create_task(_now_and_then(count_followers))
        finally:
            await deliverer.close()
            await log.close()
            await asyncio.to_thread(proposed.close)
            await public.close()
            await members.close()
            ledger.close()
    finally:
        for table in tables:
            await asyncio.to_thread(table.close)


async def _until_read(*tables: CompactedTable[Any]) -> None:
    while not all(one.ready for one in tables):  # noqa: ASYNC110 -- a table has no event
        await asyncio.sleep(_LOOK_EVERY)


def _sirens(rows: Mapping[str, Subscription]) -> dict[str, str]:
    """Whose each subscription is."""
    return {name: row.siren for name, row in rows.items()}


async def _ledger(path: Path) -> Ledger:
    told = False
    while True:
        try:
            return Ledger(path)
        except (LedgerTakenError, LedgerUnwritableError) as error:
            if not told:
                _LOG.warning("%s", error)
                told = True
            await asyncio.sleep(_STAND_BY)


async def _until_followed(rows: SubscriptionTable) -> None:
    """Nothing is read and nothing known until somebody follows something."""
    while not rows.rows():  # noqa: ASYNC110 -- a table has no event to wait for
        await asyncio.sleep(_LOOK_EVERY)


async def _watch(rows: SubscriptionTable, watcher: Watcher) -> None:
    await _until_followed(rows)
    while True:
        try:
            await watcher.step()
        except (LedgerUnwritableError, SearchError) as error:
            _LOG.warning("notify_waits cause=%s", error)
            await asyncio.sleep(_PAUSE)


async def _deliver(rows: SubscriptionTable, deliverer: Deliverer) -> None:
    await _until_followed(rows)
    while True:
        try:
            await deliverer.turn()
        except (LedgerUnwritableError, TableError) as error:
            _LOG.warning("deliveries_wait cause=%s", error)
            await asyncio.sleep(_PAUSE)
        await asyncio.sleep(_LOOK_EVERY)


async def _now_and_then(do: Callable[[], Awaitable[object]]) -> None:
    """What is done once an hour, and first when the notifier begins."""
    while True:
        pause = _NOW_AND_THEN
        try:
            await do()
        except (LedgerUnwritableError, TableError, SearchError) as error:
            _LOG.warning("notify_waits cause=%s", error)
            pause = _SOON_AGAIN
        await asyncio.sleep(pause)


def hydrator(indices: Indices, reader_of: ReaderOf, clock: Clock) -> Hydrate:
    """Reads items as the owner of a subscription may read them at that moment."""

    async def hydrate(row: Subscription, ids: Sequence[str]) -> Items:
        reader = reader_of(row)
        if reader is None:
            return {}
        query = {
            "bool": {
                "filter": [{"terms": {"id": sorted(set(ids))}}, reader.filter()],
                "must_not": [{"term": {"stub": True}}],
            }
        }
        body: dict[str, Any] = {"size": len(set(ids)), "query": query, "_source": ITEM_FIELDS}
        found = await indices.of(reader).search(body)
        as_of = whole_millisecond(clock.now())
        hits = found.get("hits", {}).get("hits", [])
        return {hit["_source"]["id"]: item_of(hit, as_of, reader) for hit in hits}

    return hydrate


def searcher_of(
    indices: Indices, territories: Territories, clock: Clock, synonyms: SynonymBook
) -> Searcher:
    """A search as the service makes it; but that it gives nobody a next page."""
    return Searcher(
        indices=indices,
        snapshots=Snapshots(lifetime=60),
        territories=territories,
        clock=clock,
        cursor_key=b"",
        keep_alive="1m",
        synonyms=synonyms,
        freshness=Freshness(lambda reader, body: indices.of(reader).search(body)),
    )


def composer(searcher: Searcher, reader_of: ReaderOf, proposed: GroupingRows) -> Compose:
    """Writes notes as the owner of a subscription may read them at that moment: what the page of
    the note would show them."""

    async def compose(row: Subscription, week: Week) -> Letter | None:
        reader = reader_of(row)
        if reader is None:
            return None
        reading = Reading(searcher, reader, searcher.as_of(None))
        if week.end > reading.as_of:  # the search is judged from another day (TRAVERSE_AS_OF)
            week = Week.last_whole(reading.as_of)
        code = next(iter(row.search.get("territory", ())), None)
        scope = scope_of(reading, week, code)
        groupings = partial(read_groupings, proposed, reading, patience=_GROUPINGS)
        view = note_view(await read_note(reading, scope, groupings), scope, searcher.territories)
        return Letter(view, week, code or "fr", place_name(scope, searcher.territories))

    return compose


def disabler(rows: SubscriptionTable) -> Disable:
    """Writes on the table that a subscription is disabled; of one that is gone, nothing."""

    async def disable(name: str, why: Disabled) -> None:
        def changed(row: Subscription | None) -> Subscription:
            if row is None:
                raise KeyError(name)
            return row.model_copy(update={"disabled": why})

        with suppress(KeyError):
            await asyncio.to_thread(rows.update, name, changed)

    return disable


def mailer_of(settings: SearchSettings) -> Mailer:
    """The mail server, by the settings."""
    return Mailer(
        settings.smtp_host,
        settings.smtp_port,
        settings.smtp_sender,
        settings.smtp_security,
        settings.smtp_user,
        settings.smtp_password_file,
    )
