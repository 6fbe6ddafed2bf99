"""The arithmetic of the benchmark."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from traverse_infra.bench.figures import (
    Seen,
    latency_figures,
    percentile,
    rate,
    schedule,
    spread,
)

VALUES = st.lists(st.floats(0, 1e6), min_size=1)


def test_percentile_is_the_nearest_rank() -> None:
    """Of 1 to 100, the 95th percentile is 95; one value is every percentile."""
    assert percentile([*range(100, 0, -1)], 0.95) == 95
    assert percentile([7], 0.5) == percentile([7], 0.99) == 7
    with pytest.raises(ValueError, match="no values"):
        percentile([], 0.5)


@given(VALUES, st.floats(0, 1))
def test_percentile_is_a_value_that_enough_do_not_exceed(values: list[float], share: float) -> None:
    """By its definition, whatever the values."""
    found = percentile(values, share)
    assert found in values
    assert sum(value <= found for value in values) >= share * len(values) - 1e-9


@given(VALUES)
def test_spread_orders_least_median_greatest(values: list[float]) -> None:
    """The median lies between the two, whatever the order of the measurements."""
    found = spread(values)
    assert found["min"] <= found["median"] <= found["max"]
    assert spread(values[::-1]) == found


def test_median_of_two_is_their_mean() -> None:
    """An even number of measurements has no middle one."""
    assert spread([1, 3])["median"] == 2


def test_rate_leaves_out_what_was_there_at_the_start() -> None:
    """100 of 1100 were there when the clock started; the first look that sees all ends it."""
    looks = [Seen(11, 600), Seen(12, 1100), Seen(20, 1100)]
    assert rate(Seen(10, 100), 1100, looks) == 500


def test_no_rate_when_not_all_was_seen() -> None:
    """A measurement that did not end gives no figure."""
    with pytest.raises(ValueError, match="no look sees all 10"):
        rate(Seen(0, 0), 10, [Seen(1, 9)])


def test_no_rate_when_all_was_there_at_the_start() -> None:
    """What could not be watched has no figure, rather than 0."""
    with pytest.raises(ValueError, match="all 10 were there"):
        rate(Seen(0, 10), 10, [Seen(1, 10)])


def test_schedule_is_even_and_independent_of_what_happens() -> None:
    """50 a second for 2 seconds are 100 events, 20 ms apart."""
    due = schedule(50, 2)
    assert len(due) == 100
    assert due[:3] == [0, 0.02, 0.04]


def test_latency_is_told_in_milliseconds() -> None:
    """From seconds."""
    assert latency_figures([0.1, 0.2]) == {"p50": 100, "p95": 200, "p99": 200, "max": 200}
