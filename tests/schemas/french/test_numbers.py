"""Numbers and sums as French writes them."""

import pytest

from traverse_schemas.french.numbers import euros, number


def plain(text: str) -> str:
    """With the spaces that a keyboard writes."""
    return text.replace("\u202f", " ").replace("\u00a0", " ")


@pytest.mark.parametrize(
    ("value", "said", "with_cents"),
    [
        (0, "0 €", "0 €"),
        (0.5, "0,50 €", "0,50 €"),
        (12.4, "12 €", "12,40 €"),
        (999, "999 €", "999 €"),
        (1500.5, "1 500 €", "1 500,50 €"),
        (1204000, "1 204 000 €", "1 204 000 €"),
    ],
)
def test_sums_are_written_to_the_euro_or_with_their_cents(
    value: float, said: str, with_cents: str
) -> None:
    assert plain(euros(value)) == said
    assert plain(euros(value, cents=True)) == with_cents


def test_no_line_ends_within_a_number() -> None:
    assert number(1204567) == "1\u202f204\u202f567"
    assert euros(1204) == "1\u202f204\u00a0€"
