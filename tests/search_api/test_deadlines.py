"""Days of deadlines are those of the buyer's own zone."""

from datetime import date

import pytest

from tests.documents import deadline, document
from traverse_schemas.clock import clock_from
from traverse_schemas.records.codes import DeadlineKind
from traverse_search_api.deadlines import KIND_LABELS, deadline_query, local_end
from traverse_search_api.matching.judging import judge
from traverse_search_api.understanding.time_words import time_words

DAY = date(2026, 3, 12)


def test_every_kind_of_deadline_has_its_words_on_the_pages() -> None:
    assert KIND_LABELS.keys() == set(DeadlineKind)
    assert len(set(KIND_LABELS.values())) == len(DeadlineKind)


@pytest.mark.parametrize(
    ("zone", "until", "precision", "that_day"),
    [
        ("Europe/Paris", "2026-03-12T11:00:00Z", "minute", True),
        ("Europe/Paris", "2026-03-12T23:00:00Z", "day", True),
        ("Europe/Paris", "2026-03-11T23:00:00Z", "day", False),
        # Noon of the 12th in Noumea and at one in the morning there; the 11th's last hour.
        ("Pacific/Noumea", "2026-03-12T01:00:00Z", "minute", True),
        ("Pacific/Noumea", "2026-03-11T14:00:00Z", "minute", True),
        ("Pacific/Noumea", "2026-03-12T13:00:00Z", "day", True),
        ("Pacific/Noumea", "2026-03-12T14:00:00Z", "minute", False),
        # Six in the evening of the 12th in Tahiti is the 13th in Paris.
        ("Pacific/Tahiti", "2026-03-13T04:00:00Z", "minute", True),
        ("Pacific/Tahiti", "2026-03-13T10:00:00Z", "day", True),
        ("America/Guadeloupe", "2026-03-13T04:00:00Z", "day", True),
        ("America/Guadeloupe", "2026-03-12T04:00:00Z", "day", False),
        ("Indian/Reunion", "2026-03-12T20:00:00Z", "day", True),
        ("", "2026-03-12T11:00:00Z", "minute", True),
    ],
)
def test_a_day_is_that_of_the_deadline_s_own_zone(
    zone: str, until: str, precision: str, that_day: bool
) -> None:
    """Asked by its date or in words, it is the day that tables and calendars show."""
    ends = deadline(until, precision) | {"zone": zone}
    one = document("d", "Voirie", deadline=ends)
    said = time_words("cloture aujourd hui", clock_from("2026-03-12T10:00:00Z").now())
    assert said is not None
    for query in (deadline_query(DAY, DAY), said.query):
        assert judge(query, one) is that_day
    assert (local_end(ends).date() == DAY) is that_day


def test_instants_are_the_same_everywhere() -> None:
    at = clock_from("2026-03-12T10:00:00Z").now()
    bounds = {"gte": "2026-03-12T10:00:00.000Z", "lte": "2026-03-12T10:00:00.000Z"}
    assert deadline_query(at, at) == {"range": {"deadline.until": bounds}}
