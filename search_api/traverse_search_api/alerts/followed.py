"""The saved searches that are followed, by what they find and for whom: those alike, once."""

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from traverse_schemas.reference.territories import Territories
from traverse_search_api.active_filters import active_filters
from traverse_search_api.alerts.preselect import Candidates, required
from traverse_search_api.alerts.subscription import Subscription
from traverse_search_api.cursor import fingerprint
from traverse_search_api.errors import InvalidParameterError
from traverse_search_api.parameters import SearchParameters
from traverse_search_api.reader import Reader
from traverse_search_api.stream.matching import stream_filter
from traverse_search_api.synonym_book import SynonymBook
from traverse_search_api.text_query import plan_of

_LOG = logging.getLogger(__name__)
_FILTER_AGE: Final = timedelta(seconds=60)  # what "open" means moves on with the clock

Query = dict[str, Any]
ReaderOf = Callable[[Subscription], Reader | None]


@dataclass(slots=True)
class Followed:
    """One search of one reader, and the subscriptions that follow it."""

    parameters: SearchParameters
    reader: Reader
    why: tuple[str, ...]
    subscriptions: set[str] = field(default_factory=set)
    query: Query | None = None
    made: datetime | None = None


class FollowedSearches:
    """Kept like the table of subscriptions, with a reader for each."""

    def __init__(self, territories: Territories, synonyms: SynonymBook) -> None:
        self.candidates = Candidates()
        self.by_key: dict[str, Followed] = {}
        self.rows: Mapping[str, Subscription] = {}
        self._territories = territories
        self._synonyms = synonyms
        self._keys: dict[str, tuple[object, Reader, str]] = {}

    def refresh(self, rows: Mapping[str, Subscription], reader_of: ReaderOf, now: datetime) -> None:
        """Be like these rows. A subscription whose owner may not read any more is not followed."""
        self.rows = rows
        for gone in self._keys.keys() - rows.keys():
            self._drop(gone)
        for name, row in rows.items():
            reader = None if row.note else reader_of(row)
            known = self._keys.get(name)
            if known is not None and known[0] == row.search and known[1] == reader:
                continue
            self._drop(name)
            if reader is not None:
                self._add(name, row, reader, now)

    def readers(self) -> set[Reader]:
        """Everybody who follows something."""
        return {one.reader for one in self.by_key.values()}

    def reader(self, subscription: str) -> Reader | None:
        """Who reads for a subscription; None for one that is not followed."""
        known = self._keys.get(subscription)
        return known[1] if known else None

    def why(self, subscription: str) -> tuple[str, ...]:
        """What a subscription asks for, in words."""
        return self.by_key[self._keys[subscription][2]].why

    def query(self, key: str, now: datetime) -> Query:
        """The very query of the search, as it is at `now`."""
        followed = self.by_key[key]
        made = followed.made
        if followed.query is None or made is None or now - made > _FILTER_AGE:
            meanings = self._synonyms.meanings()
            followed.query = stream_filter(
                followed.parameters, now, self._territories, meanings, followed.reader
            )
            followed.made = now
        return followed.query

    def _add(self, name: str, row: Subscription, reader: Reader, now: datetime) -> None:
        try:
            parameters = row.parameters
            key = fingerprint(parameters, reader)
            if key not in self.by_key:
                text = parameters.q
                meanings = self._synonyms.meanings()
                plan = plan_of(text, self._territories, meanings, now, parameters.literal)
                needs = required(parameters, plan, now, self._territories, self.candidates.seen)
                filters = active_filters(parameters, now, self._territories)
                said = [f"« {text.strip()} »"] if text.strip() else []
                why = (*said, *(one.label for one in filters))
                self.by_key[key] = Followed(parameters, reader, why)
                self.candidates.put(key, needs)
        except (InvalidParameterError, ValueError):
            # A territory that is no more, a filter of another version: its owner sees it there.
            _LOG.warning("subscription_not_followed id=%s", name)
            return
        self.by_key[key].subscriptions.add(name)
        self._keys[name] = (row.search, reader, key)

    def _drop(self, name: str) -> None:
        known = self._keys.pop(name, None)
        if known is None:
            return
        followed = self.by_key[known[2]]
        followed.subscriptions.discard(name)
        if not followed.subscriptions:
            del self.by_key[known[2]]
            self.candidates.drop(known[2])


def subscriptions_of(keys: Iterable[str], searches: FollowedSearches) -> set[str]:
    """The subscriptions behind some searches."""
    return {name for key in keys for name in searches.by_key[key].subscriptions}
