"""The injected clock."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from traverse_schemas.clock import FixedClock, InvalidClockError, SystemClock, clock_from


def test_a_fixed_clock_stands_still_in_utc() -> None:
    clock = FixedClock(datetime(2023, 5, 31, 12, tzinfo=timezone(timedelta(hours=2))))
    assert clock.now() == clock.now() == datetime(2023, 5, 31, 10, tzinfo=UTC)
    assert clock.now().tzinfo is UTC


@pytest.mark.parametrize(
    ("as_of", "expected"),
    [
        ("2023-05-31", datetime(2023, 5, 31, 12, tzinfo=UTC)),
        ("2023-05-31T08:00", datetime(2023, 5, 31, 8, tzinfo=UTC)),
        ("2023-05-31T08:00:00+02:00", datetime(2023, 5, 31, 6, tzinfo=UTC)),
    ],
)
def test_a_setting_fixes_the_clock(as_of: str, expected: datetime) -> None:
    assert clock_from(as_of).now() == expected


@pytest.mark.parametrize("as_of", [None, "", "  "])
def test_without_a_setting_time_goes_on(as_of: str | None) -> None:
    clock = clock_from(as_of)
    assert isinstance(clock, SystemClock)
    assert clock.now().utcoffset() == timedelta(0)


def test_a_wrong_setting_says_how_to_write_it() -> None:
    with pytest.raises(InvalidClockError, match="écrivez 2023-05-31"):
        clock_from("hier")
    with pytest.raises(InvalidClockError, match="fuseau"):
        FixedClock(datetime(2023, 5, 31))  # noqa: DTZ001 - naive on purpose
