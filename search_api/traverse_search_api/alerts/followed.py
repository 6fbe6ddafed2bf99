"""The saved searches that are followed, by what they find and for whom: those alike, once."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from traverse_schemas.reference.territories import Territories
from traverse_search_api.access.reader import Reader
from traverse_search_api.alerts.subscription import Subscription
from traverse_search_api.answers.active_filters import active_filters
from traverse_search_api.errors import InvalidParameterError
from traverse_search_api.matching.searches import Searches, search_of
from traverse_search_api.words.synonym_book import SynonymBook

_LOG = logging.getLogger(__name__)

ReaderOf = Callable[[Subscription], Reader | None]


@dataclass(slots=True)
class Followed:
    """One search of one reader, and the subscriptions that follow it."""

    why: tuple[str, ...]
    subscriptions: set[str] = field(default_factory=set)


class FollowedSearches:
    """Kept like the table of subscriptions, with a reader for each."""

    def __init__(self, territories: Territories, synonyms: SynonymBook) -> None:
        self.searches = Searches(territories, synonyms)
        self.by_key: dict[str, Followed] = {}
        self.rows: Mapping[str, Subscription] = {}
        self._territories = territories
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
                if known[2] in self.searches:
                    continue
                # Elasticsearch refused it (`finding.found_by`): asked again, as it may take it now.
                _LOG.error("subscription_refused id=%s", name)
            self._drop(name)
            if reader is not None:
                self._add(name, row, reader, now)

    def readers(self) -> set[Reader]:
        """Everybody who follows something."""
        return self.searches.readers()

    def reader(self, subscription: str) -> Reader | None:
        """Who reads for a subscription; None for one that is not followed."""
        known = self._keys.get(subscription)
        return known[1] if known else None

    def why(self, subscription: str) -> tuple[str, ...]:
        """What a subscription asks for, in words."""
        return self.by_key[self._keys[subscription][2]].why

    def _add(self, name: str, row: Subscription, reader: Reader, now: datetime) -> None:
        try:
            parameters = row.parameters
            search = search_of(parameters, reader)
            followed = self.by_key.get(search.key)
            if followed is None:
                text = parameters.q.strip()
                filters = active_filters(parameters, now, self._territories)
                followed = Followed(
                    (*([f"« {text} »"] if text else ()), *(one.label for one in filters))
                )
            self.searches.put(search, now)  # anew, where it was refused before
        except (InvalidParameterError, ValueError):
            # A territory that is no more, a filter of another version: its owner sees it there.
            _LOG.warning("subscription_not_followed id=%s", name)
            return
        self.by_key[search.key] = followed
        followed.subscriptions.add(name)
        self._keys[name] = (row.search, reader, search.key)

    def _drop(self, name: str) -> None:
        known = self._keys.pop(name, None)
        if known is None:
            return
        followed = self.by_key[known[2]]
        followed.subscriptions.discard(name)
        if not followed.subscriptions:
            del self.by_key[known[2]]
            self.searches.drop(known[2])
