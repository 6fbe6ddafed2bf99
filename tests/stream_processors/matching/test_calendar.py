"""The calendar: whatever has a day in common is beside, whoever came and went."""

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from traverse_stream_processors.matching.calendar import Calendar
from traverse_stream_processors.matching.purchases import (
    FIRST_DAY,
    LAST_DAY,
    Purchase,
    overlap,
)

DAYS = st.dates(date(2025, 1, 1), date(2029, 12, 31)).map(date.isoformat)
PERIODS = st.builds(
    lambda days, opened, closed: Purchase(
        FIRST_DAY if opened else min(days), LAST_DAY if closed else max(days), renewal=False
    ),
    st.tuples(DAYS, DAYS),
    st.integers(0, 4).map(lambda drawn: drawn == 0),
    st.integers(0, 4).map(lambda drawn: drawn == 0),
)


@given(
    st.dictionaries(st.sampled_from("abcdefgh"), PERIODS), PERIODS, st.sets(st.sampled_from("ab"))
)
def test_what_has_a_day_in_common_is_beside(
    periods: dict[str, Purchase], asked: Purchase, gone: set[str]
) -> None:
    calendar = Calendar()
    for one, period in periods.items():
        calendar.put(one, period)
    for one in gone & periods.keys():
        calendar.drop(one, periods[one])
    left = periods.keys() - gone
    beside = calendar.beside(asked, left)
    assert beside <= left
    assert beside >= {one for one in left if overlap(periods[one], asked) is not None}


def test_what_is_over_before_is_not_beside() -> None:
    calendar = Calendar()
    calendar.put("over", Purchase("2020-01-01", "2020-09-30", renewal=True))
    calendar.put("long", Purchase("2020-01-01", "2029-09-30", renewal=True))
    calendar.put("now", Purchase("2026-11-01", "2027-03-31", renewal=True))
    asked = Purchase("2027-02-01", "2027-05-31", renewal=False)
    assert calendar.beside(asked, {"over", "long", "now", "never put"}) == {"long", "now"}
