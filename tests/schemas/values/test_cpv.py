"""CPV codes: check digits as published, parents, and how feeds write them."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from traverse_schemas.reference.cpv import cpv_table
from traverse_schemas.values.cpv import (
    Cpv,
    cpv_ancestors,
    cpv_category,
    cpv_check_digit,
    cpv_class,
    cpv_division,
    cpv_group,
    normalise_cpv,
)

published = st.deferred(lambda: st.sampled_from(sorted(cpv_table())))


@pytest.mark.parametrize(
    "written",
    [
        "45233140-2",  # the weighted sum
        "45000000-7",
        "03300000-2",  # branches that the revision of 2008 renumbered
        "09310000-5",
        "72000000-5",
        "72267100-0",
        "42120000-6",
        "34421000-7",
        "34422000-7",
        "37442900-8",
        "51000000-9",
        "71351924-2",
    ],
)
def test_check_digits_as_the_regulation_prints_them(written: str) -> None:
    assert cpv_check_digit(written[:8]) == int(written[9])


@given(published)
def test_a_right_check_digit_is_dropped_and_a_wrong_one_refused(code: str) -> None:
    right = cpv_check_digit(code)
    adapter = TypeAdapter(Cpv)
    assert adapter.validate_python(f"{code}-{right}") == code == adapter.validate_python(code)
    with pytest.raises(ValidationError, match=f"devrait être {right}"):
        adapter.validate_python(f"{code}-{(right + 1) % 10}")


@given(published)
def test_ancestors_end_with_the_division_and_each_is_above_the_one_before(code: str) -> None:
    chain = cpv_ancestors(code)
    assert chain[0] == code
    assert chain[-1] == cpv_division(code)
    assert len(set(chain)) == len(chain)
    for below, above in pairwise(chain):
        assert below.startswith(above.rstrip("0"))


def test_the_levels_of_a_code() -> None:
    chain = ("45233140", "45233100", "45233000", "45230000", "45200000", "45000000")
    assert cpv_ancestors("45233140") == chain
    named = (cpv_category, cpv_class, cpv_group, cpv_division)
    assert tuple(level("45233140") for level in named) == chain[2:]
    assert cpv_ancestors("30000000") == ("30000000",)


@pytest.mark.parametrize("text", ["4523314", "452331400", "45233140-", "45233140-22", "00000000"])
def test_what_is_not_a_code(text: str) -> None:
    with pytest.raises(ValidationError, match="n’est pas un code CPV"):
        TypeAdapter(Cpv).validate_python(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (" 45233140-2 ", "45233140"),
        ("45233140", "45233140"),
        ("45233140-0", "45233140"),
        ("45233140 - 2", "45233140"),
        ("11111111-x", None),
        ("00000000", None),
        ("", None),
    ],
)
def test_codes_as_feeds_write_them(text: str, expected: str | None) -> None:
    assert normalise_cpv(text) == expected
