"""Pages that stay put while documents arrive, for one round trip a page.

The first page is read from the live index. The others are read from a *snapshot* (a point in time
of Elasticsearch), opened when somebody turns to the second one: most never do, and their searches
pay nothing for it. Between the two, documents may have come or scores may have shifted: so the
second page does not start "after the last score" but at the top, without the documents already
shown (their ids are in the cursor). No document is shown twice, none that was there is missed, and
what came in between is shown too; from the second page on everything stands still, the total too.

Snapshots hold memory. One that was opened after the first page was read serves any search.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from time import time
from typing import Any

from traverse_search_api.query.cursor import Cursor
from traverse_search_api.query.totals import EXACT_TOTAL

Query = dict[str, Any]


def next_page(body: Query, cursor: Cursor, snapshot: str, keep_alive: str) -> Query:
    """The search of a first page (`queries.search_body`) as that of a later one, in this snapshot.
    The second counts what there is besides what was shown; the others need not."""
    shown = {"terms": {"id": list(cursor.shown)}}
    chosen = body.get("post_filter")
    # Not in the query: facets count what was shown, too.
    post_filter: Query = {"bool": {"must_not": [shown], **({"filter": [chosen]} if chosen else {})}}
    paged = body | {
        "post_filter": post_filter,
        "track_total_hits": False if cursor.snapshot else EXACT_TOTAL,
        "pit": {"id": snapshot, "keep_alive": keep_alive},
    }
    if cursor.after is not None:
        paged["search_after"] = list(cursor.after)
    return paged


@dataclass(slots=True)
class Snapshots:
    """The last snapshot of each set of indices, shared by the searches of one process.

    `lifetime` is in seconds. A snapshot is handed out only in the first half of its life, so that
    its reader has the other half.
    """

    lifetime: float
    now: Callable[[], float] = time
    _last: dict[tuple[str, ...], tuple[str, float]] = field(default_factory=dict, init=False)

    async def of(
        self, aliases: tuple[str, ...], since: float, open_one: Callable[[], Awaitable[str]]
    ) -> str:
        """The id of a snapshot of these indices that is no older than `since` (seconds of `now`);
        `open_one` opens a point in time of them."""
        last = self._last.get(aliases)
        if last and last[1] > since and self.now() - last[1] < self.lifetime / 2:
            return last[0]
        opened = self.now()
        identifier = await open_one()
        self._last[aliases] = (identifier, opened)
        return identifier
