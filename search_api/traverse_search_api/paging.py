"""Pages that stay put while documents arrive, for one round trip a page.

The first page is read from the live index. The others are read from a *snapshot* (a point in time
of Elasticsearch), opened when the first page turns out to have a next one. Between the two, a
document may have come or scores may have shifted a little: so the second page does not start
"after the last score" but at the top, without the documents already shown (their ids are in the
cursor). Whatever arrives, no document is shown twice and none that was there is missed.

Opening a snapshot is a round trip, and snapshots hold memory. Every first page therefore also reads
the highest sequence number of the index, which moves with each write that became visible: while it
stands still, the snapshot of an earlier search serves again. There are so never more snapshots
than refreshes of the index, however many searches there are.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

from traverse_search_api.cursor import Cursor

Query = dict[str, Any]
View = tuple[tuple[str, int], ...]
"""A state of some indices: each one's name and its highest visible sequence number."""


def next_page(body: Query, cursor: Cursor, keep_alive: str) -> Query:
    """The search of a first page (`queries.search_body`) as that of a later one."""
    shown = {"terms": {"id": list(cursor.shown)}}
    chosen = body.get("post_filter")
    # Not in the query: facets count what was shown, too.
    post_filter: Query = {"bool": {"must_not": [shown], **({"filter": [chosen]} if chosen else {})}}
    paged = body | {
        "post_filter": post_filter,
        "track_total_hits": False,
        "pit": {"id": cursor.snapshot, "keep_alive": keep_alive},
    }
    if cursor.after is not None:
        paged["search_after"] = list(cursor.after)
    return paged


@dataclass(slots=True)
class Snapshots:
    """The snapshots for the present state of the indices, shared by the searches of one process.

    `lifetime` is in seconds. A snapshot is handed out only in the first half of its life, so that
    its reader has the other half.
    """

    lifetime: float
    now: Callable[[], float] = monotonic
    _current: dict[tuple[str, ...], tuple[View, str, float]] = field(
        default_factory=dict, init=False
    )

    async def of(
        self, aliases: tuple[str, ...], view: View, open_one: Callable[[], Awaitable[str]]
    ) -> str:
        """The id of a snapshot of these indices at that state, or a moment later; `open_one` opens
        a point in time of them."""
        current = self._current.get(aliases)
        if current and current[0] == view and self.now() - current[2] < self.lifetime / 2:
            return current[1]
        opened_at = self.now()
        identifier = await open_one()
        self._current[aliases] = (view, identifier, opened_at)
        return identifier
