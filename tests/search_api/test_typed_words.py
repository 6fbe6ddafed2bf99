"""What people type is taken apart, and nothing that they type is an error."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from traverse_search_api.typed_words import TypedWords, read


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("école numérique", TypedWords(words=("école", "numérique"))),
        ('"groupe scolaire" neuf', TypedWords(words=("neuf",), phrases=("groupe scolaire",))),
        ("« groupe  scolaire »", TypedWords(phrases=("groupe scolaire",))),
        ("“hors lot”", TypedWords(phrases=("hors lot",))),
        ("école -piscine", TypedWords(words=("école",), excluded_words=("piscine",))),
        ('-"hors lot"', TypedWords(excluded_phrases=("hors lot",))),
        ("rénov* école", TypedWords(words=("école",), prefixes=("rénov",))),
        ("Aix-en-Provence", TypedWords(words=("Aix-en-Provence",))),
        ("travaux - école", TypedWords(words=("travaux", "école"))),
        ('école "sans fin', TypedWords(words=("école", "sans", "fin"))),
        ('*** -- "" ! ?', TypedWords()),
        ("-piscine*", TypedWords(excluded_words=("piscine",))),
        ("", TypedWords()),
    ],
)
def test_reads_the_small_language(text: str, expected: TypedWords) -> None:
    """Quotes keep together, a leading minus excludes, a trailing star begins."""
    assert read(text) == expected


@given(st.text())
def test_any_text_is_read_and_only_signs_are_lost(text: str) -> None:
    """Nobody gets a syntax error, and each part left holds a letter or a digit."""
    typed = read(text)
    parts = [part for name in TypedWords.__slots__ for part in getattr(typed, name)]
    assert all(any(char.isalnum() for char in part) for part in parts)
    assert bool(typed) == bool(parts)
