"""What stands beside a search: records like this one, a map of counts.

Queries are pure functions; the answers are read by pure functions too.
"""

from datetime import datetime
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError

from traverse_search_api.access.reader import Reader
from traverse_search_api.filters.parameter_filters import readable_filters
from traverse_search_api.query.queries import ITEM_FIELDS

Query = dict[str, Any]

_MOST_TILES: Final = 2_000


def similar_body(document: dict[str, Any], as_of: datetime, size: int, reader: Reader) -> Query:
    """Records whose words are like the document's; its CPV codes and places count too.

    Lucene's MoreLikeThis on the words that tell the document apart: which these are depends on all
    that an index holds, so that only indices that the reader may read whole are to be asked.
    """
    always, never = readable_filters(as_of, reader)
    text = f"{document['title']}\n{document.get('description', '')[:2_000]}"
    likeness: Query = {
        "more_like_this": {
            "fields": ["title", "description", "cpv_labels"],
            "like": text,
            "min_term_freq": 1,
            "min_doc_freq": 2,
            "max_doc_freq": 100_000,
            "max_query_terms": 25,
            "minimum_should_match": "30%",
        }
    }
    should: list[Query] = []
    if document.get("cpv"):
        should.append({"terms": {"cpv": document["cpv"][:20], "boost": 4}})
    near = [code for code in document.get("within", ()) if code.startswith(("epci:", "dep:"))]
    if near:
        should.append({"terms": {"within": near[:20], "boost": 2}})
    return {
        "size": size,
        "track_total_hits": False,
        "_source": ITEM_FIELDS,
        "query": {
            "bool": {
                "must": [likeness],
                "should": should,
                "filter": always,
                "must_not": [*never, {"term": {"id": document["id"]}}],
            }
        },
        "sort": ["_score", {"id": {"order": "asc"}}],
    }


class Box(BaseModel):
    """West, south, east, north in degrees (WGS 84); it may cross the 180th meridian."""

    model_config = ConfigDict(frozen=True)

    west: float = Field(ge=-180, le=180, allow_inf_nan=False)
    south: float = Field(ge=-90, le=90, allow_inf_nan=False)
    east: float = Field(ge=-180, le=180, allow_inf_nan=False)
    north: float = Field(ge=-90, le=90, allow_inf_nan=False)


def read_box(value: object) -> object:
    """`ouest,sud,est,nord` as the fields of a Box."""
    if not isinstance(value, str):
        return value
    parts = [part.strip() for part in value.split(",")]
    try:
        numbers = [float(part) for part in parts]
    except ValueError:
        numbers = []
    if len(numbers) != 4 or not numbers[1] <= numbers[3]:
        raise PydanticCustomError(
            "bbox",
            "« {value} » n’est pas un cadre : écrivez ouest,sud,est,nord en degrés "
            "(4.2,43.1,5.8,44.0)",
            {"value": value[:60]},
        )
    return dict(zip(("west", "south", "east", "north"), numbers, strict=True))


def map_query(body: Query, box: Box, zoom: int) -> Query:
    """The search of `queries.search_body` as counts by tile of a web map, inside of the box."""
    inside = {
        "geo_bounding_box": {
            "location": {
                "top": box.north, "left": box.west, "bottom": box.south, "right": box.east,
            }
        }
    }  # fmt: skip
    return {
        "size": 0,
        "track_total_hits": True,
        "query": {"bool": {"filter": [body["query"], inside]}},
        "aggs": {
            "tiles": {
                # Four by four tiles of counts on each tile of the map.
                "geotile_grid": {
                    "field": "location", "precision": min(zoom + 2, 29), "size": _MOST_TILES,
                },
                "aggs": {"middle": {"geo_centroid": {"field": "location"}}},
            }
        },
    }  # fmt: skip


def read_map(found: dict[str, Any]) -> dict[str, Any]:
    """`{"total": …, "complete": …, "tiles": [{"tile": "z/x/y", "count", "lat", "lon"}, …]}`."""
    buckets = found.get("aggregations", {}).get("tiles", {}).get("buckets", [])
    total = int(found.get("hits", {}).get("total", {}).get("value", 0))
    return {
        "total": total,
        "complete": sum(bucket["doc_count"] for bucket in buckets) >= total,
        "tiles": [
            {
                "tile": bucket["key"],
                "count": bucket["doc_count"],
                "lat": round(bucket["middle"]["location"]["lat"], 5),
                "lon": round(bucket["middle"]["location"]["lon"], 5),
            }
            for bucket in buckets
        ],
    }
