"""What the indices say of changed documents, to all streams at once or to one that catches up."""

from collections.abc import Collection, Mapping, Sequence

from traverse_schemas.clock import Clock
from traverse_search_api.access.reader import ANYBODY, Reader
from traverse_search_api.changes.change_log import Change
from traverse_search_api.engines.elasticsearch_client import Indices
from traverse_search_api.errors import RefusedQueryError
from traverse_search_api.matching.finding import asked, found_by, refused
from traverse_search_api.matching.looked import Seen, joined, look_body, read_look
from traverse_search_api.matching.searches import Search, Searches


class Lookout:
    """Looks on behalf of streams. Everything here raises SearchUnavailableError."""

    def __init__(self, searches: Searches, indices: Indices, clock: Clock) -> None:
        """`searches` are those of the streams that stand, and change as they come and go."""
        self._searches = searches
        self._indices = indices
        self._clock = clock

    async def for_all(self, changes: Sequence[Change]) -> Seen:
        """What is seen of the changes, with what each stream's search finds of them."""
        seen: Seen = {}
        asked_for: set[tuple[str, int]] = set()
        while True:
            # Who joins while Elasticsearch is asked must be asked for as well, and so must who
            # left and came back.
            new = self._searches.filed() - asked_for
            if seen and not new:
                return seen
            keys = {key for key, _ in new}
            looked = await self._look(changes, self._searches.readers())
            shown = {
                name: {one: hit["_source"] for one, hit in each.hits.items()}
                for name, each in looked.items()
            }
            found = await found_by(shown, self._searches, self._indices, self._clock.now(), keys)
            seen = joined(seen, _matched(looked, found))
            asked_for |= new
            if not changes:
                return seen

    async def for_one(self, changes: Sequence[Change], search: Search) -> Seen:
        """The same for one search, which need not be followed yet. Raises RefusedQueryError."""
        looked = await self._look(changes, {search.reader})
        query = {search.key: self._searches.asks(search, self._clock.now())}
        found = {}
        for name, each in looked.items():
            if name in search.reader.indices:
                found[name], refused = await asked(self._indices.one(name), each.hits.keys(), query)
                if refused:
                    raise RefusedQueryError
        return _matched(looked, found)

    async def refused(self, seen: Seen) -> set[Change]:
        """Of those that are late, the ones that will not come."""
        return await refused(seen, self._indices)

    async def _look(self, changes: Sequence[Change], readers: Collection[Reader]) -> Seen:
        """What the indices of these readers, and the public one, show of the changes."""
        seen: Seen = {}
        for name in dict.fromkeys(name for one in (ANYBODY, *readers) for name in one.indices):
            if changes:
                answer = await self._indices.one(name).match(look_body(changes))
                seen[name] = read_look(changes, answer, name)
        return seen


def _matched(seen: Seen, found: Mapping[str, Mapping[str, Collection[str]]]) -> Seen:
    return {
        name: looked._replace(
            matched={key: frozenset(ids) for key, ids in found.get(name, {}).items()}
        )
        for name, looked in seen.items()
    }
