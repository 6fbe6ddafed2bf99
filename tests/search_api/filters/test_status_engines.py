"""The status that a search filters by is the status that an item shows: one law, two languages."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.documents import deadline, document
from tests.search_api.conftest import Service
from traverse_schemas.documents.indexed import REFERENCE_KEYS
from traverse_schemas.documents.status import OPEN_STATUSES, Status, status_of
from traverse_schemas.log.identity import utc_text
from traverse_schemas.records.codes import OUTCOMES, Kind, NeedStage, ProjectStage
from traverse_search_api.filters.status_query import status_clause, status_filter, whole_millisecond
from traverse_search_api.query.status_counts import open_filter, read_statuses, status_aggregations

pytestmark = pytest.mark.engines

BASE = datetime(2026, 3, 28, 22, 30, tzinfo=UTC)  # Paris changes to summer time that night
STAGES: dict[Kind, list[str | None]] = {
    Kind.CALL: [None],
    Kind.PROJECT: [None, *(stage.value for stage in ProjectStage)],
    Kind.NEED: [None, *(stage.value for stage in NeedStage)],
}
# Around the borders: the instant itself, a microsecond and a millisecond off, hours, a week, days.
moments = st.builds(
    lambda days, hours, microseconds: (
        BASE + timedelta(days=days, hours=hours, microseconds=microseconds)
    ),
    st.sampled_from([0, 0, 0, 1, -1, 7, -7, 90, -90, 400]),
    st.sampled_from([0, 0, 1, -1, 2, -2]),
    st.sampled_from([0, 0, 1, -1, 999, 1000, -1000, 500_000]),
)
days = moments.map(lambda moment: moment.date().isoformat())


@st.composite
def documents(draw: st.DrawFn) -> dict[str, Any]:
    kind = draw(st.sampled_from(list(Kind)))
    optional = {
        "outcome": draw(st.sampled_from([None, *sorted(OUTCOMES[kind])])),
        "stage": draw(st.sampled_from(STAGES[kind])),
        "notified": draw(st.none() | days),
        "end_max": draw(st.none() | days),
        "deadline": draw(st.none() | moments.map(lambda moment: deadline(utc_text(moment)))),
    }
    return document(
        "generated",
        "Document",
        kind=kind.value,
        updated_at=utc_text(draw(moments)),
        **{name: value for name, value in optional.items() if value is not None},
    )


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(documents(), min_size=30, max_size=60), st.lists(moments, min_size=3, max_size=6))
def test_every_filter_finds_and_every_facet_counts_exactly_the_documents_of_its_status(
    service: Service, made: list[dict[str, Any]], dates: list[datetime]
) -> None:
    """For any documents and any date, to the microsecond; and each document has one status."""
    run = uuid4().hex
    numbered = [
        {**one, "id": f"{run}-{number}", "references": [run]} for number, one in enumerate(made)
    ]
    service.add(*numbered)
    for as_of in map(whole_millisecond, dates):
        clauses = {status.value: status_clause(status, as_of) for status in Status}
        answer = service.elasticsearch.search(
            index=service.index,
            size=0,
            query={"term": {REFERENCE_KEYS: run}},
            aggs={
                "by": {
                    "filters": {"filters": clauses},
                    "aggs": {"ids": {"terms": {"field": "id", "size": 100}}},
                },
                **status_aggregations(as_of),
                "still": {
                    "filter": open_filter(as_of),
                    "aggs": {"ids": {"terms": {"field": "id", "size": 100}}},
                },
            },
        )["aggregations"]
        counts = Counter(status_of(one, as_of).value for one in numbered)
        assert read_statuses(answer) == counts
        still = {one["id"] for one in numbered if status_of(one, as_of) in OPEN_STATUSES}
        assert {one["key"] for one in answer["still"]["ids"]["buckets"]} == still
        found = answer["by"]["buckets"]
        for status in Status:
            by_search = {bucket["key"] for bucket in found[status.value]["ids"]["buckets"]}
            by_function = {one["id"] for one in numbered if status_of(one, as_of) is status}
            assert by_search == by_function, (status, as_of)


def test_open_includes_what_closes_soon() -> None:
    """Who asks for what is open means all that can still be answered."""
    as_of = whole_millisecond(BASE)
    assert status_filter([Status.OPEN], as_of) == {
        "bool": {
            "should": [
                status_clause(Status.OPEN, as_of),
                status_clause(Status.CLOSING_SOON, as_of),
            ]
        }
    }
