"""The searches that are followed, by streams or by subscriptions: what each says of a document."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from traverse_schemas.reference.territories import Territories
from traverse_search_api.access.reader import Reader
from traverse_search_api.filters.parameter_filters import (
    choice_filters,
    never_shown,
    other_filters,
    readable_filters,
)
from traverse_search_api.matching.judging import all_of, judge
from traverse_search_api.matching.needs import Candidates, Needs, keys_of_document, needs_of
from traverse_search_api.matching.words import Held, WordBook
from traverse_search_api.parameters import SearchParameters
from traverse_search_api.query.cursor import fingerprint
from traverse_search_api.query.queries import unscored
from traverse_search_api.text.plan import TextPlan, plan_of
from traverse_search_api.text.query import text_query
from traverse_search_api.words.synonym_book import SynonymBook

Query = dict[str, Any]
_AGE: Final = timedelta(seconds=60)  # what "open" means moves on with the clock
_TOGETHER: Final = 50  # searches that are filed anew without a pause: some milliseconds


class Search(NamedTuple):
    """A search of a reader. `key` tells those apart that find something else."""

    parameters: SearchParameters
    reader: Reader
    key: str


def search_of(parameters: SearchParameters, reader: Reader) -> Search:
    """The search with these parameters, of that reader."""
    return Search(parameters, reader, fingerprint(parameters, reader))


@dataclass(slots=True)
class _Followed:
    """`number` tells it from an earlier one with the same key; the needs are as at `made`."""

    search: Search
    number: int
    needs: Needs
    made: datetime


class Searches:
    """The searches that are followed: those alike, once."""

    def __init__(self, territories: Territories, synonyms: SynonymBook) -> None:
        self._territories = territories
        self._synonyms = synonyms
        self._meanings = synonyms.meanings()
        self._followed: dict[str, _Followed] = {}
        self._put = 0
        self._candidates = Candidates()
        self.words = WordBook()

    def put(self, search: Search, now: datetime) -> None:
        """Follow a search; nothing where it is followed already. Raises InvalidParameterError."""
        if search.key in self._followed:
            return
        needs = self._needs(search, now)
        self._put += 1
        self._followed[search.key] = _Followed(search, self._put, needs, now)
        self._candidates.put(search.key, needs.required)
        self.words.ask(needs.words)

    def drop(self, key: str) -> None:
        """Follow it no more; nothing where it is not followed."""
        followed = self._followed.pop(key, None)
        if followed is not None:
            self._candidates.drop(key)
            self.words.leave(followed.needs.words)

    def clear(self) -> None:
        """Follow none."""
        for key in list(self._followed):
            self.drop(key)

    def __contains__(self, key: str) -> bool:
        return key in self._followed

    def filed(self) -> set[tuple[str, int]]:
        """The keys of all of them, each with a number that is another when it was put again."""
        return {(key, one.number) for key, one in self._followed.items()}

    def readers(self) -> set[Reader]:
        """Everybody who follows something."""
        return {one.search.reader for one in self._followed.values()}

    def refresh(self, now: datetime) -> Iterator[None]:
        """File searches anew where the synonyms changed: other words are to be looked for. In
        pieces, between which others may be served: thousands take seconds."""
        meanings = self._synonyms.meanings()
        if meanings is self._meanings:
            return
        self._meanings = meanings
        for count, followed in enumerate(list(self._followed.values()), start=1):
            if self._followed.get(followed.search.key) is followed:  # has not left meanwhile
                self._file_anew(followed, now)
            if count % _TOGETHER == 0:
                yield

    def _file_anew(self, followed: _Followed, now: datetime) -> None:
        before, followed.made = followed.needs, now
        followed.needs = self._needs(followed.search, now)
        if followed.needs.required != before.required:
            self._candidates.drop(followed.search.key)
            self._candidates.put(followed.search.key, followed.needs.required)
        # Asked before they are left: of what is in both, nothing is read again.
        self.words.ask(followed.needs.words)
        self.words.leave(before.words)

    def query(self, key: str, now: datetime) -> Query:
        """What a followed search asks of Elasticsearch, as it is at `now`."""
        return self.asks(self._followed[key].search, now)

    def judge(
        self,
        index: str,
        document: Mapping[str, Any],
        held: Held,
        now: datetime,
        only: Collection[str] | None = None,
    ) -> Iterator[tuple[str, bool]]:
        """The searches that find a document of an index (its source, and the words it holds), with
        True; and with False those of which only Elasticsearch can tell whether they do.

        `only` leaves out all searches but these.
        """
        if any(judge(each, document) is True for each in never_shown(now)):
            return
        keys = keys_of_document(document, held.words())
        for key in self._candidates.of(keys):
            if only is not None and key not in only:
                continue
            followed = self._current(key, now)
            reader = followed.search.reader
            if index not in reader.indices or not reader.reads_document(document):
                continue
            text = followed.needs.text
            verdict = None if text is None else text.finds(held, keys, document)
            if verdict is not False and followed.needs.filters:
                filters = (judge(each, document) for each in followed.needs.filters)
                verdict = all_of((verdict, *filters))
            if verdict is not False:
                yield key, verdict is True

    def asks(self, search: Search, now: datetime) -> Query:
        """What a search asks of Elasticsearch, followed or not: what a search with its parameters
        finds, without what ranks it, which would be most of it. Raises InvalidParameterError."""
        filters, never = self._filters(search, now)
        return _bool([unscored(text_query(self._plan(search, now))), *filters], never)

    def _current(self, key: str, now: datetime) -> _Followed:
        followed = self._followed[key]
        if now - followed.made > _AGE:
            followed.made = now
            if followed.needs.moves:
                # The words that it looks for are the same; what it asks of a date is not.
                followed.needs = self._needs(followed.search, now)._replace(
                    words=followed.needs.words
                )
        return followed

    def _needs(self, search: Search, now: datetime) -> Needs:
        plan = self._plan(search, now)
        return needs_of(search.parameters, plan, now, self._territories)

    def _filters(self, search: Search, now: datetime) -> tuple[list[Query], list[Query]]:
        given = search.parameters
        always, never = readable_filters(now, search.reader)
        chosen = choice_filters(given, now, self._territories).values()
        return [*always, *chosen, *other_filters(given).values()], never

    def _plan(self, search: Search, now: datetime) -> TextPlan:
        given = search.parameters
        return plan_of(given.q, self._territories, self._meanings, now, given.literal)


def _bool(filters: list[Query], never: list[Query]) -> Query:
    return {"bool": {"filter": filters, "must_not": never}}
