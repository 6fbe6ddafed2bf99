"""What a subscription would have given: the search over what was published in the last days."""

from datetime import timedelta
from typing import Any, Final

from traverse_schemas.french.numbers import number
from traverse_search_api.access.reader import Reader
from traverse_search_api.moments import first_instant, read_moment
from traverse_search_api.parameters import SearchParameters, Sort
from traverse_search_api.search import Searcher

DAYS: Final = 30


async def dry_run(
    searcher: Searcher, parameters: SearchParameters, reader: Reader
) -> dict[str, Any]:
    """How many results in the last 30 days, in words too, and the last three of them.

    Raises InvalidParameterError, SearchUnavailableError.
    """
    since = searcher.as_of(None) - timedelta(days=DAYS)
    if parameters.published_from is not None:
        since = max(since, first_instant(read_moment(parameters.published_from)))
    plain = parameters.model_copy(
        update={
            "published_from": since.isoformat(), "as_typed": True, "sort": Sort.PUBLISHED,
            "size": 3, "facets": (), "cursor": None, "explain": False,
        }
    )  # fmt: skip
    answer = await searcher.search(plain, reader)
    return {
        "days": DAYS,
        "total": answer["total"],
        "sentence": sentence(answer["total"]["value"], exact=answer["total"]["exact"]),
        "items": answer["items"],
    }


def sentence(count: int, *, exact: bool = True) -> str:
    """« Cette alerte aurait donné 14 résultats ces 30 derniers jours. »"""
    if not count:
        return f"Cette alerte n’aurait rien donné ces {DAYS} derniers jours."
    least = "" if exact else "au moins "
    plural = "s" if count > 1 else ""
    found = f"{least}{number(count)} résultat{plural}"
    return f"Cette alerte aurait donné {found} ces {DAYS} derniers jours."
