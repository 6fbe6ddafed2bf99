"""`GET /v1/opportunities/{id}/history`: every version, by whom, when, and what changed."""

from typing import Annotated, Any, Final

import orjson
from fastapi import APIRouter, Query, Request, Response

from traverse_schemas.signing.sources import siren_in
from traverse_search_api.access.reader import Reader
from traverse_search_api.access.ways import Readers
from traverse_search_api.answers.answer_schema import HISTORY, MERGED, answers
from traverse_search_api.history.accepted_log import AcceptedLog
from traverse_search_api.history.versions import readable, versions
from traverse_search_api.search import Searcher
from traverse_search_api.web.description import AsOf, Identifier

_MOST_RECORDS: Final = 20
"""Records of one opportunity whose events are asked for: the first of its sources."""


def history_router(
    searcher: Searcher,
    log: AcceptedLog,
    readers: Readers,
    problems: dict[int | str, dict[str, Any]],
) -> APIRouter:
    """The route, over the log of accepted events."""
    router = APIRouter(tags=["recherche"])

    @router.get(
        "/v1/opportunities/{identifier}/history",
        responses={**problems, **MERGED, **answers(HISTORY, "Les versions, la dernière d’abord.")},
        response_class=Response,
    )
    async def history(
        request: Request,
        identifier: Identifier,
        as_of: AsOf = None,
        size: Annotated[
            int, Query(ge=1, le=100, description="Versions, la dernière d’abord.")
        ] = 50,
    ) -> Response:
        """Toutes les versions de ce qui est publié : quand, par qui, ce qui a changé."""
        reader = readers.of(request)
        document = await searcher.document(identifier, searcher.as_of(as_of), reader)
        answer = await history_of(document, log, reader, size)
        return Response(orjson.dumps(answer), media_type="application/json")

    return router


async def history_of(
    document: dict[str, Any], log: AcceptedLog, reader: Reader, size: int
) -> dict[str, Any]:
    """The last `size` versions of an opportunity that the reader may read. `complete`: there are
    no others. Raises HistoryUnavailableError."""
    records = [(one["source"], one["subject"]) for one in document["sources"][:_MOST_RECORDS]]
    told = [readable(found, reader) for found in await log.pointers(records)]
    # One more than is shown: what the first shown one changed is told by the one before it.
    asked = [one[-size - 1 :] for one in told]
    kept = await log.events(pointer for one in asked for pointer, _ in one)
    items: list[dict[str, Any]] = []
    complete = len(document["sources"]) <= _MOST_RECORDS
    for every, some in zip(told, asked, strict=True):
        found = versions([(kept[place], audience) for place, audience in some if place in kept])
        cut = len(every) > size
        complete = complete and not cut
        items += found[1:] if cut else found
    items.sort(key=lambda one: (one["at"], one["source"], one["subject"]), reverse=True)
    names = _names(document)
    return {
        "id": document["id"],
        "items": [{**one, "by": names.get(siren_in(one["source"]))} for one in items[:size]],
        "complete": complete and len(items) <= size,
    }


def _names(document: dict[str, Any]) -> dict[str, str]:
    return {one["siren"]: one["name"] for one in document["institutions"] if one.get("siren")}
