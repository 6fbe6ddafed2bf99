"""What people type is taken apart, and nothing that they type is an error."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from traverse_search_api.words.typed_words import How, Piece, TypedWords, read

STAR, QUOTED = How.BEGINNING, How.PHRASE


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("école numérique", TypedWords(words=("école", "numérique"))),
        ('"groupe scolaire" neuf', TypedWords(words=("neuf",), phrases=("groupe scolaire",))),
        ("« groupe  scolaire »", TypedWords(phrases=("groupe scolaire",))),
        ("“hors lot”", TypedWords(phrases=("hors lot",))),
        ("école -piscine", TypedWords(words=("école",), excluded=(Piece("piscine"),))),
        ('-"hors lot"', TypedWords(excluded=(Piece("hors lot", QUOTED),))),
        ("rénov* école", TypedWords(words=("école",), prefixes=("rénov",))),
        ("Aix-en-Provence", TypedWords(words=("Aix-en-Provence",))),
        ("travaux - école", TypedWords(words=("travaux", "école"))),
        ('école "sans fin', TypedWords(words=("école", "sans", "fin"))),
        ('*** -- "" ! ?', TypedWords()),
        ("-piscine*", TypedWords(excluded=(Piece("piscine", STAR),))),
        ("-acheteur:arles", TypedWords(excluded=(Piece("arles", field="owner"),))),
        ('Titre:"Hors lot"', TypedWords(fields=(Piece("Hors lot", QUOTED, "title"),))),
        ("lieu:ar* x", TypedWords(words=("x",), fields=(Piece("ar", STAR, "place"),))),
        ("http://ville.fr:80/x", TypedWords(words=("http://ville.fr:80/x",))),
        # Letters that are an i or an s where the case does not matter, and name no field.
        ("inſtitution:x tıtre:y", TypedWords(words=("x", "y"))),
        ("a OR b* OU ref:1 c", TypedWords(
            words=("c",), either=((Piece("a"), Piece("b", STAR), Piece("1", field="reference")),)
        )),
        ('"a" OR a OR a', TypedWords(either=((Piece("a", QUOTED), Piece("a")),))),
        ("OR a OR", TypedWords(words=("a",))),
        ("a OR -b", TypedWords(words=("a",), excluded=(Piece("b"),))),
        ("-a OR b", TypedWords(words=("b",), excluded=(Piece("a"),))),
        ("a or b", TypedWords(words=("a", "or", "b"))),
        ("", TypedWords()),
    ],
)  # fmt: skip
def test_reads_the_small_language(text: str, expected: TypedWords) -> None:
    """Quotes keep together, a leading minus excludes, a trailing star begins."""
    assert read(text) == expected


@given(st.text())
def test_any_text_is_read_and_only_signs_are_lost(text: str) -> None:
    """Nobody gets a syntax error, and each part left holds a letter or a digit."""
    typed = read(text)
    pieces = (*typed.fields, *typed.excluded, *(one for group in typed.either for one in group))
    parts = [*typed.words, *typed.phrases, *typed.prefixes, *(one.text for one in pieces)]
    assert all(any(char.isalnum() for char in part) for part in parts)
    assert bool(typed) == bool(parts)
