"""Needs that may be the same as one that is about to be published. Pure."""

from datetime import datetime
from typing import Any, Final

from traverse_schemas.reference.territories import Territories
from traverse_search_api.filters.status_query import status_filter
from traverse_search_api.filters.territory_query import territory_filter
from traverse_search_api.pages.dashboard_view import WAITING

Query = dict[str, Any]

# Of « Défibrillateur pour le gymnase » one word is enough: most say another place or none.
_ENOUGH: Final = "1<1 2<-34%"


def alike_titles(title: str) -> Query:
    """What scores titles that hold two words in three of this one; of two words, one."""
    return {"match": {"title": {"query": title, "minimum_should_match": _ENOUGH}}}


def waiting_around(place: str, as_of: datetime, territories: Territories) -> list[Query]:
    """The needs that wait in the EPCI of a place (a typed code), else in its département, or that
    are said for what covers it: a département's for its towns."""
    chain = territories.chain(place)
    wide = chain.first("epci") or chain.first("dep") if chain else None
    return [
        {"term": {"kind": "need"}},
        status_filter(WAITING, as_of),
        {
            "bool": {
                "should": [
                    territory_filter((wide.code if wide else place,), "within", territories),
                    # Of the place itself: an EPCI may lie in two départements.
                    territory_filter((place,), "applies", territories),
                ]
            }
        },
    ]
