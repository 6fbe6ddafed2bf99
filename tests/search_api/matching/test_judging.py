"""What a filter says of a document, and when it says that it does not know."""

from typing import Any

import pytest

from tests.documents import deadline, document
from traverse_search_api.matching.judging import judge

ONE = document(
    "j-1", "École", cpv=["45000000-7"], amount=1500.5, end_max="2026-03-12",
    deadline=deadline("2026-03-20T10:00:00.123456Z"),
)  # fmt: skip
YES: dict[str, Any] = {"term": {"kind": "call"}}
NO: dict[str, Any] = {"term": {"kind": "need"}}
UNKNOWN: dict[str, Any] = {"match": {"title": "école"}}


@pytest.mark.parametrize(
    ("query", "verdict"),
    [
        ({"match_all": {}}, True),
        (YES, True),
        (NO, False),
        ({"term": {"stub": False}}, True),
        ({"term": {"stub": True}}, False),
        ({"terms": {"cpv_within": ["15000000", "45000000"]}}, True),
        ({"terms": {"themes": ["x"]}}, False),
        ({"exists": {"field": "deadline.until"}}, True),
        ({"exists": {"field": "outcome"}}, False),
        ({"exists": {"field": "title"}}, None),
        (UNKNOWN, None),
        ({"term": {"reference_keys": "j-1"}}, None),
        ({"range": {"amount": {"gte": 1500.5, "lt": 1501}}}, True),
        ({"range": {"amount": {"gt": 1500.5}}}, False),
        # The index keeps whole milliseconds.
        ({"range": {"deadline.until": {"lte": "2026-03-20T10:00:00.123Z"}}}, True),
        ({"range": {"deadline.until": {"gt": "2026-03-20T10:00:00.123Z"}}}, False),
        # A bare day as a bound: `gt` and `lte` are after its end and up to it.
        ({"range": {"end_max": {"lt": "2026-03-12"}}}, False),
        ({"range": {"end_max": {"lte": "2026-03-12"}}}, True),
        ({"range": {"end_max": {"gt": "2026-03-12"}}}, False),
        ({"range": {"end_max": {"gte": "2026-03-12"}}}, True),
        ({"range": {"closed_on": {"gte": "2026-03-12"}}}, False),
        ({"range": {"end_max": {"gte": "now/d"}}}, None),
        ({"range": {"end_max": {"gte": "2026-03-12", "time_zone": "+01:00"}}}, None),
        ({"bool": {"filter": [YES, UNKNOWN, NO]}}, False),
        ({"bool": {"filter": [YES, UNKNOWN]}}, None),
        ({"bool": {"filter": YES, "must_not": [NO]}}, True),
        ({"bool": {"must_not": [NO, YES]}}, False),
        ({"bool": {"must_not": [UNKNOWN]}}, None),
        ({"bool": {"should": [NO, UNKNOWN]}}, None),
        ({"bool": {"should": [UNKNOWN, YES]}}, True),
        ({"bool": {"should": [NO, NO]}}, False),
        ({"bool": {"should": [NO], "filter": [YES]}}, True),
        ({"bool": {"should": [NO], "filter": [YES], "minimum_should_match": 1}}, False),
        ({"bool": {"should": [YES, YES], "minimum_should_match": 2}}, None),
        ({"bool": {"should": [YES], "boost": 2}}, None),
    ],
)
def test_a_filter_says_yes_no_or_that_it_does_not_know(
    query: dict[str, Any], verdict: bool | None
) -> None:
    assert judge(query, ONE) is verdict
