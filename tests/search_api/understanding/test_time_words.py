"""Times in the words of a search."""

import pytest

from traverse_schemas.clock import clock_from
from traverse_search_api.understanding.time_words import time_words

NOW = clock_from("2026-03-12T10:00:00Z").now()


@pytest.mark.parametrize(
    "day", ["31 12 9999", "01 01 0001", "01 01 0999", "01 01 1899", "31 02 2027"]
)
def test_a_day_that_nobody_means_is_none(day: str) -> None:
    """ "No end" of many systems, and what Elasticsearch would refuse for everybody."""
    assert time_words(f"echeance {day}", NOW) is None


def test_a_day_has_both_its_ends() -> None:
    found = time_words("cloture le 12 03 2027", NOW)
    assert found is not None
    assert found.value == "2027-03-12,2027-03-12"
