"""One grouping by its id, as a reader may read it; or where its members are, or that it ended."""

import asyncio
import re
from datetime import datetime
from typing import Any, Final

from traverse_schemas.documents.grouping import anchor_of
from traverse_search_api.access.reader import Reader
from traverse_search_api.errors import MergedError, UnknownOpportunityError, WithdrawnError
from traverse_search_api.groupings.errors import EndedGroupingError, UnknownGroupingError
from traverse_search_api.groupings.groupings import GroupingRows, one
from traverse_search_api.search import Searcher

_ID: Final = re.compile(r"[0-9a-f]{8}[a-z2-7]{16}")  # as in `decisions.GroupingWord`


async def read_grouping(
    rows: GroupingRows, searcher: Searcher, identifier: str, as_of: datetime, reader: Reader
) -> dict[str, Any]:
    """The grouping with an id. Raises MovedGroupingError, UnknownGroupingError,
    GroupingsUnavailableError, SearchUnavailableError; and EndedGroupingError where the id is named
    by a record that this reader knows of, and no grouping is of that any more.

    Nobody keeps what has ended: the record tells, and tells a reader nothing of groupings that
    others have for it.
    """
    known = await asyncio.to_thread(rows.rows)
    try:
        return one(known, identifier, as_of, reader)
    except UnknownGroupingError:
        if _ID.fullmatch(identifier) is None:
            raise
    anchor = anchor_of(identifier)
    try:
        await searcher.document(anchor, as_of, reader)
    except UnknownOpportunityError:
        raise UnknownGroupingError(identifier) from None
    except (MergedError, WithdrawnError):
        pass  # its page leads on, or says so
    raise EndedGroupingError(anchor)
